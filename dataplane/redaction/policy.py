"""A redaction policy in the form the hot path needs: compiled once, looked up by entity.

Defaults, when the policy names no rule for an entity and has no "*" rule: findings in requests become reversible
pseudonyms, findings in responses are replaced. In responses `pseudonym` means `replace`, for there is nothing to
restore. An unknown action or a value out of range is refused when compiling: a policy never means less than it says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from kagamipb.policy.v1.policy_pb2 import ACTION_OPERATOR, CustomRecognizer, EntityRule, RedactionPolicy

from dataplane.redaction.operators import Operate, OperatorError, compile_operator
from dataplane.redaction.overlong import OPEN
from dataplane.redaction.patterns import MAX_PATTERNS, PatternError, Patterns, widest
from dataplane.redaction.spans import Scan, Span, override
from dataplane.redaction.terms import DENIED_TERM, MAX_TERM_CHARS, MAX_TERMS, Terms, bare

DEFAULT_HOLD_CHARS = 96
LEAST_HOLD_CHARS, MOST_HOLD_CHARS = 32, 1024
LEAST_HASH_KEY_BYTES = 16
_ENTITY = re.compile(r"\*|[A-Z][A-Z0-9_]{0,39}")


class PolicyError(ValueError):
    """A policy that cannot be used; the message names the field."""


class Action(IntEnum):
    """What happens to a finding; the numbers are those of `kagamipb.policy.v1.Action`."""

    REPLACE = 1
    PSEUDONYM = 2
    MASK = 3
    HASH = 4
    BLOCK = 5
    ALLOW = 6
    OPERATOR = 7


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """What a policy asks of the detector beyond its defaults: thresholds per entity and the tenant's recognizers."""

    thresholds: Mapping[str, float]
    recognizers: Sequence[CustomRecognizer]

    @property
    def is_default(self) -> bool:
        """True when the shared detector will do."""
        return not self.thresholds and not self.recognizers


Bind = Callable[[ScanConfig], Scan]


