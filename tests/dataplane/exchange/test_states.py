from __future__ import annotations

from typing import get_args

import pytest

from dataplane.exchange import events as ev
from dataplane.exchange.states import TABLE, ExchangeFault, State, following

KINDS = get_args(ev.Event)


def test_every_pair_in_the_table_names_a_state_and_an_event():
    assert all(isinstance(state, State) and kind in KINDS and targets for (state, kind), targets in TABLE.items())


def test_every_state_can_be_reached_and_every_state_but_the_last_can_be_left():
    reached = {State.START} | {target for targets in TABLE.values() for target in targets}
    assert reached == set(State)
    left = {state for (state, _), targets in TABLE.items() if targets - {state}}
    assert set(State) - left == {State.BROKEN, State.DONE}


def test_no_provider_is_called_but_from_opening_and_nothing_is_answered_but_from_calling():
    assert {state for (state, _), targets in TABLE.items() if State.CALLING in targets} == {State.OPENING}
    for answering in (State.STREAMING, State.WHOLE, State.REFUSAL):
        assert {state for (state, _), targets in TABLE.items() if answering in targets} - {answering} == {State.CALLING}


def test_the_end_of_the_stream_may_come_in_every_state():
    for state in State:
        assert following(state, ev.StreamClosed()) == {State.DONE}


def test_a_pair_that_is_not_in_the_table_is_a_fault():
    with pytest.raises(ExchangeFault, match="RequestBody in state CALLING"):
        following(State.CALLING, ev.RequestBody(b""))
