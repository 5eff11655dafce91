"""Addresses in Latin letters. `⟦…⟧` marks what must be found."""

from __future__ import annotations

import pytest
from support.finding import expected, found

from recognizers.address_romaji import load

FINDER = load()


@pytest.mark.parametrize(
    "marked",
    [
        "lives at ⟦Room 1204, Harumi Sky Residence, 5-0-1 Harumi, Chuo-ku, Tokyo⟧ now",
        "⟦Tokyo-to Setagaya-ku Sangenjaya 2-14-0 Maison Hana 101⟧",
        "address: ⟦Kanagawa ken Kawasaki shi Nakahara ku Kosugi machi 1-403⟧",
        "⟦5-11-3 Nishi-Shinsaibashi, Chuo-ku, Osaka 542-0086, c/o Maple Court 1102⟧",
        "⟦5-9-17 Tsukiji, Chuo-ku, Tokyo 104-0045, #1208⟧",
        "move from ⟦Shin-Okubo 6-8-2, Shinjuku⟧ to",
        "⟦Rua das Flores 8, 2º Esq., 1200-194 Lisboa, Portugal⟧",
        "⟦B-708 Excel Gakuen, 6-44 Gakuen, Tsukuba, Ibaraki 305-0817 JAPAN⟧",
        "⟦3-0-22 Motoazabu, Minato-ku, Tokyo 106-0046⟧",
        "⟦Tsujido 4-2, Fujisawa-shi, Kanagawa⟧",
        "⟦12 rue des Lilas, 69000 Lyon, France⟧",
        "⟦88 Maple Street, Springfield, IL 62704⟧",
        "⟦Lindenstraße 14, 10969 Berlin, Germany⟧",
        "I live at ⟦Sunny Heights 203, 2-5-11 Nishijin, Sawara-ku, Fukuoka-shi, Fukuoka 814-0002⟧ now.",
        "Send it to ⟦Park Tower Room 1205, 1-2-3 Hommachi, Chuo-ku, Osaka 541-0053⟧.",
        "Ship to: ⟦Maison Bleu #405, 3-4-5 Kamiyama-cho, Shibuya-ku, Tokyo 150-0047⟧",
        "Billing address: ⟦Green Court 8F, 4-1 Ueshio, Tennoji-ku, Osaka-shi⟧",
        "moved to ⟦Villa Rosa 10B, 5-6 Minamiaoyama, Minato-ku, Tokyo⟧ in May",
        "at ⟦1-2-3 Honcho, Nakano-ku, Tokyo (Apt. 401), 164-0012⟧.",
        "at ⟦4-5-6 Kita-Senju, Adachi-ku, Tokyo (Room 302), 120-0026⟧",
        "at ⟦7-8 Ebisu, Shibuya-ku, Tokyo (Unit 5B) 150-0013⟧",
        "at ⟦2-1-1 Umeda, Kita-ku, Osaka (8F), Japan 530-0001⟧",
        "⟦3-3 Chuo, Otsu-shi, Shiga (#12)⟧",
        "c/o Ito, ⟦Hyogo-ken, Kobe-shi, Nada-ku, Sakuraguchi-cho 3-2-1⟧.",
        "⟦Nagano-ken, Matsumoto-shi, Ote 3-8-13⟧",
        "Address: ⟦Tokyo-to, Setagaya-ku, Kitazawa 2-3-4⟧",
        "⟦Kanagawa, Yokohama-shi, Nishi-ku, Minatomirai 2-2-1⟧",
        "⟦Hokkaido, Sapporo-shi, Chuo-ku, Minami 3-jo Nishi 4-12⟧",
        "⟦Isahaya-shi, Eisho-machi 0-12, Nagasaki 854-0061⟧",
        "⟦1234 Oaza Kamimachi, Ueda-shi, Nagano 386-0000⟧",
        "My place: ⟦3-2-1 Kanda-Jimbocho Chiyoda-ku Tokyo 101-0051⟧",
        "⟦45 Rue de Rivoli, 75001 Paris, France⟧",
        "⟦Apt 12, 150-0001⟧, 080-0123-9988",
        "resident of ⟦Aza Nakamura 00, Ono-machi, Tamura-gun, Fukushima⟧",
        "⟦Apt 12B, 88 Harrow Lane, Leeds LS6 0QT, United Kingdom⟧",
        "⟦77 Harbour Walk, Suite 300, Boston, MA 02210⟧",
        "at ⟦House 6, 551-3 Koyama-cho, Machida, Tokyo⟧.",
        "⟦1-1-74 KAMIYACHO\nMINATO-KU TOKYO⟧",
        "⟦0-jo Nishi 0-chome, Iwamizawa, Hokkaido⟧",
        "⟦5-2-1 Ginza\nChuo-ku, Tokyo 104-0061\nJapan⟧",
        "⟦TOKYO-TO CHIYODA-KU KANDA 1-2-3⟧",
        "to ⟦Flat 2, 96 Canal Street, Leeds LS1 5AA⟧ and",
        "⟦Lindenstraße 57, 50674 Köln⟧、",
        "⟦c/o Hinode, 57 Shishigatani, Sakyo-ku, Kyoto 606-0000⟧.",
        "⟦425-0000 Shizuoka, Yaizu, Honmachi 0-0-0⟧",
        "⟦PO Box 112, Wellington 6140, New Zealand⟧",
        "⟦1600 Garden Pkwy, Mountain View, CA 94043⟧",
        "lives in ⟦Flat 12, Queens Court, 8 Park Road, Leeds LS1 2AB⟧",
        "⟦2100 Bay St Apt 7, San Francisco CA 94123⟧",
        "⟦No. 25, Jalan Ampang, 50450 Kuala Lumpur⟧",
    ],
)
def test_it_is_found_whole_and_nothing_else(marked: str) -> None:
    text, values = expected(marked)
    assert found(FINDER, text) == values


@pytest.mark.parametrize(
    "text",
    [
        "On March 3, 2014, Osaka followed",
        "The Nikkei 225 closed at 50,376.53. Takeda, Ono and Kawasaki rose",
        "Room 1204 at 3:30 pm",
        "Flight 208 from Osaka, Japan",
        "flights: Tokyo 3-1, Osaka 2-0, Nagoya 1-1",
        "Chapter 3-2, Tokyo and Osaka",
        "We met in Shibuya-ku, Tokyo, on 2025-11-03",
        "Chiyoda-ku, Minato-ku and Chuo-ku: 3 wards",
        "Minato-ku 2025 budget",
        "Kobe-shi 10:30 departure",
        "Article 21-3, paragraphs 4-7",
        "PO 112, Wellington",
        "No. 25, Jalan",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(FINDER, text) == []
