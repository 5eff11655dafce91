"""Envoy's bootstrap from `envoy/bootstrap.yaml`: the one place where addresses enter it.

The template is plain YAML with `string.Template` placeholders: `${node}`, `${admin}`, `${controlplane}`,
`${metadata}`, `${max_heap_bytes}`, `${max_connections}`. Values are inserted as JSON, which is YAML, so that no name
or path can break out of its place. Everything else Envoy needs comes over ADS.

With a cluster token the result is itself a secret: it holds what Envoy presents to the control plane.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from kagamirpc.token import metadata

from controlplane.xds.gateway import Endpoint, discovery

CONTROLPLANE = "kagami_controlplane"
_IN_REPOSITORY = Path(__file__).parents[2] / "envoy" / "bootstrap.yaml"


def template() -> str:
    """The template's text: the repository's, or the installed package's copy."""
    if _IN_REPOSITORY.is_file():
        return _IN_REPOSITORY.read_text(encoding="utf-8")
    packaged = resources.files("controlplane.cli").joinpath("envoy", "bootstrap.yaml")
    return packaged.read_text(encoding="utf-8")


def render_bootstrap(
    text: str,
    *,
    node: str,
    controlplane: tuple[Endpoint, ...],
    admin: Endpoint,
    token: str | None = None,
    max_heap_bytes: int = 2 * 1024**3,
    max_connections: int = 20_000,
) -> str:
    """YAML that Envoy reads. `node` must be unique per Envoy: acknowledgements are reported by it.

    Raises EndpointError for an unusable list of control planes, KeyError for an unknown placeholder.
    """
    return Template(text).substitute(
        node=json.dumps(node),
        admin=json.dumps(_address(admin)),
        discovery=discovery(controlplane),
        controlplane=json.dumps([{"endpoint": {"address": _address(endpoint)}} for endpoint in controlplane]),
        metadata=json.dumps([{"key": name, "value": value} for name, value in metadata(token)]),
        max_heap_bytes=max_heap_bytes,
        max_connections=max_connections,
    )


def _address(endpoint: Endpoint) -> dict[str, Any]:
    """An Envoy Address as JSON."""
    if endpoint.path:
        return {"pipe": {"path": endpoint.path}}
    return {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}
