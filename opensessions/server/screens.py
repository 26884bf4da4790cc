"""Looks at the screens of agents whose other sources leave something open, as rarely as that allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress

from opensessions.errors import MuxError
from opensessions.reduce import State
from opensessions.server.bus import Bus
from opensessions.server.idle import looked_at
from opensessions.server.muxes import Muxes
from opensessions.server.tracking import Tracked, Tracker

log = logging.getLogger(__name__)

LOOKED_AT, ALONE = 0.5, 15.0
"""Seconds between two looks, while a client looks and with nobody looking."""


class Screens:
    """One task for all of them; it sleeps while no agent's screen is of interest."""

    def __init__(self, bus: Bus, muxes: Muxes, tracker: Tracker) -> None:
        self._bus = bus
        self._muxes = muxes
        self._tracker = tracker
        bus.observe(self._on_change)

    def _on_change(self, new: State, old: State) -> None:
        if looked_at(new) != looked_at(old):
            self._tracker.stirred.set()  # who comes back is not shown what was so a quarter of a minute ago

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        last = float("-inf")
        while True:
            self._tracker.stirred.clear()
            wanted = [one for one in self._tracker.living() if of_interest(one)]
            due = last + (LOOKED_AT if looked_at(self._bus.state) else ALONE)
            if wanted and due <= loop.time():
                last = loop.time()
                await self._look(wanted)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due if wanted else None):
                    await self._tracker.stirred.wait()

    async def _look(self, wanted: Iterable[Tracked]) -> None:
        by_mux: dict[str, list[Tracked]] = {}
        for tracked in wanted:
            if tracked.mux in self._muxes.muxes:
                by_mux.setdefault(tracked.mux, []).append(tracked)
        for mux, group in by_mux.items():
            try:
                shown = await self._muxes.get(mux).provider.screens([one.found.pane for one in group])
            except MuxError as error:
                log.info("%s: screens were not read: %s", mux, error)
                continue
            for tracked in group:
                signal = tracked.found.kind.screen(shown.get(tracked.found.pane, ()))
                self._tracker.told(tracked.id, [signal] if signal else [], [] if signal else ["screen"])


def of_interest(tracked: Tracked) -> bool:
    """Can its screen tell something that is not known?"""
    kind = tracked.found.kind
    return (
        bool(kind.screens)
        and tracked.alone
        and tracked.looked
        and tracked.track.verdict.state in kind.screen_for
    )
