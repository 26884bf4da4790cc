"""Looking at everything and ending a tree of processes that the user has confirmed.

Before each round of signals everything is looked at anew: the processes, the multiplexer that is meant, and what of
both must not be touched.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from opensessions.errors import MuxError, Refused
from opensessions.model import Inventory
from opensessions.processes import census, killer
from opensessions.processes.audit import Audit
from opensessions.processes.census import Census
from opensessions.processes.details import examine
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.killer import Outcome
from opensessions.processes.pins import Pin, gone
from opensessions.processes.plan import MOST
from opensessions.processes.protect import protected, shields
from opensessions.processes.source import ProcessSource
from opensessions.processes.targets import apart, left_of, without
from opensessions.server.bus import Bus
from opensessions.server.muxes import Muxes

log = logging.getLogger(__name__)

HANGUP = 1.0
"""Seconds that what was in a closed pane has to go by itself, before it is asked to."""
GONE = ("exited_on_term", "killed", "gone_before")


class Look(Struct, frozen=True):
    """What there is now."""

    census: Census
    inventory: Inventory
    """Of the multiplexer that is meant; begun after the census."""
    protected: Mapping[int, str]
    """What may not be signalled, were it not for the panes that are meant."""
    server: ProcId | None
    """The multiplexer's server process."""


class Target(Struct, frozen=True):
    """What is to be ended."""

    mux: str
    server: ProcId | None
    """The multiplexer's server process, as it was when this was looked at."""
    title: str
    """In words: "claude-code in %7"."""
    token: str
    panes: frozenset[str]
    """The panes that do not protect what is in them, until they are closed."""
    tree: tuple[ProcId, ...]
    at: int
    """When it was looked for, on the census's clock."""
    told: Mapping[str, Any]
    """What the preview tells besides the processes."""


class Ender:
    """Ends targets, any number at a time."""

    def __init__(
        self, bus: Bus, muxes: Muxes, source: ProcessSource, audit: Audit, wait: float,
        servers: Callable[[], Collection[int]] = frozenset,
    ) -> None:  # fmt: skip
        """`wait`: seconds from SIGTERM to SIGKILL. `servers`: the pids of the other opensessions servers that live; may
        block."""
        self._bus = bus
        self._muxes = muxes
        self._source = source
        self._audit = audit
        self._wait = wait
        self._servers = servers
        self._working = 0
        self._settled = asyncio.Event()
        self._settled.set()

    async def settled(self) -> None:
        """Wait until nothing is being ended."""
        await self._settled.wait()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Nothing is settled before this has been left."""
        self._working += 1
        self._settled.clear()
        try:
            yield
        finally:
            self._working -= 1
            if not self._working:
                self._settled.set()

    async def look(self, mux: str, panes: Collection[str], may_end: ProcId | None = None) -> Look:
        """Everything now; other multiplexers as they were last. MuxError where this one does not answer, unless it is
        `may_end` and has ended."""
        taken = await asyncio.to_thread(census.take, self._source)
        if not taken.complete:
            raise Refused("The system does not show all processes, so nothing is ended.")
        try:
            inventory = await self._muxes.get(mux).provider.look()
        except (MuxError, Refused):
            if may_end is None or liveness(may_end) != "dead":
                raise
            inventory = Inventory(0, 0, "")
        others = [
            each.inventory
            for key, each in self._bus.state.muxes.items()
            if key != mux and each.inventory is not None
        ]
        spared = [without(inventory, panes), *others]
        barred = await asyncio.to_thread(self._barred, taken, spared)
        return Look(taken, inventory, barred, taken.identity(inventory.server_pid))

    def _barred(self, taken: Census, spared: Collection[Inventory]) -> Mapping[int, str]:
        return protected(taken, spared, self._servers(), os.getpid(), os.getuid())

    async def reason(self, tree: Sequence[ProcId], look: Look) -> str:
        """Why the tree must be left alone; "" where it need not."""
        if len(tree) > MOST:
            return f"it has more than {MOST} processes."
        details = await asyncio.to_thread(examine, self._source, [each.pid for each in tree])
        return shields(tree, look.census, details, look.protected, os.getuid())

    async def end(
        self, target: Target, tree: Sequence[ProcId], why: str, closed: bool = False,
        bar: Callable[[], str] = lambda: "",
    ) -> tuple[Outcome, ...]:  # fmt: skip
        """`closed`: the panes are gone. The multiplexer may go with the last of them."""
        known = tuple(tree)
        panes = frozenset() if closed else target.panes
        begun = False

        async def allowed() -> tuple[ProcId, ...] | str:
            nonlocal known, begun
            try:
                look = await self.look(target.mux, panes, target.server)
            except (MuxError, Refused) as error:
                return str(error)
            left = left_of(known, look.census, target.at)
            known = tuple(dict.fromkeys((*known, *left)))
            reason = await self.reason(left, look) or ("" if begun else bar())
            begun = True
            return reason or left

        audit = self._audit.about(mux=target.mux, asked=target.title)
        return await killer.end(known, allowed, self._wait, audit, why)

    async def survivors(self, target: Target, why: str) -> list[Outcome]:
        """Once their panes are closed: wait for those who go by themselves, end the others."""
        await _hung_up(target.tree)
        # A pane that was moved away in the last moment lives on, and protects what is in it.
        look = await self.look(target.mux, (), target.server)
        left = left_of(target.tree, look.census, target.at)
        stayed = {each.pid for each in left}
        outcomes = [Outcome(each, "gone_before") for each in target.tree if each.pid not in stayed]
        ended = await asyncio.gather(
            *(self.end(target, tree, why, closed=True) for tree in apart(left, look.census)),
            return_exceptions=True,
        )
        for found in ended:
            if isinstance(found, BaseException):
                raise found
            outcomes += found
        return outcomes


async def _hung_up(tree: Sequence[ProcId]) -> None:
    pins = []
    try:
        for each in tree:
            try:
                pin = Pin.open(each)
            except Refused as error:
                log.info("%s", error)
                continue
            if pin is not None:
                pins.append(pin)
        await gone(pins, HANGUP)
    finally:
        for pin in pins:
            pin.close()


def done(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """What became of it. `failed` is "" or tells what is still there."""
    left = [each for each in outcomes if each.result not in GONE]
    failed = ""
    if left:
        which = ", ".join(str(each.process.pid) for each in left[:5]) + (" …" if len(left) > 5 else "")
        failed = f"Still there: {which}. {left[0].why or 'They did not end.'}"
    return {
        "failed": failed,
        "ended": sum(1 for each in outcomes if each.result in GONE),
        "outcomes": [{"pid": each.process.pid, "result": each.result, "why": each.why} for each in outcomes],
    }
