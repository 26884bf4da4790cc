"""Droid: its sessions, hooks and screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.agents.adapter import FORGET, Facts, Heard, Look
from opensessions.agents.droid import KIND, Reader, hear
from opensessions.agents.fuse import Claim, fuse
from opensessions.agents.message_lines import Story
from opensessions.agents.signal import RESTING, Signal
from opensessions.files.disk import Disk

Line = dict[str, Any]
HEAD: Line = {"type": "session_start", "id": "d1", "title": "A title", "cwd": "/p"}


def message(role: str, *content: Line, at: str = "2026-08-01T10:00:00.000Z") -> Line:
    return {"type": "message", "timestamp": at, "message": {"role": role, "content": list(content)}}


def text(words: str) -> Line:
    return {"type": "text", "text": words}


CALL = {"type": "tool_use", "id": "t1", "name": "Execute", "input": {"command": "ls"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}


def write(home: Path, *lines: Line, name: str = "d1", folder: str = "-p") -> Path:
    path = home / ".factory" / "sessions" / folder / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def look(home: Path, **told: Any) -> Look:
    facts = Facts(**{"pid": 9, "start": 1, "started": 1.0, "cwd": "/p", "env": {"HOME": str(home)}, **told})
    return Reader().look(facts, Disk())


TURNS: dict[str, tuple[list[Line], set[str]]] = {
    "fresh": ([], {"idle"}),
    "asked": ([message("user", text("Step 1"))], {"running"}),
    "answered": ([message("user", text("Step 1")), message("assistant", text("Ok"))], {"running", "done"}),
    "called": (
        [message("user", text("Step 1")), message("assistant", text("So"), CALL)],
        {"tool-running", "waiting"},
    ),
    "ran": (
        [message("user", text("Step 1")), message("assistant", CALL), message("user", RESULT)],
        {"running"},
    ),
}


@pytest.mark.parametrize("name", TURNS)
def test_what_the_last_message_says(tmp_path: Path, name: str) -> None:
    lines, states = TURNS[name]
    write(tmp_path, HEAD, *lines)
    (signal,) = look(tmp_path).signals
    assert signal.states == states
    assert (signal.about.thread, signal.about.title) == ("d1", "A title")
    assert signal.about.prompt == ("Step 1" if lines else None)


def test_a_text_that_nothing_follows_was_the_end(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD, message("user", text("Step 1")), message("assistant", text("Ok")))
    facts = Facts(pid=9, start=1, started=1.0, cwd="/p", env={"HOME": str(tmp_path)})
    reader, files = Reader(), Disk()
    first = reader.look(facts, files)
    assert first.again
    assert reader.look(facts, files).signals[0].states == {"done"}
    with path.open("a") as end:
        end.write(json.dumps(message("assistant", CALL)) + "\n")
    assert reader.look(facts, files).signals[0].states == {"tool-running", "waiting"}


def test_a_session_of_another_folder_is_not_its_own(tmp_path: Path) -> None:
    write(tmp_path, {**HEAD, "cwd": "/other"}, message("user", text("x")))
    assert not look(tmp_path).signals


def test_two_in_one_folder_are_not_told_apart_by_it(tmp_path: Path) -> None:
    write(tmp_path, HEAD, message("user", text("x")))
    write(tmp_path, HEAD, message("assistant", text("x")), name="d2")
    assert not look(tmp_path, rivals=1).signals
    assert look(tmp_path, taken=frozenset({"d2"})).signals[0].about.thread == "d1"


def test_what_an_earlier_run_left_open_is_not_under_way(tmp_path: Path) -> None:
    write(tmp_path, HEAD, message("assistant", CALL))
    (signal,) = look(tmp_path, started=1_790_000_000.0).signals
    assert signal.states == RESTING


def test_a_text_in_the_middle_of_a_turn_does_not_end_it() -> None:
    shown = KIND.screen(["  Working…", "  esc to stop"])
    assert shown
    claims = {
        "screen": Claim(shown, 5.05),
        "transcript": Claim(Signal("transcript", frozenset({"done"}), lag=0.5), 5.0),
    }
    assert fuse(claims, KIND.trust, 5.1, "running").state == "running"  # type: ignore[arg-type]
    assert fuse({"transcript": claims["transcript"]}, KIND.trust, 6.0, "running").state == "done"


HOOKS: dict[str, tuple[str, Line, set[str]]] = {
    "prompt": ("UserPromptSubmit", {"prompt": "x", "session_id": "d1"}, {"running"}),
    "tool": ("PreToolUse", {}, {"running", "tool-running", "waiting"}),
    "asked": ("Notification", {"message": "Droid needs your permission to use Execute"}, {"waiting"}),
    "stop": ("Stop", {}, {"done"}),
}


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_hook_says(name: str) -> None:
    event, payload, states = HOOKS[name]
    signal = hear(Heard(event, payload))
    assert isinstance(signal, Signal)
    assert signal.states == states


def test_hooks_that_say_no_state() -> None:
    assert hear(Heard("Notification", {"message": "Droid is waiting for your input"})) is None
    assert hear(Heard("SubagentStop", {})) is None
    assert hear(Heard("SessionEnd", {})) is FORGET


def test_a_prompt_is_seen_on_the_screen() -> None:
    signal = KIND.screen(["> Yes, allow", "  No, cancel", "Esc to cancel"])
    assert signal
    assert signal.states == {"waiting"}


parts = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "message", "content", "id", "tool_use_id", "text", "status", "timestamp"]
            ),
            inner
            | st.sampled_from(["message", "user", "assistant", "tool_use", "tool_result", "turn_ended"]),
            max_size=4,
        )
    ),
)


@settings(max_examples=200, deadline=None)
@given(parts, st.binary(max_size=30))
def test_no_line_crashes_it(line: Any, other: bytes) -> None:
    story = Story()
    for data in (json.dumps(line).encode(), other):
        story.take(data)
        signal = story.signal(1.0, "t", settled=bool(other))
        assert signal is None or signal.states
