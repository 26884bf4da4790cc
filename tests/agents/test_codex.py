"""Codex as a whole: what its reader, its hooks, its title and its screen say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions.agents.adapter import FORGET, Facts, Heard, Look
from opensessions.agents.codex import ASKING, KIND, Codex, hears, hook_thread
from opensessions.agents.codex.rollout import moment
from opensessions.agents.codex.thread import GLIMPSE
from opensessions.agents.detect import detect, recognise_all
from opensessions.agents.known import kinds
from opensessions.agents.signal import BUSY, WORKING, Signal, only
from opensessions.model import Process
from tests.agents.codex_samples import DATA, NOW, Clock, Home, Machine, event, line, sample, thread
from tests.agents.test_codex_rollout import RECORDS

A = thread(NOW + 0.9, 1)
ALONE = "01a1fc16-a4cd-77e3-8972-fc4dd3e8b7c4"
"""The thread of the sample `alone`; it was made at 03:11:44."""
BEGUN = moment("2026-11-21T03:11:43Z") or 0.0


class Desk:
    """A reader of one agent, which holds its thread's file open."""

    def __init__(self, folder: Path, id: str = ALONE, started: float = BEGUN) -> None:
        self.home = Home(folder)
        self.machine = Machine()
        self.clock = Clock(started + 3600)
        self.reader = Codex(self.clock)
        self.id = id
        self.path = self.home.rollout(id, started, b"")
        self.path.unlink()
        self.home.take_up(id, started + 1)
        self.facts = self.home.facts(10, started)
        self.hold()

    def hold(self) -> None:
        lock = self.home.path / "thread-writer-locks" / f"{self.id}.lock"
        self.machine.held[10] = [str(lock), *([str(self.path)] if self.path.exists() else [])]

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.hold()

    def look(self) -> Look:
        return self.reader.look(self.facts, self.machine)

    def signal(self) -> Signal:
        (signal,) = self.look().signals
        return signal


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_thread_without_a_prompt_is_idle(desk: Desk) -> None:
    look = desk.look()
    assert look.again == GLIMPSE  # the lock may only have been tried
    look = desk.look()
    (signal,) = look.signals
    assert (signal.source, signal.states, signal.about.thread) == ("database", only("idle"), ALONE)
    assert str(desk.path.parent) in look.watch


@pytest.mark.parametrize(
    ("lines", "states"),
    [
        (14, {"done"}),
        (19, {"running"}),
        (22, {"interrupted"}),
        (29, {"tool-running", "waiting"}),
        (37, {"done"}),
        (44, {"tool-running", "waiting"}),
    ],
)
def test_real_rollouts(desk: Desk, lines: int, states: set[str]) -> None:
    desk.write(sample("alone", lines))
    look = desk.look()
    (signal,) = look.signals
    assert (signal.source, signal.states, signal.about.thread) == ("transcript", states, ALONE)
    assert look.watch[0] == str(desk.path)
    assert look.again is None


def test_it_follows_the_file_as_it_grows(desk: Desk) -> None:
    seen = []
    data = sample("alone")
    for start in range(0, len(data), 700):  # cut anywhere, in the middle of lines too
        desk.write(data[start : start + 700])
        (signal,) = desk.look().signals
        if not seen or seen[-1] != signal.states:
            seen.append(signal.states)
    assert seen == [
        {"idle"}, {"running"}, {"done"}, {"running"}, {"interrupted"}, {"running"},
        {"tool-running", "waiting"}, {"running"}, {"done"}, {"running"},
        {"tool-running", "waiting"},
    ]  # fmt: skip


def test_what_it_knows_beside_the_state(desk: Desk) -> None:
    desk.home.name(ALONE, "A name", "alpha hello")
    desk.write(sample("alone", 36))
    about = desk.signal().about
    assert (about.title, about.prompt, about.background) == ("A name", "tool please", 1)
    assert desk.signal().at == moment("2026-11-21T03:12:17.005Z")
    desk.write(b"".join(sample("alone").splitlines(keepends=True)[36:]))
    assert desk.signal().about.waiting_for == "permission prompt"
    assert desk.signal().about.background == 0


def test_a_call_that_may_have_asked_is_left_open_until_the_title_can_tell(desk: Desk) -> None:
    """Its spinner turns on for 0.95 s after the approval was asked for."""
    desk.write(sample("alone"))
    asked = moment("2026-11-21T03:12:23.575Z") or 0.0
    desk.clock.now = asked + 0.05
    look = desk.look()
    assert look.signals[0].states == BUSY
    assert look.again is not None
    assert look.again == pytest.approx(ASKING - 0.05, abs=0.01)
    desk.clock.now += look.again
    assert desk.signal().states == {"tool-running", "waiting"}
    desk.clock.now = asked - 3600  # a clock that was set back
    assert desk.signal().states == {"tool-running", "waiting"}


def test_a_question_waits(desk: Desk) -> None:
    call = {"type": "function_call", "name": "request_user_input", "call_id": "1", "arguments": "{}"}
    desk.write(event("task_started", BEGUN + 9) + line("response_item", call, BEGUN + 9))
    assert desk.signal().states == only("waiting")
    assert desk.signal().about.waiting_for == "question"


