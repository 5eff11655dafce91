"""The operators of presidio-anonymizer, as values: for tenants whose other systems anonymise with Presidio.

Same names, parameters and results (a test compares them); importing Presidio would take a second of every start.
`hash` is salted with the policy's own key: equal values stay equal within a data plane's key, and nobody without it can
try values. Not here: `custom` is a program and no data, `encrypt` needs a key in the policy.

Source: presidio-anonymizer 2.2.366, `presidio_anonymizer/operators`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from kagamipb.policy.v1 import policy_pb2 as pb

Operate = Callable[[str, str], str]
"""What goes out for (entity, text)."""

MAX_NEW_VALUE = 200
_HASHES = {"": hashlib.sha256, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
_PARAMETERS = {
    "replace": {"new_value"},
    "redact": set[str](),
    "mask": {"masking_char", "chars_to_mask", "from_end"},
    "hash": {"hash_type"},
    "keep": set[str](),
}


class OperatorError(ValueError):
    """An operator that cannot be used; the message begins with the field."""


def compile_operator(proto: pb.Operator, salt: bytes) -> Operate:
    """The operator that `proto` describes; `salt` is for `hash`. Raises OperatorError."""
    parameters = _PARAMETERS.get(proto.name)
    if parameters is None:
        raise OperatorError(f"name: {proto.name!r} is not one of {', '.join(_PARAMETERS)}")
    for field, _ in proto.ListFields():
        if field.name != "name" and field.name not in parameters:
            raise OperatorError(f"{field.name}: {proto.name} takes no such parameter")
    match proto.name:
        case "mask":
            return _mask(proto)
        case "hash":
            return _hash(proto, salt)
        case "replace":
            return _replace(proto)
        case "redact":
            return lambda _entity, _text: ""
    return lambda _entity, text: text


def _replace(proto: pb.Operator) -> Operate:
    value = proto.new_value
    if len(value) > MAX_NEW_VALUE:
        raise OperatorError(f"new_value: {MAX_NEW_VALUE} characters at most")
    return (lambda _entity, _text: value) if value else (lambda entity, _text: f"<{entity}>")


def _mask(proto: pb.Operator) -> Operate:
    if len(proto.masking_char) != 1:
        raise OperatorError("masking_char: exactly one character")
    if proto.chars_to_mask == 0:
        raise OperatorError("chars_to_mask: at least 1; to mask nothing, use keep")
    return partial(_masked, proto.masking_char, proto.chars_to_mask, from_end=proto.from_end)


def _masked(char: str, count: int, _entity: str, text: str, *, from_end: bool) -> str:
    count = min(count, len(text))
    return text[: len(text) - count] + char * count if from_end else char * count + text[count:]


def _hash(proto: pb.Operator, salt: bytes) -> Operate:
    algorithm = _HASHES.get(proto.hash_type)
    if algorithm is None:
        raise OperatorError("hash_type: sha256 or sha512")
    return lambda _entity, text: algorithm(text.encode("utf-8", "surrogatepass") + salt).hexdigest()
