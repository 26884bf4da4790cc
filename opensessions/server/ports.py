"""The ports that sessions listen on. Looked at every few seconds while a client looks, else never."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from opensessions.agents.detect import shown_panes
from opensessions.context.owners import owners
from opensessions.context.ports import Listeners, Ports
from opensessions.events import PortsSeen
from opensessions.model import Inventory, Process
from opensessions.server.bus import Bus
from opensessions.server.idle import looked_at
from opensessions.state import State

RHYTHM = 3.0
"""Seconds between two looks."""
SHARE = 100
"""A look that takes long is followed by a pause of so many times as long."""


class PortWatch:
    """Tells the bus."""

    def __init__(
        self,
        bus: Bus,
        listeners: Listeners,
        processes: Callable[[], Mapping[int, Process]],
        rhythm: float = RHYTHM,
    ) -> None:
        self._bus = bus
        self._listeners = listeners
        self._processes = processes
        """Every process below the panes; another object when one differs."""
        self._rhythm = rhythm
        self._told: tuple[object, ...] = ()
        """What the last answer was made from."""
        self._wanted = asyncio.Event()
        bus.observe(self._on_change)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            if not looked_at(self._bus.state):
                self._wanted.clear()
                await self._wanted.wait()
            began = loop.time()
            processes = self._processes()
            found = await asyncio.to_thread(self._listeners.look, processes)
            self._tell(processes, found)
            await asyncio.sleep(max(self._rhythm, SHARE * (loop.time() - began)))

    def _on_change(self, new: State, old: State) -> None:
        if not self._wanted.is_set() and looked_at(new):
            self._wanted.set()

    def _tell(self, processes: Mapping[int, Process], found: Ports) -> None:
        inventories = {
            key: mux.inventory for key, mux in self._bus.state.muxes.items() if mux.inventory is not None
        }
        if (
            self._told
            and self._told[0] is found
            and self._told[1] is processes
            and self._told[2] == inventories
        ):
            return
        self._told = found, processes, inventories
        panes = {key: shown_panes(inventory) for key, inventory in inventories.items()}
        holders = (
            owners(processes, {pid for each in panes.values() for pid in each.values()}) if found else {}
        )
        by_root: dict[int, set[int]] = {}
        for pid, ports in found.items():
            if pid in holders:
                by_root.setdefault(holders[pid], set()).update(ports)
        for key, inventory in inventories.items():
            self._bus.dispatch(PortsSeen(key, by_session(inventory, panes[key], by_root)))


def by_session(
    inventory: Inventory, panes: Mapping[str, int], ports: Mapping[int, set[int]]
) -> dict[str, tuple[int, ...]]:
    """Session -> the ports of its panes, from the ports of each pane's pid."""
    found = {}
    if ports:
        for session in inventory.sessions:
            windows = (inventory.windows.get(link.window) for link in session.links)
            pids = {panes.get(pane.id, 0) for window in windows if window for pane in window.panes}
            own: set[int] = set()
            for pid in pids & ports.keys():
                own |= ports[pid]
            if own:
                found[session.id] = tuple(sorted(own))
    return found
