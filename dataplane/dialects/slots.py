"""Where text lies in a JSON tree: found once, replaced in place.

Strategy: everything that is a string counts as text unless its key says that it is structural (`role`, `id`, …) and
its value looks like an identifier; a person's words under a structural key are therefore found, too, and so is a long
number anywhere but in what a provider made (the id of a tool call, a model). Nothing is structural in what a client
makes up (`metadata`). Numbers of seven digits and more count (a My Number need not be quoted), and so do object keys
that are no identifiers. `arguments` hold JSON source and are marked as such, for a replacement must leave valid JSON.
Content parts of any type but the known textual ones count as uninspected, each once: vendors have names of their own
for images, and a policy that blocks what it cannot read must not depend on a list of them. Their strings are scanned
all the same, but for base64 payloads.
Guarantees: no recursion, so nesting cannot exhaust the stack; the walk pauses however the values are nested.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
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
_FOREIGN = frozenset({"tool_call_id", "call_id", "model"})
"""What a provider made, long numbers included."""
_INVENTED = frozenset({"metadata"})
_MEDIA = frozenset({"image_url", "input_audio", "file", "video_url", "audio", "input_image", "input_file", "image"})
_PARTS = frozenset({"content", "output"})
_TEXT_PARTS = frozenset({
    "text", "input_text", "output_text", "summary_text", "reasoning_text", "refusal", "reasoning", "thinking",
    "redacted_thinking", "tool_use", "tool_result",
})  # fmt: skip
_BINARY = frozenset({"data", "file_data", "b64_json"})
# The beginning tells: what is not base64 there is somebody's words, whatever it claims to be.
_BASE64 = re.compile(
    r"(?:data:[A-Za-z0-9.+/;=-]{0,100};base64,[A-Za-z0-9+/\s]{0,512}|[A-Za-z0-9+/\s]{64,512})={0,2}", re.ASCII
)
_BASE64_SAMPLE = 512
_IDENTIFIER = re.compile(r"(?=[^A-Za-z]{0,8}[A-Za-z])[A-Za-z0-9_.:#/$+-]{1,128}", re.ASCII)
_LONG_NUMBER = re.compile(r"[0-9](?:[._-]?[0-9]){5}", re.ASCII)
# Letters first and no long number, so that neither a name in another script, a phone number nor an address passes.
_PLAIN_KEY = re.compile(r"(?!.*[0-9](?:[._-]?[0-9]){5})[A-Za-z_$][A-Za-z0-9_.$-]{0,63}", re.ASCII)
_LEAST_NUMBER, _MOST_FLOAT = 10**6, 1e20
_VALUES_A_STEP = 5_000


MOST_VALUES = 250_000
"""Values that one body or event may hold; real ones stay below a hundredth of it, text itself counting as one."""


class TooManyValuesError(ValueError):
    """A tree of more values than may be walked: each costs memory and time out of proportion to its bytes."""


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
    follows: dict[int, int]
    """The text of a content part (index into `slots`) to that of the part before it in the same list, in order."""


def is_structural(key: object, parent: object, value: str) -> bool:
    """Whether this string is part of the protocol rather than somebody's words."""
    named = key in STRUCTURAL or (key == "name" and parent in _NAMED)
    return named and _IDENTIFIER.fullmatch(value) is not None


def is_long_number(value: object) -> bool:
    """Whether a number has the digits of a phone, card or personal number; a float counts when it is whole."""
    if type(value) is float:
        return value.is_integer() and _LEAST_NUMBER <= abs(value) < _MOST_FLOAT
    return type(value) is int and abs(value) >= _LEAST_NUMBER


def is_plain_key(key: str) -> bool:
    """Whether a key is a name of the protocol and not somebody's words."""
    return _PLAIN_KEY.fullmatch(key) is not None


