"""GitHub Copilot CLI. From public documentation and samples of 0.0.420 to 1.0.102, not seen running.

A session is a folder `session-state/ID` with `events.jsonl`, and `inuse.PID.lock` while a process works on it:
proof of whose it is. After a crash the lock and open permissions stay behind.

Hooks: `permissionRequest` comes before the rules that may allow it, so it does not say that the user is asked; the
notification `permission_prompt` does.
"""

from __future__ import annotations

from opensessions.agents.adapter import FORGET, Facts, Files, Heard, Ignored, Look
from opensessions.agents.copilot.events import SETTLE, STEP_OVER, Story
from opensessions.agents.kind import BUSY, WAITING, Kind, ScreenRule
from opensessions.agents.lines import Lines
from opensessions.agents.records import text
from opensessions.agents.signal import About, Signal, States, only

SESSIONS = 300
"""The newest folders that are searched for a lock."""
ASKS = {"permission_prompt": "permission prompt", "elicitation_dialog": "question"}
SAID: dict[str, States] = {
    "userPromptSubmitted": only("running"),
    "preToolUse": BUSY,
    "permissionRequest": BUSY,
    "postToolUse": BUSY,
    "agentStop": only("done"),
    "errorOccurred": only("error"),
}


def hear(heard: Heard) -> Signal | Ignored | None:
    """See `adapter.Ear`."""
    if heard.event in ("sessionStart", "sessionEnd"):
        return FORGET
    about = About(thread=text(heard.payload, "sessionId") or None)
    if heard.event == "notification":
        kind = text(heard.payload, "notification_type") or text(heard.payload, "notificationType")
        if kind not in ASKS:
            return None
        about = About(about.thread, waiting_for=ASKS[kind])
        return Signal("hook", only("waiting"), about, event=True, detail=f"notification {kind}")
    states = SAID.get(heard.event)
    return Signal("hook", states, about, event=True, detail=heard.event) if states else None


class Reader:
    """See `adapter.Reader`."""

    def __init__(self) -> None:
        self._lines: Lines | None = None
        self._story = Story()

    def look(self, facts: Facts, files: Files) -> Look:
        """See `adapter.Reader.look`."""
        home = facts.env.get("COPILOT_HOME") or f"{facts.env.get('HOME', '')}/.copilot"
        folder = f"{home}/session-state"
        session = self._session(folder, facts, files)
        if session is None:
            return Look(watch=(folder,), again=2.0)
        path = f"{session}/events.jsonl"
        if self._lines is None or self._lines.path != path:
            self._lines, self._story = Lines(path), Story()
        fresh = self._lines.read(files, lambda lines: any(b'"user.message"' in line for line in lines))
        if fresh.anew:
            self._story = Story()
        for line in fresh.lines:
            self._story.take(line)
        if self._story.thread is None:
            self._story.thread = session.rpartition("/")[2]
        if not fresh.lines:
            self._story.settle()
        signal = self._story.signal(facts.started)
        again = SETTLE if self._story.states == STEP_OVER else None
        return Look((signal,) if signal else (), (folder, session, path), again)

    def _session(self, folder: str, facts: Facts, files: Files) -> str | None:
        """The folder that this process, or one below it, has locked; of several the newest."""
        locks = {f"inuse.{pid}.lock" for pid in (facts.pid, *facts.below)}
        for entry in files.list(folder, SESSIONS):
            if entry.folder and any(
                each.name in locks and each.modified >= facts.started - 2
                for each in files.list(f"{folder}/{entry.name}")
            ):
                return f"{folder}/{entry.name}"
        return None


KIND = Kind(
    name="copilot",
    executables=frozenset({"copilot"}),
    packages=frozenset({"@github/copilot"}),
    screens=(
        ScreenRule(
            WAITING, holds=(("enter to select", "esc to cancel"), ("enter to confirm", "esc to cancel"))
        ),
    ),
    screen_for=BUSY,
    hears=hear,
    reader=Reader,
    environment=frozenset({"COPILOT_HOME"}),
)
