"""A world that exists only in a recording: a loop whose time is the recording's, files, processes, screens."""

from __future__ import annotations

import asyncio
import re
import selectors
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opensessions.agents.adapter import Entry, Part
from opensessions.model import Process
from opensessions.processes.source import Stat

_HANDLES = re.compile(r"/proc/(\d+)/fdinfo")


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    """Never waits: where the loop would, its clock goes on instead."""

    loop: Loop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready: list[Any] = super().select(0)
        if not ready and timeout:
            self.loop.moment += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """Runs as fast as it can, by a clock of its own. What is given to a thread is done at once."""

    def __init__(self) -> None:
        self.moment = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.moment

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        done = self.create_future()
        done.set_result(func(*args))
        return done


class MemoryFiles:
    """See `opensessions.agents.adapter.Files`. `changed` is called with each path that appears, changes or goes."""

    def __init__(self, now: Callable[[], float], changed: Callable[[str], None]) -> None:
        self._now, self._changed = now, changed
        self._files: dict[str, tuple[bytes, float, int]] = {}
        self._folders: dict[str, float] = {}
        self._databases: dict[str, sqlite3.Connection] = {}
        self._inode = 0
        self.schemas: dict[str, list[str]] = {}
        """Of databases: their tables are all there from the beginning."""
        self.open: dict[int, list[str]] = {}
        self.started: Mapping[int, int] = {}
        self.written: dict[int, dict[str, int]] = {}
        """Pid -> the files of lines that it appends to, and how many lines there were after its last one."""

    # --- what happens to them -----------------------------------------------------------------------------------

    def _put(self, path: str, data: bytes, *, anew: bool) -> None:
        known = self._files.get(path)
        if known is None or anew:
            self._inode += 1
        inode = self._inode if known is None or anew else known[2]
        self._files[path] = (data, self._now(), inode)
        made = []
        if known is None:
            above = path.rpartition("/")[0]
            while above and above not in self._folders:
                made.append(above)
                above = above.rpartition("/")[0]
            self._folders |= dict.fromkeys([*made, path.rpartition("/")[0]], self._now())
        for each in [*reversed(made), path]:
            self._changed(each)

    def apply(self, path: str, change: Mapping[str, Any]) -> None:
        """An event `file` of a recording."""
        if "gone" in change:
            del self._files[path]
            self._changed(path)
        elif "set" in change:
            self._put(path, change["set"].encode(), anew=True)
        else:
            self._put(path, self._files.get(path, (b"",))[0] + change["add"].encode(), anew=False)

    def apply_rows(self, path: str, change: Mapping[str, Any]) -> None:
        """An event `rows` of a recording."""
        if path not in self._databases:
            self._databases[path] = sqlite3.connect(":memory:", isolation_level=None)
            for each in self.schemas.get(path, ()):
                self._databases[path].execute(each)
        line = self._databases[path]
        table, columns = change["table"], change["columns"]
        names = ", ".join(f'"{each}"' for each in columns)
        for key in change["cut"]:
            by = "rowid" if isinstance(key, int) else f'"{columns[0]}"'
            line.execute(f'delete from "{table}" where {by} = ?', (key,))
        for rowid, *values in change["put"]:
            head = ("rowid, ", [rowid]) if rowid else ("", [])
            marks = ", ".join("?" * (len(head[1]) + len(values)))
            line.execute(
                f'insert or replace into "{table}" ({head[0]}{names}) values ({marks})', [*head[1], *values]
            )
        for each in (path, f"{path}-wal"):
            self._put(each, b"SQLite format 3\0", anew=False)

    def close(self) -> None:
        """Let go of the databases."""
        for each in self._databases.values():
            each.close()

    # --- Files ---------------------------------------------------------------------------------------------------

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        pid = _HANDLES.fullmatch(folder)
        if pid:
            return [Entry(str(place), 0, 0.0) for place in range(len(self.written.get(int(pid[1]), ())))]
        found = [
            Entry(path.rpartition("/")[2], len(data), modified)
            for path, (data, modified, _) in self._files.items()
            if path.rpartition("/")[0] == folder
        ]
        found += [
            Entry(path.rpartition("/")[2], 4096, modified, folder=True)
            for path, modified in self._folders.items()
            if path.rpartition("/")[0] == folder
        ]
        return sorted(found, key=lambda entry: (entry.modified, entry.name), reverse=True)[:limit]

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        folder, _, name = path.rpartition("/")
        pid = _HANDLES.fullmatch(folder)
        if pid:
            return self._handle(list(self.written.get(int(pid[1]), {}).items())[int(name)])
        known = self._files.get(path)
        return known[0] if known and len(known[0]) <= limit else None

    def _handle(self, written: tuple[str, int]) -> bytes | None:
        """What Linux tells of a file that a process appends to."""
        path, lines = written
        known = self._files.get(path)
        if known is None:
            return None
        data, _, inode = known
        position = sum(len(line) for line in data.splitlines(keepends=True)[:lines])
        return f"pos:\t{position}\nflags:\t02102001\nmnt_id:\t1\nino:\t{inode}\n".encode()

    def part(self, path: str, start: int, length: int) -> Part | None:
        known = self._files.get(path)
        if known is None:
            return None
        data, _, inode = known
        begin = max(0, len(data) + start) if start < 0 else start
        return Part(data[begin : begin + length], begin, len(data), inode)

    def open_by(self, pid: int) -> Sequence[str]:
        return self.open.get(pid, ())

    def stat_start(self, pid: int) -> int | None:
        return self.started.get(pid)

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        if path not in self._databases:
            return None
        now = datetime.fromtimestamp(self._now(), UTC).isoformat(sep=" ", timespec="milliseconds")[:23]
        asked = sql.replace("'now'", f"'{now}'")  # SQLite's own clock is not the recording's
        try:
            return self._databases[path].execute(asked, tuple(values)).fetchmany(1000)  # type: ignore[arg-type]
        except sqlite3.OperationalError:
            return None  # a table that the recording does not have


