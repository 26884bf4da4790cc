"""Codex's rollout file: its lines -> the turn they leave behind. Pure.

`sessions/YYYY/MM/DD/rollout-<local time>-<thread id>.jsonl`, lines `{timestamp, ordinal, type, payload}`, flushed one
by one (seen with 0.169.0). A turn is between `task_started` and `task_complete` or `turn_aborted`; much else is written
after a turn, so nothing but these opens or closes it. A version that wrote none of them is read by its messages and
calls. Approvals are not in the file: a call without output runs or waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

CALLS = 256
"""Calls without an output that are remembered; the oldest ones go first."""
PROMPT = 1000
"""Characters of a prompt that are kept."""

Phase = Literal["none", "open", "done", "error", "interrupted"]
Ask = Literal["", "approval", "question"]
"""What a call may have to ask the user before it runs."""

STARTS = frozenset({"task_started", "turn_started"})
ENDS: Mapping[str, Phase] = {
    "task_complete": "done",
    "turn_complete": "done",
    "turn.completed": "done",
    "turn_aborted": "interrupted",
}
CALL_TYPES = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "tool_search_call", "tool_call"}
)
OUTPUT_TYPES = frozenset(
    {"function_call_output", "custom_tool_call_output", "tool_search_output", "tool_result"}
)
QUESTIONS = frozenset({"request_user_input"})
COMMANDS = frozenset({"exec_command"})
"""Calls that may leave a process behind. `CommandExecution` with the call's id tells when that has ended."""
RUNNING_ON = "Process running with session ID "
"""What the output of a command says that goes on in the background."""
ABORTED = "aborted by user"
"""The output of a call that was refused or interrupted."""
CONTEXT = ("<", "# AGENTS.md")
"""How messages in the user's name begin that no user wrote."""


class Call(Struct, frozen=True):
    """A tool call without an output."""

    name: str = ""
    ask: Ask = ""
    at: float | None = None


class Turn(Struct, frozen=True):
    """Where the lines leave the conversation."""

    phase: Phase = "none"
    at: float | None = None
    """When the phase began, in seconds since the epoch."""
    id: str = ""
    calls: Mapping[str, Call] = {}
    """By call id, the oldest first."""
    background: Mapping[str, float | None] = {}
    """Calls whose command goes on, though the agent no longer waits for it, and when they began."""
    prompt: str | None = None
    spoke: float | None = None
    """When the agent's last message was complete."""
    told: bool = False
    """Something told where a turn began or ended."""
    modern: bool = False
    """The version that wrote this tells so."""
    whole: bool = False
    """Its beginning was read."""

    @property
    def under_way(self) -> bool:
        """Is a turn under way? Where the tail that was read lies within one long turn, nothing in it opened that."""
        return self.phase == "open" or (self.modern and not self.told and not self.whole)

    @property
    def ask(self) -> Ask:
        """The most that an open call may have to ask."""
        asks = {call.ask for call in self.calls.values()}
        return "question" if "question" in asks else "approval" if "approval" in asks else ""


class Record(Struct, frozen=True):
    """A line, as far as it is looked into."""

    timestamp: Any = None
    ordinal: Any = None
    type: Any = None
    payload: msgspec.Raw = msgspec.Raw(b"")


DECODER = msgspec.json.Decoder(Record)


def follow(turn: Turn, lines: Iterable[bytes]) -> Turn:
    """The turn after these lines. What is malformed or unknown is left out."""
    for line in lines:
        try:
            record = DECODER.decode(line)
            payload = msgspec.json.decode(record.payload if bytes(record.payload) else line)
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        if isinstance(payload, dict):
            turn = _after(turn, record, payload)
    return turn


def _after(turn: Turn, record: Record, payload: dict[str, Any]) -> Turn:
    if not turn.modern and (record.ordinal is not None or record.type == "turn_context"):
        turn = replace(turn, modern=True)
    match record.type:
        case "session_meta":
            return replace(turn, whole=True)
        case "event_msg":
            return _event(turn, payload, moment(record.timestamp))
        case "turn_context" | "world_state" | "compacted" | "token_usage_record":
            return turn
        case _:
            return _item(turn, payload, moment(record.timestamp))


def _event(turn: Turn, payload: dict[str, Any], at: float | None) -> Turn:
    kind = payload.get("type")
    if kind == "codex/event/raw_item" or not isinstance(kind, str):
        return turn
    if kind in STARTS:
        return replace(turn, phase="open", at=at, id=text(payload.get("turn_id")), calls={}, told=True)
    if kind in ENDS:
        return _ended(turn, kind, payload, at)
    if kind == "user_message":
        return replace(turn, prompt=_prompt(payload.get("message"), turn.prompt))
    if kind == "item_completed" and isinstance(payload.get("item"), dict):
        return _completed(turn, payload["item"], at)
    return turn


def _ended(turn: Turn, kind: str, payload: dict[str, Any], at: float | None) -> Turn:
    ended = text(payload.get("turn_id"))
    if turn.phase == "open" and turn.id and ended and ended != turn.id:
        return turn  # a former one, that the open one has replaced
    phase = ENDS[kind]
    if payload.get("error") or payload.get("reason") == "budget_limited":
        phase = "error"
    elif payload.get("reason") == "review_ended":
        phase = "done"
    return replace(turn, phase=phase, at=at, id="", calls={}, told=True)


