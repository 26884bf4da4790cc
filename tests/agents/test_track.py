"""One agent from its first look on, with clocks that the test drives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.kind import Kind
from opensessions.agents.signal import RESTING, WORKING, About, Signal, only
from opensessions.agents.track import TEXT, Track, clean, forget, hear, judge

KIND = Kind("x", frozenset({"x"}))


def told(track: Track, signal: Signal, now: float, *, first: bool = False) -> Track:
    return judge(hear(track, [signal], now, first=first), KIND, now, 1000.0 + now)


def test_a_state_is_dated_by_what_its_source_says() -> None:
    track = told(Track(), Signal("registry", WORKING, at=1004.0), 5.0)
    assert (track.verdict.state, track.since) == ("running", 1004.0)
    track = told(track, Signal("registry", WORKING, at=1004.0), 6.0)
    assert track.since == 1004.0
    track = told(track, Signal("registry", only("waiting")), 7.0)
    assert (track.verdict.state, track.since) == ("waiting", 1007.0)


@pytest.mark.parametrize("at", [2000.0, 900.0, float("inf"), -1.0])
def test_a_clock_that_jumped_is_not_believed(at: float) -> None:
    track = told(Track(), Signal("registry", WORKING), 5.0)
    assert told(track, Signal("registry", only("done"), at=at), 6.0).since == 1006.0


def test_a_turn_that_was_never_seen_leaves_an_agent_idle() -> None:
    track = told(Track(), Signal("title", RESTING), 1.0, first=True)
    assert track.verdict.state == "idle"
    track = told(track, Signal("title", WORKING), 2.0)
    track = told(track, Signal("title", RESTING), 3.0)
    assert track.verdict.state == "done"


def test_a_conversation_that_begins_anew_forgets_the_last_turn() -> None:
    track = told(Track(), Signal("title", WORKING), 1.0)
    track = told(track, Signal("title", RESTING), 2.0)
    track = told(track, Signal("transcript", only("idle")), 3.0)
    assert track.verdict.state == "idle"
    assert told(track, Signal("transcript", RESTING), 4.0).verdict.state == "idle"


def test_the_same_word_again_is_no_change() -> None:
    track = told(Track(), Signal("title", WORKING, detail="⠋"), 1.0)
    again = told(track, Signal("title", WORKING, detail="⠙"), 9.0)
    assert again.claims["title"].changed == 1.0
    assert again.claims["title"].signal.detail == "⠙"


def test_the_same_event_again_is_a_new_one() -> None:
    track = told(Track(), Signal("hook", only("waiting"), event=True), 1.0)
    assert told(track, Signal("hook", only("waiting"), event=True), 9.0).claims["hook"].changed == 9.0


def test_what_is_forgotten_says_nothing() -> None:
    track = told(Track(), Signal("screen", only("waiting")), 1.0)
    assert forget(track, ["title"]) is track
    after = judge(forget(track, ["screen"]), KIND, 2.0, 1002.0)
    assert after.verdict.state == "idle"


@given(st.text(max_size=2000))
def test_what_is_shown_is_one_clean_line(text: str) -> None:
    shown = clean(text)
    if shown is not None:
        assert 0 < len(shown) <= TEXT
        assert shown == shown.strip()
        assert shown.isprintable() or "\u200d" in shown


def test_control_sequences_and_directions_are_taken_out() -> None:
    assert clean("a\x1b[31mb\nc\u202ed\x9b1me\x00") == "a [31mb c d 1me"
    assert clean(" \t\n") is None
    assert clean(None) is None
    assert clean("x" * 500) == "x" * (TEXT - 1) + "…"


def test_texts_of_agents_are_cleaned() -> None:
    about = About("t\x1b", "a\nb", "p\x07", "w\x00", 10**9)
    track = told(Track(), Signal("registry", only("waiting"), about), 1.0)
    assert track.verdict.about == About("t", "a b", "p", "w", 999)
