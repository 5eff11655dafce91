"""Scan time of texts made to be dear, relative to ordinary prose: no text may make detection slow.

usage: python -m bench.adversarial [--chars N] [--repeats N] [--only NAME] [--blame]

Each text is read as a request is, in slices, on one thread, with every recognizer on. Printed is the CPU time per
character as a multiple of that of ordinary Japanese prose of the same run (the bar is 3); `--blame` adds the finders
that took most of each text's time. CPU time is used because it does not depend on what else the machine does; the
fastest of the repeats counts. The exit status is 1 when a text misses the bar.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from kagamipb.policy.v1.policy_pb2 import RedactionPolicy
from rich.console import Console
from rich.table import Table

from bench import prompts
from dataplane.drivers.analyzer import Analyzer
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction
from recognizers.base import Finder
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.registry import load_finders

BAR = 3.0
console = Console()


def texts(chars: int) -> Mapping[str, str]:
    """Texts of `chars` characters by name."""
    draw = random.Random(20_261_121)
    made: dict[str, Callable[[], Iterable[str]]] = {
        "one kanji": lambda: ["山" * chars],
        "one hiragana": lambda: ["あ" * chars],
        "one Latin letter": lambda: ["a" * chars],
        "digits": lambda: ["1" * chars],
        "random digits": lambda: draw.choices("0123456789", k=chars),
        "dates in a row": lambda: ["1990年2月28日 " * (chars // 11)],
        "digits and hyphens": lambda: ["0-" * (chars // 2)],
        "kanji numerals": lambda: draw.choices("一二三四五六七八九十百千", k=chars),
        "full-width digits": lambda: draw.choices("０１２３４５６７８９－", k=chars),
        "at signs and dots": lambda: ["a.@" * (chars // 3)],
        "e-mail without an end": lambda: ["a@" + "b." * (chars // 2 - 1)],
        "surnames in a row": lambda: draw.choices(("佐藤", "田中", "鈴木", "高橋", "伊藤"), k=chars // 2),
        "prefectures in a row": lambda: draw.choices(("東京都", "大阪府", "北海道", "中央区"), k=chars // 3),
        "postal marks": lambda: ["〒" * chars],
        "zero-width characters": lambda: ["あ\u200b\u200d" * (chars // 3)],
        "half-width kana": lambda: draw.choices("ｱｲｳｴｵｶﾞｷﾞﾊﾟﾔﾏﾀﾞ", k=chars),
        "labels without values": lambda: draw.choices(("氏名:", "電話:", "住所:", "生年月日:"), k=chars // 3),
        "blanks": lambda: [" " * chars],
        "line ends": lambda: ["\n" * chars],
        "brackets": lambda: ["([{<「" * (chars // 5)],
        "JSON opened and opened": lambda: ['[{"a":' * (chars // 6)],
        "JSON quotes": lambda: ['{"a":"' * (chars // 6)],
        "JSON escapes": lambda: ["\\u3042" * (chars // 6)],
        "per cent escapes": lambda: ["%E3%81%82" * (chars // 9)],
        "tabs": lambda: ["a\t" * (chars // 2)],
        "commas": lambda: ["a," * (chars // 2)],
        "table rows": lambda: ["| 氏名 | 電話 |\n" * (chars // 12)],
        "capitalised words": lambda: ["Aa " * (chars // 3)],
        "key block without an end": lambda: ["-----BEGIN PRIVATE KEY-----\n", "MIIE" * (chars // 4)],
        "tokens": lambda: ["eyJ." * (chars // 4)],
        "URLs": lambda: ["http://a:" * (chars // 9)],
        "emoji sequences": lambda: ["👨\u200d👩\u200d👧" * (chars // 5)],
        "right-to-left marks": lambda: ["\u202eア\u202c1" * (chars // 4)],
        "variant characters": lambda: draw.choices("髙﨑𠮷邊邉齋", k=chars),
        "lone surrogates": lambda: ["\ud83d" * chars],
        "own placeholders": lambda: ["<PERSON_1" * (chars // 9)],
        "random characters": lambda: map(chr, draw.choices(range(0x20, 0xD800), k=chars)),
    }
    return {name: "".join(make())[:chars] for name, make in made.items()}


def prose(chars: int) -> str:
    """Ordinary text, no sentence like another."""
    pieces: list[str] = []
    while sum(map(len, pieces)) < chars:
        pieces.append(prompts.prompt(len(pieces) + 1))
    return "\n".join(pieces)[:chars]


class Timed:
    """A finder that counts its own CPU time."""

    def __init__(self, finder: Finder, spent: defaultdict[str, float]) -> None:
        self._finder, self._spent = finder, spent
        self.name, self.entities = finder.name, finder.entities

    def find(self, text: FoldedText) -> Sequence[Finding]:
        """See `Finder`."""
        start = time.thread_time()
        found = list(self._finder.find(text))
        self._spent[self.name] += time.thread_time() - start
        return found


def read(text: str, policy: Policy, analyzer: Analyzer, *, json: bool = False) -> float:
    """CPU seconds of reading `text` as a request, or as the `json` arguments of a tool call in one."""
    start = time.thread_time()
    for _ in Redaction(policy, analyzer.scan).request_steps([text], json=(0,) if json else ()):
        pass
    return time.thread_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.adversarial", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--chars", type=int, default=1_000_000, help="characters per text (default 1,000,000)")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", default="", help="texts whose name holds this")
    parser.add_argument("--blame", action="store_true", help="name the dearest finders of each text")
    asked = parser.parse_args()
    spent: defaultdict[str, float] = defaultdict(float)
    analyzer = Analyzer([Timed(finder, spent) for finder in load_finders(None)])
    policy = Policy.compile(RedactionPolicy(enabled=True), b"a key that only this bench uses", bind=analyzer.bind)
    ordinary = prose(min(asked.chars, 200_000))
    read(ordinary[:20_000], policy, analyzer)
    usual = min(read(ordinary, policy, analyzer) for _ in range(max(2, asked.repeats))) / len(ordinary)
    console.print(f"ordinary prose: {usual * 1e6:.2f} µs per character, {1 / usual:,.0f} characters/s")
    table = Table("text", "µs/char", "× prose", "", *(["dearest finders"] if asked.blame else []))
    missed = 0
    for name, text in texts(asked.chars).items():
        if asked.only not in name:
            continue
        spent.clear()
        json = name.startswith("JSON")
        seconds = min(read(text, policy, analyzer, json=json) for _ in range(asked.repeats)) / len(text)
        missed += seconds > BAR * usual
        dearest = sorted(spent.items(), key=lambda item: -item[1])[:3]
        blamed = ", ".join(f"{who} {took / asked.repeats / len(text) / usual:.1f}×" for who, took in dearest)
        verdict = "[red]misses[/]" if seconds > BAR * usual else "[green]holds[/]"
        table.add_row(
            name, f"{seconds * 1e6:.2f}", f"{seconds / usual:.1f}", verdict, *([blamed] if asked.blame else [])
        )
        console.print(f"  {name}: {seconds / usual:.1f}×", style="dim")
    console.print(table)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
