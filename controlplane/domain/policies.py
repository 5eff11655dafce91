"""Redaction policies as the control plane sees them: whether one can be meant seriously, and its
version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from kagamipb.policy.v1.policy_pb2 import Action, BudgetEnd, CustomRecognizer, EntityRule, RedactionPolicy, Uninspected

MAX_RULES: Final = 200
MAX_RECOGNIZERS: Final = 50
MAX_TERMS: Final = 2_000
MAX_TERM_CHARS: Final = 64
MAX_PATTERNS: Final = 50
MAX_PATTERN_WIDTH: Final = 64
LEAST_HOLD_CHARS: Final = 32
MOST_HOLD_CHARS: Final = 1024
DEFAULT_HOLD_CHARS: Final = 96
MAX_ENTITY_CHARS: Final = 40
MAX_NEW_VALUE_CHARS: Final = 200
# Of presidio-anonymizer, with their parameters.
_OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    "replace": ("new_value",),
    "redact": (),
    "mask": ("masking_char", "chars_to_mask", "from_end"),
    "hash": ("hash_type",),
    "keep": (),
}
_ENTITY: Final = re.compile(rf"\*|[A-Z][A-Z0-9_]{{0,{MAX_ENTITY_CHARS - 1}}}")

Vet = Callable[[CustomRecognizer], tuple[str, str] | None]
"""Says what is wrong with a custom recognizer (its pattern's cost, an unknown checksum): the field and what to
change; None when nothing is."""
VetPattern = Callable[[str, int], str | None]
"""Says what is wrong with a pattern of an allow-list or a deny-list that may match so many characters."""


def version(policy: RedactionPolicy) -> str:
    """First 16 hex digits of the SHA-256 of the deterministic serialisation without `version`."""
    bare = RedactionPolicy()
    bare.CopyFrom(policy)
    bare.ClearField("version")
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()[:16]


def problems(policy: RedactionPolicy, vet: Vet, vet_pattern: VetPattern) -> Iterator[tuple[str, str]]:
    """What is wrong with a policy, as (field, what it should be)."""
    yield from _rules(policy.rules)
    yield from _terms("allow_terms", policy.allow_terms)
    yield from _terms("deny_terms", policy.deny_terms)
    # A match must fit into what a stream holds back, and leave room to go on.
    widest = min(MAX_PATTERN_WIDTH, (policy.max_hold_chars or DEFAULT_HOLD_CHARS) * 3 // 4)
    yield from _patterns("allow_patterns", policy.allow_patterns, widest, vet_pattern)
    yield from _patterns("deny_patterns", policy.deny_patterns, widest, vet_pattern)
    yield from _recognizers(policy.recognizers, vet)
    if policy.uninspected not in Uninspected.values():
        yield "uninspected", f"unknown value {policy.uninspected}"
    if policy.budget_end not in BudgetEnd.values():
        yield "budget_end", f"unknown value {policy.budget_end}"
    hold = policy.max_hold_chars
    if hold and not LEAST_HOLD_CHARS <= hold <= MOST_HOLD_CHARS:
        yield "max_hold_chars", f"must be between {LEAST_HOLD_CHARS} and {MOST_HOLD_CHARS}, or 0 for the default"


def _rules(rules: Sequence[EntityRule]) -> Iterator[tuple[str, str]]:
    if len(rules) > MAX_RULES:
        yield "rules", f"at most {MAX_RULES}"
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if _ENTITY.fullmatch(rule.entity) is None:
            text = f"must be '*' or capital letters, digits and '_', at most {MAX_ENTITY_CHARS}"
            yield f"rules[{index}].entity", text
        if rule.entity in seen:
            yield f"rules[{index}].entity", f"'{rule.entity}' has a rule already"
        seen.add(rule.entity)
        for direction in ("request", "response"):
            if getattr(rule, direction) not in Action.values():
                yield f"rules[{index}].{direction}", f"unknown action {getattr(rule, direction)}"
        yield from ((f"rules[{index}].operator{field}", what) for field, what in _operator(rule))
        # Written so that NaN fails too.
        if not 0.0 <= rule.threshold <= 1.0:
            yield f"rules[{index}].threshold", "must be between 0 and 1"


def _operator(rule: EntityRule) -> Iterator[tuple[str, str]]:
    """What is wrong with a rule's operator, as (".parameter", what it should be)."""
    given = rule.operator
    if Action.ACTION_OPERATOR not in (rule.request, rule.response):
        if rule.HasField("operator"):
            yield "", "neither request nor response is 'operator'"
        return
    if given.name not in _OPERATORS:
        yield ".name", f"must be one of {', '.join(_OPERATORS)}"
        return
    for field, _ in given.ListFields():
        if field.name not in ("name", *_OPERATORS[given.name]):
            yield f".{field.name}", f"{given.name} takes no such parameter"
    if given.name == "mask" and len(given.masking_char) != 1:
        yield ".masking_char", "must be exactly one character"
    if given.name == "mask" and given.chars_to_mask == 0:
        yield ".chars_to_mask", "must be at least 1; to mask nothing, use keep"
    if given.hash_type not in ("", "sha256", "sha512"):
        yield ".hash_type", "must be sha256 or sha512"
    if len(given.new_value) > MAX_NEW_VALUE_CHARS:
        yield ".new_value", f"at most {MAX_NEW_VALUE_CHARS} characters"


def _terms(field: str, terms: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(terms) > MAX_TERMS:
        yield field, f"at most {MAX_TERMS}"
    for index, term in enumerate(terms):
        if not 0 < len(term.strip()) <= MAX_TERM_CHARS:
            yield f"{field}[{index}]", f"must have 1 to {MAX_TERM_CHARS} characters"


def _patterns(field: str, patterns: Sequence[str], widest: int, vet: VetPattern) -> Iterator[tuple[str, str]]:
    if len(patterns) > MAX_PATTERNS:
        yield field, f"at most {MAX_PATTERNS}, for each one reads every text"
    for index, pattern in enumerate(patterns):
        problem = vet(pattern, widest)
        if problem is not None:
            yield f"{field}[{index}]", problem


def _recognizers(recognizers: Sequence[CustomRecognizer], vet: Vet) -> Iterator[tuple[str, str]]:
    if len(recognizers) > MAX_RECOGNIZERS:
        yield "recognizers", f"at most {MAX_RECOGNIZERS}, for each one reads every text"
    for index, recognizer in enumerate(recognizers):
        problem = vet(recognizer)
        if problem is not None:
            field, what = problem
            yield f"recognizers[{index}].{field}".rstrip("."), what
        elif len(recognizer.entity) > MAX_ENTITY_CHARS:
            yield f"recognizers[{index}].entity", f"at most {MAX_ENTITY_CHARS} characters, as in a rule"
