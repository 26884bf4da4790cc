"""Signals -> verdict, with a clock that the test drives."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.fuse import HOLD, LONG_AGO, UNKNOWN, Claim, Verdict, fuse
from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, Source, States, only
from opensessions.model import URGENCY, AgentState

TRUST: tuple[Source, ...] = ("registry", "hook", "api", "title", "database", "transcript", "screen")


def level(
    source: Source, states: States, changed: float = LONG_AGO, lag: float = 0.25, **more: object
) -> Claim:
    return Claim(Signal(source, states, lag=lag, **more), changed)  # type: ignore[arg-type]


def event(source: Source, state: AgentState, changed: float) -> Claim:
    return Claim(Signal(source, only(state), event=True), changed)


def verdict(*claims: Claim, now: float = 100.0, before: AgentState | None = "idle") -> Verdict:
    return fuse({claim.signal.source: claim for claim in claims}, TRUST, now, before)


def state(*claims: Claim, now: float = 100.0, before: AgentState | None = "idle") -> AgentState:
    return verdict(*claims, now=now, before=before).state


def test_nothing_said_is_idle_and_nobody_vouches_for_it() -> None:
    assert fuse({}, TRUST, 1.0) == UNKNOWN
    assert UNKNOWN.confidence == "none"


def test_when_everybody_falls_silent_the_last_turn_has_still_ended() -> None:
    assert fuse({}, TRUST, 1.0, "done").state == "done"
    assert fuse({}, TRUST, 1.0, "waiting").state == "idle"


def test_sources_narrow_each_other_down() -> None:
    busy = level("registry", WORKING, 10)
    assert state(busy, level("transcript", frozenset({"tool-running", "waiting"}), 11)) == "tool-running"
    assert state(busy, level("transcript", frozenset({"running", "interrupted"}), 11)) == "running"
    idle = level("registry", RESTING, 12)
    assert state(idle, level("transcript", frozenset({"running", "interrupted"}), 11)) == "interrupted"
    assert state(idle, level("transcript", only("error"), 11)) == "error"


def test_a_late_source_does_not_speak_for_the_turn_that_has_just_ended() -> None:
    """The status file says idle, the transcript has not written the end yet, and the last it says would be read as
    an interruption."""
    resting = level("registry", RESTING, 100.0)
    last = level("transcript", frozenset({"running", "interrupted"}), 90.0)
    held = verdict(resting, last, now=100.05, before="running")
    assert held.state == "running"
    assert held.again is not None
    assert 100.05 < held.again <= 100.0 + HOLD
    ended = level("transcript", only("done"), 100.1)
    assert state(resting, ended, now=100.12, before="running") == "done"
    assert state(resting, last, now=100.0 + HOLD, before="running") == "interrupted"


def test_what_is_exact_is_never_held_back() -> None:
    waiting = level("registry", only("waiting"), 100.0)
    assert (
        state(
            waiting,
            level("transcript", frozenset({"running", "interrupted"}), 90),
            now=100.0,
            before="running",
        )
        == "waiting"
    )
    busy = level("registry", WORKING, 100.0)
    assert state(busy, level("transcript", only("done"), 90), now=100.0, before="done") == "running"


def test_a_hook_counts_until_a_level_has_had_its_time_and_disagrees() -> None:
    title = level("title", WORKING, 50.0, lag=1.3)
    asked = event("hook", "waiting", 100.0)
    assert state(title, asked, now=100.1, before="tool-running") == "waiting"
    found = verdict(title, asked, now=101.2, before="waiting")
    assert found.state == "waiting"
    assert found.again == pytest.approx(101.3)
    assert state(title, asked, now=101.4, before="waiting") == "running"
    assert state(level("title", only("waiting"), 100.9), asked, now=500, before="waiting") == "waiting"


def test_a_level_that_changed_after_a_hook_is_newer() -> None:
    asked = event("hook", "waiting", 100.0)
    assert state(level("title", WORKING, 105.0, lag=1.3), asked, now=105.0, before="waiting") == "running"


def test_of_two_levels_the_newer_counts_first_and_the_more_trustworthy_in_the_end() -> None:
    registry, transcript = level("registry", WORKING, 90.0), level("transcript", only("done"), 100.0, lag=0.4)
    assert state(registry, transcript, now=100.1, before="running") == "done"
    assert state(registry, transcript, now=101.0, before="done") == "running"


def test_waiting_ends_as_soon_as_nobody_says_it() -> None:
    assert (
        state(level("database", frozenset({"tool-running", "waiting"}), 90), before="waiting")
        == "tool-running"
    )
    assert (
        state(
            level("database", frozenset({"tool-running", "waiting"}), 90),
            level("screen", only("waiting"), 95),
            before="running",
        )
        == "waiting"
    )


def test_how_a_turn_ended_is_not_guessed_as_alarm() -> None:
    assert state(level("title", RESTING, 90), before="running") == "done"
    assert state(level("title", RESTING, 90), before=None) == "idle"
    assert state(level("title", RESTING, 90), before="error") == "error"
    assert verdict(level("title", RESTING, 90), before="running").confidence == "best-effort"


def test_what_is_too_old_says_nothing_and_alone_it_is_stale() -> None:
    running = level("transcript", only("running"), 10.0, good_for=60.0)
    assert state(running, now=69.0, before="running") == "running"
    assert verdict(running, now=69.0, before="running").again == pytest.approx(70.0)
    gone = verdict(running, now=71.0, before="running")
    assert (gone.state, gone.confidence, gone.roles) == ("stale", "unknown", {"transcript": "too old"})
    assert state(running, level("title", WORKING, 5.0), now=71.0, before="running") == "running"


def test_the_first_look_knows_no_order() -> None:
    assert (
        state(
            level("registry", RESTING),
            level("transcript", frozenset({"running", "interrupted"})),
            before=None,
        )
        == "interrupted"
    )
    assert state(level("registry", WORKING), level("transcript", only("done")), before=None) == "running"


def test_roles_tell_who_decided() -> None:
    found = verdict(
        level("registry", WORKING, 10.0),
        level("transcript", frozenset({"tool-running", "waiting"}), 11.0),
        event("hook", "done", 5.0),
        now=50.0,
    )
    assert found.source == "registry"
    assert found.roles == {"registry": "decides", "transcript": "agrees", "hook": "refuted"}


def test_what_is_known_beside_the_state_comes_from_those_who_agree() -> None:
    asked = Claim(
        Signal("registry", only("waiting"), About(thread="t", waiting_for="permission prompt"), at=7.0), 10
    )
    written = level(
        "transcript",
        frozenset({"tool-running", "waiting"}),
        11,
        about=About(thread="u", title="T", prompt="P", background=2),
    )
    about = verdict(asked, written).about
    assert about == About("t", "T", "P", "permission prompt", 2)
    assert verdict(asked, written).at == 7.0
    over = Claim(Signal("registry", WORKING, About(waiting_for="permission prompt")), 12)
    assert verdict(over).about.waiting_for is None


CLAIMS = st.dictionaries(
    st.sampled_from(TRUST),
    st.tuples(
        st.sets(st.sampled_from(URGENCY), min_size=1).map(frozenset),
        st.floats(0, 100) | st.just(LONG_AGO),
        st.booleans(),
        st.floats(0, 5),
        st.none() | st.floats(0, 50),
    ),
    max_size=6,
)


def claims_of(drawn: Mapping[Source, tuple[States, float, bool, float, float | None]]) -> dict[Source, Claim]:
    return {
        source: Claim(Signal(source, states, event=moment, lag=lag, good_for=good_for), changed)
        for source, (states, changed, moment, lag, good_for) in drawn.items()
    }


@given(CLAIMS, st.sampled_from([None, *URGENCY]), st.floats(100, 200))
def test_any_claims_give_a_state_that_somebody_allows(
    drawn: Mapping[Source, tuple[States, float, bool, float, float | None]],
    before: AgentState | None,
    now: float,
) -> None:
    claims = claims_of(drawn)
    found = fuse(claims, TRUST, now, before)
    assert set(found.roles) == set(claims)
    assert found.again is None or found.again > now
    fresh = [claim for claim in claims.values() if not claim.over(now)]
    if fresh and found.state != before:
        assert any(found.state in claim.signal.states for claim in fresh)
    assert fuse(dict(reversed(claims.items())), TRUST, now, before) == found, (
        "the order of arrival is in the times"
    )


@given(CLAIMS, st.sampled_from([None, *URGENCY]))
def test_once_everything_has_settled_time_changes_nothing(
    drawn: Mapping[Source, tuple[States, float, bool, float, float | None]], before: AgentState | None
) -> None:
    claims = claims_of(drawn)
    now, found = 100.0, fuse(claims, TRUST, 100.0, before)
    for _ in range(200):
        if found.again is None:
            break
        now = found.again + 0.001
        found = fuse(claims, TRUST, now, found.state)
    assert found.again is None
    assert fuse(claims, TRUST, now + 10_000, found.state).state == found.state


def test_busy_includes_waiting_and_working_does_not() -> None:
    assert WORKING | {"waiting"} == BUSY
    assert not RESTING & BUSY
