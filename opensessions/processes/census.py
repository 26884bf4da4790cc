"""Every process of the machine at one moment, and what follows from it. Pure, except for `take`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from opensessions.processes.identity import ProcId, boot_id, namespace
from opensessions.processes.source import ProcessSource, Stat


class Census(Struct, frozen=True):
    """One walk through the process table. It is no picture of a single moment: what was forked while it was taken may
    be missing."""

    stats: Mapping[int, Stat]
    """By pid."""
    at: int
    """When it was begun, in the clock of `Stat.start`."""
    children: Mapping[int, tuple[int, ...]]
    """The pids of each process's children, in ascending order."""
    complete: bool = True
    """Every process could be read. False where the listing failed, or hides processes from us."""

    def identity(self, pid: int) -> ProcId | None:
        """Which process has this pid; None where none has. Without the handle's inode: see `ProcId.inode`."""
        stat = self.stats.get(pid)
        return ProcId(pid, stat.start, boot_id(), namespace()) if stat else None

    def below(self, pid: int) -> tuple[int, ...]:
        """The pids of its descendants, parents before children; without itself. Bounded where parents go in a circle,
        as they may in a table that is not of one moment."""
        found = [pid]
        seen = {pid}
        for each in found:
            for child in self.children.get(each, ()):
                if child not in seen:
                    seen.add(child)
                    found.append(child)
        return tuple(found[1:])

    def above(self, pid: int) -> tuple[int, ...]:
        """The pids of its ancestors, the nearest first; without itself."""
        found: list[int] = []
        stat = self.stats.get(pid)
        while stat is not None and stat.ppid > 0 and stat.ppid != pid and stat.ppid not in found:
            found.append(stat.ppid)
            stat = self.stats.get(stat.ppid)
        return tuple(found)


def count(stats: Iterable[Stat], at: int, complete: bool = True) -> Census:
    """The census of these processes."""
    by_pid = {stat.pid: stat for stat in stats}
    children: dict[int, list[int]] = {}
    for pid in sorted(by_pid):
        children.setdefault(by_pid[pid].ppid, []).append(pid)
    return Census(by_pid, at, {parent: tuple(each) for parent, each in children.items()}, complete)


def take(source: ProcessSource) -> Census:
    """Read the whole table. Blocks for 11 µs a process."""
    at = source.now()
    pids = source.pids()
    stats = [stat for pid in pids if (stat := source.stat(pid))]
    return count(stats, at, complete=bool(stats))
