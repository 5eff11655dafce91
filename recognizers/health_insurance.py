"""HEALTH_INSURANCE: 記号 and 番号 of an insurance card, 保険者番号, and 被保険者番号 of 介護 and 後期高齢者医療.

記号 and 番号 have no fixed form (`沖国12・3456789`, `広市-安`, two digits): a label pattern reads them, and only where the
text is about health insurance. Asking for them outside insurance is forbidden (健康保険法194条の2), so they are personal.
Source: 厚生労働省 被保険者証 様式; 保険者番号 eight digits (six for 国保) with a check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers import checksums
from recognizers.context import IN_COLUMN, field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.numbers import Number, counted, numbers, readings
from recognizers.table_rows import Table
from recognizers.tables import column_header, table_at, tables

ENTITY = "HEALTH_INSURANCE"
_GAP = r"[ \t:：=は、,が「『(\"']{0,6}(?:ええ、)?"
_VALUE = r"(?:(?![のはがをと])[一-龠々ぁ-んァ-ヶA-Za-z]{1,5}(?<![がはのを])(?: (?!番号)[一-龠々]{1,4})?[ ・.-]{0,2})?[0-9OoIl〇零一二三四五六七八九](?:[0-9OoIl〇零一二三四五六七八九]|[-・.](?=[0-9])| - (?=[0-9])|の(?=[0-9〇零一二三四五六七八九])){0,15}"
_SAID = "(?:(?:ゼロ|ぜろ|れい|いち|に|さん|よん|ご|ろく|なな|しち|はち|きゅう){2,10}(?=です|[、。 ]))"
_NUMERAL = "[一二三四五六七八九十百千]{2,7}(?=[、。 ]|で[、す]|です)"
_LETTERS = r"(?!番号)[一-龠々]{1,4}[-・][一-龠々]{1,4}"
# A value after digits goes on with a kana or another four digits.
_TAIL = "(?: [0-9]{4}(?![0-9]))?(?:-[ぁ-ん](?![ぁ-ん]))?"
_WORD = "(?![はがのをと])(?!空|不明|未|(?:と|や|及び|または|又は|なし|あり|無し?|有り?|の|等|など)[ 、,・])[一-龠々ぁ-んァ-ヶ]{1,6}"
# 記号 of books, securities, elements and machines are others.
_OWN_SYMBOL = "記(?:(?<![一-龠].)|(?<=[証険保者健員書等格].))号"
_SYMBOL = re.compile(
    rf"(?:{_OWN_SYMBOL}(?:番号|・番号|/番号)?|[Ss]ymbol(?:/[Nn]umber)?|[Kk]igou?|きごう){_GAP}(?P<symbol>{_NUMERAL}|{_SAID}|{_VALUE}{_TAIL}|[A-Za-zÀ-ɏ]{{1,8}} [0-9]{{1,4}}-[a-z]|{_LETTERS}|{_WORD}(?=[ 、,・]{{1,3}}番号))"
    rf"(?:[ \t、,;&/・」』)との\n\"'ー-]{{0,5}}(?:で、?)?(?:and |insurance_|hoken_)?(?:番号|ばんごう|[Nn]umber|[Bb]angou?|[Nn]o(?:\.|(?=[\"': ]))){_GAP}(?P<number>{_NUMERAL}|{_SAID}|{_VALUE}))?"
)
# 記号がひらがなで…, and a card's two values after the insurance's short name: 国保 … 12-345.
_SPELT = re.compile(
    rf"{_OWN_SYMBOL}(?:は|が)、?(?:ひらがな|カタカナ|かたかな|漢字|アルファベット)(?:で|の)、?(?P<value>[ぁ-んァ-ヶー一-龠々A-Z]{{1,8}}?)(?=[の、。 ]|で[、す])"
    r"|(?:国保|社保|健保|保険証|被保険者証|共済|組合員証)(?:の番号)?(?:(?:ですが|ですけど)、?|[ :はが(]{1,3})(?P<both>(?!記号|番号)[一-龠々ぁ-んァ-ヶ]{1,5} ?[0-9]{1,8} ?[-・の] ?[0-9]{1,8}|(?<=[:(])[0-9]{2,8} ?[/・-] ?[0-9]{1,7})(?![0-9/年月日-])"
    r"|被保険者証?の?[ (]?番号[ :はが]{1,3}(?P<care>H[0-9]{9})(?![0-9])"
    r"|記号(?:と|・|、|及び)番号[^0-9\n]{0,24}?[「『:は](?P<joined>[一-龠々]{1,4}[ ・-]{1,2}[0-9]{1,8}[ ・-]{1,2}[0-9]{1,8})(?![0-9])"
)
_BLANK = re.compile("[〇 ・-]+")
_ELDERLY = re.compile("介護|後期高齢")
# What every label that `_SYMBOL` reads has in it.
_SIGNS = ("記号", "きごう", "symbol", "kigo")
_WORD_CELL = re.compile(r"[,\t|\"\[ ](?P<value>[一-龠々ぁ-んァ-ヶ]{1,6})(?=[\" \t,|])")
# What a talk of a wrong 記号・番号 sets side by side: 正:1234・56 誤:1234・65.
_CORRECTED = re.compile(
    rf"(?:正しくは|(?<![一-龠])[正誤新旧](?![一-龠ぁ-んァ-ヶ])|(?:訂正|変更|修正)[前後]|前回|今回){_GAP}"
    rf"(?P<value>(?:[一-龠々]{{1,4}})?[0-9]{{1,8}} ?[・-] ?[0-9]{{1,8}})(?![0-9・-]|年|月)"
)
_CLAIM = re.compile("返戻|レセプト|診療報酬")
_BOTH = re.compile("記号(?:番号|・番号|/番号|と番号|、番号|及び番号)")
_UNFILLED = re.compile(r"記号[^\n]*\Z")
# 桜 0419: the kanji that a value begins with, in a cell or after a sign.
_LED = re.compile(r"(?:記号|番号)[ \"'」|:=は「]{1,8}(?P<lead>(?!番号)[一-龠々ぁ-んァ-ヶ]{1,3}[ ・]?)\Z")
_SYMBOL_WORD = re.compile("記号")
_SYMBOL_WORDS = frozenset({"記号", "保険証記号", "記号番号", "記号・番号", "symbol", "symbol/number"})
_TOPIC = re.compile(
    "保険|健保|国保|社保|療養|適用認定|資格|介護|後期高齢|共済|けんぽ|組合員証|受給券|[Ii]nsur|傷病手当|高額療養|限度額|資格喪失|(?<![A-Za-z])ほけんしょう|こくほ|しゃほ|(?<![A-Za-z])(?:hi|ins|hoken(?:sha)?(?:_?no)?)[\"']? ?[:=]"
)
# Machines, papers and tickets have numbers under signs as well.
_OTHER_SYMBOL = re.compile(
    "製品|型|図面|部品|品目|元素|分類|受験|座席|証券|ゆうちょ|通帳|口座|郵便|貯金|事業所|整理|路線|船|機"
)
_PLAIN_SYMBOL = re.compile("(?![01][0-9]{3}0\\Z)[0-9]{4,8}")
_MONTH = re.compile("(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])")


class HealthInsuranceFinder:
    """Finds what a health-insurance card says."""

    entities = frozenset({ENTITY})
    name = "health_insurance"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        yield from self._labelled(text)
        known: set[str] = set()
        for number, score in _numbers(text):
            if score >= 0.5:
                known.add(number.digits)
            led = _LED.search(text.folded, max(0, number.start - 20), number.start) if score >= 0.5 else None
            yield text.finding(led.start("lead") if led else number.start, number.end, ENTITY, score, self.name)
        if known:
            # A value read back in a conversation stands without its label.
            for number in text.view(numbers):
                if number.digits in known and len(number.digits) > 2:
                    yield text.finding(number.start, number.end, ENTITY, 0.65, self.name)

        yield from _corrected(text, self.name)
        if "記号" in text.folded or ENTITY in text.view(labels).kinds:
            yield from _spelt(text, self.name)

    def _labelled(self, text: FoldedText) -> Iterator[Finding]:
        if not any(map(text.lowered.__contains__, _SIGNS)):
            return
        for match in _SYMBOL.finditer(text.folded):
            score = 0.9 if _telling(text, *match.span()) else 0.65 * _paired(text, match)
            for part in ("symbol", "number"):
                if match[part] is not None and not _BLANK.fullmatch(match[part]):
                    yield text.finding(*match.span(part), ENTITY, score, self.name)


def _paired(text: FoldedText, match: re.Match[str]) -> bool:
    """記号5500123の番号48: both right together, of digits, and nothing else with signs is the topic."""
    if match["number"] is None or not _PLAIN_SYMBOL.fullmatch(match["symbol"]) or not match["number"].isdigit():
        return False
    return not _OTHER_SYMBOL.search(text.folded, max(0, match.start() - 40), match.end() + 24)


def _spelt(text: FoldedText, name: str) -> Iterator[Finding]:
    """Values of words: told by the script they are written in, after 国保, and in a column of 記号."""
    for match in _SPELT.finditer(text.folded):
        if _telling(text, *match.span()):
            yield text.finding(*match.span(match.lastgroup or 0), ENTITY, 0.85, name)
    for table in text.view(tables):
        if not _of_symbols(text, table):
            continue
        for match in _WORD_CELL.finditer(text.folded, table.start, table.end):
            field = field_of(text, *match.span("value"))
            if field.strength == IN_COLUMN and field.word in _SYMBOL_WORDS:
                yield text.finding(*match.span("value"), ENTITY, 0.8, name)


def _of_symbols(text: FoldedText, table: Table) -> bool:
    """Whether a table has a column of 記号, and its header speaks of health insurance."""
    header = text.folded[table.header[0][0] : table.header[-1][1]]
    return _SYMBOL_WORD.search(header) is not None and _TOPIC.search(header) is not None


def _corrected(text: FoldedText, name: str) -> Iterator[Finding]:
    """記号・番号 in one, as right and wrong, while the talk is of both; 返戻 and レセプト speak of insurance only."""
    if "記号" not in text.folded:
        return
    for match in _CORRECTED.finditer(text.folded):
        left = text.folded[max(0, match.start() - 80) : match.start()]
        if _BOTH.search(left) and (_TOPIC.search(left) or _CLAIM.search(left)):
            yield text.finding(*match.span("value"), ENTITY, 0.85, name)


def _numbers(text: FoldedText) -> Iterator[tuple[Number, float]]:
    if not text.view(readings) or ENTITY not in text.view(labels).kinds:
        return
    for length, found in text.view(readings).items():
        for number in found if 2 <= length <= 16 else ():
            # In a table a comma parts columns, not thousands.
            if not counted(text.folded, number) or table_at(text, number.start):
                yield number, _score(text, number)


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    size = len(number.digits)
    if field.word in _SYMBOL_WORDS and not _telling(text, number.start, number.end):
        return 0.0
    if _MONTH.match(text.folded, number.start):
        return 0.0
    if size == 6 and "保険者番号" in _left(text, number) and checksums.insurer_number(number.digits):
        return 0.7
    if field.kind == ENTITY and field.strength >= 0.6 and size in (6, 7, 8, 10):
        return 0.85 if size > 6 or checksums.insurer_number(number.digits) else field.strength - 0.3
    if field.kind == ENTITY and field.strength >= 0.95 and (size < 6 or number.style == "spoken"):
        head = _headed(text, number, field.word)
        named = head.endswith(("番号", "記号", "symbol", "number")) or (size > 2 and _numbered(text, number))
        return 0.8 if named else 0.0
    if field.kind == "NUMBER" and size in (8, 10) and _ELDERLY.search(_left(text, number)):
        return 0.75
    table = table_at(text, number.start) if field.kind == "NUMBER" and field.strength == IN_COLUMN else None
    if table is not None and _of_symbols(text, table):
        return 0.7
    if field.kind not in (ENTITY, "NUMBER", "") or ENTITY not in topics_of(text, number.start, number.end, before=60):
        return 0.0
    if field.kind == "NUMBER" and field.strength == IN_COLUMN and _telling(text, number.start, number.end):
        return 0.7
    if number.style == "spoken" and _numbered(text, number):
        return 0.75
    return 0.6 if len(number.groups) == 2 and number.joins == "-" and _UNFILLED.search(_left(text, number)) else 0.0


def _headed(text: FoldedText, number: Number, word: str) -> str:
    """The head of the number's column, else its label: 健保 番号 is a number of 健保."""
    header = column_header(text, number.start)
    return word if header is None else text.folded[slice(*header)].strip(" \"'|*")


def _numbered(text: FoldedText, number: Number) -> bool:
    return text.folded[max(0, number.start - 6) : number.start].rstrip(" がは、:「").endswith(("番号", "記号"))


def _left(text: FoldedText, number: Number) -> str:
    return text.folded[max(0, number.start - 60) : number.start]


def _telling(text: FoldedText, start: int, end: int) -> bool:
    """Whether the text around is about health insurance; 記号 and 番号 alone are not."""
    if _TOPIC.search(text.folded, max(0, start - 60), end + 30) is not None:
        return True
    table = table_at(text, start)
    return table is not None and _TOPIC.search(text.folded, table.header[0][0], table.header[-1][1]) is not None


def load() -> HealthInsuranceFinder:
    """The finder."""
    return HealthInsuranceFinder()
