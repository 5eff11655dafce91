"""What around a date tells that somebody was born on it, where no label says so. Patterns and questions about one date.

Signs: an age, a sex or a document beside it, the word birthday behind it, a reading in brackets or a kinship word before
it, and, for early dates (`dates.is_early`), a full name right before it in a list: people are listed with their births,
and what else happened on a day long past is told in sentences.
Bounded: 48 characters before, 24 after.
"""

from __future__ import annotations

import re

from recognizers.dates import Date, is_early, is_era_letter
from recognizers.folded import FoldedText
from recognizers.labels import labels

LEFT, RIGHT = 48, 24

# Right behind the date: 生, 生まれ, (…の誕生日).
BIRTH_AFTER = re.compile(
    r"[ )]{0,2}[にの]?お?(?:生(?!年月日| ?[0-9] ?-| ?[SHRTM][0-9]| ?(?:[明大昭平令][0-9治正和成])|[ :]{1,2}(?:19|20)[0-9]{2}|産|徒|活|命|成|放|演|物|鮮|中|配|協|誕祭|まれの音|前|涯|後)|産まれ|うまれ|出生|誕生(?!日))"
    r"|[」』\"']?(?: ?\([^()\n]{0,12}(?:誕生日|生年月日|バースデー|[Bb]irthday)(?!会|パ|ケ|プ|祝|ク)\)|生まれ)"
    r"| ?(?:午[前後] ?)?[0-9]{1,2}(?:時(?:[0-9]{1,2}分|半)?|:[0-9]{2})(?:ごろ|頃)?[にの]?生まれ(?!変|つ)"
    r"|(?:[、,と] ?[0-9]{4}[./年-][0-9]{1,2}[./月-][0-9]{1,2}日?){1,5}生まれ"
    r"|、[一-龠ぁ-んァ-ヶー]{1,8}の生まれ| is (?:my|his|her|their|our)(?: [a-z']{1,12}){0,2}? (?:birthday|birth ?date|date of birth|DOB)"
    r"|[、, ]{0,2}[一-龠ァ-ヶー0-9]{1,16}(?:で|にて|に|において)出生(?![率届証])|[、, ]?[^。、\n]{0,12}に(?:生る|生れ(?!変))"
    r"|[の、, に]{1,2}(?:[一-龠ァ-ヶー]{1,6}の)?(?:[一-龠]{1,6}の日|[一-龠ぁ-ん]{2,4}祭り|[一-龠]{0,3}節句?|[一-龠]{1,2}夕|元[日旦]|正月|大晦日|大みそか|クリスマス(?:イブ)?|バレンタイン(?:デー)?|うるう[年日]|閏[年日]|[朝夜]|夕方|未明|明け方)(?:の日)?[のに、]{0,2}生まれ(?!変|つ)"
    r"|[、, に]{0,2}(?:[一-龠ァ-ヶ]{1,8}[でに]?|(?:[男女]の子|赤ちゃん|娘|息子|孫|[長次][男女]|子ども|子供|子)が)生まれ(?!変|つ|た(?:制度|商品|製品|会社|企業|ブランド|キャラ))"
)
# Right before it: 生, and vCard's property with its parameters.
BIRTH_BEFORE = re.compile(
    r"(?:(?<![一-龠])生 ?[:：]?|(?<![一-龠])(?:出生|誕生)(?:[ :：|]{1,2}|が)|[\"'](?:b|bd|生)[\"'] ?: ?[\"']|BIRT\n[0-9] DATE|(?<![A-Za-z])geb\.|(?<![A-Za-z])BDAY[^:\n]{0,24}:) ?\Z"
)
AGE_AFTER = re.compile(r" ?(?:→|->|=>)? ?[(（]?(?:満)?[0-9]{1,3}(?:歳|才)")
# 、東京の下町に生まれる: where somebody, long ago, was born.
_PLACE_AFTER = re.compile(
    r"(?: ?\((?:旧暦|新暦)\))?[、, に]{0,2}[一-龠ァ-ヶー々]{1,10}(?:の[一-龠ァ-ヶー々ぁ-ん]{1,8}?){0,2}(?:[でに]|にて)生まれ(?!変|つ|た(?:制度|商品|製品|会社|企業|ブランド|キャラ))"
    r"|[、, ]{0,2}[一-龠ァ-ヶー]{1,8}出身"
)
# What a list of people says next: a height, a type of blood, a class.
_BODY_AFTER = re.compile(r"[)）]?[ 、,|/\t・]{1,3}(?:1[3-9][0-9](?:\.[0-9])? ?cm|身長|血液型|(?:AB?|B|O)型(?![番肝]))")
_CLASS_AFTER = re.compile(r"[ 、,・/|]{1,2}(?:年[長中少]|[0-6]歳児|[小中高][1-6](?![0-9A-Za-z月-])|[1-6]年[1-9]組)")
_BARE_AGE_BEFORE = re.compile(
    r"[一-龠々ぁ-んァ-ヶー](?<![条項号章編表則節類目]) ?\((?:[1-9][0-9]|10[0-9])\)[ 、,]{0,2}\Z"
)
_BARE_AGE_AFTER = re.compile(r" ?\((?:[1-9]|[1-9][0-9]|1[01][0-9])\)")
_SEX = r"(?:[男女](?:性|児|子)?(?![一-龠])|(?:[MF]|[Mm]ale|[Ff]emale|MALE|FEMALE)(?![A-Za-z]))"
_SEX_AFTER = re.compile(
    rf"[男女](?=[\s,、)]|$)|[\"')]{{0,2}}(?:[、,|/\t] ?\^?|  ?)[\"'(]?{_SEX}(?=[\"' 、,|/\t\n)・]|$)|[ 、,]{{1,2}}[0-9]{{1,3}}(?:歳|才)(?![でのにとを])"
)
_SEX_BESIDE = re.compile(
    r"(?:[男女](?:性|児|子)?|[^A-Za-z](?:[MF]|[Mm]ale|[Ff]emale))[\"' )]{0,2}[,、|/\t (][\"' (]{0,2}\Z"
)
_AGE = (
    r"(?:[一二三四五六七八九]つ|[0-9]{1,3}(?:歳|才)(?:[0-9]{1,2}(?:か|ヶ|カ|ヵ)月)?|[0-9]{1,2}(?:か|ヶ|カ|ヵ)月(?:児|の)|(?:年齢|[Aa]ged?|AGE) ?[:：]? ?[0-9]{1,3}"
    r"|[0-9]{1,3} ?(?:yo|y/o|[FM])(?![A-Za-z])|[0-9]{1,3}[- ]years?[- ]old)"
)
_AGE_BEFORE = re.compile(rf"{_AGE}(?:の|児)?(?:[男女](?:性|児|子)?)?[ )、,(|/・\t]{{1,3}}\Z")
_CELEBRATED = re.compile(
    r"(?:還暦|古希|古稀|喜寿|傘寿|米寿|卒寿|白寿|[Bb]irthday|バースデー|誕生日?)(?:の?お?祝い?)?[ :(]{1,2}\Z"
)
_HONORIFIC = re.compile(r"(?:様|さま|さん|殿|君|くん|ちゃん|氏)(?P<gap>[ (（]{1,3}|の)\Z")
_DOCUMENT = r"(?:[A-Z]{2} ?[0-9]{7,8} ?(?:[A-Z]{2})?|[A-Z][0-9]{8}|[A-Z][0-9]{3}[A-Z][0-9]{4})"
_DOCUMENT_BEFORE = re.compile(rf"(?<![0-9A-Za-z]){_DOCUMENT}[\"' )）]{{0,3}}(?:[,|/\t]|(?<=[ )）]))[\"' ]{{0,3}}\Z")
_TWELVE_BEFORE = re.compile(r"(?<![0-9A-Za-z-])[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}[\"' ]{0,2}[,|/\t][\"' ]{0,2}\Z")
_DOCUMENT_AFTER = re.compile(rf"[\"' ]{{0,2}}[,|/\t ][\"' ]{{0,2}}{_DOCUMENT}(?![0-9A-Za-z])")
# 甲野乙子(こうの おとこ、1935年…: how people are presented.
_READING_OPENED = re.compile(r"[一-龠々ぁ-んァ-ヶー]\([ぁ-んァ-ヶー ・]{3,24}[、,] ?\Z")
_LIFE_BEFORE = re.compile(
    r"(?:[一-龠々]{1,4} [一-龠々ぁ-ん]{1,4}|[ァ-ヶー]{2,}[・ =][ァ-ヶー・]{2,}|[A-Z][a-z]+ [A-Z][a-z]+) ?\((?:[ぁ-んァ-ヶー ・]{3,24}[、,] ?)?\Z|享年[0-9〇一二三四五六七八九十百]{1,4}[歳才]?[。、 (]{1,2}\Z"
)
_LIFE_AFTER = re.compile(" ?[-~ー] ?(?:[0-9]{4}|[明大昭平令]|\\))")
# LE THI HOA(ベトナム、1999年9月9日、N3).
_ORIGIN_OPENED = re.compile(r"[一-龠々ぁ-んァ-ヶーA-Za-z]\([一-龠ァ-ヶー]{2,8}[、,] ?\Z")
_OPENED = re.compile(r"[^ 0-9A-Za-z()] ?\(\Z")
_LATIN_OPENED = re.compile(r"(?<![A-Za-zÀ-ɏ])[A-ZÀ-Þ][a-zà-ɏ]{1,20} ?\(\Z")
_SCHOOL_YEAR = re.compile(r"\([1-6]年生?\) ?\Z")

