from __future__ import annotations

import pytest

from controlplane.simulator import answers


@pytest.mark.parametrize("answer", answers.JAPANESE + answers.ENGLISH)
def test_every_planted_piece_is_in_its_answer(answer: answers.Answer) -> None:
    assert answer.planted
    for planted in answer.planted:
        assert planted.text in answer.text


def test_the_same_prompt_gets_the_same_answer() -> None:
    assert answers.answer("こんにちは") == answers.answer("こんにちは")


def test_the_language_of_the_prompt_decides_unless_told() -> None:
    assert answers.answer("予約をお願いします") in answers.JAPANESE
    assert answers.answer("please book") in answers.ENGLISH
    assert answers.answer("please book", "ja") in answers.JAPANESE
    assert answers.answer("予約をお願いします", "en") in answers.ENGLISH


def test_choices_of_one_request_differ() -> None:
    assert answers.answer("こんにちは", variant=0) != answers.answer("こんにちは", variant=1)


def test_placeholders_of_the_prompt_are_taken_up_once_each() -> None:
    text = answers.answer("<PERSON_1>の住所は<ADDRESS_1>です。<PERSON_1>に連絡を").text
    assert text.startswith("<PERSON_1>、<ADDRESS_1>の件、承知しました。")


def test_a_lone_surrogate_in_the_prompt_is_no_obstacle() -> None:
    assert answers.answer("\ud842 hello") in answers.ENGLISH
