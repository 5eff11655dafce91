r"""JSON text as detectors should read it: strings decoded, everything else as it stands.

`JsonReader` is an incremental lexer. It checks no grammar and keeps no stack, so it cannot fail and depth costs
nothing: what is no string and no structure (numbers, literals, or prose where JSON was expected) is a BARE run.
The view depends on the content only: an escape that is not complete waits (12 characters at most).

Source: RFC 8259 sections 2, 6, 7. An unknown escape (`\x`) is read as its two characters.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from enum import Enum
from json.encoder import encode_basestring
from typing import NamedTuple


class Kind(Enum):
    """Where a part of the view comes from."""

    RAW = 1
    """Structure: blanks, brackets, colons, commas, quotation marks. Never replaced."""
    STRING = 2
    """Inside a string; decoded, to be escaped again."""
    BARE = 3
    """Outside strings."""


class Part(NamedTuple):
    """A stretch of the view."""

    kind: Kind
    text: str


_OUTSIDE = re.compile(r'(?P<raw>[\s{}\[\]:,]+)|(?P<quote>")|(?P<bare>[^\s{}\[\]:,"]+)')
_INSIDE = re.compile(
    r'(?P<plain>[^"\\]+)|(?P<quote>")'
    r"|(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<unit>\\u[0-9a-fA-F]{4})|(?P<short>\\[\"\\/bfnrt])|(?P<odd>\\)"
)
_UNFINISHED = re.compile(r"\\(?:u[0-9a-fA-F]{0,3}|u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?)?\Z")
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_READ_CHARS = 8_192
_LITERALS = frozenset({"true", "false", "null"})


class JsonReader:
    """Turns JSON text, in any chunks, into view parts."""

    __slots__ = ("_inside", "_rest")

    def __init__(self) -> None:
        self._rest = ""
        self._inside = False

    @property
    def pending(self) -> int:
        """Characters of an unfinished escape."""
        return len(self._rest)

    def feed(self, text: str) -> list[Part]:
        """Parts of the view that are certain now."""
        return self._read(self._rest + text, final=False)

    def flush(self) -> list[Part]:
        """The rest, read as it stands."""
        return self._read(self._rest, final=True)

    def _read(self, text: str, *, final: bool) -> list[Part]:
        parts: list[Part] = []
        at = 0
        while at < len(text):
            if self._inside and not final and text[at] == "\\" and _UNFINISHED.match(text, at):
                break
            match = (_INSIDE if self._inside else _OUTSIDE).match(text, at)
            if match is None:  # cannot be: both patterns have a case for every character
                raise AssertionError("no JSON lexeme")
            parts.append(self._part(match))
            at = match.end()
        self._rest = text[at:]
        return parts

    def _part(self, match: re.Match[str]) -> Part:
        name, found = match.lastgroup, match.group()
        if name == "quote":
            self._inside = not self._inside
            return Part(Kind.RAW, found)
        if name == "raw":
            return Part(Kind.RAW, found)
        if name == "bare":
            return Part(Kind.BARE, found)
        return Part(Kind.STRING, _decoded(name, found))


def _decoded(name: str | None, found: str) -> str:
    if name == "pair":
        high, low = int(found[2:6], 16), int(found[8:12], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if name == "unit":
        return chr(int(found[2:6], 16))
    return _SHORT[found[1]] if name == "short" else found


def decoded(text: str) -> Generator[None, None, str]:
    """The whole view of a JSON text, pausing in long ones."""
    reader = JsonReader()
    parts = reader.feed(text[:_READ_CHARS])
    for start in range(_READ_CHARS, len(text), _READ_CHARS):
        yield
        parts += reader.feed(text[start : start + _READ_CHARS])
    return "".join(part.text for part in (*parts, *reader.flush()))


def escape(text: str) -> str:
    """`text` as the inside of a JSON string; lone surrogates as escapes, so that the result is valid UTF-8."""
    escaped = encode_basestring(text)[1:-1]
    return _SURROGATE.sub(_surrogate, escaped)


def _surrogate(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def needs_quotes(text: str) -> bool:
    """True for a number (a badly written one, too), true, false or null: in its place belongs a string."""
    return text in _LITERALS or _NUMBER.fullmatch(text) is not None
