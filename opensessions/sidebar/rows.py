"""The line of a session.

A line that looks like one built before is that one: most updates change one line or none, and the painter
finds that out by identity.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from msgspec import Struct

from opensessions.sidebar.frame import ASCII, UNICODE, Glyphs, Line, Span, exactly, say
from opensessions.sidebar.text import fit, fit_end, pad, width

WIDE = 40
"""From this width on a row tells more than the essentials; from ROOMY on the directory too."""
ROOMY = 56

DIRTY = "*"
MARKED = 8
"""Cells from which on a name shares them with the branch."""
LEAST = 4
"""Cells of a branch that are worth being shown."""


Drop = Literal["", "above", "below"]
"""Whether what is dragged would land above or below a line."""


class ViewOptions(Struct, frozen=True):
    """What the user's configuration says about looks."""

    ascii: bool = False
    """Draw with 7-bit characters only."""
    home: str = ""
    """The home directory, shown as `~`."""
    metadata: bool = True
    """What scripts say of a session has a line below its row."""
    attention: bool = False
    """There is a lane for the agents that need the user most."""
    others: bool = True
    """Other multiplexers have a section below the rows."""


class RowLook(Struct, frozen=True, gc=False):
    """Everything that a row's line depends on."""

    name: str
    index: int | None
    state: str
    unseen: bool
    count: int
    gone: bool
    """Every agent has exited: the icon tells how the last one ended, without its colour."""
    agents: tuple[tuple[str, str, bool], ...]
    """(name, state, exited) of each; empty where the row is too narrow to name them."""
    windows: int
    dir: str
    branch: str
    dirty: bool
    current: bool
    ground: str
    """The cursor's row: `cursor`, `cursor-away` (the sidebar has no focus); else ""."""
    quiet: bool
    """Hidden, or last known of a multiplexer that does not answer."""
    thumb: bool
    digits: int
    width: int
    frame: int
    ascii: bool
    home: str
    depth: int = 0
    """Cells by which the name is indented."""
    drop: Drop = ""
    bare: bool = False
    """Of another multiplexer: that it has no index is no news."""


TURNING = frozenset(("running", "tool-running"))


@lru_cache(1024)
def row_line(row: RowLook) -> Line:
    """The line."""
    look = ASCII if row.ascii else UNICODE
    on = grounded(row.ground, row.drop)
    number = ("" if row.bare else "-") if row.index is None else str(row.index)
    spans = [
        marked(look, on, row.ground, row.current, row.drop),
        Span(number.rjust(row.digits) + " ", on + "index"),
        icon(row.state, row.frame, look, on, row.gone),
        Span(" " * (1 + row.depth), on + "name"),
    ]
    room = row.width - row.digits - 5 - row.depth
    if row.width >= WIDE:
        spans += _columns(row, room, look, on)
    else:
        tail = f" {look.times}{row.count}" if row.count > 1 else ""
        spans += _name(row, room - width(tail), look, on)
        spans.append(Span(tail, on + "count"))
    spans.append(Span(look.thumb if row.thumb else " ", on + "scroll"))
    return exactly(spans, row.width, on)


def grounded(ground: str, drop: Drop) -> str:
    """What stands before each role of a line: its ground, and where something would land below it a rule."""
    return (ground + " " if ground else "") + ("drop " if drop == "below" else "")


def marked(look: Glyphs, on: str, ground: str, current: bool, drop: Drop) -> Span:
    """The first cell of a line: what would land there, the current one, the cursor."""
    if drop:
        return Span(look.below if drop == "below" else look.above, on + "mark")
    if current:
        return Span(look.both if ground == "cursor" else look.current, on + "mark")
    if ground:
        return Span(look.cursor, on + ("mark" if ground == "cursor" else "mark-away"))
    return Span(" ", on + "index")


def _weight(row: RowLook) -> str:
    if row.quiet:
        return "name-quiet"
    if row.current:
        return "name-current"
    return "name-strong" if row.unseen or row.ground == "cursor" else "name"


