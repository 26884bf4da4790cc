"""Programs that are started and forgotten: few at a time, each for a short while, every one of them reaped."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)

AT_ONCE = 4
WAITING = 20
"""Programs that run, and that wait for their turn; one more is not started."""
TIME = 10.0
"""Seconds that a program may take; then it and what it started in its process group are ended."""
FAREWELL = 1.0
"""Seconds between asking it to end and ending it."""


class Children:
    """All of them."""

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None]], Any], time: float = TIME) -> None:
        self._spawn = spawn
        self._time = time
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._count = 0

    def start(self, argv: Sequence[str], extra: Mapping[str, str]) -> None:
        """Start a program soon, with no shell, no terminal and no output; `extra` is added to our environment."""
        if self._count >= AT_ONCE + WAITING:
            log.warning("%s was not started: %d others have not ended yet", argv[0], self._count)
            return
        self._count += 1
        self._spawn(self._run(argv, {**os.environ, **extra}))

    async def _run(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            async with self._turn:
                await self._live(argv, environment)
        finally:
            self._count -= 1

    async def _live(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        nothing = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=nothing, stdout=nothing, stderr=nothing, env=environment, start_new_session=True
            )
        except (OSError, ValueError) as error:
            log.warning("%s cannot be started: %s", argv[0], error)
            return
        try:
            async with asyncio.timeout(self._time):
                code = await process.wait()
            if code:
                log.warning("%s ended with status %d", argv[0], code)
        except TimeoutError:
            log.warning("%s had not ended after %g s and was ended", argv[0], self._time)
        finally:
            if process.returncode is None:
                await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process that was not reaped yet, so its pid is its own, and its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await process.wait()
                return
