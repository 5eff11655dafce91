from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from controlplane.simulator.server import Server, serve
from controlplane.simulator.service import Service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def server(service: Service) -> AsyncIterator[Server]:
    running = await serve(service, "127.0.0.1", 0)
    yield running
    await running.close()
