"""Envoy's `Authorization` service: joins facts, decision, quota gate and audit log into one answer.

Guarantees: an answer that lets a request pass is given only after the quota gate granted it and its entry
is in the audit log; every refusal is in the log too. Whatever goes wrong ends in a 503 in the client's
shape: nothing passes, no detail leaves. `Authorizer.check` knows no transport; `methods` serves it over
kagamirpc, because a request waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

import structlog
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from kagamipb.admin.v1.admin_pb2 import UNIT_CONCURRENT_REQUESTS, UNIT_MICRO_USD, UNIT_REQUESTS
from kagamirpc.server import Methods, Unary

from controlplane.authz import facts as facts_of
from controlplane.authz import rates, record, reply
from controlplane.authz.decide import Allow, Answer, Deny, decide
from controlplane.authz.facts import Facts
from controlplane.authz.record import Stamp
from controlplane.domain import errors
from controlplane.domain.errors import Problem
from controlplane.domain.ids import RANDOM_BYTES, uuid7
from controlplane.domain.ports import Exhausted, Granted, Guess, QuotaGate, UsageForecast
from controlplane.domain.snapshot import Snapshot
from controlplane.store.holder import SnapshotHolder

# A window that opens again this soon is a rate, worth an SDK's automatic retry; a longer one is a budget.
_RATE_SECONDS: Final = 120
LIVE_PROVIDERS: Final = "kagami_providers"
"""Context extension of Envoy's route: names, comma-separated, of the providers this Envoy can reach."""

log = structlog.get_logger()


class AuditLog(Protocol):
    """This replica's journal."""

    def append(self, entry: bytes) -> object:
        """Survives this process's death when it returns; raises when it cannot be kept."""


