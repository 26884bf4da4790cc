"""OpenCode's database: its sessions, and the end of one of them. Seen with 1.18.33.

Tables `session`, `message`, `part`, of the latter two the column `data` as JSON; times in milliseconds since the epoch.
Only the few fields that count are taken out, by SQLite itself, since a tool's output may be large. A value that is too
large to be touched makes a query fail: then row by row, and what cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from opensessions.agents.adapter import Files
from opensessions.agents.opencode.turn import Message, Tool

NOW = "(julianday('now') - 2440587.5) * 86400"
"""Seconds since the epoch, as SQLite says it: an adapter has no clock of its own."""
SESSIONS = 50
MESSAGES = 12
"""Of the newest messages that are looked at: a user may send several while one is answered."""
PARTS = 200
"""Of the newest parts of a message."""
ONE_BY_ONE = 30
"""Parts that are read one by one at most."""
TEXT = 400
"""Characters of a text."""


class Session(Struct, frozen=True):
    """A conversation. Times in seconds since the epoch."""

    id: str
    title: str = ""
    version: str = ""
    created: float = 0.0
    updated: float = 0.0


COLUMNS = f"id, substr(title, 1, {TEXT}), substr(version, 1, 40), time_created, time_updated"
BY_FOLDER = f"""
SELECT {COLUMNS} FROM session
WHERE directory IN (?, ?) AND parent_id IS NULL AND time_archived IS NULL
ORDER BY time_updated DESC, id LIMIT {SESSIONS}
"""
BY_ID = f"SELECT {COLUMNS} FROM session WHERE id = ? AND parent_id IS NULL"

MESSAGE_IDS = (
    f"SELECT id FROM message WHERE session_id = ? ORDER BY time_created DESC, id DESC LIMIT {MESSAGES}"
)
MESSAGE = """
SELECT id, substr(json_extract(data, '$.role'), 1, 20), time_created, json_extract(data, '$.time.created'),
  json_extract(data, '$.time.completed'), substr(json_extract(data, '$.finish'), 1, 40),
  json_type(data, '$.error'), substr(json_extract(data, '$.error.name'), 1, 80),
  substr(json_extract(data, '$.parentID'), 1, 100)
FROM message WHERE id = ? AND json_valid(data)
"""
PART_IDS = f"SELECT id FROM part WHERE message_id = ? ORDER BY id DESC LIMIT {PARTS}"
TOOL = f"""
SELECT substr(json_extract(data, '$.tool'), 1, 80), substr(json_extract(data, '$.state.status'), 1, 20),
  json_type(data, '$.state.metadata'), json_extract(data, '$.state.time.start'),
  json_extract(data, '$.state.time.end'), substr(json_extract(data, '$.state.error'), 1, {TEXT})
FROM part WHERE json_valid(data) AND json_extract(data, '$.type') = 'tool'
"""
TOOLS = f"{TOOL} AND message_id = ? ORDER BY id DESC LIMIT {PARTS}"
TOOL_BY_ID = f"{TOOL} AND id = ?"
PROMPT = f"""
SELECT substr(json_extract(data, '$.text'), 1, {TEXT}) FROM part
WHERE message_id = ? AND json_valid(data) AND json_extract(data, '$.type') = 'text'
  AND json_extract(data, '$.synthetic') IS NULL
ORDER BY id LIMIT 1
"""
CHILDREN = f"""
SELECT count(*) FROM session AS child WHERE child.parent_id = ? AND child.time_updated >= ? AND EXISTS (
  SELECT 1 FROM message WHERE id = (
    SELECT id FROM message WHERE session_id = child.id ORDER BY time_created DESC, id DESC LIMIT 1
  ) AND json_valid(data) AND json_extract(data, '$.time.completed') IS NULL
    AND json_type(data, '$.error') IS NULL AND time_created >= ?
) LIMIT {SESSIONS}
"""


class Database:
    """One file. Every question answers with nothing where the file is not there, is locked, or has other tables."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path

    def _rows(self, sql: str, *values: object) -> Sequence[Sequence[Any]] | None:
        return self._files.query(self._path, sql, values)

    def now(self) -> float | None:
        """Seconds since the epoch. None where the file cannot be read."""
        rows = self._rows(f"SELECT {NOW}")
        return number(rows[0][0]) if rows else None

    def sessions(self, folder: str, other: str) -> list[Session]:
        """The conversations that were begun in these two folders, subagents' and archived ones left out, the one
        that was last worked on first."""
        return [_session(row) for row in self._rows(BY_FOLDER, folder, other) or ()]

    def session(self, id: str) -> Session | None:
        """This conversation; None where there is none, or it is a subagent's."""
        rows = self._rows(BY_ID, id)
        return _session(rows[0]) if rows else None

    def last(self, session: str) -> tuple[Message | None, Message | None]:
        """What the user said last, and the last step of the model; where nothing was said after it, what it answers."""
        user = None
        for id, *_ in self._rows(MESSAGE_IDS, session) or ():
            message = self._message(id)
            if message and message.role == "assistant":
                return user or self._message(message.parent), message
            if message and message.role == "user":
                user = user or message
        return user, None

    def _message(self, id: object) -> Message | None:
        rows = self._rows(MESSAGE, id)
        return _message(rows[0]) if rows else None

    def tools(self, message: str) -> tuple[Tool, ...]:
        """The tools that were called in this step."""
        rows = self._rows(TOOLS, message)
        if rows is None:
            ids = (self._rows(PART_IDS, message) or ())[:ONE_BY_ONE]
            rows = [row for (id, *_) in ids for row in self._rows(TOOL_BY_ID, id) or ()]
        return tuple(_tool(row) for row in rows)

    def prompt(self, message: str) -> str | None:
        """What the user wrote in this message."""
        rows = self._rows(PROMPT, message)
        return text(rows[0][0]) or None if rows else None

    def children(self, session: str, since: float) -> int | None:
        """How many subagents of this conversation are at work. None where that is not known."""
        since *= 1000
        rows = self._rows(CHILDREN, session, since, since)
        return int(number(rows[0][0]) or 0) if rows else None


def _session(row: Sequence[Any]) -> Session:
    id, title, version, created, updated = row
    return Session(text(id), text(title), text(version), seconds(created) or 0.0, seconds(updated) or 0.0)


def _message(row: Sequence[Any]) -> Message:
    id, role, column, created, completed, finish, error, name, parent = row
    return Message(
        text(id), text(role), seconds(created) or seconds(column) or 0.0, seconds(completed),
        text(finish) or None, text(name) if error not in (None, "null") else None, text(parent),
    )  # fmt: skip


def _tool(row: Sequence[Any]) -> Tool:
    name, status, metadata, started, ended, error = row
    return Tool(
        text(name),
        text(status),
        metadata not in (None, "null"),
        seconds(started),
        seconds(ended),
        text(error),
    )


def text(value: object) -> str:
    """The value if it is a text, cut; else ""."""
    return value[:TEXT] if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """The value if it is a number that a time may be; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e15 else None


def seconds(milliseconds: object) -> float | None:
    """Of milliseconds, if they are a number; else None."""
    found = number(milliseconds)
    return None if found is None else found / 1000
