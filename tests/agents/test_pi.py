"""Pi: recordings of the real one (0.73.1, and files of 0.87.1), and what its files and events say."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from opensessions.agents.adapter import FORGET, Facts, Heard
from opensessions.agents.pi import KIND, hears
from opensessions.agents.pi.session import RETRY, SETTLE, UNWRITTEN, PiSession
from opensessions.agents.signal import RESTING, WORKING, Signal, only
from tests.agents.replay import DATA, HOME, Shelf, in_order, play, recording

TRUTH = {
    "answers": "idle running done running done",
    "error": "idle running error running interrupted",
    "hang-and-two-tools": "idle running done running interrupted running tool-running running done",
    "interrupted": "idle running interrupted running tool-running interrupted",
    "tool": "idle running tool-running running done",
}
"""What the real one went through, once each; an answer that breaks off and is tried again is still a running turn."""
FOLDER = f"{HOME}/.pi/agent/sessions/--proj--"
LATE = 0.005
"""Seconds by which the file may be read later than in the recording."""
RETRIED = frozenset({"error", "running"})
STARTED = 1_795_262_400.0


# --- recordings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("without", [(), ("line",)], ids=["everything", "extension only"])
def test_a_recording_shows_the_truth_and_nothing_else(name: str, without: tuple[str, ...]) -> None:
    assert play(KIND, recording(f"pi-0.73.1/{name}"), without=without).states == TRUTH[name].split()


@pytest.mark.parametrize("name", TRUTH)
def test_without_the_extension_only_the_beginning_of_the_first_turn_is_missed(name: str) -> None:
    states = play(KIND, recording(f"pi-0.73.1/{name}"), without=("hook",)).states
    assert states[0] == "idle"
    assert in_order(states, TRUTH[name].split())
    assert states[-2:] == TRUTH[name].split()[-2:]


@pytest.mark.parametrize("name", ["answers", "hang-and-two-tools", "interrupted"])
def test_the_screen_tells_of_the_first_turn(name: str) -> None:
    events = recording(f"pi-0.73.1/{name}")
    prompted = next(event["at"] for event in events if event.get("should") == "running")
    answered = next(event["at"] for event in events if "line" in event)
    told = [event for event in events[1:] if event["at"] <= answered and "hook" not in event]
    told += [{"at": prompted + 0.1, "screen": WORKING_SCREEN}, {"at": answered + 0.1, "screen": IDLE_SCREEN}]
    states = play(KIND, [events[0], *told]).states
    assert in_order(states, TRUTH[name].split())
    assert states[:2] == ["idle", "running"]


@pytest.mark.parametrize("name", TRUTH)
def test_whatever_comes_late_no_false_state_appears_and_none_twice(name: str) -> None:
    for seed in range(40):
        dice = random.Random(seed)
        delays = {"hook": 0.0, "line": dice.uniform(0, LATE), "title": 0.0}
        played = play(
            KIND, recording(f"pi-0.73.1/{name}"), late=lambda what, number, delays=delays: delays[what]
        )  # type: ignore[misc]
        assert in_order(played.states, TRUTH[name].split()), (delays, played.states)
        assert played.states[-1] == TRUTH[name].split()[-1]


def test_every_recording_is_played() -> None:
    assert sorted(path.stem for path in Path(DATA / "pi-0.73.1").glob("*.jsonl")) == sorted(TRUTH)


# --- screens ----------------------------------------------------------------------------------------------------

RULE = "─" * 100
FOOTER = ["/proj (main)", "↑10 ↓5 0.0%/128k (auto)                    lab-model"]
IDLE_SCREEN = [" hello", " word0 word1", RULE, "", RULE, *FOOTER]
WORKING_SCREEN = [" hello", " ⠋ Working...", "", RULE, "", RULE, *FOOTER]


@pytest.mark.parametrize(
    ("lines", "states"),
    [
        (IDLE_SCREEN, RESTING),
        (WORKING_SCREEN, WORKING),
        ([" ⠹ Retrying (1/3) in 2s... (esc to cancel)", RULE, RULE, *FOOTER], WORKING),
        (["$ ls", "⠋ is a letter", "a  b  c"], None),
    ],
)
def test_a_screen(lines: list[str], states: object) -> None:
    signal = KIND.screen(lines)
    assert (signal and signal.states) == states


@pytest.mark.parametrize(
    ("name", "states"),
    [("done", RESTING), ("interrupted", only("interrupted")), ("running", WORKING), ("toolrunning", WORKING)],
)
def test_a_screen_of_the_later_version(name: str, states: object) -> None:
    signal = KIND.screen((DATA / "pi-0.87.1/screens" / f"{name}.txt").read_text().splitlines())
    assert signal is not None
    assert signal.states == states


# --- the extension ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "payload", "states"),
    [
        ("session_start", {"reason": "startup"}, only("idle")),
        ("session_start", {"reason": "new"}, only("idle")),
        ("session_start", {"reason": "resume"}, RESTING),
        ("agent_start", {}, only("running")),
        ("turn_start", {}, WORKING),
        ("tool_execution_start", {"toolName": "bash"}, only("tool-running")),
        ("tool_execution_end", {"isError": True}, WORKING),
        ("message_end", {"role": "assistant", "stopReason": "stop"}, only("done")),
        ("message_end", {"role": "assistant", "stopReason": "aborted"}, only("interrupted")),
        ("message_end", {"role": "assistant", "stopReason": "error", "errorMessage": "400 bad"}, only("error")),
        ("message_end", {"role": "assistant", "stopReason": "error", "errorMessage": "terminated"}, RETRIED),
        ("message_end", {"role": "user"}, only("running")),
    ],
)  # fmt: skip
def test_an_event(event: str, payload: dict[str, str], states: object) -> None:
    signal = hears(Heard(event, {"session": "abc", **payload}))
    assert isinstance(signal, Signal)
    assert (signal.states, signal.event, signal.about.thread) == (states, True, "abc")


def test_events_that_tell_nothing() -> None:
    assert hears(Heard("session_shutdown", {})) is FORGET
    assert hears(Heard("agent_end", {"idle": True})) is None, "it also comes while a retry is awaited"
    assert hears(Heard("message_end", {"role": "toolResult"})) is None
    assert hears(Heard("message_end", {"role": "assistant", "stopReason": "of the future"})) is None


# --- the file ---------------------------------------------------------------------------------------------------


def facts(**other: Any) -> Facts:
    settings: dict[str, Any] = {"cwd": "/proj", "env": {"HOME": HOME}, "started": STARTED, **other}
    return Facts(pid=42, start=4711, **settings)


def session(*messages: Mapping[str, Any], cwd: str = "/proj") -> bytes:
    head = {"type": "session", "version": 3, "id": "a", "timestamp": "2026-11-21T12:00:01.000Z", "cwd": cwd}
    entries = [
        {"type": "message", "timestamp": "2026-11-21T12:00:09.000Z", "message": each} for each in messages
    ]
    return b"".join(json.dumps(each).encode() + b"\n" for each in (head, *entries))


def user(text: str = "hi") -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def assistant(reason: str, *calls: str, error: str = "") -> dict[str, Any]:
    content = [{"type": "toolCall", "id": call} for call in calls]
    return {"role": "assistant", "content": content, "stopReason": reason, "errorMessage": error}


def result(call: str) -> dict[str, Any]:
    return {"role": "toolResult", "toolCallId": call}


def seen(data: bytes, path: str = f"{FOLDER}/x_a.jsonl", **other: Any) -> Signal | None:
    shelf = Shelf()
    shelf.put(path, data, STARTED + 10)
    return next(iter(PiSession().look(facts(**other), shelf).signals), None)


@pytest.mark.parametrize(
    ("messages", "states"),
    [
        ([user()], only("running")),
        ([user(), assistant("stop")], only("done")),
        ([user(), assistant("length")], only("done")),
        ([user(), assistant("toolUse", "x", "y")], only("tool-running")),
        ([user(), assistant("toolUse", "x", "y"), result("x")], only("tool-running")),
        ([user(), assistant("toolUse", "x", "y"), result("x"), result("y")], only("running")),
        ([user(), assistant("aborted")], only("interrupted")),
        ([user(), assistant("error", error="400 lab")], only("error")),
        ([user(), assistant("error", error="529 overloaded_error")], {"error", "running"}),
        ([user(), assistant("stop"), {"role": "bashExecution", "command": "ls"}], only("done")),
    ],
)
def test_what_the_file_says(messages: list[dict[str, Any]], states: object) -> None:
    signal = seen(session(*messages))
    assert signal is not None
    assert (signal.states, signal.about.thread, signal.about.prompt) == (states, "a", "hi")


def test_a_failed_answer_that_nothing_follows_was_the_last() -> None:
    shelf, now = Shelf(), 0.0
    shelf.put(f"{FOLDER}/x_a.jsonl", session(user(), assistant("error", error="terminated")), STARTED + 10)
    reader = PiSession(lambda: now)
    assert reader.look(facts(), shelf).again == RETRY
    now = RETRY + 0.1
    look = reader.look(facts(), shelf)
    assert (look.signals[0].states, look.again) == (UNWRITTEN | {"error"}, None)


def test_after_a_turn_the_next_one_may_be_the_first_of_a_session_that_is_not_written_yet() -> None:
    shelf, now = Shelf(), 0.0
    shelf.put(f"{FOLDER}/x_a.jsonl", session(user(), assistant("stop")), STARTED + 10)
    reader = PiSession(lambda: now)
    look = reader.look(facts(), shelf)
    assert (look.signals[0].states, look.again) == (only("done"), SETTLE)
    now = SETTLE + 0.1
    look = reader.look(facts(), shelf)
    assert (look.signals[0].states, look.again) == (UNWRITTEN, None)
    assert KIND.screen_for & look.signals[0].states
    shelf.put(f"{FOLDER}/x_a.jsonl", session(user(), assistant("stop"), user()), STARTED + 20)
    assert reader.look(facts(), shelf).signals[0].states == only("running")


@pytest.mark.parametrize(
    ("path", "environment", "settings"),
    [
        ("/a/sessions/--proj--/x_a.jsonl", {"PI_CODING_AGENT_DIR": "/a"}, None),
        (f"{HOME}/a/sessions/--proj--/x_a.jsonl", {"PI_CODING_AGENT_DIR": "~/a"}, None),
        ("/s/x_a.jsonl", {"PI_CODING_AGENT_SESSION_DIR": "/s"}, None),
        ("/t/x_a.jsonl", {}, {"sessionDir": "/t"}),
        ("/proj/t/x_a.jsonl", {}, {"sessionDir": "t"}),
    ],
)
def test_where_its_sessions_are(
    path: str, environment: dict[str, str], settings: dict[str, str] | None
) -> None:
    shelf = Shelf()
    shelf.put(path, session(user()), STARTED + 10)
    if settings:
        shelf.put(f"{HOME}/.pi/agent/settings.json", json.dumps(settings).encode(), STARTED)
    look = PiSession().look(facts(env={"HOME": HOME, **environment}), shelf)
    assert look.signals
    assert look.watch == (path.rpartition("/")[0],)


def test_in_a_folder_for_every_directory_the_header_tells_whose_a_session_is() -> None:
    elsewhere = {"HOME": HOME, "PI_CODING_AGENT_SESSION_DIR": "/s"}
    assert seen(session(user()), "/s/x_a.jsonl", env=elsewhere) is not None
    assert seen(session(user(), cwd="/other"), "/s/x_a.jsonl", env=elsewhere) is None


def test_a_directory_with_a_colon_in_its_name() -> None:
    path = f"{HOME}/.pi/agent/sessions/--a-b-c--/x_a.jsonl"
    assert seen(session(user(), cwd="/a/b:c"), path, cwd="/a/b:c") is not None


def test_two_that_started_within_a_minute_of_each_other_are_not_mixed_up() -> None:
    shelf = Shelf()
    shelf.put(f"{FOLDER}/x_a.jsonl", session(user("mine")), STARTED + 10)
    shelf.put(f"{FOLDER}/x_b.jsonl", session(user("yours")), STARTED + 20)
    assert PiSession().look(facts(rivals=1), shelf).signals == ()
    signal = PiSession().look(facts(rivals=1, taken=frozenset({"b"})), shelf).signals[0]
    assert signal.about.prompt == "mine"


@pytest.mark.parametrize("name", ["done", "running", "toolrunning"])
def test_a_file_of_the_later_version(name: str) -> None:
    data = (DATA / "pi-0.87.1" / f"{name}.jsonl").read_bytes()
    began = 1_795_231_583.0
    shelf = Shelf()
    shelf.put(f"{HOME}/.pi/agent/sessions/--lab-proj--/x_a.jsonl", data, began + 20)
    signal = PiSession().look(facts(started=began, cwd="/lab/proj"), shelf).signals[0]
    assert (
        signal.states
        == {"done": only("done"), "running": only("running"), "toolrunning": only("tool-running")}[name]
    )
