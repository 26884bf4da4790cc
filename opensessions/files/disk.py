"""The real files behind `opensessions.agents.adapter.Files`. Blocks; give it to a thread."""

from __future__ import annotations

import heapq
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from stat import S_ISDIR, S_ISREG
from typing import Any
from urllib.parse import quote

from opensessions.agents.adapter import Entry, Part
from opensessions.processes.source import this_system

READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""A pipe or a terminal that stands where a file should is opened without waiting, and then not read."""
PIECE = 4 << 20
"""Bytes that one call reads at most."""
ROWS = 1000
CELL = 256 << 10
"""Bytes of one value of a database."""
INSIDE = 32 << 20
"""Bytes of one value that a query may look into."""
ALL = 8 << 20
"""Bytes of all values together, about."""
STEPS = 2_000_000
"""Virtual machine instructions that a query may take: some tens of milliseconds."""
BUSY = 0.05
"""Seconds to wait for a database that is being written."""


class Disk:
    """See `Files`."""

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        """See `Files.list`."""
        found = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    try:
                        stat = entry.stat()
                    except OSError:
                        continue  # gone meanwhile, or a link to nowhere
                    found.append(Entry(entry.name, stat.st_size, stat.st_mtime, S_ISDIR(stat.st_mode)))
        except (OSError, ValueError):
            return ()
        return heapq.nlargest(limit, found, key=lambda entry: (entry.modified, entry.name))

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        """See `Files.read`."""
        part = self.part(path, 0, min(limit, PIECE) + 1)
        return part.data if part is not None and part.size <= limit and len(part.data) <= limit else None

    def part(self, path: str, start: int, length: int) -> Part | None:
        """See `Files.part`."""
        try:
            handle = os.open(path, READ)
        except (OSError, ValueError):
            return None
        try:
            stat = os.fstat(handle)
            if not S_ISREG(stat.st_mode):
                return None
            begin = max(0, stat.st_size + start) if start < 0 else start
            return Part(
                _all(handle, begin, min(length, PIECE + (64 << 10))), begin, stat.st_size, stat.st_ino
            )
        except OSError:
            return None
        finally:
            os.close(handle)

    def open_by(self, pid: int) -> Sequence[str]:
        """See `Files.open_by`. From /proc; another system does not tell."""
        found = []
        try:
            with os.scandir(f"/proc/{pid}/fd") as handles:
                for handle in handles:
                    try:
                        path = os.readlink(handle.path)
                    except OSError:
                        continue
                    if path.startswith("/") and not path.startswith(("/dev/", "/proc/", "/memfd:")):
                        found.append(path)
        except OSError:
            return ()
        return sorted(set(found))

    def stat_start(self, pid: int) -> int | None:
        """See `Files.stat_start`."""
        stat = this_system().stat(pid) if pid > 0 else None
        return None if stat is None or stat.exited else stat.start

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        """See `Files.query`."""
        if not os.path.isfile(path):
            return None
        try:
            with closing(
                sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY, isolation_level=None)
            ) as database:
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, INSIDE)
                steps = _Steps()
                database.set_progress_handler(steps.more, 10_000)
                database.text_factory = lambda data: data.decode("utf-8", "replace")
                return _bounded(database.execute(sql, tuple(values)))
        except (sqlite3.Error, ValueError, OverflowError, MemoryError):
            return None


def _bounded(found: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]] | None:
    """The rows; None where one holds a value that is too long."""
    rows: list[tuple[Any, ...]] = []
    taken = 0
    for row in found:
        sizes = [len(value) for value in row if isinstance(value, (str, bytes))]
        if max(sizes, default=0) > CELL:
            return None
        taken += sum(sizes)
        rows.append(row)
        if len(rows) == ROWS or taken > ALL:
            break
    return rows


class _Steps:
    """Counts what a query has taken; true ends it."""

    def __init__(self) -> None:
        self._taken = 0

    def more(self) -> bool:
        self._taken += 10_000
        return self._taken > STEPS


def _all(handle: int, start: int, length: int) -> bytes:
    """`length` bytes, fewer only where the file ends."""
    pieces = []
    while length > 0:
        piece = os.pread(handle, length, start)
        if not piece:
            break
        pieces.append(piece)
        start += len(piece)
        length -= len(piece)
    return b"".join(pieces)
