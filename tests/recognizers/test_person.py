"""PERSON on whole texts: what is a name, what only looks like one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizers.folded import FoldedText
from recognizers.person import LEAST, SLICE, PersonFinder, least, listed_place, nobody, slices
from recognizers.person_fields import NAME, OTHER, UNKNOWN

FINDER = PersonFinder.load()


def names(text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in FINDER.find(FoldedText(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("担当の佐藤美咲です。", ["佐藤美咲"]),
        ("佐々木 健太様", ["佐々木 健太"]),
        ("昨日、古賀さんに会いました。", ["古賀"]),
        ("山本部長に確認する", ["山本"]),
    ],
)
def test_names_with_their_context_are_found(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize("text", ["北条電機の見積書", "お客様にご連絡します", "高橋電機株式会社", "皆さん、こんにちは"])
def test_companies_and_bare_roles_are_not_people(text: str) -> None:
    assert names(text) == []


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    for finding in FINDER.find(FoldedText(text)):
        assert 0 <= finding.start < finding.end <= len(text)


def test_a_lone_surrogate_does_not_hide_the_names_around_it() -> None:
    assert names("\ud800佐藤美咲さん\udfff") == ["佐藤美咲"]


@pytest.mark.parametrize("text", ["さあ、佐藤……", "よん、に…", "…田中さん…"])
def test_no_finding_is_empty(text: str) -> None:
    assert all(finding.end > finding.start for finding in FINDER.find(FoldedText(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'name': '小川 陽子'}", ["小川 陽子"]),
        ("Please ask Misaki Sato about the invoice.", ["Misaki Sato"]),
        ("講師はマリア・ロペスさんです。", ["マリア・ロペス"]),
        ("氏名:ﾔﾏﾀﾞ ﾊﾅｺ", ["ﾔﾏﾀﾞ ﾊﾅｺ"]),
        ("お世話になっております。営業部の林です。", ["林"]),
        ("佐\u200b藤美\u200d咲様", ["佐\u200b藤美\u200d咲"]),
    ],
)
def test_names_in_other_writings_are_found_at_their_own_offsets(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    ["林の中を歩いた。", "橋本病の治療について", "お父さんとお母さん", "松本市の天気", "担当者にご連絡ください。"],
)
def test_words_places_and_diseases_are_not_people(text: str) -> None:
    assert names(text) == []


def test_slices_cover_a_long_text_once_and_end_behind_breaks() -> None:
    text = ("あ" * 99 + "。") * 100
    pieces = list(slices(text))
    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(end - start <= SLICE and text[end - 1] == "。" for start, end in pieces)


def test_a_text_without_any_break_is_cut_all_the_same() -> None:
    assert max(end - start for start, end in slices("あ" * (3 * SLICE + 5))) <= SLICE


def test_a_name_is_found_wherever_in_a_long_text_it_stands() -> None:
    filler = "本日は資料を確認しました。"
    for count in (0, 150, 250, 600):
        text = filler * count + "担当の佐藤美咲です。" + filler * 50
        assert names(text) == ["佐藤美咲"]


def test_sentences_one_by_one_with_left_context_give_what_the_whole_gives() -> None:
    text = (
        "営業の山田と申します。昨日は高橋様にお会いしました。\n担当は鈴木一郎、補佐は林です。北条電機の件はまた後日。"
    )
    whole = [(finding.start, finding.end) for finding in FINDER.find(FoldedText(text))]
    pieces: list[tuple[int, int]] = []
    for match in re.finditer(r"[^。\n]*[。\n]", text):
        left = max(0, match.start() - 32)
        for finding in FINDER.find(FoldedText(text[left : match.end()])):
            if finding.start + left >= match.start():
                pieces.append((finding.start + left, finding.end + left))
    assert pieces == whole


def test_a_column_of_names_needs_less_evidence_than_running_text() -> None:
    text = "番号,氏名,金額\n" + "".join(
        f"{n},{name},500\n" for n, name in enumerate(["白洲 玄", "鴨志田 葉", "大原 望"] * 5)
    )
    assert len(names(text)) == 15


def test_scores_lie_between_the_threshold_and_one() -> None:
    for finding in FINDER.find(FoldedText("佐藤さんと鈴木一郎と林が来た。")):
        assert 0.5 <= finding.score <= 1


def test_threads_share_one_finder() -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(names, ["担当の佐藤美咲です。"] * 40))
    assert results == [["佐藤美咲"]] * 40


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("A案とB案", (0, 1), True),
        ("Aさんではなく", (0, 3), True),
        ("あ、待って", (0, 1), True),
        ("オ「復唱」", (0, 1), True),
        ("イさんとノさん", (0, 1), False),
        ("s.encode()", (0, 8), True),
        ("s.encode()", (1, 8), True),
        ("jun.w: hi", (0, 5), False),
        ("林です", (0, 1), False),
    ],
)
def test_lone_letters_and_calls_are_nobody(text: str, span: tuple[int, int], expected: bool) -> None:
    assert nobody(text, *span) is expected


def test_a_listed_given_name_comes_without_its_diminutive() -> None:
    assert names("昨日きぬちゃんに頼みました。") == ["きぬ"]


def test_what_is_asked_of_a_name_depends_on_its_column_its_honorific_and_its_company() -> None:
    def asked(expected: int, *, plain: bool = False, honoured: bool = False, accompanied: bool = False) -> float:
        return least(expected, plain=plain, honoured=honoured, accompanied=accompanied)

    assert asked(NAME) < asked(UNKNOWN, accompanied=True) < asked(UNKNOWN) < asked(UNKNOWN, plain=True) < asked(OTHER)
    assert asked(UNKNOWN, honoured=True) < asked(UNKNOWN)
    assert asked(UNKNOWN, plain=True, honoured=True) == asked(UNKNOWN, plain=True)
    assert asked(UNKNOWN, plain=True, accompanied=True) < asked(UNKNOWN, plain=True)
    assert asked(OTHER, accompanied=True, honoured=True) == asked(OTHER)
    # Nothing that counts anywhere is dropped before it is asked.
    assert min(asked(UNKNOWN, accompanied=True), asked(UNKNOWN, honoured=True), asked(NAME)) >= LEAST


@pytest.mark.parametrize(
    "text", ["石川、富山、福井の三県", "長野・山梨・静岡を回る", "宮崎と大分と福岡", "千葉県、茨城県、福島県"]
)
def test_prefectures_in_a_row_are_places(text: str) -> None:
    assert all(listed_place(text, *match.span()) for match in re.finditer("石川|長野|宮崎|千葉", text))


@pytest.mark.parametrize("text", ["石川、田中、福井の三人", "石川と福井", "福井"])
def test_a_prefecture_among_others_may_be_a_name(text: str) -> None:
    assert not listed_place(text, text.index("福井"), text.index("福井") + 2)


def test_what_bears_a_name_is_nobody() -> None:
    for text, name in (
        ("アルツハイマー病", "アルツハイマー"),
        ("クロイツフェルト・ヤコブ病", "クロイツフェルト"),
        ("ピタゴラスの定理", "ピタゴラス"),
    ):
        assert nobody(text, 0, len(name))
    assert not nobody("ピタゴラスの病気", 0, len("ピタゴラス"))
    assert not nobody("マリア病気なの?", 0, len("マリア"))
    assert not nobody("ヤコブさんの病室", 0, len("ヤコブ"))


def test_months_and_counts_are_nobody_unless_addressed() -> None:
    assert nobody("十月 三十一 日", 0, 2)
    assert nobody("三 つ です", 0, 3)
    assert not nobody("三月さん", 0, 2)
    assert not nobody("一二三が来る", 0, 3)
