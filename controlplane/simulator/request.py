"""A chat completion request, read as far as the answer depends on it.

Source: OpenAI API reference, "Create chat completion". Pure. Lenient where OpenAI's own checks are of no interest here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


class RequestError(ValueError):
    """A request OpenAI would refuse; `param` names the field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request the answer depends on."""

    model: str
    prompt: str
    """Text of the last user message."""
    prompt_tokens: int
    stream: bool
    include_usage: bool
    choices: int
    logprobs: bool
    tool: dict[str, Any] | None
    """The function to call, when the request offers tools and its last message is the user's."""
    limit: int
    """Most tokens per choice: max_completion_tokens, else max_tokens; 0 = none."""
    sim: dict[str, Any]
    """The request's own `sim` object: how to behave."""


def tokens(text: str) -> int:
    """A deterministic token count: one per non-ASCII character, one per four ASCII characters."""
    ascii_chars = len(text.encode("ascii", "ignore"))
    return len(text) - ascii_chars + -(-ascii_chars // 4)


def read(body: bytes) -> Request:
    """Parse a request body. Raises RequestError with OpenAI's kind of message."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestError("We could not parse the JSON body of your request.") from None
    if not isinstance(data, dict) or not isinstance(data.get("model"), str):
        raise RequestError("you must provide a model parameter", "model")
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError("Missing required parameter: 'messages'.", "messages")
    texts = [(str(m.get("role")), _text(m.get("content"))) for m in messages if isinstance(m, dict)]
    options = data.get("stream_options") or {}
    sim = data.get("sim")
    return Request(
        model=data["model"],
        prompt=next((text for role, text in reversed(texts) if role == "user"), ""),
        prompt_tokens=sum(tokens(text) + 4 for _, text in texts),
        stream=data.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        choices=data["n"] if isinstance(data.get("n"), int) and 0 < data["n"] <= 128 else 1,
        logprobs=data.get("logprobs") is True,
        tool=_tool(data) if texts and texts[-1][0] == "user" else None,
        limit=_limit(data.get("max_completion_tokens")) or _limit(data.get("max_tokens")),
        sim=sim if isinstance(sim, dict) else {},
    )


def _limit(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(p["text"]) for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str))


def _tool(data: dict[str, Any]) -> dict[str, Any] | None:
    offered, choice = data.get("tools"), data.get("tool_choice")
    if not isinstance(offered, list) or choice == "none":
        return None
    functions = [t["function"] for t in offered if isinstance(t, dict) and isinstance(t.get("function"), dict)]
    wanted = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    return next((f for f in functions if wanted in {None, f.get("name")}), None)
