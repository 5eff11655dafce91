r"""Patterns of strangers, made safe by construction: no backtracking, bounded length, hence linear time.

A tenant's pattern is read by our own small parser, not handed to `re` as it is. The language: characters, `.`, `\\d \\w \\s`
(and upper case), classes `[…]`, groups `(…)` and `(?:…)`, alternatives `|`, and the repetitions `?`, `{n}` and `{m,n}`. Every repetition
is compiled possessive and every group atomic: what was matched is never given back, so the steps from one start are bounded by
a sum over the pattern, its cost, which is capped as its width is. Write the longer alternative first, and do not let a repetition eat what
must follow it (`[0-9]{1,6}0` never matches).

`compile_listed` also says how a match may begin at the end of a text that goes on, so that a stream can wait for the rest.

Not in the language, each refused with a message that says so: `*`, `+`, `{n,}`, anchors, look-arounds, back-references, flags.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_PATTERN = 300
MAX_WIDTH = 200
MAX_COST = 500
MAX_DEPTH = 10
MAX_LISTED_WIDTH = 64

_ESCAPES = frozenset("dDwWsS")
_PUNCTUATION = frozenset(r".\|()[]{}?*+^$-/#&~'\"!@%,:;<>=_` ")
_REPEAT = re.compile(r"\{([0-9]{1,3})(?:,([0-9]{1,3}))?\}")


class PatternError(ValueError):
    """A pattern is outside the safe language; the message says where and what to write instead."""


class Listed(NamedTuple):
    """A pattern of an allow-list or a deny-list, in any letter case.

    `opening` matches, up to the very end of a text, what may become a match when more text comes; neither is longer than
    `width` characters.
    """

    pattern: re.Pattern[str]
    opening: re.Pattern[str]
    width: int


class _Piece(NamedTuple):
    """Source for `re`, most characters matched, most steps taken from one start; and a match cut off by the end."""

    source: str
    width: int
    cost: int
    opening: str = r"\Z"


class _Parser:
    """Recursive descent over one pattern; depth and width are bounded, so parsing is too."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0

    def parse(self) -> _Piece:
        piece = self._alternatives(0)
        if self._place < len(self._pattern):
            raise self._error("unmatched ')'")
        return piece

    def _alternatives(self, depth: int) -> _Piece:
        if depth > MAX_DEPTH:
            raise self._error(f"groups are nested deeper than {MAX_DEPTH}")
        branches = [self._sequence(depth)]
        while self._peek() == "|":
            self._place += 1
            branches.append(self._sequence(depth))
        return self._within(
            _Piece(
                "|".join(branch.source for branch in branches),
                max(branch.width for branch in branches),
                sum(branch.cost for branch in branches),
                "|".join(dict.fromkeys(branch.opening for branch in branches)),
            )
        )

    def _sequence(self, depth: int) -> _Piece:
        whole = _Piece("", 0, 0)
        pieces: list[_Piece] = []
        while self._peek() not in ("", "|", ")"):
            piece = self._repeated(self._atom(depth))
            pieces.append(piece)
            whole = self._within(
                _Piece(whole.source + piece.source, whole.width + piece.width, whole.cost + piece.cost)
            )
        return whole._replace(opening=_opening(pieces))

    def _within(self, piece: _Piece) -> _Piece:
        if piece.width > MAX_WIDTH:
            raise self._error(f"matches more than {MAX_WIDTH} characters; use smaller repetitions")
        if piece.cost > MAX_COST:
            raise self._error("too many alternatives times repetitions; use several recognizers or deny terms")
        return piece

    def _atom(self, depth: int) -> _Piece:
        character = self._peek()
        if character == "(":
            return self._group(depth)
        if character == "[":
            return self._character_class()
        if character == "\\":
            return self._escape()
        if character in "*+?{":
            raise self._error(f"{character!r} repeats nothing here; give it a character or group, and a bound")
        if character in "^$":
            raise self._error(f"anchor {character!r} is not supported; edges are checked for you")
        self._place += 1
        return _Piece("[^\\n]" if character == "." else re.escape(character), 1, 1)

    def _group(self, depth: int) -> _Piece:
        self._place += 3 if self._pattern.startswith("(?:", self._place) else 1
        if self._peek() == "?":
            raise self._error("look-arounds, flags and named groups are not supported; use (?:…)")
        inner = self._alternatives(depth + 1)
        if self._peek() != ")":
            raise self._error("missing ')'")
        self._place += 1
        return _Piece(f"(?>{inner.source})", inner.width, inner.cost, f"(?:{inner.opening})")

    def _character_class(self) -> _Piece:
        end = self._place + 1
        if self._pattern[end : end + 1] == "^":
            end += 1
        while end < len(self._pattern) and self._pattern[end] != "]":
            end += 2 if self._pattern[end] == "\\" else 1
        source = self._pattern[self._place : end + 1]
        if not source.endswith("]") or len(source) < 3:
            raise self._error("character class without ']' or without characters")
        if any(pair in source for pair in ("--", "&&", "||", "~~")):
            raise self._error("'--', '&&', '||' and '~~' mean nothing in a character class; write '\\-' for a hyphen")
        if "[" in source[1:].replace("\\[", ""):
            raise self._error("write '[' inside a character class as '\\['")
        self._place = end + 1
        return _Piece(source, 1, 1)

    def _escape(self) -> _Piece:
        character = self._pattern[self._place + 1 : self._place + 2]
        if character not in _ESCAPES | _PUNCTUATION:
            raise self._error(f"escape '\\{character}' is not supported")
        self._place += 2
        return _Piece("\\" + character, 1, 1)

    def _repeated(self, piece: _Piece) -> _Piece:
        character = self._peek()
        if character in ("*", "+"):
            raise self._error(f"unbounded {character!r}; write a bound, such as {{0,40}}")
        if character == "?":
            self._place += 1
            return piece._replace(source=_repetition(piece, "?"))
        if character != "{":
            return piece
        match = _REPEAT.match(self._pattern, self._place)
        if match is None:
            raise self._error("a repetition is {n} or {m,n}, both with numbers")
        least, most = int(match[1]), int(match[2] or match[1])
        if most < max(least, 1):
            raise self._error("the bounds of a repetition are in the wrong order or zero")
        self._place = match.end()
        opening = _repetition(piece, f"{{0,{most - 1}}}") + piece.opening if most > 1 else piece.opening
        source = _repetition(piece, f"{{{least},{most}}}")
        return _Piece(source, piece.width * most, piece.cost * most, opening)

    def _peek(self) -> str:
        return self._pattern[self._place : self._place + 1]

    def _error(self, message: str) -> PatternError:
        return PatternError(f"pattern, character {self._place + 1}: {message}")


