"""`kagamipb.ledger.v1.Ledger` over gRPC: what data planes ship their journals to."""

from __future__ import annotations

import grpc
import psycopg
import structlog
from kagamichain.chain import Frame
from kagamichain.verify import VerificationError
from kagamipb.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from sqlalchemy.exc import SQLAlchemyError

from controlplane.ledger.receiver import Receiver

log = structlog.get_logger()


class LedgerServicer(ledger_pb2_grpc.LedgerServicer):
    """Status codes tell a shipper what to do: FAILED_PRECONDITION = the chains differ, UNAVAILABLE = try
    again.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a server."""
        ledger_pb2_grpc.add_LedgerServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Ship(  # noqa: N802  the name in the contract
        self,
        request: ledger_pb2.ShipRequest,
        context: grpc.aio.ServicerContext[ledger_pb2.ShipRequest, ledger_pb2.ShipReply],
    ) -> ledger_pb2.ShipReply:
        """Store a batch, once."""
        if not request.writer or len(request.writer) > 128:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "writer: 1 to 128 characters")
        frames = [Frame(frame.seq, frame.link, frame.entry) for frame in request.frames]
        try:
            return ledger_pb2.ShipReply(acked_seq=await self._receiver.send(request.writer, frames))
        except VerificationError as error:
            log.warning("ledger.chain_refused", writer=error.writer, seq=error.seq, problem=error.problem)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except (SQLAlchemyError, psycopg.Error, OSError) as error:
            log.warning("ledger.store_failed", reason=type(error).__name__)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the ledger's database is not available")
        raise AssertionError("abort raises")
