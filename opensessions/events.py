"""Everything that can happen. Events are values; `reduce` turns (State, Event) into the next State."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opensessions.model import Agent, Inventory, Mode


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


class MuxJoined(Struct, frozen=True):
    """A multiplexer registered. `arrangement` is what was saved of its order the last time."""

    mux: str
    provider: str
    socket: str
    arrangement: SavedArrangement


class InventoryRead(Struct, frozen=True):
    """A complete reading of one multiplexer."""

    mux: str
    inventory: Inventory


class Unreachable(Struct, frozen=True):
    """A multiplexer did not answer, or not completely. Its rows stay as they were, marked."""

    mux: str
    reason: str


class MuxLeft(Struct, frozen=True):
    """A multiplexer's server process is proven dead: its rows go."""

    mux: str


class AgentsSeen(Struct, frozen=True):
    """The agents of one multiplexer, all of them, by pane id."""

    mux: str
    agents: Mapping[str, tuple[Agent, ...]]


class RowMoved(Struct, frozen=True):
    """The user moved a row by `by` places among the visible rows (negative: up). It stops at the ends."""

    mux: str
    session: str
    by: int


class RowHidden(Struct, frozen=True):
    """The user hid a row or brought it back."""

    mux: str
    session: str
    hidden: bool


class ModeChosen(Struct, frozen=True):
    """The user chose which rows are listed."""

    mux: str
    mode: Mode


Event = (
    MuxJoined | InventoryRead | Unreachable | MuxLeft | AgentsSeen | RowMoved | RowHidden | ModeChosen
)  # fmt: skip
