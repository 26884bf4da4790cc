"""The true states of an agent over time, and how what was shown compares with them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Literal

from msgspec import Struct

State = str
"""A state of the contract, or "gone": no live agent in that pane."""
NOBODY: frozenset[State] = frozenset()


class Span(Struct, frozen=True):
    """From `start` on the agent is in `state`, until the next span starts. Times in seconds since the epoch."""

    state: State
    start: float
    earliest: float
    """It may have begun then already: facts tell no better."""
    why: str = ""
    alike: frozenset[State] = NOBODY
    """States that are as right."""
    optional: bool = False
    """It need not be shown."""


class Shown(Struct, frozen=True):
    """From `at` on this state was shown."""

    at: float
    state: State
    source: str = ""


Outcome = Literal["right", "late", "untold", "wrong", "brief"]
"""`untold`: not told by the interface, and what is to be shown instead was shown. `brief`: too short to demand it."""

BRIEF = 0.7
"""Seconds: what lasts less need not be shown."""
LATE = 1.0
"""Seconds from the truth to the snapshot; more is late."""
EARLY = 0.1
"""Seconds by which something may be shown before it is true: facts are noted a moment after they happen."""
SLACK = 0.5
"""Seconds for which a state may be shown though it is over, on top of what an agent's own documented lag allows."""


class Verdict(Struct, frozen=True):
    """What became of a span. `latency` in seconds, None where it was not shown."""

    span: Span
    outcome: Outcome
    latency: float | None = None


class Judgement(Struct, frozen=True):
    """The spans of one agent, and what was shown without being true."""

    verdicts: tuple[Verdict, ...] = ()
    false: tuple[Shown, ...] = ()

    @property
    def clean(self) -> bool:
        """Was every state shown, and no other?"""
        return not self.false and all(each.outcome != "wrong" for each in self.verdicts)


def settle(spans: Sequence[Span]) -> tuple[Span, ...]:
    """In order, neighbours of one state joined."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if not found or found[-1].state != span.state:
            found.append(span)
    return tuple(found)


def changes(shown: Sequence[Shown]) -> list[Shown]:
    """Only what differs from the one before."""
    return [each for place, each in enumerate(shown) if not place or shown[place - 1].state != each.state]


def judge(
    spans: Sequence[Span],
    shown: Sequence[Shown],
    end: float,
    untold: Mapping[State, Collection[State]] | None = None,
    slack: float = SLACK,
) -> Judgement:
    """Compare. `end` is when watching ended; `untold` names for a state what may be shown instead of it.

    What is shown must follow the truth without going back: each time a state appears it needs a span of its own, one
    that has not been over for longer than `slack`.
    """
    truth = settle(spans)
    over = [span.start for span in truth[1:]] + [end]
    instead = untold or {}
    appeared = changes([each for each in shown if each.at <= end])
    matched: dict[int, list[Shown]] = {}
    false = []
    place = 0
    for each in appeared:
        if not truth or each.at < truth[0].earliest:
            continue  # before the truth is known: the shell of the pane
        fitting = [
            index
            for index in range(place, len(truth))
            if _fits(truth[index], each.state, instead)
            and truth[index].earliest - EARLY <= each.at <= over[index] + slack
            and each.state not in [other.state for other in matched.get(index, [])]
        ]
        if not fitting:
            false.append(each)
            continue
        place = fitting[0]
        matched.setdefault(place, []).append(each)
        if (
            truth[place].state != each.state
            and fitting[1:2] == [place + 1]
            and truth[place + 1].state == each.state
        ):
            place += 1  # what will do for the one is what the other is
            matched.setdefault(place, []).append(each)
    verdicts = []
    for index, span in enumerate(truth):
        later = [each for after in range(index + 1, len(truth)) for each in matched.get(after, [])]
        here = matched.get(index, [])
        before = [each for each in appeared if each.at < over[index] and (each in here or each not in later)]
        verdicts.append(_verdict(span, over[index], before, here, instead))
    return Judgement(tuple(verdicts), tuple(false))


def _fits(span: Span, state: State, instead: Mapping[State, Collection[State]]) -> bool:
    return state == span.state or state in span.alike or state in instead.get(span.state, ())


def _verdict(
    span: Span,
    over: float,
    before: Sequence[Shown],
    matched: Sequence[Shown],
    instead: Mapping[State, Collection[State]],
) -> Verdict:
    """How late it was shown decides. What was shown instead later, or again, counts among the false ones.

    `before`: what appeared before it was over, and does not belong to what follows.
    """
    right = [each for each in matched if each.state == span.state or each.state in span.alike]
    if right:
        latency = max(0.0, right[0].at - span.start)
        return Verdict(span, "late" if latency > LATE else "right", latency)
    if span.optional or over - span.start < BRIEF:
        return Verdict(span, "brief")
    if matched:
        return Verdict(span, "untold")
    last = before[-1].state if before else "gone"
    if last == span.state or last in span.alike:  # it never ceased to be shown
        return Verdict(span, "right", 0.0)
    return Verdict(span, "untold" if last in instead.get(span.state, ()) else "wrong")


def middle(latencies: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return median(latencies) if latencies else None
