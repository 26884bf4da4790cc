"""Lets agents' readers look at their files, in a thread: what the system tells of a process, and what a look gave."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

from opensessions.agents.adapter import Facts, Look, Reader
from opensessions.agents.detect import Found
from opensessions.files.disk import Disk
from opensessions.processes.source import ProcessSource
from opensessions.server.supervise import guarded


class Rival(Struct, frozen=True):
    """What the others must know of an agent: whose conversation a file holds depends on it."""

    id: str
    kind: str
    thread: str | None
    cwd: str


class Subject(Struct, frozen=True):
    """An agent whose files are to be looked at; `facts` and `look` are the last ones."""

    id: str
    found: Found
    reader: Reader | None
    facts: Facts | None
    look: Look


class Looker:
    """`look` blocks; it is called by one thread at a time."""

    def __init__(self, source: ProcessSource) -> None:
        self._source = source
        self._disk = Disk()

    def look(
        self, subjects: Sequence[Subject], everybody: Sequence[Rival]
    ) -> list[tuple[Subject, Facts, Look]]:
        """What each one's reader says now. A reader that fails says nothing, and its files stay watched."""
        folders = {subject.id: self._source.folder(subject.found.pid) for subject in subjects}
        looks = []
        for subject in subjects:
            kind = subject.found.kind.name
            rivals = [each for each in everybody if each.kind == kind and each.id != subject.id]
            here = folders[subject.id]
            near = sum(1 for each in rivals if here and folders.get(each.id, each.cwd) == here)
            facts = self._facts(subject, here, frozenset(each.thread for each in rivals if each.thread), near)
            look: Look | None = Look()
            if subject.reader is not None:
                what = f"reading what {kind} in {subject.found.pane} wrote"
                look = guarded(what, subject.reader.look, facts, self._disk)
            looks.append((subject, facts, look or Look(watch=subject.look.watch)))
        return looks

    def _facts(self, subject: Subject, cwd: str, taken: frozenset[str], rivals: int) -> Facts:
        found, known = subject.found, subject.facts
        env: Mapping[str, str]
        if known is None:
            env = self._source.variables(found.pid, found.kind.environment | {"HOME"})
            started = time.time() - max(0, self._source.now() - found.start) / 100
        else:
            env, started = known.env, known.started
        same = known is not None and known.pid == found.pid
        return Facts(
            pid=found.pid,
            start=found.start,
            started=started,
            argv=known.argv if known and same else self._source.program(found.pid)[0],
            cwd=cwd or (known.cwd if known else ""),
            env=env,
            below=found.below,
            taken=taken,
            rivals=rivals,
        )