class Authorizer:
    """Answers Envoy's checks. `clock` gives unix microseconds, `random` so many random bytes as asked."""

    def __init__(
        self,
        snapshots: SnapshotHolder,
        quotas: QuotaGate,
        forecast: UsageForecast,
        audit: AuditLog,
        *,
        digest: Callable[[str], bytes],
        max_request_bytes: int,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
    ) -> None:
        self._snapshots = snapshots
        self._quotas = quotas
        self._forecast = forecast
        self._audit = audit
        self._digest = digest
        self._max_request_bytes = max_request_bytes
        self._clock = clock
        self._random = random
        self._plans: dict[tuple[object, ...], reply.Plan] = {}
        self._live: tuple[str, frozenset[str]] = ("", frozenset())
        self._planned_for: Snapshot | None = None

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Decides one request; never raises, except when its task is cancelled."""
        stamp = Stamp(uuid7(micros := self._clock(), self._random(RANDOM_BYTES)), micros)
        facts: Facts | None = None
        try:
            facts = self._facts(request)
            return await self._decide(facts, stamp)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may pass
            # Neither the message nor a traceback: they could quote the request.
            log.error("authz.failed", request_id=stamp.request_id, error=type(error).__name__)  # noqa: TRY400
            return self._refuse(facts or _NO_FACTS, stamp, Deny(errors.GATEWAY_ERROR))

    def _facts(self, request: CheckRequest) -> Facts:
        http = request.attributes.request.http
        body = http.raw_body or http.body.encode()
        live = self._live_of(request.attributes.context_extensions)
        return facts_of.read(http.method, http.path, http.headers, body, self._digest, live=live)

    def _live_of(self, extensions: Mapping[str, str]) -> frozenset[str] | None:
        """What Envoy's route says of its providers; read anew only when it changed."""
        text = extensions.get(LIVE_PROVIDERS)
        if text is None:
            return None
        if text != self._live[0]:
            self._live = text, frozenset(text.split(","))
        return self._live[1]

    async def _decide(self, facts: Facts, stamp: Stamp) -> CheckResponse:
        snapshot = self._snapshots.current
        if snapshot is None:
            return self._refuse(facts, stamp, Deny(errors.STARTING))
        decision = decide(facts, snapshot, stamp.unix_micros / 1e6, self._max_request_bytes)
        if isinstance(decision, Allow):
            return await self._admit(facts, stamp, decision, snapshot)
        if isinstance(decision, Answer):
            return self._answer(facts, stamp, decision)
        return self._refuse(facts, stamp, decision)

    async def _admit(self, facts: Facts, stamp: Stamp, allow: Allow, snapshot: Snapshot) -> CheckResponse:
        now = stamp.unix_micros / 1e6
        tenant, model, guess = allow.tenant.name, allow.model, allow.guess()
        expected = self._forecast.expected_output(tenant, model)
        held = self._forecast.expected_input(tenant, model, guess)
        outcome = await self._quotas.reserve(allow.demand(stamp.request_id, expected, held), now)
        # What one provider may no longer be used for, the next of the chain may.
        while isinstance(outcome, Exhausted) and outcome.provider and (others := allow.without(outcome.provider)):
            allow = others
            outcome = await self._quotas.reserve(allow.demand(stamp.request_id, expected, held), now)
        if not isinstance(outcome, Granted):
            problem = _exhausted(outcome, now) if isinstance(outcome, Exhausted) else errors.QUOTA_UNAVAILABLE
            return self._refuse(facts, stamp, Deny(problem, allow.key, allow.model))
        try:
            return self._granted(facts, stamp, allow, snapshot, outcome, guess=guess)
        except Exception:
            self._quotas.cancel(outcome)
            raise

    def _granted(
        self, facts: Facts, stamp: Stamp, allow: Allow, snapshot: Snapshot, granted: Granted, *, guess: Guess
    ) -> CheckResponse:
        version = snapshot.policies[allow.tenant.policy].version
        grant = reply.Grant(
            request_id=stamp.request_id,
            tenant=allow.tenant.name,
            key_id=allow.key.key_id,
            user=allow.user,
            policy=allow.tenant.policy,
            policy_version=version,
            reservation_id=granted.reservation_id,
            max_output_tokens=granted.max_output_tokens,
            paid_output_tokens=granted.paid_output_tokens,
            traceparent=facts.traceparent,
            admitted_at_unix_micros=stamp.unix_micros,
            tags=dict(facts.tags),
            rates=rates.headers(granted.limits, stamp.unix_micros / 1e6),
        )
        response = reply.allow(self._plan(allow, snapshot, facts.live), grant)
        # Last: from here on the ledger, not `cancel`, gives the reservation back.
        entry = record.admitted(
            stamp,
            facts,
            allow,
            reservation_id=granted.reservation_id,
            policy_version=version,
            route_reason=reply.ROUTE_REASON,
            input_estimate=guess.tokens,
            end_user=self._pseudonym(allow),
            unmetered=granted.unmetered,
        )
        if not self._append(entry):
            self._quotas.cancel(granted)
            return reply.deny(errors.AUDIT_UNAVAILABLE, stamp.request_id)
        return response

    def _pseudonym(self, allow: Allow) -> str:
        return record.pseudonym(self._digest(f"{allow.tenant.name}\0{allow.user}")) if allow.user else ""

    def _refuse(self, facts: Facts, stamp: Stamp, deny: Deny) -> CheckResponse:
        if not self._append(record.denied(stamp, facts, deny)):
            return reply.deny(errors.AUDIT_UNAVAILABLE, stamp.request_id)
        return reply.deny(deny.problem, stamp.request_id)

    def _answer(self, facts: Facts, stamp: Stamp, answer: Answer) -> CheckResponse:
        if not self._append(record.answered(stamp, facts, answer)):
            return reply.deny(errors.AUDIT_UNAVAILABLE, stamp.request_id)
        return reply.answer(200, answer.body, stamp.request_id)

    def _append(self, entry: bytes) -> bool:
        try:
            self._audit.append(entry)
        except Exception as error:  # noqa: BLE001 - no matter why: what is not recorded does not happen
            log.error("authz.audit_unavailable", error=type(error).__name__)  # noqa: TRY400
            return False
        return True

    def _plan(self, allow: Allow, snapshot: Snapshot, live: frozenset[str] | None) -> reply.Plan:
        if self._planned_for is not snapshot:
            self._plans, self._planned_for = {}, snapshot
        # With the prices, for these may change while the snapshot stays.
        key = (allow.model, live, *[(hop.provider.name, hop.price.version) for hop in allow.hops])
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = reply.plan(allow.model, allow.hops)
        return plan


METHOD: Final = b"/envoy.service.auth.v3.Authorization/Check"


def methods(authorizer: Authorizer) -> Methods:
    """What a server of Envoy's checks serves."""

    async def check(request: bytes, _headers: list[tuple[bytes, bytes]]) -> bytes:
        response: bytes = (await authorizer.check(CheckRequest.FromString(request))).SerializeToString()
        return response

    return {METHOD: Unary(check)}


_NO_FACTS: Final = Facts(method="", path="", key_digest=None, body=b"", partial=False)


def _exhausted(refusal: Exhausted, now: float) -> Problem:
    wait = None if refusal.resets_at is None else max(1, math.ceil(refusal.resets_at - now))
    if refusal.unit == UNIT_CONCURRENT_REQUESTS:
        return _limited(errors.rate_limit_exceeded(refusal.quota, 1), refusal, now)
    if refusal.unit != UNIT_MICRO_USD and wait is not None and wait <= _RATE_SECONDS:
        counts = "requests" if refusal.unit == UNIT_REQUESTS else "tokens"
        return _limited(errors.rate_limit_exceeded(refusal.quota, wait, counts=counts), refusal, now)
    return _limited(errors.insufficient_quota(refusal.quota, wait), refusal, now)


def _limited(problem: Problem, refusal: Exhausted, now: float) -> Problem:
    return replace(problem, headers=tuple(rates.headers(refusal.limits, now).items()))
