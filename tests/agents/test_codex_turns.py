"""Every change of a Codex agent's state, with the signals of each arriving in every order that was measured.

No state may be shown that the truth did not have, none may come back, and the right one must come in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from msgspec import Struct

from opensessions.agents.adapter import Heard
from opensessions.agents.codex import ASKING, CALLING, KIND, LAG, hears
from opensessions.agents.signal import BUSY, RESTING, About, Signal, Source, States, only
from opensessions.agents.track import Track, forget, hear, judge
from opensessions.model import AgentState

THREAD = "01a1fc16-a4cd-77e3-8972-fc4dd3e8b7c4"
CLOCK = 1_795_262_500.0
GRID = 0.05
"""Seconds between two judgements besides those that are due."""


class Word(Struct, frozen=True):
    """What a source says, and how many seconds after the truth: at the earliest and at the latest."""

    source: Source
    signal: Signal | None
    soonest: float
    latest: float


class Step(Struct, frozen=True):
    """The truth changes, and these tell."""

    truth: AgentState
    words: tuple[Word, ...]
    lasts: float = 4.0
    within: float = 0.25
    """Seconds within which the new state must be shown."""


def hook(name: str, soonest: float = 0.01, latest: float = 0.11) -> Word:
    said = hears(Heard(name, {"session_id": THREAD}))
    assert isinstance(said, Signal)
    return Word("hook", said, soonest, latest)


def rollout(states: States, soonest: float = 0.03, latest: float = 0.14) -> Word:
    return Word("transcript", Signal("transcript", states, About(thread=THREAD), lag=LAG), soonest, latest)


def title(text: str, soonest: float = 0.05, latest: float = 0.22) -> Word:
    return Word("title", KIND.title(text), soonest, latest)


SPINS = title("⠋ proj")
RESTS = Word("title", Signal("title", RESTING, lag=KIND.title_lag), 0.05, 0.11)
ASKS = title("[ ! ] Action Required | proj", 0.90, 0.98)
NEW = Word("database", Signal("database", only("idle"), About(thread=THREAD)), 0, 0)


def prompt(*hooks: Word, first: bool = False) -> Step:
    begun = (Word("database", None, 0.03, 0.03),) if first else ()
    return Step("running", (*hooks, *begun, SPINS, rollout(only("running"), 0.03, 0.03 if first else 0.14)))


def ends(how: AgentState, *hooks: Word) -> Step:
    return Step(how, (*hooks, rollout(only(how)), RESTS))


ASKED = (rollout(BUSY), rollout(CALLING, ASKING, ASKING + 0.1))
"""A call that may have to ask; after a while it either runs or the title says that it waits."""


def story(hooked: bool) -> dict[str, list[Step]]:
    def told(name: str, soonest: float = 0.01, latest: float = 0.11) -> tuple[Word, ...]:
        return (hook(name, soonest, latest),) if hooked else ()

    start = prompt(*told("UserPromptSubmit"), first=True)
    again = prompt(*told("UserPromptSubmit"))
    asks = Step(
        "waiting",
        (*told("PreToolUse", 0.0, 0.03), *told("PermissionRequest", 0.04, 0.09), *ASKED, ASKS),
        within=0.25 if hooked else 1.1,
    )
    granted = Step("tool-running", (title("⠋ proj", 0.02, 0.2),))
    answered = Step("running", (*told("PostToolUse"), rollout(only("running"))))
    runs = Step("tool-running", (*told("PreToolUse", 0.0, 0.03), rollout(CALLING)))
    done = ends("done", *told("Stop", 0.01, 0.08))
    interrupted = ends("interrupted", *told("Interrupt", 0.01, 0.03))
    return {
        "done, twice": [start, done, again, done],
        "a tool": [start, runs, answered, done],
        "an approval granted": [start, asks, granted, answered, done],
        "granted twice": [start, asks, granted, answered, asks, granted, answered, done],
        "an approval refused": [start, asks, interrupted, again, done],
        "interrupted": [start, interrupted, again, interrupted],
        "a tool interrupted": [start, runs, interrupted, again, done],
        "failed": [start, ends("error"), again, done],
        "approved by a rule": [
            start,
            Step("tool-running", (*told("PreToolUse", 0.0, 0.03), *ASKED), lasts=3.0, within=ASKING + 0.15),
            answered,
            done,
        ],
    }


def orders(step: Step) -> Iterator[Sequence[tuple[float, Word]]]:
    """Each word as soon and as late as it may be, in every combination."""
    for times in product(*({word.soonest, word.latest} for word in step.words)):
        yield sorted(zip(times, step.words, strict=True), key=lambda each: each[0])


def taken(track: Track, word: Word, now: float) -> Track:
    return forget(track, [word.source]) if word.signal is None else hear(track, [word.signal], now)


def lived(
    track: Track, start: float, step: Step, told: Sequence[tuple[float, Word]]
) -> Iterator[tuple[float, Track]]:
    """The track at each moment of a step, in seconds after the truth has changed."""
    moments = sorted({0.0, *(at for at, _ in told), *(n * GRID for n in range(1, int(step.lasts / GRID)))})
    left = list(told)
    for at, following in zip(moments, [*moments[1:], step.lasts], strict=True):
        while left and left[0][0] <= at:
            track = taken(track, left.pop(0)[1], start + at)
        due: float | None = start + at
        while due is not None and due < start + following:
            track = judge(track, KIND, due, CLOCK + due)
            yield due - start, track
            due = track.verdict.again


def check(
    track: Track, start: float, step: Step, told: Sequence[tuple[float, Word]], before: AgentState
) -> Track:
    arrived = False
    for at, after in lived(track, start, step, told):
        track, state = after, after.verdict.state
        told_so = [(round(when, 2), word.source) for when, word in told]
        if state == step.truth:
            arrived = True
        else:
            assert (state, arrived) == (before, False), (step.truth, round(at, 3), told_so)
            assert at <= step.within + GRID, ("late", before, step.truth, state, round(at, 3), told_so)
    assert arrived
    return track


@pytest.mark.parametrize("hooked", [True, False], ids=["hooks", "no hooks"])
@pytest.mark.parametrize("name", list(story(False)))
def test_no_false_state_in_any_order(name: str, hooked: bool) -> None:
    steps = story(hooked)[name]
    begun = judge(taken(Track(), NEW, 1.0), KIND, 1.0, CLOCK)
    assert begun.verdict.state == "idle"
    reached = {(): begun}
    start, before = 10.0, begun.verdict.state
    for step in steps:
        ways: dict[tuple[object, ...], Track] = {}
        for track in reached.values():
            for told in orders(step):
                after = check(track, start, step, told, before)
                # Ways that led to the same claims in the same order of time go on as one.
                ranks = sorted(after.claims, key=lambda source: after.claims[source].changed)
                ways[tuple((source, after.claims[source].signal.states) for source in ranks)] = after
        reached = ways  # type: ignore[assignment]
        start, before = start + step.lasts, step.truth


def test_a_spinner_that_turns_while_nobody_has_asked_anything_is_no_turn() -> None:
    """MCP servers start."""
    track = judge(taken(Track(), NEW, 1.0), KIND, 1.0, CLOCK)
    track = taken(track, SPINS, 2.0)
    for now in (2.001, 2.1, 2.5, 5.0, 60.0):
        track = judge(track, KIND, now, CLOCK + now)
        assert track.verdict.state == "idle"


def test_without_a_known_thread_the_title_is_right_as_far_as_it_goes() -> None:
    track = Track()
    shown = []
    for now, word in enumerate((SPINS, ASKS, SPINS, RESTS)):
        track = judge(taken(track, word, now * 10.0), KIND, now * 10.0 + 2, CLOCK + now)
        shown.append(track.verdict.state)
    assert shown == ["running", "waiting", "running", "done"]


def test_a_turn_left_behind_is_over_unless_the_title_says_otherwise() -> None:
    left = Signal("transcript", BUSY | {"idle", "interrupted"}, About(thread=THREAD), lag=LAG)
    track = judge(hear(Track(), [left], 1.0, first=True), KIND, 1.0, CLOCK)
    assert track.verdict.state == "idle"
    track = judge(taken(track, SPINS, 2.0), KIND, 2.0, CLOCK + 1)
    assert track.verdict.state == "running"


def test_a_granted_approval_that_no_title_showed_is_over_when_its_time_is() -> None:
    """Granted within the second in which the title goes on spinning."""
    track = judge(taken(Track(), SPINS, 0.0), KIND, 0.0, CLOCK)
    for word in (hook("PermissionRequest"), rollout(CALLING)):
        track = taken(track, word, 10.0)
    track = judge(track, KIND, 10.0, CLOCK)
    assert track.verdict.state == "waiting"
    assert track.verdict.again is not None
    while track.verdict.state == "waiting":
        due = track.verdict.again
        assert due is not None
        assert due <= 10.0 + KIND.title_lag + 0.01
        track = judge(track, KIND, due + 0.001, CLOCK)
    assert track.verdict.state == "tool-running"
