"""Placeholders of one exchange: which value is which number, and the way back. In memory only.

Numbers follow first appearance per entity, so a conversation whose history is sent again gets the same numbers every
turn and the provider's prompt cache keeps working. A look-alike that the client itself typed (`<PERSON_9>`) is
reserved before numbering: no reversible placeholder gets its name, so a look-alike is never restored. (A placeholder
that is not restored may meet its own earlier self in the history; there the same name is what is wanted.)

Restored is only what names a placeholder given out in this exchange, in one of these spellings, all of which models
produce: `<PERSON_1>`; the same in any letter case, with blanks inside the brackets, with ＜＞, 〈〉, &lt;&gt; or
backslash-escaped brackets and underscore, with full-width digits, with a blank or hyphen for the underscore; and bare
`PERSON_1` in capitals where no letter, digit or underscore touches it. Anything else stays as it is: no guess.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

from dataplane.redaction.spans import RESTORE, Span

_BLANK = "[ \u3000]?"
_LEFT, _RIGHT = r"(?:<|＜|〈|&lt;)", r"(?:\\?>|＞|〉|&gt;)"
_INNER = r"[A-Za-z][A-Za-z0-9\\_＿ -]{0,44}[\\_＿ -][0-9０-９]{1,6}"
_BARE = r"(?<![A-Za-z0-9_])(?P<bare>[A-Z][A-Z0-9_]{0,39}_[0-9]{1,6})(?![A-Za-z0-9_])"
_ANY = re.compile(
    rf"\\<{_BLANK}(?P<escaped>{_INNER}){_BLANK}\\>|{_LEFT}{_BLANK}(?P<inner>{_INNER}){_BLANK}{_RIGHT}|{_BARE}"
)
# What every one of the above has in it: quicker to look for, and mostly absent.
_NUMBERED = re.compile(r"[\\_＿ -][0-9０-９]")
# A beginning of one of the above at the very end of a text: more may follow.
_OPEN = re.compile(
    rf"(?:\\|(?:\\?<|＜|〈|&(?:l|lt|lt;)?){_BLANK}"
    rf"(?:[A-Za-z][A-Za-z0-9\\_＿ -]{{0,44}}[0-9０-９]{{0,6}}{_BLANK}(?:\\|&|&g|&gt)?)?"
    r"|(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{0,46})\Z"
)
_OPEN_CHARS = 64
_RESERVE_CHARS = 50_000
_SAME = str.maketrans("＿ -０１２３４５６７８９", "___0123456789", "\\")


def _name(match: re.Match[str]) -> str:
    return match["bare"] or (match["inner"] or match["escaped"]).translate(_SAME).upper()


class Placeholders:
    """Forward and reverse map of one exchange. Not shared between exchanges, not thread-safe."""

    __slots__ = ("_counters", "_forward", "_reserved", "_reverse")

    def __init__(self) -> None:
        self._counters: Counter[str] = Counter()
        self._forward: dict[tuple[str, str], str] = {}
        self._reverse: dict[str, str] = {}
        self._reserved: set[str] = set()

    def reserve(self, text: str) -> Iterator[None]:
        """Keep the names of look-alikes in `text` from being given out; call before the first `give`.

        Pauses in long texts.
        """
        if _NUMBERED.search(text) is None:
            return
        for start in range(0, len(text), _RESERVE_CHARS):
            end = start + _RESERVE_CHARS + _OPEN_CHARS
            self._reserved.update(map(_name, _ANY.finditer(text, start, end)))
            if end < len(text):
                yield

    def give(self, entity: str, value: str, *, reversible: bool) -> str:
        """The placeholder of `value`, the same for the same (entity, value): `<PERSON_1>`."""
        known = self._forward.get((entity, value))
        if known is not None:
            return known
        name = self._next(entity, self._reserved if reversible else frozenset())
        if reversible:
            self._reverse[name] = value
        placeholder = self._forward[entity, value] = f"<{name}>"
        return placeholder

    def find(self, text: str, *, final: bool = False) -> list[Span]:
        """Own placeholders in `text`; unless `final`, also what may be the beginning of one at its end."""
        if not self._reverse:
            return []
        opened = None if final else _OPEN.search(text, max(0, len(text) - _OPEN_CHARS))
        if opened is None:
            return list(self._whole(text))
        found = [span for span in self._whole(text) if span.end <= opened.start()]
        return [*found, Span(*opened.span(), "", 1.0, RESTORE)]

    def restore(self, piece: str) -> str | None:
        """The value that stands behind `piece`, a spelling of one placeholder; None when it is none of ours."""
        match = _ANY.fullmatch(piece)
        return None if match is None else self._reverse.get(_name(match))

    def _whole(self, text: str) -> Iterator[Span]:
        for match in _ANY.finditer(text):
            if _name(match) in self._reverse:
                yield Span(*match.span(), "", 1.0, RESTORE)

    def _next(self, entity: str, taken: Collection[str]) -> str:
        while True:
            self._counters[entity] += 1
            name = f"{entity}_{self._counters[entity]}"
            if name not in taken:
                return name
