"""Which repository each session was created in: that decides which rows stand together. Where it works meanwhile does
not, or rows would move whenever somebody changes a directory.

Git's own small files are read, once for each new session, whether or not a client looks: the index of a row depends on
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from opensessions.context.worktrees import Repository, locate
from opensessions.events import BelongingsSeen
from opensessions.model import Belonging, Context
from opensessions.server.bus import Bus
from opensessions.server.supervise import guarded
from opensessions.state import Mux, State

THREADS = 2
"""That read: a disk that hangs keeps one."""
PATIENCE = 5.0
"""Seconds for one reading; then the session belongs to nothing."""


_Ground = tuple[int, str, str]
"""Why a session was looked at: when and in which folder it was created, and the repository that it works in. It is
looked at again where it is another session, or belongs to nothing and works in another repository: its folder may have
become one."""


class Belongings:
    """Tells the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._grounds: dict[str, dict[str, _Ground]] = {}
        """By multiplexer and session."""
        self._generations: dict[str, str] = {}
        self._woken = asyncio.Event()
        bus.observe(self._on_change)

    async def run(self) -> None:
        """Until cancelled. May be run again after a failure."""
        threads = ThreadPoolExecutor(THREADS, "belongings")
        self._woken.set()
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                for mux in tuple(self._bus.state.muxes.values()):
                    if fresh := dict(self._fresh(mux)):
                        found = {id: await self._find(threads, mux, id) for id in fresh}
                        self._tell(mux, fresh, found)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def _tell(self, mux: Mux, fresh: Mapping[str, _Ground], found: Mapping[str, Belonging | None]) -> None:
        now = self._bus.state.muxes.get(mux.key)
        if now is None or now.generation != mux.generation:
            return  # another server's sessions may have the same ids
        self._grounds[mux.key].update(fresh)
        self._bus.dispatch(BelongingsSeen(mux.key, found))

    def _on_change(self, new: State, old: State) -> None:
        for key, mux in new.muxes.items():
            before = old.muxes.get(key)
            if before is None or mux.inventory is not before.inventory or mux.contexts is not before.contexts:
                self._woken.set()

    def _fresh(self, mux: Mux) -> Iterator[tuple[str, _Ground]]:
        """The sessions that are to be looked at."""
        if self._generations.get(mux.key) != mux.generation:
            self._generations[mux.key] = mux.generation
            self._grounds[mux.key] = {}
        sessions = mux.inventory.sessions if mux.inventory else ()
        known = self._grounds[mux.key]
        for gone in known.keys() - {session.id for session in sessions}:
            del known[gone]
        for session in sessions:
            context = mux.contexts.get(session.id)
            ground = (session.created, session.path, context.group if context else "")
            before = known.get(session.id)
            compared = 2 if session.id in mux.belongings else 3
            if before is None or before[:compared] != ground[:compared]:
                yield session.id, ground

    async def _find(self, threads: ThreadPoolExecutor, mux: Mux, id: str) -> Belonging | None:
        session = mux.inventory.session(id) if mux.inventory else None
        if session is None:
            return None
        if not session.path:  # the multiplexer does not tell where it began
            there = mux.contexts.get(id, Context())
            return Belonging(there.group, there.worktree is not None) if there.group else None
        work = partial(guarded, f"looking for the repository of {session.path}", locate, session.path)
        try:
            async with asyncio.timeout(PATIENCE):
                found: Repository | None = await asyncio.get_running_loop().run_in_executor(threads, work)
        except TimeoutError:
            return None
        if found is None:
            return None
        # A path whose bytes are no UTF-8 is told to others as well.
        return Belonging(found.common.encode("utf-8", "replace").decode(), found.worktree is not None)
