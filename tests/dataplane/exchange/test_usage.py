from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kagamipb.ledger.v1.ledger_pb2 import Usage
from support.exchange import PRICES

from dataplane.dialects.model import Measure, TokenUsage
from dataplane.exchange.usage import cost_pico_usd, estimate, used


def test_four_letters_are_a_token_and_a_kanji_is_what_the_models_family_makes_of_it():
    assert estimate(Measure()) == 0
    assert estimate(Measure().plus("a")) == 1
    assert estimate(Measure().plus("abcdefgh")) == 2
    kanji = Measure().plus("東京都新宿区西新宿二")
    assert estimate(kanji) == 11
    assert estimate(kanji, "gpt-4o-mini") == 10
    assert estimate(kanji, "gpt-4-turbo") == estimate(kanji, "Claude-Sonnet") == 14


@given(st.text(max_size=30), st.text(max_size=30))
def test_more_text_is_never_fewer_tokens(first, more):
    assert estimate(Measure().plus(first).plus(more)) >= estimate(Measure().plus(first))


def test_what_the_provider_reports_is_settled_and_marked():
    assert used(TokenUsage(9, 3, 8, 2), Measure(100, 0), Measure(100, 0)) == Usage(
        input_tokens=9, cached_input_tokens=3, output_tokens=8, reasoning_tokens=2, reported=True
    )


def test_otherwise_both_texts_are_estimated_and_marked():
    assert used(None, Measure(8, 0), Measure(4, 0)) == Usage(input_tokens=2, output_tokens=1, reported=False)


def test_cached_tokens_are_part_of_the_input_and_reasoning_part_of_the_output():
    usage = Usage(input_tokens=10, cached_input_tokens=4, output_tokens=20, reasoning_tokens=15)
    assert cost_pico_usd(usage, PRICES) == 6 * 10 + 4 * 1 + 5 * 100 + 15 * 200 + 5
