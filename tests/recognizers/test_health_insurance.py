"""What a health-insurance card says. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.health_insurance import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "健康保険証 記号 ⟦71080012⟧ 番号 ⟦2045⟧",
        "保険者番号 ⟦01130012⟧",
        "国保 記号番号: ⟦沖国12・3456789⟧",
        "保険証 記号 ⟦広市-安⟧ 番号 ⟦889-021⟧",
        "介護保険 被保険者番号 ⟦0001234567⟧",
        "insurance symbol ⟦0044⟧, number ⟦3120⟧",
        "被保険者証の記号番号が空欄。前回は「⟦5123 - 40⟧」",
        "協会けんぽ 記号 ⟦71010203⟧ 番号 ⟦88⟧",
        "保険証記号:⟦ふじ-12⟧ 番号:⟦334⟧",
        "insurance: symbol ⟦1234⟧ / number ⟦567⟧",
        "保険証の記号番号が違っています。正しくは⟦5678・12⟧です。",
        "返戻：被保険者証の記号・番号相違。正 ⟦2468・135⟧ 誤 ⟦2468・153⟧",
        "レセプト返戻「記号・番号の誤り」。正:⟦77・1234⟧(本人)\n誤:⟦77・1243⟧。",
        "資格確認書の記号・番号を訂正します。旧:⟦21・3344⟧ 新:⟦21・3355⟧",
        "健康保険の記号番号について。訂正前 ⟦1122-34⟧、訂正後 ⟦1122-35⟧",
        "国保 記号番号「誤記」とのこと。正:⟦川12・345678⟧",
        "保険証　記号　⟦東食⟧　番号　⟦1029⟧",
        "健康保険被保険者証 記号⟦1234⟧-番号⟦56⟧",
        "保険者番号,記号,番号\n⟦06130012⟧,⟦1234⟧,⟦567⟧",
        "保険証の番号ね記号がひらがなで⟦さくら⟧の⟦八一六二⟧よ",
        "国保 ⟦つくば 31-007714⟧",
        "保険証 記号:⟦千い⟧ 番号:⟦1234⟧",
        '{"columns":["氏名","保険者番号","記号","番号"],"rows":[["日出","⟦06271100⟧","⟦鶴亀⟧","⟦19⟧"]]}',
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "介護保険法第49条の2",
        "健康保険 14,190",
        "ゆうちょ 記号 14080 番号 12345671",
        "被保険者氏名 ○○ ○○",
        "記号 12 番号 34",
        "部品の記号・番号の誤り。正:1234・56 誤:1234・65",
        "国保の試合結果 正 3-2",
        "健康保険の記号・番号の誤りは正 12 件",
        "健康保険 被保険者資格喪失届\n事業所整理記号:02-ヒカリ 事業所番号:30418",
        "証券記号 1234 番号 567 保険",
        "記号、番号の欄 保険",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
