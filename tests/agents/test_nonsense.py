"""What sources of another version, or broken ones, may say: nothing of it reaches a state, raises or lasts."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.fuse import HOLD, Claim, fuse
from opensessions.agents.kind import Kind
from opensessions.agents.signal import RESTING, WORKING, About, Signal, Source, only
from opensessions.agents.track import LONGEST, TEXT, Track, hear, judge
from opensessions.model import URGENCY, AgentState

KIND = Kind("x", frozenset({"x"}))
ODD = (math.nan, math.inf, -math.inf, -5.0, 1e308)


def judged(track: Track, now: float = 100.0, clock: float = 1000.0) -> Track:
    return judge(track, KIND, now, clock)


def test_a_signal_without_a_state_is_none() -> None:
    for states in (frozenset(), frozenset({"flying"})):
        track = hear(Track(), [Signal("registry", states)], 1.0)  # type: ignore[arg-type]
        assert judged(track).verdict.state == "idle"
    track = hear(hear(Track(), [Signal("title", WORKING)], 1.0), [Signal("title", frozenset())], 2.0)
    assert judged(track).verdict.source == "process", (
        "the last word of a source counts, also if it is nonsense"
    )


@pytest.mark.parametrize("odd", ODD)
def test_odd_numbers_change_nothing(odd: float) -> None:
    signal = Signal("registry", only("waiting"), at=odd, lag=odd, good_for=None)
    track = judged(hear(Track(), [signal], 1.0))
    assert (track.verdict.state, track.since) == ("waiting", 1000.0)
    assert track.verdict.again is None or track.verdict.again <= 1.0 + LONGEST
    again = hear(track, [signal], 50.0)
    assert again is track, "the same word again is no news"
    assert judged(
        hear(Track(), [Signal("registry", only("waiting"), good_for=odd)], 99.0)
    ).verdict.again is None or (odd > 0)


def test_the_same_word_again_is_the_same_track() -> None:
    said = Signal("screen", only("waiting"), About(prompt="a\x07b"), detail="x")
    track = hear(Track(), [said], 1.0)
    assert hear(track, [said], 2.0) is track
    assert hear(track, [], 2.0) is track


def test_of_what_is_said_no_more_is_kept_than_is_shown() -> None:
    huge = "x" * 5_000_000
    track = hear(
        Track(), [Signal("hook", only("waiting"), About(huge, huge, huge, huge, 3), detail=huge)], 1.0
    )
    signal = track.claims["hook"].signal
    about = signal.about
    for text in (about.thread, about.title, about.prompt, about.waiting_for, signal.detail):
        assert text is not None
        assert len(text) <= TEXT


TRUST: tuple[Source, ...] = ("registry", "hook", "api", "title", "database", "transcript", "screen")


@given(
    st.dictionaries(
        st.sampled_from(TRUST),
        st.tuples(
            st.sets(st.sampled_from(URGENCY), min_size=1, max_size=3).map(frozenset),
            st.floats(0, 100),
            st.booleans(),
        ),
        min_size=4,
    )
)
def test_those_who_agree_have_a_state_in_common(
    drawn: dict[Source, tuple[frozenset[AgentState], float, bool]],
) -> None:
    claims = {
        source: Claim(Signal(source, states, event=event, lag=50), changed)
        for source, (states, changed, event) in drawn.items()
    }
    verdict = fuse(claims, TRUST, 101.0)
    stand = [source for source, role in verdict.roles.items() if role in ("decides", "agrees")]
    assert frozenset.intersection(*(claims[source].signal.states for source in stand))


def test_two_pairs_that_agree_and_all_that_do_not() -> None:
    """Of four sources each two have something in common, and all of them nothing."""
    said: dict[Source, frozenset[AgentState]] = {
        "registry": frozenset({"running", "done"}), "hook": frozenset({"running", "idle"}),
        "api": frozenset({"running", "error"}), "title": frozenset({"done", "idle", "error"}),
    }  # fmt: skip
    claims = {
        source: Claim(Signal(source, states, lag=50), float(at))
        for at, (source, states) in enumerate(said.items())
    }
    assert fuse(claims, TRUST, 10.0).state in ("running", "done", "idle", "error")


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8))
def test_a_clock_that_is_set_moves_no_state(jumps: list[float]) -> None:
    """`clock` is the time of day; what counts is the other one."""
    track = Track()
    says = (WORKING, only("waiting"), RESTING)
    seen = []
    for step, jump in enumerate(jumps):
        clock = 1e9 + jump
        track = judge(
            hear(track, [Signal("title", says[step % 3])], step * 10.0), KIND, step * 10.0 + HOLD, clock
        )
        seen.append(track.verdict.state)
        assert track.since == round(clock, 1)
    assert all(a != b for a, b in pairwise(seen))
