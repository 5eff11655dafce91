"""What streaming costs: hold-back, scan work and the difference to scanning the whole text.

usage: python -m bench.stream_hold DEV [--hold N] [--errors N] [--held-out] [--joined] [--chunkings N]

DEV is a file of lines `{"id", "text"}`, or a folder that holds one as dev.jsonl, as `make eval-pii` takes. Every text is
fed character by character, the worst case, and scanned whole. `leaked`: letters and digits that the whole-text scan
covers and the stream let go, in % of covered characters; `extra`: the other way round. Hold: how many characters had
arrived behind a character when it was let go. `work`: characters scanned per character streamed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kagamipb.policy.v1.policy_pb2 import RedactionPolicy

from dataplane.drivers.analyzer import load_scan
from dataplane.redaction.cuts import Window
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import STREAM, Redaction
from dataplane.redaction.spans import Scan, Span
from dataplane.redaction.stream import HoldBack


@dataclass(slots=True)
class Tally:
    """Sums over all texts."""

    characters: int = 0
    covered: int = 0
    leaked: int = 0
    extra: int = 0
    scanned: int = 0
    scans: int = 0
    seconds: float = 0.0
    holds: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def streamed(text: str, scan: Scan, window: Window, tally: Tally) -> set[int]:
    """Offsets that the stream masked."""

    def counted(part: str, final: bool) -> Sequence[Span]:
        del final
        tally.scanned += len(part)
        tally.scans += 1
        return scan(part)

    hold = HoldBack(counted, window)
    masked: set[int] = set()
    at = 0
    for arrived, character in enumerate(text, 1):
        for piece in hold.feed(character):
            tally.holds.extend(arrived - place - 1 for place in range(at, at + len(piece.text)))
            if piece.span is not None:
                masked.update(range(at, at + len(piece.text)))
            at += len(piece.text)
    for piece in hold.flush():
        tally.holds.extend(len(text) - place - 1 for place in range(at, at + len(piece.text)))
        if piece.span is not None:
            masked.update(range(at, at + len(piece.text)))
        at += len(piece.text)
    return masked


def measure(texts: Sequence[tuple[str, str]], scan: Scan, window: Window) -> Tally:
    """Run all texts through both."""
    tally = Tally()
    for name, text in texts:
        whole = {place for span in scan(text) for place in range(span.start, span.end)}
        started = time.perf_counter()
        stream = streamed(text, scan, window, tally)
        tally.seconds += time.perf_counter() - started
        tally.characters += len(text)
        tally.covered += sum(text[place].isalnum() for place in whole)
        for kind, differing in (("leaked", whole - stream), ("extra", stream - whole)):
            places = {place for place in differing if text[place].isalnum()}
            setattr(tally, kind, getattr(tally, kind) + len(places))
            tally.errors.extend(f"{kind} {name}: {shown}" for shown in _runs(text, places))
    return tally


def _runs(text: str, places: set[int]) -> Iterator[str]:
    for place in sorted(places):
        if place - 1 not in places:
            end = place
            while end in places:
                end += 1
            yield f"{text[max(0, place - 30) : place]}[[{text[place:end]}]]{text[end : end + 12]}".replace("\n", "/")


def chunkings(texts: Sequence[tuple[str, str]], scan: Scan, examples: int, seed: int) -> int:
    """How many of `examples` random chunkings of random stretches give another output than one chunk does."""
    draw = random.Random(seed)
    policy = Policy.compile(RedactionPolicy(enabled=True), b"a key that only this bench uses")
    differing = 0
    for number in range(examples):
        text = draw.choice(texts)[1]
        start = draw.randrange(max(1, len(text) - 200))
        text = text[start : start + draw.randrange(20, 200)]
        places = sorted(draw.randrange(len(text) + 1) for _ in range(draw.randrange(1, 30)))
        chunks = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
        differing += len({_out(policy, scan, [text], number % 2), _out(policy, scan, chunks, number % 2)}) != 1
    return differing


def _out(policy: Policy, scan: Scan, chunks: Sequence[str], json_lane: int) -> str:
    lane = Redaction(policy, scan).lane(0, json=bool(json_lane))
    return "".join([lane.feed(chunk) for chunk in chunks]) + lane.flush()


def load(path: Path, *, held_out: bool) -> list[tuple[str, str]]:
    """Texts of the set; the tenth that nobody tunes on only when asked for."""
    path = path / "dev.jsonl" if path.is_dir() else path
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [(line["id"], line["text"]) for line in lines]
    return [(name, text) for name, text in texts if (sum(name.encode()) % 10 == 0) == held_out]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.stream_hold",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dev", type=Path)
    parser.add_argument("--hold", type=int, default=STREAM.cap)
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--joined", action="store_true", help="all texts as one long one, empty lines between")
    for name in (
        "near",
        "left",
        "step",
        "soft",
        "strong_margin",
        "plain_margin",
        "clause_margin",
        "soft_margin",
        "blank_margin",
    ):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(STREAM, name))
    parser.add_argument("--chunkings", type=int, default=0, metavar="N", help="also compare N random chunkings")
    asked = parser.parse_args()
    window = replace(
        STREAM, cap=asked.hold, left=asked.left, near=asked.near, step=asked.step, plain_margin=asked.plain_margin, soft=asked.soft, strong_margin=asked.strong_margin,
        clause_margin=asked.clause_margin, soft_margin=asked.soft_margin, blank_margin=asked.blank_margin,
    )  # fmt: skip
    texts = load(asked.dev, held_out=asked.held_out)
    if asked.joined:
        texts = [("joined", "\n\n".join(text for _, text in texts))]
    scan = load_scan().scan
    if asked.chunkings:
        print(f"chunkings: {chunkings(texts, scan, asked.chunkings, 1)} of {asked.chunkings} differ")
    tally = measure(texts, scan, window)
    holds = sorted(tally.holds)
    print(f"texts: {tally.characters} characters, {tally.covered} covered by whole-text findings")
    print(
        f"leaked {tally.leaked / tally.covered:.2%} ({tally.leaked})   extra {tally.extra / tally.covered:.2%} ({tally.extra})"
    )
    p95 = holds[int(len(holds) * 0.95)]
    print(f"hold: mean {statistics.fmean(holds):.1f}, p95 {p95}, max {holds[-1]} characters")
    print(f"work: {tally.scanned / tally.characters:.1f} characters scanned per character, {tally.scans} scans")
    print(f"speed: {tally.characters / tally.seconds:,.0f} characters/s, fed one by one")
    for error in tally.errors[: asked.errors]:
        print(error)


if __name__ == "__main__":
    main()
