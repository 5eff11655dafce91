"""The header of a table whose rows stream by: the label of a value may stand hundreds of characters before it.

Strategy: the first line of a run of lines that share a delimiter is remembered, with nothing but its text; scans of
later rows get it as a line above their window. A line counts as a header when it is short, has a delimiter and no
long digit string, and ends no sentence.
The second line takes its place when it has more cells and looks like a header too: then the first was a title or an
opening bracket. Depends on decided text only, so it is the same for every chunking.
"""

from __future__ import annotations

import re

MAX_CHARS = 240
"""Longest header, and longest row whose beginning is still scanned with its end."""

_DELIMITERS = "\t|,;"
_NO_HEADER = re.compile(r"[0-9]{3}|[。！？.!?]\s*\Z")


class Header:
    """Watches decided text go by."""

    __slots__ = ("_delimiter", "_line", "_open", "_since", "header")

    def __init__(self) -> None:
        self.header = ""
        self._delimiter = ""
        self._line = ""
        self._open = False
        self._since = 0

    @property
    def line_chars(self) -> int:
        """Decided characters of the current row; 0 when there is no table or the row is too long."""
        return len(self._line) if self.header and len(self._line) <= MAX_CHARS else 0

    def above(self, context: int) -> str:
        """The header as a line, unless the last `context` decided characters include it."""
        return self.header + "\n" if self.header and context < self._since else ""

    def advance(self, text: str) -> None:
        """Take note of decided text."""
        self._since += len(text)
        start = 0
        while (end := text.find("\n", start)) >= 0:
            self._end_line(self._line + text[start:end], len(text) - end)
            self._line = ""
            start = end + 1
        self._line = (self._line + text[start : start + MAX_CHARS + 1])[: MAX_CHARS + 1]

    def _end_line(self, line: str, behind: int) -> None:
        """A line ends, with `behind` decided characters after it."""
        if self.header and self._delimiter in line:
            self._go_on(line, behind)
            return
        self.header = ""
        self._open = True
        self._begin(line, behind)

    def _go_on(self, line: str, behind: int) -> None:
        """A further line of a table: its header, if it is the second and has more cells than the first."""
        if self._open and line.count(self._delimiter) > self.header.count(self._delimiter):
            self._begin(line, behind)
        self._open = False

    def _begin(self, line: str, behind: int) -> None:
        if len(line) <= MAX_CHARS and _NO_HEADER.search(line) is None:
            self._delimiter = next((mark for mark in _DELIMITERS if mark in line), "")
            self.header = line if self._delimiter else ""
            self._since = len(line) + behind
