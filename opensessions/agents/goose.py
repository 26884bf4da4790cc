"""Goose. Its built-in tools run as `goose mcp NAME`. From public sources, not seen running.

Its database `~/.local/share/goose/sessions/sessions.db` (GOOSE_PATH_ROOT moves it to `data/sessions` below) holds a
message once it is complete: `sessions(id, working_dir, …)`, `messages(id, session_id, role, content_json,
created_timestamp)`, the times in seconds. It tells when a turn begins, which tools were called, and when the model
has answered. It does not tell a tool that runs from one that waits for a confirmation, an abort, or a failed
request: after those it still seems to run, so what the user said or a tool brought is believed for QUIET seconds
only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.kind import Kind
from opensessions.agents.opencode.db import NOW, number, text
from opensessions.agents.signal import BUSY, RESTING, About, Signal, States, only

QUIET = 120.0
LAG = 1.0
"""Seconds. Not measured."""
SESSIONS = 20
SESSION = f"""
SELECT s.id, substr(s.description, 1, 200), max(m.created_timestamp), {NOW}
FROM sessions AS s JOIN messages AS m ON m.session_id = s.id
WHERE s.working_dir = ? GROUP BY s.id ORDER BY 3 DESC LIMIT {SESSIONS}
"""
LAST = """
SELECT role, created_timestamp,
  CASE WHEN json_valid(content_json) THEN (
    SELECT group_concat(substr(json_extract(value, '$.type'), 1, 40)) FROM json_each(content_json)
  ) END
FROM messages WHERE session_id = ? ORDER BY id DESC LIMIT 1
"""


class Reader:
    """See `adapter.Reader`."""

    def look(self, facts: Facts, files: Files) -> Look:
        """See `adapter.Reader.look`."""
        path = _database(facts)
        watch = (path, f"{path}-wal")
        if facts.rivals:
            return Look(watch=watch)
        rows = files.query(path, SESSION, (facts.cwd,)) or ()
        mine = next((row for row in rows if _own(row, facts)), None)
        last = files.query(path, LAST, (mine[0],)) if mine else None
        if mine is None or not last:
            return Look(watch=watch)
        role, created, kinds = last[0]
        at, now = number(created), number(mine[3])
        states = _states(text(role), text(kinds))
        age = now - at if at is not None and now is not None else 0.0
        again = None
        if states & BUSY:
            again = max(0.1, QUIET - age)
            if age >= QUIET:
                states, again = BUSY | RESTING, None
        about = About(text(mine[0]), text(mine[1]) or None)
        detail = f"{text(role)} {text(kinds)}".strip()
        return Look((Signal("database", states, about, at=at, lag=LAG, detail=detail),), watch, again)


def _database(facts: Facts) -> str:
    root = facts.env.get("GOOSE_PATH_ROOT")
    data = facts.env.get("XDG_DATA_HOME") or f"{facts.env.get('HOME', '')}/.local/share"
    return f"{root}/data/sessions/sessions.db" if root else f"{data}/goose/sessions/sessions.db"


def _own(row: Sequence[Any], facts: Facts) -> bool:
    """Was it worked on since the process started, by nobody else that is known?"""
    written = number(row[2])
    return written is not None and written >= int(facts.started) and text(row[0]) not in facts.taken


def _states(role: str, kinds: str) -> States:
    """`kinds`: the types of the message's parts."""
    if role != "assistant":
        return only("running")  # what the user said, or what a tool brought
    if "toolConfirmationRequest" in kinds:
        return only("waiting")
    return frozenset({"tool-running", "waiting"}) if "toolRequest" in kinds else only("done")


KIND = Kind(
    name="goose",
    executables=frozenset({"goose"}),
    excluded=frozenset({"mcp"}),
    reader=Reader,
    environment=frozenset({"GOOSE_PATH_ROOT", "XDG_DATA_HOME"}),
)
