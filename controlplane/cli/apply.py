"""`kagami apply`: one transaction that makes the configuration what the files say."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click
from kagamipb.admin.v1.admin_pb2 import ApplyReply, ApplyRequest, Manifest

from controlplane.cli import client, output
from controlplane.cli.manifest import ManifestError, load

_SIGNS = {"create": "+", "update": "~", "delete": "-"}


@click.command(name="apply")
@click.option(
    "--file",
    "-f",
    "files",
    type=click.File(encoding="utf-8"),
    multiple=True,
    required=True,
    help="YAML; - is stdin. May be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option("--prune", is_flag=True, help="Also remove what the files do not name, of the kinds they name.")
@client.options
@output.json_option
def command(
    *, files: tuple[TextIO, ...], dry_run: bool, prune: bool, address: str | None, state: Path, as_json: bool
) -> None:
    """Make tenants, keys, providers, prices, routes, policies and quotas what YAML files say."""
    try:
        manifest = merged(load(_read(file), file.name) for file in files)
    except ManifestError as error:
        raise click.ClickException(str(error)) from None
    with client.connect(address, state) as admin:
        request = ApplyRequest(manifest=manifest, dry_run=dry_run, prune=prune)
        reply = admin.stub.Apply(request, metadata=admin.metadata, timeout=60)
    (_show_json if as_json else _show)(reply, dry_run=dry_run)


def merged(manifests: Iterable[Manifest]) -> Manifest:
    """Several files as one manifest."""
    whole = Manifest()
    for manifest in manifests:
        whole.MergeFrom(manifest)
    return whole


def _read(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError:
        raise ManifestError(f"{file.name}: not UTF-8 text") from None


def _show(reply: ApplyReply, *, dry_run: bool) -> None:
    for change in reply.changes:
        click.echo(f"{_SIGNS.get(change.verb, '?')} {change.kind} {change.name}")
    if not reply.changes:
        click.echo("nothing to change")
    for issued in reply.issued:
        click.echo(f"key {issued.tenant}/{issued.name}: {issued.secret}")
    if reply.issued:
        click.echo("Keep these keys: they are shown once and stored nowhere.", err=True)
    if dry_run and reply.changes:
        click.echo("dry run: nothing was changed", err=True)
    sys.stdout.flush()


def _show_json(reply: ApplyReply, *, dry_run: bool) -> None:
    changes = [{"verb": c.verb, "kind": c.kind, "name": c.name} for c in reply.changes]
    issued = [{"tenant": i.tenant, "name": i.name, "key_id": i.key_id, "secret": i.secret} for i in reply.issued]
    output.show_json({"changes": changes, "issued": issued, "revision": reply.revision, "dry_run": dry_run})
