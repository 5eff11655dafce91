"""OpenAI's chat completion chunks: one streamed answer, text lane by text lane.

Strategy: every string inside a `delta` belongs to a lane named by its place (choice, then the path of keys, list
elements by their `index`), so content, reasoning, refusals, tool-call arguments and fields nobody has heard of yet
are redacted alike, each as one running text. What a lane holds back comes out in a chunk of its own before the
chunk that ends its choice. Strings outside `delta` are no fragments and are redacted whole.
Guarantees: the joined text of each lane does not depend on how the provider cuts it; log probabilities, which
repeat the raw text, are dropped; a usage chunk the client did not ask for is hidden.
Limits: at most `max_lanes` lanes in all; a text of more than 2,048 characters is worked on in steps, with pauses.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import orjson

from dataplane.dialects import slots
from dataplane.dialects.model import Measure, Redactor, Steps, TextLane, TokenUsage
from dataplane.dialects.openai_delta import Path, build, step_of
from dataplane.dialects.openai_usage import numbers_only, token_usage
from dataplane.errors import ProviderError
from dataplane.sse.encode import DONE, data_event

JsonObject = dict[str, Any]
Pauses = Generator[None, None, None]
SLICE_CHARS = 2048

# `obfuscation` pads a chunk to a fixed length; a redacted chunk has another one.
_HIDDEN = ("obfuscation",)
_ENVELOPE = ("id", "object", "model", "system_fingerprint", "service_tier")
_CHUNK_KEYS = frozenset({*_ENVELOPE, "choices", "created", "usage"})
_CHUNK_SKIP = frozenset({"choices", "created", "usage"})
_CHOICE_KEYS = frozenset({"index", "delta", "logprobs", "finish_reason"})
_CHOICE_SKIP = frozenset({"index", "delta", "logprobs"})
_FINISH_REASONS = frozenset({None, "stop", "length", "tool_calls", "content_filter", "function_call"})


class ChatStream:
    """See model.Stream. `redactor` None: texts pass as they are."""

    def __init__(self, redactor: Redactor | None, *, show_usage: bool, max_lanes: int) -> None:
        self.usage: TokenUsage | None = None
        self.measure = Measure()
        self.done = False
        self._redactor, self._show_usage, self._max_lanes = redactor, show_usage, max_lanes
        self._lanes: dict[int, dict[Path, TextLane]] = {}
        self._opened = 0
        self._running: set[int] = set()
        self._seen = False
        self._envelope: JsonObject = {}
        self._checked: tuple[Any, ...] = ()

    def event(self, payload: bytes) -> Steps:
        """See model.Stream."""
        if self.done:
            return []
        if payload == b"[DONE]":
            return self._end()
        chunk = _parse(payload)
        self.usage = token_usage(chunk.get("usage")) or self.usage
        changed = not self._show_usage and "usage" in chunk
        if changed and chunk.pop("usage") is not None and not chunk.get("choices"):
            return []
        for choice in chunk["choices"]:
            self._note(choice)
        if self._redactor is not None:
            try:
                return (yield from self._redact(self._redactor, chunk))
            except (orjson.JSONEncodeError, slots.TooManyValuesError):
                raise ProviderError("The provider's answer is nested too deeply or holds too many values.") from None
        self._measure(chunk["choices"])
        self._envelope = chunk
        return [data_event(orjson.dumps(chunk) if changed or b"\n" in payload else payload)]

    def finish(self) -> Steps:
        """See model.Stream. Without [DONE] an answer is whole when each of its choices has a finish reason."""
        yield from ()
        if self.done:
            return []
        if self._running or not self._seen:
            raise ProviderError("The provider's answer ended before it was complete.")
        return self._end()

    def adds(self, payload: bytes) -> bool:
        """See model.Stream."""
        if payload == b"[DONE]":
            return False
        for choice in _parse(payload)["choices"]:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if isinstance(delta, dict) and any(value for key, value in delta.items() if key != "role"):
                return True
        return False

    def flush(self) -> list[bytes]:
        """See model.Stream."""
        flushed = [self._synthesise(index, self._flush(index)) for index in list(self._lanes)]
        return [event for event in flushed if event]

    def cut(self) -> list[bytes]:
        """See model.Stream."""
        said, self.done = self.flush(), True
        around = {key: value for key, value in self._envelope.items() if key not in ("choices", "usage")}
        ends = [{"index": index, "delta": {}, "finish_reason": "length"} for index in sorted(self._running)]
        return [*said, *(data_event(orjson.dumps({**around, "choices": [end]})) for end in ends), DONE]

    def _end(self) -> list[bytes]:
        self.done = True
        return [*self.flush(), DONE]

    def _note(self, choice: Any) -> None:
        if not isinstance(choice, dict) or not isinstance(choice.get("delta"), dict | None):
            raise ProviderError("The provider's answer holds a choice that is none.")
        index = choice.get("index", 0)
        if type(index) is not int:
            raise ProviderError("The provider's answer holds a choice without a number.")
        self._seen = True
        (self._running.add if choice.get("finish_reason") is None else self._running.discard)(index)

    def _measure(self, choices: Iterable[JsonObject]) -> None:
        """The size of every text in the deltas, wherever it stands, as with a redactor."""
        stack: list[tuple[Any, str]] = [(choice.get("delta") or {}, "") for choice in choices]
        while stack:
            node, parent = stack.pop()
            for key, value in node.items() if isinstance(node, dict) else enumerate(node):
                if type(value) is str:
                    if not slots.is_structural(key, parent, value):
                        self.measure = self.measure.plus(value)
                elif isinstance(value, dict | list):
                    stack.append((value, key if isinstance(key, str) else parent))

    def _redact(self, redactor: Redactor, chunk: JsonObject) -> Steps:
        for name in _HIDDEN:
            chunk.pop(name, None)
        if type(chunk.get("created")) is not int:
            chunk.pop("created", None)
        if "usage" in chunk:
            chunk["usage"] = numbers_only(chunk["usage"])
        yield from self._check_envelope(redactor, chunk)
        choices = chunk["choices"]
        self._envelope = {key: value for key, value in chunk.items() if key not in ("choices", "usage")}
        if not choices:
            return [data_event(orjson.dumps(chunk))]
        events: list[bytes] = []
        for number, choice in enumerate(choices):
            # One choice per chunk is what providers send; of several, the last one carries the usage.
            around = chunk if number == len(choices) - 1 else self._envelope
            events += yield from self._redact_choice(redactor, around, choice)
        return events

    def _redact_choice(self, redactor: Redactor, chunk: JsonObject, choice: JsonObject) -> Steps:
        if not choice.keys() <= _CHOICE_KEYS or choice.get("finish_reason") not in _FINISH_REASONS:
            yield from _redact_whole(redactor, choice, _CHOICE_SKIP)
        if choice.get("logprobs") is not None:
            choice["logprobs"] = None
        index, delta = choice.get("index", 0), choice.get("delta") or {}
        silent = yield from self._feed(redactor, index, delta)
        ends = choice.get("finish_reason") is not None
        held = self._flush(index) if ends else {}
        if held:
            spoken = [] if silent else [_event(chunk, {**choice, "finish_reason": None}, usage=False)]
            return [*spoken, self._synthesise(index, held), _event(chunk, {**choice, "delta": {}})]
        if silent and delta and not ends and not chunk.get("usage"):
            return []
        return [_event(chunk, choice)]

    def _feed(self, redactor: Redactor, index: int, delta: JsonObject) -> Generator[None, None, bool]:
        """Pass a delta's texts through their lanes, in place. Returns whether nothing in it is left to say."""
        told = False
        stack: list[tuple[Any, Path]] = [(delta, ())]
        while stack:
            node, path = stack.pop()
            keyed = isinstance(node, dict)
            for key, value in list(node.items() if keyed else enumerate(node)):
                if keyed and not slots.is_plain_key(key):
                    del node[key]
                elif type(value) is str:
                    if not value or slots.is_structural(key, path[-1] if path else "", value):
                        told = told or value != ""
                        continue
                    self.measure = self.measure.plus(value)
                    lane = self._lane(redactor, index, (*path, key if keyed else ~key))
                    node[key] = shown = yield from _paced(lane, value)
                    told = told or shown != ""
                elif isinstance(value, dict | list):
                    stack.append((value, (*path, step_of(key, value))))
                elif slots.is_long_number(value):
                    node[key] = _number(redactor, value)
                    told = True
                else:
                    told = told or (value is not None and key != "index")
        return not told

    def _lane(self, redactor: Redactor, index: int, path: Path) -> TextLane:
        lanes = self._lanes.setdefault(index, {})
        lane = lanes.get(path)
        if lane is None:
            self._opened += 1
            if self._opened > self._max_lanes:
                raise ProviderError("The provider's answer has too many parts.")
            lane = lanes[path] = redactor.lane(self._opened, json="arguments" in path)
        return lane

    def _flush(self, index: int) -> JsonObject:
        """What the lanes of a choice held back, as a delta; the lanes are done with."""
        lanes = self._lanes.pop(index, {})
        return build([(path, text) for path, lane in lanes.items() if (text := lane.flush())])

    def _synthesise(self, index: int, delta: JsonObject) -> bytes:
        if not delta:
            return b""
        choice = {"index": index, "delta": delta, "finish_reason": None}
        return data_event(orjson.dumps({**self._envelope, "choices": [choice]}))

    def _check_envelope(self, redactor: Redactor, chunk: JsonObject) -> Pauses:
        """Redact what stands around the choices; the same five values over and over are looked at once."""
        values = tuple(map(chunk.get, _ENVELOPE))
        if values == self._checked and chunk.keys() <= _CHUNK_KEYS:
            return
        yield from _redact_whole(redactor, chunk, _CHUNK_SKIP)
        if values == tuple(map(chunk.get, _ENVELOPE)):
            self._checked = values


