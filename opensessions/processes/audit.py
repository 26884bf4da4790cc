"""What was ended, by whom and why: `<state>/reap.log`, JSON lines that outlive the server.

Nothing is signalled before the intent to do so is on the disk.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from opensessions.errors import Refused, UnsafePath
from opensessions.processes.identity import ProcId

Kind = Literal["intent", "signal", "outcome", "refused", "sweep"]
"""`intent`: these processes are about to be signalled, and why. `signal`: one was. `outcome`: what became of one.
`refused`: nothing (more) is signalled, and why not. `sweep`: what a sweep found."""

LIMIT = 1 << 20
"""Bytes of a file before the next is begun."""
KEPT = 3
"""Files: `reap.log`, `reap.log.1`, `reap.log.2`."""
LONGEST = 400
"""Characters of a text in an entry."""
PATIENCE = 2.0
"""Seconds to wait for another server that writes at this moment."""

Field = str | int | float | bool | None | list[dict[str, str | int]]

log = logging.getLogger(__name__)


class Audit:
    """The log at `path`, or one with further fields in every entry. May be used from several threads, and by several
    servers at once."""

    def __init__(self, path: str, about: Mapping[str, Field] | None = None) -> None:
        self.path = path
        self._about = about or {}

    def about(self, **fields: Field) -> Audit:
        """The same log; every entry has these fields as well."""
        return Audit(self.path, {**self._about, **fields})

    def write(self, kind: Kind, **fields: Field) -> None:
        """Add an entry. An intent is on the disk when this returns (which may take tens of milliseconds). Refused,
        with the log as it was before, where that is impossible."""
        entry = {"at": round(time.time(), 3), "kind": kind, **self._about, **fields}
        try:
            _append(self.path, _line(entry), durable=kind == "intent")
        except OSError as error:
            raise Refused(
                f"The audit log {self.path} cannot be written ({error.strerror}), so nothing is ended; make room or"
                " make it writable."
            ) from error

    def note(self, kind: Kind, **fields: Field) -> None:
        """`write`, for what has happened already: where it fails the program's own log says so."""
        try:
            self.write(kind, **fields)
        except (Refused, UnsafePath) as error:
            log.warning("%s Lost: %s %s", error, kind, fields)


def read(path: str) -> tuple[dict[str, Any], ...]:
    """Every entry that is kept, the oldest first. Lines that are no entries are left out, such as one that a loss of
    power cut off."""
    found = []
    for number in reversed(range(KEPT)):
        try:
            with open(_name(path, number), encoding="utf-8", errors="replace", opener=_at_once) as file:
                lines = file.read(2 * LIMIT).split("\n")
        except OSError:
            continue
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                found.append(entry)
    return tuple(found)


class Unfinished(Struct, frozen=True):
    """An ending that was begun and of which some processes have no outcome: the server was killed meanwhile."""

    entry: Mapping[str, Any]
    """The last intent's, with whatever it tells besides the processes."""
    tree: tuple[ProcId, ...]
    """Those without an outcome, as they were pinned. Whether they still run, and may be ended, is to be judged anew."""


def unfinished(entries: Iterable[Mapping[str, Any]]) -> tuple[Unfinished, ...]:
    """What was begun and not finished, the oldest first. Entries that were tampered with are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    left: dict[str, dict[tuple[int, ...], ProcId]] = {}
    for entry in entries:
        ending = entry.get("ending")
        if not isinstance(ending, str):
            continue
        if entry.get("kind") == "intent":
            found[ending] = entry
            left.setdefault(ending, {}).update(((each.pid, each.start), each) for each in _processes(entry))
        elif entry.get("kind") == "outcome":
            left.get(ending, {}).pop(_numbers(entry, "pid", "start"), None)
    return tuple(Unfinished(found[ending], tuple(tree.values())) for ending, tree in left.items() if tree)


def _processes(entry: Mapping[str, Any]) -> list[ProcId]:
    tree, boot, namespace = entry.get("tree"), entry.get("boot"), entry.get("namespace")
    if not isinstance(tree, list) or not isinstance(boot, str) or type(namespace) is not int:
        return []
    found = []
    for each in tree:
        if isinstance(each, dict) and len(numbers := _numbers(each, "pid", "start", "inode")) == 3:
            pid, start, inode = numbers
            found.append(ProcId(pid, start, boot, namespace, inode))
    return found


def _numbers(entry: Mapping[str, Any], *names: str) -> tuple[int, ...]:
    """The numbers with these names; those that are none are left out."""
    return tuple(number for name in names if type(number := entry.get(name)) is int and number >= 0)


def _line(entry: Mapping[str, Any]) -> bytes:
    """Nothing in it acts on a terminal: all but printable ASCII is written as an escape."""
    cut = {
        key: value[:LONGEST] + "…" if isinstance(value, str) and len(value) > LONGEST else value
        for key, value in entry.items()
    }
    text = json.dumps(cut, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def _at_once(path: str, flags: int) -> int:
    """Does not wait for somebody to write, should the log be a pipe."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _name(path: str, number: int) -> str:
    return f"{path}.{number}" if number else path


def _append(path: str, line: bytes, durable: bool) -> None:
    handle = _locked(path)
    try:
        size = os.fstat(handle).st_size
        if size and size + len(line) > LIMIT:
            # Whoever waits for the lock on the old file sees that it has moved.
            for number in reversed(range(1, KEPT)):
                if os.path.lexists(_name(path, number - 1)):
                    os.replace(_name(path, number - 1), _name(path, number))
            os.close(handle)
            handle = -1
            handle = _locked(path)
            size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        try:
            written = 0
            while written < len(line):
                written += os.write(handle, line[written:])
            if durable:
                os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
        if durable and not size:
            _keep_name(path)
    finally:
        if handle >= 0:
            os.close(handle)


def _locked(path: str) -> int:
    """The file at `path`, open and locked: whoever holds it holds it for microseconds, or for one fsync."""
    while True:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path, flags, 0o600)
        try:
            _lock(handle)
            found = os.fstat(handle)
            if found.st_mode & 0o170000 != 0o100000 or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise UnsafePath(
                    f"{path} is not a file of yours alone, so nothing is ended; move it away or run: chmod 600 '{path}'"
                )
            if found.st_nlink and os.path.samestat(found, os.lstat(path)):
                return handle
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise
        time.sleep(0.002)


def _keep_name(path: str) -> None:
    """A new file's name is on the disk only when its folder is."""
    handle = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
