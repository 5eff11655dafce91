"""The grammar of a Japanese address after its municipality, and before it. Patterns only.

town (大字, 字, 通り, 上ル) + block (丁目, 番地, 条, hyphens, の, kanji numerals) up to five times, + building + rooms.
Every quantifier is bounded, so matching one address looks at 200 characters at most.
Source: 住居表示に関する法律; 京都の通り名; 北海道の条丁目; common writing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_KN = "[〇零一二三四五六七八九十百千壱弐参拾]{1,7}"
_ONES = "(?:いち|に|さん|よん|ご|ろく|なな|はち|きゅう)"
_SPOKEN_N = f"(?:{_ONES}?じゅう{_ONES}?|ゼロ|ぜろ|れい|いち|さん|よん|ろく|なな|はち|きゅう)"
_DIRECTION = "[東西南北左右甲乙丙丁戊己イロハニホヘトチリヌルヲワカヨタレソツネナラム]?"
_UNIT = "(?:丁目|番地|番丁|番町|番屋敷|番戸|条通り?|条(?![例項件約文])|丁|番(?![組目線号])|番(?=号)|部(?=[0-9]|の?[0-9一二三四五六七八九十]{1,4}番地)|号(?![室棟館車線])|地割|線)"
_JOIN = "(?: ?[-ー~・](?: ?|\\n {0,12})|(?<=丁目)\\n {0,12}(?=[0-9]{1,4}(?:番|-))|[のノ之](?:、|\\n {0,12})?|(?<=[目地丁番条の線部]) {0,2})"
# A scanner's letters for 0 and 1; not the beginning of a word, and no price (1,298).
_D = "(?:[0-9]|[OoIl](?![A-HJ-NP-Za-km-np-z]))"
_ASCII = f"{_DIRECTION}{_D}{{1,5}}(?![0-9]|,[0-9]{{3}}(?![0-9-]))"
_BEGIN = f"{_DIRECTION}(?=[OoIl]{{0,3}}(?:[0-9]|(?<=[OoIl])(?:丁目|番地?|条|-{_D}))){_D}{{1,5}}(?![0-9])"
_NEXT = f"(?:{_ASCII}(?! ?号[室棟館]|階|F)|{_DIRECTION}{_KN}|{_SPOKEN_N})"
_FIRST = f"(?:無番地|[東西南北][0-9]{{1,2}}(?:条)?[東西南北][0-9]{{1,2}}(?![0-9])(?:丁目)?|[OoIl](?=丁目|番地)(?:丁目|番地)|[イロハニホヘトいろはにほへと]の[0-9]{{1,5}}(?![0-9])(?:番地)?|(?<=[一-龠\\n])[〇一二三四五六七八九]{{2,5}}(?=[\\s」)、]|$)|(?<=[一-龠])[一二三四五六七八九]?[千百][一二三四五六七八九十百]{{1,6}}(?=[」』。\n]|$)|(?<=の)[一二三四五六七八九十百]{{2,6}}(?=です|[\\s」、。]|$)|{_BEGIN}(?: ?{_UNIT})?|{_DIRECTION}{_KN}(?:{_UNIT}|(?= ?[-ーのノ] ?(?:[0-9]|{_KN})))|{_SPOKEN_N}(?:(?=の)|丁目|番地))"
# What a block may begin with: asked first, at every character of a town.
_LEADS = "(?=[0-9OoIl〇零一二三四五六七八九十百千壱弐参拾無東西南北左右甲乙丙丁イロハニホヘトいろはにほへとゼぜれさよなきじごる])"
_BLOCK = f"{_FIRST}(?:{_JOIN}{_NEXT}(?: ?{_UNIT})?){{0,7}}(?:[イロハニホヘト](?![ァ-ヶー])号?)?"
_TOWN_CHARACTER = "[々〆ヶ一-龠ぁ-んァ-ンー]"
_GAP = r"(?:[、,/]? {0,2}|\n {0,6}|<br ?/?>|[\"']?[,\t] ?[\"']?)"
# A line of an address goes on with 字, or after the word that says which way a street of Kyoto runs.
_TURN = r"\n {0,6}(?=大?字)|(?<=[入ルる])\n {0,6}"

SEGMENT = re.compile(
    f"(?P<town>{_GAP}(?:{_TOWN_CHARACTER} ?|{_TURN}){{0,24}}?(?:、|(?<=[町丁字通郷])\n {{0,6}}|\n(?=[〇一二三四五六七八九]{{2,5}}(?:[\\s」]|$))|[\"']?[,\\t/] ?[\"']?|\n {{0,6}}(?=[0-9]{{1,4}}(?:丁目|番|-[0-9])))?)(?P<block>{_LEADS}{_BLOCK})"
)
# 四条通寺町上る大文字町: what stands after the crossing may have no number.
KYOTO_TOWN = re.compile("(?:[上下][るル]|[東西]入[るル]?)[一-龠々ノ之]{1,8}町")
ONLY_BLOCK = re.compile(_BLOCK)
TOWN_ONLY = re.compile(f"{_TOWN_CHARACTER}{{2,16}}")
AZA = re.compile(
    f"(?:大字|(?<![一-龠ぁ-んァ-ヶ])字(?=[一-龠ァ-ヶ]))(?:{_TOWN_CHARACTER}(?<![はをにでへも])){{1,12}}?(?=[^々ヶ一-龠ぁ-んァ-ンー]|{_ASCII}|[〇一二三四五六七八九]{{1,4}}番|$)"
)

_SUFFIX = (
    "(?:ビル(?:ディング)?|大厦|大楼|マンション|アパート|ハイツ|コーポ|荘|寮|レジデンス|タワー|ハウス|テラス|コート|パレス|メゾン|ヴィラ|ヒルズ|プラザ|号館|番館|館|棟|団地"
    "|住宅|ストアー?|センター|ガーデンズ?|スクエア|ハイム|フォレスト|シャトー|ドミール|グラン|エステート|苑|ホーム|アーバン|サンライズ|レヂデンス|シティ|ヴィレッジ|社宅|宿舎|キャンパス|庁舎|会館|校舎|倉庫|サウス|ノース|イースト|ウエスト|パーク|中心|病院|クリニック|医院)"
)
_NAME = r"[^\sを,、。,.「」『』()（）|\"<>:;：；/様殿御]"
_ROOM_BELOW = "\\n {0,12}(?:地下|B)?[0-9]{1,4}(?:号室|階|F(?![a-z]))"
_ROOM = (
    "(?:(?:地下|B|号棟[A-Z]?-?)?(?:[0-9Il]{1,5}|[〇一二三四五六七八九十]{1,4})(?:号室|号棟 ?[A-Z]?-?[0-9]{0,4}|号館|号|階|F(?![a-z])|f(?![a-z])|室|棟|期)"
    "|(?:[A-Z]-?)?[0-9][0-9OoIl]{1,4}(?![0-9/:年月日時分件名円歳%人])|[A-Z]棟|[0-9]{1,3}-[A-Z0-9]{1,4}(?![0-9])|[〇一二三四五六七八九]{3}|[A-Z](?![0-9A-Za-z])|[Ⅰ-Ⅻ])"
)
# The next cell of a row that ends with a room.
_NEXT_CELL = r'"?[,\t]"?(?![0-9(+])(?=[^,\t\n"]{2,24}(?:[0-9]{2,4}(?:号室?)?|[0-9]階|[0-9]F)"?(?:[,\t\n]|$))'
BUILDING = re.compile(
    f"(?: {{0,2}}|{_NEXT_CELL}|\\n {{0,24}}|<br ?/?>|-| ?、| ?\\(|の(?=[^\\s、。]{{0,8}}?(?:団地|住宅|アパート|マンション|ビル|ハイツ|コーポ|寮|社宅)[^\\s、。]{{0,4}}[0-9]))(?![にでをはがのへとも])(?:"
    f"{_NAME}{{0,16}}?{_SUFFIX}(?:{_NAME}{{0,8}}?{_SUFFIX})?(?:[Ⅰ-Ⅻ]|{_NAME}{{0,8}}? ?{_ROOM})?(?: ?{_ROOM}|{_ROOM_BELOW}){{0,3}}"
    f"|{_NAME}{{0,4}}?[ァ-ヶーA-Za-z]{_NAME}{{1,14}}? ?{_ROOM}(?: ?{_ROOM}){{0,2}}"
    f"|(?<= )[ァ-ヶー]{{3,10}}[一-龠ぁ-んヶ]{{1,5}}(?:、部屋は ?[0-9]{{2,4}})?(?=[、。\\n)」]|$)"
    f"|[A-Z][A-Za-z'&.-]{{1,16}}(?: [A-Z0-9][A-Za-z'&.-]{{0,16}}){{0,3}} ?#?{_ROOM}|#?{_ROOM}(?: ?{_ROOM}){{0,2}}|[一-龠々]{{1,4}}様?方(?![一-龠ぁ-んァ-ヶ]))"
)

_POSTAL = r"\(?〒? ?[0-9OoIl]{3} ?[-ー] ?[0-9OoIl]{4}\)?|〒 ?[0-9]{7}|(?<![0-9-])[0-9]{7}(?=[\s,\"]|[一-龠]{2,3}[都道府県])|〒?[〇一二三四五六七八九]{3}[-ー][〇一二三四五六七八九]{4}"
_SEPARATOR = r"(?:[\s,、:/]{0,6}|[\"']?, ?[\"']?|\"[,:]\"|<br ?/?>|</?[A-Za-z]{1,12}>{0,2})"


def prefix(prefectures: list[str]) -> re.Pattern[str]:
    """Matches what may stand before a municipality, up to its start: postal code, prefecture, county."""
    names = "|".join(" ?".join(name) for name in prefectures)
    return re.compile(
        f"(?:(?:{_POSTAL}){_SEPARATOR})?(?:日本国?)?(?:(?P<prefecture>{names}|东京都)(?:の、?)?{_SEPARATOR})?(?:[一-龠ヶケ]{{1,4}}郡 ?)?$"
    )


class Block(NamedTuple):
    """A block number: where it ends and how telling it is (2 unmistakable, 1 two numbers, 0 a bare number)."""

    start: int
    end: int
    strength: int


_STRONG = re.compile(
    "丁目|[東西南北][0-9]{1,2}条?[東西南北][0-9]|番地|番丁|番.{0,2}号|番屋敷|番戸|条.{1,6}丁|地割|丁 ?[-の]?[0-9]|[0-9〇一二三四五六七八九OoIl] ?[-ー・~]\\s{0,12}[0-9〇一二三四五六七八九OoIl].{0,2}[-ー・~]\\s{0,12}[0-9〇一二三四五六七八九OoIl]"
)
_TWO = re.compile(rf"(?:[0-9OoIl]|{_KN}) ?[-ー~のノ・] ?(?:[0-9OoIl]|{_KN})|番|号|条|丁")
_NOT_BLOCK = re.compile(
    r"[^-の]{1,4}丁目 ?~|(?:19|20)[0-9]{2}-[0-9]{1,2}(?:-[0-9]{1,2})?(?![0-9])|0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}(?![0-9])|[0-9]{3}-[0-9]{4}(?![0-9])(?!番|号)"
)
_COUNTER = re.compile(
    r"(?:年|月|日|人|件|名(?![一-龠])|円|個|台|回|時|分|秒|歳|才|%|パーセント|万|億|千|か所|ヶ所|箇所|つ|世帯|位|校|社|店|kg|km|m|区|度|階|期|次|級|冊|部|章|[:/][0-9]|,[0-9]{3}(?![0-9-])|\.[0-9])"
)


def judge_block(text: str, start: int, end: int) -> int:
    """Strength of the block [start, end) of `text`; -1 when it is a date, a phone number or a count."""
    block = text[start:end]
    if _NOT_BLOCK.match(text, start):
        return -1
    if _STRONG.search(block):
        return 2
    if _COUNTER.match(text, end):
        return -1
    return 1 if _TWO.search(block) else 0