def _completed(turn: Turn, item: dict[str, Any], at: float | None) -> Turn:
    match item.get("type"):
        case "UserMessage":
            return replace(turn, prompt=_prompt(_words(item.get("content")), turn.prompt))
        case "AgentMessage":
            return replace(turn, spoke=at)
        case "CommandExecution":
            left = {call: begun for call, begun in turn.background.items() if call != item.get("id")}
            return replace(turn, background=left)
    return turn


def _item(turn: Turn, payload: dict[str, Any], at: float | None) -> Turn:
    kind = text(payload.get("type")) or ("message" if payload.get("role") else "")
    if kind in CALL_TYPES:
        return _called(turn, payload, at)
    if kind in OUTPUT_TYPES:
        return _answered(turn, payload, at)
    if kind != "message":
        return turn
    words = _words(payload.get("content"))
    if payload.get("role") == "user" and words and not words.lstrip().startswith(CONTEXT):
        turn = replace(turn, prompt=_prompt(words, turn.prompt))
        return turn if turn.told or turn.modern else replace(turn, phase="open", at=at, calls={})
    if payload.get("role") == "assistant" and not turn.told and not turn.modern:
        return replace(turn, phase="done", at=at, calls={})
    return turn


def _called(turn: Turn, payload: dict[str, Any], at: float | None) -> Turn:
    if turn.told and turn.phase != "open":
        return turn  # belongs to no turn: what a resumed conversation brought along
    function = payload.get("function")
    name = text(payload.get("name")) or text(function.get("name") if isinstance(function, dict) else None)
    kept = dict(list(turn.calls.items())[-(CALLS - 1) :])
    kept[text(payload.get("call_id")) or text(payload.get("id"))] = Call(name, _ask(name, payload), at)
    turn = replace(turn, calls=kept)
    return turn if turn.told or turn.modern else replace(turn, phase="open", at=turn.at or at)


def _ask(name: str, payload: dict[str, Any]) -> Ask:
    if name in QUESTIONS:
        return "question"
    arguments = payload.get("arguments") or payload.get("input") or ""
    if isinstance(arguments, dict):
        permissions = arguments.get("sandbox_permissions")
        return "approval" if permissions in ("require_escalated", "with_additional_permissions") else ""
    escalated = isinstance(arguments, str) and "sandbox_permissions" in arguments
    # A patch may leave the workspace, and what another server's tool may do is not known here.
    return "approval" if escalated or name == "apply_patch" or "__" in name else ""


def _answered(turn: Turn, payload: dict[str, Any], at: float | None) -> Turn:
    id = text(payload.get("call_id"))
    output = _words(payload.get("output"))
    if len(output) < 80 and output.rstrip().endswith(ABORTED):
        return turn  # the end of the turn follows in some milliseconds
    left = {call: each for call, each in turn.calls.items() if id and call != id}
    call = turn.calls.get(id)
    background = turn.background
    if call and call.name in COMMANDS and RUNNING_ON in output[:PROMPT]:
        background = {**dict(list(background.items())[-(CALLS - 1) :]), id: call.at}
    turn = replace(turn, calls=left, background=background)
    return turn if turn.told or turn.modern else replace(turn, phase="open", at=turn.at or at)


def _words(content: object) -> str:
    """The text of a message: a text, or a list of parts with texts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(text(part.get("text")) for part in content[:16] if isinstance(part, dict)).strip()
    return ""


def _prompt(words: object, before: str | None) -> str | None:
    return words[:PROMPT] if isinstance(words, str) and words.strip() else before


def text(value: object) -> str:
    """`value`, if it is a text."""
    return value if isinstance(value, str) else ""


def moment(stamp: object) -> float | None:
    """An ISO 8601 time in seconds since the epoch; without a zone it is in UTC."""
    try:
        told = datetime.fromisoformat(text(stamp))
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


class Meta(Struct, frozen=True):
    """What the first line of a rollout says of its thread."""

    id: str = ""
    cwd: str = ""
    child: bool = False
    """It belongs to another thread: a subagent's, or a review."""
    person: bool = True
    """Somebody talks in it by a terminal: neither a script nor an editor."""


def meta(head: bytes) -> Meta | None:
    """What the beginning of a rollout tells; None where its first line is not there as a whole."""
    line, end, _ = head.partition(b"\n")
    try:
        record = DECODER.decode(line)
        payload = msgspec.json.decode(record.payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not end or record.type != "session_meta" or not isinstance(payload, dict):
        return None
    source, origin = payload.get("source"), text(payload.get("originator"))
    child = (
        isinstance(source, dict)  # {"subagent": …}
        or payload.get("thread_source") not in (None, "", "user")
        or bool(payload.get("parent_thread_id"))
    )
    # With the daemon, a terminal's threads say `vscode` too.
    elsewhere = source in ("exec", "mcp") or (source == "vscode" and bool(origin) and origin != "codex-tui")
    return Meta(text(payload.get("id")), text(payload.get("cwd")), child, not child and not elsewhere)
