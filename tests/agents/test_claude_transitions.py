"""Every step of a turn, with its sources telling of it in every order and as late as they were measured to be."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import AgentState
from tests.agents.claude_world import EPOCH, World, answer, call, failure, interrupt, over, prompt, result

REGISTRY, TRANSCRIPT, HOOK = "registry", "transcript", "hook"
DELAYS = (0.02, 0.12, 0.24)
"""Seconds after which the sources tell; which is which is permuted."""


class Step(Struct, frozen=True):
    """At `at` the state becomes `state`; the sources tell of it in these words."""

    state: AgentState
    at: float
    status: str | None = None
    waiting_for: str | None = None
    hook: str | None = None
    payload: dict[str, object] = {}
    records: tuple[dict[str, object], ...] = ()
    slow: float = 0.35
    """Seconds after which at the latest the state must be shown."""


PROMPT = Step("running", 1.0, "busy", None, "UserPromptSubmit", {"prompt": "do it"}, (prompt("do it", 1.0),))
DONE = Step("done", 3.0, "idle", None, "Stop", {}, (answer("ok", 2.99), over(3.0)))
CALLED = Step(
    "tool-running", 2.0, None, None, "PreToolUse", {"tool_name": "Bash"}, (call("t1", "Bash", 2.0),), 1.0
)
ASKED = Step(
    "waiting", 2.0, "waiting", "permission prompt", "PermissionRequest", {"tool_name": "Bash"},
    (call("t1", "Bash", 2.0),),
)  # fmt: skip
GRANTED = Step("tool-running", 5.0, "busy")
RETURNED = Step("running", 7.0, None, None, "PostToolUse", {}, (result("t1", 7.0),))
TURNS: dict[str, tuple[Step, ...]] = {
    "answer": (PROMPT, DONE),
    "tool": (PROMPT, CALLED, RETURNED, Step("done", 9.0, "idle", None, "Stop", {}, (answer("ok", 8.99), over(9.0)))),
    "granted": (PROMPT, ASKED, GRANTED, RETURNED, Step("done", 9.0, "idle", None, "Stop", {}, (answer("ok", 8.99),))),
    "stopped in the stream": (PROMPT, Step("interrupted", 3.0, "idle", records=(interrupt(3.0),), slow=0.6)),
    "stopped in a tool": (
        PROMPT, CALLED, Step("interrupted", 5.0, "idle", records=(result("t1", 5.0), interrupt(5.0, True)), slow=0.6),
    ),
    "denied": (
        PROMPT, ASKED, Step("interrupted", 5.0, "idle", records=(result("t1", 5.0), interrupt(5.0, True)), slow=0.6),
    ),
    "stopped before anything came": (PROMPT, Step("interrupted", 3.0, "idle", slow=0.6)),
    "error": (PROMPT, Step("error", 3.0, "idle", None, "StopFailure", {}, (failure(2.99), over(3.0)))),
    "question": (
        PROMPT,
        Step("waiting", 2.0, "waiting", "permission prompt", "PermissionRequest", {"tool_name": "AskUserQuestion"},
             (call("q1", "AskUserQuestion", 2.0),)),
        Step("running", 5.0, "busy", None, "PostToolUse", {}, (result("q1", 5.0),)),
        Step("done", 7.0, "idle", None, "Stop", {}, (answer("ok", 6.99),)),
    ),
    "two turns": (
        PROMPT, DONE,
        Step("running", 4.0, "busy", None, "UserPromptSubmit", {"prompt": "more"}, (prompt("more", 4.0),)),
        Step("done", 5.0, "idle", None, "Stop", {}, (answer("ok", 4.99), over(5.0))),
    ),
}  # fmt: skip


def play(world: World, steps: tuple[Step, ...], delays: dict[str, float]) -> None:
    """The steps, each source telling with its delay; what is shown between is checked by the caller."""
    told: list[tuple[float, str, Step]] = []
    for step in steps:
        for source, said in ((REGISTRY, step.status), (TRANSCRIPT, step.records), (HOOK, step.hook)):
            if said and source in delays:
                told.append((step.at + delays[source], source, step))
        told.append((step.at + step.slow, "shown", step))
    for at, source, step in sorted(told, key=lambda each: (each[0], each[1])):
        if source == REGISTRY:
            assert step.status is not None
            more = {"waitingFor": step.waiting_for} if step.waiting_for else {}
            world.wait(at)
            world.register(step.status, step.at + 0.02, **more)
            world.read(at)
        elif source == TRANSCRIPT:
            world.wait(at)
            world.write(*step.records)
            world.read(at)
        elif source == HOOK:
            assert step.hook is not None
            world.hook(step.hook, at, **step.payload)
        else:
            assert world.wait(at) == step.state, (step, world.shown, world.track.claims)


@pytest.mark.parametrize("order", list(permutations((REGISTRY, TRANSCRIPT, HOOK))), ids="-".join)
@pytest.mark.parametrize("turn", TURNS)
def test_with_hooks_only_the_truth_is_shown(turn: str, order: tuple[str, ...], tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    assert world.read(0) == "idle"
    world.hook("SessionStart", 0.1, source="startup")
    play(world, TURNS[turn], dict(zip(order, DELAYS, strict=True)))
    world.wait(30)
    assert world.shown == ["idle", *_states(turn)]


@pytest.mark.parametrize("order", list(permutations((REGISTRY, TRANSCRIPT))), ids="-".join)
@pytest.mark.parametrize("turn", TURNS)
def test_without_hooks_only_the_truth_is_shown(turn: str, order: tuple[str, ...], tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    assert world.read(0) == "idle"
    play(world, TURNS[turn], dict(zip(order, DELAYS[:2], strict=True)))
    world.wait(30)
    assert world.shown == ["idle", *_states(turn)]


@pytest.mark.parametrize("turn", TURNS)
def test_both_at_once(turn: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, TURNS[turn], {REGISTRY: 0.1, TRANSCRIPT: 0.1})
    world.wait(30)
    assert world.shown == ["idle", *_states(turn)]


def _states(turn: str) -> list[AgentState]:
    return [step.state for step in TURNS[turn]]


def test_a_slow_hook_of_the_user_after_the_answer(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT,), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    world.hook("Stop", 3.0)
    world.write(answer("ok", 2.99))
    assert world.read(3.2) == "done"
    assert world.wait(20) == "done"
    world.write(over(20.0))
    world.read(20.1)
    world.register("idle", 20.0)
    assert world.read(20.2) == "done"
    assert world.shown == ["idle", "running", "done"]


def test_a_hook_that_lets_the_agent_go_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT,), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    world.hook("Stop", 3.0)
    world.write(answer("ok", 2.99), prompt("Stop hook feedback: go on", 3.1, isMeta=True))
    world.read(3.2)
    assert world.wait(20) == "running"


def test_cleared_with_hooks_is_busy_for_a_while_and_no_turn(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT, DONE), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    world.hook("SessionEnd", 5.0, reason="clear")
    world.register("busy", 5.1)
    world.read(5.2)
    world.thread = "99999999-2222-4333-8444-555555555555"
    world.register("busy", 5.1)
    world.read(5.3)
    world.hook("SessionStart", 5.35, source="clear")
    world.register("idle", 5.5)
    assert world.read(5.55) == "idle"
    assert world.verdict.about.thread == world.thread
    assert world.shown == ["idle", "running", "done", "idle"]


def test_cleared_without_hooks(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT, DONE), {REGISTRY: 0.1, TRANSCRIPT: 0.2})
    world.thread = "99999999-2222-4333-8444-555555555555"
    world.register("idle", 5.1)
    assert world.read(5.2) == "idle"
    world.write({"type": "mode", "mode": "normal"}, prompt("<command-name>/clear</command-name>", 5.15))
    assert world.read(5.3) == "idle"
    assert world.shown == ["idle", "running", "done", "idle"]


def test_a_late_notification_brings_no_wait_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT, ASKED, GRANTED), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    assert world.hook("Notification", 8.1, notification_type="permission_prompt") == "tool-running"
    assert world.hook("Notification", 70.0, notification_type="idle_prompt") == "tool-running"
    assert world.shown == ["idle", "running", "waiting", "tool-running"]


def test_another_tool_that_ends_while_one_waits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT, ASKED), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    world.write(call("t2", "Read", 2.0, "msg_2.0"))
    assert world.read(3.0) == "waiting"
    assert world.hook("PostToolUse", 3.1, tool_name="Read") == "waiting"
    world.write(result("t2", 3.1))
    assert world.read(3.3) == "waiting"
    assert world.wait(30) == "waiting"


def test_a_sub_agents_hooks_say_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT, ASKED), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    assert world.hook("Stop", 3.0, agent_id="a1") == "waiting"
    assert world.hook("PreToolUse", 3.1, agent_id="a1", tool_name="Bash") == "waiting"


def test_a_prompt_that_another_hook_refuses(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, (PROMPT, DONE), {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    assert world.hook("UserPromptSubmit", 10.0, prompt="no") == "running"
    assert world.wait(13.0) == "done"


def test_since_when_a_state_lasts_is_told_by_the_agent(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register("busy", -60)
    world.write(prompt("hi", -60.1))
    assert world.read(0) == "running"
    assert world.track.since == pytest.approx(EPOCH - 60, abs=0.2)


def test_a_wait_that_a_hook_tells_before_anything_is_written(tmp_path: Path) -> None:
    """Under load: the transcript says nothing yet, and the registry is late."""
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    world.hook("UserPromptSubmit", 1.0, prompt="do it")
    world.register("busy", 1.02)
    world.read(1.1)
    world.hook("PreToolUse", 1.6, tool_name="Bash")
    assert world.hook("PermissionRequest", 2.0, tool_name="Bash") == "waiting"
    world.write(prompt("do it", 1.0))
    assert world.read(2.3) == "waiting"
    world.write(call("t1", "Bash", 1.6))
    assert world.read(2.5) == "waiting"
    world.register("waiting", 2.0)
    assert world.read(2.8) == "waiting"
    assert world.wait(20) == "waiting"
    world.register("busy", 20.0)
    assert world.read(20.1) == "tool-running"
    assert world.wait(40) == "tool-running"
    assert world.shown == ["idle", "running", "waiting", "tool-running"]


def test_a_shell_command_of_the_user_after_a_denied_permission(tmp_path: Path) -> None:
    """The last hook told of the wait: nothing has fired since."""
    world = World(tmp_path)
    world.register("idle", 0)
    world.read(0)
    play(world, TURNS["denied"], {REGISTRY: 0.1, TRANSCRIPT: 0.2, HOOK: 0.05})
    world.register("busy", 10.0)
    world.read(10.1)
    world.write(prompt("<bash-input>make</bash-input>", 10.0))
    world.read(10.3)
    assert world.wait(20) == "running"
    world.register("idle", 20.0)
    world.read(20.1)
    assert world.shown[-2] == "running"
    assert "waiting" not in world.shown[4:]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(TURNS)), st.data())
def test_whatever_the_delays_only_the_truth_is_shown(turn: str, data: st.DataObject) -> None:
    """Each source tells of each step in its own time, as late as was measured on an idle machine."""
    delays = {
        source: [data.draw(st.integers(1, most)) / 100 for _ in TURNS[turn]]
        for source, most in ((REGISTRY, 25), (TRANSCRIPT, 35), (HOOK, 18))
    }
    with TemporaryDirectory() as home:
        world = World(Path(home))
        world.register("idle", 0)
        world.read(0)
        for place, step in enumerate(TURNS[turn]):
            step = replace(step, slow=0.99)
            play(world, (step,), {source: each[place] for source, each in delays.items()})
        world.wait(30)
        assert world.shown == ["idle", *_states(turn)]
