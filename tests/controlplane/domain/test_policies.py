from __future__ import annotations

from kagamipb.policy.v1.policy_pb2 import CustomRecognizer, RedactionPolicy
from support.snapshots import policy

from controlplane.domain import policies


def test_the_version_is_that_of_the_content_alone() -> None:
    one, renamed = policy(version=""), policy(version="ffffffffffffffff")
    assert policies.version(one) == policies.version(renamed)
    one.deny_terms.append("x")
    assert policies.version(one) != policies.version(renamed)


def test_a_plain_policy_has_no_problems() -> None:
    assert list(policies.problems(policy(), policies.no_custom_recognizers)) == []
    assert list(policies.problems(RedactionPolicy(name="off"), policies.no_custom_recognizers)) == []


def test_a_recognizer_is_judged_by_the_vet() -> None:
    own = RedactionPolicy(recognizers=[CustomRecognizer(entity="EMPLOYEE", pattern="E[0-9]{6}")])
    assert list(policies.problems(own, lambda _: None)) == []
    assert list(policies.problems(own, lambda _: "too dear")) == [("recognizers[0]", "too dear")]


def test_too_much_is_a_problem() -> None:
    many = RedactionPolicy(deny_terms=["x"] * (policies.MAX_TERMS + 1), allow_terms=["y" * 65])
    assert {field for field, _ in policies.problems(many, lambda _: None)} == {"deny_terms", "allow_terms[0]"}
