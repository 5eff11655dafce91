"""Presidio's operators: the very results of presidio-anonymizer, and errors that name the parameter."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kagamipb.policy.v1 import policy_pb2 as pb
from presidio_anonymizer.operators import OperatorsFactory, OperatorType

from dataplane.redaction.operators import OperatorError, compile_operator
from dataplane.redaction.policy import Policy, PolicyError
from dataplane.redaction.replace import Redaction
from dataplane.redaction.spans import Span

SALT = b"sixteen bytes or more"
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_OPERATORS = st.one_of(
    st.fixed_dictionaries({"name": st.just("replace"), "new_value": st.text(max_size=20)}),
    st.fixed_dictionaries({"name": st.sampled_from(["redact", "keep"])}),
    st.fixed_dictionaries(
        {
            "name": st.just("mask"),
            "masking_char": st.characters(exclude_categories=["Cs"]),
            "chars_to_mask": st.integers(1, 60),
            "from_end": st.booleans(),
        }
    ),
    st.fixed_dictionaries({"name": st.just("hash"), "hash_type": st.sampled_from(["sha256", "sha512"])}),
)


def presidio(operator: dict[str, Any], entity: str, text: str) -> str:
    parameters = {key: value for key, value in operator.items() if key != "name"} | {"entity_type": entity}
    if operator["name"] == "hash":
        parameters["salt"] = SALT
    theirs = OperatorsFactory().create_operator_class(operator["name"], OperatorType.Anonymize)
    theirs.validate(parameters)
    result: str = theirs.operate(text, parameters)
    return result


@given(_OPERATORS, _TEXTS)
def test_every_operator_gives_what_presidio_gives(operator: dict[str, Any], text: str) -> None:
    ours = compile_operator(pb.Operator(**operator), SALT)
    assert ours("PERSON", text) == presidio(operator, "PERSON", text)


@pytest.mark.parametrize(
    ("operator", "problem"),
    [
        ({"name": "custom"}, "name: 'custom' is not one of replace, redact, mask, hash, keep"),
        ({}, "name: ''"),
        ({"name": "redact", "new_value": "x"}, "new_value: redact takes no such parameter"),
        ({"name": "mask", "chars_to_mask": 4}, "masking_char: exactly one"),
        ({"name": "mask", "masking_char": "**", "chars_to_mask": 4}, "masking_char: exactly one"),
        ({"name": "mask", "masking_char": "*"}, "chars_to_mask: at least 1"),
        ({"name": "hash", "hash_type": "md5"}, "hash_type: sha256 or sha512"),
        ({"name": "replace", "new_value": "x" * 201}, "new_value: 200"),
    ],
)
def test_an_operator_that_means_nothing_is_refused(operator: dict[str, Any], problem: str) -> None:
    with pytest.raises(OperatorError, match=problem):
        compile_operator(pb.Operator(**operator), SALT)


def redacted(*rules: pb.EntityRule) -> str:
    policy = Policy.compile(pb.RedactionPolicy(enabled=True, rules=rules), b"k" * 16)
    spans = [Span(0, 2, "PERSON", 0.9, "t"), Span(3, 16, "PHONE_NUMBER", 0.9, "t")]
    return Redaction(policy, lambda _text: spans).response("佐藤:090-0123-4567")


def test_a_rule_may_name_an_operator_and_the_star_rule_too() -> None:
    mask = pb.Operator(name="mask", masking_char="*", chars_to_mask=4, from_end=True)
    last_four = pb.EntityRule(entity="PHONE_NUMBER", response=pb.ACTION_OPERATOR, operator=mask)
    everything = pb.EntityRule(
        entity="*", response=pb.ACTION_OPERATOR, operator=pb.Operator(name="replace", new_value="■")
    )
    assert redacted(last_four) == "<PERSON_1>:090-0123-****"
    assert redacted(last_four, everything) == "■:090-0123-****"


def test_what_is_kept_is_counted() -> None:
    keep = pb.EntityRule(entity="PERSON", response=pb.ACTION_OPERATOR, operator=pb.Operator(name="keep"))
    policy = Policy.compile(pb.RedactionPolicy(enabled=True, rules=[keep]), b"k" * 16)
    exchange = Redaction(policy, lambda _text: [Span(0, 2, "PERSON", 0.9, "t")])
    assert exchange.response("佐藤です") == "佐藤です"
    assert exchange.response_counts == {"PERSON": 1}


def test_a_rule_names_an_operator_exactly_when_its_action_needs_one() -> None:
    with pytest.raises(PolicyError, match=r"rules\[0\]\.operator\.name"):
        redacted(pb.EntityRule(entity="PERSON", request=pb.ACTION_OPERATOR))
    with pytest.raises(PolicyError, match=r"rules\[0\]\.operator: neither"):
        redacted(pb.EntityRule(entity="PERSON", request=pb.ACTION_MASK, operator=pb.Operator(name="keep")))


def test_policies_import_no_presidio() -> None:
    code = "import sys; import dataplane.redaction.replace; sys.exit(any('presidio' in name for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
