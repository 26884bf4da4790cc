"""What belongs to something that the user wants ended: an agent, a pane, a session. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from opensessions.model import Inventory
from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId
from opensessions.processes.remains import remaining


def tree_of(root: int, census: Census) -> tuple[ProcId, ...]:
    """The process, all below it, and all in sessions that one of them leads with all below them; parents first. ()
    where it does not run: nobody can say then whose session has its number."""
    if not _runs(root, census):
        return ()
    pids = dict.fromkeys((root, *census.below(root)))
    led: set[int] = set()
    while fresh := pids.keys() - led:
        led |= fresh
        for pid, stat in census.stats.items():
            if stat.session in fresh and pid not in pids:
                pids |= dict.fromkeys((pid, *census.below(pid)))
    return _running(pids, census)


def left_of(tree: Sequence[ProcId], census: Census, since: int) -> tuple[ProcId, ...]:
    """What there is of the tree now: see `remaining`.

    Who belongs to it by nothing but a process group that a member leads counts if it was started `since` (on the
    census's clock) and no process of its session that is no part of the tree is its parent: in `agent | tee log` the
    agent leads the group of both.
    """
    members = {each.pid for each in tree}
    found = remaining(tree, census)
    inside = {each.pid for each in found} & members
    return tuple(
        each
        for each in found
        if each.pid in members
        or census.stats[each.pid].session in members
        or _descends(each.pid, inside, census, since)
    )


def _descends(pid: int, tree: Collection[int], census: Census, since: int) -> bool:
    """Does it come from the tree, as far as its living ancestors tell?"""
    session = census.stats[pid].session
    for above in census.above(pid):
        if above in tree:
            return True
        stat = census.stats.get(above)
        if stat is not None and stat.session == session:
            return False
    return census.stats[pid].start >= since


def apart(processes: Sequence[ProcId], census: Census) -> tuple[tuple[ProcId, ...], ...]:
    """The processes as trees, the topmost first in each."""
    by_pid = {each.pid: each for each in processes}
    trees = []
    for pid, each in by_pid.items():
        if not any(above in by_pid for above in census.above(pid)):
            trees.append((each, *(by_pid[below] for below in census.below(pid) if below in by_pid)))
    return tuple(trees)


def without(inventory: Inventory, panes: Collection[str]) -> Inventory:
    """The inventory as if it had not these panes: what is in them is then protected by nothing but what it is."""
    windows = {
        id: replace(window, panes=tuple(pane for pane in window.panes if pane.id not in panes))
        for id, window in inventory.windows.items()
    }
    return replace(inventory, windows=windows)


def own_panes(inventory: Inventory, session: str) -> tuple[str, ...]:
    """The panes that go with a session: those in windows that no other session shows."""
    shared = {link.window for other in inventory.sessions if other.id != session for link in other.links}
    found = inventory.session(session)
    own = [link.window for link in found.links if link.window not in shared] if found else []
    return tuple(pane.id for id in own if id in inventory.windows for pane in inventory.windows[id].panes)


def token(*facts: object) -> str:
    """A short text that is another one as soon as one of these facts is: what was confirmed is what is ended."""
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _running(pids: Iterable[int], census: Census) -> tuple[ProcId, ...]:
    found = (census.identity(pid) for pid in pids if _runs(pid, census))
    return tuple(each for each in found if each is not None)


def _runs(pid: int, census: Census) -> bool:
    stat = census.stats.get(pid)
    return stat is not None and not stat.exited
