"""What Claude Code's transcript says, record by record. Seen with 1.0.24 to 2.1.329; pure.

Records follow what happens by 0.1 to 0.4 s, and by a hook's time more. A prompt that was cancelled before anything came
stands there unanswered for ever. A tool that waits for a permission looks like one that runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from opensessions.agents.claude.records import (
    COMMANDS,
    INTERRUPTED,
    NOTIFICATION,
    Record,
    blocks,
    read,
    spoken,
    text_of,
)
from opensessions.agents.records import moment
from opensessions.agents.signal import RESTING, States, only

Standing = Literal["new", "asked", "called", "loose", "done", "interrupted", "error"]
"""`new`: nothing was asked yet. `asked`: a prompt or a tool's result waits for the model. `called`: a tool call has no
result. `loose`: text that may be the last or may be followed by a call: old writers never said."""
STATES: Mapping[Standing, States] = {
    "new": only("idle"),
    "asked": frozenset({"running", "interrupted"}),
    "called": frozenset({"tool-running", "waiting", "interrupted"}),
    "loose": frozenset({"running", "done"}),
    "done": only("done"),
    "interrupted": only("interrupted"),
    "error": only("error"),
}
QUESTIONS: Mapping[str, str] = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}
"""Tools that do nothing but wait for the user."""
MANY = 200
"""Tool calls and background tasks that are remembered."""
LONG = 4000
"""Characters of a text that are kept."""


class Transcript:
    """One conversation, as far as it was read."""

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self.standing: Standing = "new"
        self.at: float | None = None
        """When the record was made that decided it, in seconds since the epoch."""
        self.open: dict[str, str] = {}
        """Tool calls without a result: id -> name of the tool."""
        self.unsure = False
        """A command or a text made by the program has come since; it may have begun a turn."""
        self.anchored = False
        """Enough was read to know what is open: a prompt, an end, or the message before."""
        self.prompt: str | None = None
        self.headless = False
        """It was last written by `claude -p` or by the SDK, not in a terminal."""
        self.hooked = False
        """Some hook ran when a turn had ended."""
        self._message: str | None = None
        self._near: deque[str] = deque(maxlen=MANY)
        """The ids of the last records."""
        self._missing: str | None = None
        """The id of a record that is answered by one that was written before it."""
        self._tasks: dict[str, bool] = {}
        """What runs in the background: id -> whether it is an agent."""
        self._pending = 0
        self._counted = False
        self._titles: dict[str, str] = {}
        self.add(lines)

    @property
    def title(self) -> str | None:
        """Of the titles that it has, the one that counts."""
        return next(
            (self._titles[each] for each in ("custom", "ai", "summary", "first") if each in self._titles),
            None,
        )

    @property
    def custom(self) -> bool:
        """Did the user choose the title?"""
        return "custom" in self._titles

    @property
    def background(self) -> int | None:
        """Live shells and agents in the background; None where there never were any."""
        return max(len(self._tasks), self._pending) if self._counted else None

    @property
    def states(self) -> States:
        """What the agent may be doing, as far as this tells."""
        if self.standing == "called" and self.question:
            return frozenset({"waiting", "interrupted"})
        states = STATES[self.standing]
        agents = self._pending or any(self._tasks.values())
        return states | only("running") if agents and self.standing == "done" else states

    @property
    def question(self) -> str | None:
        """What the user is asked, where nothing but questions is open."""
        names = list(self.open.values())
        return QUESTIONS[names[-1]] if names and all(name in QUESTIONS for name in names) else None

    @property
    def resting(self) -> bool:
        """Does it say that no turn is under way?"""
        return STATES[self.standing] <= RESTING

    def learn(self, lines: Iterable[bytes]) -> None:
        """Take the titles from lines at the file's beginning."""
        head = Transcript(lines)
        self._titles = {**head._titles, **self._titles}
        self.prompt = self.prompt or head.prompt

    def add(self, lines: Iterable[bytes]) -> None:
        """Take these in."""
        for line in lines:
            record = read(line)
            if record is not None and record.isSidechain is not True:
                self._link(record)
                self._take(record)

    def _link(self, record: Record) -> None:
        """Notice a gap. The first records of a conversation may be written answer first (seen with 2.1.197: an error
        that came at once stands before the prompt, and all of it in one write)."""
        if not isinstance(record.uuid, str):
            return
        parent = record.parentUuid if isinstance(record.parentUuid, str) else None
        if parent not in self._near and (parent is not None or record.uuid == self._missing):
            self._missing = parent
        self._near.append(record.uuid)

    def _late(self, record: Record) -> bool:
        """Is it a prompt that has been answered already?"""
        at = moment(record.timestamp) if isinstance(record.timestamp, str) else None
        if self._missing is None or at is None or self.at is None or record.parentUuid in self._near:
            return False
        return at < self.at

    def _take(self, record: Record) -> None:
        if isinstance(record.entrypoint, str):
            self.headless = record.entrypoint.startswith("sdk")
        match record.type:
            case "assistant":
                self._answered(record)
            case "user":
                self._said(record)
            case "system" if record.subtype in ("turn_duration", "stop_hook_summary"):
                self._ended(record)
            case "attachment":
                queued = record.attachment
                if isinstance(queued, dict) and isinstance(queued.get("prompt"), str):
                    self._notified(queued["prompt"])
            case "custom-title":
                self._titled("custom", record.customTitle)
            case "ai-title":
                self._titled("ai", record.aiTitle)
            case "summary":
                self._titled("summary", record.summary)
            case "last-prompt" if self.prompt is None and isinstance(record.lastPrompt, str):
                self.prompt = _prompt(record.lastPrompt)

    def _now(self, standing: Standing, record: Record) -> None:
        self.standing = standing
        at = moment(record.timestamp) if isinstance(record.timestamp, str) else None
        self.at = at if at is not None else self.at
        self.unsure = False
        if standing != "called":
            self.open.clear()
        self.anchored = self.anchored or standing in ("done", "error", "interrupted", "loose")

    def _answered(self, record: Record) -> None:
        message = record.message if isinstance(record.message, dict) else {"content": record.message}
        id, reason = message.get("id"), message.get("stop_reason")
        id = id if isinstance(id, str) else None
        if self._message is not None and id != self._message:
            self.anchored = True
        same = id is not None and id == self._message
        self._message = id or ""
        parts = blocks(message.get("content"))
        calls = [block for block in parts if block.get("type") == "tool_use"]
        if record.isApiErrorMessage is True:
            self._now("error", record)
        elif calls:
            if not same:
                self.open.clear()
            for block in calls[:MANY]:
                if len(self.open) < MANY:
                    self.open[text_of(block.get("id"))] = text_of(block.get("name"))
            self._now("called", record)
        elif same and self.open:
            pass  # a further part of the message that made the call
        elif message.get("model") == "<synthetic>":
            self._now("loose", record)
        elif isinstance(reason, str) and reason not in ("tool_use", "pause_turn"):
            self._now("done", record)
        elif reason is None and record.isAbortedMidStream is not True and spoken(parts):
            self._now("loose", record)
        else:
            self._now("asked", record)

    def _said(self, record: Record) -> None:
        if record.isMeta is True or record.isCompactSummary is True:
            self.unsure = True
            return
        message = record.message
        parts = blocks(message.get("content") if isinstance(message, dict) else message)
        results = [block for block in parts if block.get("type") == "tool_result"]
        text = spoken(parts)
        if text in INTERRUPTED:
            self._now("interrupted", record)
        elif results:
            self._returned(record, results)
        elif text.startswith(NOTIFICATION):
            self._notified(text)
            self._now("asked", record)
            self.anchored = True
        elif text.startswith(COMMANDS):
            self.unsure = True
        elif parts:
            if not self._late(record):
                self._now("asked", record)
            self.anchored = True
            self.prompt = _prompt(text) or self.prompt
            if text:
                self._titles.setdefault("first", text[:LONG])

    def _returned(self, record: Record, results: Sequence[Mapping[str, Any]]) -> None:
        for block in results:
            id = block.get("tool_use_id")
            if isinstance(id, str):
                self.open.pop(id, None)
            else:
                self.open.clear()
        result = record.toolUseResult
        if isinstance(result, dict):
            for name in ("backgroundTaskId", "agentId"):
                task = result.get(name)
                agent = name == "agentId"
                live = not agent or result.get("status") == "async_launched"
                if isinstance(task, str) and live and len(self._tasks) < MANY:
                    self._tasks[task] = agent
                    self._counted = True
        self._now("called" if self.open else "asked", record)

    def _notified(self, text: str) -> None:
        if not text.startswith(NOTIFICATION) or "<status>running" in text:
            return
        self._counted = True
        self._tasks.pop(text.partition("<task-id>")[2].partition("</task-id>")[0].strip(), None)

    def _ended(self, record: Record) -> None:
        self.hooked = self.hooked or record.subtype == "stop_hook_summary"
        if record.subtype == "turn_duration":
            count = record.pendingBackgroundAgentCount
            self._pending = min(count, MANY) if isinstance(count, int) and count > 0 else 0
            self._counted = self._counted or self._pending > 0
        if self.standing not in ("interrupted", "error", "new"):
            self._now("done", record)

    def _titled(self, which: str, title: object) -> None:
        if isinstance(title, str) and title.strip():
            self._titles[which] = title[:LONG]


def enough(lines: Sequence[bytes]) -> bool:
    """Do these lines, the last of a file, tell how its conversation stands?"""
    return Transcript(lines).anchored


def _prompt(text: str) -> str | None:
    return text[:LONG] if text.strip() and not text.startswith((*COMMANDS, NOTIFICATION)) else None