def _repetition(piece: _Piece, times: str) -> str:
    """`piece` so many times, none of which is given back.

    Of a group by an atomic group around it: Python before 3.11.5 gets possessive groups wrong (gh-106052).
    """
    return f"(?>{piece.source}{times})" if piece.source.startswith("(?>") else f"{piece.source}{times}+"


def _opening(pieces: list[_Piece]) -> str:
    """What of a sequence may stand at the end of a text: some pieces whole, then one cut off or not yet there."""
    opening = ""
    for piece in reversed(pieces):
        opening = f"{piece.opening}|{piece.source}(?:{opening})" if opening else piece.opening
    return opening or r"\Z"


def compile_bounded(pattern: str) -> re.Pattern[str]:
    """`pattern` compiled so that a search takes linear time. Raises PatternError for anything outside the language."""
    return _compiled(_piece(pattern))


def compile_listed(pattern: str, *, most: int = MAX_LISTED_WIDTH) -> Listed:
    """`pattern` for a list, matching `most` characters at most. Raises PatternError as `compile_bounded` does."""
    piece = _piece(pattern)
    if piece.width > most:
        raise PatternError(
            f"pattern: may match {piece.width} characters, more than the {most} a stream holds back for it"
        )
    compiled = _compiled(piece, re.IGNORECASE)
    return Listed(compiled, re.compile(piece.opening, re.IGNORECASE), piece.width)


def listed_problem(pattern: str, *, most: int = MAX_LISTED_WIDTH) -> str | None:
    """What is wrong with a pattern for a list, for the moment it is written; None when it is fine."""
    try:
        compile_listed(pattern, most=most)
    except PatternError as error:
        return str(error)
    return None


def _piece(pattern: str) -> _Piece:
    if not 0 < len(pattern) <= MAX_PATTERN:
        raise PatternError(f"pattern: must have 1 to {MAX_PATTERN} characters")
    return _Parser(pattern).parse()


def _compiled(piece: _Piece, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    try:
        compiled = re.compile(piece.source, flags)
    except re.error as error:
        raise PatternError(f"pattern: {error.msg}") from None
    if compiled.fullmatch("") is not None:
        raise PatternError("pattern: matches the empty text; require at least one character")
    return compiled
