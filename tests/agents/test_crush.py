"""Crush's database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from opensessions.agents.adapter import Facts, Look
from opensessions.agents.crush import Reader
from opensessions.agents.signal import RESTING
from opensessions.files.disk import Disk

SCHEMA = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL, parts BLOB NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, finished_at INTEGER);
"""


def write(folder: Path, *messages: tuple[str, Any]) -> None:
    path = folder / ".crush/crush.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(SCHEMA)
        database.execute(
            "INSERT INTO sessions VALUES ('c1', NULL, 'A title', 1000), ('c2', 'c1', 'Task', 2000)"
        )
        for number, (role, parts) in enumerate(messages):
            data = parts if isinstance(parts, bytes) else json.dumps(parts).encode()
            row = (f"m{number}", "c1", role, data, 1000 + number, 1000 + number)
            database.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, NULL)", row)


def look(folder: Path, **told: Any) -> Look:
    return Reader().look(
        Facts(**{"pid": 9, "start": 1, "started": 900.0, "cwd": str(folder), **told}), Disk()
    )


def finish(reason: str) -> dict[str, Any]:
    return {"type": "finish", "data": {"reason": reason, "time": 1001}}


TEXT = {"type": "text", "data": {"text": "x"}}
CALL = {"type": "tool_call", "data": {"id": "t", "name": "bash", "finished": True}}
USER = ("user", [TEXT])
TURNS: dict[str, tuple[list[tuple[str, Any]], set[str]]] = {
    "asked": ([USER], {"running"}),
    "answers": ([USER, ("assistant", [TEXT])], {"running"}),
    "answered": ([USER, ("assistant", [TEXT, finish("end_turn")])], {"done"}),
    "canceled": ([USER, ("assistant", [TEXT, finish("canceled")])], {"interrupted"}),
    "error": ([USER, ("assistant", [finish("error")])], {"error"}),
    "unknown": ([USER, ("assistant", [finish("unknown")])], set(RESTING)),
    "called": ([USER, ("assistant", [CALL, finish("tool_use")])], {"tool-running", "waiting"}),
    "ran": (
        [USER, ("assistant", [CALL, finish("tool_use")]), ("tool", [{"type": "tool_result"}])],
        {"running"},
    ),
    "odd": ([USER, ("assistant", b"\xff{")], {"running"}),
}


@pytest.mark.parametrize("name", TURNS)
def test_what_the_last_message_says(tmp_path: Path, name: str) -> None:
    messages, states = TURNS[name]
    write(tmp_path, *messages)
    (signal,) = look(tmp_path).signals
    assert signal.states == states
    assert (signal.about.thread, signal.about.title) == ("c1", "A title")


def test_what_is_not_known_to_be_its_own_is_not_told(tmp_path: Path) -> None:
    write(tmp_path, USER)
    for told in ({"rivals": 1}, {"cwd": ""}, {"started": 2000.0}, {"taken": frozenset({"c1"})}):
        assert not look(tmp_path, **told).signals


def test_another_schema_says_nothing(tmp_path: Path) -> None:
    (tmp_path / ".crush").mkdir()
    with closing(sqlite3.connect(tmp_path / ".crush/crush.db")) as database:
        database.execute("CREATE TABLE sessions (id, other)")
    assert not look(tmp_path).signals
