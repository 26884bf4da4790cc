"""Sessions that are lines of messages, each with `content` parts: Cursor's and Droid's. Pure.

Neither says how a turn ended, but for newer versions of Cursor. So a text of the agent's that calls no tool is
taken for the end, unless the screen still shows that it works: for these agents the screen is trusted more.
"""

from __future__ import annotations

from msgspec import Struct

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.lines import Lines
from opensessions.agents.records import Record, moment, part, parts, record, spoken, text
from opensessions.agents.signal import BUSY, RESTING, About, Signal, States, only

SETTLE = 2.0
"""Seconds after which a text that nothing follows is taken for the end."""
PERHAPS_DONE: States = frozenset({"running", "done"})
KEPT = 200
"""Calls that are kept in mind."""
LAG = 0.5
"""Seconds. Not measured."""
ENDS: dict[str, States] = {
    "success": only("done"), "completed": only("done"), "aborted": only("interrupted"),
    "cancelled": only("interrupted"), "error": only("error"), "failed": only("error"),
}  # fmt: skip


class Story(Struct):
    """What was told so far."""

    states: States | None = None
    at: float | None = None
    prompt: str | None = None
    title: str | None = None
    calls: dict[str, None] = {}
    """Calls of tools without a result."""

    def take(self, line: bytes) -> None:
        """Take in a line; one that is none of these is left out."""
        told = record(line)
        if told is None:
            return
        kind = text(told, "type")
        if kind == "session_start":
            self.title = text(told, "sessionTitle") or text(told, "title") or self.title
            self.states = self.states or only("idle")
        elif kind == "turn_ended":
            self.states, self.calls = ENDS.get(text(told, "status"), RESTING), {}
        elif kind in ("", "message"):
            message = part(told, "message")
            self._message(text(told, "role") or text(message, "role"), message)
            self.at = moment(text(told, "timestamp")) or self.at

    def _message(self, role: str, message: Record) -> None:
        content = parts(message, "content")
        if role == "user":
            answered = [each for each in content if text(each, "type") == "tool_result"]
            for each in answered:
                self.calls.pop(text(each, "tool_use_id"), None)
            if not answered:
                self.calls, self.prompt = {}, spoken(message, "content")[:400] or self.prompt
            self.states = self._busy()
        elif role == "assistant":
            called = [each for each in content if text(each, "type") == "tool_use"]
            for each in called:
                self.calls[text(each, "id")] = None
            while len(self.calls) > KEPT:
                del self.calls[next(iter(self.calls))]
            self.states = self._busy() if called else PERHAPS_DONE

    def _busy(self) -> States:
        return frozenset({"tool-running", "waiting"}) if self.calls else only("running")

    def signal(self, started: float, thread: str, settled: bool) -> Signal | None:
        """What is to be believed of a process that started then. `settled`: nothing came for SETTLE seconds."""
        states = self.states
        if states is None:
            return None
        if settled and states == PERHAPS_DONE:
            states = only("done")
        if self.at is not None and self.at < started and states & BUSY:
            states = RESTING
        waiting = "permission prompt" if "waiting" in states else None
        about = About(thread, self.title, self.prompt, waiting)
        return Signal("transcript", states, about, at=self.at, lag=LAG, detail="last line")


class Follower:
    """Follows the session of one process, whichever file it is."""

    def __init__(self) -> None:
        self._lines: Lines | None = None
        self._story = Story()

    def look(self, path: str, thread: str, watch: tuple[str, ...], facts: Facts, files: Files) -> Look:
        """What the file says. A second look at which there is nothing new settles what was open."""
        if self._lines is None or self._lines.path != path:
            self._lines, self._story = Lines(path), Story()
        fresh = self._lines.read(files, lambda lines: len(lines) > 20)
        if fresh.anew:
            self._story = Story()
        for line in fresh.lines:
            self._story.take(line)
        signal = self._story.signal(facts.started, thread, settled=not fresh.lines)
        again = SETTLE if signal and signal.states == PERHAPS_DONE else None
        return Look((signal,) if signal else (), (*watch, path), again)
