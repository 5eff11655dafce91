"""Where names end."""

from __future__ import annotations

import pytest

from recognizers.person_edges import end_of

GIVEN = frozenset({"こはる", "たくや"})


@pytest.mark.parametrize(
    ("marked", "end"),
    [
        ("⟦Yuki⟧.O 12:31", "Yuki.O"),
        ("⟦Yuki.⟧O wrote", "Yuki.O"),
        ("⟦Yuki⟧.Open()", "Yuki"),
        ("⟦Yuki⟧.O.example", "Yuki"),
        ("⟦本庄 うら⟧ら 番号", "本庄 うらら"),
        ("⟦みゆき⟧の、", "みゆき"),
        ("⟦みゆき⟧いるよ", "みゆき"),
        ("⟦こはるちゃん⟧と", "こはる"),
        ("⟦こはるちゃんと⟧", "こはる"),
        ("⟦りっくん⟧が", "りっくん"),
    ],
)
def test_a_name_ends_where_it_is_whole(marked: str, end: str) -> None:
    start, after = marked.index("⟦"), marked.index("⟧") - 1
    text = marked.replace("⟦", "").replace("⟧", "")
    assert text[start : end_of(text, start, after, GIVEN)] == end
