"""The admin connection of every sub-command: where to find a control plane, and errors said plainly.

Order: `--address`, then KAGAMI_CONTROLPLANE, then what a `kagami up` on the state directory announced. A
token (KAGAMI_ADMIN_TOKEN or KAGAMI_ADMIN_TOKEN_FILE) is sent when there is one; over a unix socket none is
needed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
import grpc
from kagamipb.admin.v1.admin_pb2_grpc import AdminStub

from controlplane.cli.local.layout import running

_MAX_MESSAGE = 64 << 20
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Admin(NamedTuple):
    """A stub and the metadata its calls need."""

    stub: AdminStub
    metadata: tuple[tuple[str, str], ...]
    address: str


def options(function: _Function) -> _Function:
    """Adds --address and --state to a sub-command."""
    state = click.option(
        "--state", type=click.Path(path_type=Path), default=Path(".kagami"), envvar="KAGAMI_STATE", show_default=True,
        help="State directory of a local gateway.",
    )  # fmt: skip
    address = click.option(
        "--address", "-a", envvar="KAGAMI_CONTROLPLANE", help="Control plane: unix:/path or host:port."
    )
    return state(address(function))


@contextlib.contextmanager
def connect(address: str | None, state: Path) -> Iterator[Admin]:
    """A connection for the block; gRPC errors inside it become messages with exit code 1."""
    target = address or next(iter(running(state).get("controlplanes", [])), None)
    if target is None:
        message = f"no gateway runs on {state}: start one with `kagami up`, or name a control plane with --address"
        raise click.ClickException(message)
    limits = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)]
    with grpc.insecure_channel(target, options=limits) as channel:
        try:
            yield Admin(
                AdminStub(channel),  # type: ignore[no-untyped-call]  # generated
                _metadata(),
                target,
            )
        except grpc.RpcError as error:
            raise click.ClickException(_plain(error, target)) from None


def _metadata() -> tuple[tuple[str, str], ...]:
    token = os.environ.get("KAGAMI_ADMIN_TOKEN", "")
    path = os.environ.get("KAGAMI_ADMIN_TOKEN_FILE")
    if not token and path:
        try:
            token = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise click.ClickException(f"cannot read KAGAMI_ADMIN_TOKEN_FILE {path}: {error.strerror}") from None
    return (("authorization", f"Bearer {token}"),) if token else ()


def _plain(error: grpc.RpcError, target: str) -> str:
    assert isinstance(error, grpc.Call)
    code, details = error.code(), error.details() or ""
    if code == grpc.StatusCode.UNAVAILABLE:
        return f"no control plane answers at {target}: {details}"
    if code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}:
        return f"{target} refuses: {details}; set KAGAMI_ADMIN_TOKEN or KAGAMI_ADMIN_TOKEN_FILE"
    if code == grpc.StatusCode.UNIMPLEMENTED:
        return f"the control plane at {target} does not know this request; is it an older version?"
    return details or str(code)
