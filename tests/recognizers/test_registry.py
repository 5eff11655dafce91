"""The registry of finders."""

from __future__ import annotations

import pytest

from recognizers.registry import FACTORIES, load_finders


def test_every_finder_answers_with_the_entity_it_is_registered_for() -> None:
    for entity in sorted(set(FACTORIES) - {"PERSON"}):
        for finder in load_finders([entity]):
            assert finder.entities == {entity}
            assert finder.name


def test_names_are_unique() -> None:
    names = [finder.name for finder in load_finders(sorted(set(FACTORIES) - {"PERSON"}))]
    assert len(names) == len(set(names))


def test_an_unknown_entity_is_named() -> None:
    with pytest.raises(ValueError, match="unknown entity 'NOPE'; known are ADDRESS"):
        load_finders(["ADDRESS", "NOPE"])
