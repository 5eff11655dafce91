"""`kagami status`: what a running gateway says of itself."""

from __future__ import annotations

from pathlib import Path

import click
from kagamipb.admin.v1.admin_pb2 import StatusRequest

from controlplane.cli import client, output


@click.command(name="status")
@client.options
@output.json_option
def command(*, address: str | None, state: Path, as_json: bool) -> None:
    """Revision of the configuration, and which revision every Envoy runs."""
    with client.connect(address, state) as admin:
        reply = admin.stub.Status(StatusRequest(), metadata=admin.metadata, timeout=10)
        endpoint = admin.address
    if as_json:
        envoys = dict(reply.envoy_revisions)
        output.show_json({"node": reply.node, "address": endpoint, "revision": reply.revision, "envoys": envoys})
        return
    click.echo(f"control plane {reply.node} at {endpoint}, configuration {reply.revision}")
    rows = ((node, revision) for node, revision in sorted(reply.envoy_revisions.items()))
    output.show_table(("envoy", "configuration"), rows, "no Envoy is connected to this control plane")
