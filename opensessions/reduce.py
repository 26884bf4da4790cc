"""(State, Event) -> State. Pure: no clock, no file, no process.

The state keeps what was read and what the user arranged; the snapshot is what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from opensessions import attend
from opensessions.arrange import merge, move, restore
from opensessions.attend import Nap
from opensessions.events import (
    AgentDismissed,
    AgentHibernated,
    AgentRecalled,
    AgentsSeen,
    BelongingsSeen,
    ContextSeen,
    Event,
    GroupCollapsed,
    GroupMoved,
    InventoryRead,
    LogCleared,
    Logged,
    ModeChosen,
    MuxJoined,
    MuxLeft,
    OrphansCounted,
    PortsSeen,
    ProgressSet,
    RowHidden,
    RowMoved,
    RowsOrdered,
    StatusSet,
    TimePassed,
    Unreachable,
)
from opensessions.metadata import step
from opensessions.model import Agent, Belonging, Inventory
from opensessions.snapshot import gathered, numbered
from opensessions.state import Mux, State, saved_arrangement


def reduce(state: State, event: Event) -> State:
    """The state after the event. An event about an unknown multiplexer changes nothing."""
    match event:
        case MuxJoined(mux=key, provider=provider, socket=socket, arrangement=saved, agents=remembered):
            if key in state.muxes:
                return state
            joined = Mux(
                key=key,
                provider=provider,
                socket=socket,
                saved=saved,
                mode=saved.mode,
                remembered=remembered,
                collapsed=frozenset(saved.collapsed),
                dismissed={id: (kept.state, kept.since) for id, kept in remembered.items() if kept.dismissed},
            )
            return _with(state, joined)
        case MuxLeft(mux=key):
            return replace(state, muxes={other: mux for other, mux in state.muxes.items() if other != key})
        case OrphansCounted(orphans=orphans):
            return state if orphans == state.orphans else replace(state, orphans=orphans)
    known = state.muxes.get(event.mux)
    return state if known is None else _with(state, _reduce_mux(known, event))


def _with(state: State, mux: Mux) -> State:
    if state.muxes.get(mux.key) is mux:
        return state
    return replace(state, muxes={**state.muxes, mux.key: mux})


def _reduce_mux(mux: Mux, event: Event) -> Mux:
    match event:
        case InventoryRead(inventory=inventory, renamed=renamed):
            return _read(_renamed(mux, renamed) if renamed else mux, inventory)
        case Unreachable():
            return replace(mux, reachable=False) if mux.reachable else mux
        case AgentsSeen(agents=agents, at=at):
            return _agents_seen(mux, agents, at)
        case AgentDismissed(agent=agent):
            return _dismissed(mux, agent)
        case AgentRecalled():
            return _recalled(mux, event)
        case AgentHibernated(nap=nap):
            return _hibernated(mux, nap)
        case TimePassed(at=at):
            gone = attend.remaining(mux.gone, at)
            return mux if gone is mux.gone else replace(mux, gone=gone)
        case ContextSeen(contexts=contexts):
            return mux if contexts == mux.contexts else replace(mux, contexts=contexts)
        case PortsSeen(ports=ports):
            return mux if ports == mux.ports else replace(mux, ports=ports)
        case RowMoved(session=session, by=by):
            return _moved(mux, session, by)
        case RowsOrdered(order=order):
            return replace(mux, order=merge(order, mux.order))
        case GroupMoved(group=group, by=by):
            return _moved(mux, group, by)
        case GroupCollapsed(group=group, collapsed=collapsed):
            return replace(mux, collapsed=mux.collapsed | {group} if collapsed else mux.collapsed - {group})
        case BelongingsSeen(belongings=belongings):
            told = {**mux.belongings, **belongings}
            known = {id: there for id in mux.order if (there := told.get(id))}
            return mux if known == mux.belongings else replace(mux, belongings=known)
        case RowHidden(session=session, hidden=hidden):
            return replace(mux, hidden=mux.hidden | {session} if hidden else mux.hidden - {session})
        case ModeChosen(mode=mode):
            return replace(mux, mode=mode)
        case StatusSet() | ProgressSet() | Logged() | LogCleared():
            said = step(mux.metadata, event)
            return mux if said is mux.metadata else replace(mux, metadata=said)
    return mux


def _moved(mux: Mux, what: str, by: int) -> Mux:
    order = move(mux.order, numbered(mux), what, by, gathered(mux), mux.collapsed)
    return mux if order == mux.order else replace(mux, order=order)


def _read(mux: Mux, inventory: Inventory) -> Mux:
    """The mux after a reading. The first one of a server run brings the saved order in."""
    live = [(session.id, session.name) for session in inventory.sessions]
    read = replace(mux, inventory=inventory, reachable=True)
    if read.generation == mux.generation:
        said = step(mux.metadata, InventoryRead(mux.key, inventory))
        watched = inventory.watched_panes()
        holders = _holders(inventory) if mux.agents or mux.gone else {}
        return replace(
            read,
            order=merge(mux.order, [id for id, _ in live]),
            belongings=_those_of(mux.belongings, [id for id, _ in live]),
            metadata=said,
            agents=attend.see(mux.agents, watched),
            homes=_homes(mux.agents, holders, mux.homes, inventory),
            gone=attend.notice(mux.gone, watched, [id for id, _ in live], holders),
            asleep=attend.dreaming(mux.asleep, inventory, read.generation),
        )
    saved = mux.saved if mux.inventory is None else saved_arrangement(mux)
    hidden = set(saved.hidden)
    naps = {id: kept.nap for id, kept in mux.remembered.items() if kept.nap} if mux.inventory is None else {}
    return replace(
        read,
        asleep=attend.dreaming(naps, inventory, read.generation),
        order=restore(saved.rows, saved.generation == read.generation, live),
        hidden=frozenset(id for id, name in live if name in hidden),
        belongings={id: saved.belongings[name] for id, name in live if name in saved.belongings},
        agents={},
        dismissed=mux.dismissed if mux.inventory is None else {},
        gone={},
        homes={},
        metadata={},
        contexts={},
        ports={},
    )


def _renamed(mux: Mux, renamed: Mapping[str, str]) -> Mux:
    """The mux whose sessions have other ids now: each keeps its place, and what is known of it."""

    def session(id: str) -> str:
        return renamed.get(id, id)

    def pane(id: str) -> str:
        head, slash, rest = id.partition("/")
        return f"{session(head)}/{rest}" if slash else id

    return replace(
        mux,
        order=tuple(map(session, mux.order)),
        hidden=frozenset(map(session, mux.hidden)),
        metadata={session(id): said for id, said in mux.metadata.items()},
        contexts={session(id): context for id, context in mux.contexts.items()},
        ports={session(id): ports for id, ports in mux.ports.items()},
        belongings={session(id): belonging for id, belonging in mux.belongings.items()},
        homes={agent: session(id) for agent, id in mux.homes.items()},
        gone={
            id: replace(
                past, session=session(past.session), agent=replace(past.agent, pane=pane(past.agent.pane))
            )
            for id, past in mux.gone.items()
        },
        agents={
            pane(id): tuple(replace(agent, pane=pane(agent.pane)) for agent in group)
            for id, group in mux.agents.items()
        },
    )


def _those_of(belongings: Mapping[str, Belonging], live: list[str]) -> Mapping[str, Belonging]:
    """The belongings of sessions that live. The same object where those are all."""
    there = set(live)
    if belongings.keys() <= there:
        return belongings
    return {id: belonging for id, belonging in belongings.items() if id in there}


def _agents_seen(mux: Mux, agents: attend.Agents, at: float) -> Mux:
    """The mux with these agents alive. Where each is at home is kept: a pane may go before its agent does."""
    watched = mux.inventory.watched_panes() if mux.inventory else frozenset()
    dismissed = attend.still(mux.dismissed, mux.agents, agents)
    marked = attend.mark(attend.quiet(agents, dismissed), mux.agents, watched, mux.remembered)
    naps = attend.undisturbed(mux.asleep, marked)
    if marked == mux.agents and naps is mux.asleep and dismissed is mux.dismissed:
        return mux
    gone = attend.part(mux.gone, mux.agents, marked, mux.homes, watched, at)
    if gone.keys() & naps.keys():
        gone = {id: past for id, past in gone.items() if id not in naps}
    homes = _homes(marked, _holders(mux.inventory), mux.homes, mux.inventory) if mux.inventory else {}
    return replace(mux, agents=marked, homes=homes, gone=gone, asleep=naps, dismissed=dismissed)


def _hibernated(mux: Mux, nap: Nap) -> Mux:
    """The mux after an agent's end on purpose, whether or not its exit was noticed before. A row is kept only where its
    pane is."""
    asleep = {**mux.asleep, nap.agent.id: nap}
    if mux.inventory is None:
        return mux
    asleep = dict(attend.undisturbed(asleep, mux.agents))
    asleep = dict(attend.dreaming(asleep, mux.inventory, mux.generation))
    return replace(mux, asleep=asleep, gone={id: past for id, past in mux.gone.items() if id not in asleep})


def _homes(
    agents: attend.Agents, holders: Mapping[str, str], before: Mapping[str, str], inventory: Inventory
) -> dict[str, str]:
    """The session of each agent by its id: a pane may go before its agent does, a session takes its agents along."""
    there = {session.id for session in inventory.sessions}
    homes = {
        agent.id: holders.get(pane) or before.get(agent.id, "")
        for pane, group in agents.items()
        for agent in group
    }
    return {id: home for id, home in homes.items() if home in there}


def _dismissed(mux: Mux, id: str) -> Mux:
    if id in mux.gone:
        return replace(mux, gone={other: past for other, past in mux.gone.items() if other != id})
    if id in mux.asleep:
        return replace(mux, asleep={other: nap for other, nap in mux.asleep.items() if other != id})
    agent = _living(mux, id)
    if agent is None or not (agent.unseen or agent.state in attend.ENDED):
        return mux
    if agent.state not in attend.ENDED:
        return _shown_as(mux, replace(agent, unseen=False))
    dismissed = {**mux.dismissed, id: (agent.state, agent.since)}
    return replace(_shown_as(mux, replace(agent, state="idle", unseen=False)), dismissed=dismissed)


def _recalled(mux: Mux, event: AgentRecalled) -> Mux:
    """The mux after a dismissal was taken back, as far as what was dismissed is still there."""
    id, agent = event.agent, _living(mux, event.agent)
    if agent is not None:
        state, since = mux.dismissed.get(id, (agent.state, agent.since))
        dismissed = {other: turn for other, turn in mux.dismissed.items() if other != id}
        unseen = event.unseen and state in attend.NOTABLE
        shown = _shown_as(mux, replace(agent, state=state, since=since, unseen=unseen))
        return shown if len(dismissed) == len(mux.dismissed) else replace(shown, dismissed=dismissed)
    if event.nap is not None and mux.inventory is not None:
        naps = attend.undisturbed({**mux.asleep, id: event.nap}, mux.agents)
        naps = attend.dreaming(naps, mux.inventory, mux.generation)
        return replace(mux, asleep=naps) if id in naps and id not in mux.asleep else mux
    if event.past is not None and mux.inventory is not None and mux.inventory.session(event.past.session):
        return mux if id in mux.gone else replace(mux, gone={**mux.gone, id: event.past})
    return mux


def _living(mux: Mux, id: str) -> Agent | None:
    return next((agent for group in mux.agents.values() for agent in group if agent.id == id), None)


def _shown_as(mux: Mux, agent: Agent) -> Mux:
    """The mux with this agent in the place of the one with its id."""
    if _living(mux, agent.id) == agent:
        return mux
    agents = {
        pane: tuple(agent if each.id == agent.id else each for each in group)
        for pane, group in mux.agents.items()
    }
    return replace(mux, agents=agents)


def _holders(inventory: Inventory) -> dict[str, str]:
    """Pane id -> the first session that holds it."""
    holders: dict[str, str] = {}
    for session in inventory.sessions:
        for link in session.links:
            for pane in inventory.windows[link.window].panes if link.window in inventory.windows else ():
                holders.setdefault(pane.id, session.id)
    return holders
