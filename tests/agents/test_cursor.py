"""Cursor's agent: its transcripts, hooks and screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opensessions.agents.adapter import FORGET, Facts, Heard, Look
from opensessions.agents.cursor import KIND, Reader, hear
from opensessions.agents.signal import BUSY, RESTING, Signal
from opensessions.files.disk import Disk

Line = dict[str, Any]


def said(role: str, *content: Line) -> Line:
    return {"role": role, "message": {"content": list(content)}}


TEXT: Line = {"type": "text", "text": "List the files."}
CALL: Line = {"type": "tool_use", "name": "Bash", "input": {"command": "ls"}}


def write(home: Path, *lines: Line, id: str = "c1") -> None:
    path = home / ".cursor/projects/home-u-proj/agent-transcripts" / id / f"{id}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def look(home: Path, **told: Any) -> Look:
    made = {"pid": 9, "start": 1, "started": 1.0, "cwd": "/home/u/proj", "env": {"HOME": str(home)}}
    return Reader().look(Facts(**{**made, **told}), Disk())


TURNS: dict[str, tuple[list[Line], set[str]]] = {
    "asked": ([said("user", TEXT)], {"running"}),
    "answered": ([said("user", TEXT), said("assistant", TEXT)], {"running", "done"}),
    "called": ([said("user", TEXT), said("assistant", TEXT, CALL)], {"tool-running", "waiting"}),
    "ended": (
        [said("user", TEXT), said("assistant", CALL), {"type": "turn_ended", "status": "success"}],
        {"done"},
    ),
    "aborted": ([said("user", TEXT), {"type": "turn_ended", "status": "aborted"}], {"interrupted"}),
    "ended somehow": ([said("user", TEXT), {"type": "turn_ended", "status": "new"}], set(RESTING)),
}


@pytest.mark.parametrize("name", TURNS)
def test_what_the_last_line_says(tmp_path: Path, name: str) -> None:
    lines, states = TURNS[name]
    write(tmp_path, *lines)
    (signal,) = look(tmp_path).signals
    assert signal.states == states
    assert (signal.about.thread, signal.about.prompt) == ("c1", "List the files.")


def test_what_it_cannot_tell_apart_it_does_not_tell(tmp_path: Path) -> None:
    write(tmp_path, said("user", TEXT))
    assert not look(tmp_path, rivals=1).signals
    assert not look(tmp_path, cwd="/home/u/other").signals


HOOKS: dict[str, tuple[str, Line, set[str]]] = {
    "prompt": ("beforeSubmitPrompt", {"prompt": "x", "conversation_id": "c1"}, {"running"}),
    "tool": ("preToolUse", {}, set(BUSY)),
    "completed": ("stop", {"status": "completed"}, {"done"}),
    "aborted": ("stop", {"status": "aborted"}, {"interrupted"}),
    "error": ("stop", {"status": "error"}, {"error"}),
    "somehow": ("stop", {}, set(RESTING)),
}


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_hook_says(name: str) -> None:
    event, payload, states = HOOKS[name]
    signal = hear(Heard(event, payload))
    assert isinstance(signal, Signal)
    assert signal.states == states
    assert hear(Heard("sessionEnd", {})) is FORGET
    assert hear(Heard("other", {})) is None


def test_prompts_and_work_are_seen_on_the_screen() -> None:
    asked, works = (
        KIND.screen(["Run this command?", "Run (y) (enter)", "Skip (esc or n)"]),
        KIND.screen(["ctrl+c to stop"]),
    )
    assert asked
    assert asked.states == {"waiting"}
    assert works
    assert works.states == {"running", "tool-running"}
