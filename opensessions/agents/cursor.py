"""Cursor's agent. The editor's own `cursor` is one only as `cursor agent`. From public documentation, not seen
running.

Its hooks say when a turn begins and how it ended (`stop` with `status`). No hook says that the user is asked for a
permission: the screen tells that. Its transcripts, `~/.cursor/projects/PROJECT/agent-transcripts/ID/ID.jsonl` with
the directory's path as PROJECT, hold no time, and since June 2026 a line `turn_ended` for each turn.
"""

from __future__ import annotations

import re

from opensessions.agents.adapter import FORGET, Facts, Files, Heard, Ignored, Look
from opensessions.agents.kind import BUSY, WAITING, WORKING, Kind, ScreenRule
from opensessions.agents.message_lines import Follower
from opensessions.agents.records import text
from opensessions.agents.signal import RESTING, About, Signal, States, only
from opensessions.agents.whose import Candidate, Whose

SESSIONS = 100
"""The newest that are looked at."""
SAID: dict[str, States] = {
    "sessionStart": RESTING,
    "beforeSubmitPrompt": only("running"),
    "preToolUse": BUSY,
    "postToolUse": BUSY,
    "postToolUseFailure": BUSY,
}
ENDS: dict[str, States] = {
    "completed": only("done"),
    "aborted": only("interrupted"),
    "error": only("error"),
}


def hear(heard: Heard) -> Signal | Ignored | None:
    """See `adapter.Ear`."""
    if heard.event == "sessionEnd":
        return FORGET
    thread, prompt = text(heard.payload, "conversation_id"), text(heard.payload, "prompt")
    states = SAID.get(heard.event)
    if heard.event == "stop":
        states = ENDS.get(text(heard.payload, "status"), RESTING)
    if states is None:
        return None
    about = About(
        thread or None, prompt=prompt or None if heard.event == "beforeSubmitPrompt" else None,
        waiting_for="permission prompt" if "waiting" in states else None,
    )  # fmt: skip
    return Signal("hook", states, about, event=True, detail=heard.event)


class Reader:
    """See `adapter.Reader`."""

    def __init__(self) -> None:
        self._whose = Whose()
        self._follower = Follower()

    def look(self, facts: Facts, files: Files) -> Look:
        """See `adapter.Reader.look`."""
        project = re.sub(r"[^A-Za-z0-9]+", "-", facts.cwd).strip("-")
        folder = f"{facts.env.get('HOME', '')}/.cursor/projects/{project}/agent-transcripts"
        chosen = self._whose.choose(_candidates(folder, files), facts)
        if chosen is None:
            return Look(watch=(folder,))
        return self._follower.look(chosen.path, chosen.thread, (folder,), facts, files)


def _candidates(folder: str, files: Files) -> list[Candidate]:
    """The newest transcripts of a project. A file's time counts, its folder's does not."""
    found = []
    for entry in files.list(folder, SESSIONS):
        for each in files.list(f"{folder}/{entry.name}", 5) if entry.folder else ():
            if each.name == f"{entry.name}.jsonl":
                found.append(Candidate(f"{folder}/{entry.name}/{each.name}", entry.name, each.modified))
    return found


KIND = Kind(
    name="cursor",
    executables=frozenset({"cursor-agent"}),
    needing=frozenset({"cursor"}),
    subcommands=frozenset({"agent"}),
    screens=(
        ScreenRule(WAITING, holds=(("(y) (enter)",), ("skip (esc or n)",), ("write to this file?",))),
        ScreenRule(WORKING, holds=(("ctrl+c to stop",),), lines=4),
    ),
    screen_for=BUSY,
    hears=hear,
    reader=Reader,
    trust=("hook", "api", "screen", "transcript"),
)
