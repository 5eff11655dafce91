"""An exchange as a conversation: events in with `>>`, expected effects out with `<<`.

    play = Playbook(session)
    play >> RequestHeaders(...) << FindPolicy("p", "v")

An expectation is an effect to compare with, a type, or a predicate. `Work` runs by itself and its result is fed back.
A test that ends with effects nobody expected fails, as does one that expects what did not come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataplane.exchange import effects as ef
from dataplane.exchange import events as ev
from dataplane.exchange.session import Session

Expected = Any


class Playbook:
    def __init__(self, session: Session, start: int = 1_000_000) -> None:
        self.session = session
        self.now = start
        self.said: list[str] = []
        self.pending: list[ef.Effect] = []
        self.last: Any = None
        """The effect that the last expectation met."""

    def __rshift__(self, event: ev.Event) -> Playbook:
        assert not self.pending, self._story(f"not expected: {self.pending}")
        self.said.append(f">> {event!r:.100}")
        self._take(self.session.receive(event, self.now))
        return self

    def __lshift__(self, expected: Expected) -> Playbook:
        assert self.pending, self._story(f"nothing came, expected {expected}")
        self.last = self.pending.pop(0)
        self.said.append(f"<< {self.last!r:.100}")
        assert self._matches(expected), self._story(f"{self.last!r} is not {expected}")
        return self

    def after(self, micros: int) -> Playbook:
        self.now += micros
        return self

    def done(self) -> None:
        assert not self.pending, self._story(f"not expected: {self.pending}")

    def _take(self, effects: list[ef.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, ef.Work):
                self._take(self.session.receive(run(effect), self.now))
            else:
                self.pending.append(effect)

    def _matches(self, expected: Expected) -> bool:
        if isinstance(expected, type):
            return isinstance(self.last, expected)
        if isinstance(expected, Callable):
            return bool(expected(self.last))
        return bool(self.last == expected)

    def _story(self, problem: str) -> str:
        return "\n".join([*self.said, problem])


def run(work: ef.Work) -> ev.Event:
    try:
        while True:
            next(work.steps)
    except StopIteration as done:
        return ev.WorkDone(done.value)
    except Exception as error:  # noqa: BLE001
        return ev.WorkFailed(error)
