"""The waiting: one tmux process that waits until a hook has rung, and then reads everything.

    tmux if-shell -F '#{==:#{OPENSESSIONS_RINGS},42}' 'wait-for opensessions' ; list-sessions … ; display-message -p …

It waits only if nothing has rung since the last reading, which told the count. So nothing is missed, whoever else
listens on the channel, and a burst makes one reading.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from msgspec import Struct

from opensessions.errors import MuxError
from opensessions_tmux.hooks import CHANNEL, RING
from opensessions_tmux.options import RINGS
from opensessions_tmux.pace import Pace
from opensessions_tmux.process import ServerProcess, identify
from opensessions_tmux.quote import Words, command
from opensessions_tmux.reading import COMMANDS, EMPTY_COMMANDS, Reading, parse
from opensessions_tmux.transport import TIMEOUT, Reply, Transport

log = logging.getLogger(__name__)

DYING = 1.0
"""Seconds that a tmux server gets to leave the process table after its clients have lost it."""
FIRST_REST, LONGEST_REST = 1.0, 60.0
"""Seconds between two tries to reach a server that does not answer: doubled each time."""
FIRST_HICCUP, LONGEST_HICCUP = 0.05, 1.0
"""Seconds between two readings while waiters fail and direct readings do not."""
BRISK = 0.25
"""Seconds in which a waiter's whole life is taken for its reading: it did not have to wait."""


class Trouble(Struct, frozen=True):
    """tmux does not answer, or not completely."""

    reason: str


class Gone(Struct, frozen=True):
    """The tmux server's process is proven dead, and no other has taken its socket."""


class Tick(Struct, frozen=True):
    """The time `due` has come."""


def wait(rings: str) -> tuple[Words, Words]:
    """Wait for a ring after the one numbered `rings`. Twice: the channel may still hold an older one."""
    waiting = ("if-shell", "-F", f"#{{==:#{{{RINGS}}},{rings}}}", command(("wait-for", CHANNEL)))
    return waiting, waiting


