"""What every dialect offers the exchange: neutral values and the shapes of requests, answers and streams.

Strategy: a dialect keeps the JSON it was given, unknown fields included, and shows the exchange only where text lies
in it (`texts`), what a policy must know (parts that cannot be inspected) and what is settled (usage). Nothing is
rewritten that nobody changed. Dialects do not know redaction: they are handed text in, text out functions.
Limits are the caller's: body and event sizes are bounded before bytes get here, the number of lanes by `max_lanes`.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from dataplane.errors import GatewayError

Steps = Generator[None, None, list[bytes]]
"""Work on one piece of a stream, pausing between bounded slices; returns the events for the client."""


class TokenUsage(NamedTuple):
    """Tokens as a provider counts them: `cached` is part of `input`, `reasoning` part of `output`."""

    input: int
    cached: int
    output: int
    reasoning: int


class Measure(NamedTuple):
    """Size of text: code points in all, and how many of them are not ASCII."""

    chars: int = 0
    wide: int = 0

    def plus(self, text: str) -> Measure:
        """This and `text`. UTF-8 needs 2 to 4 bytes for what is not ASCII; Japanese takes 3."""
        chars = len(text)
        return Measure(self.chars + chars, self.wide + (0 if text.isascii() else (len(text.encode()) - chars) // 2))


class Texts(NamedTuple):
    """Texts found in a request or an answer; `json` holds the indexes of those that are JSON source.

    `follows` maps the text of a content part to that of the part before it in the same message.
    """

    texts: list[str]
    json: frozenset[int]
    follows: Mapping[int, int] = MappingProxyType({})


class TextLane(Protocol):
    """Redacts one text that arrives in pieces."""

    def feed(self, text: str) -> str:
        """Take the next piece, return what may be shown."""

    def flush(self) -> str:
        """The text has ended: return what was held back."""

    def steps(self, text: str) -> Iterator[str]:
        """`feed` in bounded steps."""


class Redactor(Protocol):
    """What a stream needs of redaction. Its methods may raise, which ends the exchange."""

    def lane(self, key: Hashable, *, json: bool = False) -> TextLane:
        """The lane called `key`; with `json` its text is JSON source and stays valid."""

    def response(self, text: str) -> str:
        """A whole text, redacted."""


class Request(Protocol):
    """One parsed and validated request."""

    model: str
    stream: bool
    measure: Measure

    @property
    def output_limit(self) -> int:
        """The most output tokens the client asks for, over all choices; 0 = no limit of its own."""

    @property
    def uninspected(self) -> int:
        """Images, audio and files, which no detector reads; known after `texts`."""

    def texts(self) -> Generator[None, None, Texts]:
        """Every text a person may have written, in order of appearance. Pauses; returns them."""

    def replace(self, texts: Sequence[str]) -> None:
        """Put back what `texts` gave, redacted, same number and order."""

    def encode(self, model: str, max_output_tokens: int) -> bytes:
        """Body for the provider. `max_output_tokens`: 0 = as asked, else never ask for more."""

    def release(self) -> None:
        """Forget the body, which a long answer need not keep in memory; the attributes stay."""


class Answer(Protocol):
    """One whole (not streamed) answer."""

    usage: TokenUsage | None
    measure: Measure

    def texts(self) -> Generator[None, None, Texts]:
        """Every text a model may have written. Pauses; returns them."""

    def replace(self, texts: Sequence[str]) -> None:
        """Put back what `texts` gave, same number and order."""

    def encode(self) -> bytes:
        """Body for the client."""


class Stream(Protocol):
    """One streamed answer: provider's events in, client's events out (encoded)."""

    usage: TokenUsage | None
    measure: Measure
    done: bool
    """The provider said that the stream is over."""

    def event(self, payload: bytes) -> Steps:
        """Take one event's data. Raises ProviderError when it is an error or cannot be understood."""

    def finish(self) -> Steps:
        """No more events. Raises ProviderError when the answer is not complete."""

    def adds(self, payload: bytes) -> bool:
        """Whether an event brings more of the answer, and not only its end or its usage. Looks, takes nothing."""

    def flush(self) -> list[bytes]:
        """What was held back so far, as events. Raises what redaction raises."""

    def cut(self) -> list[bytes]:
        """End the answer here: what was held back, and the end of an answer that reached its limit."""


class Dialect(Protocol):
    """A wire format, as client side and as provider side."""

    path: str
    """Below a provider's base path."""

    def request(self, body: bytes) -> Request:
        """Parse. Raises InvalidRequest naming the field."""

    def answer(self, body: bytes) -> Answer:
        """Parse. Raises ProviderError."""

    def stream(self, request: Request, redactor: Redactor | None, *, max_lanes: int) -> Stream:
        """A stream answering `request`; without `redactor` texts pass as they are."""

    def refusal(self, status: int, body: bytes) -> GatewayError:
        """What a provider's 400, 413 or 422 means to the client, without its words."""

    def error_body(self, error: GatewayError) -> bytes:
        """The error as a response body."""

    def error_event(self, error: GatewayError) -> bytes:
        """The error inside a stream that has begun."""
