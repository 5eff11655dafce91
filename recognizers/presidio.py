"""The bridge to Presidio: each finder as an `EntityRecognizer`, and a thin engine around them.

Nothing here is on Kagami's hot path: importing presidio_analyzer takes seconds. `Detector.scan` and `analyze_with_presidio`
give the same findings; a test holds them to it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from recognizers.base import Finder
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.overlap import resolve
from recognizers.registry import load_finders

_last = threading.local()


class FinderRecognizer(EntityRecognizer):
    """One finder as Presidio sees it."""

    def __init__(self, finder: Finder, *, language: str = "ja") -> None:
        self.finder = finder
        super().__init__(supported_entities=sorted(finder.entities), name=finder.name, supported_language=language)

    def load(self) -> None:
        """Finders are loaded when they are made."""

    def analyze(
        self,
        text: str,
        entities: Collection[str],
        nlp_artifacts: NlpArtifacts | None = None,  # noqa: ARG002
    ) -> list[RecognizerResult]:
        """Presidio results of this finder, for those of `entities` it knows; all of them when `entities` is empty."""
        found = self.finder.find(_folded(text))
        return [_result(finding) for finding in found if not entities or finding.entity in entities]


class NullNlpEngine(NlpEngine):
    """An NLP engine that does nothing: our finders read the raw text."""

    def __init__(self, languages: Iterable[str] = ("ja",)) -> None:
        self._languages = list(languages)

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:  # noqa: ARG002
        """Empty artifacts."""
        return NlpArtifacts([], cast("Any", ()), [], [], self, language)

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,  # noqa: ARG002
        n_process: int = 1,  # noqa: ARG002
        **kwargs: object,  # noqa: ARG002
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Empty artifacts for each text."""
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002
        """No word is."""
        return False

    def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002
        """No word is."""
        return False

    def get_supported_entities(self) -> list[str]:
        """None: entities come from the recognizers."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Those it was made with."""
        return self._languages


def as_recognizers(entities: Collection[str] | None, *, language: str) -> list[EntityRecognizer]:
    """The finders for `entities`, each as an `EntityRecognizer`."""
    return [FinderRecognizer(finder, language=language) for finder in load_finders(entities)]


def analyzer_engine(entities: Collection[str] | None = None, *, language: str = "ja") -> AnalyzerEngine:
    """A Presidio engine with our recognizers only and no NLP model."""
    registry = RecognizerRegistry(
        recognizers=as_recognizers(entities, language=language), supported_languages=[language]
    )
    return AnalyzerEngine(registry=registry, nlp_engine=NullNlpEngine([language]), supported_languages=[language])


def analyze_with_presidio(
    engine: AnalyzerEngine, text: str, *, language: str = "ja", threshold: float = 0.5
) -> list[Finding]:
    """What `Detector.scan` answers, found by way of Presidio's `AnalyzerEngine`."""
    results = engine.analyze(text, language=language, score_threshold=threshold)
    return resolve((_finding(result) for result in results), text)


def _folded(text: str) -> FoldedText:
    """The folded text, kept for the next recognizer of the same `analyze` call on this thread."""
    kept: FoldedText | None = getattr(_last, "text", None)
    if kept is None or kept.original is not text:
        kept = _last.text = FoldedText(text)
    return kept


def _result(found: Finding) -> RecognizerResult:
    metadata = {RecognizerResult.RECOGNIZER_NAME_KEY: found.recognizer}
    return RecognizerResult(found.entity, found.start, found.end, found.score, recognition_metadata=metadata)


def _finding(result: RecognizerResult) -> Finding:
    name = result.recognition_metadata[RecognizerResult.RECOGNIZER_NAME_KEY]
    return Finding(result.start, result.end, result.entity_type, result.score, name)
