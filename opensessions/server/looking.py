"""Lets agents' readers look at their files: what the system tells of a process, whom else it must not be taken for, and
the look itself, which may block."""

from __future__ import annotations

import time
from collections.abc import Iterable

from msgspec import Struct

from opensessions.agents.adapter import Facts, Look, Reader
from opensessions.agents.detect import Found
from opensessions.files.disk import Disk
from opensessions.processes.source import ProcessSource
from opensessions.server.supervise import guarded


class Rival(Struct, frozen=True):
    """What the others of its kind must know of an agent: whose conversation a file holds depends on it."""

    id: str
    thread: str | None
    cwd: str


class Looker:
    """`look` may be called by several threads, each with another reader."""

    def __init__(self, source: ProcessSource) -> None:
        self._source = source
        self._disk = Disk()

    def folder(self, pid: int) -> str:
        """The process's working directory; "" where it may not be read. Takes microseconds."""
        return self._source.folder(pid)

    def now(self) -> float:
        """This moment in seconds, on the clock in which processes start."""
        return self._source.now() / 100

    def facts(
        self, id: str, found: Found, known: Facts | None, cwd: str, kin: Iterable[Rival], thread: str = ""
    ) -> Facts:
        """What the system tells of this agent, now in `cwd`, and its hooks of its `thread`. `kin`: all of its kind.
        Takes microseconds."""
        rivals = [each for each in kin if each.id != id]
        # The time of day may have been set meanwhile. The earlier answer takes nothing of its own away from an agent.
        started = time.time() - max(0.0, self.now() - found.start / 100)
        same = known is not None and known.pid == found.pid
        return Facts(
            pid=found.pid,
            start=found.start,
            started=min(started, known.started) if known else started,
            argv=known.argv if known and same else self._source.program(found.pid)[0],
            cwd=cwd,
            env=known.env if known else self._source.variables(found.pid, found.kind.environment | {"HOME"}),
            below=found.below,
            taken=frozenset(each.thread for each in rivals if each.thread),
            thread=thread,
            rivals=sum(1 for each in rivals if cwd and each.cwd == cwd),
        )

    def look(self, what: str, reader: Reader, facts: Facts) -> Look | None:
        """What the reader says now; None where it failed. Blocks, for as long as the disk does."""
        return guarded(f"reading what {what} wrote", reader.look, facts, self._disk)
