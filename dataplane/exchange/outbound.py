"""The request on its way to the provider: parsed, redacted, addressed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping

from dataplane.dialects.model import Request
from dataplane.errors import InternalError, PiiBlocked
from dataplane.exchange import entries, headers
from dataplane.exchange.context import Attempt
from dataplane.exchange.effects import SendRequest
from dataplane.exchange.events import Headers, PolicyFound
from dataplane.redaction.policy import Policy
from dataplane.redaction.replace import Redaction

MakeRedaction = Callable[[Policy, str], Redaction]
"""Makes the redaction of one exchange: policy, tenant (whose cached findings no other tenant shares)."""


class Outbound:
    """One request. Call `adopt`, then run `steps` to its end, then `opened`, then `send`."""

    def __init__(self, attempt: Attempt, received: Headers, make_redaction: MakeRedaction) -> None:
        self.attempt = attempt
        self.redaction: Redaction | None = None
        """None when the policy is off."""
        self.received_sha256 = b""
        self._received, self._make_redaction = received, make_redaction
        self._found: PolicyFound | None = None
        self._request: Request | None = None
        self._body = b""
        self._uninspected = 0

    @property
    def request(self) -> Request:
        """The parsed request. Raises InternalError before there is one."""
        if self._request is None:
            raise InternalError("The gateway lost a request.")
        return self._request

    @property
    def cut_with_error(self) -> bool:
        """How a stream ends whose budget is used up."""
        return self._found is not None and self._found.cut_with_error

    @property
    def pii(self) -> Mapping[str, int]:
        """Redactions per entity in the request."""
        return self.redaction.request_counts if self.redaction else {}

    def adopt(self, found: PolicyFound) -> None:
        """Use this policy."""
        self._found = found

    def steps(self, data: bytes) -> Generator[None, None, None]:
        """Parse, redact and encode, pausing between scans. Raises InvalidRequest, PiiBlocked, Blocked."""
        self.received_sha256 = hashlib.sha256(data).digest()
        self._request = request = self.attempt.dialect.request(data)
        found = self._found
        if found is None or found.policy is None:
            raise InternalError("The gateway lost a policy.")
        if found.policy.enabled:
            yield from self._redact(request, found.policy, pass_uninspected=found.pass_uninspected)
        self._body = request.encode(self.attempt.target.model, self.attempt.context.max_output_tokens)

    def _redact(self, request: Request, policy: Policy, *, pass_uninspected: bool) -> Generator[None, None, None]:
        texts = yield from request.texts()
        self._uninspected = request.uninspected
        if self._uninspected and not pass_uninspected:
            raise PiiBlocked("The redaction policy does not let images, audio or files pass.", param="messages")
        self.redaction = self._make_redaction(policy, self.attempt.context.tenant)
        redacted = yield from self.redaction.request_steps(texts.texts, json=texts.json, follows=texts.follows)
        request.replace(redacted)

    def opened(self, now: int) -> bytes:
        """The audit entry that precedes the call."""
        return entries.opened(
            self.attempt,
            now,
            stream=self.request.stream,
            received_sha256=self.received_sha256,
            sent_sha256=hashlib.sha256(self._body).digest(),
            pii=self.pii,
            uninspected=self._uninspected,
        )

    def send(self) -> SendRequest:
        """What goes to the provider. Body and text are given away, not kept."""
        body, self._body = self._body, b""
        received, self._received = self._received, {}
        path = self.attempt.target.base_path + self.attempt.dialect.path
        made, removed = headers.to_provider(received, path, len(body), stream=self.request.stream)
        self.request.release()
        return SendRequest(made, removed, body)
