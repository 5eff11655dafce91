"""ADDRESS: Japanese addresses from the postal code to the room, English and romanised ones, and those read out in kana.

Strategy: the gazetteer gives every municipality in the text; from each the grammar reads forward (town, block, building)
and backward (county, prefecture, postal code). Where no municipality stands, a known town before an unmistakable block,
大字/字, or an address label may start one. Prose about a place has no block number, so it stays.
Source: see `places` and `address_grammar`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from recognizers.address_grammar import AZA, BUILDING, KYOTO_TOWN, ONLY_BLOCK, SEGMENT, TOWN_ONLY, judge_block, prefix
from recognizers.context import field_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.places import Place, Places, places
from recognizers.spaced import spaced_lines

ENTITY = "ADDRESS"
_LINK = re.compile(r"(?:の?、?|/| {1,2}|\n|<br ?/?>)")
_PROSE = re.compile(
    r"^ ?[のはをにでへともや、]|[はをへ]|から|まで|より|です|ます|した|って|けど|には|では|とは|での|への|という|など|ため|道道|国道|県道|府道|都道|市道|号線|による|について|(?:祭り?|まつり|フェスタ?|マラソン|大会|計画|ビジョン|プラン|展|博)$|条例|規則|告示|訓令"
)
# The first character comes before what tells which it was, here and below: so the search can skip by character class.
_LONE = re.compile(
    r"[丁番0-9](?:(?<=丁)目|(?<=[0-9])[-ー][0-9]{1,4}[-ー][0-9]|(?<=[0-9])の[0-9]{1,4}の[0-9]|(?<=番)地|(?<=番)[0-9]{1,3}号|(?<=町[0-9])[0-9]{0,3}-[0-9])"
)
_CJK_RUN = re.compile(r"[々ヶ一-龠ぁ-んァ-ンー]{2,12}$")
_LABEL = re.compile(
    r"(?:住所[0-9]?|居所|居住地|住居地|本籍|所在地?|届け?先|送付先|自宅|実家|地番(?<![0-9〇一二三四五六七八九十]..)|番地(?<![0-9〇一二三四五六七八九十]..)|建物名?|line[0-9]|address_?[0-9]?|addr|jusho_?[0-9]?|juusho)"
    r"(?:\([^()\n]{1,8}\))?[\"')」]{0,2}(?: ?[:=は|,] ?| {1,2})[\"'「]?"
)
_PARTIAL = re.compile(r"[^\s,\"'<>|;、。()「」]{0,16}[0-9][^\s,\"'<>|;、。()「」]{0,16}")
# 建物 98.12㎡, 建物 築20年 and 建物:3階建て describe a house.
_MEASURE = re.compile(
    r"[^ ]{0,8}?[0-9.,]+ ?(?:㎡|m2|m²|平米|平方|坪|階建|F建|年|棟|戸|円|万|億|件|%)|築|(?:木造|鉄骨|RC)"
)
_PARTIAL_LABEL = re.compile(r"番地|地番|建物|line[2-9]|address_?[2-9]|住所[2-9]")
_VCARD = re.compile(r"\bADR[^:\n]{0,40}:;{0,2}(?P<value>[^\n]{5,160})")
# おたや町241: a short name that ends as towns do; places of business and seasons do not stand before a number so.
_NEIGHBOURHOOD = re.compile(
    "(?![のはがをにでとへもやか])(?:[ぁ-ん]{2,6}|[ァ-ヶー]{2,6}|[一-龠々]{1,4})[町丁](?<!城下町)(?<!宿場町)(?<!門前町)(?<!温泉町)(?<!下町)(?<!の町)"
)
_SAME = re.compile(
    "同(?:[都府県](?=[一-龠])[一-龠ぁ-んヶ]{1,5}?[市区町村]|[市区町村])(?!立(?![一-龠]{1,3}[町丁])|[内民長営議])"
)
_KYOTO = re.compile("[上下](?:る|ル)|[東西]入")
# A town and its 丁目 alone is where a crossing, a station or a society is; people's homes have more numbers.
_CHOME_ONLY = re.compile("[0-9〇一二三四五六七八九十]{1,3}丁目")
_TO_CHOME = re.compile("(?:から|[~・、と-])[0-9〇一二三四五六七八九十]{1,3}丁目")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_SEGMENTS = 5
# 練馬の豊玉上…: how people call their city.
_CITY_BEFORE = re.compile("(?<![一-龠])(?P<name>[一-龠ヶ]{2,4})の\\Z")
# How people say it: 岡山市の、北区の表町のほうの….
_FILLER = re.compile(r"^の、?|(?:なん)?です(?:けど|けれど|が|ね)?、?$|っていう?(?:ところ)?(?:の|が)?$|の、?$")

Span = tuple[int, int, float]


class AddressFinder:
    """Addresses in Japanese writing."""

    entities = frozenset({ENTITY})
    name = "address"

    def __init__(self, gazetteer: Places) -> None:
        self._places = gazetteer
        self._prefix = prefix(gazetteer.prefectures)
        self._unknown = re.compile(f"(?:{'|'.join(gazetteer.prefectures)})(?P<city>[一-龠ヶ]{{1,5}}?[市区町村])")
        self._former = re.compile(
            f"(?:(?<![一-龠])|(?<=住所|本籍|原籍|所在))(?!住所|本籍|原籍|所在)(?:{'|'.join(gazetteer.prefectures)})?[一-龠ヶ]{{1,4}}[市郡](?:[一-龠ヶ]{{1,5}}?[区町村])?[一-龠ヶ]{{0,5}}$"
        )

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        for start, end, score in self._spans(text):
            yield text.finding(start, end, ENTITY, score, self.name)
        for line in spaced_lines(text.folded):
            for start, end, score in self._spans(FoldedText(line.text)):
                yield text.finding(*line.span(start, end), ENTITY, score, self.name)

    def _spans(self, text: FoldedText) -> Iterator[Span]:
        covered, starts = 0, list[int]()
        for place in _chains(self._municipalities(text), text.modern):
            if place.start >= covered:
                for start, end, score in self._from_place(text, place):
                    covered = end
                    starts.append(start)
                    yield start, end, score
        yield from self._lone_towns(text)
        yield from self._aza(text)
        yield from self._labelled(text, starts)
        if "同" in text.modern:
            yield from self._same_place(text)

    def _municipalities(self, text: FoldedText) -> list[Place]:
        """Those of the gazetteer, and what stands behind a prefecture like one: misspelt, of old, or invented."""
        known = self._places.municipalities(text)
        starts = [place.start for place in known]
        others: list[Place] = []
        for match in self._unknown.finditer(text.modern):
            before = bisect_left(starts, match.end())
            if not before or known[before - 1].end <= match.start():
                others.append(Place(*match.span("city"), whole=True))
        return sorted([*known, *others]) if others else known

    def _from_place(self, text: FoldedText, place: Place) -> Iterator[Span]:
        start, whole = self._start(text.modern, place)
        end, score = self._forward(text, place.end, whole=whole, sure=start < place.start)
        if score == 0.0:
            end, score = self._without_block(text, start, place, whole=whole)
        if score:
            yield start, end, score

    def _start(self, modern: str, place: Place) -> tuple[int, bool]:
        first = max(0, place.start - 40)
        match = self._prefix.search(modern, first, place.start)
        if match is None:
            return place.start, place.whole
        return match.start(), place.whole or match["prefecture"] is not None

    def _forward(self, text: FoldedText, start: int, *, whole: bool, sure: bool) -> tuple[int, float]:
        """End and score of town, blocks and building after a municipality; score 0 when there is no block."""
        end, best = start, -1
        for _ in range(_SEGMENTS):
            match = SEGMENT.match(text.modern, end)
            if match is None:
                break
            strength = judge_block(text.modern, *match.span("block"))
            if strength == 0 and match["town"].rstrip(" \"'").endswith((",", "\t")):
                break
            town = self._town_quality(match["town"])
            apart = bool(match["town"]) and not match["town"].strip()
            if strength < 0 or town < 0 or (best >= 0 and _ended(match, strength, apart=apart)):
                break
            # Two cities and their score: a city's number stands behind a town.
            if apart and best < 0 and strength < 2 and text.modern[end - 1] in "市区":
                break
            if strength == 0 and town < 2 and not (sure and _plot(match)) and not self._vouched(text, start, match):
                break
            best = max(best, strength)
            end = match.end()
        if best < 0:
            return start, 0.0
        turn = KYOTO_TOWN.match(text.modern, end)
        return _building(text.modern, turn.end() if turn else end), (0.8, 0.9, 0.95)[best] - (0.0 if whole else 0.05)

    def _vouched(self, text: FoldedText, start: int, match: re.Match[str]) -> bool:
        """Whether a bare number after a town nobody knows is a block: under an address label, or before a building."""
        if len(match["town"]) > 8 or "番" in match["town"]:
            return False
        if _NEIGHBOURHOOD.fullmatch(match["town"]) and not _YEAR.fullmatch(match["block"]):
            return True
        building = BUILDING.match(text.modern, match.end())
        if building is not None and building.end() - match.end() > 4:
            return True
        field = field_of(text, start, match.end())
        return field.kind == ENTITY and field.strength >= 0.95 and len(match["block"]) > 1

    def _town_quality(self, town: str) -> int:
        """2 a known town, 1 may be one, -1 prose."""
        name = town.strip("、, \n").replace(" ", "")
        if ("字" in name or _KYOTO.search(name)) and not _PROSE.search(name):
            return 2
        if name.startswith("の") or "です" in name or "って" in name:
            said = _FILLER.sub("", _FILLER.sub("", name))
            last = said[said.rfind("の") + 1 :]
            return 1 if len(last) > 1 and self._places.longest_town(last) == len(last) else -1
        known = self._places.longest_town(name)
        if known and not _PROSE.search(name, known):
            return 2
        return -1 if name and _PROSE.search(name) else 1

    def _without_block(self, text: FoldedText, start: int, place: Place, *, whole: bool) -> tuple[int, float]:
        """Prefecture, city and a known town right after an address label."""
        match = TOWN_ONLY.match(text.modern, place.end)
        known = self._places.longest_town(match.group()) if match else 0
        if not known or not whole:
            return 0, 0.0
        end = place.end + known
        aza = AZA.match(text.modern, end) or re.compile("字[一-龠]{1,6}").match(text.modern, end)
        if aza is not None:
            return aza.end(), 0.8
        field = field_of(text, start, end)
        return end, 0.8 if field.kind == ENTITY and field.strength >= 0.75 else 0.0

    def _lone_towns(self, text: FoldedText) -> Iterator[Span]:
        """A known town with an unmistakable block and no municipality before it."""
        for mark in _LONE.finditer(text.modern):
            start = _block_start(text.modern, mark.start())
            run = _CJK_RUN.search(text.modern, max(0, start - 12), start)
            size = self._places.town_before(run.group()) if run else 0
            block = ONLY_BLOCK.match(text.modern, start) if size else None
            if block is None:
                continue
            end = block.end()
            only = _CHOME_ONLY.fullmatch(text.modern, start, end)
            if only and (_TO_CHOME.match(text.modern, end) or field_of(text, start, end).kind != ENTITY):
                continue
            strength = judge_block(text.modern, start, end)
            if strength == 2 or (strength == 1 and text.modern[start - 1] == "町"):
                first = self._older(text.modern, start - size)
                yield first, _building(text.modern, end), (0.0, 0.6, 0.75)[strength]

    def _aza(self, text: FoldedText) -> Iterator[Span]:
        """大字 and 字 with a number; without one under an address label, or in a list of such."""
        if "字" not in text.modern:
            return
        bare: list[tuple[int, int]] = []
        numbered = False
        for match in AZA.finditer(text.modern):
            block = SEGMENT.match(text.modern, match.end())
            apart = block is not None and block["town"][:1].isspace()
            if (
                block is not None
                and judge_block(text.modern, *block.span("block")) >= apart
                and len(block["town"]) < 12
            ):
                numbered = True
                yield self._older(text.modern, match.start()), _building(text.modern, block.end()), 0.85
            else:
                bare.append(match.span())
        for start, end in bare:
            if numbered or field_of(text, start, end).kind == ENTITY:
                yield start, _building(text.modern, end), 0.7

    def _older(self, modern: str, start: int) -> int:
        """Where a city or county begins that stands before `start` and is no more, or not yet, in the gazetteer."""
        city = _CITY_BEFORE.search(modern, max(0, start - 5), start)
        if city is not None and self._places.is_city(city["name"]):
            return city.start()
        match = self._former.search(modern, max(0, start - 24), start)
        return match.start() if match else start

    def _same_place(self, text: FoldedText) -> Iterator[Span]:
        """同市本町1-2: the municipality was named before."""
        for same in _SAME.finditer(text.modern):
            match = SEGMENT.match(text.modern, same.end())
            if match is None or not match["town"].strip() or _PROSE.search(match["town"]) or "\n" in match["town"]:
                continue
            if judge_block(text.modern, *match.span("block")) >= 1:
                yield same.start(), _building(text.modern, match.end()), 0.75

    def _labelled(self, text: FoldedText, starts: Sequence[int]) -> Iterator[Span]:
        """A town nobody knows, or a part of an address alone in its field, right after an address label.

        Where an address was found to start a little later (住所は変わらず、…), what is before it is none.
        """
        for label in _LABEL.finditer(text.modern):
            match = SEGMENT.match(text.modern, label.end())
            if match is not None and judge_block(text.modern, *match.span("block")) >= 1:
                later = any(label.end() < start < match.end() for start in starts)
                if not later and not _PROSE.search(match["town"]) and "\n" not in match["town"]:
                    yield label.end(), _building(text.modern, match.end()), 0.75
            elif _PARTIAL_LABEL.search(label.group()):
                value = _PARTIAL.match(text.modern, label.end())
                if value is not None and not _MEASURE.match(text.modern, label.end()):
                    yield *value.span(), 0.7
        if "ADR" in text.folded:
            yield from ((*match.span("value"), 0.9) for match in _VCARD.finditer(text.folded))


def _chains(found: list[Place], modern: str) -> Iterator[Place]:
    """Municipalities, a city and its ward written apart joined into one."""
    pending: Place | None = None
    for place in found:
        if pending is not None and _LINK.fullmatch(modern, pending.end, place.start):
            pending = Place(pending.start, place.end, whole=True)
            continue
        if pending is not None:
            yield pending
        pending = place
    if pending is not None:
        yield pending


def _plot(match: re.Match[str]) -> bool:
    """Whether a bare number after prefecture, city and a name is of a plot: three digits at least, and no year."""
    named = (
        re.fullmatch("[一-龠々ヶ]{1,4}[町字][一-龠々ァ-ヶ]{0,4}|[一-龠々ヶ]{2,4}|[ァ-ヶ]{2,6}", match["town"])
        is not None
    )
    return named and len(match["block"]) > 2 and match["block"].isdigit() and not _YEAR.fullmatch(match["block"])


def _ended(match: re.Match[str], strength: int, *, apart: bool) -> bool:
    """Whether a further segment is none: a bare number, but for one in Kyoto's manner, or one that stands alone."""
    return apart or (strength == 0 and _KYOTO.search(match["town"]) is None)


def _block_start(modern: str, place: int) -> int:
    """Where the number begins that covers `place`."""
    start = place
    while (
        start > 0
        and place - start < 8
        and (modern[start - 1] in "0123456789" or modern[start - 1] in "〇一二三四五六七八九十-")
    ):
        start -= 1
    return start


def _building(modern: str, end: int) -> int:
    match = BUILDING.match(modern, end)
    return match.end() if match else end


def load() -> AddressFinder:
    """The finder, with the gazetteer in memory."""
    return AddressFinder(places())
