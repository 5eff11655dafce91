"""What a column header far above says about a cell: is a name to be expected there?

The tagger sees only its neighbours; in row forty of a CSV file the word 氏名 is out of its sight. `expectation` reads the
header of the column (`tables`), and the finder lowers or raises its threshold for that cell.
Bounded: a header cell is read up to `HEADER` characters.
"""

from __future__ import annotations

import re

from recognizers.folded import FoldedText
from recognizers.tables import column_header

HEADER = 24
NAME, OTHER, UNKNOWN = 1, -1, 0

_NAME = re.compile(
    r"(?i)(?:氏名|名前|姓名|[姓名]|セイ|メイ|フリガナ|ふりがな|ﾌﾘｶﾞﾅ|カナ|かな|読み|よみ|名義|担当|責任者|受取人|利用者|患者|生徒|児童|会員名|"
    r"顧客名?|お客様|保護者|世帯主|契約者|申込者|申請者|記入者|作成者|承認者|作業者|選手|講師|主治医|教員|社員|従業員|スタッフ|メンバー|"
    r"出席者|参加者|投稿者|レビュアー|宛名|name|kana|owner|assignee|author|member|staff|user|customer|patient|contact|"
    r"student|employee|player|manager|reviewer|holder)(?:者|名|様|氏名|さん)?"
)
_OTHER = re.compile(
    r"(?i)(?:商品|品名|製品|品目|会社|社名|法人|店舗|店名|支店|銀行|学校|病院|施設|物件|都市|地域|都道府県|市区町村|県|住所|駅|"
    r"部署|所属|部門|課|役職|職種|国籍?|言語|科目|書名|作品|曲名|路線|エリア|場所|会場|拠点|branch|company|product|item|city|"
    r"prefecture|address|shop|store|dept|department|school|title|station|warehouse|country)(?:名|先)?"
)


def expectation(text: FoldedText, place: int) -> int:
    """NAME, OTHER or UNKNOWN for the cell at folded offset `place`."""
    header = column_header(text, place)
    if header is None:
        return UNKNOWN
    label = text.folded[header[0] : min(header[1], header[0] + HEADER)].strip(" \"'|`*:")
    # 商品名 and 会社名 end like a name column: what is surely something else is asked first.
    if _OTHER.fullmatch(label):
        return OTHER
    return NAME if _NAME.fullmatch(label) or label.lower().endswith(("name", "氏名", "名前")) else UNKNOWN