class MemoryWatch:
    """See `opensessions.files.watch.Watch`."""

    def __init__(self) -> None:
        self._on_change: Callable[[str], None] = lambda token: None
        self._wanted: dict[str, frozenset[str]] = {}

    def listen(self, on_change: Callable[[str], None]) -> MemoryWatch:
        """Tell this one from now on."""
        self._on_change = on_change
        return self

    def wish(self, token: str, paths: Collection[str]) -> None:
        self._wanted[token] = frozenset(paths)

    def close(self) -> None:
        self._wanted.clear()

    def changed(self, path: str) -> None:
        """Tell whoever wants this path or its folder."""
        for token, wanted in list(self._wanted.items()):
            if path in wanted or path.rpartition("/")[0] in wanted:
                self._on_change(token)


class MemoryProcesses:
    """See `opensessions.processes.source.ProcessSource`: what the tracker asks of it."""

    def __init__(self, ticks: Callable[[], int]) -> None:
        self._ticks = ticks
        self.alive: dict[int, Process] = {}
        self.folders: dict[int, str] = {}
        self.environments: dict[int, Mapping[str, str]] = {}

    def began(self, details: Mapping[str, Any]) -> None:
        """An event `began` or `changed`."""
        pid = details["pid"]
        self.alive = {
            **self.alive,
            pid: Process(
                pid, details["ppid"], details["start"], details["comm"], details["exe"], tuple(details["argv"]),
                details["session"],
            ),
        }  # fmt: skip
        self.folders[pid], self.environments[pid] = details["cwd"], details["env"]

    def ended(self, pid: int) -> None:
        """An event `ended`. Its children go to the first process."""
        self.alive = {
            each.pid: Process(
                each.pid, 1 if each.ppid == pid else each.ppid, each.start, each.comm, each.exe, each.argv, each.session
            )
            if each.ppid == pid
            else each
            for each in self.alive.values()
            if each.pid != pid
        }  # fmt: skip

    def above(self, pid: int) -> list[int]:
        """A process and those above it."""
        found = [pid]
        while (known := self.alive.get(found[-1])) and known.ppid > 1 and len(found) < 8:
            found.append(known.ppid)
        return found

    def stat(self, pid: int) -> Stat | None:
        known = self.alive.get(pid)
        return Stat(pid, known.ppid, known.session, known.start, known.comm) if known else None

    def program(self, pid: int) -> tuple[tuple[str, ...], str]:
        known = self.alive.get(pid)
        return (known.argv, known.exe) if known else ((), "")

    def folder(self, pid: int) -> str:
        return self.folders.get(pid, "") if pid in self.alive else ""

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        return {name: value for name, value in self.environments.get(pid, {}).items() if name in names}

    def now(self) -> int:
        return self._ticks()
