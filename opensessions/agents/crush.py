"""Crush. From its public schema, not seen running.

Its database `.crush/crush.db` lies in the directory that it works in: `sessions(id, parent_session_id, title, …)`,
`messages(session_id, role, parts, created_at, updated_at, finished_at)`, times in whole seconds, `parts` as JSON,
the last of an assistant's being `finish` with a reason. It tells when a turn begins and how it ended. It does not
tell a tool that runs from one that waits for a permission.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.kind import Kind
from opensessions.agents.opencode.db import number, text
from opensessions.agents.signal import RESTING, About, Signal, States, only

LAG = 1.0
"""Seconds. Not measured."""
SESSION = """
SELECT id, substr(title, 1, 200), updated_at FROM sessions
WHERE parent_session_id IS NULL OR parent_session_id = '' ORDER BY updated_at DESC LIMIT 20
"""
LAST = """
SELECT role, created_at, updated_at, CASE WHEN json_valid(CAST(parts AS TEXT)) THEN (
  SELECT substr(json_extract(value, '$.data.reason'), 1, 40) FROM json_each(CAST(parts AS TEXT))
  WHERE json_extract(value, '$.type') = 'finish' LIMIT 1
) END, CASE WHEN json_valid(CAST(parts AS TEXT)) THEN (
  SELECT count(*) FROM json_each(CAST(parts AS TEXT)) WHERE json_extract(value, '$.type') = 'tool_call'
) END
FROM messages WHERE session_id = ? ORDER BY created_at DESC, rowid DESC LIMIT 1
"""
ENDS: dict[str, States] = {
    "end_turn": only("done"),
    "max_tokens": only("done"),
    "canceled": only("interrupted"),
    "error": only("error"),
    "content_filter": only("error"),
    "permission_denied": only("interrupted"),
}


class Reader:
    """See `adapter.Reader`."""

    def look(self, facts: Facts, files: Files) -> Look:
        """See `adapter.Reader.look`."""
        path = f"{facts.cwd}/.crush/crush.db"
        watch = (path, f"{path}-wal")
        if facts.rivals or not facts.cwd:
            return Look(watch=watch)
        rows = files.query(path, SESSION) or ()
        mine = next((row for row in rows if _own(row, facts)), None)
        last = files.query(path, LAST, (mine[0],)) if mine else None
        if mine is None or not last:
            return Look(watch=watch)
        role, created, updated, reason, calls = last[0]
        states = _states(text(role), text(reason), bool(calls))
        at = number(created if states.isdisjoint(RESTING) else updated)
        about = About(text(mine[0]), text(mine[1]) or None)
        detail = f"{text(role)} {text(reason)}".strip()
        return Look((Signal("database", states, about, at=at, lag=LAG, detail=detail),), watch)


def _own(row: Sequence[Any], facts: Facts) -> bool:
    updated = number(row[2])
    return updated is not None and updated >= int(facts.started) and text(row[0]) not in facts.taken


def _states(role: str, reason: str, calls: bool) -> States:
    if role != "assistant":
        return only("running")  # what the user said, or what a tool brought
    if reason in ENDS:
        return ENDS[reason]
    if reason == "tool_use" or calls:
        return frozenset({"tool-running", "waiting"})
    return only("running") if not reason else RESTING


KIND = Kind(
    name="crush",
    executables=frozenset({"crush"}),
    packages=frozenset({"@charmland/crush"}),
    reader=Reader,
)