# Names as they stand in lists: two parts, or one with its reading. No list of names is asked.
# No company, place or day; surnames that end like one are few, but for 村.
_NOT_LAST = (
    "(?:(?<![社所店校院館部課局会園市区町県府都駅法令号版賞展祭式線板日月年時分点名者番費料金書品場際])"
    "|(?<=渡部|服部|阿部|磯部|岡部|矢部|園部|綾部|長部|渡会|度会|望月|春日|国分|山県|田所|別所|大館|馬場|大場|的場|稲場|木場|有働))"
)
_PARTS = (
    rf"(?:[一-龠々ヶ〃]{{1,4}}{_NOT_LAST} [一-龠々ぁ-んァ-ヶー]{{1,6}}{_NOT_LAST}(?<=[一-龠ぁ-んァ-ヶー])|[ァ-ヶー]{{2,12}}[ ・=][ァ-ヶー・]{{2,14}}"
    r"|[ぁ-ん]{2,6} [ぁ-ん]{2,6}|[A-Z][A-Za-z'-]{1,20},?(?: [A-Z][A-Za-z'-]{0,20}\.?){1,3}"
    r"|\"[一-龠々]{1,4}\", ?\"[一-龠々ぁ-んァ-ヶー]{1,6})"
)
_READING = r"\([ぁ-んァ-ヶーA-Za-z][ぁ-んァ-ヶー ・A-Za-z]{1,24}\)"
_HONOUR = "(?: ?(?:様|さん|さま|殿|君|くん|ちゃん|氏))?"
_NAME_BEFORE = re.compile(
    rf"(?:^|[\s,、;\"'|/:・)>=.①-⑳]|[^\s一-龠ぁ-んァ-ヶー])(?P<name>{_PARTS})(?: ?{_READING})?{_HONOUR}[\s,、;\"'|/:・(\t]{{1,5}}\Z"
)
_READING_BEFORE = re.compile(rf"[一-龠々ぁ-んァ-ヶー]{_READING}{_HONOUR}[\s,、;\"'|/:(\t]{{0,4}}\Z")
_LABELLED = re.compile(r"[ :：=][一-龠々ぁ-んァ-ヶー・]{2,12}[ 、,|/\t(]{1,3}\Z")
_KIN = "(?:[長次二三四五][男女]|(?<![一-龠])(?:妻|夫|父|母|子|孫|本人|世帯主|配偶者|弟|妹|兄|姉|児|児童|園児|生徒|乳児|幼児|新生児|続柄)(?:名|氏名)?[0-9]?)"
_KIN_BEFORE = re.compile(
    rf"{_KIN}[ :：・(]{{1,3}}(?:[一-龠々ぁ-んァ-ヶー]{{1,8}} ?){{1,2}}(?:{_READING})?[\s,、/:()]{{1,3}}\Z"
)
# 夫イーサン 1990…, 本人平5.4.30: nothing between the role and the name, or no name.
_ROLE_BEFORE = re.compile(
    r"(?:(?<![一-龠])(?:[長次二三][男女]|夫|妻|[上下中]の子|息子|娘)[ァ-ヶーぁ-ん]{2,8}[ 、(]|(?<![一-龠])(?:本人|配偶者)[ :]?|第[一二三四五1-5]子[ :]{1,3}"
    r"|(?:話者|語り手|委任者|届出人|申請者|申込者|提出者|利用者|患者)[ :]{1,3}[一-龠々ぁ-んァ-ヶー]{1,6} ?[一-龠々ぁ-んァ-ヶー]{1,6} {1,3})\Z"
)
# 娘はH31/4/30、: what is said of a child and no more.
_CHILD_SAID = re.compile("(?:娘|息子|[長次三二][男女]|末っ子|孫)は、? ?\\Z")
_SAID_END = re.compile("(?:です|で)?[、。\n]|$")
_CHILD = re.compile("[0-9]歳児|[1-6]年[0-9]?組|児童|園児|幼児|乳児|保育|入園|在園")
_RECORD = re.compile(
    "作成|承認|更新|記入|検印|発行|編|監修|著|翻?訳|撮影|執筆|起案|決裁|改訂|投稿|出典|作者|[Uu]pdated|[Bb]y |[Aa]uthor|[Cc]ommit"
)
# A cell or a place in a list ends where the date does; a sentence would go on.
_ENDS = re.compile(
    r"[ \t]{0,3}(?:[\n,、・|/\"'<;。)\]}]|$)|[ \t]{1,3}(?!(?:入|退|付|以|より|から|まで|現在|設|開|締|施|初|第|版|没|撮|発|公|創|就|結|取|登|更|作|提|竣|完|改|制|判|死|逝|手|来|受|転|卒|着|契|購|[0-9]{1,2}[:時]))"
)
_CELL = re.compile(r"(?:^|\n)[\"']?[^\n,\t|]{2,16}[\"']?[,\t|][\"']?\Z")


