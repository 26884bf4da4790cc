"""Where sessions work: branch, whether anything is not committed, working tree. While a client looks, else nothing
runs.

What git writes (HEAD, the index) is watched, and so are the folders that a session's shell stands in; what is changed
deeper is looked for when something has happened in the session: a command or an agent's turn or tool has ended, or a
client has come to look at it. Sessions in one working tree share it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from opensessions.context.git import AT_ONCE, Answer, Git
from opensessions.context.worktrees import Head, Repository, head, locate
from opensessions.events import ContextSeen
from opensessions.files.watch import Watch
from opensessions.model import Agent, Context, Inventory, Process, Row
from opensessions.server.bus import Bus
from opensessions.server.hints import Hints, Key
from opensessions.server.idle import looked_at
from opensessions.server.kept import Place, Tree
from opensessions.server.supervise import guarded
from opensessions.state import State

GAP = 0.05
"""Seconds from an event to the next round: a burst makes one, and what is seen at once is painted first."""
SOON, LATER = 2.0, 5.0
"""Seconds between two readings of a working tree, at least: when it is known to have changed, and when it may have."""
THREADS = 4
"""That read git's small files: so many disks may hang."""
NOWHERE = Context()

Value = TypeVar("Value")
Agents = Mapping[str, tuple[Agent, ...]]


