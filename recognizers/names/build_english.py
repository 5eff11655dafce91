"""Makes `english.txt.gz`: ordinary English words, which are seldom anybody's name even with a capital letter.

Run by hand with SCOWL's American list, Debian's package `wamerican`::

    python -m recognizers.names.build_english /usr/share/dict/american-english

Kept are words in small letters, of three letters or more. Licence: `SCOWL.txt`.
Format: gzip, UTF-8, one word a line, sorted.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from recognizers.names import ENGLISH

_WORD = re.compile("[a-z]{3,20}")


def words(lines: Iterable[str]) -> list[str]:
    """The words kept, sorted."""
    return sorted({line for line in map(str.strip, lines) if _WORD.fullmatch(line)})


def main(source: str) -> None:
    """Write `english.txt.gz`; the same input gives the same bytes."""
    found = words(Path(source).read_text(encoding="utf-8").splitlines())
    ENGLISH.write_bytes(gzip.compress("\n".join(found).encode() + b"\n", 9, mtime=0))
    sys.stdout.write(f"{ENGLISH.name}: {ENGLISH.stat().st_size} bytes, {len(found)} words\n")


if __name__ == "__main__":
    main(sys.argv[1])
