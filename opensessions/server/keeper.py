"""Keeps a receipt for every agent that runs in a pane, from when it is first seen until it is proven gone.

Files are read and written in a thread, all of a batch at once, and only when an agent has come or gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from opensessions.errors import OpenSessionsError
from opensessions.model import Inventory
from opensessions.processes.details import examine
from opensessions.processes.identity import ProcId, liveness, pinned, read, same
from opensessions.processes.receipt import Place, Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import ProcessSource
from opensessions.server.bus import Bus
from opensessions.server.tracking import Tracker

log = logging.getLogger(__name__)

KEEP = "OPENSESSIONS_KEEP"


class Pane(Struct, frozen=True):
    """Where an agent was found. Pids as the multiplexer told them."""

    kind: str
    key: str
    socket: str
    server: int
    session: str
    pane: str
    shell: int


class Seen(Struct, frozen=True):
    """An agent that lives."""

    id: str
    agent: str
    pid: int
    start: int
    pane: Pane


class Keeper:
    """Writes and drops receipts."""

    def __init__(
        self, bus: Bus, tracker: Tracker, receipts: Receipts, source: ProcessSource, instance: str,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:  # fmt: skip
        self._bus = bus
        self._tracker = tracker
        self._receipts = receipts
        self._source = source
        self._instance = instance
        self._spawn = spawn
        self._kept: frozenset[Seen] | None = None
        """Those that were given receipts the last time, or could not be given any; None: to be done anew."""
        self._roots: dict[str, Receipt] = {}
        """The receipt of each of them, by the agent's id: it outlives the launcher. Used by the thread alone."""
        self._work: asyncio.Task[None] | None = None
        self._failing = False
        """The last batch could not be written, which was told."""

    def note(self) -> None:
        """Agents were looked for: whoever came gets a receipt soon, and who went loses his if that is proven."""
        if (self._work is None or self._work.done()) and self._seen() != self._kept:
            self._work = self._spawn(self._keep())

    def sweep(self) -> None:
        """Try again what could not be done the last time."""
        if self._failing:
            self._kept = None
            self.note()

    async def _keep(self) -> None:
        while (seen := self._seen()) != self._kept:
            self._kept = seen
            try:
                await asyncio.to_thread(self._bring_up_to_date, seen)
                self._failing = False
            except (OSError, OpenSessionsError) as error:
                if not self._failing:
                    self._failing = True
                    log.error("Some agents have no receipt, so they are never reaped: %s", error)

    def _seen(self) -> frozenset[Seen]:
        living = self._tracker.living()
        panes = {}
        for key in {tracked.mux for tracked in living}:
            mux = self._bus.state.muxes.get(key)
            if mux is not None and mux.inventory is not None:
                panes[key] = _panes(mux.provider, key, mux.socket, mux.inventory)
        return frozenset(
            Seen(each.id, each.found.kind.name, each.found.pid, each.found.start, pane)
            for each in living
            if (pane := panes.get(each.mux, {}).get(each.found.pane))
        )

    # --- in a thread ----------------------------------------------------------------------------------------

    def _bring_up_to_date(self, seen: Iterable[Seen]) -> None:
        """Refused or OSError where something could not be read or written; the rest is done."""
        known = self._receipts.read()
        roots: dict[str, Receipt] = {}
        fault: OpenSessionsError | OSError | None = None
        for each in seen:
            process = pinned(each.pid)
            if process is None or process.start != each.start:
                continue
            there = [receipt for receipt in known if same(receipt.process, process) == "same"]
            receipt = there[0] if there else self._made(each, process, known)
            if receipt is None:
                continue
            roots[each.id] = receipt
            if not there:
                try:
                    self._receipts.write(receipt)
                except (OSError, OpenSessionsError) as error:
                    fault = error
        self._roots = roots
        for receipt in known:
            if liveness(receipt.process) == "dead":
                self._receipts.drop(receipt)
        if fault is not None:
            raise fault

    def _made(self, seen: Seen, process: ProcId, known: Sequence[Receipt]) -> Receipt | None:
        """A receipt for it as it is now; None where it is gone, its pane's process is, or it is another user's."""
        stat, users = self._source.stat(seen.pid), self._source.users(seen.pid)
        server, shell = pinned(seen.pane.server), pinned(seen.pane.shell)
        if stat is None or stat.start != process.start or server is None or shell is None:
            return None
        if users is None or set(users) != {os.geteuid()}:
            return None
        words, path = self._source.program(seen.pid)
        place = Place(
            seen.pane.kind, seen.pane.key, seen.pane.socket, server, seen.pane.session, seen.pane.pane, shell
        )
        before = self._roots.get(seen.id) or predecessor(seen.id, place, stat.group, stat.session, known)
        return Receipt(
            process=process,
            origin=before.origin if before else "observed",
            agent=seen.agent,
            agent_id=seen.id,
            uid=users[0],
            group=stat.group if stat.group > 1 else 0,
            session=stat.session,
            comm=stat.comm,
            exe=path,
            argv_hash=hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest() if words else "",
            place=place,
            instance=self._instance,
            nonce=os.urandom(16).hex(),
            created=time.time(),
            keep=(before is not None and before.keep)
            or self._variables(seen.pid).get(KEEP, "") not in ("", "0"),
        )  # fmt: skip

    def _variables(self, pid: int) -> Mapping[str, str]:
        """Of its environment what matters; a process that has just become another program shows none for a moment."""
        return examine(self._source, (pid,))[pid].variables or {}


def predecessor(id: str, place: Place, group: int, session: int, known: Sequence[Receipt]) -> Receipt | None:
    """The receipt of the launcher that an agent has outlived or runs below: the one with its id, or the managed one
    that leads the process group that it is still in. A group's number is nobody else's while somebody is in it."""
    for receipt in known:
        if receipt.agent_id == id:
            return receipt
        leads = receipt.process.pid == receipt.group == group and receipt.session == session
        if (
            receipt.origin == "managed"
            and leads
            and receipt.place is not None
            and _same_pane(receipt.place, place)
            and not _given_out_again(receipt.process)
        ):
            return receipt
    return None


def _given_out_again(process: ProcId) -> bool:
    """Has another process its pid by now? Then its group was empty meanwhile."""
    now = read(process.pid)
    return now is not None and same(process, now) != "same"


def _same_pane(one: Place, other: Place) -> bool:
    return (
        one.pane == other.pane
        and same(one.server, other.server) == "same"
        and same(one.shell, other.shell) == "same"
    )


def _panes(kind: str, key: str, socket: str, inventory: Inventory) -> dict[str, Pane]:
    """By id. A window may be in several sessions: the first counts."""
    sessions: dict[str, str] = {}
    for session in inventory.sessions:
        for link in session.links:
            sessions.setdefault(link.window, session.id)
    return {
        pane.id: Pane(kind, key, socket, inventory.server_pid, sessions.get(window.id, ""), pane.id, pane.pid)
        for window in inventory.windows.values()
        for pane in window.panes
        if not pane.dead
    }
