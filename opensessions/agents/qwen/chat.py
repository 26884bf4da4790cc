"""What Qwen Code's session file says, record by record. Seen with 0.15.10 and 0.24.4; pure.

It says nothing of an approval that is asked for; of an error it does not say whether that was the last attempt. A
request that was cancelled before anything came has an `APIUserAbortError` in the telemetry (0.15.10). A text that was
cut off by Esc stands there as any other, but without `usageMetadata`, which a whole answer has where the provider
counts tokens at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from opensessions.agents.records import Record, moment, part, parts, record, text
from opensessions.agents.signal import States, only

Standing = Literal["new", "asked", "failed", "called", "done", "cut", "interrupted"]
"""`new`: nothing was asked yet. `asked`: a prompt or a tool's result waits for the model. `failed`: so it does, and a
request has failed; it may be repeated. `called`: a tool call has no result. `cut`: a text that may be whole or not."""
STATES: Mapping[Standing, States] = {
    "new": only("idle"),
    "asked": frozenset({"running", "interrupted", "error"}),
    "failed": frozenset({"running", "error", "interrupted"}),
    "called": frozenset({"tool-running", "waiting", "interrupted"}),
    "done": only("done"),
    "cut": frozenset({"done", "interrupted"}),
    "interrupted": only("interrupted"),
}
QUESTIONS = frozenset({"ask_user_question", "exit_plan_mode"})
NO_PROMPT = frozenset({"notification", "cron"})
"""Subtypes of a user's record that are shown and not answered."""
MANY = 200
LONG = 4000


class Chat:
    """One conversation, as far as it was read."""

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self.standing: Standing = "new"
        self.at: float | None = None
        """When the record was made that decided it, in seconds since the epoch."""
        self.open: dict[str, str] = {}
        """Tool calls without a result: id -> name of the tool."""
        self.prompt: str | None = None
        self.anchored = False
        """Enough was read to know what is open."""
        self.newer = False
        """It is of a version that says where each record comes from; seen with 0.24.4."""
        self._titles: dict[str, str] = {}
        self._counted = False
        """An answer came with its number of tokens: so every whole one does."""
        self._cut = 0
        """How many answers came without. If all of them do, this provider does not count."""
        self._answered = False
        """The model's answer to the last question is in the telemetry: of 0.15.10 always, of 0.24.4 if it is whole."""
        self._returned = False
        """A call of the last message came back with something."""
        self.add(lines)

    @property
    def title(self) -> str | None:
        """The one that was chosen or found for it, else its first prompt."""
        return self._titles.get("custom") or self._titles.get("first")

    @property
    def states(self) -> States:
        """What the agent may be doing, as far as this tells."""
        return STATES[self.standing]

    @property
    def question(self) -> str | None:
        """What the user is asked, where nothing but questions is open."""
        if self.open and QUESTIONS.issuperset(self.open.values()):
            return "plan" if "exit_plan_mode" in self.open.values() else "question"
        return None

    def learn(self, lines: Iterable[bytes]) -> None:
        """Take the title from lines at the file's beginning."""
        self._titles = {**Chat(lines)._titles, **self._titles}

    def add(self, lines: Iterable[bytes]) -> None:
        """Take these in."""
        for line in lines:
            found = record(line)
            if found is not None:
                self._take(found)

    def _take(self, found: Record) -> None:
        self.newer = self.newer or "provenance" in found
        message = part(found, "message")
        match found.get("type"):
            case "user" if found.get("subtype") not in NO_PROMPT:
                self._asked(found, message)
            case "assistant":
                self._said(found, message)
            case "tool_result":
                self._back(found, message)
            case "system" if found.get("subtype") == "custom_title":
                title = text(part(found, "systemPayload"), "customTitle")
                if title.strip():
                    self._titles["custom"] = title[:LONG]
            case "system" if found.get("subtype") == "ui_telemetry":
                event = part(part(found, "systemPayload"), "uiEvent")
                if event.get("event.name") == "qwen-code.api_response":
                    self._answered = True
                elif event.get("event.name") == "qwen-code.api_error" and self.standing == "asked":
                    stopped = event.get("error_type") == "APIUserAbortError"
                    self._now("interrupted" if stopped else "failed", found)

    def _now(self, standing: Standing, found: Record) -> None:
        self.standing = standing
        at = moment(text(found, "timestamp"))
        self.at = at if at is not None else self.at
        if standing != "called":
            self.open.clear()
        self.anchored = self.anchored or standing in ("done", "cut")

    def _asked(self, found: Record, message: Record) -> None:
        shown = text(part(found, "systemPayload"), "displayText") or _spoken(parts(message, "parts"))
        if not shown.strip() and not parts(message, "parts"):
            return
        if shown.strip():
            self.prompt = shown[:LONG]
            self._titles.setdefault("first", shown[:LONG])
        self._answered = False
        self.anchored = True
        self._now("asked", found)

    def _said(self, found: Record, message: Record) -> None:
        pieces = parts(message, "parts")
        calls = [part(piece, "functionCall") for piece in pieces if part(piece, "functionCall")]
        counted = isinstance(found.get("usageMetadata"), dict)
        self._counted = self._counted or counted
        if calls:
            self.open = {text(call, "id"): text(call, "name") for call in calls[:MANY]}
            self._returned = False
            self.anchored = True
            self._now("called", found)
        elif _spoken(pieces).strip():
            self._cut += not counted
            sure = self._counted or (self.newer and not self._answered) or (self._answered and self._cut == 1)
            self._now("done" if counted else "interrupted" if sure else "cut", found)

    def _back(self, found: Record, message: Record) -> None:
        for piece in parts(message, "parts"):
            self.open.pop(text(part(piece, "functionResponse"), "id"), None)
        result = part(found, "toolCallResult")
        self.open.pop(text(result, "callId"), None)
        self._returned = self._returned or text(result, "status") != "cancelled"
        self._answered = False
        if self.open:
            self._now("called", found)
        else:
            self._now("asked" if self._returned else "interrupted", found)


def enough(lines: Sequence[bytes]) -> bool:
    """Do these lines, the last of a file, tell how its conversation stands?"""
    return Chat(lines).anchored


def _spoken(pieces: Sequence[Mapping[str, Any]]) -> str:
    """The text of a message, without thoughts and without what hooks have added."""
    texts = (text(piece, "text") for piece in pieces if piece.get("thought") is not True)
    return " ".join(each for each in texts if not each.startswith("<qwen:"))
