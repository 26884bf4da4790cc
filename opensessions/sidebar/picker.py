"""The list of themes that a sidebar shows for choosing one: moving shows the sidebar in the theme at once. Pure.

Nothing of it is kept until Enter; who shows the picture wears `Picker.chosen` as long as the list is open.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import AgentState
from opensessions.sidebar.frame import Glyphs, Line, Span, blank, exactly
from opensessions.sidebar.keys import Input, Key, Mouse
from opensessions.sidebar.text import pad

SAMPLES: tuple[tuple[AgentState, AgentState], ...] = (
    ("waiting", "error"), ("running", "done"), ("idle", "interrupted"),
)  # fmt: skip
"""States shown below the list, two in a line, where there is room."""
FIRST_COLUMN = max(len(state) for state, _ in SAMPLES) + 4
LEAST_ROOM = 10
"""Lines from which on there is room for them."""


class Picker(Struct, frozen=True):
    """The open list. `names` is never empty."""

    names: tuple[str, ...]
    before: str
    """The theme that was worn when it was opened, and is again if nothing is chosen."""
    place: int
    top: int = 0

    @property
    def chosen(self) -> str:
        """The name under the cursor."""
        return self.names[self.place]


def opened(names: Sequence[str], before: str, room: int) -> Picker | None:
    """The list with its cursor on the theme that is worn; None where there is nothing to choose."""
    if not names:
        return None
    place = names.index(before) if before in names else 0
    return moved(Picker(tuple(names), before, place), 0, room)


def press(picker: Picker, event: Input, action: str, first: int, room: int) -> tuple[Picker | None, str]:
    """What a key or the mouse does: the list as it is then, None if it closes, and the name to keep, "" for none.

    `action` is what the key map says of the key; the list has `room` lines from line `first` on. A click shows a
    theme, a second one on the same keeps it.
    """
    match event:
        case Mouse(kind="wheel-up" | "wheel-down"):
            return moved(picker, -1 if event.kind == "wheel-up" else 1, room), ""
        case Mouse(kind="press", button=1):
            line = event.y - first
            if not 0 <= line < min(listed(room), len(picker.names) - picker.top):
                return picker, ""
            place = picker.top + line
            if place == picker.place:
                return None, picker.chosen
            return moved(picker, place - picker.place, room), ""
        case Key():
            return _act(picker, action, room)
    return picker, ""


def _act(picker: Picker, action: str, room: int) -> tuple[Picker | None, str]:
    page = max(1, listed(room) - 1)
    far = len(picker.names)
    steps = {"up": -1, "down": 1, "page-up": -page, "page-down": page, "first": -far, "last": far}
    if action in steps:
        return moved(picker, steps[action], room), ""
    if action == "go":
        return None, picker.chosen
    return (None, "") if action in ("leave", "close", "theme") else (picker, "")


def listed(room: int) -> int:
    """How many of `room` lines the names have."""
    return room - len(SAMPLES) - 1 if room >= LEAST_ROOM else room


def moved(picker: Picker, step: int, room: int) -> Picker:
    """The cursor so many names further, and on the screen."""
    place = max(0, min(len(picker.names) - 1, picker.place + step))
    rows = max(1, listed(room))
    top = max(place - rows + 1, min(picker.top, place))
    return replace(picker, place=place, top=max(0, min(top, len(picker.names) - rows)))


def lines(picker: Picker, room: int, cells: int, look: Glyphs, marked: range) -> list[Line]:
    """The list, then the samples. `marked`: the lines that the scroll mark covers."""
    rows = listed(room)
    shown = picker.names[picker.top : picker.top + rows]
    made = [_line(picker, picker.top + at, cells, look, at in marked) for at in range(len(shown))]
    if rows < room:
        made += [blank(cells)] * (rows - len(made) + 1)
        made += [_sample(pair, cells, look) for pair in SAMPLES]
    return made


def _line(picker: Picker, place: int, cells: int, look: Glyphs, marked: bool) -> Line:
    here, worn = place == picker.place, picker.names[place] == picker.before
    on = "cursor " if here else ""
    mark = (look.both if worn else look.cursor) if here else (look.current if worn else " ")
    style = "name-current" if worn else "name-strong" if here else "name"
    name = pad(picker.names[place], max(0, cells - 3), look.ellipsis)
    thumb = look.thumb if marked else " "
    return exactly(
        [Span(mark + " ", on + "mark"), Span(name, on + style), Span(thumb, on + "scroll")], cells, on
    )


def _sample(states: Sequence[AgentState], cells: int, look: Glyphs) -> Line:
    spans = []
    for state, column in zip(states, (FIRST_COLUMN, cells), strict=True):
        spans += [Span(f" {look.states[state][0]} ", state), Span(pad(state, column - 3, ""), "name")]
    return exactly(spans, cells)
