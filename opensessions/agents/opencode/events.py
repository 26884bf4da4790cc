"""What OpenCode's plugin tells, as signals. Events as OpenCode 1.18.33 sends them to plugins.

The plugin sends an event's `properties` as they are, and beside them `child: true` for a subagent's conversation, with
the main one in `root`, and, with the answer to a question, in `open` how many others are still open: only the program
knows.

`session.status` busy says nothing here: it is sent once more just before the end of each turn, while every step of the
model begins with a message that has neither finish, error nor completion. Parts say nothing here either: a tool's part
is `running` before it asks for a permission, and of several tools one may run while another asks. The database tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensessions.agents.adapter import Heard, Ignored
from opensessions.agents.opencode.db import number, seconds, text
from opensessions.agents.opencode.turn import ABORTED
from opensessions.agents.signal import RESTING, About, Signal, States, only

OVERFLOW = "ContextOverflowError"
"""The conversation is made shorter, and the turn goes on."""
ASKED = {
    "permission.asked": "permission prompt",
    "permission.updated": "permission prompt",
    "question.asked": "question",
}
"""`permission.updated` is what older versions say."""
ANSWERED = frozenset({"permission.replied", "question.replied", "question.rejected"})


def hear(heard: Heard) -> Signal | Ignored | None:
    """See `adapter.Ear`."""
    told = _object(heard.payload, "properties") or heard.payload
    event, thread = heard.event, text(heard.payload.get("root") or told.get("sessionID")) or None
    if event in ASKED:
        return _signal(heard, only("waiting"), About(thread, waiting_for=ASKED[event]))
    if event in ANSWERED:
        return _answered(heard, told)
    if _child(heard, told):
        return None
    about = About(thread=thread)
    if event == "session.idle":
        return _signal(heard, RESTING, about)
    if event == "session.status":
        kind = text(_object(told, "status").get("type"))
        if kind == "idle":
            return _signal(heard, RESTING, about, detail=kind)
        return _signal(heard, only("running"), about, detail=kind) if kind == "retry" else None
    if event == "session.error":
        error = text(_object(told, "error").get("name"))
        return _failed(heard, error, about) if thread and error else None
    if event == "message.updated":
        return _message(heard, _object(told, "info"), about)
    return None


def _answered(heard: Heard, told: Mapping[str, Any]) -> Signal | None:
    """The user has decided, but perhaps of one question of several."""
    reply = text(told.get("reply") or told.get("response"))
    if heard.event == "question.rejected" or reply == "reject":
        # Nearly always the end of the turn; a subagent's is not that of the turn.
        return None if _child(heard, told) else _signal(heard, only("interrupted"), detail=reply)
    if number(heard.payload.get("open", told.get("open"))):
        return None
    return _signal(
        heard, only("running" if heard.event == "question.replied" else "tool-running"), detail=reply
    )


def _child(heard: Heard, told: Mapping[str, Any]) -> bool:
    return bool(heard.payload.get("child") or told.get("child"))


def _failed(heard: Heard, error: str, about: About, at: float | None = None) -> Signal | None:
    if error == OVERFLOW:
        return None
    return _signal(heard, only("interrupted" if error == ABORTED else "error"), about, at, error)


def _message(heard: Heard, info: Mapping[str, Any], about: About) -> Signal | None:
    """A message was written: a step of the model begins, goes on, or is over."""
    if info.get("role") != "assistant":
        return None
    times = _object(info, "time")
    if info.get("error"):
        error = text(_object(info, "error").get("name"))
        return _failed(heard, error, about, seconds(times.get("completed")))
    if info.get("finish") or times.get("completed"):
        return None  # whether another step follows is told next
    return _signal(heard, only("running"), about)


def _signal(
    heard: Heard, states: States, about: About | None = None, at: float | None = None, detail: str = ""
) -> Signal:
    return Signal(
        "hook", states, about or About(), at=at, event=True, detail=f"{heard.event} {detail}".strip()
    )


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}
