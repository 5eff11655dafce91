"""Template lines to labelled documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognizers.training.widen import Document, SentenceError, Widener, read_documents


def labelled(line: str, seed: int = 1) -> tuple[str, list[str]]:
    document = Widener(seed).draw(line)
    return document.text, [document.text[start:end] for start, end in document.spans]


def test_literal_names_are_labelled() -> None:
    assert labelled("担当は[[海老名 剛]]です") == ("担当は海老名 剛です", ["海老名 剛"])


def test_a_literal_name_may_run_over_a_line_end() -> None:
    assert labelled(r"注文は[[沢\n田]]様") == ("注文は沢\n田様", ["沢\n田"])


def test_placeholders_with_one_number_are_one_person() -> None:
    text, names = labelled("{full#1}|{sei#1}|{mei#1}")
    assert names[0] == names[1] + names[2]
    assert text == "|".join(names)


def test_a_minus_makes_a_name_that_is_no_person() -> None:
    text, names = labelled("{-sei}電機")
    assert text.endswith("電機")
    assert names == []


def test_lists_may_hold_placeholders_and_are_not_labelled() -> None:
    widener = Widener(1)
    assert not any(widener.draw("{org}に勤務").spans for _ in range(20))


def test_a_nickname_is_labelled_as_a_whole() -> None:
    text, names = labelled("ねえ{nick}!")
    assert text == f"ねえ{names[0]}!"


def test_escapes_give_newline_tab_and_braces() -> None:
    assert labelled("a\\nb\\tc\\{d}")[0] == "a\nb\tc{d}"


def test_one_alternative_is_taken() -> None:
    assert labelled("(?はい|いいえ)。")[0] in ("はい。", "いいえ。")


def test_a_count_says_how_often_a_line_is_drawn() -> None:
    assert len(list(Widener(1).documents("*7 {sei}"))) == 7


def test_lines_without_choice_are_drawn_once() -> None:
    assert len(list(Widener(1).documents("皆さん"))) == 1


def test_the_same_seed_draws_the_same() -> None:
    line = "{full} {full.r} {kata} {en} {num} {org}"
    assert labelled(line, 5) == labelled(line, 5)


@pytest.mark.parametrize("line", ["{nobody}", "{sei.z}", "{Sei!}"])
def test_an_unknown_placeholder_is_an_error_with_file_and_line(line: str, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text(f"# note\n{line}\n", encoding="utf-8")
    with pytest.raises(SentenceError, match=r"bad\.txt, line 2"):
        list(read_documents(1, tmp_path))


def test_every_sentence_file_of_the_repository_can_be_drawn() -> None:
    documents = list(read_documents(1))
    assert len(documents) > 5_000
    for text, spans, *_ in documents:
        for start, end in spans:
            assert 0 <= start < end <= len(text)


def others(line: str, seed: int = 1) -> list[str]:
    document = Widener(seed).draw(line)
    return [document.text[start:end] for start, end in document.others]


def test_things_and_names_that_are_no_person_are_told_apart_from_words() -> None:
    text, names = labelled("{-sei}と{sei}")
    assert others("{-sei}と{sei}") == [text.split("と")[0]]
    assert names == [text.split("と")[1]]


def test_what_a_list_of_things_gives_is_marked_as_a_whole() -> None:
    widener = Widener(1)
    for document in (widener.draw("<{org}>") for _ in range(20)):
        assert document.text[1:-1] in [document.text[start:end] for start, end in document.others]


def test_numbers_and_dates_are_no_things() -> None:
    assert others("{date}に{n1}人") == []


def test_moving_a_document_moves_all_its_ranges() -> None:
    document = Document("森と林", ((0, 1),), ((2, 3),), doubtful=((1, 2),)).moved(4)
    assert (document.spans, document.others, document.doubtful) == (((4, 5),), ((6, 7),), ((5, 6),))
