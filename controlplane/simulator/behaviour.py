"""How an answer is to be given, and when to give it that way.

A `Behaviour` is a value: status, timing, cuts, faults. It reaches the simulator in three ways, the first that
applies wins: the request's own `sim` object (`extra_body={"sim": {"split_bytes": 1}}`), an order placed at
`POST /_sim/behaviour` for the next requests (`Script`), and the model's name
(`sim-ja:status=503,delay_ms=20`). Pure: no I/O, no clock. Orders are limited in number by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any


class BehaviourError(ValueError):
    """An order nobody can follow; the message names the field and what it takes."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that can be asked of one answer. Times are milliseconds, counts are of stream events."""

    status: int = 200
    """Other than 200: an error in OpenAI's shape with this status."""
    message: str = ""
    """Text of that error; empty = one that quotes personal data, as careless providers do."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Extra response headers."""
    delay_ms: int = 0
    """Before the response headers."""
    hang: bool = False
    """Never answer; ends only when the client gives up."""
    hang_after: int = -1
    """Stop sending after so many events, and stay connected."""
    reset_after: int = -1
    """Reset the connection after so many events; 0 = before the headers."""
    close_after: int = -1
    """Close without an orderly end after so many events."""
    error_after: int = -1
    """Send an error event instead of the rest after so many events."""
    content: str = ""
    """Answer exactly this."""
    echo: bool = False
    """Answer with the last user message."""
    reasoning: str = ""
    """Sent as `reasoning_content` before the answer."""
    refusal: str = ""
    """Sent as `refusal` instead of the answer."""
    finish_reason: str = ""
    chunk_chars: int = 4
    """Characters per delta."""
    interval_ms: int = 0
    """Between events (between pieces when split_bytes is set)."""
    split_bytes: int = 0
    """Write the body in pieces of so many bytes, wherever that cuts."""
    crlf: bool = False
    """End SSE lines with CR LF, and send comments as heartbeats."""
    gzip: bool = False
    """Compress the body whatever the client accepts."""
    huge_chars: int = 0
    """Make the answer so many characters, in one event."""
    malformed: str = ""
    """"json", "html", "empty" or "garbage" (not HTTP at all)."""
    no_done: bool = False
    """Leave out `data: [DONE]`."""
    no_usage: bool = False
    """Leave out the usage."""
    usage_so_far: bool = False
    """Send the usage so far with every event, as some providers do."""
    ignore_limit: bool = False
    """Answer in full length, whatever limit on output tokens was asked for."""
    prompt_tokens: int = -1
    completion_tokens: int = -1
    cached_tokens: int = 0
    reasoning_tokens: int = 0


_TYPES: dict[str, type] = {
    f.name: {"int": int, "bool": bool, "str": str}.get(str(f.type), dict) for f in fields(Behaviour)
}
_TAKES = {int: "an integer", bool: "true or false", str: "a string", dict: "an object of strings"}
_MALFORMED = ("", "json", "html", "empty", "garbage")


def parse(values: Mapping[str, Any], base: Behaviour | None = None) -> Behaviour:
    """A behaviour from JSON values over a base. Raises BehaviourError naming the field."""
    for name, value in values.items():
        if name not in _TYPES:
            raise BehaviourError(f"unknown behaviour {name!r}; known: {', '.join(sorted(_TYPES))}")
        if type(value) is not _TYPES[name]:
            raise BehaviourError(f"{name} takes {_TAKES[_TYPES[name]]}")
    if values.get("malformed", "") not in _MALFORMED:
        raise BehaviourError(f"malformed takes one of {', '.join(_MALFORMED[1:])}")
    headers = values.get("headers", {})
    if not all(isinstance(item, str) for item in headers.values()):
        raise BehaviourError("headers takes an object of strings")
    if values.get("chunk_chars", 1) < 1:
        raise BehaviourError("chunk_chars takes an integer of at least 1")
    return replace(base or Behaviour(), **values)


def from_model(model: str, base: Behaviour | None = None) -> Behaviour:
    """The behaviour a model's name asks for: `name:field=value,…`. Raises BehaviourError.

    A flag needs no value (`sim:hang`); a bare number is a status (`sim-fault:503`). Names with a colon that
    ask for nothing known, as some vendors' have, are ordinary names.
    """
    _, colon, text = model.partition(":")
    if not colon or not model.startswith("sim"):
        return base or Behaviour()
    return parse(dict(_item(part) for part in text.split(",") if part), base)


def _item(part: str) -> tuple[str, Any]:
    name, equals, value = part.strip().partition("=")
    if not equals:
        return ("status", int(name)) if name.isdecimal() else (name, True)
    if _TYPES.get(name) is int:
        try:
            return name, int(value)
        except ValueError:
            raise BehaviourError(f"{name} takes an integer") from None
    return name, value == "true" if _TYPES.get(name) is bool else value


@dataclass(slots=True)
class Order:
    """A behaviour for the next `times` requests (-1 = until cleared) of a provider and model ("" = any)."""

    behaviour: Behaviour
    provider: str = ""
    model: str = ""
    times: int = 1

    def matches(self, provider: str, model: str) -> bool:
        """Whether the order is meant for this request."""
        return self.times != 0 and self.provider in {"", provider} and self.model in {"", model}


class Script:
    """Orders in the sequence they were placed; each request takes the first that matches it."""

    def __init__(self, limit: int = 1_000) -> None:
        self._orders: list[Order] = []
        self._limit = limit

    def place(self, order: Order) -> None:
        """Add an order. Raises BehaviourError when there are too many."""
        if len(self._orders) >= self._limit:
            raise BehaviourError(f"{self._limit} orders are waiting; clear them with DELETE /_sim/behaviour")
        self._orders.append(order)

    def clear(self) -> None:
        """Forget every order."""
        self._orders.clear()

    def take(self, provider: str, model: str) -> Behaviour | None:
        """The behaviour ordered for this request, used up by the call."""
        for order in self._orders:
            if order.matches(provider, model):
                order.times -= order.times > 0
                if order.times == 0:
                    self._orders.remove(order)
                return order.behaviour
        return None
