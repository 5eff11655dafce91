"""Hiragana to romaji: the spellings that people use for names in Latin letters.

Hepburn is the base. Long vowels have several habits (`Sato`, `Satou`, `Satoh`; `Oota`, `Ota`, `Ohta`), so
`romanise` returns a small set. Not a general transliterator: readings of names only. Source: Hepburn table of
the passport office.
"""

from __future__ import annotations

import re

# Rows of the kana table: kana, then the spellings in the same order.
_ROWS = (
    ("あいうえお", "a i u e o"), ("かきくけこ", "ka ki ku ke ko"), ("さしすせそ", "sa shi su se so"),
    ("たちつてと", "ta chi tsu te to"), ("なにぬねの", "na ni nu ne no"), ("はひふへほ", "ha hi fu he ho"),
    ("まみむめも", "ma mi mu me mo"), ("やゆよ", "ya yu yo"), ("らりるれろ", "ra ri ru re ro"),
    ("わゐゑをん", "wa i e o n"), ("がぎぐげご", "ga gi gu ge go"), ("ざじずぜぞ", "za ji zu ze zo"),
    ("だぢづでど", "da ji zu de do"), ("ばびぶべぼ", "ba bi bu be bo"), ("ぱぴぷぺぽ", "pa pi pu pe po"),
    ("ゔぁぃぅぇぉゎ", "vu a i u e o wa"),
)  # fmt: skip
_BASE = {kana: latin for row, spellings in _ROWS for kana, latin in zip(row, spellings.split(), strict=True)}
_GLIDES = {"ゃ": "a", "ゅ": "u", "ょ": "o"}


def spell(kana: str) -> str:
    """Plain Hepburn, long vowels written out: `さとう` → `satou`. Unknown characters are dropped."""
    out: list[str] = []
    double = False
    for char in kana:
        if char == "っ":
            double = True
            continue
        if char in _GLIDES and out:
            out[-1] = _glide(out[-1], _GLIDES[char])
            continue
        syllable = _BASE.get(char, "")
        if double and syllable:
            syllable = ("t" if syllable.startswith("ch") else syllable[0]) + syllable
        double = False
        out.append(syllable)
    return "".join(out)


def _glide(syllable: str, vowel: str) -> str:
    stem = syllable[:-1]
    return stem + vowel if stem.endswith(("sh", "ch", "j")) else stem + "y" + vowel


def plain(kana: str) -> str:
    """Hepburn without long vowels, as signs and maps write it: `とうきょう` → tokyo."""
    return re.sub(r"ou|oo", "o", spell(kana)).replace("uu", "u")


def romanise(kana: str) -> set[str]:
    """All usual spellings of a reading, lower case: `おおの` → ohno, oono, ono."""
    full = spell(kana)
    short = plain(kana)
    forms = {full, short}
    if short != full:
        forms.add(re.sub(r"ou|oo", "oh", full).replace("uu", "u"))
    forms |= {re.sub(r"n(?=[bmp])", "m", form) for form in forms}
    return {form for form in forms if form}
