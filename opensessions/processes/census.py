"""Every process of the machine at one moment, and what follows from it. Pure, except for `take`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from opensessions.processes.identity import Liveness, ProcId, boot_id, namespace, own_table
from opensessions.processes.source import ProcessSource, Stat

LISTINGS = 3
"""Who is still on the third one and cannot be read then is there and is hidden. Most have exited since the first; while
many come and go, some do so between the second listing and the second reading."""


class Census(Struct, frozen=True):
    """One walk through the process table. It is no picture of a single moment: what was forked while it was taken may
    be missing."""

    stats: Mapping[int, Stat]
    """By pid."""
    at: int
    """When it was begun, in the clock of `Stat.start`."""
    children: Mapping[int, tuple[int, ...]]
    """The pids of each process's children, in ascending order."""
    sessions: Mapping[int, tuple[int, ...]]
    """The pids in each of the system's sessions, by the leader's pid, whether that one still lives or not. None stands
    under 0, which means unknown."""
    groups: Mapping[int, tuple[int, ...]]
    """The same for process groups."""
    boot: str
    """The boot that these processes belong to; "" where the system tells none."""
    namespace: int
    """The PID namespace that these pids are of; 0 where the system has none."""
    complete: bool = True
    """Every process could be read. False where the listing failed, or hides processes from us."""

    def identity(self, pid: int) -> ProcId | None:
        """Which process has this pid; None where none has. Without the handle's inode: see `ProcId.inode`."""
        stat = self.stats.get(pid)
        return ProcId(pid, stat.start, self.boot, self.namespace) if stat else None

    def fate(self, process: ProcId) -> Liveness:
        """Did it live when the census was taken? As `identity.liveness`, from this census alone: "dead" is proof.

        That nobody has its pid proves its end only if everybody could be seen, and if it had started before: a process
        forked while the table was read may be missing from it.
        """
        if process.boot and self.boot and process.boot != self.boot:
            return "dead"
        if process.boot != self.boot or process.namespace != self.namespace or not process.start:
            return "unknown"
        stat = self.stats.get(process.pid)
        if stat is None:
            return "dead" if self.complete and process.start < self.at else "unknown"
        return "dead" if stat.start != process.start or stat.exited else "alive"

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
        """The pids of its ancestors, the nearest first; without itself. Bounded as `below` is."""
        found: dict[int, None] = {}
        stat = self.stats.get(pid)
        while stat is not None and stat.ppid > 0 and stat.ppid != pid and stat.ppid not in found:
            found[stat.ppid] = None
            stat = self.stats.get(stat.ppid)
        return tuple(found)


def count(
    stats: Iterable[Stat], at: int, complete: bool = True, boot: str | None = None, space: int | None = None
) -> Census:
    """The census of these processes; of this boot and PID namespace where no others are named."""
    by_pid = {stat.pid: stat for stat in sorted(stats, key=lambda stat: stat.pid)}
    every = by_pid.values()
    return Census(
        stats=by_pid,
        at=at,
        children=_gathered(every, lambda stat: stat.ppid),
        sessions=_gathered((stat for stat in every if stat.session > 0), lambda stat: stat.session),
        groups=_gathered((stat for stat in every if stat.group > 0), lambda stat: stat.group),
        boot=boot_id() if boot is None else boot,
        namespace=namespace() if space is None else space,
        complete=complete,
    )


def take(source: ProcessSource) -> Census:
    """Read the whole table. Blocks for 11 µs a process.

    It is complete where the first process of all can be seen (systems that hide other users' processes hide that one)
    and everything that stayed on the list could be read.
    """
    at = source.now()
    missing = {pid for pid in source.pids() if pid > 0}
    found: dict[int, Stat] = {}
    for again in range(LISTINGS):
        if again and missing:
            missing &= source.pids()
        found |= {pid: stat for pid in missing if (stat := source.stat(pid))}
        missing -= found.keys()
    return count(found.values(), at, complete=1 in found and not missing and own_table())


def _gathered(stats: Iterable[Stat], key: Callable[[Stat], int]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for stat in stats:
        found.setdefault(key(stat), []).append(stat.pid)
    return {number: tuple(pids) for number, pids in found.items()}