def beside_particulars(folded: str, date: Date) -> bool:
    """Whether an age, a sex, a document or the word for a birth stands right beside the date."""
    left, right = folded[max(0, date.start - LEFT) : date.start], folded[date.end : date.end + RIGHT]
    honoured = _HONORIFIC.search(left)
    if honoured is not None and (honoured["gap"].strip(" の") or is_early(folded, date)):
        return True
    if any(sign.search(left) for sign in (_SEX_BESIDE, _AGE_BEFORE, _CELEBRATED)):
        return True
    if _SEX_AFTER.match(right) or _CLASS_AFTER.match(right):
        return True
    if _BODY_AFTER.match(right) or (is_era_letter(folded, date) and _TWELVE_BEFORE.search(left)):
        return True
    # Documents stand beside the day of their expiry too.
    before = _DOCUMENT_BEFORE.search(left) or _BARE_AGE_BEFORE.search(left)
    after = _DOCUMENT_AFTER.match(right) or _BARE_AGE_AFTER.match(right) or _PLACE_AFTER.match(right)
    return (before or after) is not None and is_early(folded, date)


def of_life(folded: str, date: Date) -> bool:
    """Whether the date opens the span of a life behind a name: 甲野 乙(1938年…~2025年…)."""
    return (
        _LIFE_AFTER.match(folded, date.end) is not None
        and _LIFE_BEFORE.search(folded, max(0, date.start - LEFT), date.start) is not None
    )


