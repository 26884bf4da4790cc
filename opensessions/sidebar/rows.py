"""One line for each session.

A line that looks like one built before is that one: most updates change one line or none, and the painter
finds that out by identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from opensessions.model import Row
from opensessions.sidebar.frame import ASCII, UNICODE, Glyphs, Line, Span, exactly, say
from opensessions.sidebar.text import fit, fit_end, pad, width
from opensessions.sidebar.ui import Scene, Ui, counted

WIDE = 40
"""From this width on a row tells more than the essentials; from ROOMY on the directory too."""
ROOMY = 56

DIRTY = "*"
MARKED = 8
"""Cells from which on a name shares them with the branch."""
LEAST = 4
"""Cells of a branch that are worth being shown."""


class ViewOptions(Struct, frozen=True):
    """What the user's configuration says about looks."""

    ascii: bool = False
    """Draw with 7-bit characters only."""
    home: str = ""
    """The home directory, shown as `~`."""


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


TURNING = frozenset(("running", "tool-running"))


def build(
    scene: Scene, ui: Ui, options: ViewOptions, rows: Sequence[Row], room: int, frame: int
) -> tuple[list[Line], bool]:
    """The lines of the rows on the screen; and whether one of them has a spinner."""
    marked = thumb(ui.top, room, len(rows))
    ground = "cursor" if scene.focused else "cursor-away"
    digits = max(2, len(str(counted(scene.mux))))  # the tenth session must not shift the others
    wide, roomy = scene.width >= WIDE, scene.width >= ROOMY
    unreachable = scene.mux.reachable is False
    lines = []
    moving = False
    for line, row in enumerate(rows[ui.top : ui.top + room]):
        agents: tuple[tuple[str, str, bool], ...] = ()
        turning = row.state in TURNING
        if wide and row.agents:
            agents = tuple([(agent.agent, agent.state, agent.liveness == "exited") for agent in row.agents])
            turning = turning or not TURNING.isdisjoint([state for _, state, _ in agents])
        moving = moving or turning
        look = RowLook(
            row.name, row.index, row.state or "", row.unseen, len(row.agents),
            all(agent.liveness == "exited" for agent in row.agents), agents,
            row.windows if wide else 0, row.dir if roomy else "", row.branch or "", bool(row.dirty),
            row.id == scene.current,
            ground if line + ui.top == ui.place else "", unreachable or row.hidden, line in marked,
            digits, scene.width, frame if turning else 0, options.ascii, options.home,
        )  # fmt: skip
        lines.append(_row(look))
    return lines, moving


def thumb(top: int, room: int, count: int) -> range:
    """The lines of the row area that the scroll mark covers; none where every row is on the screen."""
    if count <= room or room < 1:
        return range(0)
    size = max(1, room * room // count)
    start = round((room - size) * top / (count - room))
    return range(start, start + size)


@lru_cache(1024)
def _row(row: RowLook) -> Line:
    look = ASCII if row.ascii else UNICODE
    on = row.ground + " " if row.ground else ""
    number = "-" if row.index is None else str(row.index)
    spans = [
        _mark(row, look, on),
        Span(number.rjust(row.digits) + " ", on + "index"),
        _icon(row.state, row.frame, look, on, row.gone),
        Span(" ", on + "name"),
    ]
    room = row.width - row.digits - 5
    if row.width >= WIDE:
        spans += _columns(row, room, look, on)
    else:
        tail = f" {look.times}{row.count}" if row.count > 1 else ""
        spans += _name(row, room - width(tail), look, on)
        spans.append(Span(tail, on + "count"))
    spans.append(Span(look.thumb if row.thumb else " ", on + "scroll"))
    return exactly(spans, row.width, on)


def _mark(row: RowLook, look: Glyphs, on: str) -> Span:
    if row.current:
        return Span(look.both if row.ground == "cursor" else look.current, on + "mark")
    if row.ground:
        return Span(look.cursor, on + ("mark" if row.ground == "cursor" else "mark-away"))
    return Span(" ", on + "index")


def _weight(row: RowLook) -> str:
    if row.quiet:
        return "name-quiet"
    if row.current:
        return "name-current"
    return "name-strong" if row.unseen or row.ground == "cursor" else "name"


def _icon(state: str, frame: int, look: Glyphs, on: str, gone: bool) -> Span:
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
    spans.append(Span(f" {row.windows}w"[-4:].rjust(4), on + "detail"))
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
            spans += [Span(" " if spans else "", on + "agent"), _icon(state, row.frame, look, on, gone)]
            short = " " + short
        spans.append(Span(short, on + ("gone" if gone else "agent")))
        left -= needed
    return [*spans, Span(" " * left, on + "agent")]
