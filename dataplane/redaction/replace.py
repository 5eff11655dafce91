"""Redaction of one exchange: what the policy says, done to request texts and to the lanes of the response.

Requests are scanned in slices of at most 1,500 characters (`SLICE`), some 8 ms each, with left and right context, so
a long prompt never keeps the caller busy for long: the `…_steps` generators yield between scans. A text shorter than
a slice is scanned whole. Streams go through lanes with little hold-back (`STREAM`). In responses own placeholders are
restored first; whatever else a scan finds is redacted, restored text is not scanned again, for it is the client's own.

Nothing here keeps text beyond the exchange. `Blocked` names the entity and never carries text. Numbering of responses
that arrive in several lanes at once follows the order in which the lanes decide.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Generator, Hashable, Mapping, Sequence

from dataplane.redaction.cache import FindingsCache
from dataplane.redaction.cuts import Window
from dataplane.redaction.json_view import decoded
from dataplane.redaction.lanes import JsonLane, Lane, OpenLane, Render, TextLane
from dataplane.redaction.overlong import opened
from dataplane.redaction.placeholders import Placeholders
from dataplane.redaction.policy import Action, Policy
from dataplane.redaction.seams import Known, across
from dataplane.redaction.spans import RESTORE, Scan, Span, override
from dataplane.redaction.stream import SWALLOWED, FinalScan, HoldBack

__all__ = ["SLICE", "STREAM", "Blocked", "Lane", "Placeholders", "Redaction"]

SLICE = Window(
    near=128,
    left=256,
    step=2_400,
    soft=1_300,
    strong_margin=64,
    plain_margin=64,
    clause_margin=64,
    soft_margin=64,
    blank_margin=64,
    cap=1_500,
)
STREAM = Window()

_Kept = Callable[[Sequence[Span]], Sequence[Span]]
"""The findings that a policy does something about."""
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


class Blocked(Exception):  # noqa: N818 - a decision of the policy, not a malfunction
    """The policy refuses this exchange because of `entity`."""

    def __init__(self, entity: str) -> None:
        super().__init__(f"the policy does not let {entity} pass")
        self.entity = entity


class Redaction:
    """Everything that is redacted in one exchange. One instance per exchange, used by one thread at a time."""

    __slots__ = (
        "_lanes", "_placeholders", "_policy", "_scan", "_stream", "_whole_scan",
        "request_counts", "response_counts", "restored",
    )  # fmt: skip

    def __init__(self, policy: Policy, scan: Scan, *, cache: FindingsCache | None = None, scope: str = "") -> None:
        """`scan` finds personal data. `cache` serves whole texts; `scope` (the tenant) keeps its entries apart."""
        self._policy = policy
        self._scan = policy.scan or scan
        named = f"{scope}\0{policy.name}@{policy.version}" if policy.scan else scope
        self._whole_scan = self._scan if cache is None else cache.scan(self._scan, named)
        self._stream = STREAM.capped(policy.max_hold_chars)
        self._placeholders = Placeholders()
        self._lanes: dict[Hashable, Lane] = {}
        self.request_counts: Counter[str] = Counter()
        self.response_counts: Counter[str] = Counter()
        self.restored = 0

    def request_steps(
        self, texts: Sequence[str], *, json: Collection[int] = (), follows: Mapping[int, int] | None = None
    ) -> Generator[None, None, list[str]]:
        """Redact the texts of a request, yielding between scans; `json` holds indexes of texts that are JSON.

        `follows` maps a text to the one before it, where both are parts of one message: a value may lie across them.
        Returns the texts to send, in order. Raises Blocked.
        """
        if not self._policy.enabled:
            return list(texts)
        for index, text in enumerate(texts):
            written = (yield from decoded(text)) if index in json and "\\u" in text else text
            yield from self._placeholders.reserve(written)
        known = yield from across(texts, follows or {}, lambda text: self.scan_request(text, True))
        return (yield from self._steps(texts, json, self.scan_request, self.replace_in_request, known))

    def response_steps(self, texts: Sequence[str], *, json: Collection[int] = ()) -> Generator[None, None, list[str]]:
        """Restore and redact whole texts of a response, yielding between scans. Raises Blocked."""
        if not self._policy.enabled:
            return list(texts)
        return (yield from self._steps(texts, json, self._scan_response, self._replace_in_response, {}))

    def response(self, text: str) -> str:
        """Restore and redact one whole text of a response. Raises Blocked."""
        return _last(self.response_steps([text]))[0]

    def lane(self, key: Hashable, *, json: bool = False) -> Lane:
        """The lane of `key` (one per choice, field and tool call), made at first use; `json` counts only then."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = self._lane(json, self._scan_stream, self._stream, self._replace_in_response)
        return lane

    def scan_request(self, text: str, final: bool) -> Sequence[Span]:
        """What is to be replaced in `text`, part of a request that ends with `text` when `final`."""
        return self._findings(text, final, self._whole_scan, self._policy.kept_in_request)

    def replace_in_request(self, text: str, span: Span) -> str:
        """What the provider gets for `text`, which `span` covers. Raises Blocked."""
        if span.recognizer == SWALLOWED:
            return ""
        self.request_counts[span.entity] += 1
        return self._act(self._policy.request_action(span.entity), text, span.entity)

    def _steps(
        self, texts: Sequence[str], json: Collection[int], scan: FinalScan, render: Render, known: Known
    ) -> Generator[None, None, list[str]]:
        results: list[str] = []
        scanned = 0
        for index, text in enumerate(texts):
            lane = self._lane(index in json, scan, SLICE, render, known.get(index, ()))
            out: list[str] = []
            for piece in lane.steps(text):
                out.append(piece)
                scanned = 0
                yield
            out.append(lane.flush())
            results.append("".join(out))
            scanned += len(text)
            if scanned >= SLICE.cap:
                scanned = 0
                yield
        return results

    def _lane(self, json: bool, scan: FinalScan, window: Window, render: Render, known: Sequence[Span] = ()) -> Lane:
        if not self._policy.enabled:
            return OpenLane()
        hold = HoldBack(scan, window, known=known)
        return JsonLane(hold, render) if json else TextLane(hold, render)

    def _scan_stream(self, text: str, final: bool) -> Sequence[Span]:
        found = self._findings(text, final, self._scan, self._policy.kept_in_response)
        return override(self._placeholders.find(text, final=final), found)

    def _scan_response(self, text: str, final: bool) -> Sequence[Span]:
        found = self._findings(text, final, self._whole_scan, self._policy.kept_in_response)
        return override(self._placeholders.find(text, final=final), found)

    def _findings(self, text: str, final: bool, scan: Scan, kept: _Kept) -> Sequence[Span]:
        spans = self._policy.refine(text, scan(text))
        if not final:
            unfinished = opened(text)
            spans = self._policy.awaiting(text, spans if unfinished is None else override([unfinished], spans))
        return kept(spans)

    def _replace_in_response(self, text: str, span: Span) -> str:
        if span.recognizer == SWALLOWED:
            return ""
        if span.recognizer == RESTORE:
            return self._restore(text)
        self.response_counts[span.entity] += 1
        return self._act(self._policy.response_action(span.entity), text, span.entity)

    def _restore(self, text: str) -> str:
        value = self._placeholders.restore(text)
        if value is None:
            return text
        self.restored += 1
        return value

    def _act(self, action: Action, text: str, entity: str) -> str:
        match action:
            case Action.REPLACE | Action.PSEUDONYM:
                return self._placeholders.give(entity, text, reversible=action is Action.PSEUDONYM)
            case Action.MASK:
                return _LETTER_OR_DIGIT.sub("*", text)
            case Action.HASH:
                return f"<{entity}:{_keyed_hash(self._policy.hash_key, entity, text)}>"
            case Action.OPERATOR:
                return self._policy.operate(entity, text)
            case Action.BLOCK:
                raise Blocked(entity)
            case Action.ALLOW:
                return text


def _keyed_hash(key: bytes, entity: str, value: str) -> str:
    message = f"{entity}\0{value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(message, key=key, digest_size=6).hexdigest()


def _last(steps: Generator[None, None, list[str]]) -> list[str]:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: list[str] = done.value
            return result
