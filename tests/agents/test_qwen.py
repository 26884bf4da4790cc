"""Qwen Code: what 0.24.4 and 0.15.10 wrote and told, and what must be made of it."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.agents.qwen import KIND
from opensessions.agents.qwen.chat import Chat, enough
from opensessions.model import AgentState
from tests.agents.claude_world import CWD, DATA, EPOCH, ID, World, stamp
from tests.agents.test_claude_transcript import ODD

SAMPLES = DATA / "qwen-0.24.4"
OTHER = "aaaaaaaa-2222-4333-8444-555555555555"
TELEMETRY = {"type": "system", "subtype": "ui_telemetry"}


class Qwen(World):
    """As Claude Code's, with Qwen Code's places."""

    @property
    def registry(self) -> Path:
        return self.home / f".qwen/sessions/{self.facts.pid}.json"

    @property
    def transcript(self) -> Path:
        return self.home / f".qwen/projects/-home-user-project/chats/{self.thread}.jsonl"

    def register_newer(self, **more: Any) -> None:
        """As 0.24.4 does when it starts."""
        entry = json.loads((SAMPLES / "registry.json").read_text())
        entry |= {
            "pid": self.facts.pid,
            "procStart": f"0000-boot:{self.facts.start}",
            "sessionId": self.thread,
            "cwd": CWD,
        }
        self.registry.parent.mkdir(parents=True, exist_ok=True)
        self.registry.write_text(json.dumps(entry | more))


@pytest.fixture
def world(tmp_path: Path) -> Qwen:
    return Qwen(tmp_path, KIND)


def asked(text: str, at: float, **more: Any) -> dict[str, Any]:
    return {
        "type": "user",
        "timestamp": stamp(at),
        "message": {"role": "user", "parts": [{"text": text}]},
        **more,
    }


def said(text: str, at: float, counted: bool = True, **more: Any) -> dict[str, Any]:
    usage = {"usageMetadata": {"totalTokenCount": 15}} if counted else {}
    parts = [{"text": text}]
    return {
        "type": "assistant",
        "timestamp": stamp(at),
        "message": {"role": "model", "parts": parts},
        **usage,
        **more,
    }


def called(id: str, at: float, name: str = "run_shell_command") -> dict[str, Any]:
    parts = [{"functionCall": {"id": id, "name": name, "args": {}}}]
    message = {"role": "model", "parts": parts}
    return {"type": "assistant", "timestamp": stamp(at), "message": message, "usageMetadata": {}}


def returned(id: str, at: float, status: str = "success") -> dict[str, Any]:
    parts = [{"functionResponse": {"id": id, "response": {"output": "x"}}}]
    result = {"callId": id, "status": status}
    return {
        "type": "tool_result",
        "timestamp": stamp(at),
        "message": {"parts": parts},
        "toolCallResult": result,
    }


def request(name: str, at: float, **more: Any) -> dict[str, Any]:
    event = {"event.name": f"qwen-code.{name}", **more}
    return {**TELEMETRY, "timestamp": stamp(at), "systemPayload": {"uiEvent": event}}


# --- samples of 0.24.4 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("running", "running"),
        ("waiting", "tool-running"),
        ("tooldone", "done"),
        ("interrupted", "interrupted"),
    ],
)
def test_the_file_alone(name: str, state: AgentState, world: Qwen) -> None:
    world.register_newer()
    world.write(*(SAMPLES / f"{name}.jsonl").read_text().splitlines())
    assert world.read(0) == state
    assert world.verdict.about.thread == ID
    assert world.verdict.about.prompt in ("slow please", "tool please")
    assert world.verdict.about.title == "slow please"


def test_title_and_file(world: Qwen) -> None:
    world.register_newer()
    world.write(*(SAMPLES / "waiting.jsonl").read_text().splitlines())
    world.read(0)
    assert world.title("✳ Qwen - project", 1) == "waiting"
    assert world.title("◐ Qwen - project", 2) == "tool-running"


@pytest.mark.parametrize(
    ("name", "states"),
    [("running", {"running", "tool-running"}), ("toolrunning", {"running", "tool-running"}), ("waiting", {"waiting"}),
     ("interrupted", {"interrupted"}), ("tooldone", None)],
)  # fmt: skip
def test_screens(name: str, states: set[AgentState] | None) -> None:
    signal = KIND.screen((SAMPLES / f"screens/{name}.txt").read_text().splitlines()[1:])
    assert (signal.states if signal else None) == states


def test_a_title_without_a_mark_says_nothing() -> None:
    assert KIND.title("Qwen - project") is None


def test_hooks_of_a_whole_run(world: Qwen) -> None:
    """A prompt stopped by Esc, a tool that was approved, an answer, a tool that was denied, the end."""
    states: list[tuple[str, AgentState]] = []
    for place, line in enumerate((SAMPLES / "hooks.jsonl").read_text().splitlines()):
        heard = json.loads(line)
        states.append((heard["event"], world.hook(heard["event"], float(place), **heard["payload"])))
    assert states[:2] == [("SessionStart", "idle"), ("UserPromptSubmit", "running")]
    assert {state for event, state in states if event == "PermissionRequest"} == {"waiting"}
    assert {state for event, state in states if event == "PreToolUse"} == {"tool-running"}
    assert {state for event, state in states if event == "Stop"} == {"done"}
    after = [state for (event, _), (_, state) in itertools.pairwise(states) if event == "Stop"]
    assert after == ["done"]


# --- turns, the file late ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0.0, 0.2, 0.4])
def test_a_turn_with_an_approval(late: float, world: Qwen) -> None:
    world.register_newer()
    world.read(0)
    world.hook("SessionStart", 0.1, source="startup")
    world.hook("UserPromptSubmit", 1.0, prompt="go")
    world.wait(1.0 + late)
    world.write(asked("go", 1.0))
    world.read()
    world.hook("PermissionRequest", 4.0, tool_name="run_shell_command")
    world.wait(4.0 + late)
    world.write(called("a", 3.8))
    assert world.read() == "waiting"
    world.hook("Notification", 4.5, notification_type="permission_prompt")
    world.hook("PreToolUse", 8.0)
    assert world.wait(12) == "tool-running"
    world.hook("PostToolUse", 12.0)
    world.hook("UserPromptSubmit", 12.1, prompt="")
    world.wait(12.1 + late)
    world.write(returned("a", 12.0))
    assert world.read() == "running"
    world.hook("Stop", 14.0)
    world.wait(14.0 + late)
    world.write(said("done", 13.9))
    world.read()
    world.hook("Notification", 14.5, notification_type="idle_prompt")
    assert world.wait(60) == "done"
    assert world.shown == ["idle", "running", "waiting", "tool-running", "running", "done"]
    assert world.verdict.about.prompt == "go"


def test_stopped_while_text_came(world: Qwen) -> None:
    world.write(asked("one", 0), said("x", 0.5))
    world.read(0.6)
    world.hook("UserPromptSubmit", 1.0, prompt="go")
    world.write(asked("go", 1.0))
    world.read(1.2)
    world.hook("Notification", 3.0, notification_type="idle_prompt")
    world.write(request("api_response", 3.0), said("cut o", 3.0, counted=False))
    assert world.read(3.1) == "interrupted"
    assert world.wait(30) == "interrupted"
    assert world.shown == ["done", "running", "interrupted"]


def test_stopped_before_anything_came(world: Qwen) -> None:
    world.hook("UserPromptSubmit", 1.0, prompt="go")
    world.write(asked("go", 1.0))
    world.read(1.2)
    world.hook("Notification", 3.0, notification_type="idle_prompt")
    assert world.wait(4.0) == "interrupted"
    assert world.shown == ["running", "interrupted"]


def test_stopped_in_a_tool(world: Qwen) -> None:
    world.hook("UserPromptSubmit", 1.0, prompt="go")
    world.write(asked("go", 1.0), called("a", 2.0))
    world.hook("PreToolUse", 2.1)
    assert world.read(2.2) == "tool-running"
    world.hook("PostToolUseFailure", 5.0, is_interrupt=True)
    world.hook("Notification", 5.1, notification_type="idle_prompt")
    world.write(returned("a", 5.0, "cancelled"))
    assert world.read(5.2) == "interrupted"
    assert world.shown == ["running", "tool-running", "interrupted"]


def test_a_failed_request(world: Qwen) -> None:
    world.hook("UserPromptSubmit", 1.0, prompt="go")
    world.write(asked("go", 1.0))
    world.read(1.2)
    world.write(request("api_error", 2.0))
    assert world.read(2.0) == "running"
    world.hook("StopFailure", 3.0)
    world.hook("Notification", 3.1, notification_type="idle_prompt")
    assert world.wait(30) == "error"
    assert world.shown == ["running", "error"]


def test_an_open_call_of_the_older_version_may_yet_be_asked_for(world: Qwen) -> None:
    world.write(asked("go", 1.0))
    assert world.read(1.1) == "running"
    world.write(called("a", 2.0))
    world.read(2.1)
    assert world.wait(60) == "running"
    assert world.look is not None
    assert world.look.again is None
    assert (
        world.screen(["  Allow execution of: 'env'?", "⠏ Waiting for user confirmation..."], 61) == "waiting"
    )


def test_an_open_call_of_the_newer_version_runs_if_nothing_is_asked(world: Qwen) -> None:
    world.register_newer()
    world.write(asked("go", 1.0, provenance="real_user"))
    assert world.read(1.1) == "running"
    world.write(called("a", 2.0))
    assert world.read(2.1) == "running"
    assert world.wait(10) == "tool-running"


# --- nothing but its screen: two in one directory, no hooks ---------------------------------------------------------

RULE = "─" * 40
PROMPT = [RULE, ">   Type your message or @path/to/file", RULE, "  ? for shortcuts"]
BUSY_LINE = "  .   Engage. (1s · ↓ 5 tokens · esc to cancel)"
DIALOG = [
    "  │ Allow execution of: 'gate'?     │",
    "  │                                 │",
    "  │ › 1. Yes, allow once            │",
    "  │   2. Always allow in this project │",
    "  │   3. Always allow for this user │",
    "  │   4. No, suggest changes (esc)  │",
    "  │                                 │",
    "  ╰─────────────────────────────────╯",
]
CANCELLED_TOOL = ["  ╭──────╮", "  │ -  Shell gate (waits)  │", "  ╰──────╯"]


@pytest.mark.parametrize(
    ("above", "state"),
    [
        (["  > go", BUSY_LINE, *PROMPT], "running"),
        (
            ["  > go", BUSY_LINE, "  next", "  and next", "  Press ↑ to edit queued messages", *PROMPT],
            "running",
        ),
        (["  > go", "  (1s · esc to cancel)", *PROMPT, "  0.1% context used"], "running"),
        (["  > go", *DIALOG], "waiting"),
        (["  > go", *DIALOG, "  ⠏ Waiting for user confirmation..."], "waiting"),
        (["  > go", "  ✦ words", *PROMPT], "done"),
        (["  > go", "  ✦ words", RULE, "> a draft", RULE, "  ? for shortcuts   0.1% context used"], "done"),
        (
            [
                "  > go",
                "  ✦ words",
                RULE,
                "*   Type your message",
                RULE,
                "  YOLO mode (shift + tab to cycle)",
            ],
            "done",
        ),
        (["  > go", "  ● Request cancelled.", *PROMPT], "interrupted"),
        (["  > go", *CANCELLED_TOOL, *PROMPT], "interrupted"),
        (["  > go", "  ✕ [API Error: 400 refused] (Press Ctrl+Y to retry)", *PROMPT], "error"),
        (["  ● Request cancelled.", "  > go", "  ✦ words", *PROMPT], "done"),
    ],
)
def test_the_screen_alone(above: list[str], state: AgentState, world: Qwen) -> None:
    world.write(asked("x", 0))
    world.moved(rivals=1)
    world.read(0)
    assert world.screen(["  Tips", *PROMPT], 0.1) == "idle"
    assert world.screen(["  > go", BUSY_LINE, *PROMPT], 1) == "running"
    assert world.screen(above, 2) == state
    assert world.wait(30) == state


def test_other_screens_say_nothing() -> None:
    assert KIND.screen([*PROMPT[:3], "  Press Ctrl+C again to exit."]) is None


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ([asked("go", 2)], "running"),
        ([asked("go", 2), called("a", 3)], "running"),
        ([asked("go", 2), request("api_error", 3)], "running"),
    ],
)
def test_a_screen_that_is_behind_its_file(
    records: list[dict[str, Any]], state: AgentState, world: Qwen
) -> None:
    """A prompt is shown still, or already: whatever the file says of a turn counts."""
    world.write(asked("one", 0))
    world.read(0)
    world.screen(["  > one", BUSY_LINE, *PROMPT], 1)
    world.write(*records)
    assert world.read(3) == state
    for at in range(4, 10):
        assert world.screen(["  ✦ words", *PROMPT], at) == state


def test_stopped_while_it_tries_again(world: Qwen) -> None:
    world.write(asked("go", 0), request("api_error", 1))
    assert world.read(1) == "running"
    assert world.screen(["  > go", "  ● Request cancelled.", *PROMPT], 2) == "interrupted"
    assert world.wait(30) == "interrupted"


# --- which file --------------------------------------------------------------------------------------------------


def test_another_boots_entry_with_the_same_pid_counts_for_nothing(world: Qwen) -> None:
    world.register_newer(procStart="0000-boot:1")
    world.thread = OTHER
    world.write(asked("x", 0))
    world.read(0)
    assert world.verdict.about.thread == OTHER


def test_without_an_entry_rivals_make_it_unknown(world: Qwen) -> None:
    world.write(asked("x", 0))
    world.moved(rivals=1)
    world.read(0)
    assert world.signals() == {}


def write_other(world: Qwen, at: float) -> None:
    """Somebody writes another conversation in the same directory."""
    path = world.transcript.with_name(f"{OTHER}.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked("other", at)) + "\n")
    os.utime(path, (EPOCH + at, EPOCH + at))


def test_what_a_rival_wrote_is_left_alone_when_it_has_gone(world: Qwen) -> None:
    world.moved(rivals=1)
    write_other(world, 1)
    world.read(1)
    world.moved(rivals=0)
    world.read(2)
    assert world.signals() == {}
    world.write(asked("mine", 3), said("x", 4))
    assert world.read(4) == "done"


def test_its_own_conversation_is_kept_when_a_rival_comes(world: Qwen) -> None:
    world.write(asked("x", 0), said("y", 1))
    os.utime(world.transcript, (EPOCH + 1, EPOCH + 1))
    assert world.read(1) == "done"
    world.moved(rivals=1)
    assert world.read(2) == "done"
    assert world.verdict.about.thread == ID


def test_another_file_beside_its_own_may_be_its_next_one(world: Qwen) -> None:
    """Nobody tells whether the rival wrote it, or this one after `/clear`."""
    world.write(asked("x", 0), said("y", 1))
    os.utime(world.transcript, (EPOCH + 1, EPOCH + 1))
    world.read(1)
    world.moved(rivals=1)
    write_other(world, 5)
    world.read(5)
    assert world.signals() == {}
    assert world.screen(["  > go", BUSY_LINE, *PROMPT], 6) == "running"
    world.moved(rivals=0)
    world.read(7)
    assert world.verdict.about.thread == ID


def test_a_hook_proves_whose_it_is(world: Qwen) -> None:
    world.write(asked("x", 0), said("cut", 1), asked("y", 2), said("cut o", 3, counted=False))
    world.moved(rivals=1, thread=ID)
    world.read(3)
    assert world.verdict.about.thread == ID
    assert world.verdict.state == "interrupted"


def test_a_conversation_that_a_hook_named_and_that_has_no_file_yet(world: Qwen) -> None:
    world.hook("SessionStart", 0, source="startup")
    world.hook("UserPromptSubmit", 1, prompt="go")
    world.moved(thread=ID)
    world.read(1.1)
    assert world.wait(30) == "running"
    world.write(asked("go", 1))
    assert world.read(31) == "running"
    assert world.shown == ["idle", "running"]


def test_a_cleared_conversation_is_idle(world: Qwen) -> None:
    world.write(asked("x", 0), said("y", 1))
    world.moved(thread=ID)
    assert world.read(1) == "done"
    world.thread = OTHER
    world.hook("SessionStart", 5, source="clear")
    world.moved(thread=OTHER)
    assert world.read(5.1) == "idle"
    assert world.wait(60) == "idle"


def test_another_ones_thread_is_left_alone(world: Qwen) -> None:
    world.write(asked("x", 0))
    world.moved(taken=frozenset({ID}))
    world.read(0)
    assert world.signals() == {}


def test_other_folders_by_environment(tmp_path: Path) -> None:
    world = Qwen(tmp_path, KIND)
    world.moved(
        env={"HOME": "/nowhere", "QWEN_HOME": str(tmp_path / "q"), "QWEN_RUNTIME_DIR": str(tmp_path / "r")}
    )
    place = tmp_path / "r/projects/-home-user-project/chats"
    place.mkdir(parents=True)
    (place / f"{ID}.jsonl").write_text(json.dumps(said("x", 0)) + "\n")
    assert world.read(0) == "done"


def test_its_token_is_never_repeated(world: Qwen) -> None:
    world.register_newer(ipcToken="SECRET-TOKEN")
    world.write(asked("x", 0))
    world.read(0)
    assert "SECRET" not in repr(world.look) + repr(world.track)


# --- records -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "standing"),
    [
        ([], "new"),
        ([asked("x", 0)], "asked"),
        ([asked("x", 0), said("y", 1)], "done"),
        ([asked("x", 0), said("y", 1, counted=False)], "cut"),
        ([asked("x", 0), said("y", 1), asked("z", 2), said("w", 3, counted=False)], "interrupted"),
        ([asked("x", 0), called("a", 1)], "called"),
        ([asked("x", 0), called("a", 1), returned("a", 2)], "asked"),
        ([asked("x", 0), called("a", 1), returned("a", 2, "cancelled")], "interrupted"),
        ([asked("x", 0), request("api_error", 1)], "failed"),
        ([asked("x", 0), request("api_error", 1, error_type="APIUserAbortError")], "interrupted"),
        ([asked("x", 0), request("api_response", 1), said("y", 1, False)], "interrupted"),
        (
            [
                asked("x", 0),
                request("api_response", 1),
                said("y", 1, False),
                asked("z", 2),
                said("w", 3, False),
            ],
            "cut",
        ),
        ([asked("x", 0), said("y", 1), request("api_error", 2)], "done"),
        ([asked("x", 0), request("api_error", 1), said("y", 2)], "done"),
        ([said("y", 1), asked("told", 2, subtype="notification")], "done"),
        ([said("y", 1), asked("told", 2, subtype="cron")], "done"),
        ([said("y", 1), asked("more", 2, subtype="mid_turn_user_message")], "asked"),
        (
            [asked("x", 0), {"type": "assistant", "message": {"parts": [{"text": "hm", "thought": True}]}}],
            "asked",
        ),
        ([{"type": "user"}, {"type": "assistant", "message": "text"}, {"type": 7}], "new"),
    ],
)
def test_how_it_stands(records: list[dict[str, Any]], standing: str) -> None:
    assert Chat(json.dumps(each).encode() for each in records).standing == standing


def test_the_title_and_the_prompt() -> None:
    renamed = {"type": "system", "subtype": "custom_title", "systemPayload": {"customTitle": "Mine"}}
    hooked = asked("<qwen:user-prompt-submit-context>added", 1)
    chat = Chat(json.dumps(each).encode() for each in (asked("first", 0), renamed, hooked))
    assert (chat.title, chat.prompt, chat.at) == ("Mine", "first", EPOCH + 1)


def test_plans_and_questions_are_waits() -> None:
    assert Chat([json.dumps(called("a", 1, "ask_user_question")).encode()]).question == "question"
    assert Chat([json.dumps(called("a", 1, "exit_plan_mode")).encode()]).question == "plan"


@settings(deadline=None, max_examples=100)
@given(st.lists(ODD | st.binary(max_size=60), max_size=8))
def test_nothing_breaks_it(records: list[object]) -> None:
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
    assert Chat(lines).states
    enough(lines)
