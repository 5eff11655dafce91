"""Where a name really ends, where the morphemes do not: `Yuki.O` is three of them, うらら may be うら and ら.

Strategy: a few signs right behind what the tagger found, and the suffixes that belong to a given name or do not.
Guarantees: pure, bounded look-ahead (three characters), never shorter than one character.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from recognizers.names import to_hiragana

# Yuki|.O, Yuki.|O: one capital after a point, and nothing of a domain or a call after it.
_INITIAL = re.compile(r"(?:\.|(?<=[a-z]\.))[A-Z](?![A-Za-z0-9(]|\.[A-Za-z])")
# One kana more before a space, a mark or the end of the line; particles and endings of sentences are none.
_KANA = re.compile(r"(?<=[ぁ-ん])[いうえおきくけこすせそちつねぬひふほまみむめゆらりるれろ](?=[\s,、。)」/|]|$)")
# ちゃんと is an adverb to the dictionary: こはる|ちゃんと.
_FUSED = re.compile("(?:ちゃんと?|くん)$")


def end_of(folded: str, start: int, end: int, given_kana: AbstractSet[str]) -> int:
    """The end, in folded offsets, of the name found from `start` to `end`; `given_kana` are given names in hiragana.

    Without the ちゃん or くん that went with a given name; a nickname made with one keeps it.
    """
    longer = _INITIAL.match(folded, end) or _KANA.match(folded, end)
    if longer is not None:
        return longer.end()
    fused = _FUSED.search(folded, start, end)
    if fused is None or to_hiragana(folded[start : fused.start()]) not in given_kana:
        return end
    return fused.start()
