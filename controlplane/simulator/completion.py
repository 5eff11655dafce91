"""OpenAI's chat completion wire format, from the answering side.

Source: OpenAI API reference, "Create chat completion" and "The chat completion chunk object". Pure: a request
body comes in as bytes, a reply goes out as a JSON body or as the SSE events of a stream; ids and times are
given. Covers n choices, tool calls (streamed in fragments), reasoning, refusals, log probabilities and usage
including `stream_options.include_usage`, and limits on output tokens. Sampling parameters are accepted and
have no effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple

import orjson

from controlplane.simulator import answers
from controlplane.simulator.behaviour import Behaviour
from controlplane.simulator.request import Request, tokens


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of the answer: a text or a tool call."""

    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_name: str = ""
    tool_arguments: str = ""
    finish_reason: str = "stop"


class Head(NamedTuple):
    """What every part of one answer repeats."""

    identity: str
    created: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as OpenAI counts them: cached is part of prompt, reasoning part of completion."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0

    def as_json(self) -> dict[str, Any]:
        """OpenAI's usage object."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


def choose(request: Request, behaviour: Behaviour) -> list[Choice]:
    """The choices of the answer, within the limit on tokens."""
    choices = [_choice(request, behaviour, index) for index in range(request.choices)]
    limited = request.limit and not behaviour.ignore_limit
    return [_cut(choice, request.limit) for choice in choices] if limited else choices


def _cut(choice: Choice, limit: int) -> Choice:
    """As far as the limit reaches; finish reason "length" when something is missing."""
    rest = limit
    kept: dict[str, str] = {}
    for field in ("reasoning", "refusal", "content", "tool_arguments"):
        text: str = getattr(choice, field)
        kept[field] = text if tokens(text) <= rest else _beginning(text, rest)
        rest -= tokens(kept[field])
    if all(kept[field] == getattr(choice, field) for field in kept):
        return choice
    return replace(choice, **kept, finish_reason="length")


def _beginning(text: str, limit: int) -> str:
    """The longest beginning of at most so many tokens."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]


