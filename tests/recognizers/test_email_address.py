"""Mailboxes. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.email_address import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "メールは⟦taro.yamada+x@example.co.jp⟧まで",
        "<⟦a@b.example⟧>",
        "⟦kobo[at]example.org⟧",
        "⟦ken.oda(at)example.net⟧",
        "mail=⟦c%40example.ne.jp⟧&id=1",
        "⟦ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ⟧",
        "⟦kyoko dot hara at example dot com⟧",
        "⟦ナオ@example.com⟧",
        "⟦love..neko2@docomo.example⟧",
        "⟦t\u200baro@example.com⟧",
        "小文字で⟦エム、アンダーバー、ヒュウガ、アットマーク、イグザンプル、ドット、コム⟧です",
        "共有アドレスの⟦kita1_at_minato.example⟧へ",
        "連絡先は「⟦ゆーじ あっと みなと どっと いんばりっど⟧」です",
        "アドレスは ⟦aoi @ example.jp⟧ へ",
        "⟦aoi【at】example.jp⟧",
        "⟦aoi◎example.jp⟧(◎を@に変えて)",
        "be reached at ⟦d.hinode@mail.example⟧ or",
        "はい⟦ケーアンダーバーヒノデアットマークイグザンプルドットコム⟧です",
        "from: ⟦aoi(dot)hinode(at)mail(dot)example⟧",
        "⟦h.aoi@ example.co. jp⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "@example_jp",
        "deploy@10.1.2.3",
        "@types/node",
        "ことがあるので@example.comも",
        "a @ b",
        "look at the dot com boom",
        "Message-ID: <20251018.2204.77ab@mx.ml.example>",
        "look_at_me.py を見て",
        "C#example.jp と @ を",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
