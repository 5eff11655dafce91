"""From a snapshot to everything Envoy needs: the two-tier configuration as one value.

Pure and deterministic: equal snapshots, settings and secrets give equal bytes on every replica, and therefore equal
versions. A provider whose key cannot be resolved keeps its hop but has no endpoint, so that chains pass it by and the
missing key shows as `no_healthy_upstream`, never as a call without a credential.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from envoy_data_plane.envoy.config.core.v3 import DataSource
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import GenericSecret, Secret

from controlplane.domain.snapshot import Provider, Snapshot
from controlplane.xds import clusters, listeners, routes
from controlplane.xds.gateway import GatewaySettings
from controlplane.xds.packing import SECRET, TYPES, Resource, resource


@dataclass(frozen=True, slots=True)
class Resources:
    """Complete configuration of one revision: type URL → name → resource."""

    revision: str
    by_type: Mapping[str, Mapping[str, Resource]] = field(default_factory=dict)

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """Resources of one type by name."""
        return self.by_type.get(type_url, {})


def credentials(snapshot: Snapshot) -> frozenset[str]:
    """References (`env:…`, `file:…`) of every provider's key."""
    return frozenset(provider.key_ref for provider in snapshot.providers.values() if provider.key_ref)


def authorities(snapshot: Snapshot) -> frozenset[str]:
    """References (`file:…`) of every provider's own CA bundle."""
    return frozenset(f"file:{provider.ca_file}" for provider in snapshot.providers.values() if provider.ca_file)


def build(snapshot: Snapshot, gateway: GatewaySettings, secrets: Mapping[str, bytes]) -> Resources:
    """Everything Envoy needs. `secrets` maps each resolved reference to its value; unresolved ones are absent."""
    providers = [snapshot.providers[name] for name in sorted(snapshot.providers)]
    made: list[Resource] = [
        clusters.service(clusters.AUTHZ, gateway.authz or gateway.controlplane),
        clusters.service(clusters.DATAPLANE, gateway.dataplane, clusters.LEAST),
        clusters.no_chain(),
        listeners.gateway(gateway),
        routes.gateway(providers, gateway.max_request_bytes),
    ]
    for provider in providers:
        made += _provider(provider, gateway, secrets)
    return Resources(snapshot.revision, _indexed(made))


def _provider(provider: Provider, gateway: GatewaySettings, secrets: Mapping[str, bytes]) -> Iterable[Resource]:
    key = secrets.get(provider.key_ref, b"")
    authority = secrets.get(f"file:{provider.ca_file}", b"")
    usable = bool(key or not provider.key_ref) and bool(authority or not provider.ca_file)
    yield clusters.hop(provider)
    yield clusters.upstream(provider, authority, gateway.ca_bundle) if usable else clusters.unusable(provider)
    yield listeners.hop(provider, gateway)
    if provider.key_ref:
        yield _secret(provider, key)


def _secret(provider: Provider, key: bytes) -> Resource:
    """The credential; a placeholder when it is missing, so that the hop's listener still becomes active."""
    value = GenericSecret(secret=DataSource(inline_bytes=key or b"unresolved"))
    return resource(SECRET, Secret(name=listeners.secret_name(provider.name), generic_secret=value))


def _indexed(made: Iterable[Resource]) -> Mapping[str, Mapping[str, Resource]]:
    indexed: dict[str, dict[str, Resource]] = {type_url: {} for type_url in TYPES}
    for item in made:
        indexed[item.type_url][item.name] = item
    return indexed
