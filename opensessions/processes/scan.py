"""The processes below the panes, kept up to date at a small fraction of a walk through all of /proc.

A scan that finds that no process was created since the last one reads nothing but a slice of what it knows, for
programs replaced by `exec`. Else it looks at the new pids alone. What exits unseen, or changes its parent, is found
by the slices and by the full walk that a sweep asks for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from opensessions.model import Process
from opensessions.processes.source import ProcessSource, Stat

YOUNG = 300
"""Hundredths of a second in which a process is read again at each scan: it was forked and may not have run its
program yet, and npm's launchers need a second or two to become what they are."""
CYCLE = 8
"""Scans, at most about one a second, in which every process without children is looked at for an `exec`."""
LEAST, MOST = 40, 200
"""Processes that are looked at in one scan (5 µs each): up to 40 panes are seen to each time, over 1,600 take longer
than CYCLE."""
BEAT = 50
"""Hundredths of a second between two slices, at least, however often somebody asks."""
FEW = 200
"""Numbers given out to processes since the last scan that are read in a millisecond or two."""
LISTING = 6
"""Asking for one pid by number costs as much as a listing takes for this many."""


class Table(NamedTuple):
    """A walk through all processes that somebody else has just made."""

    newest: int | None
    """Of `ProcessSource.newest`, before it was begun."""
    stats: Mapping[int, Stat]


