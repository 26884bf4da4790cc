"""Readings of all sessions, where only those that have changed are asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from opensessions.errors import MuxError, Refused
from opensessions.model import Inventory
from opensessions_zellij import binary, reading
from opensessions_zellij.processes import Panes, roots, run
from opensessions_zellij.reading import Held, Incomplete, Root
from opensessions_zellij.transport import Zellij

Value = TypeVar("Value")

TRIES = 3
"""Times that a session is asked whose parts do not fit together: something changes in it just now."""


class Reading(Struct, frozen=True):
    """A complete reading."""

    inventory: Inventory
    renamed: Mapping[str, str] = {}
    """New names of sessions by those that they had at the reading before."""


class Reader:
    """For one zellij."""

    def __init__(self, zellij: Zellij, owner: str, on_doubt: Callable[[], None] = lambda: None) -> None:
        """`on_doubt`: what is called when the reader itself finds that a session must be asked again."""
        self._zellij = zellij
        self._on_doubt = on_doubt
        self._owner = owner
        self._version = ""
        self._known: dict[str, tuple[Root, Held]] = {}
        self._panes = Panes()
        self._stale: set[str] = set()
        self.must_list = True
        """Ask zellij which sessions there are, whatever the system shows."""
        self._told: set[str] = set()
        """Sessions whose files have said something new since they were asked."""
        self._unsettled: set[str] = set()
        """Sessions that were found changed before their files said so, and whose files were not written since."""
        self._written: set[str] = set()
        """Sessions whose files were written while they were being asked."""
        self._lock = asyncio.Lock()
        self.last: Inventory | None = None
        self.unborn = False
        """Was a session left out of the last reading that is about to live?"""

    def doubt(self, session: str) -> None:
        """This session must be asked again; "" doubts all."""
        self._stale |= {session} if session else set(self._known)
        self.must_list |= not session

    def rang(self, session: str) -> None:
        """The session's file says something new."""
        self._told.add(session)
        self.doubt(session)

    def written(self, session: str) -> None:
        """zellij has written the session's file, and nothing in it is new. What was read between two writes may have
        been undone before the second: then both say the same."""
        self._written.add(session)
        if session in self._unsettled:
            self._unsettled.discard(session)
            self._stale.add(session)
            self._on_doubt()

    @property
    def held(self) -> tuple[tuple[Root, Held], ...]:
        """What each session held at the last reading."""
        return tuple(self._known.values())

    async def version(self) -> str:
        """zellij's version, asked for once. Refused where it is too old, MuxError where the program cannot be run."""
        if not self._version:
            said = binary.version((await self._zellij.run("--version")).out)
            binary.check_version(said)
            self._version = said
        return self._version

    async def read(self) -> Reading:
        """All sessions; those are asked that are new or doubted. MuxError where zellij does not answer, or not
        completely: then nothing is known. Refused where it is too old."""
        async with self._lock:
            return await self._read()

    async def _read(self) -> Reading:
        version = await self.version()
        standing = await self._standing()
        if self.must_list or not await self._are_those_known(standing):
            names = reading.names(await self._zellij.listing())
            self.must_list = False
            standing = await self._standing()
        else:
            names = tuple(standing)
        self.unborn = self._zellij.births.young or any(
            name not in names and root.socket is not None and not self._zellij.views.dead(root.socket)
            for name, root in standing.items()
        )
        # zellij counts seconds only: of two that were begun in the same one either may come first.
        sessions = sorted((standing.get(name) or Root(name) for name in names), key=_age)
        stale, self._stale = self._stale, set()
        told, self._told = self._told, set()
        self._written.clear()
        asked = [
            root
            for root in sessions
            if root.name in stale or root.name not in self._known or self._known[root.name][0] != root
        ]
        try:
            answers = await _together(*(self._held(root.name) for root in asked))
        except BaseException:
            self._stale |= stale
            raise
        fresh = {root.name: held for root, held in zip(asked, answers, strict=True)}
        held = {
            root.name: fresh[root.name] if root.name in fresh else self._known[root.name][1]
            for root in sessions
        }
        known = {root.name: (root, found) for root in sessions if (found := held[root.name]) is not None}
        renamed = _renamed(self._known, known)
        changed = {name for name in fresh if known.get(name) != self._known.get(name)}
        self._known = known
        self._settle(changed - told)
        pids = await asyncio.to_thread(self._pids, known)
        self.last = reading.inventory(version, known.values(), pids, self._owner, self.last)
        return Reading(self.last, renamed)

    async def _standing(self) -> dict[str, Root]:
        """The sessions that the system shows, by name."""
        before = {name: root for name, (root, _) in self._known.items()}
        living = await self._zellij.births.living()
        return await asyncio.to_thread(roots, living, before, self._zellij.births.server)

    async def _are_those_known(self, standing: Mapping[str, Root]) -> bool:
        """Are these the sessions of the last reading, each with its server? Then zellij is not asked for a list: it
        would connect to every one of them, and whoever comes to one at that moment may be thrown out (see
        `Zellij.told`)."""
        if not standing or standing != {name: root for name, (root, _) in self._known.items()}:
            return False
        return await asyncio.to_thread(run, [root.server for root in standing.values()])

    def _settle(self, changed: set[str]) -> None:
        """Note for which sessions the next write counts, whatever it says."""
        self._unsettled = {name for name in self._unsettled | changed if name in self._known}
        for name in changed & self._written:
            self.written(name)

    async def _held(self, session: str) -> Held | None:
        """What it holds; None where it has ended meanwhile."""
        for left in reversed(range(TRIES)):
            try:
                panes, clients = await _together(
                    self._zellij.told(session, "list-panes", "--json", "--all"),
                    self._zellij.told(session, "list-clients"),
                )
                return reading.held(panes, clients)
            except Refused as error:
                if not self._zellij.stands(session):
                    return None
                if not left:
                    raise MuxError(str(error)) from error
            except Incomplete:
                if not left:
                    raise
        return None

    def _pids(self, known: Mapping[str, tuple[Root, Held]]) -> dict[str, int]:
        """Pane id -> the pid of its process. Blocks where a pane is new."""
        wanted = {
            (root.server, cell.id): reading.pane_id(root.name, cell.name)
            for root, held in known.values()
            for cell in held.cells
            if root.server and not (cell.is_plugin or cell.exited or cell.is_held)
        }
        return {wanted[pair]: pid for pair, pid in self._panes.find(wanted).items()}


def _age(root: Root) -> tuple[int, str]:
    return (root.socket.made if root.socket else root.created * 10**9), root.name


def _renamed(before: Mapping[str, tuple[Root, Held]], now: Mapping[str, tuple[Root, Held]]) -> dict[str, str]:
    """A session that is called otherwise has the same socket, made at the same time."""
    old = {root.socket: name for name, (root, _) in before.items() if root.socket is not None}
    found = {}
    for name, (root, _) in now.items():
        was = old.get(root.socket, name) if root.socket is not None else name
        if was != name and was not in now:
            found[was] = name
    return found


async def _together(*work: Coroutine[Any, Any, Value]) -> list[Value]:
    """The answers of all; where one fails the others are ended, and it is raised itself."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled():
                    task.exception()
