"""Goose's database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from opensessions.agents.adapter import Facts, Look
from opensessions.agents.goose import Reader
from opensessions.agents.signal import BUSY, RESTING
from tests.agents.opencode_samples import Clocked

SCHEMA = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, description TEXT NOT NULL DEFAULT '', working_dir TEXT NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL,
  content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL);
"""


def write(
    home: Path, *messages: tuple[str, list[str] | str], session: str = "g1", folder: str = "/p"
) -> None:
    path = home / ".local/share/goose/sessions/sessions.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        if fresh:
            database.executescript(SCHEMA)
        database.execute("INSERT INTO sessions VALUES (?, 'A title', ?)", (session, folder))
        for role, content in messages:
            told = content if isinstance(content, str) else json.dumps([{"type": kind} for kind in content])
            database.execute(
                "INSERT INTO messages (session_id, role, content_json, created_timestamp) VALUES (?, ?, ?, 1000)",
                (session, role, told),
            )


def look(home: Path, now: float = 1010.0, **told: Any) -> Look:
    facts = Facts(**{"pid": 9, "start": 1, "started": 900.0, "cwd": "/p", "env": {"HOME": str(home)}, **told})
    return Reader().look(facts, Clocked(now))


USER = ("user", ["text"])
TURNS: dict[str, tuple[list[tuple[str, list[str] | str]], set[str]]] = {
    "asked": ([USER], {"running"}),
    "answered": ([USER, ("assistant", ["thinking", "text"])], {"done"}),
    "called": ([USER, ("assistant", ["text", "toolRequest"])], {"tool-running", "waiting"}),
    "confirm": ([USER, ("assistant", ["toolConfirmationRequest"])], {"waiting"}),
    "ran": ([USER, ("assistant", ["toolRequest"]), ("user", ["toolResponse"])], {"running"}),
    "odd": ([USER, ("assistant", "{not json")], {"done"}),
}


@pytest.mark.parametrize("name", TURNS)
def test_what_the_last_message_says(tmp_path: Path, name: str) -> None:
    messages, states = TURNS[name]
    write(tmp_path, *messages)
    (signal,) = look(tmp_path).signals
    assert signal.states == states
    assert (signal.about.thread, signal.about.title) == ("g1", "A title")


def test_what_is_long_silent_may_be_anything(tmp_path: Path) -> None:
    write(tmp_path, USER)
    again = look(tmp_path).again
    assert again
    (signal,) = look(tmp_path, 1010.0 + again).signals
    assert signal.states == BUSY | RESTING


def test_what_is_not_known_to_be_its_own_is_not_told(tmp_path: Path) -> None:
    write(tmp_path, USER)
    for told in ({"rivals": 1}, {"cwd": "/other"}, {"started": 2000.0}, {"taken": frozenset({"g1"})}):
        assert not look(tmp_path, **told).signals


def test_another_schema_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "root/data/sessions/sessions.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sessions (id, other)")
    found = look(tmp_path, env={"GOOSE_PATH_ROOT": str(tmp_path / "root")})
    assert not found.signals
    assert str(path) in found.watch
