"""PERSON: names of people, found on the Sudachi lattice.

Strategy: one morphological pass gives name tokens (姓, 名, 一般); neighbouring ones make a run, and a run
counts when it is whole (family + given name), followed by an honorific or a title, or a lone name that no
organisation or place word follows.
Guarantees: pure, linear in the text, at most 16 characters of right context.
Limits: `MAX_RUN` tokens make one name at most.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import NamedTuple

import sudachipy

from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.names import NameLists

MAX_RUN = 8
_NAME_KINDS = frozenset({"sei", "mei", "any", "maybe"})
_SURROGATE = re.compile("[\ud800-\udfff]")
# Sudachi refuses more than 49,149 bytes at a time; a slice ends at a line or sentence end where there is one.
SLICE = 8_000


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HONORIFICS = _words(
    "さん 様 さま 氏 君 くん ちゃん 殿 先生 先輩 嬢 夫妻 一家 ご夫妻 サン サマ クン チャン ｻﾝ ｻﾏ"
)
TITLES = _words(
    "部長 課長 係長 主任 社長 会長 専務 常務 取締役 店長 所長 院長 教授 准教授 博士 医師 看護師 "
    "弁護士 議員 監督 選手 理事 校長 教諭 記者 次長 室長 本部長 支店長 委員 委員長 主査 主事 局長 "
    "町長 市長 知事 大臣 首相 巡査 警部 容疑者 被告"
)
NOT_A_PERSON = _words(
    "駅 市 町 村 区 県 郡 川 山 島 湖 港 橋 線 通り 支店 店 病院 医院 大学 高校 高等 小学校 "
    "中学校 中学 小学 電機 工業 産業 商事 商店 建設 製作所 運輸 鉄道 銀行 証券 物産 製薬 自動車 "
    "技研 法 理論 賞 杯 式 流 寺 神社 城 公園 ホール 記念 クリニック 歯科 内科 眼科 薬局 ビル 坂 "
    "峠 岳 海岸 温泉 空港 インター 事務 事務所 家具 食品 酒造 醸造 印刷 精機 電気 組 家 本店 営業 "
    "営業所 支社 工場 倉庫 丁目 本町 東 西 南 北"
)


# What stands before さん or 様 without being a name.
NOT_A_NAME = _words(
    "お客 客 皆 みな 奥 お子 子 息子 娘 嫁 姉 兄 弟 妹 母 父 お母 お父 お姉 お兄 祖父 祖母 おじい "
    "おばあ じい ばあ お医者 医者 患者 利用者 会員 先方 相手 業者 屋 大家 お嬢 神 仏 王 お疲れ "
    "ご苦労 上 同 旦那 隣 たく 花屋 魚屋 八百屋 パン屋 お隣 取引先 担当者 責任者 御中 者 方 人"
)


class Token(NamedTuple):
    """One morpheme: offsets, surface, and what it can be (sei, mei, any, place, noun, maybe, space)."""

    start: int
    end: int
    surface: str
    kind: str


class PersonFinder:
    """Finds people's names. Thread-safe: each thread gets its own tokenizer over one shared dictionary."""

    entities: frozenset[str] = frozenset({"PERSON"})
    name: str = "person"

    def __init__(self, dictionary: sudachipy.Dictionary, names: NameLists) -> None:
        self._dictionary = dictionary
        self._names = names
        self._local = threading.local()
        self._kinds = [
            _kind(dictionary.pos_of(pid)) for pid in range(len(dictionary.pos_matcher(lambda _: True)))
        ]

    @classmethod
    def load(cls) -> PersonFinder:
        """Loads dictionary and lists (about 0.2 s). Call once, before a fork."""
        return cls(sudachipy.Dictionary(), NameLists.load())

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """Findings in the coordinates of the original text."""
        for start, end, score in self.spans(text.folded):
            yield text.finding(start, end, "PERSON", score, self.name)

    def spans(self, text: str) -> Iterator[tuple[int, int, float]]:
        """(start, end, score) over `text` itself."""
        clean = _SURROGATE.sub("\ufffd", text)
        for offset, piece in slices(clean):
            for start, end, score in self._piece(piece):
                yield offset + start, offset + end, score

    def _piece(self, text: str) -> Iterator[tuple[int, int, float]]:
        kinds = self._kinds
        tokens = [
            Token(m.begin(), m.end(), m.surface(), kinds[m.part_of_speech_id()])
            for m in self._tokenizer()(text)
        ]
        tokens = [self._named(token) for token in tokens]
        index = 0
        while index < len(tokens):
            last = self._run_end(tokens, index)
            if last < index:
                index += 1
                continue
            after = tokens[last + 1].surface if last + 1 < len(tokens) else ""
            if score := _judge(tokens[index : last + 1], after):
                yield tokens[index].start, tokens[last].end, score
            index = last + 1

    def _named(self, token: Token) -> Token:
        """A place or noun that is also a known family or given name is marked so."""
        if token.kind not in ("place", "noun") or len(token.surface) > 3:
            return token
        if token.surface in self._names.family or token.surface in self._names.rare:
            return token._replace(kind="maybe")
        if token.surface in self._names.given:
            return token._replace(kind="maybe")
        return token

    def _run_end(self, tokens: list[Token], index: int) -> int:
        """Index of the last token of the run of name tokens at `index`; `index - 1` if there is none."""
        if tokens[index].kind in ("noun", "kana"):
            following = tokens[index + 1].surface if index + 1 < len(tokens) else ""
            previous = tokens[index - 1].kind if index else ""
            alone = previous not in ("noun", "place", "maybe") and tokens[index].surface not in NOT_A_NAME
            return index if following in HONORIFICS and alone else index - 1
        if tokens[index].kind not in _NAME_KINDS:
            return index - 1
        last = index
        while last + 1 < len(tokens) and last - index < MAX_RUN and (step := _step(tokens, last)):
            last += step
        return last

    def _tokenizer(self) -> sudachipy.Tokenizer:
        tokenizer = getattr(self._local, "tokenizer", None)
        if tokenizer is None:
            tokenizer = self._local.tokenizer = self._dictionary.create(sudachipy.SplitMode.A)
        return tokenizer.tokenize


