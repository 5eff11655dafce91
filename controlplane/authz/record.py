"""Decisions → audit entries: the bytes this replica's journal chains. Pure.

Serialised deterministically; nobody encodes an entry again, so these bytes are what a verifier hashes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from kagamipb.ledger.v1.ledger_pb2 import Admitted, AuditEntry, Denied

from controlplane.authz.decide import Allow, Answer, Deny
from controlplane.authz.facts import Facts, clean
from controlplane.domain.snapshot import VirtualKey

_MAX_PATH_CHARS = 256


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which request, and when it was decided."""

    request_id: str
    unix_micros: int


def admitted(
    stamp: Stamp,
    facts: Facts,
    allow: Allow,
    *,
    reservation_id: str,
    policy_version: str,
    route_reason: str,
    input_estimate: int,
) -> bytes:
    """The entry of a request that may go to a provider; `input_estimate` in tokens, as nothing learned changed it."""
    event = Admitted(
        tenant=allow.tenant.name,
        key_id=allow.key.key_id,
        user=allow.user,
        method=facts.method,
        path=clean(facts.path, _MAX_PATH_CHARS),
        model=allow.model,
        providers=[hop.provider.name for hop in allow.hops],
        policy=allow.tenant.policy,
        policy_version=policy_version,
        route_reason=route_reason,
        reservation_id=reservation_id,
        traceparent=facts.traceparent,
        input_estimate=input_estimate,
    )
    return _serialise(AuditEntry(request_id=stamp.request_id, at_unix_micros=stamp.unix_micros, admitted=event))


def denied(stamp: Stamp, facts: Facts, deny: Deny) -> bytes:
    """The entry of a refused request."""
    problem = deny.problem
    return _ended(stamp, facts, deny.key, Denied(model=deny.model, http_status=problem.status, code=problem.code))


def answered(stamp: Stamp, facts: Facts, answer: Answer) -> bytes:
    """The entry of a request the gateway answered itself: nothing went further, status 200."""
    return _ended(stamp, facts, answer.key, Denied(model=answer.model, http_status=200, code=answer.code))


def _ended(stamp: Stamp, facts: Facts, key: VirtualKey | None, event: Denied) -> bytes:
    if key is not None:
        event.tenant, event.key_id = key.tenant, key.key_id
    event.method = facts.method
    event.path = clean(facts.path, _MAX_PATH_CHARS)
    event.request_sha256 = hashlib.sha256(facts.body).digest()
    event.traceparent = facts.traceparent
    return _serialise(AuditEntry(request_id=stamp.request_id, at_unix_micros=stamp.unix_micros, denied=event))


def _serialise(entry: AuditEntry) -> bytes:
    return entry.SerializeToString(deterministic=True)
