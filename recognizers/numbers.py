"""Numbers first, meaning second: every way of writing a digit string, read once for all recognizers.

Three writings give the same value: ASCII digits in groups (`090-1234 5678`, `0 9 0 - 1 …`, with O, l and I for 0 and
1 where a scanner put them), kanji digits (`〇九〇の一二三四`), and spoken ones (`ゼロキュウゼロの、イチニ…`). A `Number` is
a maximal stretch; `readings` adds the parts of it that stand between spaces, since two numbers may stand side by side.

Bounded: a stretch has at most 24 groups of at most 24 digits. Atomic groups everywhere, so time is linear; no group is
repeated possessively, for Python before 3.11.5 gets that wrong (gh-106052).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

from recognizers.english_digits import english_digits
from recognizers.folded import FoldedText

MAX_GROUPS = 24
MAX_RUN = 4
MAX_PART = 19
_LEADS = frozenset({"+", "(", "+(", "(+", "(+("})
_CUTS = frozenset(" ~の、()")

_DIGIT = re.compile("[0-9]")
_D = "[0-9OoIl]"
# A line may break after a hyphen; scanned boxes stand between single digits only.
_JOIN = (
    r"(?>[ -]?\(| ?[-ー~](?:\n| {0,2})| ?\)[ -]?\(?| {1,2}|\.{1,3}|…|[_・]|の、? ?|、?(?:ハイフン|はいふん)、?|、 ?"
    r"|(?<=[^0-9OoIl][0-9OoIl]) ?[|│] ?(?=[0-9OoIl](?![0-9OoIl])))"
)
_PLAIN = re.compile(
    # The first character comes before what must stand left of it, so that the search can skip by character class.
    rf"(?:\(?\+\(?|\()?{_D}(?:(?<=[+(]{_D})|(?<![0-9A-Za-z].)|(?<=[Tt][Ee][Ll].)|(?<=[Ff][Aa][Xx].)|(?<=[Nn][Oo].)|(?<=[\s(|/・][TF].)|(?<=\A[TF].))"
    rf"{_D}{{0,23}}+(?>(?:{_JOIN}{_D}{{1,24}}+(?![A-Za-z])){{0,{MAX_GROUPS - 1}}})\)?+(?![0-9A-Za-z])"
)
_K = "[〇零一二三四五六七八九壱弐参]"
_KANJI = re.compile(
    rf"{_K}{{1,24}}+(?>(?:(?> ?[-ー~] ?|[のノ]、?|、?ハイフン、?|、| {{1,2}}){_K}{{1,24}}+){{0,{MAX_GROUPS - 1}}})"
)
_FROM_KANJI = str.maketrans("〇零一二三四五六七八九壱弐参OoIl", "00123456789123" + "0011")
_PLACEHOLDER = re.compile("[〇 、の~ー-]+")
_COUNTER = re.compile(
    r" ?(?:[円年月日歳才%人件個台回時分秒条項章階位度万億千本枚冊頁番]|名(?!義|前)|パーセント|つ|か月|ヶ月|か所|,[0-9]{3}(?![0-9])|\.[0-9])"
)
_GROUP = re.compile(f"{_D}+|{_K}+")

_SPOKEN_DIGITS = {
    "ぜろ": "0", "れい": "0", "まる": "0", "おー": "0", "いち": "1", "にい": "2", "にー": "2", "に": "2", "さん": "3", "よん": "4",
    "ごー": "5", "ごお": "5", "ご": "5", "ろく": "6", "なな": "7", "しち": "7", "はち": "8",
    "きゅう": "9", "きゅー": "9",
}  # fmt: skip
_KATAKANA = {code: chr(code + 0x60) for code in range(ord("ぁ"), ord("ん") + 1)}
_HIRAGANA_WORD = "(?>" + "|".join(sorted(_SPOKEN_DIGITS, key=len, reverse=True)) + ")"
# "にいち" is 2 1, and the に of になりました is a particle.
_HIRAGANA_WORD = _HIRAGANA_WORD.replace("にい", "にい(?!ち)").replace(
    "|に|", "|に(?!な[りっ]|は[、 ]|て|し[てま]|変|つい)|"
)
_KATAKANA_WORD = _HIRAGANA_WORD.translate(_KATAKANA)
_SPOKEN_DIGITS |= {word.translate(_KATAKANA): digit for word, digit in _SPOKEN_DIGITS.items()}
_PAUSE = "(?>[ 、,・]{0,2}(?:[のノ]|ハイフン|はいふん)[ 、,]{0,2}|[ 、,・]{0,2})"
# One script per number: what follows a number in the other one is prose.
_SPOKEN = re.compile(
    f"{_HIRAGANA_WORD}(?>(?:{_PAUSE}{_HIRAGANA_WORD}){{1,40}})|{_KATAKANA_WORD}(?>(?:{_PAUSE}{_KATAKANA_WORD}){{1,40}})"
)
# A spoken number lies within a run of the characters its words and pauses are made of; four is the least that counts.
# Two more are enough for what a word must not be followed by.
_SPOKEN_RUN = re.compile(
    f"[{''.join(sorted(set(''.join(_SPOKEN_DIGITS)) | set('のノハイフンはいふん 、,・')))}]{{4,}}+"
)
_SPOKEN_AHEAD = 2
_GOES_ON = re.compile("[のノ]?[、 ]{0,2}")
_WORD = f"(?>{_HIRAGANA_WORD}|{_KATAKANA_WORD})"
_SPOKEN_GROUP = re.compile(rf"(?>{_WORD}(?:[ 、,・]{{0,2}}(?={_WORD}))?)+")
_SPOKEN_WORD = re.compile(_WORD)


class Number(NamedTuple):
    """A digit string in the text: folded offsets, digits as ASCII, count of digits per group, what joins the groups.

    `joins` has one character per gap: '-' for any hyphen, ' ' for spaces, otherwise the mark itself.
    `style` is 'plain', 'kanji' or 'spoken'. `international` is true after a plus sign.
    """

    start: int
    end: int
    digits: str
    groups: tuple[int, ...]
    joins: str
    style: str
    international: bool = False


class _Piece(NamedTuple):
    start: int
    end: int
    digits: str


def has_digits(text: FoldedText) -> bool:
    """Whether there is a digit anywhere, as there is in most identifiers; asked before they are looked for."""
    return text.view(_any_digit)


def _any_digit(text: FoldedText) -> bool:
    return _DIGIT.search(text.folded) is not None


def numbers(text: FoldedText) -> list[Number]:
    """Maximal digit stretches, sorted by start; at least one true digit (two kanji, three spoken) each."""
    plain = _plain(text.folded) if has_digits(text) else ()
    found = [*plain, *_kanji(text.folded), *_english(text.lowered)]
    spoken = list(_spoken(text.folded))
    return sorted([*found, *spoken, *_mixed(text.folded, [*found, *spoken])]) if spoken else sorted(found)


def readings(text: FoldedText) -> dict[int, list[Number]]:
    """Every number and every part of one that stands between spaces, by count of digits."""
    by_length: dict[int, list[Number]] = {}
    for number in text.view(numbers):
        by_length.setdefault(len(number.digits), []).append(number)
        for part in _parts(number, text.folded) if number.joins else ():
            by_length.setdefault(len(part.digits), []).append(part)
    return by_length


def of_lengths(text: FoldedText, *lengths: int) -> Iterator[Number]:
    """All readings that have one of these counts of digits."""
    by_length = text.view(readings)
    for length in lengths:
        yield from by_length.get(length, ())


def counted(folded: str, number: Number) -> bool:
    """Whether the number is an amount, a date part or an ordinal: 14,190, 49条, 第12."""
    before = folded[max(0, number.start - 2) : number.start]
    if before.endswith(("第", "¥", "$", "約")) or (before.endswith(",") and before[0].isdigit()):
        return True
    return _COUNTER.match(folded, number.end) is not None


def tied(folded: str, number: Number) -> bool:
    """Whether the number is the tail of a longer identifier: OSK-07-2501, build/4711, #1182."""
    before = folded[max(0, number.start - 2) : number.start]
    if before.endswith("#"):
        return True
    if len(before) < 2 or not (before[0].isascii() and before[0].isalnum()):
        return False
    # After a letter a point ends a word ("Tel.03-…").
    return before[1] in "-_/" or (before[1] == "." and before[0].isdigit())


