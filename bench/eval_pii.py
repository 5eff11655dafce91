"""How well and how fast personal data is found: `make eval-pii DEV=PATH`.

usage: python -m bench.eval_pii DEV [--held-out | --all] [--errors N] [--no-stream] [--entities E,E…]

DEV is a folder with `dev.jsonl` or a file: lines `{"id","domain","text","spans":[{"start","end","type"}],"ignore":[…]}`, offsets
in code points. Every tenth document (by its id) is held out: it is scored only with --held-out or --all, so that nobody tunes
on it. Types that the set does not label (IP addresses, keys) are not asked for. Definitions: `bench.pii_scoring`.
Speed is CPU time of one process; the hold of streams is measured character by character, the worst case.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.pii_scoring import Case, Interval, Report, Score
from bench.stream_hold import measure
from dataplane.drivers.analyzer import Analyzer, load_scan
from dataplane.redaction.replace import STREAM

console = Console()


def cases(path: Path) -> list[Case]:
    """The labelled documents of a set."""
    file = path / "dev.jsonl" if path.is_dir() else path
    lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line)
    return [
        Case(line["id"], line["domain"], line["text"], _intervals(line["spans"]), _intervals(line.get("ignore", ())))
        for line in lines
    ]


def _intervals(spans: Iterable[Mapping[str, Any]]) -> tuple[Interval, ...]:
    return tuple((int(span["start"]), int(span["end"]), str(span.get("type", ""))) for span in spans)


def held_out(case: Case) -> bool:
    """Whether a document belongs to the tenth that nobody looks at."""
    return sum(case.id.encode()) % 10 == 0


def evaluate(chosen: Sequence[Case], scan: Analyzer) -> tuple[Report, float]:
    """Scores, and characters per second of CPU time."""
    report = Report()
    spent = 0.0
    for case in chosen:
        started = time.process_time()
        findings = scan(case.text)
        spent += time.process_time() - started
        report.add(case, [(found.start, found.end, found.entity) for found in findings])
    return report, sum(len(case.text) for case in chosen) / max(spent, 1e-9)


def show(report: Report, speed: float, errors: int) -> None:
    """Print the tables."""
    _scores("type", report.by_type, report.whole)
    _scores("domain", report.by_domain, report.whole)
    console.print(f"documents fully covered   {report.covered} / {report.with_spans}")
    console.print(f"clean documents alarmed   {report.alarmed} / {report.clean}")
    console.print(f"speed, one process        {speed:,.0f} characters/s of CPU time")
    for title, lines in (("missed", report.misses), ("alarms", report.alarms)):
        for line in lines[:errors]:
            console.print(f"{title}: {line}", markup=False, highlight=False)


def _scores(title: str, scores: Mapping[str, Score], whole: Score) -> None:
    table = Table(title, "spans", "found", "leak recall %", "findings", "wrong", "precision %")
    for name, score in [*sorted(scores.items(), key=lambda item: -item[1].gold), ("all", whole)]:
        table.add_row(
            name, str(score.gold), str(score.found), _rate(score.recall), str(score.right + score.wrong),
            str(score.wrong), _rate(score.precision),
        )  # fmt: skip
    console.print(table)


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.2f}"


def stream(chosen: Sequence[Case], scan: Analyzer) -> None:
    """Print how streams differ from whole texts and how long they hold text back."""
    tally = measure([(case.id, case.text) for case in chosen], scan.scan, STREAM)
    holds = sorted(tally.holds)
    console.print(f"stream leaks, % of PII    {100 * tally.leaked / max(tally.covered, 1):.3f}")
    console.print(f"stream masks more, %      {100 * tally.extra / max(tally.covered, 1):.3f}")
    at = holds[int(len(holds) * 0.95)]
    console.print(f"hold, characters          mean {statistics.fmean(holds):.1f}, p95 {at}, max {holds[-1]}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--held-out", action="store_true")
    which.add_argument("--all", action="store_true")
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--no-stream", action="store_true")
    parser.add_argument("--entities", help="comma-separated; by default those the set labels")
    given = parser.parse_args()
    every = cases(given.dev)
    chosen = [case for case in every if given.all or held_out(case) == given.held_out]
    labelled = {span[2] for case in every for span in case.spans}
    scan = load_scan(entities=given.entities.split(",") if given.entities else sorted(labelled))
    report, speed = evaluate(chosen, scan)
    show(report, speed, given.errors)
    if not given.no_stream:
        stream(chosen, scan)


if __name__ == "__main__":
    main()
