"""EMAIL_ADDRESS: mailboxes as typed, obfuscated (`[at]`, ` at … dot …`, `%40`) and read out (アットマーク, ドット).

Local part and domain are bounded by RFC 5321 4.5.3.1 (64 and 255 octets). Letters of any script are accepted, so a
homoglyph does not hide a mailbox; beside kanji and kana without a space, only ASCII belongs to the local part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.context import topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "EMAIL_ADDRESS"
_LOCAL = r"[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
# Spelled out, so that the search can skip by the first character.
_SAID = "(?:アットマーク|アット|あっとまーく) ?"
_IN_BRACKETS = r" ?(?:[aA][tT]|アット|あっと) ?[\])}>】]"
_AT = re.compile(
    rf"@|アットマーク ?|アット ?|あっとまーく ?| {_SAID}|%40|\[{_IN_BRACKETS}|【{_IN_BRACKETS}|\({_IN_BRACKETS}|\{{{_IN_BRACKETS}|<{_IN_BRACKETS}|★|☆"
)
_BEFORE = re.compile(r"[^\s@<>\"(),:;\[\]「」、。（）・『』=&?/ぁ-ん]{1,64}\Z")
_ASCII_BEFORE = re.compile(rf"{_LOCAL}\Z")
_DOT = r"(?:\.| ?(?:ドット|どっと) ?| ?[\[({] ?(?:dot|\.) ?[\])}] ?)"
# yoake(dot)fumi(at)…: brackets end the local part otherwise. And a scanner's example.co. jp.
_DOTTED_BEFORE = re.compile(r"(?:[0-9A-Za-z_-]{1,24}[\[({](?:dot|DOT|ドット|\.)[\])}]){1,4}\Z")
_BRACKETS = frozenset("])}")
_LAST_PART = re.compile(r"\. (?:jp|com|net|org|example)(?![0-9A-Za-z.])")
_AFTER = re.compile(
    rf"\s?(?:{_LABEL}{_DOT}){{1,8}}[A-Za-z][0-9A-Za-z-]{{0,30}}(?<!-)|\s?[^\W\d_]{{2,30}}(?:\.[A-Za-z]{{2,10}}){{1,3}}",
    re.IGNORECASE,
)
_SPELLED = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Za-z_-]{1,30}(?: (?:dot|\.) [0-9A-Za-z_-]{1,30}){0,4} at (?!the |an? |this |that |my |our |your )[0-9A-Za-z-]{1,40}"
    r"(?: dot [0-9A-Za-z-]{2,20}){1,4}(?![0-9A-Za-z])",
    re.IGNORECASE,
)
# "taro at example.com" reads like prose ("look at example.com"): only where the talk is of mail.
_PLAIN_AT = re.compile(
    rf"(?<![0-9A-Za-z])[0-9A-Za-z._-]{{2,40}} at (?:{_LABEL}\.){{1,6}}[A-Za-z]{{2,12}}(?![0-9A-Za-z@_-]|\.[0-9A-Za-z])"
)
_SPOKEN_PART = "(?!アット ?マーク|あっと ?まーく)[ァ-ヶーぁ-ん0-9A-Za-z_.-]{1,16}"
_SPOKEN = re.compile(
    rf"(?>(?:{_SPOKEN_PART}[、 ]{{1,2}}){{1,12}})(?:アット ?マーク|あっと ?まーく)[、 ]{{0,2}}(?:{_SPOKEN_PART}[、 ]{{1,2}}){{0,8}}"
    r"(?:[ァ-ヶー]{0,12}(?:コム|ジェーピー|ネット|オルグ)|(?:こむ|じぇーぴー|ねっと)|[a-z.]{2,20})"
)
# Without マーク: somebody says the dot as well.
_DOTS, _ATS = ("ドット", "どっと"), ("アット", "あっと")
_UTTERED_PART = "(?!(?:アット|あっと)[、 ])[ァ-ヶーぁ-ん0-9A-Za-z_.-]{1,16}"
_UTTERED = re.compile(
    rf"(?>(?:{_UTTERED_PART}[、 ]{{1,2}}){{1,12}})(?:アット|あっと)[、 ]{{1,2}}(?:{_UTTERED_PART}[、 ]{{1,2}}){{1,4}}?(?:ドット|どっと)[、 ]{{1,2}}"
    rf"(?:{_UTTERED_PART}[、 ]{{1,2}}(?:ドット|どっと)[、 ]{{1,2}})?[ァ-ヶーぁ-んA-Za-z]{{2,12}}"
)
_UNPARTED = re.compile(
    r"[ァ-ヶー0-9A-Za-z](?<![ァ-ヶー0-9A-Za-z].)[ァ-ヶー0-9A-Za-z_.-]{1,40}?アットマーク[ァ-ヶー0-9A-Za-z-]{2,30}?ドット[ァ-ヶーA-Za-z]{2,24}"
)
# info_at_example.com and info @ example.com: files and decorators are written so, hence only where the talk is of mail.
_JOINED_AT = re.compile(
    rf"[0-9A-Za-z](?<![0-9A-Za-z].)[0-9A-Za-z._+-]{{0,40}}?_(?i:at)_(?:{_LABEL}\.){{1,6}}[A-Za-z]{{2,12}}(?![0-9A-Za-z])"
)
_SPACED_AT = re.compile(
    rf"[0-9A-Za-z](?<![0-9A-Za-z].)[0-9A-Za-z._+-]{{1,40}} ?@ ?(?:{_LABEL}\.){{1,6}}[A-Za-z]{{2,12}}(?![0-9A-Za-z])"
)
_DECLARING = ("を@", "を「@", "を『@", "を(@", 'を"@', "を @")
_DECLARED = re.compile(r"(?P<sign>[◎●〇■□◆◇△▲#*★☆_])[」』)\"']? ?を ?[「『(\"']?@")
_ODD_AT = re.compile("[◎●〇■□◆◇△▲#*_]")
# A message is named like a mailbox; the header says which it is.
_MESSAGE_ID = re.compile(r"(?i:message-id|in-reply-to|references|content-id)[\"']? ?:[^\n]{0,160}<\Z")
_LEAD = re.compile(
    r".*(?:アドレスは|メールは|小文字で|大文字で|です、|えー、|えっと、)|[でははがを、 ]{1,3}(?=[ァ-ヶ])"
)


class EmailAddressFinder:
    """Finds mailboxes."""

    entities = frozenset({ENTITY})
    name = "email_address"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        folded = text.folded
        for match in _AT.finditer(folded):
            span = _around(folded, match)
            if span is not None:
                yield text.finding(*span, ENTITY, 0.97 if match.group() == "@" else 0.8, self.name)
        if " dot " in text.lowered:
            for match in _SPELLED.finditer(folded):
                yield text.finding(*match.span(), ENTITY, 0.8, self.name)
        if " at " in folded:
            for match in _PLAIN_AT.finditer(folded):
                if ENTITY in topics_of(text, *match.span(), before=40, after=16):
                    yield text.finding(*match.span(), ENTITY, 0.7, self.name)
        for pattern in (*[_JOINED_AT] * ("_at_" in text.lowered), *[_SPACED_AT] * (" @" in folded or "@ " in folded)):
            for match in pattern.finditer(folded):
                if ENTITY in topics_of(text, *match.span(), before=60, after=16):
                    yield text.finding(*match.span(), ENTITY, 0.8, self.name)
        if "マーク" in folded or "まーく" in folded:
            yield from self._read_out(text, _SPOKEN)
        if any(map(folded.__contains__, _DOTS)) and any(map(folded.__contains__, _ATS)):
            yield from self._read_out(text, _UTTERED)
            for match in _UNPARTED.finditer(folded):
                yield text.finding(*match.span(), ENTITY, 0.8, self.name)
        yield from self._declared(text)

    def _declared(self, text: FoldedText) -> Iterator[Finding]:
        """Another sign for @, where the text says so: `aoi◎example.jp (◎を@に)`."""
        said = _DECLARED.search(text.folded) if any(map(text.folded.__contains__, _DECLARING)) else None
        for match in _ODD_AT.finditer(text.folded) if said else ():
            span = _around(text.folded, match) if said and match.group() == said["sign"] else None
            if span is not None:
                yield text.finding(*span, ENTITY, 0.8, self.name)

    def _read_out(self, text: FoldedText, pattern: re.Pattern[str]) -> Iterator[Finding]:
        for match in pattern.finditer(text.folded):
            lead = _LEAD.match(match.group())
            start = match.start() + (lead.end() if lead else 0)
            if match.end() - start > 12:
                yield text.finding(start, match.end(), ENTITY, 0.8, self.name)


def _around(folded: str, at: re.Match[str]) -> tuple[int, int] | None:
    after = _AFTER.match(folded, at.end())
    if after is None or (at.group() in "★☆" and "." not in after.group()):
        return None
    first = max(0, at.start() - 65)
    left = folded[first : at.start()].rstrip(" ") if at.group() != "@" else folded[first : at.start()]
    before = _ASCII_BEFORE.search(left) or _BEFORE.search(left)
    if before is None:
        return None
    # In a query or an assignment (`mail=a@b.example`) the mailbox begins after the sign.
    cut = max(before.group().rfind(sign) for sign in "=&?/{}|`") + 1
    local = before.group()[cut:]
    bracketed = cut == 0 and left[before.start() - 1 : before.start()] in _BRACKETS
    dotted = _DOTTED_BEFORE.search(left[: before.start()]) if bracketed else None
    if dotted is not None:
        first, local = first - len(dotted.group()), dotted.group() + local
    start = first + before.start() + cut + len(local) - len(local.lstrip(".'"))
    if folded[start - 1 : start] == "<" and _MESSAGE_ID.search(folded, max(0, start - 180), start):
        return None
    if not start < at.start() or folded[start : at.end()] == "git@":  # the user of every git remote
        return None
    last = _LAST_PART.match(folded, after.end())
    return start, last.end() if last else after.end()


def load() -> EmailAddressFinder:
    """The finder."""
    return EmailAddressFinder()
