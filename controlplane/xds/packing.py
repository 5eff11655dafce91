"""From typed builders to the bytes ADS sends.

`envoy_data_plane` builds most of Envoy 1.40's configuration as typed dataclasses. It lacks the priority-group cluster
specifier, which is declared here from Envoy's own proto
(api/envoy/extensions/router/cluster_specifiers/priority_group/v3): field numbers are Envoy's, the descriptor pool is
private so that a future release of the published classes cannot clash with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any as AnyValue

import betterproto2
from envoy_data_plane.envoy.config.core.v3 import TypedExtensionConfig
from envoy_data_plane.google.protobuf import Any
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

TYPE_PREFIX = "type.googleapis.com/"
PRIORITY_GROUP = "envoy.extensions.router.cluster_specifiers.priority_group.v3"

CLUSTER = TYPE_PREFIX + "envoy.config.cluster.v3.Cluster"
LISTENER = TYPE_PREFIX + "envoy.config.listener.v3.Listener"
ROUTE = TYPE_PREFIX + "envoy.config.route.v3.RouteConfiguration"
SECRET = TYPE_PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"
CACHED = 4096
"""Resources remembered per builder: serialising one costs milliseconds, and a change touches few providers."""
TYPES = (CLUSTER, SECRET, LISTENER, ROUTE)


@dataclass(frozen=True, slots=True)
class Resource:
    """One named xDS resource: its serialised message and the (type URL, name) pairs it needs to exist."""

    type_url: str
    name: str
    value: bytes = field(repr=False)
    """Not shown: a secret's value is a credential."""
    needs: frozenset[tuple[str, str]] = frozenset()


def resource(type_url: str, message: betterproto2.Message, *needs: tuple[str, str]) -> Resource:
    """Serialise a top-level message that has a `name`."""
    return Resource(type_url, str(getattr(message, "name")), bytes(message), frozenset(needs))  # noqa: B009


def packed(message: betterproto2.Message) -> Any:
    """A message inside `google.protobuf.Any`."""
    return Any.pack(message)


def extension(name: str, message: betterproto2.Message) -> TypedExtensionConfig:
    """An extension by its factory name."""
    return TypedExtensionConfig(name=name, typed_config=Any.pack(message))


def priority_groups(default_cluster: str, metadata_namespace: str) -> TypedExtensionConfig:
    """The cluster specifier that takes each request's ordered providers from dynamic metadata.

    `default_cluster` serves requests without valid metadata: give one without endpoints to fail closed.
    """
    message = _SPECIFIER(override_metadata_namespace=metadata_namespace)
    group = message.priority_groups.add(name="none")
    group.clusters.add(cluster_name=default_cluster, weight={"value": 1})
    packed_message = Any(
        type_url=f"{TYPE_PREFIX}{PRIORITY_GROUP}.PriorityGroupClusterSpecifier",
        value=message.SerializeToString(deterministic=True),
    )
    return TypedExtensionConfig(
        name="envoy.router.cluster_specifier_plugin.priority_group", typed_config=packed_message
    )


def _declare() -> AnyValue:
    """Message class of `PriorityGroupClusterSpecifier`."""
    text, message, once, many = 9, 11, 1, 3  # FieldDescriptorProto types and labels
    file = descriptor_pb2.FileDescriptorProto(
        name="kagami/priority_group.proto", package=PRIORITY_GROUP, syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )  # fmt: skip
    fields: dict[str, list[tuple[str, int, int, str]]] = {
        "ClusterWeight": [("cluster_name", text, once, ""), ("weight", message, once, ".google.protobuf.UInt32Value")],
        "PriorityGroup": [("name", text, once, ""), ("clusters", message, many, f".{PRIORITY_GROUP}.ClusterWeight")],
        "PriorityGroupClusterSpecifier": [
            ("priority_groups", message, many, f".{PRIORITY_GROUP}.PriorityGroup"),
            ("override_metadata_namespace", text, once, ""),
        ],
    }
    for name, members in fields.items():
        declared = file.message_type.add(name=name)
        for number, (member, kind, label, type_name) in enumerate(members, start=1):
            declared.field.add(name=member, number=number, type=kind, label=label, type_name=type_name or None)
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{PRIORITY_GROUP}.PriorityGroupClusterSpecifier")
    )


_SPECIFIER = _declare()
