"""The attention lane: the agents that need the user most, above the rows, each a second door to its row. Pure.

It takes the same room whether anybody waits or not: the rows below stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from opensessions import attend
from opensessions.model import Agent, Row
from opensessions.sidebar.frame import ASCII, UNICODE, Line, Span, blank, exactly, say
from opensessions.sidebar.intents import Go
from opensessions.sidebar.motion import unfiltered
from opensessions.sidebar.rows import WIDE, ViewOptions
from opensessions.sidebar.scene import Outcome, Scene, Ui
from opensessions.sidebar.text import fit, width

NAMES = 24
"""Cells of the names in a wide sidebar; in a narrow one the rest stands at the right end."""


class Called(Struct, frozen=True):
    """One who wants the user."""

    key: str
    row: Row
    agent: Agent


def lane(scene: Scene, room: int) -> tuple[Called, ...]:
    """The first of those that the attention key goes to; of each session the most urgent agent. Hidden sessions call
    as well, and those in collapsed groups."""
    if not room:
        return ()
    rows: dict[str, Called] = {}
    agents = {agent.id: (row, agent) for row in scene.mux.sessions for agent in row.agents}
    for call in attend.calls((scene.mux.key, agent) for _, agent in agents.values()):
        row, agent = agents[call.agent]
        rows.setdefault(row.id, Called(lane_key(row.id), row, agent))
        if len(rows) == room:
            break
    return tuple(rows.values())


def lane_key(session: str) -> str:
    """The key of a session's line in the lane."""
    return f"{session}\n!"


def door(ui: Ui, key: str, scene: Scene) -> Outcome:
    """To the pane of the agent that calls there."""
    called = next(_called(scene, key), None)
    return (unfiltered(ui, scene), (Go(called.row.id, called.agent.pane),)) if called else (ui, ())


def _called(scene: Scene, key: str) -> Iterator[Called]:
    return (called for called in lane(scene, len(scene.mux.sessions)) if called.key == key)


def lane_lines(scene: Scene, room: int, options: ViewOptions) -> list[Line]:
    """The lane, as many lines as it has room."""
    made = [_line(called.row.name, called.agent, scene.width, options.ascii) for called in lane(scene, room)]
    return made + [blank(scene.width)] * (room - len(made))


@lru_cache(64)
def _line(name: str, agent: Agent, cells: int, ascii: bool) -> Line:
    """The session and what its agent waits for, else its name."""
    look = ASCII if ascii else UNICODE
    room = cells - 4
    said = say((agent.waiting_for if agent.state == "waiting" else None) or agent.agent, look)
    least = min(width(said), room // 2)
    name = fit(say(name, look) or "?", room - least - 1, look.ellipsis)
    said = fit(said, room - width(name) - 1, look.ellipsis)
    end = NAMES if cells >= WIDE else room - width(said)
    gap = " " * max(1, end - width(name))
    return exactly(
        [
            Span(" ", "page"), Span(look.states[agent.state][0], agent.state), Span(" " + name, "name-strong"),
            Span(gap + said, "agent"),
        ],
        cells,
    )  # fmt: skip
