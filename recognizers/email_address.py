"""EMAIL_ADDRESS: mailboxes as typed, obfuscated (`[at]`, ` at … dot …`, `%40`) and read out (アットマーク, ドット).

Local part and domain are bounded by RFC 5321 4.5.3.1 (64 and 255 octets). Letters of any script are accepted, so a
homoglyph does not hide a mailbox; beside kanji and kana without a space, only ASCII belongs to the local part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recognizers.finding import Finding
from recognizers.folded import FoldedText

ENTITY = "EMAIL_ADDRESS"
_LOCAL = r"[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_DOMAIN = rf"(?:{_LABEL}\.){{1,8}}[A-Za-z][0-9A-Za-z-]{{0,30}}[A-Za-z]"
_AT = re.compile(r"@|%40|[\[({<] ?(?:at|アット|あっと) ?[\])}>]|★|☆", re.IGNORECASE)
_BEFORE = re.compile(r"[^\s@<>\"(),:;\[\]「」、。（）・『』=&?/]{1,64}\Z")
_ASCII_BEFORE = re.compile(rf"{_LOCAL}\Z")
_DOT = r"(?:\.| ?[\[({] ?(?:dot|\.) ?[\])}] ?)"
_AFTER = re.compile(rf"\s?(?:{_LABEL}{_DOT}){{1,8}}[A-Za-z][0-9A-Za-z-]{{0,30}}(?<!-)|\s?[^\W\d_]{{2,30}}(?:\.[A-Za-z]{{2,10}}){{1,3}}", re.IGNORECASE)
_SPELLED = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Za-z_-]{1,30}(?: (?:dot|\.) [0-9A-Za-z_-]{1,30}){0,4} at [0-9A-Za-z-]{1,40}"
    r"(?: dot [0-9A-Za-z-]{2,20}){1,4}(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_SPOKEN_PART = r"[^\s、。「」:：はがをも]{1,20}"
_SPOKEN = re.compile(
    rf"(?:{_SPOKEN_PART}[、 ]{{0,2}}){{1,8}}(?:アット ?マーク|あっと ?まーく)[、 ]{{0,2}}(?:{_SPOKEN_PART}[、 ]{{0,2}}){{1,5}}?"
    rf"(?:コム|ジェーピー|ネット|ドットコム|こむ|じぇーぴー|ねっと|オルグ|com|jp|net)"
)


class EmailAddressFinder:
    entities = frozenset({ENTITY})
    name = "email_address"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        folded = text.folded
        for match in _AT.finditer(folded):
            span = _around(folded, match)
            if span is not None:
                yield text.finding(*span, ENTITY, 0.97 if match.group() == "@" else 0.8, self.name)
        for pattern, mark in ((_SPELLED, " dot "), (_SPOKEN, "マーク"), (_SPOKEN, "まーく")):
            if mark in folded:
                for match in pattern.finditer(folded):
                    yield text.finding(*match.span(), ENTITY, 0.8, self.name)


def _around(folded: str, at: re.Match[str]) -> tuple[int, int] | None:
    after = _AFTER.match(folded, at.end())
    if after is None or (at.group() in "★☆" and "." not in after.group()):
        return None
    first = max(0, at.start() - 65)
    left = folded[first : at.start()].rstrip(" ") if at.group() != "@" else folded[first : at.start()]
    before = _ASCII_BEFORE.search(left) or _BEFORE.search(left)
    if before is None:
        return None
    start = first + before.start() + (len(before.group()) - len(before.group().lstrip(".=/&?'|")))
    return (start, after.end()) if start < at.start() else None


def load() -> EmailAddressFinder:
    return EmailAddressFinder()
