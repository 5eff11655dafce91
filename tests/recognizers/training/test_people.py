"""Invented people."""

from __future__ import annotations

import random

from recognizers.training.people import Population, half_width, katakana, municipality_stems


def test_people_of_one_seed_are_the_same() -> None:
    assert Population(random.Random(3)).person() == Population(random.Random(3)).person()


def test_many_draws_give_many_names() -> None:
    population = Population(random.Random(1))
    assert len({population.person().sei for _ in range(500)}) > 250


def test_kana_forms() -> None:
    assert katakana("がっこう") == "ガッコウ"
    assert half_width("がぱー") == "ｶﾞﾊﾟｰ"


def test_places_lose_their_last_part() -> None:
    assert ("杵築", "きつき") in municipality_stems()


def test_things_are_drawn_by_script() -> None:
    population = Population(random.Random(2))
    assert not any(population.thing("brand", latin=False).isascii() for _ in range(50))
    assert all(population.thing("place", latin=True)[0].isupper() for _ in range(50))
