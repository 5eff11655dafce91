from __future__ import annotations

import pytest
from kagamipb.policy.v1 import policy_pb2 as pb
from support.redacting import HASH_KEY, policy, scan

from dataplane.redaction.policy import Action, Policy, PolicyError, ScanConfig
from dataplane.redaction.spans import Scan, Span
from dataplane.redaction.terms import DENIED_TERM


def test_without_rules_requests_are_pseudonymised_and_responses_replaced() -> None:
    assert policy().request_action("PERSON") is Action.PSEUDONYM
    assert policy().response_action("PERSON") is Action.REPLACE


def test_a_rule_beats_the_star_and_the_star_beats_the_default() -> None:
    compiled = policy(
        pb.EntityRule(entity="*", request=pb.ACTION_MASK, response=pb.ACTION_ALLOW),
        pb.EntityRule(entity="PERSON", request=pb.ACTION_BLOCK),
    )
    assert compiled.request_action("PERSON") is Action.BLOCK
    assert compiled.response_action("PERSON") is Action.REPLACE
    assert compiled.request_action("ADDRESS") is Action.MASK
    assert compiled.response_action("ADDRESS") is Action.ALLOW


def test_a_pseudonym_in_a_response_is_a_replacement() -> None:
    compiled = policy(pb.EntityRule(entity="PERSON", response=pb.ACTION_PSEUDONYM))
    assert compiled.response_action("PERSON") is Action.REPLACE


@pytest.mark.parametrize(
    ("proto", "field"),
    [
        (pb.RedactionPolicy(rules=[pb.EntityRule(entity="person")]), "rules[0].entity"),
        (pb.RedactionPolicy(rules=[pb.EntityRule(entity="A"), pb.EntityRule(entity="A")]), "rules[1].entity"),
        (pb.RedactionPolicy(rules=[pb.EntityRule(entity="A", threshold=1.5)]), "rules[0].threshold"),
        (pb.RedactionPolicy(rules=[pb.EntityRule(entity="A", request=99)]), "rules[0].request"),
        (pb.RedactionPolicy(rules=[pb.EntityRule(entity="A", response=99)]), "rules[0].response"),
        (pb.RedactionPolicy(allow_terms=["a", ""]), "allow_terms[1]"),
        (pb.RedactionPolicy(deny_terms=["x" * 65]), "deny_terms[0]"),
        (pb.RedactionPolicy(deny_terms=["x"] * 2_001), "deny_terms"),
        (pb.RedactionPolicy(allow_patterns=["x", "y*"]), "allow_patterns[1]"),
        (pb.RedactionPolicy(deny_patterns=["x{25}"], max_hold_chars=32), "deny_patterns[0]"),
        (pb.RedactionPolicy(deny_patterns=["x"] * 51), "deny_patterns"),
        (pb.RedactionPolicy(max_hold_chars=8), "max_hold_chars"),
        (pb.RedactionPolicy(recognizers=[pb.CustomRecognizer(entity="STAFF_ID")]), "recognizers"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_field(proto: pb.RedactionPolicy, field: str) -> None:
    with pytest.raises(PolicyError, match="^" + field.replace("[", r"\[").replace("]", r"\]")):
        Policy.compile(proto, HASH_KEY)


def test_a_short_hash_key_is_refused() -> None:
    with pytest.raises(PolicyError, match="hash key"):
        Policy.compile(pb.RedactionPolicy(), b"short")


def test_findings_below_the_threshold_do_not_count() -> None:
    compiled = policy(pb.EntityRule(entity="PERSON", threshold=0.8))
    spans = [Span(0, 2, "PERSON", 0.7, "t"), Span(3, 5, "ADDRESS", 0.7, "t")]
    assert compiled.refine("田中 東京", spans) == spans[1:]


def test_allowed_terms_are_not_findings_however_they_are_written() -> None:
    compiled = policy(allow_terms=["Alice"])
    text = "ＡＬＩＣＥ and al\u200bice and Alices"
    spans = [Span(0, 5, "PERSON", 0.9, "t"), Span(10, 16, "PERSON", 0.9, "t"), Span(21, 27, "PERSON", 0.9, "t")]
    assert compiled.refine(text, spans) == spans[2:]


def test_denied_terms_are_findings_and_win_over_others() -> None:
    compiled = policy(deny_terms=["プロジェクト鏡"])
    spans = [Span(0, 9, "PERSON", 0.9, "t")]
    assert compiled.refine("極秘プロジェクト鏡", spans) == [
        Span(0, 2, "PERSON", 0.9, "t"),
        Span(2, 9, DENIED_TERM, 1.0, "deny_terms"),
    ]


def test_own_thresholds_and_recognizers_bind_a_scan_of_their_own() -> None:
    asked: list[ScanConfig] = []

    def bind(config: ScanConfig) -> Scan:
        asked.append(config)
        return scan

    proto = pb.RedactionPolicy(
        rules=[pb.EntityRule(entity="PERSON", threshold=0.3), pb.EntityRule(entity="*", threshold=0.2)]
    )
    assert Policy.compile(proto, HASH_KEY, bind=bind).scan is scan
    assert asked == [ScanConfig({"PERSON": 0.3}, ())]
    assert Policy.compile(pb.RedactionPolicy(), HASH_KEY, bind=bind).scan is None


def test_a_recognizer_that_the_detector_refuses_is_a_policy_error() -> None:
    def bind(config: ScanConfig) -> Scan:
        raise ValueError("recognizers[0].pattern: unbounded")

    with pytest.raises(PolicyError, match="unbounded"):
        Policy.compile(pb.RedactionPolicy(recognizers=[pb.CustomRecognizer(entity="X")]), HASH_KEY, bind=bind)
