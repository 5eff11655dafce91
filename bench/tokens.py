"""How far token estimates are from real vocabularies: `python -m bench.tokens [--tokenizers FOLDER] [--fit]`.

Prints the relative error (mean, 5th and 95th percentile of estimate/actual - 1) per family of vocabularies and kind of
text. Runs anywhere from `tokens.json`: for each text its size (counts of kinds of characters) and what each vocabulary
made of it, numbers only. `--tokenizers` counts anew from files named `<family>.tiktoken` (base64 token and rank a line;
its splitting pattern in `<family>.pattern`) or `<family>.json` (Hugging Face), needs `tiktoken` and `tokenizers`, and
writes `tokens.json`. `--fit` prints the weights for `controlplane/domain/tokens.py`. Even texts fit, odd ones measure.
"""

from __future__ import annotations

import argparse
import base64
import inspect
import json
import pydoc_data.topics
import random
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from controlplane.domain.tokens import FAMILIES, KINDS, Family, Size, estimate, measure

RECORDED = Path(__file__).with_name("tokens.json")
SENTENCES = Path(__file__).parents[1] / "recognizers" / "training" / "sentences"
PER_KIND = 60
_FILL = {
    "sei": "佐藤", "mei": "健太", "full": "田中 美咲", "full_": "高橋直樹", "en": "Alex Morgan", "en1": "Alex",
    "org": "株式会社青空商事", "date": "2025年4月18日", "money": "12万3,000円", "addr": "東京都千代田区神田1丁目2番3号",
    "dept": "営業部", "title": "課長", "tel": "03-0000-1234", "mail": "a.morgan@example.com", "place": "横浜",
}  # fmt: skip


class Row(NamedTuple):
    """One text as recorded."""

    kind: str
    size: tuple[int, ...]
    actual: dict[str, int]


