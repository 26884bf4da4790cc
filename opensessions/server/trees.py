"""The panes' processes for whoever asks: `ps`, its stream, and what agents take for those who show it.

Nothing is read while nobody asks. The process table is read in a thread, once at a time, for all who ask meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.json import encode
from msgspec.structs import replace

from opensessions.processes.census import Census
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import ProcessSource
from opensessions.processes.trackers import ProcessAdded, Tree, difference
from opensessions.processes.usage import GAP, Sampler, Use, total
from opensessions.server.bus import Bus
from opensessions.server.tracking import Tracker
from opensessions.server.tree_choice import Shown, Wanted, chosen, refuse
from opensessions.server.tree_look import Doubt, View, read_trees
from opensessions.server.tree_rows import answer, change_row
from opensessions.server.verbs import Arguments
from opensessions.state import State

RHYTHM = 2.0
"""Seconds between two looks while somebody watches."""
SLOWEST, SLOWER = 10.0, 1.5
"""What agents take is measured at that rhythm too; while it stays the same each pause is longer, up to so many seconds.
"""
REREAD = 0.5
"""Seconds that `ps` waits for a new reading of a multiplexer."""


class Trees:
    """The registry of trackers."""

    def __init__(self, bus: Bus, source: ProcessSource, tracker: Tracker, state: str) -> None:
        self._bus = bus
        self._source = source
        self._tracker = tracker
        self._receipts = Receipts(state)
        self.orphans: Callable[[], Sequence[Mapping[str, Any]]] = list
        """What the reaper found at its last sweep, as it is told in `ps`."""
        self.reread: Callable[[str], None] = lambda key: None
        """Asks for a new reading of a multiplexer."""
        self._doubted: frozenset[Doubt] = frozenset()
        """For which that was done already."""
        self._trees: Mapping[str, Mapping[str, Tree]] = {}
        """Of the last look: where it fails next, they stay."""
        self._looking: asyncio.Future[View] | None = None
        self._sampler = Sampler()
        self._sampling = asyncio.Lock()
        self._wanted: frozenset[str] = frozenset()
        self._wanting = asyncio.Event()
        self._uses: dict[str, Use] = {}
        self._usage = Sampler()
        self.on_usage: Callable[[], None] = lambda: None
        """Called when `usage_of` tells something new."""

    # --- looking --------------------------------------------------------------------------------------------

    async def look(self) -> View:
        """All trees as they are now. Who asks while a look is under way shares it."""
        if self._looking is None:
            loop = asyncio.get_running_loop()
            self._looking = loop.run_in_executor(
                None, read_trees, self._source, self._receipts, self._bus.state, self._trees
            )
            self._looking.add_done_callback(self._looked)
        return await asyncio.shield(self._looking)

    async def _settled(self) -> View:
        """A look with readings that are not older than the panes' processes: tmux rings no hook when a pane gets
        another one, as by `respawn-pane`."""
        view = await self.look()
        keys = {key for key, _, _ in view.doubts - self._doubted}
        self._doubted = view.doubts
        if not keys:
            return view
        changed = asyncio.Event()

        def note(new: State, old: State) -> None:
            if any(new.muxes.get(key) is not old.muxes.get(key) for key in keys):
                changed.set()

        end = self._bus.observe(note)
        try:
            for key in keys & self._bus.state.muxes.keys():
                self.reread(key)
            with suppress(TimeoutError):
                async with asyncio.timeout(REREAD):
                    await changed.wait()
        finally:
            end()
        return await self.look()

    def _looked(self, looking: asyncio.Future[View]) -> None:
        self._looking = None
        if not looking.cancelled() and looking.exception() is None:
            self._trees = looking.result().trees

    # --- `ps` -----------------------------------------------------------------------------------------------

    async def ps(self, arguments: Arguments) -> bytes:
        """`target`, `mux`, `all=1`. Refused where the target means nothing."""
        wanted = _wanted(arguments)
        view = await self._settled()
        return await self._answer(view, self._chosen(view, wanted))

    def _chosen(self, view: View, wanted: Wanted) -> tuple[Shown, ...]:
        shown = chosen(view.state, view.trees, wanted, view.managed)
        if wanted.target and not shown:
            raise refuse(wanted)
        return shown

    async def _answer(self, view: View, shown: Sequence[Shown], event: str | UnsetType = UNSET) -> bytes:
        """Waits for GAP if it was not asked for a while: what a process takes is the difference of two readings."""
        pids = [member.process.pid for each in shown for member in each.tree.members]
        orphans = self.orphans()
        if pids and not self._sampler.ready(pids):
            async with self._sampling:
                await asyncio.to_thread(self._sampler.sample, pids, False)
            await asyncio.sleep(GAP)
        async with self._sampling:
            return await asyncio.to_thread(self._describe, view.state, shown, pids, orphans, event)

    def _describe(
        self, state: State, shown: Sequence[Shown], pids: Collection[int], orphans: Sequence[Mapping[str, Any]],
        event: str | UnsetType,
    ) -> bytes:  # fmt: skip
        whole = answer(state, shown, self._sampler.sample(pids), self._argv(pids), orphans)
        return encode(replace(whole, event=event))

    def _argv(self, pids: Collection[int]) -> dict[int, Sequence[str]]:
        return {pid: self._source.program(pid)[0] for pid in pids}

    # --- `ps-watch` -----------------------------------------------------------------------------------------

    async def watch(self, arguments: Arguments) -> AsyncGenerator[bytes, None]:
        """What `ps` answers, then a line for each thing that changes. All watchers look at the same beat,
        and share the look."""
        wanted = _wanted(arguments)
        view = await self._settled()
        shown = self._chosen(view, wanted)
        yield await self._answer(view, shown, "trees")
        while True:
            await asyncio.sleep(_until_the_beat(asyncio.get_running_loop().time()))
            view, before = await self._settled(), shown
            shown = chosen(view.state, view.trees, wanted, view.managed)
            for line in await self._lines(before, shown, view.census):
                yield line

    async def _lines(self, before: Sequence[Shown], now: Sequence[Shown], table: Census) -> list[bytes]:
        changes = difference([each.part() for each in before], [each.part() for each in now], table)
        added = [each.member.process.pid for each in changes if isinstance(each, ProcessAdded)]
        argv = await asyncio.to_thread(self._argv, added) if added else {}
        owners = {member.process: owner for each in now for member, owner in each.members()} if added else {}
        return [
            encode(
                change_row(each, argv, owners[each.member.process] if isinstance(each, ProcessAdded) else "")
            )
            for each in changes
        ]

    # --- what agents take -----------------------------------------------------------------------------------

    def want(self, agents: Collection[str]) -> None:
        """From now on measure these agents, by their ids, and no others; none: stop."""
        if frozenset(agents) != self._wanted:
            self._wanted = frozenset(agents)
            self._uses = {id: use for id, use in self._uses.items() if id in self._wanted}
            self._wanting.set()

    def usage_of(self, agents: Collection[str]) -> dict[str, Use]:
        """What those of them take that are wanted and were measured, each with all that is below it."""
        return {id: self._uses[id] for id in agents if id in self._uses}

    async def run(self) -> None:
        """Measure what is wanted, until cancelled."""
        while True:
            await self._wanting.wait()
            pause = GAP
            while self._wanted:
                self._wanting.clear()
                changed = await self._measure()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wanting.wait()
                pause = GAP if self._wanting.is_set() else next_pause(pause, changed)
            self._wanting.clear()

    async def _measure(self) -> bool:
        """Does any of them take something else than before?"""
        found = {id: self._tracker.get(id) for id in self._wanted}
        pids = {id: (each.found.pid, *each.found.below) for id, each in found.items() if each}
        sample = await asyncio.to_thread(
            self._usage.sample, {pid for group in pids.values() for pid in group}
        )
        uses = {
            id: total(sample[pid][1] for pid in group if pid in sample)
            for id, group in pids.items()
            if id in self._wanted
        }
        if uses == self._uses:
            return False
        self._uses = uses
        self.on_usage()
        return True


def next_pause(pause: float, changed: bool) -> float:
    """Seconds until agents are measured again, after a `pause` and a measuring that has `changed` something or not."""
    return RHYTHM if changed else min(SLOWEST, max(RHYTHM, pause * SLOWER))


def _until_the_beat(now: float) -> float:
    """Seconds. A timer may wake us a little early: that was the beat."""
    rest = RHYTHM - now % RHYTHM
    return rest if rest > RHYTHM / 100 else rest + RHYTHM


def _wanted(arguments: Arguments) -> Wanted:
    return Wanted(arguments.get("target", ""), arguments.get("mux", ""), arguments.get("all") == "1")
