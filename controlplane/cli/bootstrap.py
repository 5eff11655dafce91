"""`kagami bootstrap`: the file an Envoy of its own is started with; everything else it learns over ADS.

The cluster token comes from KAGAMI_CLUSTER_TOKEN or KAGAMI_CLUSTER_TOKEN_FILE and is written into the file, which is
therefore readable by its owner only and replaced in one step.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import tempfile
from pathlib import Path

import click

from controlplane.settings import SettingsError, cluster_token
from controlplane.xds.bootstrap import render_bootstrap, template
from controlplane.xds.gateway import Endpoint, EndpointError, endpoints, is_address


@click.command(name="bootstrap")
@click.option("--node", required=True, help="Name of this Envoy, unique among its control planes.")
@click.option(
    "--controlplane", "controlplanes", required=True, multiple=True,
    help="host:port or unix:/path of a control plane; repeat it for each replica.",
)  # fmt: skip
@click.option(
    "--admin", default="127.0.0.1:9901", show_default=True,
    help="Envoy's admin interface: a loopback address, or unix:/path.",
)  # fmt: skip
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, mode 0600; standard output otherwise.",
)  # fmt: skip
def command(*, node: str, controlplanes: tuple[str, ...], admin: str, output: Path | None) -> None:
    """Write the bootstrap that Envoy is started with: envoy -c FILE.

    KAGAMI_CLUSTER_TOKEN (or KAGAMI_CLUSTER_TOKEN_FILE) is what Envoy presents to control planes on host:port.
    """
    if not node.strip():
        raise click.UsageError("--node: a name is needed")
    try:
        planes = tuple(endpoint for text in controlplanes for endpoint in endpoints(text))
        token = cluster_token(os.environ)
        if token is None and any(not plane.path for plane in planes):
            raise click.ClickException("KAGAMI_CLUSTER_TOKEN is not set: control planes on host:port ask for it")
        text = render_bootstrap(template(), node=node, controlplane=planes, admin=_local(admin), token=token)
    except (EndpointError, SettingsError) as error:
        raise click.ClickException(str(error)) from None
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)


def _local(text: str) -> Endpoint:
    """The admin interface's address: whoever reaches it owns the gateway, so that it stays on this machine."""
    endpoint = Endpoint.parse(text)
    if not endpoint.path and not (is_address(endpoint.host) and ipaddress.ip_address(endpoint.host).is_loopback):
        raise EndpointError(f"--admin {text}: must be a loopback address such as 127.0.0.1:9901, or unix:/path")
    return endpoint


def _write(path: Path, text: str) -> None:
    try:
        # mkstemp makes it 0600; a reader sees the old file or the whole new one.
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(draft).unlink()
            raise
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
