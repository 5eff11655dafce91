"""`kagamipb.quota.v1.Quota` over gRPC: more budget for streams that outgrow their reservation.

Guarantees: a grant is in this replica's journal before the data plane hears of it, so that it is freed with its
request whatever becomes of the reply; without the journal nothing is granted.
"""

from __future__ import annotations

from collections.abc import Callable

import grpc
import structlog
from kagamipb.ledger.v1.ledger_pb2 import AuditEntry, Extended, Extension
from kagamipb.quota.v1 import quota_pb2, quota_pb2_grpc

from controlplane.domain.ports import Granted, Growth, QuotaGate, Unavailable
from controlplane.ledger.sweeper import AuditLog

log = structlog.get_logger()

MOST_TOKENS = 1 << 20
"""That may be asked for at once."""
_ID_BYTES = 8

Context = grpc.aio.ServicerContext[quota_pb2.ExtendRequest, quota_pb2.ExtendReply]


class QuotaServicer(quota_pb2_grpc.QuotaServicer):
    """Status codes tell a data plane what to do: UNAVAILABLE = ask another replica."""

    def __init__(
        self, gate: QuotaGate, journal: AuditLog, *, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        """`clock`: Unix microseconds."""
        self._gate, self._journal, self._clock, self._random = gate, journal, clock, random

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a server."""
        quota_pb2_grpc.add_QuotaServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Extend(self, request: quota_pb2.ExtendRequest, context: Context) -> quota_pb2.ExtendReply:  # noqa: N802
        """Grant or refuse."""
        if not (request.request_id and request.tenant and 0 < request.output_tokens <= MOST_TOKENS):
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"request_id, tenant and output_tokens (1 to {MOST_TOKENS}) are needed",
            )
        outcome = await self._gate.extend(_growth(request))
        if isinstance(outcome, Unavailable):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "it cannot be said now whether there is room")
        if not isinstance(outcome, Granted):
            return quota_pb2.ExtendReply()
        extension = Extension(
            id=self._random(_ID_BYTES).hex(),
            reservation_id=outcome.reservation_id,
            output_tokens=outcome.paid_output_tokens,
        )
        if outcome.reservation_id and not self._record(request, extension):
            self._gate.cancel(outcome)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the audit journal takes no entries")
        return quota_pb2.ExtendReply(extension=extension)

    def _record(self, request: quota_pb2.ExtendRequest, extension: Extension) -> bool:
        event = Extended(tenant=request.tenant, reservation_id=request.reservation_id, extension=extension)
        entry = AuditEntry(request_id=request.request_id, at_unix_micros=self._clock(), extended=event)
        try:
            self._journal.append(entry.SerializeToString(deterministic=True))
        except Exception as error:  # noqa: BLE001 - however the journal fails, nothing is granted
            log.error("quota.extension_not_recorded", reason=type(error).__name__)  # noqa: TRY400
            return False
        return True


def _growth(request: quota_pb2.ExtendRequest) -> Growth:
    return Growth(
        request_id=request.request_id,
        tenant=request.tenant,
        provider=request.provider,
        reservation_id=request.reservation_id,
        output_tokens=request.output_tokens,
        pico_usd_per_output_token=request.pico_usd_per_output_token,
    )