def _plain(folded: str) -> Iterator[Number]:
    for match in _PLAIN.finditer(folded):
        digits = match.group()
        if digits.isdigit():
            yield Number(*match.span(), digits, (len(digits),), "", "plain")
            continue
        pieces = _trimmed(_pieces(folded, match.start(), match.end(), _GROUP), folded)
        if pieces:
            lead = folded[match.start() : pieces[0].start]
            lead = lead if lead in _LEADS else ""
            kept = lead if ")" in match.group() else lead.strip("(")
            number = _number(folded, pieces, "plain", "+" in lead)
            closed = folded[number.end : number.end + 1] == ")" and "(" in folded[number.start : number.end]
            yield number._replace(start=number.start - len(kept), end=number.end + closed)


def _kanji(folded: str) -> Iterator[Number]:
    for match in _KANJI.finditer(folded):
        if match.end() - match.start() > 1 and not _PLACEHOLDER.fullmatch(match.group()):
            yield _number(folded, _pieces(folded, match.start(), match.end(), _GROUP), "kanji", False)


def _spoken(folded: str) -> Iterator[Number]:
    for run in _SPOKEN_RUN.finditer(folded):
        yield from _spoken_within(folded, run.start(), run.end() + _SPOKEN_AHEAD)


def _english(lowered: str) -> Iterator[Number]:
    for said in english_digits(lowered):
        yield Number(said.start, said.end, said.digits, (len(said.digits),), "", "spoken")


