"""A tenant's own recognizers: data (pattern, context words, checksum, score), validated when they are made.

A match counts with its score; where context words are given, only near one of them (64 characters before, 24 after) or,
without them, anywhere; where a checksum is named, only if the digits of the match pass it. Matching runs on the folded
text, so full-width digits, dash variants and zero-width characters do not hide a value. A match never starts or ends
inside a run of ASCII letters or digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from recognizers.bounded import PatternError, compile_bounded
from recognizers.checksums import BY_NAME
from recognizers.finding import Finding
from recognizers.folded import FoldedText

MAX_CONTEXT_WORDS = 50
MAX_CONTEXT_CHARS = 40
BEFORE, AFTER = 64, 24
DEFAULT_SCORE = 0.85

_ENTITY = re.compile(r"[A-Z][A-Z0-9_]{1,47}")
_WORD = re.compile("[0-9A-Za-z]")


class CustomRecognizerError(ValueError):
    """A custom recognizer is not acceptable; the message names the field and what to change."""


class CustomFinder:
    """One custom recognizer as a finder. Raises CustomRecognizerError when a field is not acceptable.

    `score` lies in (0, 1]; 0 stands for the default 0.85. `checksum` is '' or a name in `recognizers.checksums.BY_NAME`.
    """

    __slots__ = ("_check", "_context", "_pattern", "_score", "entities", "name")

    def __init__(
        self, *, entity: str, pattern: str, context: Sequence[str] = (), checksum: str = "", score: float = 0.0
    ) -> None:
        self.entities = frozenset({_entity(entity)})
        self.name = f"custom.{entity.lower()}"
        self._pattern = _pattern(pattern)
        self._context = _context(context)
        self._check = _checksum(checksum)
        self._score = _score(score)

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        (entity,) = self.entities
        for match in self._pattern.finditer(text.folded):
            if match.end() > match.start() and self._counts(text, match):
                yield text.finding(match.start(), match.end(), entity, self._score, self.name)

    def _counts(self, text: FoldedText, match: re.Match[str]) -> bool:
        if _inside_word(text.folded, match.start()) or _inside_word(text.folded, match.end()):
            return False
        if self._check is not None and not self._check(re.sub("[^0-9]", "", match.group())):
            return False
        return self._context is None or self._near(text.lowered, match)

    def _near(self, lowered: str, match: re.Match[str]) -> bool:
        assert self._context is not None
        start = max(0, match.start() - BEFORE)
        return (
            self._context.search(lowered, start, match.start()) is not None
            or self._context.search(lowered, match.end(), match.end() + AFTER) is not None
        )


def problem_of(
    *, entity: str, pattern: str, context: Sequence[str] = (), checksum: str = "", score: float = 0.0
) -> str | None:
    """What is wrong with a custom recognizer, for the moment it is written; None when it is fine."""
    try:
        CustomFinder(entity=entity, pattern=pattern, context=context, checksum=checksum, score=score)
    except CustomRecognizerError as error:
        return str(error)
    return None


def _inside_word(folded: str, place: int) -> bool:
    return bool(place) and bool(_WORD.match(folded, place)) and bool(_WORD.match(folded, place - 1))


def _entity(entity: str) -> str:
    if _ENTITY.fullmatch(entity) is None:
        raise CustomRecognizerError(
            "entity: write 2 to 48 capital letters, digits and underscores, such as EMPLOYEE_ID"
        )
    return entity


def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return compile_bounded(pattern)
    except PatternError as error:
        raise CustomRecognizerError(str(error)) from None


def _context(words: Sequence[str]) -> re.Pattern[str] | None:
    if len(words) > MAX_CONTEXT_WORDS:
        raise CustomRecognizerError(f"context: at most {MAX_CONTEXT_WORDS} words")
    folded = [FoldedText(word).lowered.strip() for word in words]
    if any(not 0 < len(word) <= MAX_CONTEXT_CHARS for word in folded):
        raise CustomRecognizerError(f"context: each word has 1 to {MAX_CONTEXT_CHARS} characters")
    return re.compile("|".join(map(re.escape, folded))) if folded else None


def _checksum(name: str) -> Callable[[str], bool] | None:
    if name and name not in BY_NAME:
        raise CustomRecognizerError(f"checksum: unknown name {name!r}; known are {', '.join(sorted(BY_NAME))}")
    return BY_NAME[name] if name else None


def _score(score: float) -> float:
    if not 0.0 <= score <= 1.0:
        raise CustomRecognizerError("score: must lie between 0 and 1")
    return score or DEFAULT_SCORE
