"""The JSON body of a chat request → what is asked, or the field that is wrong.

Checks what the gateway itself relies on and every type the OpenAI API fixes at the top level; the rest is
the provider's business. Messages name the field and what it should be, never what was in it. Source: OpenAI
API reference, "Create chat completion".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from controlplane.authz.facts import MAX_USER_CHARS, clean
from controlplane.domain import tokens
from controlplane.domain.errors import Problem, invalid_request

MAX_MODEL_CHARS: Final = 256
_MAX_CHOICES: Final = 128
_MAX_TOKENS: Final = 1 << 31


class Ask(NamedTuple):
    """What a body asks for."""

    model: str
    user: str
    """The body's `user`; "" when absent."""
    size: tokens.Size
    """Of the messages and definitions; how many tokens that is depends on who answers."""
    output_limit: int
    """The most output tokens the caller allows over all choices; 0 when not limited."""
    choices: int = 1
    stream: bool = False


class _WrongError(Exception):
    """Carries a problem out of the nested checks of this module; never leaves it."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.problem = invalid_request(message, param)


def parse_chat(body: bytes) -> Ask | Problem:
    """Reads the body of POST /v1/chat/completions."""
    try:
        fields = _object(body)
        _check_types(fields)
        _check_messages(_required(fields, "messages"))
        return _ask(fields)
    except _WrongError as wrong:
        return wrong.problem


def _object(body: bytes) -> dict[str, Any]:
    if not body:
        raise _WrongError("The request body is empty: send a JSON object.")
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _WrongError(f"The request body is not valid JSON (line {error.lineno}, column {error.colno}).") from None
    if not isinstance(fields, dict):
        raise _WrongError("The request body must be a JSON object.")
    return fields


def _required(fields: dict[str, Any], name: str) -> Any:
    value = fields.get(name)
    if value is None:
        raise _WrongError(f"The field '{name}' is missing.", name)
    return value


def _check_types(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        known = _TYPES.get(name)
        if known is not None and value is not None and not known[0](value):
            raise _WrongError(f"The field '{name}' must be {known[1]}.", name)


def _check_messages(messages: list[Any]) -> None:
    if not messages:
        raise _WrongError("The field 'messages' must hold at least one message.", "messages")
    for index, message in enumerate(messages):
        if type(message) is not dict:
            raise _WrongError(f"The field 'messages[{index}]' must be an object.", f"messages[{index}]")
        if type(message.get("role")) is not str:
            raise _WrongError(f"The field 'messages[{index}].role' must be a string.", f"messages[{index}].role")
        _check_content(message.get("content"), f"messages[{index}].content")


def _check_content(content: Any, param: str) -> None:
    if content is None or type(content) is str:
        return
    if type(content) is not list:
        raise _WrongError(f"The field '{param}' must be a string or a list of content parts.", param)
    for index, part in enumerate(content):
        if type(part) is not dict or type(part.get("type")) is not str:
            name = f"{param}[{index}]"
            raise _WrongError(f"The field '{name}' must be an object with a string field 'type'.", name)


def _ask(fields: dict[str, Any]) -> Ask:
    model = _required(fields, "model")
    choices = fields.get("n") or 1
    limit = fields.get("max_completion_tokens") or fields.get("max_tokens") or 0
    user = fields.get("user") or ""
    try:
        size = tokens.of_chat(fields)
    except orjson.JSONEncodeError:
        # More is read (1,024 levels) than can be written again (254).
        raise _WrongError("The request body is nested too deeply.") from None
    return Ask(model, clean(user, MAX_USER_CHARS), size, limit * choices, choices, fields.get("stream") or False)


def _a(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _between(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


_STRING: Final = (_a(str), "a string")
_NUMBER: Final = (_a(int, float), "a number")
_BOOLEAN: Final = (_a(bool), "true or false")
_LIST: Final = (_a(list), "a list")
_OBJECT: Final = (_a(dict), "an object")
_TOKENS: Final = (_between(1, _MAX_TOKENS), "a positive whole number")

# Type checks by `type(...) is`: JSON's true must not pass for the number 1.
_TYPES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "model": (
        lambda value: type(value) is str and 0 < len(value) <= MAX_MODEL_CHARS,
        f"a string of 1 to {MAX_MODEL_CHARS} characters",
    ),
    "messages": _LIST,
    "stream": _BOOLEAN,
    "n": (_between(1, _MAX_CHOICES), f"a whole number from 1 to {_MAX_CHOICES}"),
    "max_tokens": _TOKENS,
    "max_completion_tokens": _TOKENS,
    "user": _STRING,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "logprobs": _BOOLEAN,
    "top_logprobs": (_a(int), "a whole number"),
    "seed": (_a(int), "a whole number"),
    "stop": (_a(str, list), "a string or a list of strings"),
    "tools": _LIST,
    "tool_choice": (_a(str, dict), "a string or an object"),
    "parallel_tool_calls": _BOOLEAN,
    "response_format": _OBJECT,
    "stream_options": _OBJECT,
    "logit_bias": _OBJECT,
    "metadata": _OBJECT,
}
