"""The stream against the real detector: chunking never matters, and streams find what whole texts find."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.redacting import cuts, policy, request, through

from dataplane.drivers.analyzer import Analyzer, load_scan
from dataplane.redaction.replace import Redaction

_SENTENCES = (
    "お世話になっております。株式会社みどり商事の高梨 悠斗です。",
    "ご請求先は〒060-0001 北海道札幌市中央区北1条西2-0-4 大通第一ビル5Fの篠原様宛でお願いします。",
    "電話は 090-0123-4567、内線は 204 です。\n",
    "個人番号は482173659013ではなく、お客様番号 00-482173 のほうをお知らせください。",
    "生年月日:昭和 61年 9月 4日\n氏名:折原ひかり(オリハラ ヒカリ)\n",
    "氏名,電話,口座番号\n柏木 涼,080-0000-1111,1234567\n三田村 葵,03-0000-2222,7654321\n",
    '{"name":"Haruka Minase","email":"h.minase@example.jp","note":"至急"}',
    "Please ship it to Room 1204, 3-0-22 Motoazabu, Minato-ku, Tokyo 106-0000, attn. Ms. Aya Kurihara.",
    "えー、番号がゼロキューゼロの、ゼロイチニーサンの、ヨンゴーロクナナです。",
    "口座はみずほ銀行 渋谷支店 普通 0123456 名義はサワダ ケンジです",
    "天気は晴れのち曇り、最高気温は 23 度、降水確率は 10% の見込みです。",
    "def total(values): return sum(values)  # 合計\n",
    "| 氏名 | 〒 |\n|---|---|\n| 尾形 凛 | 980-0000 |\n",
    "<PERSON_1>様、<ADDRESS_1>へ発送しました。< PERSON_1 >、",
    "𠮷野家ではなく髙橋\u200b 誠さん👨‍👩‍👧です\ud83d",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(_SENTENCES) | st.text(max_size=12), min_size=1, max_size=6).map("".join)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return load_scan()


@pytest.mark.parametrize("json", [False, True])
@settings(max_examples=60)
@given(st.data())
def test_the_output_is_the_same_for_every_chunking(analyzer: Analyzer, json: bool, data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    results = set()
    for chunks in ([text], list(text), data.draw(cuts(text)), data.draw(cuts(text))):
        exchange = Redaction(policy(), analyzer.scan)
        request(exchange, "高梨 悠斗です。札幌市中央区北1条西2-0-4に住んでいます。")
        results.add(through(exchange.lane(0, json=json), chunks))
    assert len(results) == 1


@pytest.mark.parametrize(
    "sentence", [*_SENTENCES[:13], "He was born on 7 February 1981, she on 12th of May 1984 in Sapporo."]
)
def test_a_stream_masks_what_the_whole_text_scan_masks(analyzer: Analyzer, sentence: str) -> None:
    text = f"以下のとおりです。\n{sentence}\n以上です。"
    whole = Redaction(policy(), analyzer.scan).response(text)
    assert through(Redaction(policy(), analyzer.scan).lane(0), list(text)) == whole
