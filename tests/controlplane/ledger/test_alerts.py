"""Alerts of quotas on a real database and over real HTTP: once per window and percentage, written, sent, tried again."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from kagamichain.journal import Journal
from kagamipb.admin.v1.admin_pb2 import UNIT_MICRO_USD, WINDOW_LIFETIME, AlertQuery, AuditQuery
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine
from support.entries import Chain, admitted, closed, opened

from controlplane.domain.reservation import Hold, Reservation, WindowKey, encode
from controlplane.domain.settlement import Settlement
from controlplane.domain.webhooks import MOST_ATTEMPTS, Alert, WebhookError, headers
from controlplane.ledger.alerts import Alerts, Destination
from controlplane.ledger.queries import Queries
from controlplane.ledger.receiver import Receiver
from controlplane.ledger.webhook_client import WebhookClient
from controlplane.store import accounts, alerts, schema
from controlplane.store.quota import QuotaStore
from controlplane.store.transactions import begin

KEY = WindowKey("q1", 0)
SECRET = b"whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="
RAW = b"secret-secret-secret"


class Listener:
    """A receiver of webhooks that answers with `status` and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.url = ""
        self.more = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        self.got.append((found, await reader.readexactly(int(found["content-length"]))))
        writer.write(f"HTTP/1.1 {self.status} X\r\n{self.more}content-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    listener.url = f"{'https' if context else 'http'}://localhost:{port}/hook?from=kagami"
    async with server:
        yield listener


@pytest.fixture
async def quota(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(schema.policies).values(name="p", version="1", body=b""))
        await connection.execute(
            insert(schema.tenants).values(name="acme", policy="p", time_zone="UTC", disabled=False, display_name="")
        )
        scope = dict.fromkeys(("key", "model", "user", "provider", "team"), "")
        await connection.execute(
            insert(schema.quotas).values(
                quota_id="q1", tenant="acme", name="all", unit=UNIT_MICRO_USD, window=WINDOW_LIFETIME, cap=100,
                alert_at=[50, 80, 100], **scope,
            )
        )  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path, "cp")


async def use(engine: AsyncEngine, amount: int) -> None:
    settlement = Settlement()
    settlement.charge(KEY, amount)
    async with begin(engine) as connection:
        await accounts.settle(connection, settlement)


async def found(engine: AsyncEngine) -> list[Alert]:
    return await alerts.recent(engine, tenant="", limit=100)


