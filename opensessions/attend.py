"""What the user has not seen yet, what has ended, what was put to sleep, and where to look next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import Agent, AgentState, Inventory

NOTABLE: frozenset[AgentState] = frozenset({"waiting", "done", "error", "interrupted"})
"""The user may want to know: a turn has ended, or waits."""
AT_WORK: frozenset[AgentState] = frozenset({"running", "tool-running", "waiting"})
KEPT_SEEN, KEPT_UNSEEN = 300.0, 900.0
"""Seconds that the row of an agent that has exited stays, if its last state was seen, and if not."""

KEPT_ASLEEP = 7 * 86_400.0
"""Seconds that the row of a hibernated agent stays."""

Agents = Mapping[str, tuple[Agent, ...]]
"""By pane id."""


class Nap(Struct, frozen=True):
    """An agent that was ended in order to be resumed later."""

    agent: Agent
    """As its row shows it: its state is "hibernated"."""
    resume: tuple[str, ...]
    """The command that goes on with its conversation."""
    folder: str
    """Where that command is to be called; "" where it is not known."""
    generation: str
    """The run of the multiplexer's server in which its pane has that id."""

    def due(self) -> float:
        """When its row goes, in seconds since the epoch."""
        return self.agent.since + KEPT_ASLEEP


class Remembered(Struct, frozen=True, omit_defaults=True):
    """What is kept of an agent over a restart of the server."""

    state: AgentState
    since: float
    unseen: bool
    nap: Nap | None = None
    """None unless it hibernates."""
    dismissed: bool = False
    """The user has taken note of that state: it shows as idle."""


class Past(Struct, frozen=True):
    """An agent that has exited, and the session that its pane is in, or was. `at`: see `AgentsSeen`."""

    agent: Agent
    session: str
    at: float

    def due(self) -> float:
        """When its row goes."""
        return self.at + (KEPT_UNSEEN if self.agent.unseen else KEPT_SEEN)


def mark(
    agents: Agents, before: Agents, watched: frozenset[str], remembered: Mapping[str, Remembered]
) -> dict[str, tuple[Agent, ...]]:
    """The agents with `unseen` as it follows from how they were `before`, or in an earlier run of the server."""
    known = {agent.id: agent for group in before.values() for agent in group}
    return {
        pane: tuple(
            replace(agent, unseen=_unseen(agent, known.get(agent.id), remembered.get(agent.id), watched))
            for agent in group
        )
        for pane, group in agents.items()
    }


def _unseen(agent: Agent, old: Agent | None, kept: Remembered | None, watched: frozenset[str]) -> bool:
    if agent.state not in NOTABLE or agent.pane in watched:
        return False
    if old is not None:
        return old.unseen or old.state != agent.state or agent.since > old.since
    if kept is None:
        return False  # it was so before anybody looked
    return kept.unseen or (kept.state in AT_WORK and kept.state != agent.state)


def see(agents: Agents, watched: frozenset[str]) -> Agents:
    """The agents after somebody has looked at these panes. The same object where that changes nothing."""
    if not any(agent.unseen for pane in watched for agent in agents.get(pane, ())):
        return agents
    return {
        pane: tuple(replace(agent, unseen=False) for agent in group) if pane in watched else group
        for pane, group in agents.items()
    }


# --- what the user has taken note of --------------------------------------------------------------------------

ENDED: frozenset[AgentState] = frozenset({"done", "error", "interrupted"})
"""How a turn ended: what a dismissal takes off the screen."""
Turn = tuple[AgentState, float]
"""A state and since when: one end of one turn."""


def quiet(agents: Agents, dismissed: Mapping[str, Turn]) -> Agents:
    """The agents, those as idle whose turn ended as it was `dismissed`, by their ids. The same object where that
    changes nothing."""
    if not dismissed:
        return agents
    return {
        pane: tuple(
            replace(agent, state="idle", unseen=False)
            if dismissed.get(agent.id) == (agent.state, agent.since)
            else agent
            for agent in group
        )
        for pane, group in agents.items()
    }


def still(dismissed: Mapping[str, Turn], before: Agents, now: Agents) -> Mapping[str, Turn]:
    """`dismissed` without those who have done something since, or have gone. `now`: as they are, not as they show. Who
    was not found yet after a restart is waited for. The same object where that changes nothing."""
    turns = {agent.id: (agent.state, agent.since) for group in now.values() for agent in group}
    known = {agent.id for group in before.values() for agent in group}
    kept = {
        id: turn for id, turn in dismissed.items() if turns.get(id, None if id in known else turn) == turn
    }
    return dismissed if len(kept) == len(dismissed) else kept


# --- what has ended -----------------------------------------------------------------------------------------


