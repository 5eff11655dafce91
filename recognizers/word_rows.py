"""Which row of a table a word has, for half a million words in three megabytes.

Strategy: words are kept as sorted 32-bit checksums (CRC-32 of UTF-8) beside their rows; a look-up is a binary search.
Guarantees: a word that was put in is found, unless another with the same checksum came before it.
Limits: of words that were not put in, one in ten thousand is taken for one that was.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NONE = 0


@dataclass(frozen=True, slots=True)
class WordRows:
    """`keys` ascending checksums, `rows` the row of each; row 0 stands for none."""

    keys: array[int]
    rows: array[int]

    @classmethod
    def of(cls, words: Iterable[tuple[str, int]]) -> WordRows:
        """From words and rows, the most important first: of two with one checksum the first stays."""
        found: dict[int, int] = {}
        for word, row in words:
            found.setdefault(checksum(word), row)
        ordered = sorted(found)
        return cls(array("I", ordered), array("H", [found[key] for key in ordered]))

    @classmethod
    def read(cls, steps: npt.NDArray[np.uint32], rows: npt.NDArray[np.uint16]) -> WordRows:
        """From the arrays that `arrays` made."""
        keys = np.cumsum(steps, dtype=np.uint64).astype(np.uint32)
        return cls(array("I", keys.tobytes()), array("H", rows.astype(np.uint16).tobytes()))

    def arrays(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
        """Distances from key to key (they compress, keys do not) and rows."""
        keys = np.asarray(self.keys, np.uint32)
        return np.diff(keys, prepend=np.uint32(0)).astype(np.uint32), np.asarray(self.rows, np.uint16)

    def find(self, *words: str) -> int:
        """The row of the first of `words` that has one, else `NONE`."""
        for word in words:
            key = checksum(word)
            place = bisect_left(self.keys, key)
            if place < len(self.keys) and self.keys[place] == key:
                return self.rows[place]
        return NONE


def checksum(word: str) -> int:
    """The key of a word."""
    return zlib.crc32(word.encode())