def corpus() -> Iterator[tuple[str, str]]:
    """Kinds of text and invented or public examples of each, from a line to a few pages; the same while its sources are."""
    from bench import prompts

    rng = random.Random(7)
    lines = {path.stem: _sentences(path, rng) for path in sorted(SENTENCES.glob("*.txt"))}
    english = [line for line in lines.pop("english") if line.isascii()]
    forms = lines.pop("forms") + lines.pop("tight") + lines.pop("records")
    japanese = [line for own in lines.values() for line in own]
    topics = [text for _, text in sorted(pydoc_data.topics.topics.items())]
    prose = [part.strip() for text in topics for part in text.split("\n\n") if len(part) > 80]
    code = [block for block in re.split(r"\n(?=def |class )", inspect.getsource(argparse)) if len(block) > 100]
    for n in range(PER_KIND):
        several = int(2 ** rng.uniform(0, 6))
        yield "Japanese requests", prompts.prompt(n, 20 * several)
        yield "Japanese text", "\n".join(rng.sample(japanese, several))
        yield "Japanese forms", "\n".join(rng.sample(forms, several))
        yield "English mail", "\n".join(rng.sample(english, min(several, 40)))
        yield "English prose", "\n\n".join(rng.sample(prose, max(1, several // 8)))
        yield "Code", "\n".join(rng.sample(code, max(1, several // 16)))
        yield "JSON", _record(rng, japanese, english, several)


def _sentences(path: Path, rng: random.Random) -> list[str]:
    def fill(match: re.Match[str]) -> str:
        return _FILL.get(match[1], str(rng.randint(1, 9999)))

    rows = [row for row in path.read_text().splitlines() if row and not row.startswith("#")]
    return [re.sub(r"\{([a-z_0-9]+)[^}]*\}", fill, row).replace("\\n", "\n") for row in rows]


def _record(rng: random.Random, japanese: Sequence[str], english: Sequence[str], several: int) -> str:
    rows = [
        {"id": rng.randint(1, 10**6), "note": rng.choice(japanese if n % 2 else english), "price": rng.random() * 1e4,
         "tags": ["a", "urgent"], "uuid": f"{rng.getrandbits(128):032x}", "ok": n % 3 == 0, "customerName": "田中 美咲"}
        for n in range(max(1, several // 6))
    ]  # fmt: skip
    return json.dumps(rows, ensure_ascii=False, indent=rng.choice([None, 2]))


def counters(folder: Path) -> dict[str, Callable[[str], int]]:
    """What counts tokens, by family, from the tokenizer files of a folder."""
    import tiktoken  # type: ignore[import-not-found]  # in an environment of their own, not the project's
    import tokenizers  # type: ignore[import-not-found]

    def ranks(path: Path) -> dict[bytes, int]:
        pairs = (line.split() for line in path.read_bytes().splitlines() if line)
        return {base64.b64decode(token): int(rank) for token, rank in pairs}

    found: dict[str, Callable[[str], int]] = {}
    for path in sorted(folder.glob("*.tiktoken")):
        pattern = path.with_suffix(".pattern").read_text().strip()
        plain = tiktoken.Encoding(path.stem, pat_str=pattern, mergeable_ranks=ranks(path), special_tokens={})
        found[path.stem] = lambda text, plain=plain: len(plain.encode_ordinary(text))  # type: ignore[misc]
    for path in sorted(folder.glob("*.json")):
        other = tokenizers.Tokenizer.from_file(str(path))
        found[path.stem] = lambda text, other=other: len(other.encode(text, add_special_tokens=False).ids)  # type: ignore[misc]
    return found


def record(folder: Path) -> None:
    """Count the corpus anew."""
    families = counters(folder)
    names = sorted(families)
    rows = [[kind, measure(text).counts, [families[name](text) for name in names]] for kind, text in corpus()]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    RECORDED.write_text(f'{{"kinds":{json.dumps(KINDS)},\n"families":{json.dumps(names)},\n"texts":[\n{lines}\n]}}\n')


def recorded() -> list[Row]:
    """The texts as recorded. Raises SystemExit when they were recorded for other kinds of characters."""
    data: dict[str, Any] = json.loads(RECORDED.read_text())
    if data["kinds"] != list(KINDS):
        raise SystemExit("tokens.json counts other kinds of characters: record it anew with --tokenizers")
    return [
        Row(kind, tuple(size), dict(zip(data["families"], counts, strict=True))) for kind, size, counts in data["texts"]
    ]


def fitted(sizes: Sequence[Sequence[int]], actual: Sequence[float], rounds: int = 4000) -> list[float]:
    """Weights, none negative, with the least squared relative error: coordinate descent, text by text of equal rank."""
    rows = [[value / total for value in size] for size, total in zip(sizes, actual, strict=True)]
    columns = list(zip(*rows, strict=True))
    squares = [sum(value * value for value in column) for column in columns]
    weights, left = [0.0] * len(columns), [1.0] * len(rows)
    for _ in range(rounds):
        for index, column in enumerate(columns):
            if not squares[index]:
                continue
            step = sum(map(float.__mul__, column, left)) / squares[index]
            step = max(-weights[index], step)
            if step:
                weights[index] += step
                left = [one - step * value for one, value in zip(left, column, strict=True)]
    return weights


_UNSEEN = {"other wide": 1000, "latin": 600, "astral": 2000}
"""Thousandths for what the texts hold too little of to fit: symbols and Hangul, accented letters, emoji."""


def fit(rows: Sequence[Row]) -> None:
    """Print the families as source."""
    even = rows[::2]
    totals = {name: [float(row.actual[name]) for row in even] for name in sorted(rows[0].actual)}
    totals["other"] = [statistics.fmean(row.actual.values()) for row in even]
    for name, actual in totals.items():
        weights = fitted([row.size for row in even], actual)
        thousandths = tuple(
            _UNSEEN.get(kind, round(weight * 1000)) for kind, weight in zip(KINDS, weights, strict=True)
        )
        made = Family(name, thousandths, 1000)
        texts = [
            (row, actual) for row in rows for actual in (row.actual.values() if name == "other" else [row.actual[name]])
        ]
        shares = sorted(actual / max(1, estimate(Size(row.size), made)) for row, actual in texts)
        print(f'    Family("{name}", {thousandths}, {round(1000 * shares[int(0.95 * len(shares))])}),')


def table(rows: Sequence[Row]) -> list[tuple[str, str, float, float, float]]:
    """Family, kind of text, mean error, 5th and 95th percentile, over the odd texts. `other` is tried on every vocabulary."""
    errors: dict[tuple[str, str], list[float]] = {}
    for row in rows[1::2]:
        for name, actual in row.actual.items():
            for used in (name, "other"):
                error = estimate(Size(row.size), FAMILIES[used]) / actual - 1
                errors.setdefault((used, row.kind), []).append(error)
    return [(*key, statistics.fmean(own), *_ends(own)) for key, own in sorted(errors.items())]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return cuts[0], cuts[-1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--tokenizers", type=Path, help="folder of tokenizer files: count anew")
    parser.add_argument("--fit", action="store_true", help="print weights instead of errors")
    options = parser.parse_args()
    if options.tokenizers:
        record(options.tokenizers)
    rows = recorded()
    if options.fit:
        fit(rows)
        return
    print(f"| family | text | mean | p5 | p95 |  ({len(rows[1::2])} texts)\n|---|---|---:|---:|---:|")
    for name, kind, mean, low, high in table(rows):
        print(f"| {name} | {kind} | {mean:+.1%} | {low:+.1%} | {high:+.1%} |")


if __name__ == "__main__":
    main()
