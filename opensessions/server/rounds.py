"""Once a minute: hooks put back, everything read again whatever the events said, orphans looked for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from opensessions.errors import OpenSessionsError
from opensessions.server.bus import Bus
from opensessions.server.idle import looked_at
from opensessions.server.muxes import Muxes
from opensessions.server.orphans import Orphans

log = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds between two, where the configuration says that none is for orphans."""
SELDOM = 5
"""While nobody looks only each of so many asks the multiplexers: starting a process wakes us a dozen times, and nobody
sees a row that is out of date. What may be ended is asked for anew before it is (`server.looks`)."""


class Rounds:
    """All of them, for as long as the server runs."""

    def __init__(self, bus: Bus, muxes: Muxes, orphans: Orphans, interval: float) -> None:
        self._bus = bus
        self._muxes = muxes
        self._orphans = orphans
        self._interval = interval or INTERVAL
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Until cancelled. Never early: two that must agree on an orphan lie `reap.grace` apart, which is as long by
        default; a little late, so that many servers do not all wake at once."""
        unseen = 0
        while True:
            await asyncio.sleep(self._interval * random.uniform(1.0, 1.1))
            self.before()
            unseen = 0 if looked_at(self._bus.state) else (unseen + 1) % SELDOM
            if not unseen:
                await self._ask()
            await self._orphans.sweep()
            self.after()

    async def _ask(self) -> None:
        for key, mux in tuple(self._muxes.muxes.items()):
            try:
                await mux.provider.sweep()
            except OpenSessionsError as error:
                log.warning("%s: %s", key, error)
