"""Takes back what the user did to rows: hidden and unhidden, moved, folded, dismissed.

Each multiplexer has a stack of its own, in memory: who starts the server anew has nothing to undo.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from opensessions.errors import Refused
from opensessions.events import (
    AgentDismissed,
    AgentRecalled,
    Event,
    GroupCollapsed,
    GroupMoved,
    RowHidden,
    RowMoved,
    RowsOrdered,
)
from opensessions.model import Agent
from opensessions.server.bus import Bus
from opensessions.snapshot import view
from opensessions.state import Mux

DEPTH = 50
"""Steps that can be taken back."""

Arranging = RowHidden | RowMoved | GroupMoved | GroupCollapsed | AgentDismissed
"""What can be."""


class Step(Struct, frozen=True):
    """How to take something back, and what the user is told then. `generation`: the run of the multiplexer's server in
    which the ids mean what they mean."""

    events: tuple[Event, ...]
    said: str
    generation: str


class Undo:
    """For all multiplexers. What the user does to rows goes through `do`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._steps: dict[str, deque[Step]] = {}

    def do(self, *events: Arranging) -> None:
        """Let this happen, all of it one step. What changes nothing is no step."""
        back: list[Event] = []
        said: list[str] = []
        key = ""
        for event in events:
            before = self._bus.state.muxes.get(event.mux)
            if before is None:
                continue
            self._bus.dispatch(event)
            found = opposite(before, self._bus.state.muxes[event.mux], event)
            if found:
                key = event.mux
                back.append(found[0])
                said.append(found[1])
        if back:
            steps = self._steps.setdefault(key, deque(maxlen=DEPTH))
            steps.append(Step(tuple(reversed(back)), together(said), self._bus.state.muxes[key].generation))

    def undo(self, key: str) -> str:
        """Take the last step back that still means something; what that was, in words. Refused where there is none."""
        steps = self._steps.get(key, deque())
        while steps:
            step = steps.pop()
            before = self._bus.state.muxes.get(key)
            if before is None or before.generation != step.generation:
                steps.clear()
                break
            for event in step.events:
                self._bus.dispatch(event)
            if arranged(self._bus.state.muxes[key]) != arranged(before):
                return step.said
        raise Refused("There is nothing to undo.")


def arranged(mux: Mux) -> object:
    """All that a step can change."""
    agents = {agent.id: (agent.state, agent.unseen) for group in mux.agents.values() for agent in group}
    hidden = mux.hidden.intersection(mux.order)  # of sessions that are there
    collapsed = mux.collapsed.intersection(group.id for group in view(mux).groups or ())  # and of groups
    return mux.order, hidden, collapsed, mux.dismissed, mux.gone, mux.asleep, agents


def opposite(before: Mux, after: Mux, event: Arranging) -> tuple[Event, str] | None:
    """What takes the event back, and what is said then; None where it has changed nothing."""
    if arranged(before) == arranged(after):
        return None
    match event:
        case RowHidden(session=session, hidden=hidden):
            said = "is back in the list" if hidden else "is hidden again"
            return RowHidden(event.mux, session, not hidden), f"{session_name(before, session)} {said}"
        case RowMoved(session=session):
            return RowsOrdered(event.mux, before.order), f"{session_name(before, session)} is where it was"
        case GroupMoved():
            return RowsOrdered(event.mux, before.order), "the group is where it was"
        case GroupCollapsed(group=group, collapsed=collapsed):
            said = "is open again" if collapsed else "is folded again"
            return GroupCollapsed(event.mux, group, not collapsed), f"{group_name(before, group)} {said}"
        case AgentDismissed(agent=id):
            agent, recalled = _recall(before, id)
            return recalled, f"{agent.agent} is back" if agent else "it is back"


def _recall(before: Mux, id: str) -> tuple[Agent | None, AgentRecalled]:
    past, nap = before.gone.get(id), before.asleep.get(id)
    living = (agent for group in before.agents.values() for agent in group if agent.id == id)
    agent = next(living, past.agent if past else nap.agent if nap else None)
    return agent, AgentRecalled(before.key, id, agent is not None and agent.unseen, past, nap)


def session_name(mux: Mux, session: str) -> str:
    """The name of a session."""
    found = mux.inventory.session(session) if mux.inventory else None
    return found.name if found else session


def group_name(mux: Mux, group: str) -> str:
    """The name of a group."""
    return next((each.name for each in view(mux).groups or () if each.id == group), "the group")


def together(said: Iterable[str]) -> str:
    """Several things in one sentence."""
    first, *rest = said
    return f"{first}, and {len(rest)} more" if rest else first
