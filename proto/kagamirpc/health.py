"""The health check Envoy and `kagami` make: grpc.health.v1.Health/Check, one answer for the whole process,
open to callers without authorization: it tells nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from grpc_health.v1.health_pb2 import HealthCheckResponse

from kagamirpc.server import Methods, Unary, always

_PATH = b"/grpc.health.v1.Health/Check"
_ANSWERS: dict[bool, bytes] = {
    True: HealthCheckResponse(status=HealthCheckResponse.SERVING).SerializeToString(),
    False: HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING).SerializeToString(),
}


class Health:
    """NOT_SERVING until `serving` is set; the service named in the request makes no difference."""

    def __init__(self, able: Callable[[], bool] = always) -> None:
        """`able`: asked at each check of a process that serves; while it says no, others are to be preferred."""
        self.serving = False
        self._able = able

    async def _check(self, _request: bytes, _headers: list[tuple[bytes, bytes]]) -> bytes:
        return _ANSWERS[self.serving and self._able()]

    @property
    def methods(self) -> Methods:
        """To be served beside a process's own methods."""
        return {_PATH: Unary(self._check, public=True)}
