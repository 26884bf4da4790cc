"""Everything that the server knows, as one frozen value, and what it keeps of that for its next run."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opensessions import attend
from opensessions.attend import Past, Remembered
from opensessions.events import SavedArrangement
from opensessions.model import Agent, Belonging, Context, Inventory, Metadata, Mode


class Mux(Struct, frozen=True):
    """What is known of one multiplexer. `order` and `hidden` hold session ids."""

    key: str
    provider: str
    socket: str
    saved: SavedArrangement = SavedArrangement()
    inventory: Inventory | None = None
    """None until the first reading."""
    reachable: bool = True
    order: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    mode: Mode = "all"
    collapsed: frozenset[str] = frozenset()
    """The ids of collapsed groups; those of repositories without sessions may be among them."""
    belongings: Mapping[str, Belonging] = {}
    """The repository that each session was created in, by session id; empty where groups are switched off."""
    agents: Mapping[str, tuple[Agent, ...]] = {}
    """Those that live, by pane id."""
    gone: Mapping[str, Past] = {}
    """Those that have exited, by their ids."""
    asleep: attend.Asleep = {}
    """Those that hibernate, by their ids."""
    dismissed: Mapping[str, attend.Turn] = {}
    """By agent id, the end of a turn of which the user has taken note: it shows as idle."""
    homes: Mapping[str, str] = {}
    """The session that each agent was last seen in, by its id."""
    remembered: Mapping[str, Remembered] = {}
    """What an earlier run of the server knew of agents, by their ids."""
    metadata: Mapping[str, Metadata] = {}
    """By session id."""
    contexts: Mapping[str, Context] = {}
    ports: Mapping[str, tuple[int, ...]] = {}
    """By session id, as they were when a client looked last."""

    @property
    def generation(self) -> str:
        """Names this run of the multiplexer's server; "" before the first reading."""
        return f"{self.inventory.server_pid}.{self.inventory.server_started}" if self.inventory else ""


class State(Struct, frozen=True):
    """Everything that is known, by multiplexer key."""

    muxes: Mapping[str, Mux] = {}
    orphans: int = 0
    """Agents that lost their pane and wait for the user's word or for a sweep; see `OrphansCounted`."""


def remembered(mux: Mux) -> dict[str, Remembered]:
    """What to keep of the agents for the server's next run."""
    kept = {}
    for group in mux.agents.values():
        for agent in group:
            state, since = mux.dismissed.get(agent.id, (agent.state, agent.since))
            kept[agent.id] = Remembered(state, since, agent.unseen, dismissed=agent.id in mux.dismissed)
    for id, nap in mux.asleep.items():
        kept[id] = Remembered(nap.agent.state, nap.agent.since, False, nap)
    return kept


def saved_arrangement(mux: Mux) -> SavedArrangement:
    """What to keep of this mux for its next server run. Until the first reading: what was saved before."""
    if mux.inventory is None:
        return mux.saved
    names = {session.id: session.name for session in mux.inventory.sessions}
    return SavedArrangement(
        generation=mux.generation,
        rows=tuple((id, names[id]) for id in mux.order if id in names),
        hidden=tuple(sorted(names[id] for id in mux.hidden if id in names)),
        mode=mux.mode,
        collapsed=tuple(sorted(mux.collapsed)),
        belongings={names[id]: belonging for id, belonging in mux.belongings.items() if id in names},
    )