def _mixed(folded: str, found: list[Number]) -> Iterator[Number]:
    """A number begun in words and gone on with in digits or in the other kana: ゼロキューゼロの七七二八の…."""
    run: list[Number] = []
    for number in [*sorted(found), None]:
        if number is not None and run and _GOES_ON.fullmatch(folded, run[-1].end, number.start):
            run.append(number)
            continue
        if 1 < len(run) <= MAX_GROUPS and any(part.style == "spoken" for part in run):
            groups = tuple(len(part.digits) for part in run)
            digits = "".join(part.digits for part in run)
            yield Number(run[0].start, run[-1].end, digits, groups, "-" * (len(run) - 1), "spoken")
        run = [] if number is None else [number]


def _spoken_within(folded: str, first: int, last: int) -> Iterator[Number]:
    for match in _SPOKEN.finditer(folded, first, last):
        if match.end() - match.start() < 4:
            continue
        pieces = [
            _Piece(
                group.start(),
                group.end(),
                "".join(map(_SPOKEN_DIGITS.__getitem__, _SPOKEN_WORD.findall(group.group()))),
            )
            for group in _SPOKEN_GROUP.finditer(folded, match.start(), match.end())
        ]
        if sum(len(piece.digits) for piece in pieces) > 2:
            yield _number(folded, pieces, "spoken", False)


def _pieces(folded: str, start: int, end: int, pattern: re.Pattern[str]) -> list[_Piece]:
    return [
        _Piece(group.start(), group.end(), group.group().translate(_FROM_KANJI))
        for group in pattern.finditer(folded, start, end)
    ]


def _trimmed(pieces: list[_Piece], folded: str) -> list[_Piece]:
    """Without edge groups that are letters only ('I 10'), unless a hyphen ties them to a number ('OOO-1187')."""
    if folded[pieces[0].start : pieces[-1].end].isdigit() or _scanned(pieces, folded):
        return pieces
    while pieces and _is_word(pieces[0], folded) and not _tied(pieces, 0, folded):
        pieces = pieces[1:]
    while pieces and _is_word(pieces[-1], folded) and not _tied(pieces, len(pieces) - 2, folded):
        pieces = pieces[:-1]
    return pieces


def _scanned(pieces: list[_Piece], folded: str) -> bool:
    """Whether single characters stand apart, more digits than letters: `O 6 l 2 7 3 8`."""
    words = sum(_is_word(piece, folded) for piece in pieces)
    return len(pieces) >= 6 and 2 * words < len(pieces) and all(piece.end - piece.start == 1 for piece in pieces)


def _is_word(piece: _Piece, folded: str) -> bool:
    return not any("0" <= character <= "9" for character in folded[piece.start : piece.end])


def _tied(pieces: list[_Piece], gap: int, folded: str) -> bool:
    if not 0 <= gap < len(pieces) - 1:
        return False
    has_digit = any(not _is_word(piece, folded) for piece in pieces)
    return has_digit and folded[pieces[gap].end : pieces[gap + 1].start].strip() != ""


def _number(folded: str, pieces: list[_Piece], style: str, plus: bool) -> Number:
    joins = "".join(_join(folded[left.end : right.start]) for left, right in pairwise(pieces))
    digits = "".join(piece.digits for piece in pieces)
    groups = tuple(len(piece.digits) for piece in pieces)
    return Number(pieces[0].start, pieces[-1].end, digits, groups, joins, style, plus)


def _join(gap: str) -> str:
    mark = gap.strip()[:1]
    if not mark:
        return " "
    if mark in "-ーハは":
        return "-"
    return " " if mark in "|│" else mark


def _parts(number: Number, folded: str) -> Iterator[Number]:
    """Runs of at most four stretches between cuts; digit-by-digit writing is one number and stays whole."""
    if number.style == "spoken" or max(number.groups) == 1 or not _CUTS.intersection(number.joins):
        return
    edges = [match.span() for match in _GROUP.finditer(folded, number.start, number.end)]
    cuts = [0, *(index + 1 for index, join in enumerate(number.joins) if join in _CUTS), len(edges)]
    digits = [0, *accumulate(number.groups)]
    for run in range(1, min(MAX_RUN, len(cuts) - 2) + 1):
        for first, last in zip(cuts, cuts[run:], strict=False):
            if digits[last] - digits[first] <= MAX_PART:
                yield Number(
                    number.start if first == 0 else edges[first][0],
                    edges[last - 1][1],
                    number.digits[digits[first] : digits[last]],
                    number.groups[first:last],
                    number.joins[first : last - 1],
                    number.style,
                    number.international and first == 0,
                )
