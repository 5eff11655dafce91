"""`python -m controlplane.simulator`: run the simulated provider until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click
import uvloop

from controlplane.simulator.behaviour import Behaviour, BehaviourError, parse
from controlplane.simulator.server import serve, tls_context
from controlplane.simulator.service import Service


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8089, show_default=True, help="Port; 0 takes a free one.")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM certificate chain: serve TLS.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM key of the certificate.")
@click.option("--interval-ms", default=0, show_default=True, help="Pause between stream events.")
@click.option("--chunk-chars", default=4, show_default=True, help="Characters per stream event.")
@click.option("--delay-ms", default=0, show_default=True, help="Pause before the answer.")
def main(  # noqa: PLR0917  # click passes options by name
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    interval_ms: int,
    chunk_chars: int,
    delay_ms: int,
) -> None:
    """Run a provider that speaks OpenAI's chat API, answers deterministically and misbehaves on demand."""
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    try:
        base = parse({"interval_ms": interval_ms, "chunk_chars": chunk_chars, "delay_ms": delay_ms})
    except BehaviourError as error:
        raise click.UsageError(str(error)) from None
    try:
        uvloop.run(_run(base, host, port, tls_cert, tls_key))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


async def _run(base: Behaviour, host: str, port: int, certificate: Path | None, key: Path | None) -> None:
    context = tls_context(certificate, key) if certificate and key else None
    server = await serve(Service(base), host, port, context)
    sys.stderr.write(f"simulated provider on {'https' if context else 'http'}://{host}:{server.port}/<name>/v1\n")
    sys.stderr.flush()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.close()


if __name__ == "__main__":
    main()