class Doorbell:
    """Waits for one tmux server."""

    def __init__(self, tmux: Transport) -> None:
        self._tmux = tmux
        self._pace = Pace()
        self._stir = asyncio.Event()
        """Something in the fields below, or the waiter, wants to be looked at."""
        self._rung = False
        self._alarm = False
        self._due: float | None = None
        self._process: ServerProcess | None = None
        self._rings = ""

    def ring(self) -> None:
        """Ask for a reading. Many calls make one."""
        self._rung = True
        self._stir.set()

    def alarm(self) -> None:
        """Some other call was not answered: stop waiting and find out."""
        self._alarm = True
        self._stir.set()

    def due(self, at: float | None) -> None:
        """When (the loop's time) a Tick is wanted; it is wanted once."""
        self._due = at
        self._stir.set()

    async def read(self, *, ring: bool = False) -> Reading:
        """Read at once, besides what `events` tells. `ring`: ring first, in the same call.

        MuxError if tmux does not answer, or not completely.
        """
        reply = await self._tmux.run((*RING, *COMMANDS) if ring else COMMANDS)
        if not reply.ok:
            words = reply.err
            reply = await self._tmux.run(EMPTY_COMMANDS)
            if not reply.ok:
                raise MuxError(
                    f"tmux does not tell what it holds: {reply.err or words or 'it gave no reason'}."
                )
        self._pace.read(len(reply.out))
        return self._parse(reply.out)

    def _parse(self, out: bytes) -> Reading:
        reading = parse(out)
        if self._process is None or self._process.pid != reading.inventory.server_pid:
            self._process = identify(reading.inventory.server_pid)
        return reading

    async def events(self) -> AsyncGenerator[Reading | Trouble | Gone | Tick, None]:
        """Readings as they come, the first at once. Ends after Gone. No process is left when it is closed."""
        rest, told, ring, hiccups = FIRST_REST, "", True, 0
        while True:
            outcome = await self._look(ring)
            if isinstance(outcome, Gone):
                yield outcome
                return
            if isinstance(outcome, Trouble):
                if outcome.reason != told:
                    yield outcome
                told = outcome.reason
                await self._rest(rest)
                rest = min(LONGEST_REST, 2 * rest)
                continue
            rest, told, ring = FIRST_REST, "", False
            self._rings = outcome.rings
            yield outcome
            async with aclosing(self._listen()) as heard:
                async for thing in heard:
                    hiccups = 0 if isinstance(thing, Reading) else hiccups
                    yield thing
            if hiccups:
                await asyncio.sleep(min(LONGEST_HICCUP, FIRST_HICCUP * 2**hiccups))
            hiccups += 1

    async def _look(self, ring: bool) -> Reading | Trouble | Gone:
        """A direct reading; where it fails, whether the server is dead. A new server at the same socket is read."""
        self._alarm = False
        try:
            return await self.read(ring=ring)
        except MuxError as error:
            trouble = Trouble(str(error))
        if self._process is None or not await self._process.ended(DYING):
            return trouble
        self._process = None
        try:
            return await self.read(ring=True)
        except MuxError:
            return Gone()

    async def _rest(self, seconds: float) -> None:
        """Until it is time to try again, somebody asks, or the server dies."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        dying = loop.create_task(self._process.ended(seconds)) if self._process else None
        if dying:
            dying.add_done_callback(lambda _: self._stir.set())
        try:
            while loop.time() < until and not self._rung and not (dying and dying.done()):
                await self._stirred(until)
        finally:
            if dying:
                await _end(dying)
        self._rung = False

    async def _listen(self) -> AsyncGenerator[Reading | Tick, None]:
        """Readings as they ring, until a waiter ends without one or an alarm is raised."""
        loop = asyncio.get_running_loop()
        while True:
            async for tick in self._ticks(None, loop.time() + self._pace.pause()):
                yield tick
            if self._alarm:
                return
            first = () if self._rung else wait(self._rings)
            self._rung = False
            started, worked = loop.time(), self._worked()
            waiter = loop.create_task(self._tmux.run((*first, *COMMANDS), None if first else TIMEOUT))
            waiter.add_done_callback(lambda _: self._stir.set())
            try:
                async for tick in self._ticks(waiter, None):
                    yield tick
                if not waiter.done():
                    return
                out = waiter.result().out
                self._pace.read(len(out))
                if loop.time() - started < BRISK:
                    self._pace.measured(self._worked() - worked, len(out))
                reading = self._parse(out)
                self._rings = reading.rings
            except MuxError as error:
                log.debug("a waiter ended without a reading: %s", error)
                return
            finally:
                await _end(waiter)
            yield reading

    async def _ticks(
        self, waiter: asyncio.Task[Reply] | None, until: float | None
    ) -> AsyncGenerator[Tick, None]:
        """Ticks when they are due, until the waiter has ended, the time has come, or an alarm is raised."""
        loop = asyncio.get_running_loop()
        while not self._alarm:
            if waiter and waiter.done():
                return
            if waiter and self._rung:
                self._rung = False
                await self._ring()
            elif self._due is not None and loop.time() >= self._due:
                self._due = None
                yield Tick()
            elif until is not None and loop.time() >= until:
                return
            else:
                await self._stirred(
                    min((time for time in (self._due, until) if time is not None), default=None)
                )

    def _worked(self) -> float:
        """Seconds of processor time that tmux has used; where the system does not tell, the clock."""
        worked = self._process.worked() if self._process else None
        return asyncio.get_running_loop().time() if worked is None else worked

    async def _ring(self) -> None:
        try:
            await self._tmux.run(RING)
        except MuxError as error:
            log.debug("%s", error)
            self._alarm = True

    async def _stirred(self, until: float | None) -> None:
        """Until something stirs, or the time has come. What stirred before the call counts only once."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._stir.wait()
        self._stir.clear()


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel the task and wait for its end, whatever that is."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
