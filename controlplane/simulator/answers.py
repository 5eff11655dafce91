"""What the simulated provider says: fixed texts in Japanese and English that contain invented personal data.

Pure and deterministic: the same prompt gets the same answer. Each answer lists the personal data planted in
it, so that a test can ask whether any of it reached a client. All people, numbers and addresses are invented;
card and My Number values are the published test values with valid check digits.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple


class Planted(NamedTuple):
    """One piece of personal data inside an answer, with the entity type a detector should give it."""

    entity: str
    text: str


class Answer(NamedTuple):
    """A text and the personal data in it."""

    text: str
    planted: tuple[Planted, ...]


JAPANESE = (
    Answer(
        "担当は営業部の高橋健一です。電話番号は090-1234-5678、メールはkenichi.takahashi@example.co.jpです。"
        "ご不明な点がございましたら、お気軽にお問い合わせください。",
        (
            Planted("PERSON", "高橋健一"),
            Planted("PHONE_NUMBER", "090-1234-5678"),
            Planted("EMAIL_ADDRESS", "kenichi.takahashi@example.co.jp"),
        ),
    ),
    Answer(
        "お届け先は〒100-0013 東京都千代田区霞が関1-2-3、渡辺さくら様で承りました。明日の午前中にお届けする予定です。",
        (
            Planted("ADDRESS", "東京都千代田区霞が関1-2-3"),
            Planted("PERSON", "渡辺さくら"),
        ),
    ),
    Answer(
        "本人確認の結果をお知らせします。氏名は伊藤大輔、生年月日は1985年4月12日、"
        "マイナンバーは1234 5678 9018です。手続きはこれで完了です。",
        (
            Planted("PERSON", "伊藤大輔"),
            Planted("DATE_OF_BIRTH", "1985年4月12日"),
            Planted("MY_NUMBER", "1234 5678 9018"),
        ),
    ),
    Answer(
        "お支払いはクレジットカード4111-1111-1111-1111で承りました。ご契約者は山本直樹様、"
        "ご連絡先は03-1234-5678です。領収書は後日お送りします。",
        (
            Planted("CREDIT_CARD", "4111-1111-1111-1111"),
            Planted("PERSON", "山本直樹"),
            Planted("PHONE_NUMBER", "03-1234-5678"),
        ),
    ),
)

ENGLISH = (
    Answer(
        "Your case is handled by Michael Anderson. You can reach him at +1 212-555-0147 or by e-mail at "
        "michael.anderson@example.com. He will call you back tomorrow.",
        (
            Planted("PERSON", "Michael Anderson"),
            Planted("PHONE_NUMBER", "+1 212-555-0147"),
            Planted("EMAIL_ADDRESS", "michael.anderson@example.com"),
        ),
    ),
    Answer(
        "The order was paid with the card 4111 1111 1111 1111 and will be shipped to Emily Carter. "
        "A receipt was sent to emily.carter@example.com.",
        (
            Planted("CREDIT_CARD", "4111 1111 1111 1111"),
            Planted("PERSON", "Emily Carter"),
            Planted("EMAIL_ADDRESS", "emily.carter@example.com"),
        ),
    ),
)

ARGUMENTS = {
    "name": Planted("PERSON", "中村優子"),
    "phone": Planted("PHONE_NUMBER", "080-9876-5432"),
    "mail": Planted("EMAIL_ADDRESS", "yuko.nakamura@example.jp"),
    "address": Planted("ADDRESS", "大阪府大阪市北区梅田2-4-9"),
}
"""What tool-call arguments are filled with, by what the parameter's name contains."""

_JAPANESE_LETTER = re.compile("[぀-ヿ㐀-鿿]")
_PLACEHOLDER = re.compile(r"<[A-Z_]{2,32}_[0-9]{1,6}>")


def is_japanese(text: str) -> bool:
    """Whether the text holds kana or kanji."""
    return _JAPANESE_LETTER.search(text) is not None


def answer(prompt: str, language: str = "", variant: int = 0) -> Answer:
    """The answer to a prompt. `language` is "ja", "en" or "" (the prompt's own); `variant` tells choices
    apart.

    Placeholders such as `<PERSON_1>` in the prompt are taken up in the answer, as a language model would.
    """
    japanese = language == "ja" or (language == "" and is_japanese(prompt))
    texts = JAPANESE if japanese else ENGLISH
    chosen = texts[(zlib.crc32(prompt.encode("utf-8", "surrogatepass")) + variant) % len(texts)]
    names = list(dict.fromkeys(_PLACEHOLDER.findall(prompt)))[:8]
    if not names:
        return chosen
    if japanese:
        return Answer(f"{'、'.join(names)}の件、承知しました。{chosen.text}", chosen.planted)
    return Answer(f"Thank you, I have noted {', '.join(names)}. {chosen.text}", chosen.planted)
