"""What the screen remembers, and what keys and the mouse do on it. Pure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from opensessions.sessionizer.names import Asked, asked, short
from opensessions.sessionizer.places import Place, Seen, typed
from opensessions.sessionizer.rank import matched
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.text import graphemes

LONGEST = 1024
"""Characters that can be typed."""
WHEEL = 3
"""Rows for one notch of the wheel."""

STEPS = {
    "up": -1, "ctrl-p": -1, "ctrl-k": -1, "shift-tab": -1, "down": 1, "ctrl-n": 1, "ctrl-j": 1,
    "home": -(10**6), "end": 10**6,
}  # fmt: skip


class Chooser(Struct, frozen=True):
    """The state of the screen. The cursor sticks to its row, wherever that moves, once it was moved there."""

    query: str = ""
    cursor: str = ""
    """The key of a row; "" for the first one."""
    top: int = 0
    """The place of the first row on the screen."""
    said: str = ""
    """Why the last choice came to nothing."""


class Stage(Struct, frozen=True):
    """What there is to show. Sizes in cells."""

    places: tuple[Place, ...]
    width: int
    height: int
    home: str
    here: str = "/"
    seen: Seen | None = None
    """What the disk says of the path that was typed last."""
    searching: bool = False
    """More may come."""


class Cancel(Struct, frozen=True):
    """Nothing is chosen."""


Outcome = tuple[Chooser, Place | Cancel | None]


class Shape(Struct, frozen=True):
    """How the lines are shared out. `first` is the line of the first row, `rows` how many."""

    header: bool
    first: int
    rows: int
    footer: bool


def shape(stage: Stage) -> Shape:
    """The shape for this height; the line that is typed into is always there."""
    header = stage.height >= 5
    footer = stage.height >= 4
    first = header + 1 + (stage.height >= 10)
    return Shape(header, first, max(0, stage.height - first - footer), footer)


def path_asked(chooser: Chooser, stage: Stage) -> Asked | None:
    """The path that is being typed: the disk is to be asked for it."""
    return asked(chooser.query, stage.home, stage.here)


def listing(chooser: Chooser, stage: Stage) -> tuple[Place, ...]:
    """The rows."""
    path = path_asked(chooser, stage)
    if path is None:
        return matched(chooser.query, stage.places)
    if stage.seen is None or stage.seen.asked != path:
        return ()
    return typed(stage.seen, stage.places, stage.home)


def place_of(chooser: Chooser, rows: tuple[Place, ...]) -> int:
    """Where the cursor is: on the first row if its own has gone."""
    return next((place for place, row in enumerate(rows) if row.key == chooser.cursor), 0)


def settle(chooser: Chooser, stage: Stage) -> Chooser:
    """The same with the cursor on the screen."""
    rows = listing(chooser, stage)
    room = shape(stage).rows
    place = place_of(chooser, rows)
    top = max(place - room + 1, min(chooser.top, place)) if room else 0
    top = max(0, min(top, len(rows) - max(1, room)))
    return chooser if top == chooser.top else replace(chooser, top=top)


def press(chooser: Chooser, event: Input, stage: Stage) -> Outcome:
    """What a key, a paste or the mouse does, and what is chosen by it."""
    chooser = settle(chooser, stage)
    match event:
        case Paste(text=text):
            return _queried(chooser, chooser.query + " ".join(text.split())), None
        case Mouse():
            return _mouse(chooser, event, stage)
        case Key(text=text) if text:
            return _queried(chooser, chooser.query + text), None
        case Key(name=name):
            return _act(chooser, name, stage)
    return chooser, None


def _act(chooser: Chooser, name: str, stage: Stage) -> Outcome:
    rows = listing(chooser, stage)
    page = max(1, shape(stage).rows - 1)
    steps = {**STEPS, "page-up": -page, "ctrl-b": -page, "page-down": page, "ctrl-f": page}
    if name in steps:
        return _moved(chooser, steps[name], stage), None
    match name:
        case "enter" if rows:
            return chooser, rows[place_of(chooser, rows)]
        case "escape" | "ctrl-c" | "ctrl-g":
            return chooser, Cancel()
        case "tab" if rows:
            return _queried(chooser, _completed(rows, chooser, stage)), None
        case "backspace":
            return _queried(chooser, "".join(each for each, _ in graphemes(chooser.query)[:-1])), None
        case "ctrl-u":
            return _queried(chooser, ""), None
        case "ctrl-w":
            rest = chooser.query.rstrip(" /")
            return _queried(chooser, rest[: max(rest.rfind(" "), rest.rfind("/")) + 1]), None
    return chooser, None


def _completed(rows: tuple[Place, ...], chooser: Chooser, stage: Stage) -> str:
    """The path of the row under the cursor, to go on from."""
    row = rows[place_of(chooser, rows)]
    if not row.path or row.kind == "new":
        return chooser.query
    return short(row.path, stage.home).rstrip("/") + "/"


def _queried(chooser: Chooser, query: str) -> Chooser:
    """What is typed decides anew where the cursor is."""
    return Chooser(query[:LONGEST]) if query != chooser.query else chooser


def _moved(chooser: Chooser, step: int, stage: Stage) -> Chooser:
    rows = listing(chooser, stage)
    if not rows:
        return chooser
    place = max(0, min(len(rows) - 1, place_of(chooser, rows) + step))
    return settle(replace(chooser, cursor=rows[place].key, said=""), stage)


def _mouse(chooser: Chooser, event: Mouse, stage: Stage) -> Outcome:
    if event.kind in ("wheel-up", "wheel-down"):
        return _moved(chooser, -WHEEL if event.kind == "wheel-up" else WHEEL, stage), None
    rows = listing(chooser, stage)
    form = shape(stage)
    line = event.y - form.first
    if (
        event.kind != "press"
        or event.button != 1
        or not 0 <= line < form.rows
        or chooser.top + line >= len(rows)
    ):
        return chooser, None
    row = rows[chooser.top + line]
    return replace(chooser, cursor=row.key), row
