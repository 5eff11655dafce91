"""Lets in only callers that present the cluster token; what it guards is everything but a short list.

Providers' keys travel over ADS, audit frames come in through the ledger, and policies leave through the feed: over
TCP none of that is for anyone who merely reaches the port. Open are health and reflection, which tell nothing, and
administration, which has a rule and a token of its own (`controlplane.admin.auth`). A service added later is guarded
until it is listed here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection
from kagamipb.admin.v1 import admin_pb2
from kagamirpc import token as cluster

OPEN: Final = frozenset({
    admin_pb2.DESCRIPTOR.services_by_name["Admin"].full_name,
    health.SERVICE_NAME,
    reflection.SERVICE_NAME,
})  # fmt: skip
"""Services anyone may call; each decides for itself what to answer."""


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """Refuses a call with UNAUTHENTICATED before its first message is read."""

    def __init__(self, token: str) -> None:
        self._token = token
        # Bidirectional whatever was called, so that nothing is awaited from a caller who is not let in.
        self._refusal = grpc.stream_stream_rpc_method_handler(_refuse)

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """The method's own handler, or the refusal."""
        if _service(details.method) in OPEN or cluster.admits(self._token, details.invocation_metadata or ()):
            return await continuation(details)
        return self._refusal


def _service(path: str) -> str:
    """`package.Service` of `/package.Service/Method`."""
    return path.removeprefix("/").rpartition("/")[0]


async def _refuse(_requests: AsyncIterator[bytes], context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "KAGAMI_CLUSTER_TOKEN is missing or differs")
