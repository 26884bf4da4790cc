"""What Claude Code 2.1.329 wrote in each state, and what must be made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensessions.agents.claude import KIND
from opensessions.model import AgentState
from tests.agents.claude_world import DATA, World

SAMPLES = DATA / "claude-2.1.329"
TRUTH: dict[str, AgentState] = {
    "done": "done", "tooldone": "done", "approved": "done", "running": "running", "hang": "running",
    "interrupted": "interrupted", "toolrunning": "tool-running", "waiting": "waiting", "question": "waiting",
    "error": "error",
}  # fmt: skip
PREFERRED_ALONE: dict[str, AgentState] = {**TRUTH, "waiting": "tool-running"}
"""Without the registry a wait for a permission looks like a tool that runs."""


def sample(world: World, name: str, registry: bool) -> None:
    entry = json.loads((SAMPLES / f"{name}.registry.json").read_text())
    world.thread = entry["sessionId"]
    if registry:
        entry |= {"pid": world.facts.pid, "procStart": str(world.facts.start), "cwd": world.facts.cwd}
        world.registry.parent.mkdir(parents=True, exist_ok=True)
        world.registry.write_text(json.dumps(entry))
    world.write(*(SAMPLES / f"{name}.jsonl").read_text().splitlines())


@pytest.mark.parametrize("name", TRUTH)
def test_registry_and_transcript(name: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    sample(world, name, registry=True)
    assert world.read(0) == TRUTH[name]
    assert world.wait(60) == TRUTH[name]
    assert world.verdict.about.thread == world.thread
    assert world.verdict.about.prompt
    assert world.verdict.confidence == "high" or name in ("hang", "running")


@pytest.mark.parametrize("name", TRUTH)
def test_transcript_alone(name: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    sample(world, name, registry=False)
    assert world.read(0) == PREFERRED_ALONE[name]
    assert world.verdict.about.thread == world.thread


def test_a_question_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    sample(world, "question", registry=True)
    world.read(0)
    assert world.verdict.about.waiting_for == "question"


def test_a_permission_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    sample(world, "waiting", registry=True)
    world.read(0)
    assert world.verdict.about.waiting_for == "permission prompt"


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("running", {"running", "tool-running"}), ("toolrunning", {"running", "tool-running"}),
        ("waiting", {"waiting"}), ("waiting2", {"waiting"}), ("interrupted", {"interrupted"}),
        ("done", {"idle", "done", "error", "interrupted"}),
        ("tooldone", {"idle", "done", "error", "interrupted"}), ("approved", {"idle", "done", "error", "interrupted"}),
    ],
)  # fmt: skip
def test_screens(name: str, states: set[AgentState]) -> None:
    signal = KIND.screen((SAMPLES / f"screens/{name}.txt").read_text().splitlines()[1:])
    assert signal is not None
    assert signal.states == states


def test_the_constant_title_says_nothing() -> None:
    assert KIND.title("✳ Claude Code") is None
    assert KIND.title("✳ Fix the parser") is None


def test_hooks_of_a_whole_run(tmp_path: Path) -> None:
    """Prompts, an interrupt that no hook tells of, tools, a permission, a question, a background shell, an error."""
    world = World(tmp_path)
    states = []
    for place, line in enumerate((SAMPLES / "hooks.jsonl").read_text().splitlines()):
        heard = json.loads(line)
        states.append((heard["event"], world.hook(heard["event"], float(place), **heard["payload"])))
    assert {state for event, state in states if event == "UserPromptSubmit"} == {"running"}
    assert {state for event, state in states if event == "PermissionRequest"} == {"waiting"}
    assert {state for event, state in states if event == "Stop"} == {"done"}
    assert {state for event, state in states if event == "StopFailure"} == {"error"}
    assert states[0] == ("SessionStart", "idle")
