"""Looks at the screens of agents whose other sources leave something open, as rarely as that allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress

from opensessions.agents.fuse import Verdict
from opensessions.errors import MuxError
from opensessions.server.bus import Bus
from opensessions.server.idle import looked_at
from opensessions.server.muxes import Muxes
from opensessions.server.tracked import Tracked
from opensessions.server.tracking import Tracker
from opensessions.state import State

log = logging.getLogger(__name__)

LOOKED_AT, LONGEST, ALONE = 0.5, 2.0, 15.0
"""Seconds between two looks while a client looks: at first, and when nothing has changed for long; and with nobody
looking."""
SLOWER = 1.5


class _Seen:
    """When an agent's screen is to be looked at again."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self.verdict: Verdict | None = None
        self.pause = 0.0
        self.last = float("-inf")

    def due(self, verdict: Verdict, watched: bool) -> float:
        """On the loop's clock. What was judged otherwise meanwhile is looked at soon."""
        if verdict is not self.verdict:
            self.verdict, self.pause = verdict, LOOKED_AT
        return self.last + (self.pause if watched else ALONE)

    def saw(self, lines: tuple[str, ...], now: float) -> None:
        """It showed this."""
        self.pause = LOOKED_AT if lines != self.lines else min(LONGEST, self.pause * SLOWER)
        self.lines, self.last = lines, now


class Screens:
    """One task for all of them; it sleeps while no agent's screen is of interest."""

    def __init__(self, bus: Bus, muxes: Muxes, tracker: Tracker) -> None:
        self._bus = bus
        self._muxes = muxes
        self._tracker = tracker
        self._seen: dict[str, _Seen] = {}
        bus.observe(self._on_change)

    def _on_change(self, new: State, old: State) -> None:
        if looked_at(new) != looked_at(old):
            self._tracker.stirred.set()  # who comes back is not shown what was so a quarter of a minute ago

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._tracker.stirred.clear()
            wanted = {one.id: one for one in self._tracker.living() if of_interest(one)}
            self._let_go(wanted)
            watched = looked_at(self._bus.state)
            dues = {id: self._seen[id].due(one.track.verdict, watched) for id, one in wanted.items()}
            now = [wanted[id] for id, due in dues.items() if due <= loop.time()]
            if now:
                await self._look(now)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(dues.values(), default=None)):
                    await self._tracker.stirred.wait()

    def _let_go(self, wanted: Mapping[str, Tracked]) -> None:
        """What a screen said that nobody looks at any more is not believed for ever."""
        for id in self._seen.keys() - wanted.keys():
            self._tracker.told(id, (), ["screen"])
        self._seen = {id: self._seen.get(id) or _Seen() for id in wanted}

    async def _look(self, wanted: Iterable[Tracked]) -> None:
        by_mux: dict[str, list[Tracked]] = {}
        for tracked in wanted:
            self._seen[tracked.id].last = asyncio.get_running_loop().time()
            if tracked.mux in self._muxes.muxes:
                by_mux.setdefault(tracked.mux, []).append(tracked)
        for mux, group in by_mux.items():
            try:
                shown = await self._muxes.get(mux).provider.screens([one.found.pane for one in group])
            except MuxError as error:
                log.info("%s: screens were not read: %s", mux, error)
                continue
            for tracked in group:
                lines = shown.get(tracked.found.pane)
                if lines is None:  # nobody has said: what it said last stands
                    continue
                self._seen[tracked.id].saw(lines, asyncio.get_running_loop().time())
                signal = tracked.found.kind.screen(lines)
                self._tracker.told(tracked.id, [signal] if signal else [], [] if signal else ["screen"])


def of_interest(tracked: Tracked) -> bool:
    """Can its screen tell something that the other sources leave open?"""
    kind, verdict = tracked.found.kind, tracked.track.verdict
    return (
        bool(kind.screens)
        and tracked.alone
        and tracked.looked
        and len(verdict.open) > 1
        and bool(verdict.open & kind.screen_for)
        and not kind.exact & tracked.track.claims.keys()
    )
