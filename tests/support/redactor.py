"""A real, small detector: e-mail addresses, Japanese phone numbers and one invented name, by regular expressions."""

from __future__ import annotations

import re

from kagamipb.policy.v1 import policy_pb2

from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction
from dataplane.redaction.spans import Span

NAME = "佐藤太郎"
_PATTERNS = {
    "EMAIL_ADDRESS": re.compile(r"[a-z.]{1,32}@[a-z]{1,32}\.[a-z]{2,8}"),
    "PERSON": re.compile(NAME),
    "PHONE_NUMBER": re.compile(r"(?<![0-9-])0[0-9]{1,3}-[0-9]{3,4}-[0-9]{4}(?![0-9])|(?<![0-9])0[0-9]{9,10}(?![0-9])"),
}


def scan(text: str) -> list[Span]:
    found = [
        Span(*match.span(), entity, 1.0, "support")
        for entity, pattern in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]
    return sorted(found)


def policy(*, enabled: bool = True, action: int = 0, **fields: object) -> Policy:
    """A policy with one action for everything (0 = defaults)."""
    rules = [policy_pb2.EntityRule(entity="*", request=action, response=action)] if action else []
    proto = policy_pb2.RedactionPolicy(name="p", version="v", enabled=enabled, rules=rules, **fields)
    return Policy.compile(proto, b"k" * 32)


def redaction(**fields: object) -> Redaction:
    return Redaction(policy(**fields), scan)


def run(steps):
    """Run a generator to its end; its return value."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
