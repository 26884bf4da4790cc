"""What a sidebar knows of the other multiplexers: what it shows of them, and nothing else. Whatever else changes there
changes no picture here. Pure.
"""

from __future__ import annotations

from msgspec import Struct

from opensessions.model import AgentState, MuxView


class FarRow(Struct, frozen=True):
    """A session elsewhere."""

    id: str
    name: str
    state: AgentState | None
    """The most urgent one of its agents; None where it has none."""
    unseen: bool
    agents: tuple[tuple[str, str, bool], ...]
    """(name, state, exited) of each."""


class Other(Struct, frozen=True):
    """Another multiplexer."""

    key: str
    name: str
    quiet: bool
    """It does not answer: its rows are the last that were known."""
    rows: tuple[FarRow, ...]


def other(view: MuxView, socket: str) -> Other:
    """What is shown of a multiplexer elsewhere: its rows that are listed there, without their numbers."""
    name = view.provider if view.key == view.provider else f"{view.provider} {socket.rpartition('/')[2]}"
    return Other(
        view.key,
        name,
        view.reachable is False,
        tuple(
            FarRow(
                row.id, row.name, row.state, row.unseen,
                tuple((agent.agent, agent.state, agent.liveness == "exited") for agent in row.agents),
            )
            for row in view.visible()
        ),
    )  # fmt: skip
