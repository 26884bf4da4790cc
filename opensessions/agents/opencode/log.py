"""OpenCode's log: which conversations one of several programs that share a database works on. Seen with 1.18.33.

All programs append to `log/opencode.log`. Each writes `run=` and a word of its own in every line, and in some of them
the conversation: `… run=fca21ff9 message=loop session.id=ses_… step=0`. Which word is a process's own is told by Linux:
how far it has written is in /proc/PID/fdinfo/N, and there its last line ends. Lines come 0.3 to 2 s late.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime

from opensessions.agents.adapter import Facts, Files
from opensessions.agents.lines import Lines

LINE = re.compile(rb"timestamp=(\S{1,40}) level=\S+ run=(\w{1,40}) ")
WORKED = re.compile(
    rb"timestamp=\S{1,40} level=\S+ run=(\w{1,40}) "
    rb"message=(?:created id|loop session\.id|process session\.id)=(ses_\w{1,60})\b"
)
"""At the beginning of a line: what follows may hold texts of the user's."""
POSITION = re.compile(rb"^pos:\s*(\d{1,18})$", re.MULTILINE)
FLAGS = re.compile(rb"^flags:\s*([0-7]{1,12})$", re.MULTILINE)
INODE = re.compile(rb"^ino:\s*(\d{1,20})$", re.MULTILINE)
APPEND = 0o2000
HANDLES = 256
LAST = 4096
"""Bytes before the position in which the last line begins."""
KEPT = 200
"""Conversations that are kept in mind."""
EARLY = 2.0
"""Seconds before the program's start up to which the first reading goes back: the two clocks are not the same."""


class Log:
    """Follows the log for one program."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lines = Lines(path)
        self._run: bytes | None = None
        self._own: dict[str, None] = {}
        """Its conversations, the last one that it worked on at the end."""
        self._others: dict[str, None] = {}

    @property
    def known(self) -> bool:
        """It is known which lines are the program's."""
        return self._run is not None

    def own(self) -> list[str]:
        """The conversations, subagents' too, that the program has worked on, the last one first."""
        return list(reversed(self._own))

    def others(self) -> Collection[str]:
        """Those that only other programs have worked on since this one started."""
        return self._others.keys() - self._own.keys()

    def read(self, facts: Facts, files: Files) -> None:
        """Take in what is new."""
        if self._run is None:
            self._run = _run(self.path, (facts.pid, *facts.below), files)
            if self._run is None:
                return
        early = facts.started - EARLY
        fresh = self._lines.read(files, lambda lines: any(0 < _moment(line) < early for line in lines[:20]))
        if fresh.anew:
            self._own.clear()
            self._others.clear()
        for line in fresh.lines:
            found = WORKED.match(line)
            if found:
                run, session = found[1], found[2].decode()
                if run == self._run:
                    _put(self._own, session)
                elif _moment(line) >= early:
                    _put(self._others, session)


def _put(sessions: dict[str, None], session: str) -> None:
    sessions.pop(session, None)
    sessions[session] = None
    if len(sessions) > KEPT:
        del sessions[next(iter(sessions))]


def _run(path: str, pids: Iterable[int], files: Files) -> bytes | None:
    """The word that stands in the lines of one of these processes. None where it has written none yet, or the system
    does not tell."""
    whole = files.part(path, 0, 0)
    if whole is None:
        return None
    for pid in pids:
        for position in _positions(pid, whole.inode, files):
            begin = max(0, position - LAST)
            part = files.part(path, begin, position - begin)
            if part is None or len(part.data) != position - begin or not part.data.endswith(b"\n"):
                continue
            found = LINE.match(part.data[:-1].rpartition(b"\n")[2])
            if found:
                return found[2]
    return None


def _positions(pid: int, inode: int, files: Files) -> list[int]:
    """How far the process has appended to the file with this inode."""
    folder = f"/proc/{pid}/fdinfo"
    found = []
    for entry in files.list(folder, HANDLES):
        told = files.read(f"{folder}/{entry.name}", 4096) or b""
        position, flags, node = POSITION.search(told), FLAGS.search(told), INODE.search(told)
        if position and flags and node and int(node[1]) == inode and int(flags[1], 8) & APPEND:
            found.append(int(position[1]))
    return [position for position in found if position]


def _moment(line: bytes) -> float:
    """When the line was written, in seconds since the epoch; 0 where it does not say."""
    found = LINE.match(line)
    if not found:
        return 0.0
    try:
        return datetime.fromisoformat(found[1].decode("ascii").replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0
