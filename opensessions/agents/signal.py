"""What one source says about an agent: the word that adapters speak and `fuse` understands. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from opensessions.model import AgentState

Source = Literal["registry", "hook", "transcript", "database", "title", "screen", "api", "process"]
"""`registry`: a status file that the agent keeps by pid. `hook`: the agent told us, by a hook or plugin.
`api`: somebody told us over the API. `process`: it runs, and that is all."""

States = frozenset[AgentState]

RESTING: States = frozenset({"idle", "done", "error", "interrupted"})
"""No turn is under way. How the last one ended, if there was one, is not said."""
WORKING: States = frozenset({"running", "tool-running"})
"""A turn is under way, and nobody is waited for."""
BUSY: States = WORKING | {"waiting"}
"""A turn is under way. Whether it waits for the user is not said."""


def only(state: AgentState) -> States:
    """Exactly this."""
    return frozenset({state})


class About(Struct, frozen=True):
    """What a source knows beside the state; None where it says nothing. Texts may hold anything: they are
    cut and cleaned by `track`, before anybody sees them."""

    thread: str | None = None
    """The agent's own id of the conversation."""
    title: str | None = None
    prompt: str | None = None
    """What the user asked last."""
    waiting_for: str | None = None
    """What the user is asked for: `permission prompt`, `question`, `plan` …; only while `waiting` is
    possible."""
    background: int | None = None
    """Live background shells and subagents."""


NOTHING = About()


class Signal(Struct, frozen=True):
    """One source's word. Of each source only the last one counts.

    A signal claims a set of states: the truth is one of them. So a source that cannot tell two states apart says
    both, and another one narrows it down.
    """

    source: Source
    states: States
    """Never empty. A source that knows nothing gives no signal."""
    about: About = NOTHING
    at: float | None = None
    """When the state began, in seconds since the epoch, if the source tells; else when we learn of it."""
    event: bool = False
    """It told of a moment (a hook), and nobody will tell us if that is over. Else it is a level: the source
    is looked at whenever it changes, so it still says so now."""
    lag: float = 0.0
    """How many seconds this level may be behind the truth, as measured on the real agent. Of an event: seconds in which
    a level that contradicts it may still be the news of before."""
    good_for: float | None = None
    """Seconds after which it says nothing any more if it has not changed meanwhile; None: for ever."""
    detail: str = ""
    """What it said in its own words, for `opensessions explain`."""
