"""Amp: its title, its plugin's events, its screen, and thread files as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensessions.agents.adapter import Facts, Heard
from opensessions.agents.amp import KIND, hears
from opensessions.agents.amp.thread import AmpThread
from opensessions.agents.kind import BUSY, RESTING, WORKING
from opensessions.agents.signal import Signal, only
from tests.agents.replay import HOME, Shelf

DATA = Path(__file__).parent / "data/amp-2026-03"
THREADS = f"{HOME}/.local/share/amp/threads"
STARTED = 1_760_000_000.0


@pytest.mark.parametrize(
    ("title", "states"),
    [
        ("⠋ Fix the tests", WORKING),
        ("Fix the tests - amp - proj", RESTING),
        ("Plugin confirmation needed", only("waiting")),
        ("amp", None),
        ("vm: ~/proj", None),
    ],
)
def test_the_title(title: str, states: object) -> None:
    signal = KIND.title(title)
    assert (signal and signal.states) == states


@pytest.mark.parametrize(
    ("event", "payload", "states"),
    [
        ("session.start", {}, RESTING),
        ("agent.start", {}, BUSY),
        ("agent.end", {"status": "done"}, only("done")),
        ("agent.end", {"status": "error"}, only("error")),
        ("agent.end", {"status": "cancelled"}, only("interrupted")),
        ("agent.end", {"status": "of the future"}, RESTING - {"idle"}),
    ],
)
def test_an_event_of_the_plugin(event: str, payload: dict[str, str], states: object) -> None:
    signal = hears(Heard(event, {"thread": "T-1", **payload}))
    assert isinstance(signal, Signal)
    assert (signal.states, signal.event, signal.about.thread) == (states, True, "T-1")


def test_other_events_tell_nothing() -> None:
    assert hears(Heard("tool.call", {})) is None


@pytest.mark.parametrize(
    ("lines", "states"),
    [
        (["Bash rm -rf build", "Waiting for approval", "╰───╯"], only("waiting")),
        (["hello", "╭────╮", "│    │", "╰─ Thinking ─╯"], WORKING),
        (["hello", "╭────╮", "│    │", "╰────╯"], None),
    ],
)
def test_a_screen(lines: list[str], states: object) -> None:
    signal = KIND.screen(lines)
    assert (signal and signal.states) == states


def facts(cwd: str = "/home/u/proj", **other: int) -> Facts:
    return Facts(pid=42, start=1, started=STARTED, cwd=cwd, env={"HOME": HOME}, **other)  # type: ignore[arg-type]


def shelf(name: str) -> Shelf:
    files = Shelf()
    files.put(f"{THREADS}/T-1.json", (DATA / f"{name}.json").read_bytes(), STARTED + 10)
    return files


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("streaming", only("running")),
        ("toolrunning", only("tool-running")),
        ("blocked", only("waiting")),
        ("complete", only("done")),
    ],
)
def test_a_thread_file(name: str, states: object) -> None:
    signal = AmpThread().look(facts(), shelf(name)).signals[0]
    assert (signal.states, signal.about.prompt, signal.about.title) == (
        states,
        "hello",
        "Self-written sample",
    )


def test_a_thread_file_of_another_directory_is_nobodys() -> None:
    assert AmpThread().look(facts("/home/u/other"), shelf("complete")).signals == ()


def test_two_in_one_directory_are_not_mixed_up() -> None:
    files = shelf("complete")
    other = json.loads((DATA / "streaming.json").read_bytes()) | {"id": "T-2"}
    files.put(f"{THREADS}/T-2.json", json.dumps(other).encode(), STARTED + 20)
    assert AmpThread().look(facts(rivals=1), files).signals == ()


def test_a_thread_is_read_again_when_it_was_written() -> None:
    files, reader = shelf("streaming"), AmpThread()
    assert reader.look(facts(), files).signals[0].states == only("running")
    files.put(f"{THREADS}/T-1.json", (DATA / "complete.json").read_bytes(), STARTED + 20)
    assert reader.look(facts(), files).signals[0].states == only("done")
