"""Alerts, teams, rolling windows and history through the whole gateway, with a real receiver of webhooks."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.admin.v1.admin_pb2_grpc import AdminStub
from support.stack import Gateway

from controlplane.cli import trail
from controlplane.domain.webhooks import headers

pytestmark = pytest.mark.e2e

SECRET = "whsec_aW52ZW50ZWQtZm9yLXRlc3Rz"
RAW = b"invented-for-tests"


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """URL of a server that takes webhooks, and what it got."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, content))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_team_is_told_of_its_rolling_quota_and_the_trail_holds_what_was_told(
    gateway: Gateway, tmp_path: Path
) -> None:
    route, tenant, key = gateway.route(), f"t{uuid.uuid4().hex[:10]}", f"sk-{uuid.uuid4().hex}"
    secret = tmp_path / "webhook-secret"
    secret.write_text(SECRET)
    with receiver() as (url, got), gateway.stack.admin() as stub:
        gateway.stack.apply(
            f"tenants:\n  - {{name: {tenant}, policy: redact, time_zone: Asia/Tokyo, webhook_url: '{url}',"
            f" webhook_secret: 'file:{secret}'}}\n"
            f"keys:\n  - {{tenant: {tenant}, name: k, team: sales, secret: 'env:K', models: ['*']}}\n"
            f"quotas:\n  - {{name: hourly, tenant: {tenant}, team: sales, unit: requests, window: rolling_hour,"
            " cap: 4, alert_at: [50, 100]}\n",
            env={"K": key},
        )
        with gateway.stack.http(key) as http:
            known = 0
            while known < 4:
                known = known + 1 if http.get("/models").status_code == 200 else 0
            replies = [http.post("/chat/completions", json=route.body("こんにちは")) for _ in range(5)]
        assert [reply.status_code for reply in replies] == [200] * 4 + [429]
        assert 3500 < int(replies[-1].headers["retry-after"]) <= 3660
        until(lambda: [one.state for one in alerts(stub, tenant)] == ["delivered"] * 2)
        assert sorted(json.loads(content)["data"]["percent"] for _, content in got) == [50, 100]
        for found, content in got:
            expected = headers(found["webhook-id"], int(found["webhook-timestamp"]), content, RAW)
            assert found["webhook-signature"] == expected["webhook-signature"]
        until(lambda: [(one.key, one.requests) for one in used(stub, tenant)] == [("k", 4)])
        until(lambda: sorted(told(stub, tenant)) == [50, 100])


def until(true: Callable[[], bool]) -> None:
    """The test's own timeout is the limit."""
    while not true():
        time.sleep(0.05)


def alerts(stub: AdminStub, tenant: str) -> Sequence[pb.Alert]:
    return stub.Alerts(pb.AlertQuery(tenant=tenant), timeout=10).alerts


def used(stub: AdminStub, tenant: str) -> Sequence[pb.Usage]:
    return stub.UsageHistory(pb.UsageQuery(tenant=tenant, by=pb.USAGE_BY_KEY), timeout=10).usage


def told(stub: AdminStub, tenant: str) -> Iterator[int]:
    """Percentages in the audit trail, which is verified on the way."""
    verifier = trail.Verifier()
    for written in trail.of_export(stub.ExportChains(pb.ExportRequest(), timeout=30)):
        verifier.take(written)
        alert = trail.decode(written.frame.entry).get("quota_alert", {})
        if alert.get("tenant") == tenant:
            yield alert["percent"]
