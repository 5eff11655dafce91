"""ADDRESS in Latin letters: Japanese addresses in English order, and foreign ones.

Strategy: an address in Latin letters is a list of comma-separated parts. It starts at something numbered (a block, a room,
a street with its number) and is one when a later part is a Japanese administrative name (`-ku`, `-shi`, a prefecture, a
postal code) or, after a street, any place or country. It ends with the last such part.
Source: 住居表示の英語表記 (地方公共団体 examples), Universal Postal Union S42 element order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "ADDRESS"
_PLACES = (
    "Hokkaido Aomori Iwate Miyagi Akita Yamagata Fukushima Ibaraki Tochigi Gunma Saitama Chiba Tokyo Kanagawa Niigata "
    "Toyama Ishikawa Fukui Yamanashi Nagano Gifu Shizuoka Aichi Mie Shiga Kyoto Osaka Hyogo Nara Wakayama Tottori "
    "Shimane Okayama Hiroshima Yamaguchi Tokushima Kagawa Ehime Kochi Fukuoka Saga Nagasaki Kumamoto Oita Miyazaki "
    "Kagoshima Okinawa Sapporo Sendai Yokohama Kawasaki Sagamihara Hamamatsu Nagoya Sakai Kobe Kitakyushu Naha "
    "Shinjuku Shibuya Setagaya Meguro Shinagawa Toshima Suginami Nerima Itabashi Katsushika Edogawa Bunkyo"
)
_COUNTRIES = (
    "Japan|USA|United States|UK|United Kingdom|England|Scotland|Ireland|France|Germany|Italy|Spain|Portugal|Sweden|Norway"
    "|Finland|Denmark|Netherlands|Belgium|Switzerland|Austria|Poland|Canada|Australia|New Zealand|India|Indonesia|Malaysia"
    "|Singapore|Thailand|Vietnam|Viet Nam|Philippines|China|Taiwan|Hong Kong|Korea|South Korea|Brazil|Mexico|Peru|Nepal"
)
_PREFECTURES = "|".join((_PLACES + " " + _PLACES.upper()).split())
_N = "[0-9O]{1,5}"
# A line ends where a comma may stand.
_COMMA = r"(?:[,;](?![0-9]{3}\b) ?\n?|\n {0,4}(?=[A-Z0-9〒]))"
_WORD = "(?>[0-9A-Za-zÀ-ɏºª.'&-]{1,24})"
_WORDS = f"{_WORD}(?>(?: {_WORD}){{0,5}})"
_JP_POSTAL = "〒?[0-9OIl]{3}-[0-9OIl]{4}(?![-0-9])"
_STREET = (
    "(?:Pkwy|Street|Cottages?|Ct|Walk|Row|Mews|Gardens|Grove|Hill|Quay|Alley|Circle|Trail|Wharf|Park|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Place|Pl|Square|Terrace|Crescent|Close"
    "|Highway|Court|Parkway)"
)
_FOREIGN = (
    rf"P\.?O\.? ?Box [0-9]{{1,6}}|[0-9]{{1,5}}[A-Za-z]?,? (?i:rue|avenue|boulevard|bd|place|via|calle|quai|chemin) {_WORDS}"
    rf"|No\.? ?[0-9]{{1,4}}[A-Z]?, (?:Jalan|Jl\.?) {_WORDS}|(?:Jl\.|Jalan|Calle|Via|Rua|Ul\.|Rue|Av\.) (?:{_WORD},? ){{0,4}}?[0-9]{{1,5}}[A-Za-z]?"
    r"|[A-ZÀ-Þ][a-zà-ɏ]{1,24}(?:gatan|straße|strasse|str\.|vägen|väg|weg|laan|straat|gade|vej|gasse|platz) [0-9]{1,4}[A-Za-z]?"
    rf"|[0-9]{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z0-9][a-z0-9'.]{{1,20}} ){{1,3}}{_STREET}\b\.?(?: (?:Apt|Suite|Unit|#)\.? ?[0-9A-Z]{{1,6}})?"
)
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_START = (
    rf"#{_N}|(?:Room|Rm\.?|Flat|Unit|Apt\.?|Apartment|Suite) ?#?[0-9A-Z-]{{1,6}}|[0-9]{{1,2}}F"
    rf"|Blk\.? [0-9]{{1,4}}[A-Z]?|[0-9]{{1,4}}/[0-9]{{1,4}}(?= [A-Z][a-z]+ (?:Soi|Moo|Road|Rd))|{_N}(?:-{_N}){{1,4}}|{_N}-(?:jo|chome|ban)\b(?:-{_N}){{0,3}}|[0-9]{{1,5}}(?= (?:O?oaza |Oaza |Aza )?[A-Z][a-z]{{1,20}}(?:-| ?,))"
    rf"|(?:Aza|Oaza|Nishi|Higashi|Kita|Minami) [0-9A-Za-z-]{{1,24}} {_N}(?:-[0-9A-Za-z]{{1,6}}){{0,3}}"
    rf"|(?P<weak>(?!{_MONTH})[A-Z][a-z]{{1,20}}(?:-[A-Za-z][a-z]{{1,12}})? {_N}[A-Z]?(?:-[0-9A-Za-z]{{1,6}}){{0,3}})"
)
_SUFFIXED = r"[A-Z][a-zA-Z]{1,20}(?:-[A-Za-z]{1,12}){0,2}?(?:-(?:ku|shi|cho|machi|gun|ken|fu|to|son|mura|chome|jo|dori|KU|SHI|CHO|MACHI|GUN|KEN|FU|TO|SON|MURA|CHOME|JO|DORI)\b| (?:City|Ward|Prefecture|Pref\.?|Town)\b)"
_ADMINISTRATIVE = re.compile(
    rf"(?:(?:{_SUFFIXED}|(?:{_PREFECTURES})(?![A-Za-z])(?:-(?:shi|ken|fu|to|SHI|KEN|FU|TO)\b)?)(?: {_JP_POSTAL})?"
    rf"|{_WORD} {_JP_POSTAL}|{_JP_POSTAL})(?:,? (?:Japan|JAPAN))?"
)
# What may follow: #1208; c/o Maple Court 1102; a room in brackets, (Apt. 603), 110-0015.
_ROOM_IN_BRACKETS = re.compile(
    rf",? #[0-9A-Z]{{1,5}}(?![0-9A-Za-z])|, (?:c/o )?(?:[A-Z][A-Za-z'-]{{1,16}} ){{1,3}}#?[0-9]{{2,4}}(?![0-9A-Za-z-])| ?\((?:(?:Room|Rm|Unit|Apt|Apartment|Suite|Flat|No)\b\.? ?)?#?[0-9A-Z]{{1,5}}F?\)(?:,? (?:Japan|JAPAN)\b)?(?:,? ?{_JP_POSTAL})?"
)
# From the large to the small: Nagasaki-ken, Isahaya-shi, Eisho-machi 0-12; and a list that leaves out the commas.
_PLACE = rf"(?:{_SUFFIXED}|(?:{_PREFECTURES})(?![A-Za-z])(?:-(?:shi|ken|fu|to|SHI|KEN|FU|TO)\b)?)"
_BLOCK = rf"(?!{_JP_POSTAL}){_N}(?:-(?:{_N}|jo|chome|ban|go)\b){{0,4}}(?![0-9A-Za-z]|[-/:.][0-9])"
_DOWNWARD = re.compile(
    rf"(?:{_JP_POSTAL},? )?{_PLACE}(?>(?:,? {_PLACE}){{0,4}})(?:,? (?=[A-Z]){_WORD}){{0,3}}? {_BLOCK}(?:,? [A-Z][a-z]{{2,16}}(?: [A-Z][a-z]{{2,16}}){{0,2}} #?{_BLOCK}[A-Z]?)?"
    rf"(?>(?:, {_PLACE}){{0,3}})(?: {_JP_POSTAL})?"
)
_UNPARTED = re.compile(
    rf"{_N}(?:-{_N}){{1,3}} (?:[A-Z][A-Za-z-]{{1,24}},?[ \n]){{0,2}}{_SUFFIXED}(?:,?[ \n]{_PLACE}){{0,3}}(?:,?[ \n]{_JP_POSTAL})?(?:,?[ \n](?:Japan|JAPAN))?"
)
# Kawasaki shi Nakahara ku: the hyphens are left out.
_SPACED = re.compile(
    rf"[A-Z](?<![A-Za-z].)[a-z]{{2,16}}(?:[ -](?:ken|to|fu|gun|shi|ku|cho|machi|mura)\b,? [A-Z][a-z]{{2,16}}){{1,4}}(?:[ -](?:cho|machi|mura))?,? {_BLOCK}"
)
_SPACED_SIGN = re.compile(" (?:ken|fu|gun|shi|ku) [A-Z]")
_HYPHENED = re.compile(r"-(?:ku|shi|cho|machi|gun|ken|fu|to|son|mura|KU|SHI|CHO|MACHI|GUN|KEN|FU|TO|SON|MURA)\b")
_POSTAL_FIRST = re.compile(
    f"[0-9〒](?<![0-9-].)(?:(?<=〒)[0-9]|(?<=[0-9]))[0-9]{{2}}-[0-9]{{4}},? (?:{_PREFECTURES})(?![A-Za-z])"
)
# One place and one number are a year or a count: Minato-ku 2025.
_PARTED = re.compile("[0-9]-[0-9]|,")
# The name of the building before its room: Maison Lilas 12B, Park Tower Room 1205.
_ROOM_FIRST = re.compile("#|[0-9]{1,2}F|Room|Rm|Flat|Unit|Apt|Apartment|Suite|[A-Z][a-z]")
_ROOM_BEFORE = re.compile(
    r"(?<![A-Za-z])c/o [A-Z][A-Za-z'. -]{1,40}, (?:[0-9]{1,2}F, )?\Z|(?<![A-Za-z])(?:Room|Rm\.?|Flat|Unit|Apt\.?|Apartment|Suite|House|Level|Floor)\.? ?#?[0-9A-Z-]{1,6}, \Z|(?<![0-9A-Za-z])[0-9]{1,2}F, \Z"
    r"|(?<![A-Za-z])(?:Flat|Unit|Apt\.?|Apartment|Suite) ?#?[0-9A-Z-]{1,6}, (?:[A-Z][A-Za-z'-]{1,16} ?){1,3}, \Z"
    r"|(?<![0-9A-Za-z-])(?:[A-Z]-)?[0-9]{2,4} [A-Z][A-Za-z-]{2,20}(?: [A-Z][A-Za-z-]{2,20}){0,3}, \Z|(?<![A-Za-z])(?:[A-Z][a-z]{2,16} ){1,3}#[0-9]{2,4}, \Z"
)
_NAME_BEFORE = re.compile(
    r"(?<![A-Za-z])(?:(?!(?:At|To|In|From|The|Address|Home|Ship|Send|My|Our|And|Dear)\b)[A-Z][A-Za-z'&.-]{1,16} ){1,3}\Z"
)
_ABROAD = re.compile(
    rf"(?:{_COUNTRIES})\b|(?:[A-Z][a-z]{{1,16}} ){{1,3}}[A-Z]{{2,3}} [0-9]{{4,5}}(?![0-9])|[A-Z]{{2}} [0-9]{{5}}(?:-[0-9]{{4}})?|(?:[A-Z][a-z]{{1,20}} )?[A-Z]{{1,2}}[0-9][0-9A-Z]? [0-9][A-Z]{{2}}"
    r"|[0-9]{4}-[0-9]{3} [A-Z][a-zà-ɏ]{2,24}|(?:São Paulo|Rio de Janeiro|Ho Chi Minh City|Hanoi|Jakarta|Manila|Seoul|Beijing|Shanghai|Taipei|New York)(?: [0-9]{4,6})?|(?:Bangkok|Singapore) [0-9]{5,6}"
    r"|(?:[A-Z]{1,2}-)?[0-9]{3,5}(?: [0-9]{2})? [A-Z][a-zà-ɏ]{1,24}(?: Lumpur| City)?|[A-Z][a-z]{1,24} [0-9]{4,6}",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    rf"(?:(?P<street>{_FOREIGN})|(?:{_START}))(?>(?: (?![a-z]{{3}}){_WORD}){{0,4}})(?P<parts>(?>(?:{_COMMA}{_WORDS}){{1,7}}))"
)
_THREE = re.compile(" [0-9]{1,4}-[0-9]{1,4}-[0-9]")
_SCORE = re.compile("[0-9]{1,3}-[0-9]{1,3},")
_PROSE = re.compile("[a-z]")
_TELLING = re.compile(r"-(?:ku|shi|cho|machi|gun|ken|fu|to|son|mura)\b|[0-9]{3}-|City|Ward")
_BEGIN = re.compile(r"[#0-9A-ZÀ-Þ](?<![0-9A-Za-z-].)")
_SPLIT = re.compile(r"[,;] ?\n?|\n {0,4}")


class RomajiAddressFinder:
    """Addresses in Latin letters."""

    entities = frozenset({ENTITY})
    name = "address_romaji"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        folded = text.folded
        spans = [*_upward(folded)] if "," in folded or "\n" in folded else []
        if "-" in folded and (_HYPHENED.search(folded) or _POSTAL_FIRST.search(folded)):
            spans += _hyphened(folded)
        if _SPACED_SIGN.search(folded):
            spans += [match.span() for match in _SPACED.finditer(folded)]
        for start, end in _joined(spans):
            yield text.finding(start, end, ENTITY, 0.85, self.name)


def _hyphened(folded: str) -> Iterator[tuple[int, int]]:
    """From the large to the small, and without commas: `-ku`, `-shi` and the like carry both."""
    done = 0
    for begin in _BEGIN.finditer(folded):
        if begin.start() < done:
            continue
        match = _DOWNWARD.match(folded, begin.start()) or _UNPARTED.match(folded, begin.start())
        telling = match is not None and (_HYPHENED.search(match.group()) or _POSTAL_FIRST.match(match.group()))
        if match is not None and telling and _PARTED.search(match.group()):
            done = match.end()
            yield match.span()


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that overlap as one: two readings of one address."""
    first = end = 0
    for start, last in sorted(spans):
        if start >= end:
            if end:
                yield first, end
            first = start
        end = max(end, last)
    if end:
        yield first, end


