"""What OpenCode 1.18.33 really wrote, told and showed, and databases made of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opensessions.agents.adapter import Facts
from opensessions.agents.opencode.db import NOW
from opensessions.files.disk import Disk

DATA = Path(__file__).parent / "data" / "opencode-1.18.33"
SCHEMA = (DATA / "schema.sql").read_text()
FILLERS = {
    "project_id": "global", "slug": "s", "directory": "/lab/proj", "title": "t", "version": "1.18.33",
    "worktree": "/lab/proj", "sandboxes": "[]", "time_created": 0, "time_updated": 0,
}  # fmt: skip


class Clocked(Disk):
    """The real files, with a clock that is moved by hand."""

    def __init__(self, now: float) -> None:
        self.now = now

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        """As the disk's, at our time."""
        return super().query(path, sql.replace(NOW, f"{self.now:.3f}"), values)


class Store:
    """A database below a home, which stays open as OpenCode keeps it: in write-ahead mode."""

    def __init__(self, home: Path, name: str = "opencode", schema: str = SCHEMA) -> None:
        folder = home / ".local" / "share" / name
        folder.mkdir(parents=True)
        self.path = folder / f"{name}.db"
        self._database = sqlite3.connect(self.path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(schema)
        self.columns = {
            table: [row[1] for row in self._database.execute(f"PRAGMA table_info({table})")]
            for table in ("session", "message", "part", "project")
        }

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        """Write a row, in place of the one with its id. `data` may be an object or a text."""
        full = {**{name: value for name, value in FILLERS.items() if name in self.columns[table]}, **row}
        values = [json.dumps(v) if isinstance(v, dict | list) else v for v in full.values()]
        marks = ", ".join("?" * len(full))
        self._database.execute(f"REPLACE INTO {table} ({', '.join(full)}) VALUES ({marks})", values)

    def fill(self, name: str) -> None:
        """Write the rows of a sample."""
        for line in (DATA / f"{name}.rows.jsonl").read_text().splitlines():
            ((table, row),) = json.loads(line).items()
            self.put(table, row)

    def close(self) -> None:
        """As the program does when it ends."""
        self._database.close()


def facts(home: Path, **told: Any) -> Facts:
    """A program that has just started in /lab/proj, long before anything in the samples."""
    env = {"HOME": str(home), **told.pop("env", {})}
    return Facts(**{"pid": 999_999_999, "start": 1, "started": 1.0, "cwd": "/lab/proj", "env": env, **told})


def timeline(name: str) -> list[dict[str, Any]]:
    """A recording: `at`, and an `event` with `properties`, a `row` of a `table`, a `screen`, or the `truth`."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]


def as_told(events: Iterable[Mapping[str, Any]]) -> list[tuple[float, str, dict[str, Any]]]:
    """The events as our plugin tells them: with what only it knows of subagents and open questions."""
    children: set[str] = set()
    asked: set[str] = set()
    found = []
    for each in events:
        event, properties = each["event"], each["properties"]
        info = properties.get("info") or {}
        if event.startswith("session.") and info.get("parentID"):
            children.add(info["id"])
        if event in ("permission.asked", "question.asked"):
            asked.add(properties["id"])
        if event in ("permission.replied", "question.replied", "question.rejected"):
            asked.discard(properties["requestID"])
        payload: dict[str, Any] = {"properties": properties, "open": len(asked)}
        if properties.get("sessionID") in children:
            payload["child"] = True
        found.append((each["at"], event, payload))
    return found
