"""OpenAI's chat completions, as client side and as provider side.

Source: OpenAI API reference, "Create chat completion" and "The chat completion chunk object". Compatible providers
add fields of their own; these are kept and their strings count as text.
Limits: integers beyond 64 bits become floats (orjson); of repeated object keys the last one counts, and it alone is
sent on, so that gateway and provider cannot read two different requests.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Any

import orjson

from dataplane.dialects import slots
from dataplane.dialects.model import Measure, Redactor, Texts, TokenUsage
from dataplane.dialects.model import Request as AnyRequest
from dataplane.dialects.openai_errors import error_object, refusal
from dataplane.dialects.openai_stream import ChatStream
from dataplane.dialects.openai_usage import numbers_only, token_usage
from dataplane.errors import GatewayError, InvalidRequest, ProviderError
from dataplane.sse.encode import data_event

JsonObject = dict[str, Any]

MOST_CHOICES = 128
"""OpenAI's limit of `n`."""
_TOKEN_LIMITS = ("max_completion_tokens", "max_tokens")
_ROLE = re.compile(r"[a-z_]{1,32}", re.ASCII)
# Validated to hold no words, or replaced by us.
_REQUEST_SKIP = frozenset({"model", "stream", "seed", *_TOKEN_LIMITS})
_ANSWER_SKIP = frozenset({"usage", "created"})