def _step(tokens: list[Token], last: int) -> int:
    """How many tokens the run grows by: 2 over a space between family and given name."""
    following = tokens[last + 1].kind
    if following in _NAME_KINDS:
        return 1
    if following != "space" or tokens[last + 1].surface not in " \t" or last + 2 >= len(tokens):
        return 0
    return (
        2 if tokens[last].kind in ("sei", "maybe") and tokens[last + 2].kind in ("mei", "any", "maybe") else 0
    )


def _kind(pos: tuple[str, ...]) -> str:
    if pos[2] == "人名":
        return {"姓": "sei", "名": "mei"}.get(pos[3], "any")
    if pos[2] == "地名":
        return "place"
    if pos[0] == "名詞":
        return "noun"
    return "space" if pos[0] == "空白" else ""


def _judge(run: list[Token], after: str) -> float:
    """Score of a run, 0 when it is not taken for a person."""
    if after in HONORIFICS or after in TITLES:
        return 0.9
    kinds = [token.kind for token in run]
    if after in NOT_A_PERSON or kinds == ["maybe"]:
        return 0.0
    return 0.85 if len(kinds) > 1 else 0.6


def slices(text: str) -> Iterator[tuple[int, str]]:
    """Pieces of at most `SLICE` characters with offsets, cut behind a line or sentence end if possible."""
    start = 0
    while len(text) - start > SLICE:
        window = text[start : start + SLICE]
        cut = max(window.rfind("\n"), window.rfind("。")) + 1 or SLICE
        yield start, window[:cut]
        start += cut
    yield start, text[start:]