def _redact_whole(redactor: Redactor, holder: JsonObject, skip: frozenset[str]) -> Pauses:
    found = (yield from slots.find(holder, skip=skip)).slots
    texts = slots.read(found).texts
    slots.write(found, texts, [redactor.response(text) for text in texts])


def _number(redactor: Redactor, value: float) -> float | str:
    written = str(int(value))
    shown = redactor.response(written)
    return value if shown == written else shown


def _parse(payload: bytes) -> JsonObject:
    try:
        chunk = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise ProviderError("The provider's answer is not valid JSON.") from None
    if not isinstance(chunk, dict) or chunk.get("error"):
        raise ProviderError("The provider failed while it was answering.")
    if not isinstance(chunk.setdefault("choices", []), list):
        raise ProviderError("The provider's answer holds no choices.")
    return chunk


def _paced(lane: TextLane, text: str) -> Generator[None, None, str]:
    if len(text) <= SLICE_CHARS:
        return lane.feed(text)
    shown = []
    for piece in lane.steps(text):
        shown.append(piece)
        yield
    return "".join(shown)


def _event(chunk: JsonObject, choice: JsonObject, *, usage: bool = True) -> bytes:
    body = {**chunk, "choices": [choice]}
    if not usage:
        body.pop("usage", None)
    return data_event(orjson.dumps(body))
