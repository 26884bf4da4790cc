"""What Qwen Code's hooks tell, seen with 0.15.10 and 0.24.4.

They are Claude Code's, with other times: PreToolUse comes when the call was approved, UserPromptSubmit comes again,
without a prompt, for every round of tool results, and `idle_prompt` comes 0.1 s after the end of every turn. It is all
that comes when the user stops one, so that how it ended must be told by others.
"""

from __future__ import annotations

from collections.abc import Mapping

from opensessions.agents.adapter import FORGET, Heard, Ignored
from opensessions.agents.records import parts, text
from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, States, only

STARTS: Mapping[str, States] = {"startup": frozenset({"idle", "running"}), "clear": only("idle")}
"""What a session's start says, by its source. At startup it may be told after the first prompt was sent."""


def hears(heard: Heard) -> Signal | Ignored | None:
    """What a hook of Qwen Code says."""
    payload = heard.payload
    if payload.get("agent_id") is not None:
        return None
    match heard.event:
        case "SessionStart" if text(payload, "source") != "compact":
            return _told(heard, STARTS.get(text(payload, "source"), RESTING))
        case "SessionEnd":
            return FORGET
        case "UserPromptSubmit":
            return _told(heard, only("running"), About(prompt=text(payload, "prompt") or None))
        case "PreToolUse":
            return _told(heard, only("tool-running"))
        case "PostToolUse":
            return _told(heard, WORKING)
        case "PostToolUseFailure":
            stopped = payload.get("is_interrupt") is True
            return _told(heard, only("interrupted") if stopped else WORKING)
        case "PermissionRequest":
            return _told(heard, only("waiting"), About(waiting_for=_asked(text(payload, "tool_name"))))
        case "Notification":
            return _notified(heard)
        case "Stop":
            tasks = [
                each for each in parts(payload, "background_tasks") if each.get("status") in (None, "running")
            ]
            return _told(heard, only("done"), About(background=len(tasks)))
        case "StopFailure":
            return _told(heard, only("error"))
        case "PreCompact":
            return _told(heard, BUSY)
    return None


def _notified(heard: Heard) -> Signal | None:
    match text(heard.payload, "notification_type"):
        case "permission_prompt":
            return _told(heard, only("waiting"), About(waiting_for="permission prompt"))
        case "idle_prompt":
            return _told(heard, RESTING)
    return None


def _asked(tool: str) -> str:
    return {"ask_user_question": "question", "exit_plan_mode": "plan"}.get(tool, "permission prompt")


def _told(heard: Heard, states: States, about: About | None = None) -> Signal:
    known = about or About()
    thread = text(heard.payload, "session_id") or None
    return Signal(
        "hook",
        states,
        About(thread, None, known.prompt, known.waiting_for, known.background),
        event=True,
        detail=heard.event,
    )
