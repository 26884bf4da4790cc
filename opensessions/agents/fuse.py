"""Signals -> verdict: what an agent does, out of everything that is said about it. Pure; the clock is an argument.

Every claim is a set of states, and the truth lies in all of them. Where two contradict each other, the newer one counts
as long as the older one may simply be late; after that the older one has had its time and still disagrees, so the more
trustworthy one counts. A moment that was told of (a hook) is refuted by a level that has had its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from opensessions.agents.signal import BUSY, NOTHING, RESTING, About, Signal, Source, States
from opensessions.model import AgentState

HOLD = 0.3
"""Seconds in which a turn that has ended may stay as it was, until the source that tells how it ended has
spoken. Measured: Claude Code's transcript follows its status file by 0.07 s, at most 0.2."""
BEHIND = 0.4
"""Seconds for which a screen may still show what was so before."""
LONG_AGO = float("-inf")
"""When a claim was made that was there before we looked."""

PREFERRED: tuple[AgentState, ...] = (
    "running", "tool-running", "waiting", "done", "idle", "interrupted", "error", "stale", "hibernated",
)  # fmt: skip
"""Of several possible states, when nothing speaks for one: what is least alarming and most common."""
Confidence = Literal["high", "best-effort", "none", "unknown"]


class Claim(Struct, frozen=True):
    """A signal, and when (on a clock that never goes back, in seconds) its source began to say so."""

    signal: Signal
    changed: float = LONG_AGO

    def over(self, now: float) -> bool:
        """Is it too old to say anything?"""
        good_for = self.signal.good_for
        return good_for is not None and self.changed != LONG_AGO and now - self.changed > good_for


Role = Literal["decides", "agrees", "late", "refuted", "too old"]


class Verdict(Struct, frozen=True):
    """What is believed, and why."""

    state: AgentState = "idle"
    source: Source = "process"
    confidence: Confidence = "none"
    about: About = NOTHING
    at: float | None = None
    """See `Signal.at`."""
    again: float | None = None
    """When, on the claims' clock, the same claims may lead to another verdict."""
    open: States = frozenset(PREFERRED)
    """What is possible by all sources but the screen."""
    roles: Mapping[Source, Role] = {}
    """What part each source had in it."""


UNKNOWN = Verdict()
"""A process runs, and nothing says what it does."""


def fuse(
    claims: Mapping[Source, Claim], trust: Sequence[Source], now: float, before: AgentState | None = None
) -> Verdict:
    """The verdict at the moment `now`. `before`: the last one's state; None where no turn was seen yet."""
    ranked = sorted(claims, key=lambda source: trust.index(source) if source in trust else len(trust))
    fresh = {source: claims[source] for source in ranked if not claims[source].over(now)}
    if not fresh:
        gone: dict[Source, Role] = dict.fromkeys(ranked, "too old")
        if ranked:
            return Verdict("stale", confidence="unknown", roles=gone)
        # A turn that has ended has ended, though its agent is about to go and takes its title with it.
        return Verdict(before) if before is not None and before in RESTING else UNKNOWN
    agreed = _agreed(fresh, now)
    newest = max(claim.changed for claim in fresh.values())
    late = {
        source for source, claim in fresh.items()
        if not claim.signal.event and claim.changed < newest and now - newest < min(claim.signal.lag, HOLD)
    }  # fmt: skip
    sure = _common([claim for source, claim in agreed.items() if source not in late])
    possible = _common(list(agreed.values()))
    state = _choose(possible, before)
    endings = any(each <= RESTING and len(each) > 1 for each in (sure, possible))
    if late and before is not None and before in BUSY | sure and endings:
        state = before or state  # how it ended is told in a moment
    decisive = _decisive(agreed, state)
    return Verdict(
        state=state,
        source=decisive,
        confidence="high" if len(possible) == 1 and decisive != "screen" else "best-effort",
        about=_merged(agreed, state),
        at=_began(agreed, decisive),
        again=_again(fresh, newest, now),
        open=_common(list(_agreed({s: c for s, c in fresh.items() if s != "screen"}, now).values())),
        roles={source: _role(source, claims, agreed, late, decisive, now) for source in ranked},
    )


