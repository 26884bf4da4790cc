"""The detail: a panel below the rows that tells of one of them what there is no room for in its line. Pure.

Its height is the user's and depends on nothing that it tells. The facts come first and can be scrolled; the last lines
of a pane take what the facts leave, and a third of the panel at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from opensessions.model import Agent, Inventory, Row
from opensessions.sidebar.facts import Takes, about
from opensessions.sidebar.flow import flow
from opensessions.sidebar.frame import Glyphs, Line, Span, Wants, blank, exactly, say
from opensessions.sidebar.text import fit, width

LEAST, MOST = 4, 60
"""Lines of the panel, its border included."""
LEAST_SCREEN = 12
"""Lines of the sidebar, below which there is no panel."""
ROWS = 3
"""Lines that the panel leaves to the rows."""
MEASURED = 8
"""Agents of one row of which it tells what they take."""


class Detail(Struct, frozen=True):
    """What the panel may tell besides the rows."""

    height: int
    """Lines that the user wants it to have, its border included."""
    now: float = 0.0
    """The beginning of this minute, in seconds since the epoch."""
    inventory: Inventory | None = None
    takes: Mapping[str, Takes] = {}
    """By agent id; of those that were measured."""
    screens: Mapping[str, tuple[str, ...]] = {}
    """By pane id: its last lines, without empty ones at the end."""


class Subject(Struct, frozen=True):
    """What it is about."""

    row: Row
    agents: tuple[Agent, ...]
    """The row's, the most urgent first; or the one that is meant, or those in the pane that is meant."""
    pane: str = ""
    """The pane whose last lines are worth being shown; "" where there is none, and where it is on the screen anyway."""
    part: str = ""
    """What names the pane or the agent within the row; "" where the whole session is meant."""
    dir: str = ""


class Nothing(Struct, frozen=True):
    """The cursor is on no session and on no part of one: what is said instead."""

    title: str = ""
    said: str = "No session is chosen. Move the cursor to one: this tells of it."


class Panel(Struct, frozen=True):
    """The panel as it is drawn."""

    lines: tuple[Line, ...]
    wants: Wants
    most: int = 0
    """How far its facts can be scrolled."""
    panes: tuple[str, ...] = ()
    """For each line the pane that a click on it goes to, "" for none."""


def panel(
    subject: Subject | Nothing, detail: Detail, top: int, cells: int, rows: int, look: Glyphs, home: str,
    resumes: Mapping[str, str],
) -> Panel:  # fmt: skip
    """The panel in exactly `rows` lines of `cells`; its facts are scrolled by `top` lines, as far as there are any."""
    body = rows - 1
    border = _border(subject, cells, look)
    if isinstance(subject, Nothing):
        lines = flow(subject.said, max(1, cells - 2), body, "hint", look) if body else []
        said = [exactly([Span(" ", "page"), *line], cells) for line in lines]
        return Panel((border, *said, *[blank(cells)] * (body - len(said))), Wants(), 0, ("",) * rows)
    facts = about(subject.row, subject.agents, bool(subject.part), subject.dir, detail.takes, detail.now,
                  resumes, cells - 2, look, home)  # fmt: skip
    screen = _screen_lines(body, len(facts)) if subject.pane else 0
    room = body - screen
    most = max(0, len(facts) - room)
    top = max(0, min(top, most))
    shown = [
        exactly([Span(" ", "page"), *line, *_mark(cells, line, at, top, room, len(facts), look)], cells)
        for at, (line, _) in enumerate(facts[top : top + room])
    ]
    shown += [blank(cells)] * (room - len(shown))
    panes = ["", *(pane for _, pane in facts[top : top + room])]
    panes += [""] * (room + 1 - len(panes)) + [subject.pane] * screen
    living = tuple(agent for agent in subject.agents if agent.liveness != "exited")
    wants = Wants(
        subject.pane if screen else "",
        tuple(agent.id for agent in living[:MEASURED]),
        any(agent.since for agent in subject.agents),
    )
    if screen:
        shown += _screen(detail.screens.get(subject.pane), screen, cells, look)
    return Panel((border, *shown), wants, most, tuple(panes))


def _mark(
    cells: int, line: Sequence[Span], at: int, top: int, room: int, count: int, look: Glyphs
) -> list[Span]:
    """In the last column, where more can be scrolled to: how far one is."""
    if count <= room:
        return []
    size = max(1, room * room // count)
    start = round((room - size) * top / (count - room))
    gap = cells - 2 - sum(width(span.text) for span in line)
    return [Span(" " * gap, "page"), Span(look.thumb if start <= at < start + size else " ", "scroll")]


def _border(subject: Subject | Nothing, cells: int, look: Glyphs) -> Line:
    """The line that can be dragged, with what the panel is about; at its right end what closes it."""
    title = subject.title if isinstance(subject, Nothing) else subject.part or subject.row.name
    name = say(title, look)
    short = fit(name, cells - 7, look.ellipsis)
    title = f" {short} " if short else ""
    rule = look.rule * max(0, cells - 4 - width(title))
    return exactly(
        [
            Span(look.rule, "detail"),
            Span(title, "title"),
            Span(rule, "detail"),
            Span(f" {look.times} ", "key"),
        ],
        cells,
    )


# --- a pane's last lines ------------------------------------------------------------------------------------


def _screen_lines(body: int, facts: int) -> int:
    """How many lines the pane has, the rule above it included; 0 where there is no room for any."""
    least = max(2, body // 3)
    return max(body - facts, least) if body >= 2 * least else 0


def _screen(lines: tuple[str, ...] | None, rows: int, cells: int, look: Glyphs) -> list[Line]:
    """The rule and the lines. Nothing before they were read."""
    rule = Span(" " + look.dots * max(0, cells - 2), "detail")
    last = list((lines or ())[max(0, len(lines or ()) - rows + 1) :])
    made = [exactly([rule], cells)]
    if lines == ():
        made.append(exactly([Span(" its screen is empty", "hint")], cells))
    made += [
        exactly([Span(" " + fit(say(line, look), cells - 2, look.ellipsis), "agent")], cells) for line in last
    ]
    return (made + [blank(cells)] * (rows - len(made)))[:rows]