class ContextWatch:
    """Tells the bus."""

    def __init__(self, bus: Bus, git: Git, processes: Callable[[], Mapping[int, Process]]) -> None:
        self._bus = bus
        self._git = git
        self._processes = processes
        self._looking = False
        self._read: dict[str, tuple[Inventory, Agents]] = {}
        """What the sessions were last taken from."""
        self._news = False
        """The bus is to be told."""
        self._sessions: dict[Key, Row] = {}
        self._hints = Hints()
        self._places: dict[str, Place] = {}
        self._trees: dict[str, Tree] = {}
        self._gits = 0
        self._woken = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._watch: Watch | None = None
        self._files: ThreadPoolExecutor | None = None
        self._asking: ThreadPoolExecutor | None = None
        bus.observe(self._on_change)

    async def run(self) -> None:
        """Until cancelled. May be run again after a failure."""
        self._git.open()
        self._watch = Watch(self._rang)
        self._files = ThreadPoolExecutor(THREADS, "repositories")
        self._asking = ThreadPoolExecutor(AT_ONCE, "git")
        self._woken.set()
        try:
            while True:
                await self._woken.wait()
                await asyncio.sleep(GAP)
                self._woken.clear()
                if looked_at(self._bus.state):
                    self._round()
                else:
                    self._rest()
        finally:
            self._rest()
            self._git.close()
            self._files.shutdown(wait=False, cancel_futures=True)
            self._asking.shutdown(wait=False, cancel_futures=True)
            self._watch.close()

    def stirred(self) -> None:
        """Processes below the panes have come or gone."""
        if self._looking:
            self._woken.set()

    def _on_change(self, new: State, old: State) -> None:
        looking = looked_at(new)
        if looking != self._looking or (looking and not _alike(_read(new), self._read)):
            self._woken.set()

    # --- what there is --------------------------------------------------------------------------------------

    def _round(self) -> None:
        now = asyncio.get_running_loop().time()
        back = not self._looking
        self._looking = True
        self._take_sessions()
        inventories = {key: inventory for key, (inventory, _) in self._read.items()}
        for id in self._hints.follow(inventories, self._sessions, self._processes()):
            self._want(id, now)
        if back:
            self._doubt_everything(now)
        self._locate()
        self._read_heads()
        self._read_trees(now)
        self._tell()

    def _take_sessions(self) -> None:
        """Learn which sessions there are and where each works."""
        read = _read(self._bus.state)
        if _alike(read, self._read):
            return
        self._read, self._news = read, True
        views = ((key, self._bus.view(key)) for key in read)
        self._sessions = {(key, row.id): row for key, view in views if view for row in view.sessions}
        used = {row.dir for row in self._sessions.values() if row.dir}
        for dir in self._places.keys() - used:
            self._wish(f"place:{dir}", ())
            del self._places[dir]
        for dir in used - self._places.keys():
            self._places[dir] = Place(dir)
        self._drop_unused()

    def _place(self, id: Key) -> Place | None:
        row = self._sessions.get(id)
        return self._places.get(row.dir) if row else None

    def _want(self, id: Key, now: float) -> None:
        """The tree of this session may have changed."""
        place = self._place(id)
        if place is None:
            return
        place.doubtful = True
        if place.repository:
            self._trees[place.repository.own].want(now, LATER)

    def _doubt_everything(self, now: float) -> None:
        """Nothing was watched for a while."""
        for place in self._places.values():
            place.doubtful = True
            self._watch_place(place)
        for tree in self._trees.values():
            tree.doubtful = True
            tree.want(now, LATER)
            self._watch_head(tree)

    def _rest(self) -> None:
        """Watch nothing, wait for nothing."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._looking:
            return
        self._looking = False
        for place in self._places.values():
            self._wish(f"place:{place.dir}", ())
        for tree in self._trees.values():
            tree.due = None
            self._wish(f"head:{tree.repository.own}", ())
            self._wish(f"tree:{tree.repository.own}", ())

    # --- folders --------------------------------------------------------------------------------------------

    def _locate(self) -> None:
        for place in self._places.values():
            if place.doubtful and not place.busy:
                place.doubtful, place.busy = False, True
                self._do(
                    self._files, f"looking for the repository of {place.dir}", locate, place.dir
                ).add_done_callback(partial(self._located, place))

    def _located(self, place: Place, work: asyncio.Future[Repository | None]) -> None:
        place.busy = False
        if work.cancelled() or self._places.get(place.dir) is not place:
            return
        self._news = True
        place.known, before = True, place.repository
        place.repository = work.result()
        if place.repository is not None and place.repository.own not in self._trees:
            tree = self._trees[place.repository.own] = Tree(place.repository)
            tree.want(asyncio.get_running_loop().time(), 0)
            if self._looking:
                self._watch_head(tree)
        elif place.repository is not None:
            self._trees[place.repository.own].repository = place.repository
        if place.repository != before:
            self._drop_unused()
        if self._looking:
            self._watch_place(place)
        self._woken.set()

    def _drop_unused(self) -> None:
        used = {place.repository.own for place in self._places.values() if place.repository}
        for own in self._trees.keys() - used:
            self._wish(f"head:{own}", ())
            self._wish(f"tree:{own}", ())
            del self._trees[own]

    # --- heads ----------------------------------------------------------------------------------------------

    def _read_heads(self) -> None:
        for tree in self._trees.values():
            if tree.doubtful and not tree.busy:
                tree.doubtful, tree.busy = False, True
                what = f"reading the head of {tree.repository.root}"
                self._do(self._files, what, self._head, tree.repository).add_done_callback(
                    partial(self._was_read, tree)
                )

    def _head(self, repository: Repository) -> Head:
        found = head(repository)
        return Head(self._git.branch(repository), elsewhere=True) if found.elsewhere else found

    def _was_read(self, tree: Tree, work: asyncio.Future[Head | None]) -> None:
        tree.busy = False
        if not work.cancelled():
            found = work.result()
            tree.branch = found.branch if found else None
            tree.known = self._news = True
            self._woken.set()

    # --- trees ----------------------------------------------------------------------------------------------

    def _read_trees(self, now: float) -> None:
        """Start as many readings as may run, those first that somebody sees; wake up for the others."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        waiting = [tree for tree in self._trees.values() if tree.due is not None and not tree.asked]
        shown = {
            place.repository.own
            for place in map(self._place, self._hints.shown)
            if place and place.repository
        }
        ready = [tree for tree in waiting if tree.due is not None and tree.due <= now]
        ready.sort(key=lambda tree: (tree.repository.own not in shown, tree.due))
        for tree in ready[: AT_ONCE - self._gits]:
            tree.due, tree.asked = None, True
            self._gits += 1
            self._watch_tree(tree)
            what = f"asking git about {tree.repository.root}"
            self._do(self._asking, what, self._git.dirty, tree.repository).add_done_callback(
                partial(self._was_asked, tree)
            )
        later = [tree.due for tree in waiting if tree.due is not None and tree.due > now]
        if later:
            self._timer = asyncio.get_running_loop().call_at(min(later), self._woken.set)

    def _was_asked(self, tree: Tree, work: asyncio.Future[Answer | None]) -> None:
        self._gits -= 1
        tree.asked = False
        if not work.cancelled():
            self._news = True
            tree.answered(work.result() or Answer(None, 0.0), asyncio.get_running_loop().time())
        self._woken.set()

    # --- being told -----------------------------------------------------------------------------------------

    def _rang(self, token: str) -> None:
        """What is watched has changed. A folder is not watched again before its tree is read, so that a program that
        writes there all the time wakes us once."""
        kind, _, key = token.partition(":")
        now = asyncio.get_running_loop().time()
        if kind == "place":
            if key in self._places:
                self._places[key].doubtful = True
        elif key in self._trees:
            tree = self._trees[key]
            if kind == "tree":
                self._wish(token, ())
            else:
                tree.doubtful = True
            tree.want(now, SOON)
            for place in self._places.values():
                if place.repository and place.repository.own == key:
                    place.doubtful = True
        self._woken.set()

    def _watch_place(self, place: Place) -> None:
        """Wait for a repository where there is none."""
        nowhere = place.known and place.repository is None
        self._wish(f"place:{place.dir}", (f"{place.dir}/.git",) if nowhere else ())

    def _watch_head(self, tree: Tree) -> None:
        own = tree.repository.own
        self._wish(f"head:{own}", (f"{own}/HEAD", f"{own}/index"))

    def _watch_tree(self, tree: Tree) -> None:
        """The tree's topmost folder, and those that its sessions are in."""
        own = tree.repository.own
        if self._watch is not None and self._watch.told:
            inside = {
                place.dir
                for place in self._places.values()
                if place.repository and place.repository.own == own
            }
            self._wish(f"tree:{own}", (tree.repository.root, *inside))

    def _wish(self, token: str, paths: tuple[str, ...]) -> None:
        if self._watch is not None:
            self._watch.wish(token, paths)

    # --- telling --------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        if not self._news:
            return
        self._news = False
        known: dict[str, Context] = {}
        waiting = set()
        for dir, place in self._places.items():
            tree = self._trees.get(place.repository.own) if place.repository else None
            known[dir] = tree.context() if tree else NOWHERE
            if not place.known or (tree and not tree.known):
                waiting.add(dir)
        for key in self._read:
            before = self._bus.state.muxes[key].contexts if key in self._bus.state.muxes else {}
            contexts = {
                id: before.get(id, NOWHERE) if row.dir in waiting else known.get(row.dir, NOWHERE)
                for (mux, id), row in self._sessions.items()
                if mux == key
            }
            self._bus.dispatch(ContextSeen(key, contexts))

    @staticmethod
    def _do(
        threads: ThreadPoolExecutor | None, what: str, work: Callable[..., Value], *words: object
    ) -> asyncio.Future[Value | None]:
        """Have it done in a thread; None where it failed."""
        assert threads is not None
        return asyncio.get_running_loop().run_in_executor(threads, partial(guarded, what, work, *words))


def _read(state: State) -> dict[str, tuple[Inventory, Agents]]:
    return {key: (mux.inventory, mux.agents) for key, mux in state.muxes.items() if mux.inventory is not None}


def _alike(
    one: Mapping[str, tuple[Inventory, Agents]], other: Mapping[str, tuple[Inventory, Agents]]
) -> bool:
    """Are these the very same readings?"""
    return one.keys() == other.keys() and all(
        one[key][0] is other[key][0] and one[key][1] is other[key][1] for key in one
    )
