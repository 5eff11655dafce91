"""When a part of the gateway fails, nothing passes: 503 in OpenAI's shape, and nothing of the request sent upstream."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest
from support.disk import disk_full
from support.simulator import simulator_process
from support.stack import BASE, KEYS, Gateway, Route, Stack, state_directory

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def alone() -> Iterator[Gateway]:
    """A gateway of this module's own, without replicas that could step in."""
    with state_directory() as state, simulator_process() as simulator:
        stack = Stack(state)
        try:
            stack.apply(BASE.replace("SIMULATOR", simulator.base("only-this")), env=KEYS)
            yield Gateway(stack, simulator)
        finally:
            stack.stop()


@pytest.fixture
def route(alone: Gateway) -> Route:
    return alone.route()


@contextlib.contextmanager
def supervisor_asleep(stack: Stack) -> Iterator[None]:
    """So that what is ended stays ended."""
    os.kill(stack.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stack.process.pid, signal.SIGCONT)


def end(process: psutil.Process) -> None:
    """Kill a part with its workers, and see it gone."""
    family = [process, *process.children(recursive=True)]
    for member in family:
        member.kill()
    for member in family:
        while member.is_running() and member.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)


def assert_refused(reply: httpx.Response, code: str) -> None:
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (503, code), reply.text
    assert set(error) == {"message", "type", "param", "code"}
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("stream", [False, True])
def test_without_the_data_plane_nothing_passes(alone: Gateway, route: Route, stream: bool) -> None:
    with supervisor_asleep(alone.stack):
        end(alone.stack.child("dataplane"))
        with alone.stack.http() as http:
            for _ in range(5):
                assert_refused(http.post("/chat/completions", json=route.body(stream=stream)), "redaction_unavailable")
    assert route.records() == []
    alone.wait_live(route.model, 30)


def test_without_the_control_plane_nothing_passes(alone: Gateway, route: Route) -> None:
    with supervisor_asleep(alone.stack):
        end(alone.stack.child("controlplane-0"))
        with alone.stack.http() as http:
            for _ in range(5):
                assert_refused(http.post("/chat/completions", json=route.body()), "authorization_unavailable")
    assert route.records() == []
    alone.wait_live(route.model, 30)


@pytest.mark.parametrize(
    "part",
    [lambda stack: stack.child("controlplane-0"), lambda stack: stack.workers()[0]],
    ids=["control plane", "data plane"],
)
def test_what_cannot_be_recorded_does_not_happen(
    alone: Gateway, route: Route, part: Callable[[Stack], psutil.Process]
) -> None:
    process = part(alone.stack)
    with disk_full(process), alone.stack.http() as http:
        for _ in range(3):
            assert_refused(http.post("/chat/completions", json=route.body()), "audit_unavailable")
        assert route.records() == []
    alone.wait_live(route.model, 30)
    assert process.is_running()
    assert alone.stack.verify()["verified"]
