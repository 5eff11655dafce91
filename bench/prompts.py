"""Prompts for load: each one different, so that no cache of scanned text can flatter the gateway.

Sentences are composed from small lists with a seeded generator; people, addresses and numbers are invented. About a
third of the sentences carry personal data, as support and office traffic does; the rest is ordinary prose.
"""

from __future__ import annotations

import random

_SUBJECTS = ("今月の売上報告", "来期の採用計画", "新しい受発注の仕組み", "倉庫の棚卸し結果", "問い合わせ対応の手順", "研修資料の構成",
             "夏の販売促進の案", "在庫管理の改善点", "社内規程の見直し", "会議室の予約方法", "出荷遅延の原因", "顧客満足度の調査")  # fmt: skip
_ACTIONS = ("について三つの観点から整理してください", "を初めて読む人にも分かるようにまとめ直したい", "の要点を箇条書きにしてもらえますか",
            "に関する反対意見とその根拠を挙げてください", "を来週の会議で説明する文章に直してください", "の課題と次の一手を表にしてください",
            "を英語の短い要約にしてください", "のうち費用に関わる部分だけを抜き出してください")  # fmt: skip
_REASONS = ("締め切りは{day}日の{hour}時です", "前回の資料は{n}ページありました", "参加者は{n}名の予定です", "予算は{n}万円ほど余っています",
            "詳しい数字は表{n}にあります", "版数は{n}.{day}のままで構いません", "対象は{n}店舗です")  # fmt: skip
_FAMILY = (
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "渡辺",
    "伊藤",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "山田",
    "佐々木",
    "松本",
    "井上",
    "木村",
)
_GIVEN = ("健太", "美咲", "翔太", "陽菜", "大輔", "由美子", "直樹", "さくら", "浩二", "恵", "拓也", "麻衣")
_CITIES = (
    "東京都千代田区神田",
    "大阪府大阪市北区梅田",
    "愛知県名古屋市中区栄",
    "福岡県福岡市博多区博多駅前",
    "北海道札幌市中央区大通西",
)
_PERSONAL = ("担当は{family}{given}さんで、連絡先は090-0{n4}-{m4}です", "届け先は{city}{day}丁目{hour}番{n2}号です", "{family}様から{user}@example.co.jpに返信がありました",
             "申込者の氏名は{family} {given}です", "{family}部長と{family2}課長にも共有してください")  # fmt: skip


def _sentence(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(_SUBJECTS) + rng.choice(_ACTIONS)
    values = {
        "day": rng.randint(1, 28), "hour": rng.randint(9, 18), "n": rng.randint(2, 980), "n2": rng.randint(1, 40),
        "n4": f"{rng.randint(0, 999):03d}", "m4": f"{rng.randint(0, 9999):04d}", "family": rng.choice(_FAMILY),
        "family2": rng.choice(_FAMILY), "given": rng.choice(_GIVEN), "city": rng.choice(_CITIES),
        "user": f"u{rng.randint(100, 99999)}",
    }  # fmt: skip
    return rng.choice(_REASONS if kind < 0.7 else _PERSONAL).format(**values)


def prompt(seed: int, characters: int = 340) -> str:
    """About `characters` code points of Japanese (340 are about 1 KB of UTF-8), different for every seed."""
    rng = random.Random(seed)
    parts = [f"依頼{seed}番。"]
    while sum(map(len, parts)) < characters:
        parts.append(_sentence(rng) + "。")
    return "".join(parts)[:characters]


def conversation(seed: int, turns: int = 10) -> list[dict[str, str]]:
    """Messages of a conversation of `turns` user turns with answers between them; the last is the user's."""
    messages = []
    for turn in range(turns):
        messages.append({"role": "user", "content": prompt(seed * 1000 + 2 * turn, 200)})
        messages.append({"role": "assistant", "content": prompt(seed * 1000 + 2 * turn + 1, 200)})
    return messages[:-1]
