"""Decisions → audit entries: the bytes this replica's journal chains. Pure.

Serialised deterministically; nobody encodes an entry again, so these bytes are what a verifier hashes.
An entry is kept for years and read by many: of what a caller typed freely it holds nothing that may be personal. The
end user stands there as a keyed hash, an unknown URL as `(unknown)`, an odd model name as `(odd)`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from kagamipb.ledger.v1.ledger_pb2 import Admitted, AuditEntry, Denied

from controlplane.authz.decide import CHAT_PATH, MODELS_PATH, Allow, Answer, Deny
from controlplane.authz.facts import Facts
from controlplane.domain.snapshot import VirtualKey

_PATHS = frozenset({CHAT_PATH, MODELS_PATH})
_MODEL = re.compile(r"(?!.*[0-9]{7})[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
"""Names of models as providers write them; a run of seven digits may be somebody's number."""


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
    end_user: str,
    unmetered: bool = False,
) -> bytes:
    """The entry of a request that may go to a provider; `input_estimate` in tokens, as nothing learned changed it;
    `end_user` as `pseudonym` made it; `unmetered`: no quota could be asked.
    """
    event = Admitted(
        tenant=allow.tenant.name,
        key_id=allow.key.key_id,
        user=end_user,
        method=facts.method,
        path=_path(facts.path),
        model=allow.model,
        providers=[hop.provider.name for hop in allow.hops],
        policy=allow.tenant.policy,
        policy_version=policy_version,
        route_reason=route_reason,
        reservation_id=reservation_id,
        traceparent=facts.traceparent,
        input_estimate=input_estimate,
        unmetered=unmetered,
    )
    return _serialise(AuditEntry(request_id=stamp.request_id, at_unix_micros=stamp.unix_micros, admitted=event))


def denied(stamp: Stamp, facts: Facts, deny: Deny) -> bytes:
    """The entry of a refused request."""
    problem = deny.problem
    return _ended(
        stamp, facts, deny.key, Denied(model=_model(deny.model), http_status=problem.status, code=problem.code)
    )


def answered(stamp: Stamp, facts: Facts, answer: Answer) -> bytes:
    """The entry of a request the gateway answered itself: nothing went further, status 200."""
    return _ended(stamp, facts, answer.key, Denied(model=_model(answer.model), http_status=200, code=answer.code))


def _ended(stamp: Stamp, facts: Facts, key: VirtualKey | None, event: Denied) -> bytes:
    if key is not None:
        event.tenant, event.key_id = key.tenant, key.key_id
    event.method = facts.method
    event.path = _path(facts.path)
    event.request_sha256 = hashlib.sha256(facts.body).digest()
    event.traceparent = facts.traceparent
    return _serialise(AuditEntry(request_id=stamp.request_id, at_unix_micros=stamp.unix_micros, denied=event))


def pseudonym(digest: bytes) -> str:
    """How an end user appears in the trail: the same for the same user of the same tenant, and nothing else known."""
    return f"user-{digest.hex()[:16]}"


def _path(path: str) -> str:
    if path in _PATHS:
        return path
    return f"{MODELS_PATH}/{{model}}" if path.startswith(f"{MODELS_PATH}/") else "(unknown)"


def _model(name: str) -> str:
    return name if not name or _MODEL.fullmatch(name) else "(odd)"


def _serialise(entry: AuditEntry) -> bytes:
    return entry.SerializeToString(deterministic=True)
