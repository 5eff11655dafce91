"""Scan time of texts made to be slow, against ordinary Japanese prose: `python -m bench.pii_adversary`.

usage: python -m bench.pii_adversary [--characters N] [--entities E,E…] [--top N]

Every text repeats one stretch that pleases some pattern and fails it late, or is random over an alphabet that does. The
promise: no text costs more than three times what ordinary prose costs per character. CPU time of one process.
"""

from __future__ import annotations

import argparse
import random
import time

from recognizers.detector import Detector

PROSE = (
    "本日は晴天なり。メールはこちら（担当：山田）まで、2025年11月3日によろしくお願いします。先週の会議では、"
    "北海道と九州の支店から売上の報告があり、来期の計画を見直すことになりました。"
)
REPEATED = (
    "1", "1-", "12 1 ", "1 1 ", "1234 ", "4242 4242 4242 4242 ", "12 123456 1234 ", "0(", "((", "))1", "一", "一-", "一の", "ゼロ", "に", "いちの", "さん ",
    "@", "a@", "a.", "a@a.", ".", "-", "/", "1丁目", "横浜市", "横浜市1", "横浜市港北", "港区 ", "字中", "大字", "東京都千代田区丸の内", "〒100-0001 ", "口座番号",
    "電話:", "口座1234567 ", "記号12番号34", "記号14080 ", "14080 記号 ", "生年月日", "1990-01-05 ", "S55.", "昭和五十五年", "年", "あきたけん", "あ", "あ ",
    "A 1, ", "Tokyo, ", "1-1 a a a a, ", "1 A A A ", "A", "A1", "AB1234567 ", "sk-", "eyJ", "-----BEGIN PRIVATE KEY-----", "password ",
    "password=a", "http://", "http://a:", "?token=", "\u200b", "1\u200b", "か\u3099", "\u3099", "\n", "a,b\n", "氏名,電話\n1,2\n", "|a|b|\n", "\t\n",
    "(a) values ", "(name,zip) values (1,2),", '"', "a dot ", " at ", "アットマーク", "あ、", "埼 ", "𝟏", "tel", "TEL0", "ビル", "1ビル", "港区1-1ビル", "1:", "1.",
    "4111111111111111 ", "123456789018 ", "\ud800", "👨\u200d👩", "ｶﾞ", '"a\n', "1、", "1|", "1ハイフン", "%E5", "\\u5c71", "&#23665;",
)  # fmt: skip
ALPHABETS = (
    "0123456789 -()",
    "0123456789-の 一二丁目番地市区横浜口座電話生年月日@.,\n:",
    "".join(map(chr, range(32, 127))),
)


def texts(size: int) -> dict[str, str]:
    """Name to text."""
    draw = random.Random(1)
    made = {repr(piece): (piece * (size // len(piece) + 1))[:size] for piece in REPEATED}
    made |= {f"random {alphabet[:12]!r}…": "".join(draw.choices(alphabet, k=size)) for alphabet in ALPHABETS}
    made["random characters"] = "".join(chr(draw.randrange(1, 0xD7FF)) for _ in range(size))
    return made


def cost(detector: Detector, text: str) -> float:
    """Microseconds per character."""
    started = time.process_time()
    detector.scan(text)
    return (time.process_time() - started) * 1e6 / len(text)


def main() -> None:
    """Print the slowest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--entities", help="comma-separated; all by default")
    parser.add_argument("--top", type=int, default=15)
    given = parser.parse_args()
    detector = Detector.load(entities=given.entities.split(",") if given.entities else None)
    ordinary = cost(detector, (PROSE * (given.characters // len(PROSE) + 1))[: given.characters])
    print(f"ordinary prose  {ordinary:6.2f} µs per character")
    costs = {name: cost(detector, text) for name, text in texts(given.characters).items()}
    for name, spent in sorted(costs.items(), key=lambda item: -item[1])[: given.top]:
        print(f"{spent:6.2f} µs  {spent / ordinary:5.1f} ×  {name}")


if __name__ == "__main__":
    main()
