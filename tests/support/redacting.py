"""A small scan made of regular expressions, and helpers to run redaction in tests without the real detector."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence

from hypothesis import strategies as st
from kagamipb.policy.v1.policy_pb2 import EntityRule, RedactionPolicy

from dataplane.redaction.lanes import Lane
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction
from dataplane.redaction.spans import Span

HASH_KEY = b"a key for tests of sixteen bytes or more"

_PATTERNS = {
    "PERSON": r"(?:田中|佐藤|鈴木)(?:太郎|花子)?|Alice(?: Smith)?",
    "PHONE_NUMBER": r"0[0-9]{1,3}-[0-9]{2,4}-[0-9]{4}|0[0-9]{9,10}",
    "EMAIL_ADDRESS": r"[a-z0-9.]{1,64}@[a-z0-9.]{1,64}",
    "API_KEY": r"sk-[A-Za-z0-9]{8,}",
}
_ALL = re.compile("|".join(f"(?P<{entity}>{pattern})" for entity, pattern in _PATTERNS.items()))


def scan(text: str) -> list[Span]:
    """Regular expressions only; every finding scores 0.9."""
    return [Span(*hit.span(), hit.lastgroup or "", 0.9, "test") for hit in _ALL.finditer(text)]


def policy(*rules: EntityRule, **fields: object) -> Policy:
    """A policy that is on, with `rules`."""
    return Policy.compile(RedactionPolicy(enabled=True, rules=rules, **fields), HASH_KEY)


def redaction(*rules: EntityRule, **fields: object) -> Redaction:
    """An exchange under such a policy."""
    return Redaction(policy(*rules, **fields), scan)


def finish(steps: Generator[None, None, list[str]]) -> list[str]:
    """Run steps to their result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def request(redactor: Redaction, *texts: str, json: Sequence[int] = ()) -> list[str]:
    """The texts as the provider gets them."""
    return finish(redactor.request_steps(texts, json=json))


def through(lane: Lane, chunks: Iterable[str]) -> str:
    """All that comes out of a lane."""
    return "".join([lane.feed(chunk) for chunk in chunks]) + lane.flush()


def cuts(text: str) -> st.SearchStrategy[list[str]]:
    """`text` in random chunks."""
    places = st.lists(st.integers(0, len(text)), max_size=12).map(sorted)
    return places.map(lambda at: [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)])


_WORDS = st.sampled_from([
    "田中", "太郎", "鈴木", "さん", "様の", "電話", "は", "です", "。", "、", "\n", " ", "03-1234-5678", "0901234", "5678",
    "alice@example.jp", "Alice", " Smith", "<PERSON_1>", "<PERSON", "_1>", "＜person_2＞", "PERSON_1", "<", "sk-abcdefgh", "x" * 40,
    "eyJhbGciOi.", "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----", "https://user:", "aB3/" * 20, "-----",
    "!", ". ", "a, b", "\u200b", "\ud800", "\0", "👨‍👩‍👧", "「", "」", "(", ")", "東京都", "カタカナ", "ひらがなだけのながいぶんしょう", "\\", '"',
])  # fmt: skip
TEXTS = st.lists(_WORDS | st.text(max_size=4), max_size=60).map("".join)
