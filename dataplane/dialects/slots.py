"""Where text lies in a JSON tree: found once, replaced in place.

Strategy: everything that is a string counts as text unless its key says that it is structural (`role`, `id`, …) and
its value looks like an identifier; a person's words under a structural key are therefore found, too. Numbers of
seven digits and more count (a My Number need not be quoted), and so do object keys that are no identifiers.
`arguments` hold JSON source and are marked as such, for a replacement must leave valid JSON.
Guarantees: no recursion, so nesting cannot exhaust the stack; binary payloads (`data:` URLs, `file_data`, audio
`data`) inside image, audio and file parts are left out and counted as uninspected.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from enum import Enum
from typing import Any, NamedTuple

from dataplane.dialects.model import Texts

JsonObject = dict[str, Any]

STRUCTURAL = frozenset({
    "$ref", "$schema", "$defs", "call_id", "detail", "effort", "encoding_format", "finish_reason", "format", "id",
    "mode", "modalities", "model", "object", "prompt_cache_retention", "reasoning_effort", "required", "role",
    "search_context_size", "service_tier", "status", "syntax", "system_fingerprint", "tool_call_id", "tool_choice",
    "truncation", "type", "verbosity", "voice",
})  # fmt: skip
_NAMED = frozenset({"function", "custom", "json_schema"})
_MEDIA = frozenset({"image_url", "input_audio", "file", "video_url", "audio", "input_image", "input_file", "image"})
_PARTS = frozenset({"content", "output"})
_BINARY = frozenset({"data", "file_data", "b64_json"})
_IDENTIFIER = re.compile(r"(?=[^A-Za-z]{0,8}[A-Za-z])[A-Za-z0-9_.:#/$+-]{1,128}", re.ASCII)
# Letters first and no long number, so that neither a name in another script, a phone number nor an address passes.
_PLAIN_KEY = re.compile(r"(?!.*[0-9](?:[._-]?[0-9]){5})[A-Za-z_$][A-Za-z0-9_.$-]{0,63}", re.ASCII)
_LEAST_NUMBER = 10**6
_VALUES_A_STEP = 5_000


class Kind(Enum):
    """How a slot's value becomes text and back."""

    TEXT = 0
    JSON = 1
    NUMBER = 2
    KEY = 3


class Slot(NamedTuple):
    """A place in the tree: `container[key]`, or with KEY the name `key` itself."""

    container: Any
    key: Any
    kind: Kind


class Found(NamedTuple):
    """Everything a walk found."""

    slots: list[Slot]
    media: int


def is_structural(key: object, parent: object, value: str) -> bool:
    """Whether this string is part of the protocol rather than somebody's words."""
    named = key in STRUCTURAL or (key == "name" and parent in _NAMED)
    return named and _IDENTIFIER.fullmatch(value) is not None


def is_plain_key(key: str) -> bool:
    """Whether a key is a name of the protocol and not somebody's words."""
    return _PLAIN_KEY.fullmatch(key) is not None


def find(root: JsonObject, *, skip: frozenset[str] = frozenset()) -> Generator[None, None, Found]:
    """Every slot below `root`, parents before children, but for the top-level keys in `skip`.

    Pauses after every few thousand values, for a request may hold millions.
    """
    slots: list[Slot] = []
    media = seen = 0
    stack = [_Node(root, "", "", inside=False)]
    while stack:
        node = stack.pop()
        seen += len(node.value)
        if seen > _VALUES_A_STEP:
            seen = 0
            yield
        nested: list[_Node] = []
        for key, value in node.entries():
            if node.value is root and key in skip:
                continue
            if isinstance(key, str) and not is_plain_key(key):
                slots.append(Slot(node.value, key, Kind.KEY))
            if isinstance(value, dict | list):
                nested.append(node.child(key, value))
                media += nested[-1].inside and not node.inside
            elif (kind := node.kind(key, value)) is not None:
                slots.append(Slot(node.value, key, kind))
        stack.extend(reversed(nested))
    return Found(slots, media)


class _Node(NamedTuple):
    """A container on the way: `name` is the key it (or the list it is in) stands under, `above` its parent's."""

    value: Any
    name: str
    above: str
    inside: bool
    """Within an image, audio or file."""

    def entries(self) -> Iterable[tuple[str | int, Any]]:
        return self.value.items() if type(self.value) is dict else enumerate(self.value)

    def child(self, key: str | int, value: Any) -> _Node:
        if isinstance(key, int):
            return _Node(value, self.name, self.above, self.inside)
        return _Node(value, key, self.name, self.inside or (key in _MEDIA and self.name in _PARTS))

    def kind(self, key: str | int, value: Any) -> Kind | None:
        name, parent = (key, self.name) if isinstance(key, str) else (self.name, self.above)
        if type(value) is str:
            if not value or (self.inside and _opaque(name, value)) or is_structural(name, parent, value):
                return None
            return Kind.JSON if name == "arguments" else Kind.TEXT
        if type(value) is int and abs(value) >= _LEAST_NUMBER:
            return Kind.NUMBER
        return None


def _opaque(key: str, value: str) -> bool:
    return key in _BINARY or value.startswith("data:")


def read(slots: Sequence[Slot]) -> Texts:
    """The text of each slot."""
    texts = [str(slot.key if slot.kind is Kind.KEY else slot.container[slot.key]) for slot in slots]
    return Texts(texts, frozenset(i for i, slot in enumerate(slots) if slot.kind is Kind.JSON))


def write(slots: Sequence[Slot], before: Sequence[str], after: Sequence[str]) -> None:
    """Put changed texts back; what did not change keeps its very form. Renamed keys keep their place."""
    renamed: dict[int, tuple[JsonObject, dict[str, str]]] = {}
    for slot, old, new in zip(slots, before, after, strict=True):
        if old == new:
            continue
        if slot.kind is Kind.KEY:
            renamed.setdefault(id(slot.container), (slot.container, {}))[1][slot.key] = new
        else:
            slot.container[slot.key] = new
    for container, names in renamed.values():
        items = [(names.get(key, key), value) for key, value in container.items()]
        container.clear()
        container.update(items)
