r"""Characters written as escapes, read as what they stand for: `\u5c71` (JSON), `%E5%B1%B1` (URLs), `&#23665;` (HTML).

Models read all three without effort, and Japanese text comes in them every day: Python's `json.dumps` escapes every
kanji by default, browsers percent-encode form fields. A value must not pass because it is spelled so.

Strategy: the text is searched only when it holds one of the marks; runs are decoded into a text with a table of
offsets, one entry per character. Escaped backslashes (`\\u5c71`, JSON inside JSON) count as one. What does not decode
(bad UTF-8, lone surrogates) stays as it is.
Guarantees: linear time, no exception for any str. Limits: one layer of each kind; of HTML's named references only those
that occur in mailboxes, URLs and names; base64 and other encodings of whole texts are not read.

Source: RFC 8259 section 7, RFC 3986 section 2.1, HTML Living Standard section 13.2.5.
"""

from __future__ import annotations

import re
from array import array

_MARKS = ("\\u", "\\x", "%", "&")
_ESCAPE = re.compile(
    r"\\{1,8}u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\{1,8}u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\{1,8}(?:u(?P<unit>[0-9a-fA-F]{4})|x(?P<byte>[0-7][0-9a-fA-F]))"
    r"|(?P<percent>(?:%[0-9a-fA-F]{2})+)"
    r"|&#(?:(?P<decimal>[0-9]{1,7})|[xX](?P<hex>[0-9a-fA-F]{1,6}));"
    r"|&(?P<name>amp|lt|gt|quot|apos|nbsp|commat|period|hyphen|lpar|rpar|plus|num);"
)
_NAMES = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "commat": "@", "period": ".",
    "hyphen": "-", "lpar": "(", "rpar": ")", "plus": "+", "num": "#",
}  # fmt: skip


def decoded(text: str) -> tuple[str, array[int] | None]:
    """`text` with its escapes read, and for every character (and the end) where it began; None when none was found."""
    if not any(mark in text for mark in _MARKS) or (match := _ESCAPE.search(text)) is None:
        return text, None
    pieces: list[str] = []
    offsets: array[int] = array("I")
    last = 0
    while match is not None:
        start, end = match.span()
        pieces.append(text[last:start])
        offsets.extend(range(last, start))
        for shown, at in _read(match):
            pieces.append(shown)
            offsets.append(at)
        last = end
        match = _ESCAPE.search(text, end)
    pieces.append(text[last:])
    offsets.extend(range(last, len(text) + 1))
    return "".join(pieces), offsets


def _read(match: re.Match[str]) -> list[tuple[str, int]]:
    """The characters of one escape (or run of percent escapes) and where each began."""
    start, kind = match.start(), match.lastgroup
    if kind == "percent":
        return _percent(match.group(), start)
    if kind == "low":
        code = 0x10000 + ((int(match["high"], 16) - 0xD800) << 10) + (int(match["low"], 16) - 0xDC00)
    elif kind == "name":
        return [(_NAMES[match["name"]], start)]
    else:
        code = int(match["decimal"]) if kind == "decimal" else int(match[kind or ""], 16)
    if 0xD800 <= code < 0xE000 or not 0x20 <= code < 0x110000:
        return [(character, start + at) for at, character in enumerate(match.group())]
    return [(chr(code), start)]


def _percent(run: str, start: int) -> list[tuple[str, int]]:
    data = bytes.fromhex(run.replace("%", ""))
    characters: list[tuple[str, int]] = []
    at = 0
    for character in data.decode("utf-8", "surrogateescape"):
        if "\udc80" <= character <= "\udcff" or character < " ":
            first = 3 * at
            characters += [(shown, start + first + place) for place, shown in enumerate(run[first : first + 3])]
            at += 1
        else:
            characters.append((character, start + 3 * at))
            at += len(character.encode())
    return characters
