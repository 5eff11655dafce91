"""`kagami audit`: follow, show, verify and export the audit trail."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import click
from kagamichain.chain import Head
from kagamichain.verify import VerificationError
from kagamipb.admin.v1.admin_pb2 import Alert, AuditAttempt, AuditQuery, AuditRecord, AuditReply, ExportRequest

from controlplane.cli import client, output, trail
from controlplane.cli.budget import alert_dict

_COLUMNS = ("at", "request", "tenant", "model", "outcome", "status", "providers", "tokens", "cost", "redacted")


@click.group(name="audit")
def command() -> None:
    """Follow, show, verify and export the audit trail."""


@command.command(name="tail")
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--follow", "-f", is_flag=True, help="Keep showing new ones.")
@click.option("--tenant", default="", help="Only this tenant.")
@click.option("--request-id", default="", help="Only this request.")
@client.options
@output.json_option
def tail(
    *, limit: int, follow: bool, tenant: str, request_id: str, address: str | None, state: Path, as_json: bool
) -> None:
    """The newest requests and alerts of quotas, one line each, oldest first."""
    query = AuditQuery(tenant=tenant, request_id=request_id, limit=limit)
    with client.connect(address, state) as admin:
        shown: dict[str, str] = {}
        while True:
            reply = admin.stub.Audit(query, metadata=admin.metadata, timeout=30)
            records = _newest(reply, limit)
            fresh = [r for r in reversed(records) if shown.get(_named(r)) != _outcome(r)]
            _show(fresh, as_json=as_json, follow=follow)
            shown = {_named(r): _outcome(r) for r in records}
            if not follow:
                return
            time.sleep(0.5)


@command.command(name="show")
@click.argument("request_id")
@client.options
@output.json_option
def show(*, request_id: str, address: str | None, state: Path, as_json: bool) -> None:
    """Everything known of one request."""
    with client.connect(address, state) as admin:
        query = AuditQuery(request_id=request_id, limit=1)
        records = admin.stub.Audit(query, metadata=admin.metadata, timeout=30).records
    if not records:
        raise click.ClickException(f"no request {request_id} in the audit trail")
    if as_json:
        output.show_json(record_dict(records[0]))
        return
    facts = [(name, str(value)) for name, value in record_dict(records[0]).items() if name != "attempts"]
    for attempt in records[0].attempts:
        facts += [(f"attempt {attempt.attempt}: {name}", str(v)) for name, v in attempt_dict(attempt).items()]
    output.show_table(("fact", "value"), facts, "")


@command.command(name="export")
@click.option("--output", "-o", "file", type=click.File("w", encoding="utf-8"), default="-", help="File; - is stdout.")
@click.option("--writer", default="", help="Only this writer's chain.")
@client.options
def export(*, file: TextIO, writer: str, address: str | None, state: Path) -> None:
    """Write the chains as JSON lines, to be kept and verified anywhere."""
    with client.connect(address, state) as admin:
        stream = admin.stub.ExportChains(ExportRequest(writer=writer), metadata=admin.metadata)
        count = 0
        for written in trail.of_export(stream):
            file.write(trail.to_line(written) + "\n")
            count += 1
    file.flush()
    click.echo(f"{count} entries exported", err=True)


@command.command(name="verify")
@click.option(
    "--file",
    "-f",
    "file",
    type=click.File(encoding="utf-8"),
    help="A trail exported before; else the running gateway's.",
)
@click.option(
    "--note", type=click.Path(path_type=Path, dir_okay=False), help="Write where every chain stands to this file."
)
@click.option(
    "--against", type=click.File(encoding="utf-8"), help="Heads noted earlier: also find entries cut off since."
)
@click.option("--stamp", help="Link from the last line of a stream (link=…): find the entry it names.")
@client.options
@output.json_option
def verify(
    *, file: TextIO | None, note: Path | None, against: TextIO | None, stamp: str | None,
    address: str | None, state: Path, as_json: bool,
) -> None:  # fmt: skip
    """Walk every chain; exit code 1 and the place if any entry was altered, removed or reordered."""
    try:
        noted = trail.heads_from_json(against.read()) if against else {}
        if file is not None:
            verifier, found = _walk(trail.of_lines(file, file.name), noted, stamp)
        else:
            with client.connect(address, state) as admin:
                stream = admin.stub.ExportChains(ExportRequest(), metadata=admin.metadata)
                verifier, found = _walk(trail.of_export(stream), noted, stamp)
    except (VerificationError, trail.TrailError) as error:
        if as_json:
            output.show_json({"verified": False, "problem": str(error)})
        raise click.ClickException(f"the audit trail does not verify: {error}") from None
    if stamp and found is None:
        raise click.ClickException("the chains verify, but no entry has the link given with --stamp")
    if note is not None:
        note.write_text(trail.heads_to_json(verifier.heads), encoding="utf-8")
    _show_verified(verifier, found, as_json=as_json)


def _walk(
    frames: Iterator[trail.Written], noted: dict[str, Head], stamp: str | None
) -> tuple[trail.Verifier, trail.Written | None]:
    verifier, found = trail.Verifier(), None
    for written in frames:
        verifier.take(written)
        trail.check_noted(written, noted)
        if stamp and written.frame.link.hex() == stamp.lower().removeprefix("link="):
            found = written
    verifier.expect(noted)
    return verifier, found


def _show_verified(verifier: trail.Verifier, found: trail.Written | None, *, as_json: bool) -> None:
    heads = verifier.heads
    if as_json:
        listed = {writer: {"seq": head.seq, "link": head.link.hex()} for writer, head in sorted(heads.items())}
        named = {"writer": found.writer, "seq": found.frame.seq} if found else None
        output.show_json({"verified": True, "entries": verifier.entries, "chains": listed, "stamp": named})
        return
    rows = ((writer, str(head.seq), head.link.hex()) for writer, head in sorted(heads.items()))
    output.show_table(("writer", "entries", "head"), rows, "no chains yet")
    click.echo(f"verified: {verifier.entries} entries in {len(heads)} chains, none altered, missing or reordered")
    if found is not None:
        request = trail.decode(found.frame.entry).get("request_id", "")
        click.echo(f"the stamp is entry {found.frame.seq} of {found.writer}, request {request}")


def _newest(reply: AuditReply, limit: int) -> list[AuditRecord | Alert]:
    both: list[AuditRecord | Alert] = [*reply.records, *reply.alerts]
    return sorted(both, key=lambda one: -one.at_unix_micros)[:limit]


def _named(one: AuditRecord | Alert) -> str:
    return one.request_id if isinstance(one, AuditRecord) else one.alert_id


def _outcome(one: AuditRecord | Alert) -> str:
    return one.outcome if isinstance(one, AuditRecord) else "quota_alert"


def _show(records: Iterable[AuditRecord | Alert], *, as_json: bool, follow: bool) -> None:
    listed = list(records)
    if as_json and not follow:
        output.show_json({"records": [record_dict(record) for record in listed]})
    elif as_json:
        for record in listed:
            output.show_json(record_dict(record))
    elif listed or not follow:
        output.show_table(_COLUMNS, map(_row, listed), "no requests yet")
    sys.stdout.flush()


def record_dict(record: AuditRecord | Alert) -> dict[str, object]:
    """A record for `--json`; an alert of a quota is one with the outcome `quota_alert`."""
    if isinstance(record, Alert):
        return {"outcome": "quota_alert", **alert_dict(record)}
    return {
        "request_id": record.request_id,
        "at": output.moment(record.at_unix_micros),
        "tenant": record.tenant,
        "key_id": record.key_id,
        "model": record.model,
        "outcome": record.outcome,
        "http_status": record.http_status,
        "code": record.code,
        "cost_micro_usd": record.cost_micro_usd,
        "attempts": [attempt_dict(attempt) for attempt in record.attempts],
    }


def attempt_dict(attempt: AuditAttempt) -> dict[str, object]:
    """An attempt for `--json`: every field, maps as objects."""
    values = {field.name: getattr(attempt, field.name) for field in attempt.DESCRIPTOR.fields}
    return {name: dict(value) if name.endswith("_pii") else value for name, value in values.items()}


def _row(record: AuditRecord | Alert) -> tuple[str, ...]:
    if isinstance(record, Alert):
        at, reached = output.moment(record.at_unix_micros)[11:23], f"quota_alert ({record.quota} {record.percent} %)"
        return (at, record.alert_id, record.tenant, "-", reached, *["-"] * 5)
    tokens = [f"{a.input_tokens}+{a.output_tokens}" for a in record.attempts if a.input_tokens or a.output_tokens]
    redacted = sum(sum(a.request_pii.values()) + sum(a.response_pii.values()) for a in record.attempts)
    return (
        output.moment(record.at_unix_micros)[11:23],
        record.request_id,
        record.tenant or "-",
        record.model or "-",
        record.outcome if not record.code else f"{record.outcome} ({record.code})",
        str(record.http_status or "-"),
        " → ".join(attempt.provider for attempt in record.attempts) or "-",
        tokens[-1] if tokens else "-",
        output.usd(record.cost_micro_usd) if record.cost_micro_usd else "-",
        str(redacted) if record.attempts else "-",
    )
