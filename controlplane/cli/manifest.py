"""A YAML file → the admin contract's Manifest, with errors that name file, line, object and field.

The contract's own descriptors say which fields exist and what they take, so that a field added to the proto
can be written at once. On top of that, for people: enum values in lower case without their prefix
(`pseudonym`), prices and caps as plain decimals (never through a float), a provider's `key:` for `key_ref`,
route targets as `provider` or `provider/model`, expiry and a price's `from:` as dates, and the secrets of virtual
keys as `env:NAME` or `file:PATH`, read here so that the server never needs the client's files.

Guarantees: nothing is guessed, an unknown or repeated field is an error. Limits: 4 MiB and 200,000 values per
file.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from kagamipb.admin.v1.admin_pb2 import Manifest, Quota, VirtualKey
from kagamipb.exchange.v1.exchange_pb2 import Dialect

_MAX_BYTES = 4 << 20
_MAX_VALUES = 200_000
_ALIASES = {("Provider", "key"): "key_ref", ("Price", "from"): "valid_from"}
_MOMENTS = {("VirtualKey", "expires_at"), ("Price", "valid_from")}
_TRUE, _FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
_INTEGERS = {
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
}


class ManifestError(ValueError):
    """What is wrong, where."""


@dataclass(slots=True)
class _Reader:
    file: str
    environment: Mapping[str, str]
    values: int = 0

    def fail(self, node: yaml.Node, where: str, what: str) -> ManifestError:
        return ManifestError(f"{self.file}:{node.start_mark.line + 1}: {where}: {what}")

    def count(self, node: yaml.Node, where: str) -> None:
        # Aliases let a small file mean an enormous one.
        self.values += 1
        if self.values > _MAX_VALUES:
            raise self.fail(node, where, f"more than {_MAX_VALUES} values")


def load(text: str, file: str, environment: Mapping[str, str] | None = None) -> Manifest:
    """Read one file's text. Raises ManifestError."""
    if len(text) > _MAX_BYTES:
        raise ManifestError(f"{file}: larger than {_MAX_BYTES >> 20} MiB")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(f"{file}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ManifestError(f"{file}: not YAML: {error}") from None
    manifest = Manifest()
    if root is not None:
        reader = _Reader(file, os.environ if environment is None else environment)
        _fill(reader, manifest, root, "the file")
    return manifest


def _fill(reader: _Reader, message: Message, node: yaml.Node, where: str) -> None:
    """Set a message's fields from a mapping."""
    fields = message.DESCRIPTOR.fields_by_name
    for name, key, value in _pairs(reader, node, where):
        field = fields.get(_ALIASES.get((message.DESCRIPTOR.name, name), name))
        if field is None or (message.DESCRIPTOR.name, name) in {
            ("Provider", "key_ref"),
            ("Price", "valid_from"),
            ("RedactionPolicy", "version"),
        }:
            known = ", ".join(sorted(_written_names(message)))
            raise reader.fail(key, where, f"has no field {name!r}; it takes {known}")
        path = name if where == "the file" else f"{where}.{name}"
        reader.count(value, path)
        if field.is_repeated:
            _fill_list(reader, message, field, value, path)
        elif field.message_type is not None:
            _fill(reader, getattr(message, field.name), value, path)
        else:
            setattr(message, field.name, _scalar(reader, message, field, value, path))
    _finish(reader, message, node, where)


def _written_names(message: Message) -> set[str]:
    back = {field: name for (kind, name), field in _ALIASES.items() if kind == message.DESCRIPTOR.name}
    return {back.get(name, name) for name in message.DESCRIPTOR.fields_by_name} - {"version"}


def _pairs(reader: _Reader, node: yaml.Node, where: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise reader.fail(node, where, "takes fields with values, as in name: value")
    seen: set[str] = set()
    for key, _ in node.value:
        name = str(key.value)
        if name in seen:
            raise reader.fail(key, where, f"has {name!r} twice")
        seen.add(name)
    return [(str(key.value), key, value) for key, value in node.value]


def _fill_list(reader: _Reader, message: Message, field: Any, node: yaml.Node, where: str) -> None:
    if not isinstance(node, yaml.SequenceNode):
        raise reader.fail(node, where, "takes a list")
    target = getattr(message, field.name)
    for number, item in enumerate(node.value):
        path = f"{where}[{number}]{_title(item)}"
        reader.count(item, path)
        if field.message_type is None:
            target.append(_scalar(reader, message, field, item, path))
        elif field.message_type.name == "RouteTarget" and isinstance(item, yaml.ScalarNode):
            provider, _, model = item.value.partition("/")
            target.add(provider=provider, model=model)
        else:
            _fill(reader, target.add(), item, path)


def _title(node: yaml.Node) -> str:
    """The name of an object in a list, for error messages."""
    if not isinstance(node, yaml.MappingNode):
        return ""
    named = {str(k.value): v.value for k, v in node.value if isinstance(v, yaml.ScalarNode)}
    name = named.get("name") or named.get("model") or named.get("entity")
    return f" ({name})" if name else ""


def _scalar(reader: _Reader, message: Message, field: Any, node: yaml.Node, where: str) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise reader.fail(node, where, "takes one value, not a list or fields")
    text, plain = str(node.value), node.style is None
    if plain and node.tag == "tag:yaml.org,2002:null":
        raise reader.fail(node, where, "has no value; leave the field out instead")
    if isinstance(message, Quota) and field.name == "cap":
        return _cap(reader, node, where)
    if isinstance(message, VirtualKey) and field.name == "secret":
        return _secret(reader, node, where)
    if (message.DESCRIPTOR.name, field.name) in _MOMENTS and not text.isdigit():
        return _moment(reader, node, where)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _truth(reader, node, where)
    if field.enum_type is not None:
        return _enum(reader, node, where, field.enum_type)
    if field.type in _INTEGERS:
        return _integer(reader, node, where, _INTEGERS[field.type])
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return float(_decimal(reader, node, where))
    return text


def _truth(reader: _Reader, node: yaml.ScalarNode, where: str) -> bool:
    text = str(node.value).lower()
    if text not in _TRUE | _FALSE:
        raise reader.fail(node, where, "takes true or false")
    return text in _TRUE


def _integer(reader: _Reader, node: yaml.ScalarNode, where: str, bounds: tuple[int, int]) -> int:
    text = str(node.value).replace("_", "")
    if not text.removeprefix("-").isdecimal() or not bounds[0] <= int(text) <= bounds[1]:
        raise reader.fail(node, where, f"takes a whole number from {bounds[0]}")
    return int(text)


def _decimal(reader: _Reader, node: yaml.ScalarNode, where: str) -> Decimal:
    try:
        value = Decimal(str(node.value).replace("_", ""))
    except InvalidOperation:
        raise reader.fail(node, where, "takes a number") from None
    if not value.is_finite():
        raise reader.fail(node, where, "takes a number")
    return value


def _cap(reader: _Reader, node: yaml.ScalarNode, where: str) -> int:
    """As written, in millionths: `_finish` knows the unit and settles it."""
    value = _decimal(reader, node, where) * 1_000_000
    if value < 0 or value != value.to_integral_value() or value >= 2**64:
        raise reader.fail(node, where, "takes a number of at most six decimal places, from 0")
    return int(value)


def _enum(reader: _Reader, node: yaml.ScalarNode, where: str, kind: Any) -> int:
    # Money may also be written `usd`: people think in dollars; `_finish` converts the cap.
    prefix = _prefix(kind)
    names = {v.name.removeprefix(prefix).lower(): v.number for v in kind.values if v.number}
    if kind.name == "Unit":
        names = {"usd": names["micro_usd"]} | names
    found: int | None = names.get(str(node.value).lower())
    if found is None:
        raise reader.fail(node, where, f"takes one of {', '.join(names)}")
    return found


def _prefix(kind: Any) -> str:
    return str(kind.values_by_number[0].name).removesuffix("UNSPECIFIED")


def _secret(reader: _Reader, node: yaml.ScalarNode, where: str) -> str:
    scheme, _, rest = str(node.value).partition(":")
    if scheme == "env" and rest:
        if not reader.environment.get(rest):
            raise reader.fail(node, where, f"the environment has no {rest}")
        return reader.environment[rest]
    if scheme == "file" and rest:
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise reader.fail(node, where, f"cannot read {rest}: {reason}") from None
    raise reader.fail(node, where, "takes env:NAME or file:PATH; leave it out to have a secret made")


def _moment(reader: _Reader, node: yaml.ScalarNode, where: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(str(node.value))
    except ValueError:
        raise reader.fail(node, where, "takes a date as 2030-01-31 or 2030-01-31T12:00:00+09:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp())


def _written(node: yaml.Node, field: str) -> str:
    return next((str(v.value).lower() for k, v in node.value if k.value == field), "")


def _finish(reader: _Reader, message: Message, node: yaml.Node, where: str) -> None:
    """What depends on more than one field."""
    if isinstance(message, Quota) and _written(node, "unit") != "usd":
        if message.cap % 1_000_000:
            raise reader.fail(node, where, "cap takes a whole number for this unit")
        message.cap //= 1_000_000
    if message.DESCRIPTOR.name == "Provider" and not getattr(message, "dialect"):  # noqa: B009  # any message
        setattr(message, "dialect", Dialect.DIALECT_OPENAI_CHAT)  # noqa: B010
