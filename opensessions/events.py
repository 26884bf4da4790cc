"""Everything that can happen. Events are values; `reduce` turns (State, Event) into the next State."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opensessions.attend import Nap, Past, Remembered
from opensessions.model import Agent, AgentState, Belonging, Context, Entry, Inventory, Mode, Progress, Status


class SavedArrangement(Struct, frozen=True):
    """Order, hidden rows and mode as they stand in the state directory.

    `generation` tells which server run the ids are of (`pid.started`); in another one only names count.
    """

    generation: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    """(id, name) in order; sessions that are gone may be among them."""
    hidden: tuple[str, ...] = ()
    """Names of hidden sessions."""
    mode: Mode = "all"
    collapsed: tuple[str, ...] = ()
    """The ids of collapsed groups."""
    belongings: Mapping[str, Belonging] = {}
    """The repositories of sessions, by name."""


class MuxJoined(Struct, frozen=True):
    """A multiplexer registered. `arrangement` is what was saved of its order the last time."""

    mux: str
    provider: str
    socket: str
    arrangement: SavedArrangement
    agents: Mapping[str, Remembered] = {}
    """What was known of its agents, by their ids."""


class InventoryRead(Struct, frozen=True):
    """A complete reading of one multiplexer."""

    mux: str
    inventory: Inventory
    renamed: Mapping[str, str] = {}
    """New ids of sessions by those that they had at the reading before, where a session's id is its name;
    then the ids of its windows and panes begin with it and `/`."""


class Unreachable(Struct, frozen=True):
    """A multiplexer did not answer, or not completely. Its rows stay as they were, marked."""

    mux: str
    reason: str


class MuxLeft(Struct, frozen=True):
    """A multiplexer's server process is proven dead: its rows go."""

    mux: str


class AgentsSeen(Struct, frozen=True):
    """The agents of one multiplexer, all of them, by pane id. `at`: seconds on a clock that nobody sets, the event
    loop's. Whether they were seen is not said here: it follows."""

    mux: str
    agents: Mapping[str, tuple[Agent, ...]]
    at: float = 0.0


class AgentDismissed(Struct, frozen=True):
    """The user has taken note of an agent: it is seen; how its turn ended shows no more, until it does something else;
    and if it has exited or hibernates its row goes."""

    mux: str
    agent: str


class AgentRecalled(Struct, frozen=True):
    """The user takes a dismissal back. `past` or `nap`: what went with it. `unseen`: it was so before."""

    mux: str
    agent: str
    unseen: bool = False
    past: Past | None = None
    nap: Nap | None = None


class RowsOrdered(Struct, frozen=True):
    """The user wants an order of before back; `order`: session ids. Those that it does not name go last."""

    mux: str
    order: tuple[str, ...]


class AgentHibernated(Struct, frozen=True):
    """An agent was ended in order to be resumed later: its row stays."""

    mux: str
    nap: Nap


class TimePassed(Struct, frozen=True):
    """It is `at`, on the clock of `AgentsSeen`: the rows of agents that exited long ago go."""

    mux: str
    at: float


class OrphansCounted(Struct, frozen=True):
    """So many agents have lost their pane and wait for the user's word or for a sweep; of all multiplexers, dead ones
    included."""

    orphans: int


class ContextSeen(Struct, frozen=True):
    """What is known of the directories of one multiplexer's sessions, by session id."""

    mux: str
    contexts: Mapping[str, Context]


class PortsSeen(Struct, frozen=True):
    """The TCP ports that one multiplexer's sessions listen on, ascending, by session id; those without are left out."""

    mux: str
    ports: Mapping[str, tuple[int, ...]]


class RowMoved(Struct, frozen=True):
    """The user moved a row by `by` places among the visible rows and collapsed groups (negative: up). It stops at the
    ends, and at those of its group."""

    mux: str
    session: str
    by: int


class BelongingsSeen(Struct, frozen=True):
    """The repositories that these sessions were created in, by session id; None: in none."""

    mux: str
    belongings: Mapping[str, Belonging | None]


class GroupMoved(Struct, frozen=True):
    """The user moved a group by `by` places, as `RowMoved`."""

    mux: str
    group: str
    by: int


class GroupCollapsed(Struct, frozen=True):
    """The user collapsed a group or opened it."""

    mux: str
    group: str
    collapsed: bool


class RowHidden(Struct, frozen=True):
    """The user hid a row or brought it back."""

    mux: str
    session: str
    hidden: bool


class ModeChosen(Struct, frozen=True):
    """The user chose which rows are listed."""

    mux: str
    mode: Mode


class StatusSet(Struct, frozen=True):
    """A script said what a session is at; None: nothing any more."""

    mux: str
    session: str
    status: Status | None


class ProgressSet(Struct, frozen=True):
    """A script said how far a session is; None: nothing any more."""

    mux: str
    session: str
    progress: Progress | None


class Logged(Struct, frozen=True):
    """A script wrote a line into a session's log."""

    mux: str
    session: str
    entry: Entry


class LogCleared(Struct, frozen=True):
    """A script emptied a session's log."""

    mux: str
    session: str


class AgentEvent(Struct, frozen=True):
    """What an agent's plugin said of it through the API. Not dispatched: it is handed to who fuses what is known."""

    mux: str
    pane: str
    """"" where only the session is known."""
    session: str
    agent: str
    state: AgentState
    at: float | None = None
    """Seconds since the epoch, by the sender's clock."""
    thread: str | None = None
    title: str | None = None
    prompt: str | None = None


Event = (
    MuxJoined | InventoryRead | Unreachable | MuxLeft | AgentsSeen | AgentDismissed | AgentRecalled | AgentHibernated
    | TimePassed
    | OrphansCounted
    | ContextSeen | PortsSeen
    | RowMoved | RowsOrdered | RowHidden | ModeChosen | BelongingsSeen | GroupMoved | GroupCollapsed
    | StatusSet | ProgressSet | Logged | LogCleared
)  # fmt: skip
