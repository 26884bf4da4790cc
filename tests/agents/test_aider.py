"""Aider: what its screen says, and what it does not."""

from __future__ import annotations

import pytest

from opensessions.agents.aider import KIND
from opensessions.agents.kind import RESTING, WAITING, WORKING
from opensessions.agents.track import Track, forget, hear, judge


@pytest.mark.parametrize(
    ("lines", "states"),
    [
        (["Aider v0.86.1", "Repo-map: using 1024 tokens", "─────", ">"], RESTING),
        (["─────", "> "], RESTING),
        (["─────", "ask> "], RESTING),
        (["─────", "architect multi>"], RESTING),
        (["Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: "], WAITING),
        (["─────", "> add a test", "░█        Waiting for openai/gpt-5"], WORKING),
        (["─────", "> add a te"], None),
        (["I will add a test.", "a > b"], None),
        (["quoted:", "> as they said"], None),
        (["<html>"], None),
        ([], None),
    ],
)
def test_a_screen(lines: list[str], states: object) -> None:
    signal = KIND.screen(lines)
    assert (signal and signal.states) == states


def test_a_turn_seen_on_the_screen_alone() -> None:
    seen, track, now = [], Track(), 100.0
    for lines in (
        [">"],
        ["> add a test", "░█        Waiting for x"],
        ["Create a new file? (Y)es/(N)o [Yes]: "],
        ["░█        Waiting for x"],
        [">"],
    ):
        signal = KIND.screen(lines)
        track = hear(track, [signal], now) if signal else forget(track, ["screen"])
        track = judge(track, KIND, now, now)
        seen.append(track.verdict.state)
        now += 1
    assert seen == ["idle", "running", "waiting", "running", "done"]


def test_it_has_neither_title_nor_hooks_nor_files() -> None:
    assert (KIND.titles, KIND.hears, KIND.reader) == ((), None, None)
