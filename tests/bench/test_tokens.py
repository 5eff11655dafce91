from __future__ import annotations

import pytest

from bench.tokens import corpus, fitted, recorded, table
from controlplane.domain.tokens import FAMILIES, measure


def test_estimates_are_right_on_average_for_every_family_and_kind_of_text() -> None:
    errors = table(recorded())
    assert {name for name, *_ in errors} == set(FAMILIES)
    for name, kind, mean, low, high in errors:
        assert abs(mean) <= 0.08, (name, kind)
        if name != "other":
            assert low >= -0.30, (name, kind)
            assert high <= 0.35, (name, kind)


def test_what_is_held_before_anything_is_learned_covers_nineteen_of_twenty_texts() -> None:
    rows = recorded()
    for name in sorted(rows[0].actual):
        known = FAMILIES[name]
        weighed = [(sum(map(int.__mul__, row.size, known.thousandths)) / 1000, row.actual[name]) for row in rows]
        covered = sum(actual <= 1 + estimated * known.p95_permille / 1000 for estimated, actual in weighed)
        assert covered >= 0.94 * len(rows), name


def test_recorded_sizes_are_what_is_measured_today() -> None:
    texts = dict(corpus())
    kinds = {row.kind for row in recorded()}
    assert kinds == set(texts)
    assert all(len(row.size) == len(measure("").counts) for row in recorded())


def test_fitting_finds_the_weights_and_none_below_zero() -> None:
    sizes = [(n % 7 + 1, n % 5 + 1, n % 3 + 1) for n in range(60)]
    actual = [2.0 * a + 0.5 * b for a, b, _ in sizes]
    assert fitted(sizes, actual) == pytest.approx([2.0, 0.5, 0.0], abs=1e-6)
    assert min(fitted(sizes, [max(0.1, 2.0 * a - b) for a, b, _ in sizes])) >= 0
