"""How many tokens a request will probably send: an estimate from characters, without a vocabulary.

Rule: ASCII text has about four characters to a token, other text about three UTF-8 bytes (one kanji or kana) to a
token; a message costs four tokens more, and what is not text (an image, a file) is taken as a fixed amount. It errs
upwards on Japanese, whose common words share tokens. Only for reserving; bills are made of what providers report.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

_PER_MESSAGE: Final = 4
_PER_ATTACHMENT: Final = 1_000


def of_text(text: str) -> int:
    """Tokens of one text; 0 for an empty one."""
    if text.isascii():
        return -(-len(text) // 4)
    # Counting code points first avoids encoding: every one beyond ASCII counts as a whole token.
    ascii_only = len(text.encode("ascii", "ignore"))
    return -(-ascii_only // 4) + len(text) - ascii_only


def of_chat(body: dict[str, Any]) -> int:
    """Tokens of an OpenAI chat request: messages, tool calls and tool definitions."""
    total = sum(_of_message(message) for message in body["messages"])
    for name in ("tools", "functions", "response_format"):
        if body.get(name):
            total += _of_json(body[name])
    return total


def _of_message(message: dict[str, Any]) -> int:
    total = _PER_MESSAGE + _of_content(message.get("content"))
    for name in ("tool_calls", "function_call"):
        if message.get(name):
            total += _of_json(message[name])
    return total


def _of_content(content: Any) -> int:
    if isinstance(content, str):
        return of_text(content)
    if isinstance(content, list):
        return sum(_of_part(part) for part in content)
    return 0


def _of_part(part: dict[str, Any]) -> int:
    text = part.get("text", part.get("refusal"))
    return of_text(text) if isinstance(text, str) else _PER_ATTACHMENT


def _of_json(value: Any) -> int:
    return of_text(orjson.dumps(value).decode())
