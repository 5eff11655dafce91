"""The `Admin` service. One transaction per change: everything or nothing.

Writers of the configuration wait for each other, so a manifest is checked against exactly what it will be
merged into. What is wrong is told completely (INVALID_ARGUMENT, one line per field). Queries about budgets
and audit records belong to the ledger; they come in as `Queries`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

import grpc
import structlog
from kagamipb.admin.v1 import admin_pb2 as pb
from kagamipb.admin.v1.admin_pb2_grpc import AdminServicer, add_AdminServicer_to_server
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.admin.auth import permitted
from controlplane.admin.convert import Issued, Making, Problem, convert
from controlplane.domain.catalogue import Catalogue, Change, changes, dangling, merge, of_snapshot
from controlplane.domain.snapshot import Snapshot
from controlplane.store import configuration, snapshots
from controlplane.store.holder import SnapshotHolder
from controlplane.store.snapshots import Loaded

_MAX_PROBLEMS: Final = 50
_KINDS: Final = {
    "policies": "policy",
    "tenants": "tenant",
    "keys": "key",
    "providers": "provider",
    "prices": "price",
    "routes": "route",
    "quotas": "quota",
}

log = structlog.get_logger()


class Queries(Protocol):
    """What the ledger answers."""

    async def budgets(self, request: pb.BudgetRequest) -> pb.BudgetReply:
        """Every quota with what is used of it."""

    async def usage(self, by: pb.UsageBy, tenant: str, first: date | None, last: date | None) -> pb.UsageReply:
        """What finished requests used, added up."""

    async def alerts(self, request: pb.AlertQuery) -> pb.AlertReply:
        """Quotas that reached a part of their cap, newest first."""

    async def audit(self, request: pb.AuditQuery) -> pb.AuditReply:
        """Requests, newest first."""

    def export(self, request: pb.ExportRequest) -> AsyncIterator[pb.ExportedFrame]:
        """Chains as stored."""


@dataclass(frozen=True, slots=True)
class Administration:
    """What the service is made of."""

    node: str
    engine: AsyncEngine
    snapshots: SnapshotHolder
    queries: Queries
    envoys: Callable[[], Mapping[str, str]]
    """Node id of each connected Envoy → revision it acknowledged."""
    loaded: Callable[[], Loaded | None]
    """What this replica read last: of that only what changed since is read again before a change."""
    random: Callable[[int], bytes]
    pepper: bytes = field(repr=False)
    token: str | None = field(default=None, repr=False)


class InvalidManifestError(Exception):
    """A manifest that cannot be applied; says why, field by field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = [str(problem) for problem in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            lines.append(f"… and {len(problems) - _MAX_PROBLEMS} more")
        super().__init__("\n".join(lines))


class Admin(AdminServicer):
    """Serves `kagamipb.admin.v1.Admin`."""

    def __init__(self, administration: Administration) -> None:
        self._of = administration

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serves administration on `server`."""
        add_AdminServicer_to_server(self, server)  # type: ignore[no-untyped-call]

    async def Apply(self, request: pb.ApplyRequest, context: Any) -> pb.ApplyReply:  # noqa: N802
        """Merges a manifest into the configuration."""
        async with self._guarded(context):
            return await self._apply(request)
        raise AssertionError("abort raises")

    async def Status(self, request: pb.StatusRequest, context: Any) -> pb.StatusReply:  # noqa: ARG002, N802
        """What this replica serves, and what its Envoys have taken up."""
        await self._authorize(context)
        current = self._of.snapshots.current
        revision = current.revision if current else ""
        return pb.StatusReply(node=self._of.node, revision=revision, envoy_revisions=dict(self._of.envoys()))

    async def Budgets(self, request: pb.BudgetRequest, context: Any) -> pb.BudgetReply:  # noqa: N802
        """Every quota with what is used of it."""
        async with self._guarded(context):
            return await self._of.queries.budgets(request)
        raise AssertionError("abort raises")

    async def UsageHistory(self, request: pb.UsageQuery, context: Any) -> pb.UsageReply:  # noqa: N802
        """What finished requests used, by day, key or model."""
        async with self._guarded(context):
            try:
                first, last = _day(request.from_day), _day(request.to_day)
            except ValueError:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "from_day, to_day: must be days as 2026-11-21")
            return await self._of.queries.usage(request.by, request.tenant, first, last)
        raise AssertionError("abort raises")

    async def Alerts(self, request: pb.AlertQuery, context: Any) -> pb.AlertReply:  # noqa: N802
        """Quotas that reached a part of their cap, newest first."""
        async with self._guarded(context):
            return await self._of.queries.alerts(request)
        raise AssertionError("abort raises")

    async def Audit(self, request: pb.AuditQuery, context: Any) -> pb.AuditReply:  # noqa: N802
        """Requests, newest first."""
        async with self._guarded(context):
            return await self._of.queries.audit(request)
        raise AssertionError("abort raises")

    async def ExportChains(  # noqa: N802
        self, request: pb.ExportRequest, context: Any
    ) -> AsyncIterator[pb.ExportedFrame]:
        """Chains as stored."""
        async with self._guarded(context):
            async for frame in self._of.queries.export(request):
                yield frame

    @asynccontextmanager
    async def _guarded(self, context: Any) -> AsyncIterator[None]:
        """Lets in who may call, and turns failures into status codes: no statement of ours leaves, none is
        logged.
        """
        await self._authorize(context)
        try:
            yield
        except InvalidManifestError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (OperationalError, InterfaceError, SQLAlchemyTimeoutError, OSError) as error:
            log.warning("admin.database_unreachable", error=type(error).__name__)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the database cannot be reached: nothing was changed")
        except SQLAlchemyError as error:
            log.error("admin.database_refused", error=type(error).__name__)  # noqa: TRY400
            await context.abort(grpc.StatusCode.INTERNAL, "the database refused: nothing was changed")

    async def _authorize(self, context: Any) -> None:
        if not permitted(context.peer(), context.invocation_metadata() or (), self._of.token):
            message = "administration takes the unix socket, or 'authorization: Bearer <KAGAMI_ADMIN_TOKEN>'"
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

    async def _apply(self, request: pb.ApplyRequest) -> pb.ApplyReply:
        async with self._of.engine.begin() as connection:
            await configuration.lock(connection)
            loaded = await snapshots.read(connection, self._of.loaded())
            # In a thread: a hundred thousand keys take long enough to be felt by others.
            plan = await asyncio.to_thread(self._plan, request, loaded.snapshot)
            if request.dry_run or not plan.changes:
                return _reply(plan.changes, loaded.snapshot.revision)
            await configuration.write(connection, plan.after, plan.changes)
            revision = await snapshots.revision(connection)
        log.info("admin.applied", revision=revision, changes=len(plan.changes))
        return _reply(plan.changes, revision, plan.issued)

    def _plan(self, request: pb.ApplyRequest, current: Snapshot) -> _Plan:
        before = of_snapshot(current)
        declared = convert(request.manifest, Making(before, self._of.pepper, self._of.random))
        if declared.problems:
            raise InvalidManifestError(declared.problems)
        after = merge(before, declared.catalogue, prune=request.prune)
        problems = [Problem(*problem) for problem in dangling(after)]
        if problems:
            raise InvalidManifestError(problems)
        return _Plan(after, tuple(changes(before, after)), declared.issued)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What applying a manifest comes to."""

    after: Catalogue
    changes: Sequence[Change]
    issued: Sequence[Issued]


def _reply(changed: Sequence[Change], revision: str, issued: Sequence[Issued] = ()) -> pb.ApplyReply:
    listed = [pb.Change(verb=one.verb, kind=_KINDS[one.kind], name=_named(one.name)) for one in changed]
    secrets = [pb.IssuedKey(tenant=key.tenant, name=key.name, key_id=key.key_id, secret=key.secret) for key in issued]
    return pb.ApplyReply(changes=listed, issued=secrets, revision=revision)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _named(name: Any) -> str:
    return "/".join(str(part) for part in name if part != 0) if isinstance(name, tuple) else name