@dataclass(frozen=True, slots=True)
class _Actions:
    """Actions of one direction."""

    named: Mapping[str, Action]
    other: Action

    def of(self, entity: str) -> Action:
        return self.named.get(entity, self.other)

    def kept(self, spans: Sequence[Span]) -> Sequence[Span]:
        if self.other is not Action.ALLOW and Action.ALLOW not in self.named.values():
            return spans
        return [span for span in spans if self.of(span.entity) is not Action.ALLOW]


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled policy. Make it with `compile`; immutable and shared by all exchanges that use it."""

    name: str
    version: str
    enabled: bool
    max_hold_chars: int
    hash_key: bytes
    scan: Scan | None
    _request: _Actions
    _response: _Actions
    _thresholds: Mapping[str, float]
    _allowed: frozenset[str]
    _denied: Terms
    _allowed_patterns: Patterns
    _denied_patterns: Patterns
    _operators: Mapping[str, Operate]

    @classmethod
    def compile(cls, proto: RedactionPolicy, hash_key: bytes, *, bind: Bind | None = None) -> Policy:
        """The policy that `proto` describes.

        `hash_key` (16 bytes at least) keys the `hash` action. `bind` makes a scan for the policy's own thresholds and
        recognizers (`drivers.analyzer.Analyzer.bind`); without it a policy that has recognizers is refused.
        Raises PolicyError naming the field.
        """
        if len(hash_key) < LEAST_HASH_KEY_BYTES:
            raise PolicyError(f"hash key: {LEAST_HASH_KEY_BYTES} bytes at least")
        thresholds = _thresholds(proto.rules)
        hold = _hold(proto.max_hold_chars)
        key = hashlib.blake2b(hash_key, digest_size=32).digest()
        return cls(
            name=proto.name,
            version=proto.version,
            enabled=proto.enabled,
            max_hold_chars=hold,
            hash_key=key,
            scan=_bound(ScanConfig(_named(thresholds), tuple(proto.recognizers)), bind),
            _request=_actions(proto.rules, "request", Action.PSEUDONYM),
            _response=_actions(proto.rules, "response", Action.REPLACE),
            _thresholds=thresholds,
            _allowed=frozenset(map(bare, _terms(proto.allow_terms, "allow_terms"))),
            _denied=Terms(_terms(proto.deny_terms, "deny_terms")),
            _allowed_patterns=_patterns(proto.allow_patterns, "allow_patterns", hold),
            _denied_patterns=_patterns(proto.deny_patterns, "deny_patterns", hold),
            _operators=_operators(proto.rules, key),
        )

    def request_action(self, entity: str) -> Action:
        """What to do with `entity` on its way to the provider."""
        return self._request.of(entity)

    def response_action(self, entity: str) -> Action:
        """What to do with `entity` on its way to the client."""
        action = self._response.of(entity)
        return Action.REPLACE if action is Action.PSEUDONYM else action

    def kept_in_request(self, spans: Sequence[Span]) -> Sequence[Span]:
        """`spans` less those that may pass to the provider."""
        return self._request.kept(spans)

    def kept_in_response(self, spans: Sequence[Span]) -> Sequence[Span]:
        """`spans` less those that may pass to the client."""
        return self._response.kept(spans)

    def operate(self, entity: str, text: str) -> str:
        """What the operator of the rule for `entity` makes of `text`."""
        return (self._operators.get(entity) or self._operators["*"])(entity, text)

    def refine(self, text: str, spans: Sequence[Span]) -> Sequence[Span]:
        """`spans` less what scores too low or is allowed, plus what of `text` is denied."""
        if self._thresholds or self._allowed or self._allowed_patterns:
            spans = [span for span in spans if self._counts(text, span)]
        denied = override(self._denied.find(text), self._denied_patterns.find(text))
        return override(denied, spans) if denied else spans

    def awaiting(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """`spans` of a text that goes on, its end held back where something denied may have begun."""
        starts = (self._denied.opened(text), self._denied_patterns.opened(text))
        start = min((place for place in starts if place is not None), default=None)
        if start is None:
            return list(spans)
        start = next((span.start for span in spans if span.start < start < span.end), start)
        settled = [span for span in spans if span.end <= start]
        return [*settled, Span(start, len(text), DENIED_TERM, 1.0, OPEN)]

    def _counts(self, text: str, span: Span) -> bool:
        least = self._thresholds.get(span.entity, self._thresholds.get("*", 0.0))
        return span.score >= least and not self._allows(text[span.start : span.end])

    def _allows(self, value: str) -> bool:
        return (bool(self._allowed) and bare(value) in self._allowed) or self._allowed_patterns.covers(value)


def _bound(config: ScanConfig, bind: Bind | None) -> Scan | None:
    if config.is_default:
        return None
    if bind is not None:
        try:
            return bind(config)
        except ValueError as error:
            raise PolicyError(str(error)) from error
    if config.recognizers:
        raise PolicyError("recognizers: this data plane was built without support for custom recognizers")
    return None


def _actions(rules: Sequence[EntityRule], direction: str, default: Action) -> _Actions:
    named: dict[str, Action] = {}
    for index, rule in enumerate(rules):
        if _ENTITY.fullmatch(rule.entity) is None:
            raise PolicyError(f"rules[{index}].entity: capital letters, digits and '_' (or '*'), 40 at most")
        if rule.entity in named:
            raise PolicyError(f"rules[{index}].entity: {rule.entity} has a rule already")
        named[rule.entity] = _action(getattr(rule, direction), default, f"rules[{index}].{direction}")
    return _Actions(named, named.pop("*", default))


def _action(number: int, default: Action, field: str) -> Action:
    if number == 0:
        return default
    try:
        return Action(number)
    except ValueError:
        raise PolicyError(f"{field}: unknown action {number}") from None


def _operators(rules: Sequence[EntityRule], salt: bytes) -> dict[str, Operate]:
    operators: dict[str, Operate] = {}
    for index, rule in enumerate(rules):
        if ACTION_OPERATOR not in (rule.request, rule.response):
            if rule.HasField("operator"):
                raise PolicyError(f"rules[{index}].operator: neither request nor response is 'operator'")
            continue
        try:
            operators[rule.entity] = compile_operator(rule.operator, salt)
        except OperatorError as error:
            raise PolicyError(f"rules[{index}].operator.{error}") from None
    return operators


def _thresholds(rules: Sequence[EntityRule]) -> dict[str, float]:
    for index, rule in enumerate(rules):
        if not 0.0 <= rule.threshold <= 1.0:
            raise PolicyError(f"rules[{index}].threshold: between 0 and 1")
    return {rule.entity: rule.threshold for rule in rules if rule.threshold > 0.0}


def _named(thresholds: Mapping[str, float]) -> dict[str, float]:
    return {entity: least for entity, least in thresholds.items() if entity != "*"}


def _hold(chars: int) -> int:
    if chars == 0:
        return DEFAULT_HOLD_CHARS
    if not LEAST_HOLD_CHARS <= chars <= MOST_HOLD_CHARS:
        raise PolicyError(f"max_hold_chars: between {LEAST_HOLD_CHARS} and {MOST_HOLD_CHARS}, or 0 for the default")
    return chars


def _terms(terms: Sequence[str], field: str) -> list[str]:
    if len(terms) > MAX_TERMS:
        raise PolicyError(f"{field}: {MAX_TERMS} terms at most")
    for index, term in enumerate(terms):
        if not 0 < len(bare(term)) <= MAX_TERM_CHARS:
            raise PolicyError(f"{field}[{index}]: between 1 and {MAX_TERM_CHARS} characters")
    return list(terms)


def _patterns(patterns: Sequence[str], field: str, hold: int) -> Patterns:
    if len(patterns) > MAX_PATTERNS:
        raise PolicyError(f"{field}: {MAX_PATTERNS} patterns at most")
    for index, pattern in enumerate(patterns):
        try:
            Patterns([pattern], most=widest(hold))
        except PatternError as error:
            raise PolicyError(f"{field}[{index}]: {error}") from None
    return Patterns(patterns)
