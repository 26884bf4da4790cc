"""Why an agent has its state, as `opensessions explain` tells it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from opensessions.agents.fuse import LONG_AGO, Claim, Role
from opensessions.agents.signal import Source
from opensessions.agents.track import clean
from opensessions.model import Agent, AgentState
from opensessions.server.resting import command
from opensessions.server.tracked import Tracked


def explain(
    agent: Agent,
    mux: str,
    tracked: Tracked | None,
    now: float,
    resume: Sequence[str] = (),
    dismissed: AgentState | None = None,
) -> dict[str, object]:
    """The agent, and each source with what it said, for how long it has said so, and what came of it. `now` on the
    claims' clock. `tracked` is None for an agent that has exited; `resume` goes on with one that hibernates.
    `dismissed`: how its turn ended, of which the user has taken note."""
    told: dict[str, object] = {
        "mux": mux,
        "pane": agent.pane,
        "id": agent.id,
        "agent": agent.agent,
        "pid": agent.pid,
        "state": agent.state,
        "dismissed": dismissed,
        "since": agent.since,
        "source": agent.source,
        "confidence": agent.confidence,
        "liveness": agent.liveness,
        "background": agent.background,
        "thread": agent.thread,
        "waiting_for": agent.waiting_for,
        "resume": shlex.join(resume or _resume(agent, tracked)) or None,
        "sources": [],
    }
    if tracked is None:
        return told
    kind, claims, roles = tracked.found.kind, tracked.track.claims, tracked.track.verdict.roles
    order = sorted(
        claims, key=lambda source: kind.trust.index(source) if source in kind.trust else len(kind.trust)
    )
    told["sources"] = [_source(source, claims[source], roles, now) for source in order]
    told["read"] = list(tracked.look.watch)
    told["possible_sources"] = [
        name
        for name, there in (
            ("title", bool(kind.titles)), ("files", kind.reader is not None), ("hook", kind.hears is not None),
            ("screen", bool(kind.screens)),
        )
        if there
    ]  # fmt: skip
    return told


def _resume(agent: Agent, tracked: Tracked | None) -> Sequence[str]:
    return command(tracked.found.kind.resume, agent.thread) if tracked else ()


def _source(source: Source, claim: Claim, roles: Mapping[Source, Role], now: float) -> dict[str, object]:
    signal = claim.signal
    return {
        "source": source,
        "says": sorted(signal.states),
        "detail": clean(signal.detail) or "",
        "age_s": None if claim.changed == LONG_AGO else round(max(0.0, now - claim.changed), 1),
        "kind": "event" if signal.event else "level",
        "role": roles.get(source, "refuted"),
    }
