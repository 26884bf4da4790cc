"""What is known of one running agent, from the first look to its end. Pure; clocks are arguments."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from opensessions.agents.fuse import LONG_AGO, PREFERRED, UNKNOWN, Claim, Verdict, fuse
from opensessions.agents.kind import Kind
from opensessions.agents.signal import BUSY, About, Signal, Source
from opensessions.model import AgentState

TEXT = 200
"""Characters of a title, prompt or reason that are kept."""
LONGEST = 3600.0
"""Seconds that a source may be late."""
FUTURE = 1.0
"""Seconds that a source's clock may be ahead of ours; one that is further ahead is not believed."""


class Track(Struct, frozen=True):
    """One agent. `claims` holds the last word of each source."""

    claims: Mapping[Source, Claim] = {}
    verdict: Verdict = UNKNOWN
    since: float = 0.0
    """Since when it is in its state, in seconds since the epoch."""
    turn: bool = False
    """It was seen at work, or something told how a turn of it ended."""

    @property
    def thread(self) -> str | None:
        """The conversation that it holds, as far as known."""
        return self.verdict.about.thread


def hear(track: Track, signals: Iterable[Signal], now: float, *, first: bool = False) -> Track:
    """Take these in, each in place of its source's last word. `now` on a clock that never goes back. `first`: it was
    so before we looked, nobody knows for how long. The same track where that is nothing new."""
    claims = dict(track.claims)
    for signal in map(_sound, signals):
        if not signal.states:
            claims.pop(signal.source, None)
            continue
        old = claims.get(signal.source)
        same = old is not None and not signal.event and _same(old.signal, signal)
        if old is not None and same:
            claims[signal.source] = Claim(signal, old.changed)
        else:
            claims[signal.source] = Claim(signal, LONG_AGO if first and not signal.event else now)
    return track if claims == track.claims else replace(track, claims=claims)


def _sound(signal: Signal) -> Signal:
    """The signal with what can be worked with: known states, numbers that are some, texts that can be shown."""
    good_for = signal.good_for if signal.good_for is not None and math.isfinite(signal.good_for) else None
    return replace(
        signal,
        states=signal.states & _STATES,
        about=cleaned(signal.about),
        at=signal.at if signal.at is not None and math.isfinite(signal.at) else None,
        lag=min(max(0.0, signal.lag), LONGEST) if math.isfinite(signal.lag) else 0.0,
        good_for=good_for,
        detail=clean(signal.detail) or "",
    )


_STATES = frozenset(PREFERRED)


def forget(track: Track, sources: Iterable[Source]) -> Track:
    """These have nothing to say any more."""
    gone = set(sources) & track.claims.keys()
    if not gone:
        return track
    return replace(
        track, claims={source: claim for source, claim in track.claims.items() if source not in gone}
    )


def judge(track: Track, kind: Kind, now: float, clock: float) -> Track:
    """The track with its verdict for the moment `now`; `clock` is that moment in seconds since the epoch."""
    before = track.verdict.state if track.turn else None
    claims = track.claims
    if kind.exact & claims.keys():
        claims = {source: claim for source, claim in claims.items() if source not in ("title", "screen")}
    verdict = fuse(claims, kind.trust, now, before)
    turn = track.turn or verdict.state in BUSY or verdict.state in ("done", "error", "interrupted")
    if verdict == track.verdict and turn == track.turn and track.since:
        return track
    same = verdict.state == track.verdict.state and track.since
    since = track.since if same else _began(verdict.at, track.since, clock)
    if verdict.state == "idle" and "idle" in _certain(track.claims):
        turn = False  # a conversation that has just begun, or was cleared
    return Track(track.claims, verdict, round(since, 1), turn)


def _certain(claims: Mapping[Source, Claim]) -> frozenset[AgentState]:
    """What some source says without an alternative."""
    return frozenset().union(
        *(claim.signal.states for claim in claims.values() if len(claim.signal.states) == 1)
    )


def _same(old: Signal, new: Signal) -> bool:
    return old.states == new.states and old.at == new.at and old.about.thread == new.about.thread


def _began(at: float | None, before: float, clock: float) -> float:
    """When the state began: as told, unless that lies in the future or before the state that it follows."""
    if at is None or not before <= at <= clock + FUTURE:
        return clock
    return min(at, clock)


def cleaned(about: About) -> About:
    """The texts made fit to be shown: one line, no control characters, not too long."""
    return About(
        thread=clean(about.thread),
        title=clean(about.title),
        prompt=clean(about.prompt),
        waiting_for=clean(about.waiting_for),
        background=about.background if about.background is None else max(0, min(about.background, 999)),
    )


def clean(text: str | None) -> str | None:
    """One line of at most TEXT characters; None where nothing is left. Control and format characters (Unicode Cc, Cf,
    surrogates, private use, line separators) become blanks, so that no text can paint or turn its direction."""
    if text is None:
        return None
    shown = "".join(
        " "
        if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and each != "\u200d"
        else each
        for each in text[: 4 * TEXT]
    )
    line = " ".join(shown.split())
    return (line[: TEXT - 1] + "…" if len(line) > TEXT else line) or None
