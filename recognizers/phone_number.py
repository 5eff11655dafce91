"""PHONE_NUMBER: Japanese numbers in every writing, international ones, and extensions after their label.

Source: 総務省 電気通信番号計画: 0AB-J ten digits, 050/060/070/080/090 eleven, 0120-3-3, 0800-3-4, 0570-3-3; ITU-T E.164.
Assigned blocks are not checked: new blocks open every year and a masked unassigned number harms nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import BEHIND, Field, field_of, topics_of
from recognizers.extensions import extensions
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.numbers import Number, counted, has_digits, readings, tied

ENTITY = "PHONE_NUMBER"
_MOBILE = re.compile(r"0[5-9]0\d{8}")
_LANDLINE = re.compile(r"0\d{9}")
_TOLL_FREE = re.compile(r"(?:0120|0570|0990|0180|0170)\d{6}|0800\d{7}|0077\d{6,8}")
_LANDLINE_GROUPS = frozenset({(2, 4, 4), (3, 3, 4), (4, 2, 4), (5, 1, 4), (2, 8), (3, 7), (6, 4), (4, 6), (5, 5)})
_MOBILE_GROUPS = frozenset({(3, 4, 4), (4, 3, 4), (3, 8), (7, 4)})
_EXTENSION = re.compile(r"(?:phs|内線|内線番号|ext\.?|extension|x)")
# 内2210; further extensions after the first (内線は301と302).
_SHORT_EXTENSION = re.compile(r"(?<![一-龠々])内 ?[:]? ?(?P<digits>[0-9]{3,5})(?![0-9年月日名件円人分回個台%])")
# A switchboard's prefix is part of what is dialled: #81-6611, *301.
_DIALLED = re.compile(r"(?<![0-9A-Za-z])[#*]\Z")
_SECOND = re.compile(r"[-・.)][0-9]{4} ?/\Z")
# 資料番号: a number of something else. The word is not always in the vocabulary.
_OTHER_NUMBER = re.compile(r"[一-龠ァ-ヶ](?<![話帯絡宅定通先線中者様])番号(?:は|が|[ :=]){1,3}\Z")
_OTHER_NO = re.compile(r"(?:領収|受付|伝票|注文|納品|請求|catalogue|catalog|part|item|serial) ?[Nn]o\.? ?\Z")
_NUMBERED = re.compile("番|コード|型|[a-z#]")
_MORE = re.compile(r"[0-9 、,と/・~-]{1,16}")
_SLASHED = re.compile(r"0(?<![0-9A-Za-z/].)(?:[5-9]0/[0-9]{4}|[0-9]/[0-9]{4}|[0-9]{2,4}/[0-9]{1,4})/[0-9]{4}(?![0-9/])")
_ANGLED = re.compile("〈0[0-9]{1,4}〉 ?[0-9]{1,4}[-ー][0-9]{4}(?![0-9-])")
_LISTS = ("内線", "PHS", "xtension", " x", "(x", " on ")
# A parcel's number: 1Z 999 AA1 01 2345 6784.
_PARCEL = re.compile(r"1Z ?[0-9A-Z]{3} ?[0-9A-Z]{2,3} ?\Z")
_CALLED = re.compile(r"(?:[Rr]ing|[Cc]all|[Tt]ext|[Pp]hone|[Rr]each)(?: [A-Za-z]{2,10}){0,2}(?: (?:on|at))? \Z")
# An old directory's line: name, dots, exchange and number.
_DIRECTORY = re.compile(r"[…・.]{2,} ?(?P<digits>[0-9]{1,3}[-ー][0-9]{4})(?![0-9-])")
# Labels strong enough for a local number without its area code.
_STRONG = frozenset(
    {
        "電話番号",
        "電話",
        "でんわ",
        "デンワ",
        "携帯番号",
        "ring me on",
        "call me on",
        "call me at",
        "ring me at",
        "市外局番",
        "tel",
        "fax",
        "phone",
        "phone number",
        "phone_number",
        "連絡先",
        "緊急連絡先",
    }
)
# Values that never have ten or eleven digits: their labels say nothing against a number with the groups of a telephone.
_OTHER_LENGTH = frozenset({"MY_NUMBER", "DRIVERS_LICENSE", "CREDIT_CARD", "PASSPORT", "RESIDENCE_CARD"})
# Country code without the plus sign: 81-3-…, 0081 90 ….
_JAPAN = re.compile(r"(?:00)?81[1-9]\d{8,9}")
_KOREAN = re.compile(r"010\d{8}")
_ABROAD = re.compile(r"(?:001010|0033010|0061010|010)[1-9]\d{8,12}")


class PhoneNumberFinder:
    """Finds telephone numbers and extensions."""

    entities = frozenset({ENTITY})
    name = "phone_number"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        if text.view(readings):
            yield from self._read(text)
        if not has_digits(text):
            return
        for match in _SLASHED.finditer(text.folded):
            yield text.finding(*match.span(), ENTITY, 0.8, self.name)
        if any(map(text.folded.__contains__, _LISTS)):
            for start, end in extensions(text.folded):
                yield text.finding(start, end, ENTITY, 0.7, self.name)
        if "〈" in text.folded:
            for match in _ANGLED.finditer(text.folded):
                yield text.finding(*match.span(), ENTITY, 0.8, self.name)
        if "電話" in text.folded and "…" in text.folded:
            for match in _DIRECTORY.finditer(text.folded):
                yield text.finding(*match.span("digits"), ENTITY, 0.7, self.name)
        if "内" in text.folded:
            for match in _SHORT_EXTENSION.finditer(text.folded):
                yield text.finding(*match.span("digits"), ENTITY, 0.7, self.name)

    def _read(self, text: FoldedText) -> Iterator[Finding]:
        # Extensions are known by their label alone, and each of those has one of two words in it.
        extended = "内線" in text.folded or "ext" in text.lowered or "PHS" in text.folded
        least = 2 if extended else 5 if ENTITY in text.view(labels).kinds else 8
        accepted: set[str] = set()
        doubtful: list[Number] = []
        for length, found in text.view(readings).items():
            for number in found if least <= length <= 17 else ():
                score = _score(text, number) if length >= 8 else _short_score(text, number, extended=extended)
                if score >= 0.5 and length > 8:
                    accepted.add(number.digits)
                elif length == 10 and score >= 0.4:
                    doubtful.append(number)
                if score:
                    start = _opening(text.folded, number)
                    yield text.finding(
                        start - _dialled(text.folded, start, length), number.end, ENTITY, score, self.name
                    )

        # Ten digits in one stand beside numbers that are told by their groups, or say again what was found.
        for number in doubtful if accepted else ():
            yield text.finding(number.start, number.end, ENTITY, 0.55, self.name)


def _short_score(text: FoldedText, number: Number, *, extended: bool) -> float:
    """Extensions, and numbers without their area code right beside a label."""
    local = _local(number) and not counted(text.folded, number) and not tied(text.folded, number)
    if local and not text.folded.startswith(("年", "月", "日"), number.end):
        field = field_of(text, number.start, number.end)
        if field.kind == ENTITY and field.word in _STRONG and field.strength >= BEHIND:
            return 0.7
    return _extension_score(text, number) if extended else 0.0


def _opening(folded: str, number: Number) -> int:
    """Where the number begins: a bracket that is not closed within it belongs to the text around it."""
    unclosed = folded[number.start] == "(" and ")" not in folded[number.start : number.end]
    return number.start + unclosed


def _dialled(folded: str, start: int, length: int) -> bool:
    return length < 8 and _DIALLED.search(folded, max(0, start - 2), start) is not None


def _part_of_code(text: FoldedText, number: Number) -> bool:
    """Whether the number ends a longer identifier; the second of two telephone numbers (`…-1234/…`) does not."""
    if number.international or not tied(text.folded, number):
        return False
    return _SECOND.search(text.folded, max(0, number.start - 7), number.start) is None


def _score(text: FoldedText, number: Number) -> float:
    shape = _shape_score(number)
    if (not shape and len(number.digits) > 11) or _part_of_code(text, number) or not number.digits.strip("0"):
        return 0.0
    left = text.folded[max(0, number.start - 14) : number.start]
    if "1Z" in left and _PARCEL.search(left):
        return 0.0
    field = field_of(text, number.start, number.end)
    if field.kind == ENTITY:
        if shape or _plausible(number, field):
            return max(shape, 0.9)
        return 0.7 if field.word in _STRONG and field.strength == 1.0 and _local(number) else 0.0
    if not shape and number.digits[0] == "0" and _CALLED.search(text.folded, max(0, number.start - 32), number.start):
        return 0.7 if len(number.groups) > 1 and 10 <= len(number.digits) <= 11 else 0.0
    if not shape or ("、" in number.joins and number.groups != (3, 4, 4)):
        return 0.0
    if shape < 0.5 and ENTITY in topics_of(text, number.start, number.end):
        shape = 0.6
    # send_otp(to="+81…"): nothing else begins with a plus sign.
    if (field.kind in _OTHER_LENGTH and len(number.groups) > 1) or (field.kind == "OTHER" and number.international):
        return shape
    if field.kind == "NUMBER" and _OTHER_NUMBER.search(text.folded, max(0, number.start - 16), number.start):
        return shape - 0.4
    if field.kind == "NUMBER" and _OTHER_NO.search(text.folded, max(0, number.start - 16), number.start):
        return shape - 0.5
    # 問い合わせ and 注文 name an occasion, 注文番号 names a number.
    if field.kind == "OTHER" and len(number.groups) == 3 and shape > 0.8 and not _NUMBERED.search(field.word):
        return shape - 0.3
    return shape - _doubt(field)


def _shape_score(number: Number) -> float:
    digits, groups = number.digits, number.groups
    if number.international:
        return 0.9 if 9 <= len(digits) <= 15 else 0.0
    one_by_one = max(groups) == 1
    if _MOBILE.fullmatch(digits):
        return 0.9 if groups in _MOBILE_GROUPS or one_by_one else 0.75 if len(groups) == 1 else 0.6
    if _TOLL_FREE.fullmatch(digits) and len(groups) > 1:
        return 0.9
    if _KOREAN.fullmatch(digits) and groups == (3, 4, 4):
        return 0.8
    if _TOLL_FREE.fullmatch(digits) and len(digits) == 10:
        return 0.55
    if _LANDLINE.fullmatch(digits) and digits[1] != "0":
        # Area codes of two digits are few.
        if groups[0] == 2 and len(groups) > 1 and digits[1] not in "346":
            return 0.0
        return 0.85 if one_by_one or number.style == "spoken" or groups in _LANDLINE_GROUPS else 0.45
    if _ABROAD.fullmatch(digits) and len(groups) > 3:
        return 0.85
    if _JAPAN.fullmatch(digits) and len(groups) > 2 and groups[0] in (2, 4):
        return 0.75
    if digits[0] in "23456789" and groups == (3, 3, 4) and number.joins == ")-":
        return 0.7
    if digits[0] == "1" and groups == (1, 3, 3, 4) and set(number.joins) <= {"-"}:
        return 0.75
    return 0.0


def _plausible(number: Number, field: Field) -> bool:
    """Right beside a phone label: also numbers of other countries, spoken ones, and those with odd groups."""
    if not 9 <= len(number.digits) <= 11:
        return False
    abroad = number.groups in ((3, 3, 4), (3, 4, 4)) or (number.groups == (10,) and field.strength == 1.0)
    return number.digits[0] == "0" or abroad


def _local(number: Number) -> bool:
    return number.groups in ((1, 4), (2, 4), (3, 4), (4, 4), (8,)) and set(number.joins) <= set("-) の")


def _doubt(field: Field) -> float:
    if field.kind in (
        "",
        "NAME",
        "NUMBER",
        "ADDRESS",
        "EMAIL_ADDRESS",
        "GENDER",
        "POSTAL_CODE",
        "DATE",
        "DATE_OF_BIRTH",
    ):
        return 0.0
    return 0.45 if field.strength >= 0.9 else 0.1


def _extension_score(text: FoldedText, number: Number) -> float:
    if (
        len(number.digits) > (7 if number.joins == "-" else 5)
        or number.style == "spoken"
        or counted(text.folded, number)
    ):
        return 0.0
    field = field_of(text, number.start, number.end)
    if field.kind != ENTITY or not _EXTENSION.fullmatch(field.word):
        return 0.0
    if field.strength >= 0.9:
        return 0.8
    last = text.view(labels).before(number.start, 20)
    return 0.7 if last and _MORE.fullmatch(text.folded, last[0].end, number.start) else 0.0


def load() -> PhoneNumberFinder:
    """The finder."""
    return PhoneNumberFinder()
