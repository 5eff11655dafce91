"""Dates in every Japanese and English writing; what a date means is for others to say.

Written (1990年1月5日, 昭和55年、5月5日, S55年, 西暦…, 2017年(平成29年)…, kanji numerals, 元年), numeric (1990-01-05, 1990. 1. 5, 19900105,
05/01/1990), era letters (S55.5.5, 昭55・5・5), 元号 codes of forms (7-120823), English (14 July 1988, July 14th, 1988, 11JUL1969,
1993-Mar-23, Showa 30 (1955), January 8; `english_dates` where they are read out), code (`date(1990, 2, 28)`), Korean. A scanner's spaces
and a line's end inside are accepted. `Date.weak` marks forms that many other codes share.
Source: JIS X 0301; 年金・健康保険届書 元号コード (1 明治, 3 大正, 5 昭和, 7 平成, 9 令和).
Bounded: 40 characters. Days and months are checked for their range only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from recognizers.english_dates import english_dates
from recognizers.folded import FoldedText
from recognizers.numbers import has_digits

BEFORE = 24
_S = " {0,3}"
_N = "[0-9OoIl](?: ?[0-9OoIl])?"
_KN = "[〇一二三四五六七八九十元壱弐参拾廿卅](?: ?[〇一二三四五六七八九十元壱弐参拾廿卅]){0,3}"
_NUMBER = f"(?:{_N}|{_KN})"
_ERA = "(?:明 ?治|大 ?正|昭 ?和|平 ?成|令 ?和|[明大昭平令]|(?<![0-9A-Za-z])[MTSHRmtshr][. ]?)"
_OLD_ERA = (
    "(?:民[國国]|慶応|元治|文久|万延|安政|嘉永|弘化|天保|文政|文化|享和|寛政|天明|安永|明和|宝暦|寛延|延享|寛保|元文|享保|正徳|宝永|元禄|貞享|天和|延宝"
    "|寛文|万治|明暦|承応|慶安|正保|寛永|元和|慶長|承和)"
)
_NOTE = r"(?: ?(?:(?!\([0-9]{1,3}\))\([^()\n歳才生]{1,9}\)|〈[^〈〉\n歳才生]{1,9}〉))?"
_PAUSE = f"{_S}(?:の ?[、…]? ?|[、…] ?)?"
_YEAR = f"(?:(?:西暦{_S})?(?:(?:1 ?[89]|2 ?0)[0-9 ]{{2,5}}|[一二][〇一二三四五六七八九]{{3}})|(?:{_OLD_ERA}|{_ERA}){_PAUSE}(?:[0-9]{{3}}|{_NUMBER}))"
# Dates are rare and their patterns dear: the sign 年 or a digit leads to each, and the pattern is tried around it.
_YEAR_BEFORE = re.compile(f"{_YEAR}{_NOTE}{_S}$")
# 60年4月17日: the era is ticked elsewhere on the form, or left out.
_SHORT_YEAR = re.compile(
    f"(?<![0-9〇一二三四五六七八九十百千,.])(?:[0-9]{{2}}|[一二三四五六]?十[一二三四五六七八九]?|元){_S}$"
)
_LINE = f"(?:{_S}|\\n {{0,16}})"
_OLD_MONTH = "(?:正|睦|如|弥生|卯|皐|水無|文|葉|長|神無|霜)月|師走|弥生"
_FROM_YEAR = re.compile(
    rf"年(?!度)(?:生まれ[ので、]{{1,2}})?{_NOTE}{_PAUSE}{_LINE}(?:{_NUMBER}{_S}月|{_OLD_MONTH}){_PAUSE}{_LINE}(?:{_NUMBER}{_S}(?P<sign>[日曰])|元日|元旦|大?晦日|{_NUMBER}(?=[ 、。\n]|です|$))"
)
# Read out, a year may come last (六月一日、昭和六十年), and transcripts write sounds (ろくがつ ついたち).
_SOUND = "(?:せん|ひゃく|びゃく|ぴゃく|はっ|ろっ|にじゅう|じゅう|ぜろ|いち|に|さん|よん|し(?!ょ)|ご|ろく|なな|しち|はち|きゅう|きゅー|く|がん)"
_SAID_YEAR = (
    f"(?:(?:{_ERA}|しょうわ|へいせい|れいわ|たいしょう|めいじ|西暦|せいれき){_PAUSE}(?:{_NUMBER}|{_SOUND}{{1,6}}){_S}(?:年|ねん)"
    f"|(?:せん|にせん)?{_SOUND}{{1,7}}ねん|(?:1[89]|20)[0-9]{{2}}(?:年|ねん))"
)
_SAID_MONTH = f"(?:{_NUMBER}{_S}月|(?:{_NUMBER}|{_SOUND}{{1,3}})がつ)"
_SAID_DAY = f"(?:ついたち|ふつか|みっか|よっか|いつか|むいか|なのか|ようか|ここのか|とおか|はつか|(?:{_NUMBER}|{_SOUND}{{1,4}})(?:日|にち))"
_SAID = re.compile(
    f"{_SAID_YEAR}{_PAUSE}{_SAID_MONTH}{_PAUSE}{_SAID_DAY}|{_SAID_MONTH}{_PAUSE}{_SAID_DAY}{_PAUSE}{_SAID_YEAR}"
)
# 昭和十二、七、七 and 昭・48・11・7: the signs are left out.
_UNSIGNED = re.compile(
    rf"[明大昭平令](?:[治正和成]?{_S}{_KN}(?P<mark>[、・.]) ?{_KN}(?P=mark) ?{_KN}(?![〇一二三四五六七八九十]|(?P=mark))"
    rf"|[治正和成]?[・. ]{{1,2}}[0-9]{{1,2}}(?P<point>[・.]) ?[0-9]{{1,2}}(?P=point) ?[0-9]{{1,2}}(?![0-9]|(?P=point)))"
)
_MONTH_SIGN = re.compile("がつ|月(?=.{1,5}[日かち][、の ]{1,4}.{1,8}年)")
_DAY_ONLY = re.compile(f"{_SOUND}{{1,3}}がつ{_PAUSE}{_SAID_DAY}")
_SAID_BEFORE, _SAID_LEAD = 32, re.compile(f"(?:{_SAID_YEAR}{_PAUSE})?(?:{_NUMBER}{_S}|{_SOUND}{{1,3}})$")

_MONTH = r"(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Za-z]{0,6}\.?"
_Y, _M, _D = "(?:1[89]|20)[0-9]{2}", "(?:1[0-2]|0?[1-9])", "(?:3[01]|[12][0-9]|0?[1-9])"
_GLUE = r" ?[-ー/.・] ?"
_DAY = f"{_D}(?:st|nd|rd|th)?"
_LETTER = rf"(?:[MTSHRmtshr][. ]{{0,2}}|{_ERA}{_S})(?:{_N}|元){_S}[-ー/.・]{_S}{_N}{_S}[-ー/.・]{_S}[0-9OoIl](?: ?[0-9OoIl](?![-A-Za-z0-9]))?"
_STRONG = (
    rf"(?:(?:the )?{_DAY}(?: of |[- /]?){_MONTH}(?:, |,?[- /]?){_Y}|{_MONTH} ?{_DAY},? {_Y}|{_Y}[- ]{_MONTH}[- ]{_D}"
    rf"|(?:Meiji|Taisho|Showa|Heisei|Reiwa) [0-9]{{1,2}} ?(?:\([0-9]{{4}}\))?,? {_MONTH} {_DAY}"
    rf"|(?:{_MONTH} {_D},?|{_D} {_MONTH},?) (?:Meiji|Taisho|Showa|Heisei|Reiwa) [0-9]{{1,2}}"
    rf"|{_Y} ?년 ?{_M} ?월 ?{_D} ?일"
    rf"|{_Y}{_GLUE}{_M}{_GLUE}{_D}|{_D}[-/.]{_D}[-/.](?:19|20)[0-9]{{2}}|{_Y}(?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])|{_LETTER})"
)
_SPACED_ERA = rf"(?:[MTSHRmtshr]|[明大昭平令]) ?[0-6]?[0-9] {{1,2}}{_M} {{1,2}}{_D}"
_FIELD = r"[\"']? ?[:=] ?[\"']?"
_PARTED = (
    rf"{_Y}[\"']? ?[,;&\n] {{0,8}}[\"']?(?:[a-z_]{{0,12}}(?:month|mon)|m|月){_FIELD}{_M}[\"']? ?[,;&\n] {{0,8}}[\"']?"
    rf"(?:[a-z_]{{0,12}}(?:day|date)|d|日){_FIELD}{_D}"
    rf"|{_Y} ?[|\t] ?{_M} ?[|\t] ?{_D}(?= ?[|\t\n]|$)|{_Y}[\"'], ?[\"']{_M}[\"'], ?[\"']{_D}"
    rf"|{_Y}</[A-Za-z_]{{1,12}}>\s{{0,12}}<[A-Za-z_]{{0,8}}(?:[Mm]onth|[Mm]on|[Mm])>{_M}</[A-Za-z_]{{1,12}}>\s{{0,12}}<[A-Za-z_]{{0,8}}(?:[Dd]ay|[Dd]ate|[Dd])>{_D}"
)
_WEAK = (
    rf"(?:{_PARTED}|{_SPACED_ERA}|{_MONTH} (?:the )?{_DAY},? '[0-9]{{2}}|{_D} {_MONTH} '[0-9]{{2}}|[0-9]{{2}}/{_MONTH}/[0-9]{{2}}|[1345] ?- ?[0-6]?[0-9] ?\. ?{_M} ?\. ?{_D}|{_D}[- ]?{_MONTH}[- ]?[0-9]{{2}}|{_D}\.{_MONTH}(?:(?<=\.)|\.){_Y}|[0-9]{{2}}[-/.]{_M}[-/.]{_D}|(?:[13579]-?|[24]-)[0-6][0-9]-?(?:1[0-2]|0[1-9])-?(?:3[01]|[12][0-9]|0[1-9])|(?<![明昭平令治正和成]・)[0-9]{{1,2}}・{_M}・{_D}"
    rf"|[0-9]{{2}}(?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])|[MTSHR][0-6][0-9](?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])|{_Y}, {_M}, {_D}|{_D}[-/.]{_D}[-/.][0-9]{{2}}|(?:3[01]|[12][0-9]|0[1-9])(?:1[0-2]|0[1-9])(?:19|20)[0-9]{{2}})"
)
_OTHER = re.compile(
    rf"(?:(?<![0-9A-Za-z.-])(?<![0-9A-Za-z]/)|(?<=DOB)|(?<=dob)|(?<=DoB)|(?<=[ (]b\.))(?:{_STRONG}|(?P<weak>{_WEAK})){_NOTE}(?![0-9A-SU-Za-z]|T(?![0-9]{{2}}:)|[-.][0-9]|/[0-9]{{1,2}}(?![0-9-]))"
)
# How all of them go on that begin with a digit: quicker to ask for than which one it is.
_MARK = r"(?:[-ー/.・A-Za-z<\n년]|[\"']?[,;&]| ?[|\t]|[\"']? ?\n| {1,2}[-ー/.・A-Za-z0-9년])"
_GOES_ON = re.compile(f"[0-9]{{8}}|[0-9]{{6,7}}(?![0-9])|(?:[0-9]{{1,2}}|(?:1[89]|20)[0-9]{{2}}){_MARK}|[^0-9]")
# A digit, or a scanner's letter for one, that goes on so or may have a month or an era before it.
_DIGITS = re.compile(
    "[0-9OoIl](?<![0-9].)(?:(?<=[. 治正和成明大昭平令A-Za-z][0-9])|(?<=[OoIl])(?=[OoIl]?[0-9])"
    f"|(?<=[0-9])(?=[0-9]{{7}}|[0-9]{{5,6}}(?![0-9])|(?:[0-9]?|(?<=1)[89][0-9]{{2}}|(?<=2)0[0-9]{{2}}){_MARK}))"
)
# What may stand before the first digit of a date: a month or an era.
_LEAD = re.compile(rf"(?:{_MONTH} ?|(?<![A-Za-z])the |(?:Meiji|Taisho|Showa|Heisei|Reiwa) |{_ERA}{_S}(?:元\.)?)$")
_POINT = re.compile(r"[^0-9]\. {0,2}\Z")
_LEADING = frozenset("治正和成明大昭平令")

_ERA_LETTER = re.compile(_LETTER)
_CODE = re.compile(r"[1-579]-[0-6][0-9]-?[0-9]{2}-?[0-9]{2}")


class Date(NamedTuple):
    """A date in the text, folded offsets; `weak` when its form alone could be any code."""

    start: int
    end: int
    weak: bool


def dates(text: FoldedText) -> Iterator[Date]:
    """All dates of the text."""
    yield from _written(text.folded)
    yield from _said(text.folded)
    for start, end in english_dates(text.lowered):
        yield Date(start, end, weak=False)
    for unsigned in _UNSIGNED.finditer(text.folded):
        yield Date(*unsigned.span(), weak=False)
    if has_digits(text):
        yield from _others(text.folded)


def _written(folded: str) -> Iterator[Date]:
    year = folded.find("年")
    while year >= 0:
        rest = _FROM_YEAR.match(folded, year)
        before = _YEAR_BEFORE.search(folded, max(0, year - BEFORE), year) if rest else None
        short = _SHORT_YEAR.search(folded, max(0, year - 5), year) if rest and not before else None
        found = before or short
        if rest is not None and found is not None and _whole(rest, short=before is None):
            yield Date(found.start(), rest.end(), weak=before is None)
        year = folded.find("年", year + 1)


def _whole(rest: re.Match[str], *, short: bool) -> bool:
    """Whether a day without its sign stands after a whole year at least: 昭和38年11月の21."""
    return not short or rest["sign"] is not None or not rest.group()[-1].isdigit()


def _said(folded: str) -> Iterator[Date]:
    for sign in _MONTH_SIGN.finditer(folded):
        lead = _SAID_LEAD.search(folded, max(0, sign.start() - _SAID_BEFORE), sign.start())
        if lead is None:
            continue
        match = _SAID.match(folded, lead.start())
        # In a stream the year may still be to come; without it the day is weak.
        found = match or _DAY_ONLY.match(folded, lead.start())
        if found is not None:
            yield Date(*found.span(), weak=match is None)


def _others(folded: str) -> Iterator[Date]:
    done = 0
    for digits in _DIGITS.finditer(folded):
        start = digits.start()
        if start < done:
            continue
        before = folded[max(0, start - 4) : start].rstrip(" ")[-1:]
        lead = None
        if (
            before in _LEADING
            or (before.isascii() and before.isalpha())
            or _POINT.search(folded, max(0, start - 4), start)
        ):
            lead = _LEAD.search(folded, max(0, start - BEFORE), start)
        if lead is None and not _GOES_ON.match(folded, start):
            continue
        match = (_OTHER.match(folded, lead.start()) if lead else None) or _OTHER.match(folded, start)
        if match is not None:
            done = match.end()
            yield Date(match.start(), done, weak=match["weak"] is not None)


# What is written of a year of 2010 or before; 〇 and one by one in kanji too.
_EARLY = re.compile(
    r"(?:[A-Za-z.]{4,24}\([\"']?)?(?:西暦)?(?:1[89][0-9]{2}|200[0-9]|2010|一[八九][〇一二三四五六七八九]{2}|二〇〇[〇一二三四五六七八九]|二〇一〇)|[明大昭民慶元文万安嘉弘天享寛明宝延正貞承]|[MTSmts][. ]?[0-9]"
    r"|(?:平成?|[Hh][. ]?)(?:元|0?[1-9]|1[0-9]|2[0-2]|二?十[一二]?|十?[一二三四五六七八九])(?![0-9一二三四五六七八九])|.*[^0-9](?:1[89][0-9]{2}|200[0-9]|2010)$"
)


def is_early(folded: str, date: Date) -> bool:
    """Whether the date lies in 2010 or before: documents speak of their own days, particulars of people of such years."""
    return _EARLY.match(folded[date.start : date.end].replace(" ", "")) is not None


def is_era_letter(folded: str, date: Date) -> bool:
    """Whether the date is written with an era letter or abbreviation and marks (S55.5.5)."""
    return _ERA_LETTER.fullmatch(folded, date.start, date.end) is not None


def is_code(folded: str, date: Date) -> bool:
    """Whether the date is a 元号 code of forms (7-120823)."""
    return _CODE.match(folded, date.start, date.end) is not None
