"""Puts together what keeps receipts and what reaps, for one server: see `server.keeper` and `server.reaper`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from opensessions import config
from opensessions.errors import OpenSessionsError
from opensessions.processes.audit import Audit
from opensessions.processes.instances import Instance, tidy
from opensessions.processes.receipts import Receipts
from opensessions.processes.scan import Table
from opensessions.processes.source import ProcessSource
from opensessions.provider import Context
from opensessions.server.awake import Clock
from opensessions.server.bus import Bus
from opensessions.server.keeper import Keeper
from opensessions.server.looks import Looks
from opensessions.server.muxes import Muxes
from opensessions.server.reaper import Reaper
from opensessions.server.sweep import Sweep
from opensessions.server.tracking import Tracker

log = logging.getLogger(__name__)

DYING = 1.0
"""Seconds that agents get to end with their terminal."""
LAST_SWEEPS = 2
"""That a server still makes when its last multiplexer is dead."""


def claim(state: str, id: str) -> Instance | None:
    """Show other servers that we live. None, and a line in the log, where that is impossible: what we keep receipts of
    is then nobody's to end."""
    try:
        return Instance.claim(state, id)
    except OpenSessionsError as error:
        log.error("orphans of this server will be left alone: %s", error)
        return None


class Orphans:
    """The two of them."""

    def __init__(
        self, bus: Bus, muxes: Muxes, tracker: Tracker, source: ProcessSource, context: Context, state: str,
        instance: str, settings: config.Reap, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        look: Callable[[Table | None], None],
    ) -> None:  # fmt: skip
        """`look` looks for agents among all processes, or among those of a walk that was just made."""
        audit = Audit(f"{state}/reap.log")
        looks = Looks(context, lambda: {key: mux.provider for key, mux in muxes.muxes.items()})
        self._muxes = muxes
        self._state = state
        self._settings = settings
        self._lingering = False
        self._tidied = False
        self._look = look
        self._looked = False
        sweep = Sweep(state, instance, looks, source, audit)
        sweep.on_table = self._on_table
        self.keeper = Keeper(bus, tracker, Receipts(state), source, instance, spawn)
        self.reaper = Reaper(bus, sweep, Receipts(state), audit, state, settings, Clock(settings.grace))

    async def sweep(self) -> None:
        """Once per interval. One walk through the process table serves who looks for agents as well."""
        self.keeper.sweep()
        if not self._tidied:
            self._tidied = True
            await asyncio.to_thread(self._tidy)
        self._looked = False
        if self._settings.interval and not self._lingering:
            await self.reaper.sweep()
        if not self._looked:
            self._look(None)

    def _on_table(self, table: Table) -> None:
        self._looked = True
        self._look(table)

    def _tidy(self) -> None:
        """Remove what dead servers have left, once."""
        try:
            tidy(self._state, {receipt.instance for receipt in Receipts(self._state).read()})
        except (OSError, OpenSessionsError) as error:
            log.info("locks of dead servers were not removed: %s", error)

    async def last_gone(self, stop: Callable[[], None]) -> None:
        """The last multiplexer is proven dead: call `stop`, after two sweeps at most while a managed agent that it has
        left behind still runs. Not at all if another multiplexer registers meanwhile."""
        if self._lingering:
            return
        self._lingering = True
        try:
            if self._settings.interval:
                await self._last_sweeps()
        finally:
            self._lingering = False
        if not self._muxes.muxes:
            stop()

    async def _last_sweeps(self) -> None:
        pause = max(0.0, self.reaper.clock.wait())
        for _ in range(LAST_SWEEPS):
            if await self.reaper.quiet(max(pause, DYING)) or self._muxes.muxes:
                return
            await self.reaper.sweep()
            pause = self._settings.grace
