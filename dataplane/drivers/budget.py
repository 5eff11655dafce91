"""More budget for streams that outgrow their reservation, asked of the control plane.

Any replica may grant. One that fails, or cannot say, is left for the next one, once; then the answer is a refusal, and
what is held already goes on being used. Nothing is lost by an answer that does not arrive: the replica that granted
has it on record, and the ledger frees it with the request.
"""

from __future__ import annotations

import grpc
from kagamipb.quota.v1 import quota_pb2, quota_pb2_grpc

from dataplane.drivers.controlplane import Endpoints, Report
from dataplane.exchange.effects import AskMore
from dataplane.exchange.events import MoreAnswered

SECONDS = 2.0
"""For one replica to answer."""
_REPLICAS = 2


class BudgetClient:
    """Implements `extproc.servicer.Budget`. `endpoints`: its own, so that leaving one disturbs nobody else."""

    def __init__(self, endpoints: Endpoints, report: Report) -> None:
        self._endpoints, self._report = endpoints, report

    async def extend(self, asked: AskMore) -> MoreAnswered:
        """See Budget."""
        request = quota_pb2.ExtendRequest(
            request_id=asked.request_id,
            tenant=asked.tenant,
            reservation_id=asked.reservation_id,
            provider=asked.provider,
            output_tokens=asked.output_tokens,
            pico_usd_per_output_token=asked.pico_usd_per_output_token,
        )
        for _ in range(_REPLICAS):
            stub = quota_pb2_grpc.QuotaStub(self._endpoints.channel)  # type: ignore[no-untyped-call]
            try:
                reply = await stub.Extend(request, metadata=self._endpoints.metadata, timeout=SECONDS)
            except grpc.RpcError as error:
                self._report(error)
                self._endpoints.leave()
                continue
            more = reply.extension
            return MoreAnswered(more.output_tokens, more.id, more.reservation_id)
        return MoreAnswered()
