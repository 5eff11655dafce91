from __future__ import annotations

import re

import pytest
from hypothesis import given
from kagamipb.policy.v1 import policy_pb2 as pb
from support.redacting import HASH_KEY, TEXTS, finish, redaction, request, scan, through

from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import SLICE, Blocked, Redaction


def rule(request: pb.Action, response: pb.Action = pb.ACTION_UNSPECIFIED, entity: str = "PERSON") -> pb.EntityRule:
    return pb.EntityRule(entity=entity, request=request, response=response)


def test_the_provider_sees_pseudonyms_and_the_client_its_own_words() -> None:
    exchange = redaction()
    assert request(exchange, "田中太郎の電話は03-1234-5678", "田中太郎へ") == [
        "<PERSON_1>の電話は<PHONE_NUMBER_1>",
        "<PERSON_1>へ",
    ]
    assert through(exchange.lane(0), "<PERSON_1>さん、<PHONE_NUMBER_1>ですね。") == "田中太郎さん、03-1234-5678ですね。"
    assert exchange.request_counts == {"PERSON": 2, "PHONE_NUMBER": 1}
    assert exchange.restored == 2
    assert not exchange.response_counts


def test_new_personal_data_in_an_answer_is_redacted_with_a_number_of_its_own() -> None:
    exchange = redaction()
    request(exchange, "田中です")
    assert exchange.response("<PERSON_1>と鈴木花子です") == "田中と<PERSON_2>です"
    assert exchange.response_counts == {"PERSON": 1}


def test_numbers_stay_over_the_turns_of_a_conversation() -> None:
    first = redaction()
    sent = request(first, "田中と佐藤です")
    answer = first.response("<PERSON_1>、<PERSON_2>、鈴木")
    assert answer == "田中、佐藤、<PERSON_3>"
    second = redaction()
    again = request(second, "田中と佐藤です", answer, "Aliceです")
    assert again[0] == sent[0]
    assert again[1:] == ["<PERSON_1>、<PERSON_2>、<PERSON_3>", "<PERSON_4>です"]
    assert second.response("<PERSON_3>と<PERSON_4>") == "<PERSON_3>とAlice"


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        (pb.ACTION_REPLACE, "<PERSON_1>です"),
        (pb.ACTION_MASK, "****です"),
        (pb.ACTION_ALLOW, "田中太郎です"),
    ],
)
def test_actions_of_a_request(action: pb.Action, sent: str) -> None:
    exchange = redaction(rule(action))
    assert request(exchange, "田中太郎です") == [sent]
    assert "田中" not in exchange.response(sent) or action == pb.ACTION_ALLOW


def test_a_hash_is_keyed_and_the_same_for_the_same_value() -> None:
    one, two = request(redaction(rule(pb.ACTION_HASH)), "田中", "田中")
    assert one == two
    assert len(one) == len("<PERSON:3f2a9c01d4e5>")
    other = Policy.compile(pb.RedactionPolicy(enabled=True, rules=[rule(pb.ACTION_HASH)]), b"another key of ours")
    assert request(Redaction(other, scan), "田中") != [one]


def test_blocking_names_the_entity_and_never_the_text() -> None:
    with pytest.raises(Blocked) as refused:
        request(redaction(rule(pb.ACTION_BLOCK)), "田中太郎です")
    assert refused.value.entity == "PERSON"
    assert "田中" not in str(refused.value)


def test_blocking_an_answer_stops_its_lane() -> None:
    exchange = redaction(rule(pb.ACTION_PSEUDONYM, pb.ACTION_BLOCK))
    with pytest.raises(Blocked):
        through(exchange.lane(0), ["田中です。"])


def test_answers_may_pass_what_requests_may_not() -> None:
    exchange = redaction(rule(pb.ACTION_MASK, pb.ACTION_ALLOW))
    assert exchange.response("田中です") == "田中です"
    assert exchange.response_counts == {}


def test_a_policy_that_is_off_changes_nothing() -> None:
    exchange = Redaction(Policy.compile(pb.RedactionPolicy(), HASH_KEY), scan)
    assert request(exchange, "田中") == ["田中"]
    assert exchange.response("田中") == "田中"
    lane = exchange.lane(0)
    assert lane.feed("田中") == "田中"
    assert (lane.pending, lane.flush()) == (0, "")


def test_json_texts_of_a_request_stay_json() -> None:
    sent = request(redaction(), "田中", '{"to":"\\u7530\\u4e2d","n":0901234567}', json=[1])
    assert sent == ["<PERSON_1>", '{"to":"<PERSON_1>","n":"<PHONE_NUMBER_1>"}']


def test_a_long_text_is_scanned_in_slices_and_gives_what_the_whole_gives() -> None:
    text = "、".join(f"{n}番目の人は鈴木花子で電話は03-1234-{n:04}です" for n in range(400))
    longest = 0

    def counting(part: str) -> list[object]:
        nonlocal longest
        longest = max(longest, len(part))
        return scan(part)

    exchange = Redaction(redaction()._policy, counting)
    steps = exchange.request_steps([text])
    yielded = 0
    try:
        while True:
            next(steps)
            yielded += 1
    except StopIteration as done:
        sent = done.value
    assert yielded >= len(text) // SLICE.cap
    assert longest <= SLICE.cap + SLICE.left * 3 // 2
    assert sent == ["、".join(f"{n}番目の人は<PERSON_1>で電話は<PHONE_NUMBER_{n + 1}>です" for n in range(400))]


def test_many_short_texts_yield_as_well() -> None:
    assert sum(1 for _ in redaction().request_steps(["あ" * 100] * 200)) >= 20_000 // SLICE.cap


@given(TEXTS.filter(lambda text: "PERSON" not in text and "person" not in text))
def test_what_is_pseudonymised_comes_back_unharmed(text: str) -> None:
    exchange = redaction()
    assert exchange.response(request(exchange, text)[0]) == text


@given(TEXTS)
def test_no_finding_of_the_scan_is_left_in_what_the_provider_gets(text: str) -> None:
    exchange = redaction()
    sent = request(exchange, text)[0]
    assert sum(exchange.request_counts.values()) == len(scan(text))
    clean = re.split(r"<[A-Z_]+_[0-9]+>", sent)
    assert all(text[span.start : span.end] not in part for span in scan(text) for part in clean)


def test_response_steps_redact_many_texts() -> None:
    assert finish(redaction().response_steps(["田中", '["佐藤"]'], json=[1])) == ["<PERSON_1>", '["<PERSON_2>"]']


def test_a_look_alike_behind_json_escapes_is_reserved_too() -> None:
    exchange = redaction()
    sent = request(exchange, "田中", '{"a":"\\u003cPERSON_1\\u003e"}', json=[1])
    assert sent == ["<PERSON_2>", '{"a":"<PERSON_1>"}']
    assert exchange.response("<PERSON_1> <PERSON_2>") == "<PERSON_1> 田中"