def _upward(folded: str) -> Iterator[tuple[int, int]]:
    """Addresses in English order, from the room to the country."""
    done = 0
    for begin in _BEGIN.finditer(folded):
        match = _ADDRESS.match(folded, begin.start()) if begin.start() >= done else None
        end = _end(folded, match) if match else 0
        if match is not None and end:
            done = end
            yield _with_building(folded, match), end


def _with_building(folded: str, match: re.Match[str]) -> int:
    room = _ROOM_BEFORE.search(folded, max(0, match.start() - 56), match.start())
    if room is not None:
        return room.start()
    if not _ROOM_FIRST.match(folded, match.start()):
        return match.start()
    name = _NAME_BEFORE.search(folded, max(0, match.start() - 52), match.start())
    return name.start() if name else match.start()


def _end(folded: str, match: re.Match[str]) -> int:
    """Where the last administrative part ends; 0 when there is none."""
    end = 0
    # Scores (Tokyo 3-1, Osaka 2-0) and chapters have numbers right before the comma too.
    weak = match["weak"] is not None and not _THREE.search(match["weak"])
    doubtful = weak or _SCORE.match(folded, match.start()) is not None
    for comma in _SPLIT.finditer(folded, match.start("parts"), match.end()):
        part = _ADMINISTRATIVE.match(folded, comma.end())
        if part is None and (match["street"] or end):
            part = _ABROAD.match(folded, comma.end())
        if part is not None and (end or not doubtful or _TELLING.search(part.group())):
            room = _ROOM_IN_BRACKETS.match(folded, part.end())
            end = (room or part).end()
        elif _PROSE.match(folded, comma.end()):
            break
    return end


def load() -> RomajiAddressFinder:
    """The finder."""
    return RomajiAddressFinder()
