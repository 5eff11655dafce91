from __future__ import annotations

import pytest

from dataplane.redaction.placeholders import Placeholders


def given_one() -> Placeholders:
    placeholders = Placeholders()
    placeholders.give("PERSON", "田中", reversible=True)
    return placeholders


def restored(placeholders: Placeholders, text: str) -> str:
    out, at = "", 0
    for span in placeholders.find(text, final=True):
        piece = text[span.start : span.end]
        out += text[at : span.start] + (placeholders.restore(piece) or piece)
        at = span.end
    return out + text[at:]


def test_the_same_value_has_the_same_number_and_another_the_next() -> None:
    placeholders = Placeholders()
    given = [placeholders.give("PERSON", value, reversible=True) for value in ("田中", "佐藤", "田中")]
    assert given == ["<PERSON_1>", "<PERSON_2>", "<PERSON_1>"]


def test_numbers_are_counted_per_entity() -> None:
    placeholders = given_one()
    assert placeholders.give("ADDRESS", "東京都", reversible=True) == "<ADDRESS_1>"


@pytest.mark.parametrize(
    "spelling",
    [
        "<PERSON_1>", "<Person_1>", "<person_1>", "< PERSON_1 >", "＜PERSON_1＞", "〈PERSON_1〉", "&lt;PERSON_1&gt;",
        "\\<PERSON\\_1\\>", "<PERSON 1>", "<PERSON-1>", "<PERSON_１>", "＜ＰERSON_1＞"[:0] + "<PERSON＿1>", "PERSON_1",
    ],
)  # fmt: skip
def test_spellings_that_models_produce_are_restored(spelling: str) -> None:
    assert restored(given_one(), f"こんにちは{spelling}さん") == "こんにちは田中さん"


@pytest.mark.parametrize(
    "text",
    ["<PERSON_2>", "<PERSON_11>", "person_1", "XPERSON_1", "PERSON_12", "PERSON_1_A", "<PERSON>", "<PER SON_1>", "<ADDRESS_1>", "PERSON 1"],
)  # fmt: skip
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert restored(given_one(), f"これは {text} だ") == f"これは {text} だ"


def test_a_look_alike_typed_by_the_client_is_never_given_out() -> None:
    placeholders = Placeholders()
    for text in ("テンプレート <PERSON_1> と ＜person 2＞", "PERSON_3"):
        assert list(placeholders.reserve(text)) == []
    assert placeholders.give("PERSON", "田中", reversible=True) == "<PERSON_4>"
    assert restored(placeholders, "<PERSON_1> <PERSON_4>") == "<PERSON_1> 田中"


def test_what_is_not_reversible_is_not_restored() -> None:
    placeholders = Placeholders()
    placeholder = placeholders.give("PERSON", "田中", reversible=False)
    assert restored(placeholders, placeholder) == placeholder


@pytest.mark.parametrize("length", range(1, len("\\< PERSON\\_1 \\>")))
def test_every_beginning_of_a_placeholder_at_the_end_is_held(length: int) -> None:
    text = "はい、" + "\\< PERSON\\_1 \\>"[:length]
    assert placeholders_reach(text) == len(text)


def placeholders_reach(text: str) -> int:
    spans = given_one().find(text)
    assert spans[-1].start == len("はい、")
    return spans[-1].end


def test_an_unclosed_bracket_around_a_name_is_one_finding() -> None:
    assert [span[:2] for span in given_one().find("<PERSON_1")] == [(0, 9)]


def test_without_placeholders_nothing_is_held() -> None:
    assert Placeholders().find("<PERSON") == []


@pytest.mark.parametrize("before", range(49_980, 50_010))
def test_look_alikes_in_long_texts_are_reserved_wherever_they_stand(before: int) -> None:
    placeholders = Placeholders()
    assert list(placeholders.reserve("あ" * before + "<PERSON_1>" + "あ" * 50_000))
    assert placeholders.give("PERSON", "田中", reversible=True) == "<PERSON_2>"
