"""GitHub Copilot CLI's `events.jsonl`: what its last lines say of the state. From public samples and documentation
of 0.0.420 to 1.0.102, not seen running. Pure.

Every event has `type`, `data` and `timestamp`. A turn of the user's is `user.message`, then for each step of the
model `assistant.turn_start`, `assistant.message` with its `toolRequests`, for each tool `tool.execution_start` and
`_complete`, and `assistant.turn_end`. A step that has called tools is followed by another one.
"""

from __future__ import annotations

from msgspec import Struct

from opensessions.agents.records import Record, moment, part, parts, record, spoken, text
from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, States, only

KEPT = 200
"""Tools and permissions that are kept in mind."""
SETTLE = 1.0
"""Seconds after which a step that none follows was the last one."""
STEP_OVER: States = WORKING | {"done"}
LAG = 0.5
"""Seconds. Not measured."""


class Story(Struct):
    """What was told so far."""

    states: States | None = None
    at: float | None = None
    prompt: str | None = None
    thread: str | None = None
    tools: dict[str, None] = {}
    """Calls that are not over."""
    asked: dict[str, None] = {}
    """Permissions that are open."""
    called: bool = False
    """The step has called tools."""
    last: str = ""

    def take(self, line: bytes) -> None:
        """Take in a line; one that is no event is left out."""
        event = record(line)
        if event is None:
            return
        kind, data = text(event, "type"), part(event, "data")
        before = self.states
        self._take(kind, data)
        if self.states != before or self.at is None:
            self.at = moment(text(event, "timestamp"))
        self.last = kind or self.last

    def _take(self, kind: str, data: Record) -> None:
        match kind:
            case "session.start":
                self._rest(only("idle"))
                self.thread = text(data, "sessionId") or self.thread
            case "session.resume":
                self._rest(RESTING)
            case "user.message":
                self._rest(only("running"))
                self.prompt = spoken(data, "content")[:400] or self.prompt
            case "assistant.turn_start":
                self._rest(only("running"))
            case "assistant.message":
                requests = [text(each, "toolCallId") for each in parts(data, "toolRequests")]
                self.called = self.called or bool(requests)
                for each in requests:
                    _put(self.tools, each)
                # A step without tools is the answer; its end may not be told.
                self.states = self._busy() if requests else only("done") if not self.tools else self.states
            case "tool.execution_start":
                _put(self.tools, text(data, "toolCallId"))
                self.called = True
                self.states = self._busy()
            case "tool.execution_complete":
                self.tools.pop(text(data, "toolCallId"), None)
                self.states = self._busy()
            case "permission.requested":
                _put(self.asked, text(data, "requestId"))
                self.states = self._busy()
            case "permission.completed":
                self.asked.pop(text(data, "requestId"), None)
                self.states = self._busy()
            case "assistant.turn_end":
                self._rest(
                    WORKING | {"done"} if self.called and self.states != only("done") else only("done")
                )
            case "abort":
                self._rest(only("interrupted"))
            case "session.error":
                self._rest(only("error"))
            case "session.shutdown":
                self._rest(RESTING)

    def _rest(self, states: States) -> None:
        self.tools, self.asked, self.called = {}, {}, False
        self.states = states

    def settle(self) -> None:
        """Nothing came for SETTLE seconds."""
        if self.states == STEP_OVER:
            self.states = only("done")

    def _busy(self) -> States:
        if self.asked:
            return only("waiting")
        # A tool that was called may be about to be asked for.
        return frozenset({"tool-running", "waiting"}) if self.tools else only("running")

    def signal(self, started: float) -> Signal | None:
        """What is to be believed of a process that started then: an open end of an earlier one has no meaning."""
        if self.states is None:
            return None
        states = self.states
        if self.at is not None and self.at < started and states & BUSY:
            states = RESTING
        about = About(
            self.thread, prompt=self.prompt, waiting_for="permission prompt" if "waiting" in states else None
        )
        return Signal("transcript", states, about, at=self.at, lag=LAG, detail=self.last)


def _put(open: dict[str, None], id: str) -> None:
    open[id] = None
    if len(open) > KEPT:
        del open[next(iter(open))]
