"""Droid, Factory's CLI. From public documentation and samples of 0.81.0 and 0.225.2, not seen running.

Sessions are `~/.factory/sessions/…/ID.jsonl`, whose first line tells the directory. They are written message by
message and tell no permission. Hooks are Claude Code's; a `Notification` comes when the user is asked, and when it
has been idle for a minute.
"""

from __future__ import annotations

from opensessions.agents.adapter import FORGET, Facts, Files, Heard, Ignored, Look
from opensessions.agents.kind import BUSY, WAITING, WORKING, Kind, ScreenRule
from opensessions.agents.message_lines import Follower
from opensessions.agents.records import record, text
from opensessions.agents.signal import About, Signal, States, only
from opensessions.agents.whose import Candidate, Whose

FOLDERS = 40
SESSIONS = 20
"""The newest of each folder."""
HEAD = 16 << 10
"""Bytes in which the first line ends."""
SAID: dict[str, States] = {
    "UserPromptSubmit": only("running"),
    "PreToolUse": BUSY,
    "PostToolUse": BUSY,
    "Stop": only("done"),
}


def hear(heard: Heard) -> Signal | Ignored | None:
    """See `adapter.Ear`."""
    if heard.event in ("SessionStart", "SessionEnd"):
        return FORGET
    states = SAID.get(heard.event)
    waiting_for = None
    if heard.event == "Notification" and "permission" in text(heard.payload, "message").lower():
        states, waiting_for = only("waiting"), "permission prompt"
    if states is None:
        return None
    prompt = text(heard.payload, "prompt") if heard.event == "UserPromptSubmit" else ""
    about = About(text(heard.payload, "session_id") or None, prompt=prompt or None, waiting_for=waiting_for)
    return Signal("hook", states, about, event=True, detail=heard.event)


class Reader:
    """See `adapter.Reader`."""

    def __init__(self) -> None:
        self._whose = Whose()
        self._folders: dict[str, str] = {}
        """Path of a session -> its directory."""
        self._follower = Follower()

    def look(self, facts: Facts, files: Files) -> Look:
        """See `adapter.Reader.look`."""
        top = f"{facts.env.get('HOME', '')}/.factory/sessions"
        found, folders = self._candidates(top, facts, files)
        chosen = self._whose.choose(found, facts)
        watch = (top, *folders[:8])
        if chosen is None:
            return Look(watch=watch)
        return self._follower.look(chosen.path, chosen.thread, watch, facts, files)

    def _candidates(self, top: str, facts: Facts, files: Files) -> tuple[list[Candidate], list[str]]:
        """The sessions of the process's directory, and the folders in which any were."""
        found, folders = [], []
        inner = [f"{top}/{entry.name}" for entry in files.list(top, FOLDERS) if entry.folder]
        for folder in (top, *inner):
            for entry in files.list(folder, SESSIONS):
                path = f"{folder}/{entry.name}"
                if entry.folder or not entry.name.endswith(".jsonl"):
                    continue
                if self._directory(path, files) == facts.cwd:
                    found.append(Candidate(path, entry.name.removesuffix(".jsonl"), entry.modified))
                    if folder not in folders:
                        folders.append(folder)
        return found, folders

    def _directory(self, path: str, files: Files) -> str:
        if path not in self._folders:
            part = files.part(path, 0, HEAD)
            if part is None or b"\n" not in part.data:
                return ""
            first = record(part.data.partition(b"\n")[0]) or {}
            if len(self._folders) > 2000:
                self._folders.clear()
            self._folders[path] = text(first, "cwd")
        return self._folders[path]


KIND = Kind(
    name="droid",
    executables=frozenset({"droid"}),
    packages=frozenset({"@factory/cli", "droid"}),
    screens=(
        ScreenRule(WAITING, holds=(("> yes, allow", "esc to cancel"),)),
        ScreenRule(WORKING, holds=(("esc to stop",),), lines=6),
    ),
    screen_for=BUSY,
    hears=hear,
    reader=Reader,
    trust=("hook", "api", "screen", "transcript"),
)
