"""Copilot CLI: its events, whose session it is, its hooks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.agents.adapter import FORGET, Facts, Heard, Look
from opensessions.agents.copilot import KIND, Reader, hear
from opensessions.agents.copilot.events import Story
from opensessions.agents.signal import BUSY, RESTING, Signal
from opensessions.files.disk import Disk

DATA = Path(__file__).parent / "data" / "copilot-1.0.102"
PID = 4711


def facts(home: Path, **told: Any) -> Facts:
    return Facts(**{"pid": PID, "start": 1, "started": 1.0, "cwd": "/p", "env": {"HOME": str(home)}, **told})


def session(home: Path, name: str, lock: int | None = PID) -> Path:
    folder = home / ".copilot" / "session-state" / name
    folder.mkdir(parents=True)
    if lock is not None:
        (folder / f"inuse.{lock}.lock").touch()
    return folder / "events.jsonl"


def said(found: Look) -> Signal:
    return next(signal for signal in found.signals if signal.source == "transcript")


def look(home: Path, **told: Any) -> Look:
    return Reader().look(facts(home, **told), Disk())


@pytest.mark.parametrize(
    ("name", "state"), [("waiting", "waiting"), ("abort", "interrupted"), ("error", "error")]
)
def test_a_sample_is_read_as_what_it_was(tmp_path: Path, name: str, state: str) -> None:
    shutil.copy(DATA / f"{name}.jsonl", session(tmp_path, "s1"))
    signal = said(look(tmp_path))
    assert signal.states == {state}
    assert (signal.about.thread, signal.about.prompt) == ("s1", "hello")
    assert signal.about.waiting_for == ("permission prompt" if state == "waiting" else None)


def test_the_lock_with_its_pid_proves_whose_session_it_is(tmp_path: Path) -> None:
    shutil.copy(DATA / "waiting.jsonl", session(tmp_path, "s1", lock=PID + 1))
    shutil.copy(DATA / "abort.jsonl", session(tmp_path, "s2", lock=None))
    assert not look(tmp_path).signals
    assert said(look(tmp_path, pid=1, below=(PID + 1,), rivals=3)).states == {"waiting"}


def test_what_a_crash_left_open_is_not_waiting(tmp_path: Path) -> None:
    shutil.copy(DATA / "waiting.jsonl", session(tmp_path, "s1"))
    later = 1_790_000_000.0  # after the sample's last event, before the lock was made
    assert said(look(tmp_path, started=later)).states == RESTING


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data, "timestamp": "2026-08-01T10:00:00.000Z"}


START = [event("session.start"), event("user.message", content="hi"), event("assistant.turn_start")]
BEGUN = event("tool.execution_start", toolCallId="c1")
OVER = event("tool.execution_complete", toolCallId="c1")
CALL = event("assistant.message", content="", toolRequests=[{"toolCallId": "c1"}])
TURNS: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "fresh": ([event("session.start")], {"idle"}),
    "asked": (START, {"running"}),
    "called": ([*START, CALL], {"tool-running", "waiting"}),
    "runs": ([*START, CALL, BEGUN], {"tool-running", "waiting"}),
    "ran": (
        [
            *START,
            CALL,
            event("tool.execution_start", toolCallId="c1"),
            event("tool.execution_complete", toolCallId="c1"),
        ],
        {"running"},
    ),
    "given": (
        [
            *START,
            CALL,
            event("permission.requested", requestId="p"),
            event("permission.completed", requestId="p"),
        ],
        {"tool-running", "waiting"},
    ),
    "answered": ([*START, event("assistant.message", content="so", toolRequests=[])], {"done"}),
    "over": (
        [*START, event("assistant.message", content="so", toolRequests=[]), event("assistant.turn_end")],
        {"done"},
    ),
    "step over": ([*START, CALL, event("assistant.turn_end")], {"running", "tool-running", "done"}),
    "again": ([*START, event("assistant.turn_end"), event("assistant.turn_start")], {"running"}),
    "shut down": ([*START, event("session.shutdown")], set(RESTING)),
}


@pytest.mark.parametrize("name", TURNS)
def test_what_the_events_say(tmp_path: Path, name: str) -> None:
    events, states = TURNS[name]
    session(tmp_path, "s1").write_text("".join(json.dumps(each) + "\n" for each in events))
    assert said(look(tmp_path)).states == states


def test_a_step_that_none_follows_was_the_last_one(tmp_path: Path) -> None:
    events = [*START, CALL, event("assistant.turn_end")]
    session(tmp_path, "s1").write_text("".join(json.dumps(each) + "\n" for each in events))
    reader = Reader()
    assert reader.look(facts(tmp_path), Disk()).again
    assert said(reader.look(facts(tmp_path), Disk())).states == {"done"}


def test_it_goes_on_reading_where_it_was(tmp_path: Path) -> None:
    path = session(tmp_path, "s1")
    path.write_text("".join(json.dumps(each) + "\n" for each in START) + '{"type": "session.err')
    reader = Reader()
    assert said(reader.look(facts(tmp_path), Disk())).states == {"running"}
    with path.open("a") as end:
        end.write('or", "data": {}}\n')
    assert said(reader.look(facts(tmp_path), Disk())).states == {"error"}


HOOKS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "prompt": ("userPromptSubmitted", {"prompt": "x"}, {"running"}),
    "before rules": ("permissionRequest", {}, set(BUSY)),
    "asked": ("notification", {"notification_type": "permission_prompt"}, {"waiting"}),
    "stop": ("agentStop", {"sessionId": "s1"}, {"done"}),
    "error": ("errorOccurred", {}, {"error"}),
}


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_hook_says(name: str) -> None:
    event, payload, states = HOOKS[name]
    signal = hear(Heard(event, payload))
    assert isinstance(signal, Signal)
    assert signal.states == states


def test_a_session_that_begins_or_ends_forgets_what_hooks_told() -> None:
    assert hear(Heard("sessionStart", {})) is FORGET
    assert hear(Heard("sessionEnd", {})) is FORGET
    assert hear(Heard("notification", {"notification_type": "shell_completed"})) is None


def test_a_prompt_is_seen_on_the_screen() -> None:
    signal = KIND.screen(["Do you want to run this?", "1. Yes", "Enter to select · Esc to cancel"])
    assert signal
    assert signal.states == {"waiting"}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [*(each["type"] for each in START), "assistant.message", "tool.execution_start", "abort", "x"]
    ),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["toolRequests", "toolCallId", "content", "requestId"]), inner, max_size=3
            )
        ),
    ),
    st.binary(max_size=30),
)
def test_no_line_crashes_it(kind: str, data: Any, other: bytes) -> None:
    story = Story()
    for line in (json.dumps({"type": kind, "data": data, "timestamp": data}).encode(), other):
        story.take(line)
        signal = story.signal(1.0)
        assert signal is None or signal.states
