"""How many tokens a request will probably send: an estimate from kinds of characters, without a vocabulary. Pure.

Strategy: a text is reduced, by byte tables in C, to counts of a few kinds of characters and of where words, numbers
and runs begin (`Size`); a family of vocabularies is a weight for each kind. Linear, some 25 microseconds for 1,000
characters. Weights and errors come from eight public vocabularies (`python -m bench.tokens` prints the errors and, with
`--fit`, the weights); a model of no known family gets the mean of all. Limits: an estimate for reserving only, which
`domain.forecast` corrects by what providers report; bills are made of reports. Anthropic and Google publish no
vocabulary of their current models: the family `claude` is measured on the one Anthropic published last.
"""

from __future__ import annotations

from functools import lru_cache
from operator import mul
from typing import Any, Final, NamedTuple

import orjson

PER_MESSAGE: Final = 4
"""What chat templates put around a message. Source: OpenAI's cookbook, "How to count tokens"."""
PER_ANSWER: Final = 3
"""What opens the answer. Same source."""
PER_ATTACHMENT: Final = 1_000

KINDS: Final = (
    "lower", "upper", "words", "digits", "numbers", "signs", "sign runs", "spaces", "lines",
    "hiragana", "kana", "katakana", "cjk signs", "kanji", "kanji-kana", "full width", "other wide", "latin", "astral",
)  # fmt: skip
"""What is counted, in the order of `Size.counts`."""
_LETTERS_PER_TOKEN: Final = 6
"""A run of letters is never taken for fewer tokens; the words of a language are below it."""
_CONTINUATION: Final = bytes(range(0x80, 0xC0))


def _table(*kinds: tuple[bytes, bytes], other: bytes = b".") -> bytes:
    table = bytearray(other * 256)
    for kind, members in kinds:
        for byte in members:
            table[byte] = kind[0]
    return bytes(table)


_LOWER, _UPPER, _DIGITS = bytes(range(97, 123)), bytes(range(65, 91)), bytes(range(48, 58))
_THREE: Final = _table(
    (b"a", _LOWER), (b"A", _UPPER), (b"0", _DIGITS), (b" ", b" \t"), (b"\n", b"\r\n"),
    (b"h", b"\xe3"), (b"k", bytes(range(0xE4, 0xEA))), (b"f", b"\xef"), (b"o", b"\xe0\xe1\xe2\xea\xeb\xec\xed\xee"),
    (b"l", bytes(range(0xC0, 0xE0))), (b"e", bytes(range(0xF0, 0x100))),
)  # fmt: skip
# With everything but one sort made blank, splitting finds its runs.
_WORDS: Final = _table((b"a", b"aA"), other=b" ")
_NUMBERS: Final = _table((b"0", b"0"), other=b" ")
_SIGNS: Final = _table((b".", b"."), other=b" ")


class Size(NamedTuple):
    """What a text is made of."""

    counts: tuple[int, ...]
    """How many of each of `KINDS`."""
    overhead: int = 0
    """Tokens that are not text: templates, attachments."""


def measure(text: str, overhead: int = 0) -> Size:
    """The size of one text. Appending to a text never makes any count smaller."""
    data = text.encode("utf-8", "surrogatepass")
    kinds = data.translate(_THREE, _CONTINUATION)
    count = kinds.count
    lower, upper, digits, signs = count(b"a"), count(b"A"), count(b"0"), count(b".")
    # Most texts have few kinds: what is not there is not looked for again.
    wide, kanji = (0, 0) if text.isascii() else (count(b"h"), count(b"k"))
    others = len(kinds) > lower + upper + digits + signs + wide + kanji
    ascii_kinds = (
        lower, upper, _runs(kinds, _WORDS) + (count(b"aA") if upper else 0) if lower or upper else 0,
        digits, _runs(kinds, _NUMBERS) if digits else 0, signs, _runs(kinds, _SIGNS) if signs else 0,
        count(b"  ") if others else 0, count(b"\n") if others else 0,
    )  # fmt: skip
    if text.isascii():
        return Size(ascii_kinds + _NO_WIDE, overhead)
    here = data.count
    hiragana, kana, katakana = (here(b"\xe3\x81"), here(b"\xe3\x82"), here(b"\xe3\x83")) if wide else (0, 0, 0)
    rare = (count(b"f"), count(b"o"), count(b"l"), count(b"e")) if others else (0, 0, 0, 0)
    wide_kinds = (
        hiragana, kana, katakana, wide - hiragana - kana - katakana, kanji, count(b"kh") if kanji else 0, *rare,
    )  # fmt: skip
    return Size(ascii_kinds + wide_kinds, overhead)


