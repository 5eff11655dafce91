"""`kagami redact`: what the gateway would do to a text, a file or a set of documents, from the command line.

Runs the data plane's own redaction: whole texts as requests are, `--stream` as answers are, in chunks of N characters
or of random sizes. Output for any chunking is the same. Nothing is sent anywhere; texts go to stdout only.
JSONL: `{"id", "text"}` lines in, `{"id", "text", "spans": [{"start", "end", "type", "score", "recognizer"}]}` lines
out, `text` redacted, offsets in code points of the input.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
from kagamipb.policy.v1 import policy_pb2

from dataplane.drivers.analyzer import AnalyzerError, load_scan
from dataplane.redaction.policy import Policy, PolicyError
from dataplane.redaction.replace import SLICE, STREAM, Blocked, Redaction
from dataplane.redaction.spans import Scan, Span
from dataplane.redaction.stream import SWALLOWED, HoldBack, Piece

_ACTIONS = {
    "replace": policy_pb2.ACTION_REPLACE,
    "pseudonym": policy_pb2.ACTION_PSEUDONYM,
    "mask": policy_pb2.ACTION_MASK,
    "hash": policy_pb2.ACTION_HASH,
    "block": policy_pb2.ACTION_BLOCK,
    "allow": policy_pb2.ACTION_ALLOW,
}
_PROGRESS_CHARS = 200_000
Chunks = Callable[[str], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Redacted:
    """One document redacted; spans in code points of the input."""

    text: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Redactor:
    """Redacts documents, each an exchange of its own. `chunks` is None for whole texts."""

    policy: Policy
    scan: Scan
    chunks: Chunks | None

    def redact(self, text: str, advance: Callable[[int], object]) -> Redacted:
        """Redact one document; `advance` hears how many characters are done. Raises Blocked."""
        exchange = Redaction(self.policy, self.scan)
        window = SLICE if self.chunks is None else STREAM
        hold = HoldBack(exchange.scan_request, window)
        out: list[str] = []
        spans: list[Span] = []
        at = 0
        for piece in _pieces(hold, [text] if self.chunks is None else self.chunks(text)):
            end = at + len(piece.text)
            if piece.span is None:
                out.append(piece.text)
            else:
                out.append(exchange.replace_in_request(piece.text, piece.span))
                _extend(spans, piece.span._replace(start=at, end=end))
            advance(end - at)
            at = end
        return Redacted("".join(out), spans)


def _pieces(hold: HoldBack, chunks: Iterable[str]) -> Iterator[Piece]:
    for chunk in chunks:
        hold.push(chunk)
        while (step := hold.step()) is not None:
            yield from step
    yield from hold.flush()


def _extend(spans: list[Span], span: Span) -> None:
    """Add `span`; what was swallowed behind a finding belongs to it."""
    if span.recognizer == SWALLOWED and spans and spans[-1].end == span.start:
        spans[-1] = spans[-1]._replace(end=span.end)
    else:
        spans.append(span)


def parse_stream(value: str) -> Chunks:
    """`N`: chunks of N characters; `random:SEED`: chunks of 1 to 24. Raises ValueError for anything else."""
    if value.startswith("random:"):
        return _random_chunks(int(value.removeprefix("random:")))
    size = int(value)
    if size < 1:
        raise ValueError(value)
    return lambda text: (text[at : at + size] for at in range(0, len(text), size))


def _random_chunks(seed: int) -> Chunks:
    def chunks(text: str) -> Iterator[str]:
        sizes = random.Random(seed)  # noqa: S311 - for testing, not for secrets
        at = 0
        while at < len(text):
            size = sizes.randint(1, 24)
            yield text[at : at + size]
            at += size

    return chunks


def _stream_option(_context: click.Context, _option: click.Parameter, value: str | None) -> Chunks | None:
    try:
        return None if value is None else parse_stream(value)
    except ValueError:
        raise click.BadParameter("a number of characters, or random:SEED") from None


def _thresholds(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> dict[str, float]:
    try:
        pairs = [value.split("=") for value in values]
        return {entity: float(least) for entity, least in pairs}
    except ValueError:
        raise click.BadParameter("ENTITY=NUMBER, for instance PERSON=0.7") from None


def _policy(action: str, thresholds: dict[str, float], **lists: Any) -> policy_pb2.RedactionPolicy:
    """A policy with one action for everything; `lists` are its fields of terms and patterns."""
    rules = [policy_pb2.EntityRule(entity="*", request=_ACTIONS[action])]
    for entity, least in thresholds.items():
        rules.append(policy_pb2.EntityRule(entity=entity, request=_ACTIONS[action], threshold=least))
    return policy_pb2.RedactionPolicy(name="command line", enabled=True, rules=rules, **lists)


@click.command("redact")
@click.argument("text", required=False)
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Read a text file ('-' is stdin).",
)
@click.option(
    "--jsonl",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help='Read {"id","text"} lines.',
)
@click.option(
    "--stream",
    "chunks",
    callback=_stream_option,
    metavar="N|random:SEED",
    help="Feed the text in pieces through the streaming engine.",
)
@click.option("--action", type=click.Choice(sorted(_ACTIONS)), default="replace", show_default=True)
@click.option("--entity", "entities", multiple=True, help="Look for this entity only (repeatable).")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    callback=_thresholds,
    metavar="ENTITY=SCORE",
    help="Least score that counts (repeatable).",
)
@click.option("--allow", multiple=True, metavar="TERM", help="Never redact this term (repeatable).")
@click.option("--deny", multiple=True, metavar="TERM", help="Always redact this term (repeatable).")
@click.option("--allow-pattern", multiple=True, metavar="PATTERN", help="Never redact what matches as a whole.")
@click.option("--deny-pattern", multiple=True, metavar="PATTERN", help="Always redact what matches (repeatable).")
@click.option("--explain", is_flag=True, help="Show what was found, where, by which recognizer and how surely.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with text and spans.")
def main(  # noqa: PLR0917 - click passes options by name
    text: str | None, path: Path | None, jsonl: Path | None, chunks: Chunks | None, action: str,
    entities: tuple[str, ...], thresholds: dict[str, float], allow: tuple[str, ...], deny: tuple[str, ...],
    allow_pattern: tuple[str, ...], deny_pattern: tuple[str, ...], explain: bool, as_json: bool,
) -> None:  # fmt: skip
    """Redact TEXT, a file, or JSONL documents as the gateway would."""
    if sum(source is not None for source in (text, path, jsonl)) != 1:
        raise click.UsageError("give a TEXT, --file or --jsonl (one of them)")
    try:
        analyzer = load_scan(entities=entities or None)
        asked = _policy(
            action,
            thresholds,
            allow_terms=allow,
            deny_terms=deny,
            allow_patterns=allow_pattern,
            deny_patterns=deny_pattern,
        )
        policy = Policy.compile(asked, secrets.token_bytes(32), bind=analyzer.bind)
    except (AnalyzerError, PolicyError) as error:
        raise click.UsageError(str(error)) from error
    redactor = Redactor(policy, analyzer.scan, chunks)
    try:
        if jsonl is not None:
            _documents(redactor, jsonl)
        else:
            _one(redactor, text if text is not None else _read(path), explain=explain, as_json=as_json)
    except Blocked as refused:
        raise click.ClickException(str(refused)) from None


def _read(path: Path | None) -> str:
    if path is None or str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is not UTF-8 (byte {error.start})") from None


def _one(redactor: Redactor, text: str, *, explain: bool, as_json: bool) -> None:
    with _progress(len(text)) as bar:
        redacted = redactor.redact(text, bar.update)
    if as_json:
        click.echo(orjson.dumps({"text": _clean(redacted.text), "spans": [_span(span) for span in redacted.spans]}))
        return
    click.echo(_clean(redacted.text), nl=not text.endswith("\n"))
    if explain:
        for span in redacted.spans:
            found = _clean(text[span.start : span.end])
            click.echo(
                f"{span.start}-{span.end}\t{span.entity}\t{span.score:.2f}\t{span.recognizer}\t{found}", err=True
            )


def _documents(redactor: Redactor, path: Path) -> None:
    with click.open_file(str(path), encoding="utf-8") as lines:
        documents = list(_parsed(lines))
    with _progress(sum(len(text) for _, text in documents)) as bar:
        for name, text in documents:
            redacted = redactor.redact(text, bar.update)
            spans = [_span(span) for span in redacted.spans]
            click.echo(
                json.dumps({"id": name, "text": redacted.text, "spans": spans}, ensure_ascii=False).encode(
                    "utf-8", "replace"
                )
            )


def _parsed(lines: Iterable[str]) -> Iterator[tuple[Any, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            yield document["id"], str(document["text"])
        except (ValueError, KeyError, TypeError):
            raise click.ClickException(f'line {number} is not a JSON object with "id" and "text"') from None


def _span(span: Span) -> dict[str, object]:
    return {
        "start": span.start, "end": span.end, "type": span.entity, "score": round(span.score, 4),
        "recognizer": span.recognizer,
    }  # fmt: skip


def _clean(text: str) -> str:
    """`text` that can be printed: lone surrogates as '?'."""
    return text.encode("utf-8", "replace").decode()


def _progress(length: int) -> Any:
    """A bar on stderr when there is much to do and somebody looks."""
    hidden = length < _PROGRESS_CHARS or not sys.stderr.isatty()
    return click.progressbar(length=length, label="redacting", file=sys.stderr, hidden=hidden)


if __name__ == "__main__":
    main(prog_name="kagami redact")
