"""Where detection meets redaction: our own detector, and spaCy pipelines through Presidio for those who ask.

`load_scan` loads every dictionary and model; call it once, before workers fork. The default imports no Presidio (that
alone takes seconds). A pipeline adds what a spaCy model finds, in any language it was made for; it must be installed
or lie in a folder: nothing is ever downloaded. Pipelines are slow (a thousandth of our own detector's speed on
Japanese) and meant for languages it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dataplane.redaction.policy import ScanConfig
from dataplane.redaction.spans import Scan, Span
from recognizers.base import Finder
from recognizers.custom import CustomFinder, CustomRecognizerError
from recognizers.detector import Detector
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.registry import load_finders

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_PIPELINE_ENTITIES = frozenset({"PERSON", "LOCATION", "NRP", "ORGANIZATION"})


class AnalyzerError(ValueError):
    """Detection cannot be set up; the message names what to change."""


class Analyzer:
    """A loaded detector; calling it scans a text. Immutable, thread-safe, shared by all workers."""

    __slots__ = ("_finders", "rehearse", "scan")

    def __init__(self, finders: Sequence[Finder]) -> None:
        self._finders = tuple(finders)
        self.scan = _as_scan(Detector(self._finders))
        # A pipeline takes many milliseconds for one text: whoever came meanwhile would wait for it.
        self.rehearse = Detector([one for one in self._finders if not isinstance(one, PipelineFinder)]).rehearse

    def __call__(self, text: str) -> Sequence[Span]:
        """Personal data in `text`: sorted, never overlapping, in code points."""
        return self.scan(text)

    def bind(self, config: ScanConfig) -> Scan:
        """The scan of a policy with thresholds or recognizers of its own; dictionaries are shared.

        Raises ValueError naming what is wrong with a recognizer.
        """
        return _as_scan(Detector((*self._finders, *_custom(config)), thresholds=config.thresholds))


def load_scan(*, entities: Iterable[str] | None = None, pipelines: Mapping[str, str] | None = None) -> Analyzer:
    """Load detection of `entities` (all by default) and `pipelines`: language code to spaCy package or folder.

    Raises AnalyzerError for an unknown entity or a pipeline that is not installed.
    """
    try:
        loaded = load_finders(None if entities is None else tuple(entities))
    except ValueError as error:
        raise AnalyzerError(str(error)) from error
    return Analyzer((*loaded, *(PipelineFinder.load(*item) for item in sorted((pipelines or {}).items()))))


class PipelineFinder:
    """A spaCy pipeline, run by Presidio, as one of our finders."""

    entities = _PIPELINE_ENTITIES

    def __init__(self, engine: AnalyzerEngine, language: str) -> None:
        self.name = f"presidio.{language}"
        self._engine = engine
        self._language = language

    @classmethod
    def load(cls, language: str, pipeline: str) -> PipelineFinder:
        """Load `pipeline`. Raises AnalyzerError when it is neither a package nor a folder, or cannot be loaded."""
        if not Path(pipeline).is_dir() and (not pipeline.isidentifier() or find_spec(pipeline) is None):
            raise AnalyzerError(f"pipeline {pipeline!r} for {language!r} is not installed and is no folder")
        try:
            return cls(_engine(language, pipeline), language)
        except (ImportError, OSError, ValueError) as error:
            raise AnalyzerError(f"pipeline {pipeline!r} for {language!r} cannot be loaded: {error}") from error

    def find(self, text: FoldedText) -> Iterable[Finding]:
        """Named entities of the pipeline, in offsets of the original."""
        results = self._engine.analyze(text.original, language=self._language, entities=sorted(self.entities))
        return [Finding(hit.start, hit.end, hit.entity_type, hit.score, self.name) for hit in results]


def _engine(language: str, pipeline: str) -> AnalyzerEngine:
    """A Presidio engine with this one pipeline; Presidio is imported here and nowhere else in the data plane."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    nlp = SpacyNlpEngine(models=[{"lang_code": language, "model_name": pipeline}])
    recognizer = SpacyRecognizer(supported_language=language, supported_entities=sorted(_PIPELINE_ENTITIES))
    registry = RecognizerRegistry(recognizers=[recognizer], supported_languages=[language])
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=[language])


def _as_scan(detector: Detector) -> Scan:
    """A detector's findings have the fields of spans; converting each would only cost time."""
    return cast("Scan", detector.scan)


def _custom(config: ScanConfig) -> Iterator[Finder]:
    for index, one in enumerate(config.recognizers):
        try:
            yield CustomFinder(
                entity=one.entity, pattern=one.pattern, context=one.context, checksum=one.checksum, score=one.score
            )
        except CustomRecognizerError as error:
            raise AnalyzerError(f"recognizers[{index}].{error}") from None
