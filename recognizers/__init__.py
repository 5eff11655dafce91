"""Recognizers for personal data in Japanese and mixed text, usable alone, in Kagami and in any Presidio installation.

Two ways in. `recognizers.detector.Detector` is the fast one and imports no Presidio::

    from recognizers.detector import Detector
    detector = Detector.load()
    detector.scan("電話は090-0123-4567です")      # [Finding(start=3, end=16, entity="PHONE_NUMBER", …)]

`japanese_recognizers()` answers the same finders as Presidio `EntityRecognizer`s.

Every finder is pure: text in, findings out, no I/O, bounded patterns. What finders share is computed once per text
and kept in its `FoldedText`: digit strings (`numbers`), labels (`labels`), table columns (`tables`), the field a value
stands in (`context`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from presidio_analyzer import EntityRecognizer

__all__ = ["japanese_recognizers"]


def japanese_recognizers(entities: Collection[str] | None = None, *, language: str = "ja") -> list[EntityRecognizer]:
    """All recognizers (or those for `entities`) for a Presidio registry; importing Presidio happens here."""
    from recognizers.presidio import as_recognizers

    return as_recognizers(entities, language=language)
