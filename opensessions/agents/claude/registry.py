"""What Claude Code says of itself: `<config>/sessions/<pid>.json`, since 2.1.139; seen with 2.1.197 and 2.1.329.

Written anew at every change, taken away at a clean exit, left as it was by a kill. The first version may lack `status`;
so do those of `claude -p` and of the SDK. `procStart` is field 22 of /proc/<pid>/stat.

Qwen Code 0.24.4 keeps files of the same kind, without a status and with the boot's id before `procStart`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from opensessions.agents.adapter import Facts, Files

LONGEST = 1 << 16
"""Bytes of such a file; those seen have less than 1,000."""
NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
CLOSE = 60.0
"""Seconds between the start of a process and that of the session in it, where the system gives nothing better."""


class _File(Struct):
    """As it stands there. Anything may be anything."""

    pid: Any = None
    sessionId: Any = None
    cwd: Any = None
    startedAt: Any = None
    procStart: Any = None
    kind: Any = None
    status: Any = None
    waitingFor: Any = None
    statusUpdatedAt: Any = None
    name: Any = None
    nameSource: Any = None


class Registered(Struct, frozen=True):
    """One process's entry. Times in seconds since the epoch."""

    path: str
    thread: str
    cwd: str = ""
    status: str = ""
    """`busy`, `idle`, `waiting`, `shell` (at rest, a shell runs in the background); "" where it is not said."""
    waiting_for: str = ""
    at: float | None = None
    """Since when it has this status."""
    started: float | None = None
    title: str | None = None
    """A name that was chosen; one made of the directory's does not count."""
    here: bool = True
    """It is the conversation that a person has in that terminal, not a job in the background."""


class Entries(Struct, frozen=True):
    """What a look at the files of an agent's processes gave."""

    entry: Registered | None
    torn: bool
    """There is one that cannot be read: it is being written."""


def entries(folder: str, facts: Facts, files: Files) -> Entries:
    """The entry of one of the agent's processes."""
    torn = False
    for path, pid in zip(places(folder, facts), (facts.pid, *facts.below), strict=False):
        data = files.read(path, LONGEST)
        if data is None:
            continue
        try:
            file = msgspec.json.decode(data, type=_File)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            torn = True
            continue
        if _owned(file, pid, facts, files):
            entry = _entry(path, file)
            if entry is not None:
                return Entries(entry, False)
    return Entries(None, torn)


def places(folder: str, facts: Facts) -> Sequence[str]:
    """Where the entry may stand."""
    return [f"{folder}/{pid}.json" for pid in (facts.pid, *facts.below[:7])]


def _owned(file: _File, pid: int, facts: Facts, files: Files) -> bool:
    """Was it written by this process, not by an earlier one with its number?"""
    if isinstance(file.pid, int) and file.pid != pid:
        return False
    ticks = file.procStart.rpartition(":")[2] if isinstance(file.procStart, str) else ""
    if ticks.isascii() and ticks.isdigit():
        start = facts.start if pid == facts.pid else files.stat_start(pid)
        return start is not None and ticks.lstrip("0") == str(start)
    began = seconds(file.startedAt)
    return began is None or -CLOSE <= began - facts.started <= CLOSE or pid != facts.pid


def _entry(path: str, file: _File) -> Registered | None:
    if not isinstance(file.sessionId, str) or not is_thread(file.sessionId):
        return None
    chosen = file.nameSource in ("user", "auto") and isinstance(file.name, str)
    return Registered(
        path=path,
        thread=file.sessionId,
        cwd=_text(file.cwd),
        status=_text(file.status),
        waiting_for=_text(file.waitingFor),
        at=seconds(file.statusUpdatedAt),
        started=seconds(file.startedAt),
        title=file.name if chosen else None,
        here=file.kind in (None, "interactive", "tui"),
    )


def is_thread(text: str) -> bool:
    """Can it be a conversation's id, and so part of a path?"""
    return 0 < len(text) <= 128 and NAMES.issuperset(text)


def seconds(milliseconds: object) -> float | None:
    """Since the epoch; None for what is no such time."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    return milliseconds / 1000 if 0 < milliseconds < 1e15 else None


def _text(value: object) -> str:
    return value[:4096] if isinstance(value, str) else ""
