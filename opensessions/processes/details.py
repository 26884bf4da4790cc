"""What is read of the few processes that a judgement is about."""

from __future__ import annotations

import time
from collections.abc import Collection

from opensessions.processes.census import Census
from opensessions.processes.source import ProcessSource
from opensessions.processes.verdict import WANTED, YOUNG, Details

USUAL = ("PATH", "HOME", "PWD", "SHELL", "TERM", "USER", "LANG", "SHLVL", "_")
"""Of these an environment usually holds at least one. Where none is found, it was empty (`env -i`), was overwritten by
its own program (setproctitle), or could not be read."""


PAUSE, PAUSES = 0.003, 4
"""Seconds between two looks at processes that show no environment at this moment, and how many more looks there are.
One that is about to exit shows none until it has, one that becomes another program none for some milliseconds."""


def examine(source: ProcessSource, pids: Collection[int], census: Census | None = None) -> dict[int, Details]:
    """The details of these processes, as they were in the census if one is given. Blocks for 30 µs a process, and 12 ms
    where one hides its environment."""
    found = {pid: _examine(source, pid, census) for pid in sorted(pids)}
    for _ in range(PAUSES):
        hidden = [
            pid for pid, each in found.items() if each.uids and not each.gone and each.variables is None
        ]
        if not hidden:
            break
        time.sleep(PAUSE)
        found |= {pid: _examine(source, pid, census) for pid in hidden}
    return found


def _examine(source: ProcessSource, pid: int, census: Census | None) -> Details:
    before = census.stats.get(pid) if census else None
    variables = source.variables(pid, (*WANTED, *USUAL))
    bare = not variables and _bare(source, pid)
    exe, users = (source.file(pid) or "").rpartition("/")[2], source.users(pid)
    # Read last: whoever has the pid now had it while all else was read.
    stat = source.stat(pid)
    if stat is None or stat.exited or (before and stat.start != before.start):
        return Details(gone=True)
    old = (census.at if census else source.now()) - stat.start >= YOUNG
    wanted = {name: value for name, value in variables.items() if name in WANTED}
    return Details(users, exe, wanted if variables or (bare and old) else None)


def _bare(source: ProcessSource, pid: int) -> bool:
    """Is there nothing in its environment, for certain? It looks so as well while it becomes another program: then it
    lies nowhere yet, or elsewhere afterwards."""
    before = source.environment(pid)
    return (
        before is not None
        and not source.variables(pid, (*WANTED, *USUAL))
        and source.environment(pid) == before
    )
