"""Variant kanji: which written form stands for which common one. Tables only.

`SAME_KANJI` joins forms that every reader takes for the same character (glyph variants outside JIS X 0208, common
in names): always folded. `OLD_TO_NEW` joins old forms and their 1946/1949 reformed ones: folded only for look-ups
in gazetteers, since names keep the difference. Source: 当用漢字字体表 (1949), 常用漢字表 (2010) bracketed forms.
"""

from __future__ import annotations


def _table(pairs: str) -> dict[str, str]:
    return {pair[0]: pair[1] for pair in pairs.split()}


SAME_KANJI = _table("髙高 﨑崎 嵜崎 𠮷吉 濵浜 𣘺橋 槗橋 栁柳 德徳 淸清 靑青 嶌島 埜野 寳宝 桒桑 曻昇 舘館 渕淵")
OLD_TO_NEW = _table(
    "廣広 澤沢 濱浜 國国 眞真 曾曽 萬万 瀧滝 龍竜 櫻桜 邊辺 邉辺 齋斎 齊斉 縣県 區区 條条 鐵鉄 關関 圓円 淺浅 假仮 會会 藏蔵 祿禄 禮礼 壽寿 豐豊 "
    "惠恵 榮栄 彌弥 實実 寶宝 寫写 緖緒 廳庁 應応 德徳 燈灯 學学 覺覚 樂楽 觀観 勸勧 歸帰 舊旧 峽峡 狹狭 挾挟 驛駅 澁渋 莊荘 劍剣 險険 驗験 嚴厳 "
    "驒騨 鹽塩 竝並 疊畳 塲場 埓埒 壺壷 礪砺 嶽岳 臺台 嶋島 藝芸 瀨瀬 籠篭 檜桧 蘆芦 祇祗 鷗鴎 鶯鴬 麴麹 頸頚 繩縄 蠣蛎 禰祢 巖巌 ヶケ ヵカ ゖケ "
)
