"""Which agents run where. Looked at once a second while a client looks; with nobody looking only when a multiplexer
tells something new, when an agent exits, and at a sweep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from opensessions.agents.detect import NOTHING, detect, recognise_all, settle, shown_panes, titles
from opensessions.agents.known import kinds
from opensessions.config import UserAgent
from opensessions.events import AgentsSeen
from opensessions.model import Inventory
from opensessions.processes.exits import Exits
from opensessions.processes.scan import Scanner
from opensessions.processes.source import this_system
from opensessions.reduce import State
from opensessions.server.bus import Bus
from opensessions.server.idle import looked_at

RHYTHM = 1.0
"""Seconds between two looks while a client looks."""
GAP = 0.05
"""Seconds between two looks however much happens."""


class AgentWatch:
    """Turns processes and titles into AgentsSeen events."""

    def __init__(self, bus: Bus, own: Mapping[str, UserAgent]) -> None:
        self._bus = bus
        self._kinds = kinds(own)
        self._scanner = Scanner(this_system())
        self._matches = NOTHING
        self._exits = Exits(self._exited)
        self._woken = asyncio.Event()
        self._full = True
        self._read: dict[str, Inventory] = {}
        """What the last look was made with."""
        bus.observe(self._on_change)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await asyncio.wait_for(self._woken.wait(), RHYTHM if looked_at(self._bus.state) else None)
                except TimeoutError:
                    pass
                self._woken.clear()
                await self._look()
                await asyncio.sleep(GAP)
        finally:
            self._exits.close()

    def sweep(self) -> None:
        """Look at every process soon, whatever is believed to be known."""
        self._full = True
        self._woken.set()

    def _on_change(self, new: State, old: State) -> None:
        if _inventories(new) != self._read:
            self._woken.set()

    def _exited(self, pid: int) -> None:
        self._scanner.recheck([pid])
        self._woken.set()

    async def _look(self) -> None:
        read = _inventories(self._bus.state)
        panes = {key: shown_panes(inventory) for key, inventory in read.items()}
        roots = {pid for each in panes.values() for pid in each.values()}
        near = {
            panes[key][pane.id]
            for key, inventory in read.items()
            for window in inventory.seen_windows()
            for pane in inventory.windows[window].panes
            if pane.id in panes[key]
        }
        full, self._full = self._full, False
        processes = await asyncio.to_thread(self._scanner.scan, roots, near, full)
        if processes is self._matches.processes and read == self._read:
            return
        self._matches, self._read = recognise_all(processes, self._kinds, self._matches), read
        watched: dict[int, int] = {}
        for key, inventory in read.items():
            known = self._bus.state.muxes.get(key)
            if known is None:
                continue
            elsewhere = {pid for other, each in panes.items() if other != key for pid in each.values()}
            found = detect(key, panes[key], titles(inventory), self._matches, self._kinds, elsewhere)
            agents = settle(found, known.agents, round(time.time(), 1))
            watched |= {agent.pid: processes[agent.pid].start for each in agents.values() for agent in each}
            self._bus.dispatch(AgentsSeen(key, agents))
        self._exits.watch(watched)


def _inventories(state: State) -> dict[str, Inventory]:
    return {key: mux.inventory for key, mux in state.muxes.items() if mux.inventory is not None}
