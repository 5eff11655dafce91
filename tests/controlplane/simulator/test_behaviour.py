from __future__ import annotations

import pytest

from controlplane.simulator.behaviour import Behaviour, BehaviourError, Order, Script, from_model, parse


def test_values_are_laid_over_a_base() -> None:
    assert parse({"status": 503}, Behaviour(delay_ms=5)) == Behaviour(status=503, delay_ms=5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"speed": 1}, "unknown behaviour 'speed'"),
        ({"status": "503"}, "status takes an integer"),
        ({"status": True}, "status takes an integer"),
        ({"hang": 1}, "hang takes true or false"),
        ({"content": 1}, "content takes a string"),
        ({"headers": {"a": 1}}, "headers takes an object of strings"),
        ({"malformed": "xml"}, "malformed takes one of json, html, empty, garbage"),
        ({"chunk_chars": 0}, "chunk_chars takes an integer of at least 1"),
    ],
)
def test_an_order_nobody_can_follow_is_refused_by_name(values: dict[str, object], message: str) -> None:
    with pytest.raises(BehaviourError, match=message):
        parse(values)


def test_a_models_name_can_ask_for_behaviour() -> None:
    assert from_model("sim-fault:503") == Behaviour(status=503)
    assert from_model("sim-ja:delay_ms=20,hang") == Behaviour(delay_ms=20, hang=True)
    assert from_model("sim:content=x,gzip=true,crlf=false") == Behaviour(content="x", gzip=True)
    assert from_model("sim-ja") == Behaviour()
    assert from_model("anthropic.claude-3:0") == Behaviour()


def test_a_models_name_that_asks_wrongly_is_refused() -> None:
    with pytest.raises(BehaviourError, match="status takes an integer"):
        from_model("sim:status=high")
    with pytest.raises(BehaviourError, match="unknown behaviour 'latest'"):
        from_model("sim:latest")


def test_orders_are_used_up_in_sequence_by_whom_they_match() -> None:
    script = Script()
    script.place(Order(Behaviour(status=500), provider="a"))
    script.place(Order(Behaviour(status=501), model="m", times=2))
    assert script.take("b", "x") is None
    assert script.take("a", "m") == Behaviour(status=500)
    assert script.take("a", "m") == Behaviour(status=501)
    assert script.take("b", "m") == Behaviour(status=501)
    assert script.take("b", "m") is None


def test_an_endless_order_lasts_until_cleared() -> None:
    script = Script()
    script.place(Order(Behaviour(hang=True), times=-1))
    assert all(script.take("a", "m") for _ in range(5))
    script.clear()
    assert script.take("a", "m") is None


def test_the_number_of_waiting_orders_is_limited() -> None:
    script = Script(limit=1)
    script.place(Order(Behaviour()))
    with pytest.raises(BehaviourError, match="1 orders are waiting"):
        script.place(Order(Behaviour()))