async def due(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE quota_alerts SET next_at = clock_timestamp()"))


def telling(engine: AsyncEngine, journal: Journal, url: str, client: WebhookClient | None = None) -> Alerts:
    find: Callable[[str], Destination | None] = lambda _: Destination(url, SECRET) if url else None  # noqa: E731
    return Alerts(engine, journal, find, wall=lambda: 7.0, chance=lambda: 0.5, client=client)


async def test_each_percentage_is_told_once_in_a_window_whoever_settles(engine: AsyncEngine, quota: None) -> None:
    await asyncio.gather(*(use(engine, 1) for _ in range(49)))
    assert await found(engine) == []
    await asyncio.gather(*(use(engine, 1) for _ in range(30)))
    (half,) = await found(engine)
    assert (half.percent, half.tenant, half.quota, half.settled, half.cap) == (50, "acme", "all", 50, 100)
    await use(engine, -40)
    await use(engine, 61)
    assert sorted(one.percent for one in await found(engine)) == [50, 80, 100]


async def test_an_alert_is_part_of_the_settlement_that_raised_it(engine: AsyncEngine, quota: None) -> None:
    settlement = Settlement()
    settlement.charge(KEY, 60)

    async def fails() -> None:
        async with begin(engine) as connection:
            await accounts.settle(connection, settlement)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await found(engine) == []


async def test_a_settled_request_raises_its_alert(engine: AsyncEngine, quota: None) -> None:
    held = encode(Reservation("cp", (Hold(KEY, UNIT_MICRO_USD, 90, ""),)))
    entries = [admitted("r1", held), opened("r1", held), closed("r1", held, micro_usd=85)]
    await Receiver(engine).send("dp", Chain("dp").frames(entries))
    assert [one.percent for one in await found(engine)] == [80, 50]


async def test_alerts_are_entries_of_the_audit_trail_and_no_requests(
    engine: AsyncEngine, quota: None, journal: Journal, quotas: QuotaStore
) -> None:
    await use(engine, 80)
    one, other = telling(engine, journal, ""), telling(engine, journal, "")
    assert sum(await asyncio.gather(one.write(), other.write())) == 2
    assert await one.write() == 0
    frames = journal.read(0, 10)
    said = [AuditEntry.FromString(frame.entry) for frame in frames]
    assert sorted(entry.quota_alert.percent for entry in said) == [50, 80]
    assert {entry.request_id for entry in said} == {"alert_q1_0_50", "alert_q1_0_80"}
    assert await Receiver(engine).send(journal.writer, frames) == 2
    shown = await Queries(engine, quotas, lambda: None).audit(AuditQuery(tenant="acme"))
    assert not shown.records
    assert [(alert.percent, alert.writer) for alert in shown.alerts] == [(80, journal.writer), (50, journal.writer)]


async def test_what_the_trail_does_not_hold_yet_is_not_shown_as_part_of_it(
    engine: AsyncEngine, quota: None, quotas: QuotaStore
) -> None:
    await use(engine, 50)
    queries = Queries(engine, quotas, lambda: None)
    assert not (await queries.audit(AuditQuery())).alerts
    assert [alert.state for alert in (await queries.alerts(AlertQuery())).alerts] == ["waiting"]


async def test_a_webhook_is_signed_and_sent_once(engine: AsyncEngine, quota: None, journal: Journal) -> None:
    await use(engine, 50)
    async with listening() as listener:
        senders = [telling(engine, journal, listener.url) for _ in range(4)]
        assert sum(await asyncio.gather(*(sender.send() for sender in senders))) == 1
    ((got, content),) = listener.got
    expected = headers("alert_q1_0_50", 7, content, RAW)
    assert {name: got[name] for name in expected} == expected
    assert got["host"] == listener.url.split("/")[2]
    assert json.loads(content)["data"]["percent"] == 50
    (alert,) = await found(engine)
    assert (alert.state, alert.attempts, alert.last_status) == ("delivered", 1, 204)


async def test_a_receiver_that_fails_is_asked_again_later(engine: AsyncEngine, quota: None, journal: Journal) -> None:
    await use(engine, 50)
    async with listening() as listener:
        sender, listener.status = telling(engine, journal, listener.url), 503
        assert await sender.send() == 1
        assert await sender.send() == 0
        (alert,) = await found(engine)
        assert (alert.state, alert.attempts, alert.last_status) == ("waiting", 1, 503)
        await due(engine)
        listener.status = 200
        assert await sender.send() == 1
    first, second = listener.got
    assert first == second
    assert [one.state for one in await found(engine)] == ["delivered"]


async def test_a_receiver_that_is_gone_or_never_answers_is_left_alone(
    engine: AsyncEngine, quota: None, journal: Journal
) -> None:
    await use(engine, 50)
    async with listening() as listener:
        listener.status = 410
        await telling(engine, journal, listener.url).send()
    assert [(one.state, one.last_status) for one in await found(engine)] == [("failed", 410)]
    await use(engine, 30)
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE quota_alerts SET attempts = {MOST_ATTEMPTS - 1} WHERE percent = 80"))
    await telling(engine, journal, listener.url).send()  # nobody listens any more
    assert {one.percent: one.state for one in await found(engine)} == {50: "failed", 80: "failed"}


async def test_a_tenant_with_many_alerts_leaves_room_for_others(engine: AsyncEngine, quota: None) -> None:
    await use(engine, 50)
    async with engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO quota_alerts (quota_id, start, percent, tenant, quota, unit, "window", settled, cap, next_at)
            SELECT 'many', n, 50, 'noisy', 'q', 1, 1, 5, 10, clock_timestamp() - interval '1 hour'
            FROM generate_series(1, 100) AS n""")
        )
    claimed = await alerts.claim(engine, 8, each=4)
    assert sorted(one.tenant for one in claimed) == ["acme", *["noisy"] * 4]
    assert len(await alerts.claim(engine, 8, each=4)) == 4


async def test_the_next_address_of_a_name_is_tried_when_nobody_listens_on_the_first() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with listening() as listener:
        assert await WebhookClient(resolve=resolve).post(listener.url, {}, b"{}") == 204
    assert len(listener.got) == 1


@pytest.mark.parametrize("bad", ["169.254.169.254", "127.0.0.1", "::ffff:169.254.169.254"])
async def test_a_name_of_which_one_address_is_not_allowed_gets_nothing(bad: str) -> None:
    asked = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.216.34", bad]

    with pytest.raises(WebhookError):
        await WebhookClient(resolve=resolve).post("https://hooks.example:8443/x", {}, b"{}")
    assert asked == [("hooks.example", 8443)]


async def test_a_replica_that_dies_while_it_sends_is_followed_by_another(
    engine: AsyncEngine, quota: None, journal: Journal
) -> None:
    await use(engine, 50)
    (claimed,) = await alerts.claim(engine, 8, each=4)
    assert await alerts.claim(engine, 8, each=4) == []
    await due(engine)  # its time is over
    async with listening() as listener:
        assert await telling(engine, journal, listener.url).send() == 1
    await alerts.conclude(engine, claimed, "failed", status=0)  # it was only slow, and says so too late
    assert [(one.state, one.attempts) for one in await found(engine)] == [("delivered", 2)]


async def test_redirects_lead_nowhere(engine: AsyncEngine, quota: None, journal: Journal) -> None:
    await use(engine, 50)
    async with listening() as elsewhere, listening() as listener:
        listener.status, listener.more = 302, f"location: {elsewhere.url}\r\n"
        await telling(engine, journal, listener.url).send()
    assert elsewhere.got == []
    assert [(one.state, one.last_status) for one in await found(engine)] == [("waiting", 302)]


async def test_a_tenant_without_a_webhook_is_told_nothing(engine: AsyncEngine, quota: None, journal: Journal) -> None:
    await use(engine, 50)
    await telling(engine, journal, "").send()
    assert [one.state for one in await found(engine)] == ["none"]


async def test_a_webhook_over_tls_is_sent_to_the_name_in_its_certificate(
    engine: AsyncEngine, quota: None, journal: Journal
) -> None:
    await use(engine, 50)
    authority, server, trusting = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    async with listening(server) as listener:
        await telling(engine, journal, listener.url).send()
        assert listener.got == []  # an authority nobody knows
        authority.configure_trust(trusting)
        await due(engine)
        await telling(engine, journal, listener.url, WebhookClient(trusting)).send()
    assert len(listener.got) == 1


async def test_a_webhook_never_goes_where_clouds_keep_their_credentials() -> None:
    with pytest.raises(WebhookError):
        await WebhookClient().post("https://169.254.169.254/latest", {}, b"")


async def test_a_secret_that_cannot_be_had_is_waited_for(engine: AsyncEngine, quota: None, journal: Journal) -> None:
    def missing(_: str) -> Destination | None:
        raise WebhookError("the environment variable is not set")

    await use(engine, 50)
    await Alerts(engine, journal, missing, wall=lambda: 7.0, chance=lambda: 0.5).send()
    assert [(one.state, one.attempts) for one in await found(engine)] == [("waiting", 1)]