def test_what_ended_before_it_was_resumed_is_not_news(tmp_path: Path) -> None:
    desk = Desk(tmp_path, started=BEGUN + 3600)
    for lines in (14, 22, 37):
        desk.path.write_bytes(sample("alone", lines))
        desk.hold()
        assert desk.signal().states == only("idle")
    desk.write(event("task_started", BEGUN + 3700) + event("task_complete", BEGUN + 3701))
    assert desk.signal().states == only("done")


def test_a_turn_that_was_left_behind_may_go_on_or_not(tmp_path: Path) -> None:
    desk = Desk(tmp_path, started=BEGUN + 3600)
    desk.write(sample("alone", 19))
    assert desk.signal().states == BUSY | {"idle", "interrupted"}


def test_a_new_thread_in_the_same_process(desk: Desk) -> None:
    desk.write(sample("alone", 14))
    assert desk.signal().states == only("done")
    new = thread(BEGUN + 90, 7)
    desk.home.take_up(new, BEGUN + 90)
    desk.machine.held[10] = [*desk.machine.held[10], str(desk.home.path / f"thread-writer-locks/{new}.lock")]
    assert desk.signal().states == only("done")
    signal = desk.signal()
    assert (signal.source, signal.states, signal.about.thread) == ("database", only("idle"), new)


def test_a_file_that_is_cut_replaced_or_removed(desk: Desk) -> None:
    desk.write(sample("alone", 22))
    assert desk.signal().states == only("interrupted")
    desk.path.write_bytes(sample("alone", 14))
    assert desk.signal().states == only("done")
    other = desk.path.with_suffix(".new")
    other.write_bytes(sample("alone", 19))
    other.replace(desk.path)
    assert desk.signal().states == only("running")
    desk.path.unlink()
    desk.hold()
    assert desk.look().signals[0].source == "database"


def test_half_a_gigabyte_is_read_from_its_end(desk: Desk) -> None:
    with desk.path.open("wb") as file:
        file.truncate(500 << 20)
        file.seek(0, 2)
        file.write(b"\n" + event("task_started", BEGUN + 9) + line("turn_context", {}, BEGUN + 9))
    desk.hold()
    assert desk.signal().states == only("running")
    desk.write(event("task_complete", BEGUN + 10, error={"message": "no"}))
    assert desk.signal().states == only("error")


def test_a_long_turn_whose_beginning_is_out_of_reach_is_under_way(desk: Desk) -> None:
    filler = line("event_msg", {"type": "token_count", "info": "x" * 100_000}, BEGUN + 9)
    desk.write(event("task_started", BEGUN + 9) + filler * 60)
    assert desk.signal().states == only("running")


def test_without_a_thread_the_title_speaks_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    look = Codex(Clock()).look(home.facts(10), Machine())
    assert look.signals == ()
    assert look.watch == (
        f"{home.path}/tui-thread-reference-capabilities",
        f"{home.path}/thread-writer-locks",
        f"{home.path}/sessions",
    )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=60,
)
@given(
    st.lists(
        st.one_of(RECORDS.map(lambda each: json.dumps(each).encode() + b"\n"), st.binary(max_size=300)),
        max_size=8,
    ),
    st.integers(0, 400),
)
def test_no_file_breaks_it(desk: Desk, pieces: list[bytes], cut: int) -> None:
    for piece in pieces:
        desk.write(piece)
        for signal in desk.look().signals:
            assert signal.states
    if desk.path.exists():
        desk.path.write_bytes(desk.path.read_bytes()[:cut])
    desk.look()


# --- hooks ------------------------------------------------------------------------------------------------------


def told(name: str, **payload: Any) -> Any:
    said = hears(Heard(name, {"session_id": ALONE, "hook_event_name": name, **payload}))
    return said.states if isinstance(said, Signal) else said


def test_what_hooks_say() -> None:
    assert told("SessionStart", source="startup") is None
    assert told("UserPromptSubmit", prompt="do it") == WORKING
    assert told("PreToolUse", tool_name="Bash") == BUSY
    assert told("PermissionRequest", tool_name="Bash") == only("waiting")
    assert told("PostToolUse") == WORKING
    assert told("Stop") == WORKING | {"done"}
    assert told("Interrupt") == only("interrupted")
    assert told("SessionEnd", reason="other") is FORGET
    for other in ("SubagentStop", "PreCompact", "Unheard", ""):
        assert told(other) is None


def test_hooks_of_subagents_are_not_the_agents() -> None:
    assert told("Stop", agent_id="1") is None
    assert told("PermissionRequest", agent_type="worker") is None


def test_hooks_tell_prompt_and_reason() -> None:
    said = hears(Heard("UserPromptSubmit", {"session_id": ALONE, "prompt": "do it"}))
    assert isinstance(said, Signal)
    assert said.event
    assert (said.about.thread, said.about.prompt) == (ALONE, "do it")
    said = hears(Heard("PermissionRequest", {"session_id": ALONE}))
    assert isinstance(said, Signal)
    assert said.about.waiting_for == "permission prompt"


