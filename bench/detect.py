"""Where the time of a scan goes: `python -m bench.detect`.

usage: python -m bench.detect [--file FILE] [--seconds S]

Texts of 340, 1,000 and 3,000 characters that this process never saw before, every recognizer on, one thread: CPU time of
the first scan of each and of a second one (what the tagger remembers of morphemes makes the difference), then the share
of each stage at 340 characters, warm. `--file` takes a text to cut up instead of the composed prompts; more than 200,000
characters of it are not used. Stages are timed one by one and add up to a little more than a scan.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sudachipy
from rich.console import Console
from rich.table import Table

from bench import prompts
from recognizers.base import Finder
from recognizers.detector import Detector
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.names import NameLists
from recognizers.numbers import readings
from recognizers.overlap import resolve
from recognizers.person_network import Network
from recognizers.person_tagger import Tagger
from recognizers.registry import load_finders

SIZES = (340, 1_000, 3_000)
MOST = 200_000
console = Console()


def composed() -> str:
    """Prompts, none twice."""
    parts = itertools.islice(map(prompts.prompt, itertools.count(500_000)), 800)
    return "".join(parts)[:MOST]


def pieces(source: str, size: int) -> list[str]:
    """`source` cut up."""
    return [source[at : at + size] for at in range(0, len(source) - size, size)]


def speed(detector: Detector, texts: Sequence[str], seconds: float) -> float:
    """Seconds of CPU time per text."""
    start, done = time.process_time(), 0
    for text in texts:
        detector.scan(text)
        done += 1
        if time.process_time() - start > seconds:
            break
    return (time.process_time() - start) / done


def profile(texts: Sequence[str], finders: Sequence[Finder]) -> dict[str, float]:
    """Seconds by stage, all texts together; of the names their halves."""
    spent: dict[str, float] = defaultdict(float)
    for text in texts:
        _scan(text, finders, defaultdict(float))
    for text in texts:
        _scan(text, finders, spent)
    tagger = Tagger(sudachipy.Dictionary(), NameLists.load(), Network.load())
    folded = [FoldedText(text).folded for text in texts]
    for text in folded:
        tagger.tag(text)
    # By itself, lest two taggers push each other out of the processor's cache.
    for text in folded:
        with _timed(spent, "names: Sudachi, vectors"):
            rows, numbers = tagger.read(text)
        with _timed(spent, "names: network"):
            tagger.judge(rows, numbers)
    spent["names: spans, columns"] = max(0.0, spent.pop("person") - _halves(spent))
    return spent


def _halves(spent: dict[str, float]) -> float:
    return sum(seconds for stage, seconds in spent.items() if stage.startswith("names"))


def _scan(text: str, finders: Sequence[Finder], spent: dict[str, float]) -> None:
    found: list[Finding] = []
    with _timed(spent, "folded form"):
        folded = FoldedText(text)
    with _timed(spent, "lower case, modern kanji"):
        assert len(folded.lowered) == len(folded.modern)
    with _timed(spent, "labels"):
        folded.view(labels)
    with _timed(spent, "numbers"):
        folded.view(readings)
    for finder in finders:
        with _timed(spent, finder.name):
            found += finder.find(folded)
    with _timed(spent, "overlaps"):
        resolve(found, text)


@contextmanager
def _timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[stage] += time.perf_counter() - start


def show_speeds(rows: Sequence[tuple[int, float, float]]) -> None:
    """Print the speeds."""
    table = Table("characters", "first scan ms", "characters/s", "second scan ms", "characters/s")
    for size, cold, warm in rows:
        table.add_row(str(size), f"{1e3 * cold:.2f}", f"{size / cold:,.0f}", f"{1e3 * warm:.2f}", f"{size / warm:,.0f}")
    console.print(table)


def show_stages(spent: Mapping[str, float], count: int) -> None:
    """Print the profile."""
    total = sum(spent.values())
    table = Table("stage", "µs", "share %")
    for stage, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        table.add_row(stage, f"{1e6 * seconds / count:.0f}", f"{100 * seconds / total:.1f}")
    console.print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0, help="per size")
    asked = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: threads of the matrix library only wait for each other here")
    source = asked.file.read_text(encoding="utf-8")[:MOST] if asked.file else composed()
    finders = load_finders()
    detector = Detector(finders)
    detector.scan("担当の佐藤です。")
    rows: list[tuple[int, float, float]] = []
    # Each size has a third of its own: none was seen before.
    for number, size in enumerate(SIZES):
        texts = pieces(source[number * len(source) // 3 : (number + 1) * len(source) // 3], size)
        rows.append((size, speed(detector, texts, asked.seconds), speed(detector, texts, asked.seconds)))
    show_speeds(rows)
    texts = pieces(source, SIZES[0])[:300]
    show_stages(profile(texts, finders), len(texts))


if __name__ == "__main__":
    main()