class ChatRequest:
    """One `POST /chat/completions` body."""

    def __init__(self, body: JsonObject) -> None:
        self._body = body
        self.model: str = body["model"]
        self.stream: bool = body.get("stream") or False
        self.wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self.measure = _measure(body["messages"])
        limits = [body[name] for name in _TOKEN_LIMITS if body.get(name)]
        self._output_limit: int = min(limits, default=0) * (body.get("n") or 1)
        self._found = slots.Found([], 0, {})
        self._texts = Texts([], frozenset())

    @property
    def output_limit(self) -> int:
        """See model.Request."""
        return self._output_limit

    @property
    def uninspected(self) -> int:
        """Images, audio and files among the content parts, and an answer that is to be spoken."""
        return self._found.media + self._spoken

    @property
    def _spoken(self) -> bool:
        modalities = self._body.get("modalities")
        return isinstance(modalities, list) and "audio" in modalities

    def texts(self) -> Generator[None, None, Texts]:
        """See model.Request."""
        try:
            self._found = yield from slots.find(self._body, skip=_REQUEST_SKIP)
        except slots.TooManyValuesError:
            raise InvalidRequest("The request body holds too many values.") from None
        self._texts = slots.read(self._found.slots, self._found.follows)
        return self._texts

    def replace(self, texts: Sequence[str]) -> None:
        """See model.Request."""
        slots.write(self._found.slots, self._texts.texts, texts)
        _repair_names(self._body["messages"])

    def encode(self, model: str, max_output_tokens: int) -> bytes:
        """See model.Request. Usage is always asked of a streaming provider: budgets are settled from it."""
        self._body["model"] = model
        if self.stream:
            self._body["stream_options"] = {**(self._body.get("stream_options") or {}), "include_usage": True}
        if max_output_tokens:
            self._clamp(max(1, max_output_tokens // (self._body.get("n") or 1)))
        try:
            return orjson.dumps(self._body)
        except orjson.JSONEncodeError:
            # More is read (1,024 levels) than is written (254).
            raise InvalidRequest("The request body is nested too deeply.") from None

    def release(self) -> None:
        """See model.Request."""
        self._body, self._found, self._texts = {}, slots.Found([], 0, {}), Texts([], frozenset())

    def _clamp(self, most: int) -> None:
        asked = [name for name in _TOKEN_LIMITS if isinstance(self._body.get(name), int)]
        for name in asked or _TOKEN_LIMITS[:1]:
            self._body[name] = min(self._body.get(name) or most, most)


class ChatAnswer:
    """One `chat.completion` object."""

    def __init__(self, body: JsonObject, source: bytes) -> None:
        self._body, self._source = body, source
        self.usage: TokenUsage | None = token_usage(body.get("usage"))
        self.measure = _measure([choice.get("message") for choice in body["choices"]])
        self._slots: list[slots.Slot] = []
        self._texts = Texts([], frozenset())

    def texts(self) -> Generator[None, None, Texts]:
        """See model.Answer. Log probabilities repeat the raw text token by token: they are dropped."""
        for choice in self._body["choices"]:
            if choice.get("logprobs") is not None:
                choice["logprobs"] = None
        if type(self._body.get("created")) is not int:
            self._body.pop("created", None)
        if "usage" in self._body:
            self._body["usage"] = numbers_only(self._body["usage"])
        try:
            self._slots = (yield from slots.find(self._body, skip=_ANSWER_SKIP)).slots
        except slots.TooManyValuesError:
            raise ProviderError("The provider's answer holds too many values.") from None
        self._texts = slots.read(self._slots)
        return self._texts

    def replace(self, texts: Sequence[str]) -> None:
        """See model.Answer."""
        slots.write(self._slots, self._texts.texts, texts)
        try:
            self._source = orjson.dumps(self._body)
        except orjson.JSONEncodeError:
            raise ProviderError("The provider's answer is nested too deeply.") from None

    def encode(self) -> bytes:
        """See model.Answer. Without a `replace` these are the provider's own bytes."""
        return self._source


class OpenAiChat:
    """The dialect. It has no state."""

    path = "/chat/completions"

    def request(self, body: bytes) -> ChatRequest:
        """Parse and validate. Raises InvalidRequest naming the field."""
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise InvalidRequest("The request body is not valid JSON in UTF-8.") from None
        if not isinstance(parsed, dict):
            raise InvalidRequest("The request body must be a JSON object.")
        _validate(parsed)
        return ChatRequest(parsed)

    def answer(self, body: bytes) -> ChatAnswer:
        """Parse. Raises ProviderError when there are no choices in it."""
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise ProviderError("The provider's answer is not valid JSON.") from None
        choices = parsed.get("choices") if isinstance(parsed, dict) else None
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise ProviderError("The provider's answer holds no choices.")
        return ChatAnswer(parsed, body)

    def stream(self, request: AnyRequest, redactor: Redactor | None, *, max_lanes: int) -> ChatStream:
        """See model.Dialect."""
        shown = isinstance(request, ChatRequest) and request.wants_usage
        return ChatStream(redactor, show_usage=shown, max_lanes=max_lanes)

    def refusal(self, status: int, body: bytes) -> GatewayError:
        """See model.Dialect."""
        return refusal(status, body)

    def error_body(self, error: GatewayError) -> bytes:
        """OpenAI's error object."""
        return orjson.dumps(error_object(error))

    def error_event(self, error: GatewayError) -> bytes:
        """OpenAI's error object as an event, which its clients raise."""
        return data_event(orjson.dumps(error_object(error)))


def _validate(body: JsonObject) -> None:
    _need(isinstance(body.get("model"), str) and body["model"] != "", "model", "a non-empty string")
    messages = body.get("messages")
    _need(isinstance(messages, list) and len(messages) > 0, "messages", "a non-empty array")
    for index, message in enumerate(messages or ()):
        _validate_message(message, f"messages[{index}]")
    _need(isinstance(body.get("stream"), bool | None), "stream", "a boolean")
    options = body.get("stream_options")
    _need(isinstance(options, dict | None), "stream_options", "an object")
    seed = body.get("seed")
    _need(seed is None or type(seed) is int, "seed", "an integer")
    count = body.get("n")
    _need(
        count is None or (type(count) is int and 0 < count <= MOST_CHOICES), "n", f"an integer from 1 to {MOST_CHOICES}"
    )
    for name in _TOKEN_LIMITS:
        limit = body.get(name)
        _need(limit is None or (type(limit) is int and limit > 0), name, "a positive integer")


def _validate_message(message: Any, where: str) -> None:
    _need(isinstance(message, dict), where, "an object")
    role = message.get("role")
    _need(isinstance(role, str) and _ROLE.fullmatch(role) is not None, f"{where}.role", "a role name")
    content = message.get("content")
    _need(isinstance(content, str | list | None), f"{where}.content", "a string, an array of parts or null")
    for index, part in enumerate(content if isinstance(content, list) else ()):
        typed = isinstance(part, dict) and isinstance(part.get("type"), str)
        _need(typed, f"{where}.content[{index}]", "an object with a type")
    calls = message.get("tool_calls")
    _need(isinstance(calls, list | None), f"{where}.tool_calls", "an array")


def _need(good: bool, param: str, expected: str) -> None:
    if not good:
        raise InvalidRequest(f"'{param}' must be {expected}.", param=param)


def _measure(messages: list[Any]) -> Measure:
    """The size of what is written in messages; pictures and other media do not count."""
    measure = Measure()
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else [{"text": content}]:
            text = part.get("text") if isinstance(part, dict) else None
            if isinstance(text, str):
                measure = measure.plus(text)
    return measure


def _repair_names(messages: list[Any]) -> None:
    """OpenAI allows no brackets in a participant's `name`, which a placeholder has."""
    for message in messages:
        name = message.get("name")
        if isinstance(name, str) and ("<" in name or ">" in name):
            message["name"] = name.replace("<", "").replace(">", "")
