"""The one supervisor: a part that fails is logged and started again alone, with growing pauses; a request that
fails is logged and forgotten. Nothing else in the program catches every exception."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
_going: set[asyncio.Task[Any]] = set()
"""The loop itself holds on to no task."""


async def supervise(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run `part` until it returns. After a failure start it again: at once nothing, then 1, 2, 4 … 60 seconds."""
    pause = 1.0
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            return await part()
        except Exception:
            log.exception("%s failed; it is started again in %g s", name, pause)
        if loop.time() - started > LONGEST_PAUSE:
            pause = 1.0
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)


def guarded(what: str, work: Callable[..., Value], *arguments: object) -> Value | None:
    """Do one piece of work on what others wrote. A failure is a fault of ours: it is logged, and its answer is None."""
    try:
        return work(*arguments)
    except Exception:
        log.exception("%s failed", what)
        return None


async def through(work: Coroutine[Any, Any, Value]) -> Value:
    """Await it. Once begun it goes on when whoever waits for it goes away; only the end of the loop cancels it."""
    task = asyncio.ensure_future(work)
    _going.add(task)
    task.add_done_callback(_going.discard)
    return await asyncio.shield(task)


async def contain(work: Awaitable[None]) -> None:
    """Run one piece of work whose failure must not touch anything else."""
    try:
        await work
    except Exception:
        log.exception("a request failed")
