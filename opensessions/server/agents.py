"""Which agents run where. Looked at once a second while a client or a watcher looks; with nobody looking only when a
multiplexer tells something new, when an agent exits, when somebody asks, and at a sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from msgspec import Struct

from opensessions.agents.detect import NOTHING, Match, detect, recognise, recognise_all, shown_panes
from opensessions.agents.known import Kinds
from opensessions.model import Inventory, Process
from opensessions.processes.exits import Exits
from opensessions.processes.scan import Scanner, Table
from opensessions.processes.source import ProcessSource
from opensessions.server.bus import Bus
from opensessions.server.idle import looked_at
from opensessions.server.tracking import Tracker
from opensessions.state import State

RHYTHM = 1.0
"""Seconds between two looks while a client looks."""
GAP = 0.05
"""Seconds between two looks however much happens."""
PATIENCE = 0.5
"""Seconds that a question waits for a look."""


class Shown(Struct, frozen=True):
    """What follows from readings: at 300 panes it takes longer than to see that no process was created."""

    read: Mapping[str, Inventory] = {}
    panes: Mapping[str, Mapping[str, int]] = {}
    """By multiplexer, pane id to pid."""
    roots: frozenset[int] = frozenset()
    """Those pids."""
    near: frozenset[int] = frozenset()
    """Of panes that somebody sees."""


class AgentWatch:
    """Finds the agents among the processes, for the tracker."""

    def __init__(self, bus: Bus, kinds: Kinds, source: ProcessSource, tracker: Tracker) -> None:
        self._bus = bus
        self._kinds = kinds
        self._tracker = tracker
        self._source = source
        self._scanner = Scanner(source)
        self._matches = NOTHING
        self._exits = Exits(self._exited)
        self._woken = asyncio.Event()
        self._asked: list[asyncio.Future[None]] = []
        """Of those who wait for the next look."""
        self._full = True
        self._table: Table | None = None
        self._read: dict[str, Inventory] = {}
        """What the last look was made with."""
        self._shown = Shown()
        self.on_processes: Callable[[], None] = _nothing
        """Called when `processes` has changed."""
        self.on_found: Callable[[], None] = _nothing
        """Called when the tracker was told which agents there are."""
        self.on_missing: Callable[[str], None] = lambda key: None
        """Called with the key of a multiplexer in which a pane's own process is gone: `respawn-pane` rings no hook
        (tmux 3.3a, 3.5a), so the reading is out of date."""
        self.watched: Callable[[], bool] = lambda: False
        """Does somebody watch who is no client of a multiplexer?"""
        self._missing: frozenset[int] = frozenset()
        bus.observe(self._on_change)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RHYTHM if self._seen() else None):
                        await self._woken.wait()
                self._woken.clear()
                asked, self._asked = self._asked, []
                await self._look()
                for one in asked:
                    if not one.done():
                        one.set_result(None)
                await asyncio.sleep(GAP)
        finally:
            self._exits.close()

    def _seen(self) -> bool:
        return looked_at(self._bus.state) or self.watched()

    async def ask(self) -> None:
        """Somebody wants to know: where nobody looks, an agent may have come that nothing has told of. Back after a
        look, or PATIENCE."""
        if looked_at(self._bus.state):
            return
        look = asyncio.get_running_loop().create_future()
        self._asked.append(look)
        self._woken.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await look

    @property
    def processes(self) -> Mapping[int, Process]:
        """Every process below the panes, when they were last looked at; another object when one differs."""
        return self._matches.processes

    def wake(self) -> None:
        """Look soon: somebody begins to watch."""
        self._woken.set()

    def sweep(self, table: Table | None = None) -> None:
        """Look at every process soon, whatever is believed to be known. `table`: they were just looked at."""
        self._full, self._table = True, table
        self._woken.set()

    def is_helper(self, pid: int) -> bool:
        """Is this process a server of some agent's, which works for every pane?"""
        found = self._match(pid)
        return found is not None and found.helper

    def is_agent(self, pid: int) -> bool:
        """Is it an agent, in a pane or not?"""
        found = self._match(pid)
        return found is not None and not found.helper

    def _match(self, pid: int) -> Match | None:
        if pid in self._matches.processes:
            return self._matches.found.get(pid)
        words, path = self._source.program(pid)
        return recognise(Process(pid, 0, 0, "", path.rpartition("/")[2], words), self._kinds)

    def _on_change(self, new: State, old: State) -> None:
        if _inventories(new) != self._read:
            self._woken.set()

    def _exited(self, pid: int) -> None:
        self._scanner.recheck([pid])
        self._woken.set()

    async def _look(self) -> None:
        read = _inventories(self._bus.state)
        generations = {key: self._bus.state.muxes[key].generation for key in read}
        if read != self._shown.read:
            self._shown = _shown(read)
        panes, roots, near = self._shown.panes, self._shown.roots, self._shown.near
        full, table, self._full, self._table = self._full, self._table, False, None
        slow = full or not self._scanner.is_light(roots)
        if slow and (self._seen() or not self._matches.processes):
            processes = await asyncio.to_thread(self._scanner.scan, roots, near, full, table)
        else:
            # A millisecond of the loop costs less than waking a thread and being woken by it; with nobody looking more
            # of them do, for nobody waits for us.
            processes = self._scanner.scan(roots, near, full, table)
        if processes is self._matches.processes and read == self._read:
            return
        changed = processes is not self._matches.processes
        self._matches, self._read = recognise_all(processes, self._kinds, self._matches), read
        if changed:
            self.on_processes()
            self._miss(panes, processes)
        watched: dict[int, int] = {}
        for key in read:
            elsewhere = {pid for other, each in panes.items() if other != key for pid in each.values()}
            found = detect(key, panes[key], self._matches, elsewhere)
            watched |= {agent.pid: agent.start for each in found.values() for agent in each}
            now = self._bus.state.muxes.get(key)
            if now is not None and now.generation == generations[key]:
                self._tracker.update(key, found)
        self._exits.watch(watched)
        self.on_found()

    def _miss(self, panes: Mapping[str, Mapping[str, int]], processes: Mapping[int, Process]) -> None:
        """Say once of each pane's process that it is gone."""
        before = self._missing
        self._missing = frozenset(pid for each in panes.values() for pid in each.values()) - processes.keys()
        for key, each in panes.items():
            if not (self._missing - before).isdisjoint(each.values()):
                self.on_missing(key)


def _shown(read: Mapping[str, Inventory]) -> Shown:
    panes = {key: shown_panes(inventory) for key, inventory in read.items()}
    near = {
        panes[key][pane.id]
        for key, inventory in read.items()
        for window in inventory.seen_windows()
        for pane in inventory.windows[window].panes
        if pane.id in panes[key]
    }
    roots = frozenset(pid for each in panes.values() for pid in each.values())
    return Shown(read, panes, roots, frozenset(near))


def _inventories(state: State) -> dict[str, Inventory]:
    return {key: mux.inventory for key, mux in state.muxes.items() if mux.inventory is not None}


def _nothing() -> None:
    """Nobody wants to know."""
