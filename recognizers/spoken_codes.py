"""Codes of letters and digits as they are read out in Japanese: エーケーの三三〇一…のティーエフ.

Patterns for card and passport numbers; a label must tell what the code is, for the words themselves are common.
"""

from __future__ import annotations

_LETTER = (
    "(?>エー|ビー|シー|ディー|デー|イー|エフ|ジー|エイチ|エッチ|アイ|ジェー|ジェイ|ケー|ケイ|エル|エム|エヌ|オー|ピー|キュー|アール|エス|ティー|テー|ユー"
    "|ブイ|ダブリュー|エックス|ワイ|ゼット|ゼッド|[A-Za-z])"
)
_PAUSE = "(?:[の、, ]{0,2})"
_DIGIT = (
    "(?>[0-9〇零一二三四五六七八九]|ゼロ|レイ|マル|イチ|ニー|ニイ|ニ|サン|ヨン|ゴー|ゴ|ロク|ナナ|シチ|ハチ|キュウ|キュー"
    "|ぜろ|れい|まる|いち|にー|にい|に|さん|よん|ごー|ご|ろく|なな|しち|はち|きゅう|きゅー)"
)


def letters(count: int) -> str:
    """A pattern for `count` letters read out, with pauses."""
    return f"(?:{_LETTER}{_PAUSE}){{{count - 1}}}{_LETTER}"


def digits(count: int) -> str:
    """A pattern for `count` digits, written or read out, with pauses."""
    return f"(?:{_DIGIT}{_PAUSE}){{{count - 1}}}{_DIGIT}"


PAUSE = _PAUSE