def part(
    gone: Mapping[str, Past],
    before: Agents,
    now: Agents,
    homes: Mapping[str, str],
    watched: frozenset[str],
    at: float,
) -> Mapping[str, Past]:
    """`gone` with those that were `before` and are not `now`; without those whose pane has another one of their kind.
    `homes`: the session of each agent by its id. The same object where that changes nothing."""
    living = {agent.id for group in now.values() for agent in group}
    followed = {(agent.pane, agent.agent) for group in now.values() for agent in group}
    kept = {
        id: past
        for id, past in gone.items()
        if id not in living and (past.agent.pane, past.agent.agent) not in followed
    }
    for group in before.values():
        for agent in group:
            if agent.id not in living and (agent.pane, agent.agent) not in followed and agent.id in homes:
                kept[agent.id] = Past(_ended(agent, watched), homes[agent.id], at)
    return gone if kept == gone else kept


def _ended(agent: Agent, watched: frozenset[str]) -> Agent:
    """Nothing of it goes on: a turn that was under way was interrupted."""
    cut = agent.state in AT_WORK
    return replace(
        agent,
        liveness="exited",
        background=0,
        state="interrupted" if cut else agent.state,
        waiting_for=None,
        unseen=(agent.unseen or cut) and agent.pane not in watched,
    )


def notice(
    gone: Mapping[str, Past],
    watched: frozenset[str],
    sessions: Iterable[str],
    holders: Mapping[str, str] | None = None,
) -> Mapping[str, Past]:
    """`gone` after somebody has looked at these panes, in the sessions that there are. `holders`: the session of each
    pane, which a pane may have left."""
    there = set(sessions)
    kept = {}
    for id, past in gone.items():
        session = (holders or {}).get(past.agent.pane, past.session)
        if session in there:
            unseen = past.agent.unseen and past.agent.pane not in watched
            kept[id] = Past(replace(past.agent, unseen=unseen), session, past.at)
    return gone if kept == gone else kept


def remaining(gone: Mapping[str, Past], now: float) -> Mapping[str, Past]:
    """`gone` without those that have been kept long enough at `now`."""
    kept = {id: past for id, past in gone.items() if past.due() > now}
    return gone if len(kept) == len(gone) else kept


# --- what was put to sleep ----------------------------------------------------------------------------------

Asleep = Mapping[str, Nap]
"""By the agent's id."""


def asleep(agent: Agent, at: float) -> Agent:
    """The agent as its row shows it once it was ended; `at` in seconds since the epoch."""
    return replace(
        agent,
        state="hibernated",
        liveness="exited",
        background=0,
        unseen=False,
        waiting_for=None,
        since=round(at, 1),
        source="process",
        confidence="high",
    )


def dreaming(naps: Asleep, inventory: Inventory, generation: str) -> Asleep:
    """`naps` without those whose pane is gone. The same object where that changes nothing."""
    if not naps:
        return naps
    panes = {pane.id for window in inventory.windows.values() for pane in window.panes}
    kept = {id: nap for id, nap in naps.items() if nap.generation == generation and nap.agent.pane in panes}
    return naps if len(kept) == len(naps) else kept


def undisturbed(naps: Asleep, living: Agents) -> Asleep:
    """`naps` without those in whose pane another agent lives. The same object where that changes nothing."""
    kept = {
        id: nap for id, nap in naps.items() if all(agent.id == id for agent in living.get(nap.agent.pane, ()))
    }
    return naps if len(kept) == len(naps) else kept


# --- where to look next -------------------------------------------------------------------------------------


class Call(Struct, frozen=True):
    """A pane that wants the user."""

    mux: str
    pane: str
    agent: str
    """The agent's id."""


def calls(agents: Iterable[tuple[str, Agent]]) -> tuple[Call, ...]:
    """Who wants the user, in the order of the attention key: those who wait, the longest first; failures that nobody
    has seen; turns that have ended unseen. `agents`: each with its multiplexer's key."""
    wanted = [
        (_rank(agent), agent.since, mux, agent)
        for mux, agent in agents
        if agent.liveness == "alive"
        and (agent.state == "waiting" or (agent.unseen and agent.state in NOTABLE))
    ]
    wanted.sort(key=lambda each: (each[0], each[1], each[2], each[3].id))
    return tuple(Call(mux, agent.pane, agent.id) for _, _, mux, agent in wanted)


def _rank(agent: Agent) -> int:
    return {"waiting": 0, "error": 1}.get(agent.state, 2)


def following(wanting: Sequence[Call], here: tuple[str, str] | None) -> Call | None:
    """Whom to go to from `here`, a (mux, pane): the first; the one after it where `here` is itself among them."""
    if not wanting:
        return None
    places = [place for place, call in enumerate(wanting) if (call.mux, call.pane) == here]
    if not places:
        return wanting[0]
    order = [*wanting[places[0] + 1 :], *wanting[: places[0]]]
    return next((call for call in order if (call.mux, call.pane) != here), None)