def after_person(text: FoldedText, date: Date) -> bool:
    """Whether the date follows a name as births do in rosters, family registers and lines of a file without a header."""
    folded = text.folded
    left = folded[max(0, date.start - LEFT) : date.start]
    if _CHILD_SAID.search(left) and _SAID_END.match(folded, date.end):
        return True
    if _ROLE_BEFORE.search(left) and (is_early(folded, date) or _ENDS.match(folded, date.end)):
        return True
    if _ORIGIN_OPENED.search(left) and is_early(folded, date) and folded[date.end : date.end + 1] in ("、", ",", ")"):
        return True
    if _SCHOOL_YEAR.search(left) or _READING_OPENED.search(left):
        return True
    if _LATIN_OPENED.search(left) and is_era_letter(folded, date):
        return True
    if _OPENED.search(left) and _named(text, date.start):
        return True
    if not left or left[-1] not in " \t\n,、;\"'|/:・()" or not _ENDS.match(folded, date.end) or _RECORD.search(left):
        return _READING_BEFORE.search(left) is not None and _ENDS.match(folded, date.end) is not None
    if _KIN_BEFORE.search(left) or _READING_BEFORE.search(left):
        return True
    if _NAME_BEFORE.search(left) is None and not (_LABELLED.search(left) and _named(text, date.start)):
        return False
    return is_early(folded, date) or _CHILD.search(left) is not None or _compact_cell(folded, date, left)


def _compact_cell(folded: str, date: Date, left: str) -> bool:
    """The second cell of a row, eight digits: what systems export of people."""
    return date.end - date.start == 8 and folded[date.start : date.end].isdigit() and _CELL.search(left) is not None


def _named(text: FoldedText, start: int) -> bool:
    """Whether the nearest label is a person's role: `長女 みのり (平20.1.15)`."""
    near = text.view(labels).before(start, 24)
    return bool(near) and near[0].kind == "NAME"


def listed_letter(folded: str, date: Date) -> bool:
    """An era letter behind the number of a list's item: ① S55.5.5."""
    return (
        is_era_letter(folded, date) and re.search(r"[①-⑳] ?\Z", folded[max(0, date.start - 2) : date.start]) is not None
    )