def test_the_notify_program_of_the_hidden_thread_is_not_believed() -> None:
    """It is called at once after each first prompt, for the thread that makes up a title."""
    hidden = {
        "type": "agent-turn-complete",
        "thread-id": "x",
        "input-messages": ["Generate a concise, single-line task title for…"],
    }
    assert hook_thread(hidden) is None
    assert hears(Heard("agent-turn-complete", hidden)) is None
    real: Mapping[str, Any] = {"type": "agent-turn-complete", "thread-id": ALONE, "input-messages": ["do it"]}
    assert hook_thread(real) == ALONE
    said = hears(Heard("agent-turn-complete", real))
    assert isinstance(said, Signal)
    assert said.states == WORKING | {"done"}


def test_real_hooks_name_their_thread() -> None:
    payloads = [json.loads(each) for each in (DATA / "hooks.jsonl").read_text().splitlines()]
    assert {hook_thread(payload) for payload in payloads} == {"01a1fc1b-538d-7c81-9556-032e6f94e0b4"}
    said = [hears(Heard(payload["hook_event_name"], payload)) for payload in payloads]
    names = [
        payload["hook_event_name"] for payload, each in zip(payloads, said, strict=True) if each is not None
    ]
    assert names == [
        "UserPromptSubmit", "Stop", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop",
        "UserPromptSubmit", "Interrupt", "SessionEnd",
    ]  # fmt: skip


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=12), st.text() | st.integers() | st.none()))
def test_no_hook_breaks_it(name: str, payload: dict[str, Any]) -> None:
    for each in (name, "Stop", "UserPromptSubmit", "agent-turn-complete"):
        hears(Heard(each, payload))
        hears(Heard(each, {**payload, "session_id": payload.get("x"), "input-messages": [payload.get("y")]}))


# --- title and screen -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "states"),
    [
        ("⠋ proj", WORKING),
        ("⠧ proj", WORKING),
        ("[ ! ] Action Required | proj", only("waiting")),
        ("[ . ] Action Required | proj", only("waiting")),
        ("proj | [ ! ] Action Required", only("waiting")),
        ("proj ⠇ 01a1fe21-8c34-7dc0-becb-8a314...", WORKING),
        ("proj | main ⠇", WORKING),
        ("proj", None),
        ("", None),
        ("~/Action Required", None),
    ],
)
def test_titles(title: str, states: frozenset[str] | None) -> None:
    said = KIND.title(title)
    assert (said.states if said else None) == states


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("approval", only("waiting")),
        ("tool-running", WORKING),
        ("slow-running", None),
        ("start", None),
        ("approved", None),
        ("tool-done", None),
        ("interrupted", None),
        ("after-alpha", None),
    ],
)
def test_screens(name: str, states: frozenset[str] | None) -> None:
    said = KIND.screen((DATA / "screens" / f"{name}.txt").read_text().splitlines()[1:])
    assert (said.states if said else None) == states


# --- processes --------------------------------------------------------------------------------------------------

NODE = ("node", "/lab/node_modules/.bin/codex")
NATIVE = ("/lab/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex",)
SERVED = "/home/u/.codex/packages/app-server-daemon/releases/0.169.0-x86_64-unknown-linux-musl/bin/codex"


def process(pid: int, ppid: int, argv: tuple[str, ...], session: int = 1) -> Process:
    comm = argv[0].rpartition("/")[2]
    return Process(pid=pid, ppid=ppid, start=pid, comm=comm, argv=argv, session=session)


def agents(*processes: Process) -> dict[str, list[int]]:
    everything = {each.pid: each for each in processes}
    found = detect("m", {"%0": 100, "%1": 200}, recognise_all(everything, kinds()))
    return {pane: [each.pid for each in group] for pane, group in found.items()}


def test_the_daemon_is_no_agent_and_no_pane_has_it() -> None:
    first = [
        process(100, 1, ("bash",), 100), process(101, 100, NODE, 100), process(102, 101, NATIVE, 100),
        process(103, 102, (SERVED, "app-server", "--listen", "unix://", "--managed-daemon"), 103),
        process(104, 102, (SERVED, "app-server", "daemon", "pid-update-loop"), 104),
    ]  # fmt: skip
    second = [process(200, 1, ("bash",), 200), process(201, 200, NODE, 200), process(202, 201, NATIVE, 200)]
    assert agents(*first, *second) == {"%0": [101], "%1": [201]}
    left = [
        process(100, 1, ("bash",), 100),
        *(process(each.pid, 1, each.argv, each.pid) for each in first[3:]),
    ]
    assert agents(*left, *second) == {"%1": [201]}


def test_when_its_launcher_is_killed_the_program_below_is_the_agent() -> None:
    orphan = process(102, 1, NATIVE, 100)
    assert agents(process(100, 1, ("bash",), 100), orphan) == {"%0": [102]}


def test_what_it_tells_of_itself() -> None:
    assert KIND.environment == {"CODEX_HOME"}
    assert KIND.resume == ("codex", "resume", "{thread}")
    assert isinstance(KIND.reader() if KIND.reader else None, Codex)
    assert Facts(1, 1, 1.0).rivals == 0
