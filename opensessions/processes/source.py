"""Where facts about processes come from. One small role, so that the rest does not care which system it is."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import cache
from typing import Protocol

from msgspec import Struct


class Stat(Struct, frozen=True):
    """The cheap facts of one process."""

    pid: int
    ppid: int
    session: int
    """Its session's leader; 0 where unknown."""
    start: int
    """In hundredths of a second, in the clock of `ProcessSource.now`; with the pid it names one process."""
    comm: str
    exited: bool = False
    """A zombie: it has ended and its parent has not asked yet. One whose other threads live on has not exited."""
    group: int = 0
    """Its process group; 0 where unknown."""
    kernel: bool = False
    """A thread of the kernel's own."""
    terminal: int = 0
    """The number of its controlling terminal, which a closed one ceases to be; 0 where it has none or none is told."""


class ProcessSource(Protocol):
    """One operating system's answers. All calls block for microseconds; none raises for a process that is gone."""

    def newest(self) -> int | None:
        """The pid given out last: as long as it stays the same no process was created. None: the system does
        not tell."""
        ...

    def pids(self) -> set[int]:
        """Every process that may be seen."""
        ...

    def between(self, after: int, last: int) -> list[Stat]:
        """The processes with pids above `after` up to `last`, threads left out."""
        ...

    def stat(self, pid: int) -> Stat | None:
        """Its cheap facts; None where it is not there."""
        ...

    def program(self, pid: int) -> tuple[tuple[str, ...], str]:
        """Its command line (of which at most 32 KiB) and the path of its executable; empty where unreadable."""
        ...

    def file(self, pid: int) -> str | None:
        """The path of its executable, which an `exec` changes, at the least cost; None where it is not there."""
        ...

    def folder(self, pid: int) -> str:
        """Its working directory; "" where it may not be read."""
        ...

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """Of its environment, as it was when its program began, these variables where they are set; {} where it may not
        be read. Nothing else of it leaves this call."""
        ...

    def environment(self, pid: int) -> tuple[int, int] | None:
        """Where its program's environment lies in its memory: the first address, and the one after the last. Both are
        the same where it was given none. None where nobody tells, or it is just becoming another program: `variables`
        then says nothing of what it lacks."""
        ...

    def users(self, pid: int) -> tuple[int, int, int] | None:
        """Its real, effective and saved user id; None where they cannot be known."""
        ...

    def now(self) -> int:
        """This moment in hundredths of a second, in the clock of `Stat.start`."""
        ...


@cache
def this_system() -> ProcessSource:
    """The source for the system that we run on."""
    if os.path.exists("/proc/self/stat"):
        from opensessions.processes.linux import LinuxSource

        return LinuxSource()
    from opensessions.processes.portable import PortableSource

    return PortableSource()
