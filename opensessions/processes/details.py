"""What is read of the few processes that a judgement is about."""

from __future__ import annotations

from collections.abc import Collection

from opensessions.processes.census import Census
from opensessions.processes.source import ProcessSource, Stat
from opensessions.processes.verdict import WANTED, Details

USUAL = ("PATH", "HOME", "PWD", "SHELL", "TERM", "USER", "LANG", "SHLVL", "_")
"""Of these a readable environment holds at least one; where none is found, it was empty or could not be read."""


def examine(source: ProcessSource, pids: Collection[int], census: Census | None = None) -> dict[int, Details]:
    """The details of these processes, as they were in the census if one is given. Blocks for 30 µs a process."""
    return {pid: _examine(source, pid, census.stats.get(pid) if census else None) for pid in sorted(pids)}


def _examine(source: ProcessSource, pid: int, before: Stat | None) -> Details:
    variables = source.variables(pid, (*WANTED, *USUAL))
    wanted = {name: value for name, value in variables.items() if name in WANTED}
    exe, users = (source.file(pid) or "").rpartition("/")[2], source.users(pid)
    # Read last: whoever has the pid now had it while all else was read.
    stat = source.stat(pid)
    if stat is None or stat.exited or (before and stat.start != before.start):
        return Details(gone=True)
    return Details(users, exe, wanted if variables else None)
