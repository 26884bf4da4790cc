"""What there is of a tree while it is being ended: members die, others are born. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opensessions.processes.census import Census
from opensessions.processes.identity import ProcId, same


def remaining(tree: Sequence[ProcId], census: Census) -> tuple[ProcId, ...]:
    """The members that still run, in their order, and then whatever leads to one: by its parents, or by its session or
    process group.

    A session or group counts while a member is in it whose leader is or was a member: its number is given to no other
    process as long as it has anybody in it. One of which all members have ended says nothing.
    """
    known = {each.pid: each for each in tree if _runs(each, census)}
    held = {number for pid in known for number in (census.stats[pid].session, census.stats[pid].group)}
    held &= {each.pid for each in tree}
    found = dict.fromkeys(known)
    for pid in known:
        found |= dict.fromkeys(census.below(pid))
    for pid, stat in census.stats.items():
        if stat.session in held or stat.group in held:
            found |= dict.fromkeys((pid, *census.below(pid)))
    named = ((known.get(pid) or census.identity(pid)) for pid in found if not census.stats[pid].exited)
    return tuple(each for each in named if each is not None)


def _runs(process: ProcId, census: Census) -> bool:
    now = census.identity(process.pid)
    return now is not None and same(process, now) == "same" and not census.stats[process.pid].exited
