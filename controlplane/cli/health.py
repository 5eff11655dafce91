"""`kagami health`: for container health checks and scripts, the question Envoy asks as well."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click


class _Address(click.ParamType[str]):
    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from controlplane.xds.gateway import Endpoint, EndpointError

        try:
            return str(Endpoint.parse(value))
        except EndpointError as error:
            self.fail(str(error), param, ctx)


@click.command(name="health")
@click.argument("addresses", nargs=-1, required=True, type=_Address(), metavar="ADDRESS...")
def command(addresses: tuple[str, ...]) -> None:
    """Ask control planes and data-plane workers (host:port or unix:/path) for their gRPC health.

    Exit code 0 when every one is serving, 1 when one is not. No token is needed.
    """
    sys.exit(asyncio.run(_ask(addresses)))


async def _ask(addresses: tuple[str, ...]) -> int:
    from controlplane.cli.local import probes

    problems = await asyncio.gather(*(probes.grpc_health(address) for address in addresses))
    for address, problem in zip(addresses, problems, strict=True):
        click.echo(problem or f"{address}: serving", err=bool(problem))
    return int(any(problems))
