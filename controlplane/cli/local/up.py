"""`kagami up`: the stack in the foreground until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import time

from controlplane.cli.local.children import Say, StartError
from controlplane.cli.local.layout import StateError
from controlplane.cli.local.stack import Options, Stack


async def up(options: Options, say: Say) -> int:
    """Run until a signal; the exit code."""
    stop, force = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (force if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    stack = Stack(options, say)
    code = 0
    try:
        code = await _serve(stack, stop, say)
    finally:
        await stack.stop(force)
    say("stopped")
    return code


async def _serve(stack: Stack, stop: asyncio.Event, say: Say) -> int:
    began = time.monotonic()
    starting = asyncio.create_task(stack.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return 0
    try:
        starting.result()
    except (StartError, StateError) as error:
        stopping.cancel()
        say(str(error))
        return 1
    say(f"Kagami answers on http://{stack.address} ({time.monotonic() - began:.1f} s); logs in {stack.layout.logs}")
    await stopping
    say("stopping")
    return 0
