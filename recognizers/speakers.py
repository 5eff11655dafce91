"""Who speaks in a chat that was copied out: every line of a conversation begins in the same way.

Strategy: lines that are a name and a time (`三田 12:31`), a time, a tab and a name, a time in brackets and a name with a
colon, or a name and a time in brackets. Where one of those who speak is surely a person, the others are, whatever they
are called; roles, kin and machines apart.
Source: the exports of LINE (time, tab, name, tab, text), Slack (name, time) and Teams.
Guarantees: pure, linear; a line is looked at in its first 50 characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = r"(?P<name>[^\W\d_][^\n\d:|,、。<>=\[\]()/「」\"'#*\t]{0,18}?)"
_TIME = r"(?:(?:午[前後]|[AP]M) ?)?[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?(?: ?[AP]M)?"
_DAY = r"(?:[0-9]{4}[/.-][0-9]{1,2}[/.-][0-9]{1,2}(?:\([月火水木金土日]\))?[ ,]{1,2})?"
# A line of speech follows; where the next time follows, it is a plan of the day.
_SPEECH = rf"(?=\n(?![^\n]{{1,22}}[ \t]{_TIME} ?$)[^\n])"
_FORMS = tuple(
    re.compile(form, re.MULTILINE)
    for form in (
        rf"^{_NAME}[ \t]{{1,2}}{_TIME} ?${_SPEECH}",
        rf"^{_TIME}\t{_NAME}\t",
        rf"^\[?{_DAY}{_TIME}\]? {{1,2}}{_NAME} ?[:>]",
        rf"^{_NAME} {{0,2}}\[{_TIME}\]",
    )
)
_CLOCK = re.compile("[0-9]:[0-5][0-9]")
_ROLE = re.compile(
    "(?:お?(?:父|母|兄|姉|弟|妹|祖父|祖母|じい|ばあ|爺|婆)(?:さん|ちゃん|様)?|[夫妻私僕俺嫁]|ママ|パパ|司会者?|担当者?|お?客様?|店員?|管理者|事務局?"
    "|運営|受付|集合|解散|開会|閉会|開始|終了|休憩|朝食|昼食|夕食|昼休み|会議|本部|総務|人事|経理|先生|生徒|部長|課長|社長|店長|編集部|記者|聞き手|[A-Z]|.*(?:[Bb]ot|BOT|ボット|AI|system|System|システム|通知|サポート|センター"
    "|assistant|Assistant|user|User|admin|Admin)(?:さん)?)"
)


def speakers(folded: str) -> list[tuple[int, int]]:
    """Ranges of the names of those who speak, in order of the text; none where fewer than two lines are of one form."""
    if _CLOCK.search(folded) is None:
        return []
    found: list[tuple[int, int]] = []
    for form in _FORMS:
        ranges = [match.span("name") for match in form.finditer(folded)]
        found += ranges if len(ranges) > 1 else []
    return sorted(range_ for range_ in found if _ROLE.fullmatch(folded, *range_) is None)


def unnamed(ranges: Sequence[tuple[int, int]], names: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the speakers' `ranges` that no name touches, if a name touches one of them; both ascend, without overlap."""
    rest: list[tuple[int, int]] = []
    place = 0
    for start, end in ranges:
        while place < len(names) and names[place][1] <= start:
            place += 1
        if place == len(names) or names[place][0] >= end:
            rest.append((start, end))
    return rest if len(rest) < len(ranges) else []