def _choice(request: Request, behaviour: Behaviour, index: int) -> Choice:
    finish = behaviour.finish_reason or "stop"
    if behaviour.refusal:
        return Choice(refusal=behaviour.refusal, finish_reason=finish)
    if behaviour.huge_chars:
        text = "あいうえお" * (behaviour.huge_chars // 5 + 1)
        return Choice(content=text[: behaviour.huge_chars], finish_reason=finish)
    if request.tool is not None and not (behaviour.content or behaviour.echo):
        return Choice(
            tool_name=str(request.tool.get("name", "")),
            tool_arguments=orjson.dumps(_arguments(request.tool.get("parameters"))).decode(),
            finish_reason=behaviour.finish_reason or "tool_calls",
        )
    return Choice(_content(request, behaviour, index), behaviour.reasoning, finish_reason=finish)


def _content(request: Request, behaviour: Behaviour, index: int) -> str:
    name = request.model.partition(":")[0]
    if behaviour.content:
        return behaviour.content
    if behaviour.echo or name == "sim-echo":
        return request.prompt
    return answers.answer(request.prompt, {"sim-ja": "ja", "sim-en": "en"}.get(name, ""), index).text


def _arguments(schema: object) -> dict[str, Any]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {}
    return {name: _argument(name, s if isinstance(s, dict) else {}) for name, s in properties.items()}


def _argument(name: str, schema: dict[str, Any]) -> object:
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    simple: dict[str, object] = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    if schema.get("type") in simple:
        return simple[schema["type"]]
    known = (planted.text for part, planted in answers.ARGUMENTS.items() if part in name.lower())
    person, phone = answers.ARGUMENTS["name"].text, answers.ARGUMENTS["phone"].text
    return next(known, f'{person}さん(電話 {phone})へ\n"至急"ご連絡ください。')


def count(request: Request, choices: list[Choice], behaviour: Behaviour) -> Usage:
    """The usage of an answer, unless the behaviour dictates other numbers."""
    said = sum(tokens(c.content + c.refusal + c.tool_name + c.tool_arguments) for c in choices)
    thought = sum(tokens(c.reasoning) for c in choices)
    completion = said + thought if behaviour.completion_tokens < 0 else behaviour.completion_tokens
    most = 0 if behaviour.ignore_limit else request.limit * len(choices)
    return Usage(
        prompt=request.prompt_tokens if behaviour.prompt_tokens < 0 else behaviour.prompt_tokens,
        completion=min(completion, most) if most else completion,
        cached=behaviour.cached_tokens,
        reasoning=behaviour.reasoning_tokens or thought,
    )


def body(request: Request, choices: list[Choice], usage: Usage | None, head: Head) -> dict[str, Any]:
    """A whole answer as OpenAI's chat completion object."""
    listed = [
        {
            "index": index,
            "message": _message(choice),
            "logprobs": _logprobs(choice.content) if request.logprobs else None,
            "finish_reason": choice.finish_reason,
        }
        for index, choice in enumerate(choices)
    ]
    answer = {"id": head.identity, "object": "chat.completion", "created": head.created, "model": request.model}
    tail: dict[str, Any] = {"choices": listed, "system_fingerprint": "fp_sim"}
    return answer | tail | ({"usage": usage.as_json()} if usage else {})


def _message(choice: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.content or None, "refusal": None}
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    if choice.refusal:
        message["refusal"] = choice.refusal
    if choice.tool_name:
        function = {"name": choice.tool_name, "arguments": choice.tool_arguments}
        message["tool_calls"] = [{"id": "call_sim_0", "type": "function", "function": function}]
    return message


def _logprobs(text: str) -> dict[str, Any]:
    return {"content": [_logprob(text)] if text else [], "refusal": None}


def _logprob(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": -0.1, "bytes": list(token.encode()), "top_logprobs": []}


def chunks(
    request: Request,
    choices: list[Choice],
    usage: Usage | None,
    behaviour: Behaviour,
    head: Head,
) -> Iterator[dict[str, Any]]:
    """The chat completion chunks of a streamed answer, choices interleaved; the usage chunk only when asked
    for.
    """
    frame = {"id": head.identity, "object": "chat.completion.chunk", "created": head.created, "model": request.model}
    frame["system_fingerprint"] = "fp_sim"
    null_usage: dict[str, Any] = {"usage": None} if request.include_usage else {}
    said = 0
    lanes = [list(_deltas(c, behaviour)) for c in choices]
    for row in zip_longest(*lanes):
        for index, delta in enumerate(row):
            if delta is None:
                continue
            text = delta.get("content", "")
            logprobs = _logprobs(text) if request.logprobs and text else None
            if behaviour.usage_so_far and usage is not None:
                said += sum(tokens(part) for key, part in delta.items() if key != "role" and isinstance(part, str))
                null_usage = {"usage": Usage(usage.prompt, said).as_json()}
            yield frame | {"choices": [_delta(index, delta, logprobs, None)]} | null_usage
    for index, choice in enumerate(choices):
        yield frame | {"choices": [_delta(index, {}, None, choice.finish_reason)]} | null_usage
    if request.include_usage and usage is not None:
        yield frame | {"choices": [], "usage": usage.as_json()}


def _delta(index: int, delta: dict[str, Any], logprobs: object, finish: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}


def _deltas(choice: Choice, behaviour: Behaviour) -> Iterator[dict[str, Any]]:
    size = behaviour.huge_chars or behaviour.chunk_chars
    yield {"role": "assistant", "content": None if choice.tool_name else "", "refusal": None}
    yield from ({"reasoning_content": piece} for piece in _pieces(choice.reasoning, size))
    yield from ({"content": piece} for piece in _pieces(choice.content, size))
    yield from ({"refusal": piece} for piece in _pieces(choice.refusal, size))
    if choice.tool_name:
        function = {"name": choice.tool_name, "arguments": ""}
        yield {"tool_calls": [{"index": 0, "id": "call_sim_0", "type": "function", "function": function}]}
        for piece in _pieces(choice.tool_arguments, size):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def event(data: bytes, *, crlf: bool = False) -> bytes:
    """One SSE event; with CR LF also a comment before it, as heartbeats are sent."""
    return b": heartbeat\r\n\r\ndata: " + data + b"\r\n\r\n" if crlf else b"data: " + data + b"\n\n"


def error(message: str, kind: str, param: str | None = None, code: str | None = None) -> bytes:
    """OpenAI's error object."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})
