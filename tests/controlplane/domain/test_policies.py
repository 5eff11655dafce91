from __future__ import annotations

import pytest
from kagamipb.policy.v1.policy_pb2 import Action, CustomRecognizer, EntityRule, Operator, RedactionPolicy
from support.snapshots import policy

from controlplane.domain import policies


def nothing_wrong(_recognizer: CustomRecognizer) -> None:
    return None


def any_pattern(_pattern: str, _widest: int) -> None:
    return None


def test_the_version_is_that_of_the_content_alone() -> None:
    one, renamed = policy(version=""), policy(version="ffffffffffffffff")
    assert policies.version(one) == policies.version(renamed)
    one.deny_terms.append("x")
    assert policies.version(one) != policies.version(renamed)


def test_a_plain_policy_has_no_problems() -> None:
    assert list(policies.problems(policy(), nothing_wrong, any_pattern)) == []
    assert list(policies.problems(RedactionPolicy(name="off"), nothing_wrong, any_pattern)) == []


def test_a_recognizer_is_judged_by_the_vet() -> None:
    own = RedactionPolicy(recognizers=[CustomRecognizer(entity="EMPLOYEE", pattern="E[0-9]{6}")])
    assert list(policies.problems(own, nothing_wrong, any_pattern)) == []
    assert list(policies.problems(own, lambda _: ("pattern", "too dear"), any_pattern)) == [
        ("recognizers[0].pattern", "too dear")
    ]


def test_a_recognizers_entity_fits_into_a_rule() -> None:
    own = RedactionPolicy(recognizers=[CustomRecognizer(entity="E" * 41, pattern="E[0-9]{6}")])
    assert [field for field, _ in policies.problems(own, nothing_wrong, any_pattern)] == ["recognizers[0].entity"]


def test_a_pattern_is_judged_for_what_a_stream_holds_back() -> None:
    asked: list[int] = []

    def judge(pattern: str, widest: int) -> str | None:
        asked.append(widest)
        return "too wide" if pattern == "b" else None

    own = RedactionPolicy(allow_patterns=["a"], deny_patterns=["a", "b"], max_hold_chars=32)
    assert list(policies.problems(own, nothing_wrong, judge)) == [("deny_patterns[1]", "too wide")]
    assert list(policies.problems(RedactionPolicy(deny_patterns=["a"]), nothing_wrong, judge)) == []
    assert asked == [24, 24, 24, 64]


@pytest.mark.parametrize(
    ("operator", "wrong"),
    [
        (Operator(name="mask", masking_char="*", chars_to_mask=4), []),
        (Operator(name="replace"), []),
        (Operator(name="encrypt"), ["name"]),
        (Operator(name="mask", hash_type="sha256"), ["hash_type", "masking_char", "chars_to_mask"]),
        (Operator(name="hash", hash_type="md5"), ["hash_type"]),
        (Operator(name="replace", new_value="x" * 201), ["new_value"]),
    ],
)
def test_an_operator_is_checked_parameter_by_parameter(operator: Operator, wrong: list[str]) -> None:
    own = RedactionPolicy(rules=[EntityRule(entity="PERSON", request=Action.ACTION_OPERATOR, operator=operator)])
    found = [field for field, _ in policies.problems(own, nothing_wrong, any_pattern)]
    assert found == [f"rules[0].operator.{name}" for name in wrong]


def test_an_operator_nothing_uses_is_a_problem() -> None:
    own = RedactionPolicy(rules=[EntityRule(entity="PERSON", operator=Operator(name="keep"))])
    assert [field for field, _ in policies.problems(own, nothing_wrong, any_pattern)] == ["rules[0].operator"]


def test_an_end_of_budgets_nobody_knows_is_a_problem() -> None:
    found = policies.problems(RedactionPolicy(name="p", budget_end=9), nothing_wrong, any_pattern)
    assert [field for field, _ in found] == ["budget_end"]


def test_too_much_is_a_problem() -> None:
    many = RedactionPolicy(deny_terms=["x"] * (policies.MAX_TERMS + 1), allow_terms=["y" * 65])
    many.deny_patterns.extend(["z"] * (policies.MAX_PATTERNS + 1))
    many.recognizers.extend([CustomRecognizer(entity="EMPLOYEE")] * (policies.MAX_RECOGNIZERS + 1))
    wrong = {field for field, _ in policies.problems(many, nothing_wrong, any_pattern)}
    assert wrong == {"deny_terms", "allow_terms[0]", "deny_patterns", "recognizers"}
