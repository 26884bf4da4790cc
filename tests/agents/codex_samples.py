"""Homes as Codex 0.169.0 leaves them, and what it really wrote there."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opensessions.agents.adapter import Facts
from opensessions.files.disk import Disk

DATA = Path(__file__).parent / "data" / "codex-0.169.0"
NOW = 1_795_262_500.0
"""Seconds since the epoch; the samples' threads were begun around then."""
LOGS = (
    "CREATE TABLE logs (id INTEGER PRIMARY KEY AUTOINCREMENT, ts INTEGER NOT NULL, ts_nanos INTEGER NOT NULL, "
    "level TEXT NOT NULL, target TEXT NOT NULL, feedback_log_body TEXT, thread_id TEXT, process_uuid TEXT)"
)
THREADS = "CREATE TABLE threads (id TEXT PRIMARY KEY, title TEXT, first_user_message TEXT, name TEXT)"


def sample(name: str, lines: int | None = None) -> bytes:
    """The first `lines` lines of a rollout."""
    return b"".join((DATA / f"{name}.jsonl").read_bytes().splitlines(keepends=True)[:lines])


def thread(at: float, tail: int = 1) -> str:
    """An id that was made at that moment."""
    made = f"{round(at * 1000):012x}"
    return f"{made[:8]}-{made[8:]}-7000-8000-{tail:012x}"


def line(type: str, payload: dict[str, Any], at: float = NOW) -> bytes:
    """A line of a rollout."""
    stamp = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"timestamp": stamp, "ordinal": 1, "type": type, "payload": payload}).encode() + b"\n"


def event(kind: str, at: float = NOW, **more: Any) -> bytes:
    """An `event_msg` line."""
    return line("event_msg", {"type": kind, **more}, at)


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Machine(Disk):
    """The real files, and what processes hold open."""

    def __init__(self) -> None:
        self.held: dict[int, Sequence[str]] = {}

    def open_by(self, pid: int) -> Sequence[str]:
        """What the test says."""
        return self.held.get(pid, ())


class Home:
    """A CODEX_HOME."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / ".codex"
        self.path.mkdir(parents=True, exist_ok=True)

    def facts(self, pid: int = 10, started: float = NOW, **more: Any) -> Facts:
        """A process with this home, in /lab/proj."""
        given = {"env": {"HOME": str(self.folder)}, "cwd": "/lab/proj", "argv": ("codex",), **more}
        return Facts(pid=pid, start=1, started=started, **given)

    def touch(self, folder: str, name: str, at: float) -> str:
        """Make an empty file with this time."""
        path = self.path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (at, at))
        return str(path)

    def take_up(self, id: str, at: float) -> None:
        """A program in a terminal takes up a thread."""
        self.touch("tui-thread-reference-capabilities", id, at)
        self.touch("thread-writer-locks", f"{id}.lock", at)

    def rollout(self, id: str, at: float, data: bytes | None = None, **meta: Any) -> Path:
        """A thread's file, with a first line of its own unless `data` is given."""
        day = datetime.fromtimestamp(at).strftime("%Y/%m/%d")
        path = self.path / "sessions" / day / f"rollout-2026-11-21T12-00-00-{id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {"id": id, "cwd": "/lab/proj", "originator": "codex-tui", "source": "vscode", **meta}
        path.write_bytes(line("session_meta", told, at) if data is None else data)
        return path

    def log(self, *rows: tuple[int, str, float]) -> None:
        """Rows of the log: pid, target, time."""
        with sqlite3.connect(self.path / "logs_2.sqlite") as database:
            if not database.execute("SELECT 1 FROM sqlite_master").fetchall():
                database.execute(LOGS)
            database.executemany(
                "INSERT INTO logs (process_uuid, target, ts, ts_nanos, level) VALUES (?, ?, ?, ?, 'INFO')",
                [(f"pid:{pid}:uuid", target, int(at), int(at % 1 * 1e9)) for pid, target, at in rows],
            )
        database.close()

    def name(self, id: str, title: str, first: str, name: str | None = None) -> None:
        """A row of the threads' database."""
        with sqlite3.connect(self.path / "state_5.sqlite") as database:
            database.execute(THREADS.replace("TABLE", "TABLE IF NOT EXISTS"))
            database.execute("REPLACE INTO threads VALUES (?, ?, ?, ?)", (id, title, first, name))
        database.close()