def find(
    root: JsonObject, *, skip: frozenset[str] = frozenset(), most: int = MOST_VALUES
) -> Generator[None, None, Found]:
    """Every slot below `root`, parents before children, but for the top-level keys in `skip`.

    Pauses after every few thousand values, for a request may hold millions. Raises TooManyValuesError past `most`.
    """
    slots: list[Slot] = []
    parts = _Parts()
    media = seen = 0
    left = most
    stack = [_Node(root, "", "", media=False)]
    while stack:
        node = stack.pop()
        seen += 1 + len(node.value)
        left -= len(node.value)
        if left < 0:
            raise TooManyValuesError
        if seen > _VALUES_A_STEP:
            seen = 0
            yield
        nested: list[_Node] = []
        parts.enter()
        for number, (key, value) in enumerate(node.entries(), 1):
            if number % _VALUES_A_STEP == 0:
                yield
            if node.value is root and key in skip:
                continue
            if isinstance(key, str) and not is_plain_key(key):
                slots.append(Slot(node.value, key, Kind.KEY))
            if isinstance(value, dict | list):
                nested.append(node.child(key, value))
                parts.meet(key, value)
                media += nested[-1].media and not node.media
            elif (kind := node.kind(key, value)) is not None:
                if key == "text":
                    parts.place(node.value, len(slots))
                slots.append(Slot(node.value, key, kind))
        stack.extend(reversed(nested))
    return Found(slots, media, parts.follows)


class _Parts:
    """Which content parts stand side by side in a list; one without text parts those around it, an empty one does not.

    Containers are told apart by `id`: the tree outlives the walk.
    """

    __slots__ = ("_beside", "_last", "_places", "follows")

    def __init__(self) -> None:
        self._beside: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._last = 0
        self.follows: dict[int, int] = {}

    def enter(self) -> None:
        """Another container begins."""
        self._last = 0

    def meet(self, key: str | int, value: Any) -> None:
        """A container within the one entered."""
        text = value.get("text") if type(value) is dict and type(key) is int else None
        if text == "":
            return
        here = id(value) if type(text) is str else 0
        if here and self._last:
            self._beside[here] = self._last
        self._last = here

    def place(self, part: Any, slot: int) -> None:
        """The text of `part` is this slot."""
        self._places[id(part)] = slot
        before = self._places.get(self._beside.get(id(part), 0))
        if before is not None:
            self.follows[slot] = before


class _Node(NamedTuple):
    """A container on the way: `name` is the key it (or the list it is in) stands under, `above` its parent's."""

    value: Any
    name: str
    above: str
    media: bool
    """Within a part that is not text."""
    invented: bool = False
    """Within what a client makes up."""

    def entries(self) -> Iterable[tuple[str | int, Any]]:
        return self.value.items() if type(self.value) is dict else enumerate(self.value)

    def child(self, key: str | int, value: Any) -> _Node:
        if isinstance(key, int):
            return _Node(value, self.name, self.above, self.media or self._is_media(value), self.invented)
        media = self.media or (key in _MEDIA and self.name in _PARTS)
        return _Node(value, key, self.name, media, self.invented or key in _INVENTED)

    def _is_media(self, part: Any) -> bool:
        """Whether an element of this list is a content part that holds something other than text."""
        kind = part.get("type") if self.name in _PARTS and type(part) is dict else None
        return type(kind) is str and kind not in _TEXT_PARTS

    def kind(self, key: str | int, value: Any) -> Kind | None:
        name, parent = (key, self.name) if isinstance(key, str) else (self.name, self.above)
        if type(value) is str:
            if not value or (self.media and _opaque(name, value)) or self._structural(name, parent, value):
                return None
            return Kind.JSON if name == "arguments" else Kind.TEXT
        return Kind.NUMBER if is_long_number(value) else None

    def _structural(self, name: str, parent: str, value: str) -> bool:
        if self.invented or not is_structural(name, parent, value):
            return False
        foreign = name in _FOREIGN or (name == "id" and parent == "tool_calls")
        return foreign or _LONG_NUMBER.search(value) is None


def _opaque(key: str, value: str) -> bool:
    return (key in _BINARY or value.startswith("data:")) and _BASE64.fullmatch(value[:_BASE64_SAMPLE]) is not None


def read(slots: Sequence[Slot], follows: Mapping[int, int] = MappingProxyType({})) -> Texts:
    """The text of each slot; `follows` as `find` gives it."""
    json = frozenset(i for i, slot in enumerate(slots) if slot.kind is Kind.JSON)
    return Texts([_text(slot) for slot in slots], json, follows)


def _text(slot: Slot) -> str:
    value = slot.key if slot.kind is Kind.KEY else slot.container[slot.key]
    return str(int(value) if type(value) is float else value)


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
