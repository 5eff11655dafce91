"""A database and what the ledger needs of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.store.postgres import create_engine
from controlplane.store.quota import QuotaStore


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def quotas(engine: AsyncEngine) -> QuotaStore:
    return QuotaStore(engine)