def icon(state: str, frame: int, look: Glyphs, on: str, gone: bool) -> Span:
    """The sign of a state."""
    frames = look.states[state]
    return Span(frames[frame % len(frames)], on + ("gone" if gone else state or "idle"))


def _name(row: RowLook, cells: int, look: Glyphs, on: str) -> list[Span]:
    """The name, what was not seen, and at the right end the branch in what the name leaves."""
    name = say(row.name, look) or "?"
    style = on + _weight(row)
    unseen = row.unseen and cells >= 4
    taken = width(name) + (2 if unseen else 0)
    branch, dirty = _branch(row, cells, taken, look)
    left = cells - width(branch + dirty)
    short = fit(name, left - (2 if unseen else 0) - (1 if branch or dirty else 0), look.ellipsis)
    spans = [Span(short, style)]
    if unseen:
        spans.append(Span(" " + look.unseen, on + "unseen"))
    fill = " " * (left - width(short) - (2 if unseen else 0))
    return [*spans, Span(fill, style), Span(branch, on + "detail"), Span(dirty, on + "agent")]


def _branch(row: RowLook, cells: int, taken: int, look: Glyphs) -> tuple[str, str]:
    """The branch, as far as there is room beside a name that takes `taken` of the cells; and the mark of what is not
    committed, for which even a long name is cut."""
    if not row.branch or cells < MARKED:
        return "", ""
    dirty = DIRTY if row.dirty else ""
    branch = say(row.branch, look)
    room = cells - taken - len(dirty) - 1
    return (fit(branch, room, look.ellipsis) if room >= min(width(branch), LEAST) else ""), dirty


def _columns(row: RowLook, room: int, look: Glyphs, on: str) -> list[Span]:
    """Name, agents, number of windows, directory. The columns depend on the width alone."""
    names = min(30, max(14, room * 34 // 100))
    roomy = row.width >= ROOMY
    agents = min(32, room * 32 // 100) if roomy else room - names - 5
    spans = _name(row, names, look, on)
    spans.append(Span(" ", on + "agent"))
    spans += _agents(row, agents, look, on)
    spans.append(Span((f" {row.windows}w" if row.windows else "")[-4:].rjust(4), on + "detail"))
    if roomy:
        cells = room - names - agents - 7
        spans.append(Span("  " + pad(_path(row, cells, look), cells), on + "detail"))
    return spans


def _path(row: RowLook, cells: int, look: Glyphs) -> str:
    """The directory, or as many of its last parts as there is room for."""
    path = row.dir
    if row.home and (path == row.home or path.startswith(row.home + "/")):
        path = "~" + path[len(row.home) :]
    path = say(path, look)
    short = fit_end(path, cells, look.ellipsis)
    part = short.find("/")
    return look.ellipsis + short[part:] if short != path and part > 0 else short


def _agents(row: RowLook, cells: int, look: Glyphs, on: str) -> list[Span]:
    """`claude` for one agent (the row's icon tells its state), `! claude ⠋ codex` for several, then `+2`."""
    spans: list[Span] = []
    left = cells
    for place, (agent, state, gone) in enumerate(row.agents):
        short = fit(say(agent, look).partition("-")[0], 10, look.ellipsis)
        rest = len(row.agents) - place
        needed = width(short) + (2 if len(row.agents) > 1 else 0) + (1 if spans else 0)
        if needed > left - (3 if rest > 1 else 0):
            more = fit(f" +{rest}" if spans else f"{look.times}{rest}", left, "")
            spans.append(Span(more, on + "agent"))
            left -= width(more)
            break
        if len(row.agents) > 1:
            spans += [Span(" " if spans else "", on + "agent"), icon(state, row.frame, look, on, gone)]
            short = " " + short
        spans.append(Span(short, on + ("gone" if gone else "agent")))
        left -= needed
    return [*spans, Span(" " * left, on + "agent")]