_NO_WIDE: Final = (0,) * 10


def _runs(kinds: bytes, table: bytes) -> int:
    return len(kinds.translate(table).split())


class Family(NamedTuple):
    """Vocabularies that count alike."""

    name: str
    thousandths: tuple[int, ...]
    """Tokens for each of `KINDS`, in thousandths."""
    p95_permille: int
    """95 of 100 texts measured have no more tokens than this share of the estimate."""


FAMILIES: Final[dict[str, Family]] = {family.name: family for family in (
    Family("cl100k", (
        0, 44, 1150, 800, 0, 155, 270, 0, 1153, 0, 1292, 872, 992, 1999, 27, 2731, 1000, 600, 2000), 1171),
    Family("claude", (
        7, 149, 1043, 663, 0, 125, 588, 0, 1298, 172, 1416, 737, 1336, 1781, 53, 1325, 1000, 600, 2000), 1118),
    Family("deepseek", (
        41, 83, 932, 707, 0, 163, 493, 0, 1069, 107, 1050, 530, 689, 1149, 0, 538, 1000, 600, 2000), 1113),
    Family("llama3", (
        1, 60, 1145, 715, 27, 154, 320, 0, 1064, 248, 924, 703, 839, 1037, 218, 1189, 1000, 600, 2000), 1125),
    Family("llama4", (
        0, 71, 1094, 697, 0, 154, 416, 0, 1085, 144, 626, 663, 688, 1032, 29, 1926, 1000, 600, 2000), 1142),
    Family("mistral", (
        24, 82, 1040, 1239, 142, 191, 344, 0, 1017, 424, 987, 624, 0, 1043, 304, 1803, 1000, 600, 2000), 1118),
    Family("o200k", (
        15, 51, 1081, 731, 0, 158, 352, 0, 976, 194, 1010, 684, 696, 1180, 59, 1493, 1000, 600, 2000), 1118),
    Family("qwen", (
        11, 76, 1113, 1347, 0, 161, 314, 0, 925, 138, 578, 548, 376, 1282, 97, 1263, 1000, 600, 2000), 1113),
    Family("other", (
        10, 71, 1090, 872, 0, 158, 377, 0, 1090, 124, 997, 663, 686, 1321, 188, 1304, 1000, 600, 2000), 1296),
)}  # fmt: skip


@lru_cache(maxsize=4096)
def family(model: str) -> Family:
    """The family of a provider's model name; `other` for a name that tells nothing."""
    name = model.lower()
    return FAMILIES[next((known for part, known in _NAMES if part in name), "other")]


_NAMES: Final = (
    ("gpt-oss", "o200k"), ("gpt-4o", "o200k"), ("gpt-4.", "o200k"), ("gpt-5", "o200k"), ("chatgpt", "o200k"),
    ("gpt-4", "cl100k"), ("gpt-3", "cl100k"), ("claude", "claude"), ("llama-4", "llama4"), ("llama4", "llama4"),
    ("llama", "llama3"), ("qwen", "qwen"), ("deepseek", "deepseek"),
    ("mistral", "mistral"), ("mixtral", "mistral"), ("ministral", "mistral"), ("codestral", "mistral"),
)  # fmt: skip


def estimate(size: Size, family: Family) -> int:
    """Tokens of a text of this size in this family, rounded up."""
    counts = size.counts
    thousandths: int = sum(map(mul, counts, family.thousandths))
    # A vocabulary holds words, not whatever somebody writes without a space.
    thousandths = max(thousandths, (counts[0] + counts[1]) * 1000 // _LETTERS_PER_TOKEN)
    return size.overhead - (-thousandths // 1000)


def of_chat(body: dict[str, Any]) -> Size:
    """Size of an OpenAI chat request: messages, tool calls and tool definitions.

    Raises orjson.JSONEncodeError when definitions are nested too deeply.
    """
    texts: list[str] = []
    overhead = PER_ANSWER
    for message in body["messages"]:
        overhead += _gather(message, texts)
    texts += [_json(body[name]) for name in ("tools", "functions", "response_format") if body.get(name)]
    return measure("\n".join(texts), overhead)


def _gather(message: dict[str, Any], texts: list[str]) -> int:
    """Adds a message's texts; tokens of what is not text."""
    overhead = PER_MESSAGE
    content = message.get("content")
    if isinstance(content, str):
        texts.append(content)
    elif isinstance(content, list):
        for part in content:
            text = part.get("text", part.get("refusal"))
            if isinstance(text, str):
                texts.append(text)
            else:
                overhead += PER_ATTACHMENT
    texts += [_json(message[name]) for name in ("tool_calls", "function_call") if message.get(name)]
    return overhead


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