def _agreed(fresh: Mapping[Source, Claim], now: float) -> dict[Source, Claim]:
    """The claims that stand, the most trustworthy first. They have a state in common."""
    agreed: dict[Source, Claim] = {}
    for source, claim in fresh.items():
        against = [other for other in agreed if not agreed[other].signal.states & claim.signal.states]
        beside = [agreed[other] for other in agreed if other not in against]
        if not _common([*beside, claim]):
            against = list(agreed)  # it has something in common with each of them, and not with all
        if all(_prevails(claim, agreed[other], now) for other in against):
            agreed = {other: agreed[other] for other in agreed if other not in against}
            agreed[source] = claim
    return agreed


def _prevails(claim: Claim, other: Claim, now: float) -> bool:
    """Of two that contradict each other, does `claim` count, though `other` is the more trustworthy one?"""
    ahead = claim.changed - other.changed
    if (
        claim.signal.source == "screen"
    ):  # it is asked about what the others leave open, and shows more than one thing
        return other.signal.event and ahead > BEHIND
    if ahead > 0 and other.signal.event:
        return ahead > other.signal.lag or now - other.changed > claim.signal.lag
    if ahead > 0:
        return now - claim.changed < other.signal.lag
    if ahead < 0 and not claim.signal.event:
        return other.signal.event and now - other.changed > claim.signal.lag
    return False


def _common(claims: Sequence[Claim]) -> States:
    """The states that all of them allow."""
    common: States = frozenset(PREFERRED)
    for claim in claims:
        common &= claim.signal.states
    return common


def _choose(possible: States, before: AgentState | None) -> AgentState:
    """One of the possible states: nothing changes without a reason, and a turn that was seen has ended somehow. Only
    what somebody still says is waiting."""
    if before in possible and before is not None and (before != "waiting" or len(possible) == 1):
        return before
    if before is None and "idle" in possible:
        return "idle"
    return next(state for state in PREFERRED if state in possible)


def _decisive(agreed: Mapping[Source, Claim], state: AgentState) -> Source:
    """The source that says the least besides this state; of several the most trustworthy."""
    allowing = [source for source in agreed if state in agreed[source].signal.states] or list(agreed)
    return min(allowing, key=lambda source: len(agreed[source].signal.states))


def _began(agreed: Mapping[Source, Claim], decisive: Source) -> float | None:
    """Since when, as the sources tell: not before any of them changed its word."""
    if agreed[decisive].signal.at is None:
        return None
    return max(claim.signal.at for claim in agreed.values() if claim.signal.at is not None)


def _merged(agreed: Mapping[Source, Claim], state: AgentState) -> About:
    """Everything that those who agree know, the word of the most trustworthy first."""
    told = [claim.signal.about for claim in agreed.values()]
    return About(
        thread=next((about.thread for about in told if about.thread), None),
        title=next((about.title for about in told if about.title), None),
        prompt=next((about.prompt for about in told if about.prompt), None),
        waiting_for=next((about.waiting_for for about in told if about.waiting_for), None)
        if state == "waiting"
        else None,
        background=next((about.background for about in told if about.background is not None), None),
    )


def _again(fresh: Mapping[Source, Claim], newest: float, now: float) -> float | None:
    """The next moment at which something ceases to be late, or to be fresh."""
    moments = [newest + HOLD]
    for claim in fresh.values():
        moments += [other.changed + claim.signal.lag for other in fresh.values()]
        moments.append(newest + min(claim.signal.lag, HOLD))
        if claim.signal.good_for is not None:
            moments.append(claim.changed + claim.signal.good_for)
    return min((moment for moment in moments if moment > now), default=None)


def _role(
    source: Source, claims: Mapping[Source, Claim], agreed: Mapping[Source, Claim], late: set[Source],
    decisive: Source, now: float,
) -> Role:  # fmt: skip
    if claims[source].over(now):
        return "too old"
    if source == decisive:
        return "decides"
    if source in agreed:
        return "agrees"
    return "late" if source in late else "refuted"
