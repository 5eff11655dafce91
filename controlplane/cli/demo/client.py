"""The demo's client: the official `openai` package, with only its base URL and key set.

The package is imported in a thread while the gateway starts: its import takes most of a second.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import AsyncOpenAI


@dataclass(slots=True)
class Answer:
    """What came back of one request. Times in seconds from sending."""

    text: str = ""
    request_id: str = ""
    first_token: float = 0.0
    seconds: float = 0.0
    chunks: int = 0
    sent_sha256: str = ""
    """Of the request body as this client sent it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error in OpenAI's shape."""

    status: int
    code: str
    message: str
    request_id: str


class Client:
    """One virtual key's client."""

    def __init__(self, base_url: str, key: str) -> None:
        import openai

        self._openai = openai
        self._digest = ""
        transport = openai.DefaultAsyncHttpxClient(event_hooks={"request": [self._note]}, trust_env=False, timeout=60)
        self._client: AsyncOpenAI = openai.AsyncOpenAI(
            base_url=base_url, api_key=key, max_retries=0, http_client=transport
        )

    async def _note(self, request: Any) -> None:
        self._digest = hashlib.sha256(await request.aread()).hexdigest()

    async def stream(self, model: str, prompt: str, on_text: Callable[[str], None]) -> Answer:
        """A streamed chat. Raises openai.APIError."""
        answer, began = Answer(), time.perf_counter()
        messages: Any = [{"role": "user", "content": prompt}]
        create = self._client.chat.completions.with_streaming_response.create
        async with create(model=model, messages=messages, stream=True) as response:
            answer.request_id = response.headers.get("x-kagami-request-id", "")
            async for text in _texts(await response.parse()):
                answer.first_token = answer.first_token or time.perf_counter() - began
                answer.text += text
                answer.chunks += 1
                on_text(text)
        answer.seconds = time.perf_counter() - began
        answer.sent_sha256 = self._digest
        return answer

    async def refused(self, model: str, prompt: str) -> Refusal | None:
        """The refusal of a request, or None when it was answered."""
        try:
            await self.stream(model, prompt, lambda _: None)
        except self._openai.APIStatusError as error:
            request_id = error.response.headers.get("x-kagami-request-id", "")
            said = error.body.get("message", "") if isinstance(error.body, dict) else error.message
            return Refusal(error.status_code, str(error.code), str(said), request_id)
        return None

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


async def _texts(stream: Any) -> AsyncIterator[str]:
    async for chunk in stream:
        for choice in chunk.choices:
            if choice.delta.content:
                yield choice.delta.content
