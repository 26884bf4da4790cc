"""What Claude Code's hooks tell, seen with 2.1.197 and 2.1.329.

None fires on Esc, whatever it ends, nor when a permission is given. PreToolUse comes before a permission is asked for.
The notification `permission_prompt` comes 6 seconds late, `idle_prompt` a minute after the end: both say nothing new.
Hooks of sub-agents carry `agent_id`; they say nothing of the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensessions.agents.adapter import FORGET, Heard, Ignored
from opensessions.agents.claude.records import NOTIFICATION
from opensessions.agents.claude.transcript import QUESTIONS
from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, States, only

ASKING: Mapping[str, str] = {"elicitation_dialog": "question", "agent_needs_input": "input needed"}
"""Notifications that the user is waited for."""


def hears(heard: Heard) -> Signal | Ignored | None:
    """What a hook of Claude Code says."""
    payload = heard.payload
    if payload.get("agent_id") is not None:
        return None
    match heard.event:
        case "SessionStart":
            return _started(heard)
        case "SessionEnd":
            return FORGET
        case "UserPromptSubmit":
            prompt = _text(payload, "prompt")
            return _told(
                heard, only("running"), prompt=None if prompt.startswith(NOTIFICATION) else prompt or None
            )
        case "PreToolUse" | "PostToolUse" | "PermissionDenied":
            return _told(heard, BUSY)
        case "PostToolUseFailure":
            return _told(heard, BUSY | only("interrupted") if payload.get("is_interrupt") is True else BUSY)
        case "PermissionRequest":
            return _told(
                heard,
                only("waiting"),
                waiting_for=QUESTIONS.get(_text(payload, "tool_name"), "permission prompt"),
            )
        case "Notification" if (asked := ASKING.get(_text(payload, "notification_type"))) is not None:
            return _told(heard, only("waiting"), waiting_for=asked)
        case "Stop":
            tasks = _live(payload.get("background_tasks"))
            agents = any("agent" in _text(task, "type") for task in tasks)
            return _told(heard, WORKING if agents else only("done"), background=len(tasks))
        case "StopFailure":
            return _told(heard, only("error"))
        case "PreCompact":
            return _told(heard, only("running"))
        case "PostCompact":
            return FORGET if _text(payload, "trigger") == "manual" else _told(heard, only("running"))
    return None


def _started(heard: Heard) -> Signal | None:
    match _text(heard.payload, "source"):
        case "clear":
            return _told(heard, only("idle"))
        case "compact":
            return None
        case "startup":  # a prompt on the command line may be under way already
            return _told(heard, frozenset({"idle", "running"}))
    return _told(heard, RESTING)


def _told(
    heard: Heard,
    states: States,
    *,
    prompt: str | None = None,
    waiting_for: str | None = None,
    background: int | None = None,
) -> Signal:
    thread = _text(heard.payload, "session_id") or None
    about = About(thread=thread, prompt=prompt, waiting_for=waiting_for, background=background)
    return Signal("hook", states, about, event=True, detail=heard.event)


def _live(tasks: object) -> Sequence[Mapping[str, Any]]:
    """Those that run; a list of a version that says nothing of that counts as a whole."""
    found = [task for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []
    return [task for task in found if task.get("status") in (None, "running", "pending")]


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
