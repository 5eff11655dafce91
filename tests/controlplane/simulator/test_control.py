from __future__ import annotations

import json

import pytest

from controlplane.simulator.behaviour import Behaviour, Script
from controlplane.simulator.control import Control
from controlplane.simulator.exchange import Arrived
from controlplane.simulator.record import Ring


def call(control: Control, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, object]]:
    status, answer = control.answer(Arrived(method, path, (), body, "http/1.1"))
    return status, json.loads(answer)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def control(script: Script) -> Control:
    return Control(script, Ring(10, 100), Behaviour(delay_ms=7))


def test_an_order_is_placed_over_the_servers_own_behaviour(control: Control, script: Script) -> None:
    order = b'{"provider": "a", "behaviour": {"status": 503}}'
    assert call(control, "POST", "/_sim/behaviour", order)[0] == 200
    assert script.take("a", "any") == Behaviour(status=503, delay_ms=7)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"{", "unexpected end"),
        (b"[]", "body"),
        (b'{"what": 1}', "what"),
        (b'{"times": "1"}', "times"),
        (b'{"behaviour": 1}', "behaviour takes an object"),
        (b'{"behaviour": {"status": "x"}}', "status takes an integer"),
    ],
)
def test_a_bad_order_is_refused_with_what_is_wrong(control: Control, body: bytes, names: str) -> None:
    status, answer = call(control, "POST", "/_sim/behaviour", body)
    assert status == 400
    assert names in str(answer["error"])


def test_unknown_controls_are_not_found(control: Control) -> None:
    assert call(control, "GET", "/_sim/nothing")[0] == 404
    assert call(control, "GET", "/_sim/records?since=x")[0] == 400
    assert call(control, "GET", "/_sim/health") == (200, {})
    assert call(control, "DELETE", "/_sim/records") == (200, {})
    assert call(control, "GET", "/_sim/totals") == (200, {})
