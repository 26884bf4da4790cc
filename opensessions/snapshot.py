"""State -> Snapshot: what is shown follows from what is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET
from msgspec.structs import replace

from opensessions import arrange
from opensessions.arrange import together
from opensessions.model import (
    URGENCY,
    Agent,
    AgentState,
    Context,
    Group,
    Metadata,
    Mode,
    MuxView,
    Row,
    Session,
    Snapshot,
    Window,
)
from opensessions.state import Mux, State


def snapshot(state: State, instance: str) -> Snapshot:
    """What is shown. Muxes in the order of their keys."""
    return Snapshot(instance=instance, muxes=tuple(view(state.muxes[key]) for key in sorted(state.muxes)))


def view(mux: Mux) -> MuxView:
    """One multiplexer as it is shown."""
    found = rows(mux)
    return MuxView(
        mux.provider, mux.key, found, UNSET if mux.reachable else False, _groups(mux, found) or UNSET
    )


def rows(mux: Mux) -> tuple[Row, ...]:
    """Every session in sidebar order; those that the user sees are numbered from 1."""
    if mux.inventory is None:
        return ()
    groups = gathered(mux)
    attached: dict[str, int] = {}
    for client in mux.inventory.viewers():
        attached[client.session] = attached.get(client.session, 0) + 1
    sessions = {session.id: session for session in mux.inventory.sessions}
    found = []
    index = 0
    for id in together(mux.order, groups):
        session = sessions[id]
        agents = _agents(mux, session)
        state = urgent(agents)
        shown = id not in mux.hidden and groups.get(id) not in mux.collapsed and listed(mux.mode, state)
        index += shown
        found.append(
            _row(mux.inventory.windows, session, index if shown else None, id in mux.hidden,
                 attached.get(id, 0), state, agents, mux.metadata.get(id, Metadata()),
                 mux.contexts.get(id, Context()), mux.ports.get(id, ()))
        )  # fmt: skip
    return tuple(found)


def gathered(mux: Mux) -> Mapping[str, str]:
    """The group of each session that belongs to one."""
    return arrange.gathered(mux.belongings, mux.hidden)


def numbered(mux: Mux) -> set[str]:
    """The sessions that have an index, or would have one if no group were collapsed."""
    return {row.id for row in rows(replace(mux, collapsed=frozenset())) if row.index is not None}


def _groups(mux: Mux, found: tuple[Row, ...]) -> tuple[Group, ...]:
    groups = gathered(mux)
    members: dict[str, list[str]] = {}
    for row in found if groups else ():
        if row.id in groups and not row.hidden and listed(mux.mode, row.state):
            members.setdefault(groups[row.id], []).append(row.id)
    return tuple(
        Group(id, arrange.repository_name(id), id in mux.collapsed, tuple(ids)) for id, ids in members.items()
    )


def listed(mode: Mode, state: AgentState | None) -> bool:
    """Does a session whose agents are in `state` (None: it has none) belong to this mode?"""
    return mode == "all" or (state is not None and (mode == "agents" or state not in ("idle", "hibernated")))


def urgent(agents: tuple[Agent, ...]) -> AgentState | None:
    """The most urgent state among the agents; None where there are none."""
    states = {agent.state for agent in agents}
    return next((state for state in URGENCY if state in states), None)


def _agents(mux: Mux, session: Session) -> tuple[Agent, ...]:
    if mux.inventory is None or not (mux.agents or mux.gone or mux.asleep):
        return ()
    windows = mux.inventory.windows
    panes = [
        pane.id for link in session.links if link.window in windows for pane in windows[link.window].panes
    ]
    living = tuple(agent for pane in panes for agent in mux.agents.get(pane, ()))
    there = {agent.id for agent in living}
    resting = tuple(
        nap.agent for id, nap in mux.asleep.items() if nap.agent.pane in panes and id not in there
    )
    return (
        living
        + resting
        + tuple(
            past.agent
            for past in mux.gone.values()
            if past.session == session.id or past.agent.pane in panes  # a window may be in several sessions
        )
    )


def _row(
    windows: Mapping[str, Window],
    session: Session,
    index: int | None,
    hidden: bool,
    attached: int,
    state: AgentState | None,
    agents: tuple[Agent, ...],
    metadata: Metadata,
    context: Context,
    ports: tuple[int, ...],
) -> Row:
    own = [windows[link.window] for link in session.links if link.window in windows]
    panes = [pane for window in own for pane in window.panes if not pane.mark]
    current = windows.get(session.current_window)
    active = current.active_pane if current else None
    if active is None or active.mark:
        active = next((pane for pane in (current.panes if current else ()) if not pane.mark), active)
    return Row(
        id=session.id,
        name=session.name,
        index=index,
        hidden=hidden,
        attached=attached,
        windows=len(own),
        panes=len(panes),
        dir=active.path if active else "",
        branch=context.branch,
        dirty=context.dirty,
        worktree=context.worktree,
        ports=ports,
        created=session.created,
        state=state,
        unseen=any(agent.unseen for agent in agents),
        metadata=metadata,
        agents=agents,
    )
