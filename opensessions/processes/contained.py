"""Reads the control groups that were made for agents, as evidence for the trackers."""

from __future__ import annotations

import os
from collections.abc import Iterable

from opensessions.processes import cgroup
from opensessions.processes.belonging import Group
from opensessions.processes.census import Census, count
from opensessions.processes.receipt import Receipt
from opensessions.processes.source import ProcessSource


def contained(
    receipts: Iterable[Receipt], table: Census, source: ProcessSource
) -> tuple[Census, tuple[Group, ...]]:
    """The groups, and the census as it was when they were read.

    Agents fork all the time: what came or went in their panes since the census was taken would look as if it had
    left its group. Blocks for 25 µs a process in a group; without any group nothing is read.
    """
    stats, groups = dict(table.stats), []
    for receipt in receipts:
        pids = cgroup.members(receipt.cgroup) if receipt.cgroup and receipt.place else None
        if pids is None or receipt.place is None:
            continue
        shell = receipt.place.shell
        for pid in {*pids, shell.pid, *table.below(shell.pid)}:
            stat = source.stat(pid)
            if stat is not None:
                stats[pid] = stat
            else:
                stats.pop(pid, None)
        living = pids & stats.keys()
        verified = _own(living, source) and os.access(f"{receipt.cgroup}/{cgroup.PROCS}", os.W_OK)
        groups.append(Group(shell, living, verified))
    if not groups:
        return table, ()
    return count(stats.values(), table.at, table.complete, table.boot, table.namespace), tuple(groups)


def _own(pids: Iterable[int], source: ProcessSource) -> bool:
    return all(source.users(pid) == (os.getuid(),) * 3 for pid in pids)
