"""Helpers for tests of one recognizer."""

from __future__ import annotations

import re

from recognizers.base import Finder
from recognizers.folded import FoldedText
from recognizers.overlap import resolve

THRESHOLD = 0.5
_MARK = re.compile("⟦(.*?)⟧", re.DOTALL)


def expected(marked: str) -> tuple[str, list[str]]:
    """The text without its marks, and what is marked in it."""
    return _MARK.sub(r"\1", marked), _MARK.findall(marked)


def found(finder: Finder, text: str) -> list[str]:
    """What `finder` reports in `text` at the default threshold, overlaps resolved, in order."""
    return [
        text[one.start : one.end]
        for one in resolve((one for one in finder.find(FoldedText(text)) if one.score >= THRESHOLD), text)
    ]