class Scanner:
    """What was seen last. `scan` is for one thread at a time; `recheck` may be called from any other meanwhile."""

    def __init__(self, source: ProcessSource) -> None:
        self._source = source
        self._stats: dict[int, Stat] = {}
        """Every process, wherever it belongs."""
        self._roots: frozenset[int] = frozenset()
        self._tree: dict[int, Process] = {}
        self._files: dict[int, str] = {}
        """The executables of the tree's processes when their command lines were read."""
        self._children: dict[int, list[int]] = {}
        """Of the tree's processes."""
        self._newest: int | None = None
        self._young: dict[int, int] = {}
        """Pid in the tree -> the moment at which it is grown up."""
        self._asked: deque[int] = deque()
        self._leaves: list[int] = []
        self._share = 0
        self._sliced = 0

    def recheck(self, pids: Iterable[int]) -> None:
        """Read these and all below them again at the next scan: something hints at an `exec` or an exit there."""
        self._asked.extend(pids)

    def is_light(self, roots: Collection[int]) -> bool:
        """Will a scan that is not full block for no more than a millisecond or two? Takes microseconds."""
        newest = self._source.newest()
        known = self._newest is not None and newest is not None and 0 <= newest - self._newest <= FEW
        return known and bool(self._stats) and self._roots == frozenset(roots)

    def scan(
        self,
        roots: Collection[int],
        near: Collection[int] = (),
        full: bool = False,
        table: Table | None = None,
    ) -> Mapping[int, Process]:
        """Every process below `roots` (the panes' pids) or in a session that one of them leads, by pid.

        An `exec` is noticed at once below those in `near` (panes that somebody sees), elsewhere within CYCLE scans.
        Blocks: microseconds if nothing happened, tens of milliseconds per thousand processes when `full` or for
        the first time, unless a `table` is given then. The answer is the same object as before if nothing in it has
        changed, and is never changed.
        """
        chosen = frozenset(roots)
        changed = chosen != self._roots
        self._roots = chosen
        doubtful = self._walk(table) if full or not self._stats else self._follow(near)
        fresh = {pid: self._describe(pid) for pid in doubtful}
        if full or changed or any(process != self._tree.get(pid) for pid, process in fresh.items()):
            tree = self._gather(fresh)
            if tree != self._tree:
                self._tree, self._children = tree, _children(tree.values())
        return self._tree

    # --- what is to be read again -----------------------------------------------------------------------------

    def _walk(self, table: Table | None) -> set[int]:
        """Read the stat of every process; what differs in the tree is to be read again."""
        before = self._stats
        self._newest = table.newest if table else self._source.newest()
        if table:
            self._stats = dict(table.stats)
        else:
            self._stats = {pid: stat for pid in self._source.pids() if (stat := self._source.stat(pid))}
        differing = {
            pid for pid in self._tree if before.get(pid) != self._stats.get(pid) or self._replaced(pid)
        }
        arrived = {pid for pid, stat in self._stats.items() if pid not in self._tree and self._belongs(stat)}
        return differing | arrived | self._grow_up()

    def _follow(self, near: Collection[int]) -> set[int]:
        """Learn of what was created since the last scan; what is to be read again."""
        doubtful = self._below(self._drain()) | self._grow_up()
        doubtful |= {pid for pid in self._below(near) | self._slice() if self._replaced(pid)}
        before, self._newest = self._newest, self._source.newest()
        if self._newest is None or self._newest != before:
            for stat in self._arrivals(before, doubtful):
                known = self._stats.get(stat.pid)
                self._stats[stat.pid] = stat
                if stat != known and (stat.pid in self._tree or self._belongs(stat)):
                    # Its parent may have become another program in order to start it.
                    doubtful |= {stat.pid, *({stat.ppid} & self._tree.keys())}
        return doubtful

    def _arrivals(self, before: int | None, doubtful: set[int]) -> list[Stat]:
        """What was created since `before` was the newest. A listing also tells what is gone."""
        last = self._newest
        if last is not None and before is not None and 0 < (last - before) * LISTING <= len(self._stats):
            return self._source.between(before, last)
        listed = self._source.pids()
        for pid in self._stats.keys() - listed:
            doubtful |= {pid, self._stats.pop(pid).ppid} & self._tree.keys()
        fresh = [pid for pid in listed if pid not in self._stats or _passed(pid, before, last)]
        return [stat for pid in fresh if (stat := self._source.stat(pid))]

    def _belongs(self, stat: Stat) -> bool:
        """Is it a root, below one, or in the session of one?"""
        climbed: Stat | None = stat
        for _ in range(len(self._stats)):
            if climbed is None:
                return False
            if climbed.pid in self._roots or climbed.session in self._roots:
                return True
            climbed = self._stats.get(climbed.ppid)
        return False

    def _below(self, tops: Iterable[int]) -> set[int]:
        """Those of `tops` that are in the tree, and everything below them."""
        found: set[int] = set()
        waiting = [pid for pid in tops if pid in self._tree]
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found.add(pid)
                waiting += self._children.get(pid, ())
        return found

    def _drain(self) -> set[int]:
        asked = set()
        while self._asked:
            asked.add(self._asked.popleft())
        return asked

    def _grow_up(self) -> set[int]:
        """The young, who are read once more when they have just ceased to be."""
        young = set(self._young)
        now = self._source.now()
        self._young = {pid: until for pid, until in self._young.items() if until > now}
        return young

    def _slice(self) -> set[int]:
        """The next ones in turn. A shell that waits for a child cannot `exec`, so only those without children are."""
        now = self._source.now()
        if now - self._sliced < BEAT:
            return set()
        self._sliced = now
        if not self._leaves:
            self._leaves = [pid for pid in self._tree if pid not in self._children]
            self._share = max(LEAST, min(MOST, -(-len(self._leaves) // CYCLE)))
        part = self._leaves[: self._share]
        del self._leaves[: self._share]
        return self._tree.keys() & part

    def _replaced(self, pid: int) -> bool:
        return self._source.file(pid) != self._files.get(pid)

    # --- the tree ---------------------------------------------------------------------------------------------

    def _describe(self, pid: int) -> Process | None:
        """Read all of one process. None where it is gone or has exited."""
        stat = self._source.stat(pid)
        if stat is None or stat.exited:
            self._stats.pop(pid, None)
            return None
        self._stats[pid] = stat
        words, path = self._source.program(pid)
        self._files[pid] = path
        known = self._tree.get(pid)
        if not words and known and known.start == stat.start:
            # Its first thread has ended before the others: the system shows no command line any more.
            words = known.argv
        return Process(pid, stat.ppid, stat.start, stat.comm, path.rpartition("/")[2], words, stat.session)

    def _gather(self, fresh: Mapping[int, Process | None]) -> dict[int, Process]:
        """The tree anew. What has not changed stays the same object."""
        for root in self._roots - self._stats.keys():
            if (stat := self._source.stat(root)) is not None:
                self._stats[root] = stat
        tree = {}
        now = self._source.now()
        for pid in self._reached():
            known, process = self._tree.get(pid), fresh.get(pid)
            if process is None and known is None:
                process = self._describe(pid)
            elif process is None or process == known:
                process = known
            if process is None:
                continue
            tree[pid] = process
            if process.start + YOUNG > now and not (known and known.start == process.start):
                self._young[pid] = process.start + YOUNG
        self._files = {pid: path for pid, path in self._files.items() if pid in tree}
        return tree

    def _reached(self) -> list[int]:
        """The pids below the roots, and those in a root's session that nothing alive leads to."""
        children = _children(self._stats.values())
        waiting = [
            stat.pid
            for stat in self._stats.values()
            if stat.pid in self._roots or stat.session in self._roots
        ]
        found: dict[int, None] = {}
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found[pid] = None
                waiting += children.get(pid, ())
        return list(found)


def _children(stats: Iterable[Stat | Process]) -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for stat in stats:
        children.setdefault(stat.ppid, []).append(stat.pid)
    return children


def _passed(pid: int, before: int | None, last: int | None) -> bool:
    """May this pid have been given out anew between two readings of the newest? The numbers start over at some
    point."""
    if before is None or last is None:
        return False
    return before < pid <= last if before <= last else pid > before or pid <= last
