"""What is checked and computed before Envoy sees a configuration: versions and consistency. Pure.

A version is derived from content, so that two replicas with equal configuration serve equal versions and an Envoy that
reconnects to the other one changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from controlplane.xds.packing import TYPES, Resource
from controlplane.xds.resources import Resources


def version(resources: Mapping[str, Resource]) -> str:
    """First 16 hex digits of the SHA-256 over names and serialised values, in name order."""
    digest = hashlib.sha256()
    for name in sorted(resources):
        value = resources[name].value
        digest.update(f"{len(name)}:{name}:{len(value)}:".encode())
        digest.update(value)
    return digest.hexdigest()[:16]


def inconsistencies(resources: Resources) -> tuple[str, ...]:
    """What is missing for every resource to work; empty when the set is closed. Envoy would wait or answer 503."""
    problems: list[str] = []
    for type_url in TYPES:
        for item in resources.of(type_url).values():
            missing = [need for need in sorted(item.needs) if need[1] not in resources.of(need[0])]
            problems += [f"{_short(type_url)} {item.name} needs {_short(kind)} {name}" for kind, name in missing]
    return tuple(problems)


def _short(type_url: str) -> str:
    return type_url.rpartition(".")[2]
