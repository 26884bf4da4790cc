"""What a sidebar is made of: what it remembers by itself, what it shows, how its lines are shared out. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from opensessions.model import Mode, MuxView
from opensessions.sidebar.confirm import Question
from opensessions.sidebar.detail import LEAST, LEAST_SCREEN, ROWS, Detail
from opensessions.sidebar.intents import Intent
from opensessions.sidebar.keymap import DEFAULT, Keymap
from opensessions.sidebar.others import Other
from opensessions.sidebar.picker import Picker
from opensessions.sidebar.renaming import Renaming
from opensessions.sidebar.tree import Tree

LANE = 3
"""Lines of the attention lane in a sidebar of HIGH lines; in a lower one it has one line, or none."""
HIGH = 20


class Drag(Struct, frozen=True):
    """The mouse's button went down on the entry with this `key`, in this line of the terminal."""

    key: str
    line: int
    moved: bool = False
    """It was on another line meanwhile: letting it go is no click."""
    over: str = ""
    """The key of what it is over now; "" outside of the list."""


class Ui(Struct, frozen=True):
    """The state of one sidebar. `Ui()` is a new one; its cursor goes to the sidebar's own session."""

    cursor: str = ""
    """The key of an entry: see `entries`. The cursor sticks to it, wherever it moves."""
    place: int = 0
    """The cursor's place among the entries: where it stays if its own goes."""
    top: int = 0
    """The line of the list that is the first on the screen."""
    anchor: str = ""
    """The key of the entry there, so that changes above it do not move the picture; "" at the very top."""
    inside: int = 0
    """Lines of that entry that are above the screen."""
    follow: bool = True
    """The picture follows the cursor; False while the wheel has turned it out of sight."""
    filter: str = ""
    filtering: bool = False
    """Keys are typed into the filter."""
    help: bool = False
    help_top: int = 0
    reveal: bool = False
    """Hidden sessions are listed too (without an index)."""
    expanded: frozenset[str] = frozenset()
    """The ids of sessions below whose rows stand their windows and panes."""
    drag: Drag | None = None
    """What the mouse's button is down on."""
    picker: Picker | None = None
    """The list of themes, while it is open: the sidebar wears the one under its cursor."""
    question: Question | None = None
    """What the user was asked before something is ended; the next key answers it."""
    renaming: Renaming | None = None
    """The line in which a session gets another name: it takes every key."""
    detail_top: int = 0
    """How far the detail is scrolled, while the cursor is on `detail_of`."""
    detail_of: str = ""
    gripped: int = 0
    """The line, counted from 1, where the mouse has the detail's border; 0 while it is not dragged."""


class Scene(Struct, frozen=True):
    """What a sidebar shows, apart from its Ui. Sizes in cells."""

    mux: MuxView
    width: int
    height: int
    own: str = ""
    """The session whose window holds this sidebar."""
    current: str = ""
    """The current session of the client that looks; "" where nobody does."""
    mode: Mode = "all"
    focused: bool = False
    """Keys that the client's user types arrive here."""
    message: str = ""
    """One line for the footer; goes before hints."""
    orphans: int = 0
    """Agents that have lost their pane."""
    themes: tuple[str, ...] = ()
    """The names of all themes; `theme` is the worn one's."""
    theme: str = ""
    resumes: Mapping[str, str] = {}
    """How to resume each hibernated agent, by its id."""
    ripe: bool = False
    """The question has been on the screen for long enough to be read: only then a key means yes."""
    keymap: Keymap = DEFAULT
    ascii: bool = False
    """It is drawn without Unicode."""
    detail: Detail | None = None
    """None while it is not to be shown."""
    tree: Tree = {}
    """The windows and panes of the sessions that are expanded."""
    metadata: bool = True
    """What scripts say of a session has a line below its row."""
    attention: bool = False
    """There is a lane above the rows for the agents that need the user most."""
    others: tuple[Other, ...] = ()
    """The other multiplexers, below the rows."""


Outcome = tuple[Ui, tuple[Intent, ...]]
"""What a key, a mouse event or a paste makes of a sidebar, and what the user wants by it."""


class Shape(Struct, frozen=True):
    """How the lines of a sidebar are shared out. `first` is the line of the first row, `rows` how many."""

    header: bool
    notice: bool
    first: int
    rows: int
    footer: bool
    detail: int = 0
    """Lines of the detail, above the footer; 0 where it is not shown."""
    lane: int = 0
    """Lines of the attention lane, below the header."""


def shape(ui: Ui, scene: Scene) -> Shape:
    """The shape for this height. It depends on nothing that changes often: rows stay where they are."""
    header = scene.height >= 4
    notice = scene.mux.reachable is False and scene.height >= 3
    air = scene.height >= 12
    footer = scene.height >= 6 or (scene.height >= 2 and _said(ui, scene))
    lane = (LANE if scene.height >= HIGH else int(air)) if scene.attention else 0
    first = header + notice + lane + air
    room = max(0, scene.height - first - footer)
    detail = min(scene.detail.height, room - ROWS) if scene.detail and scene.height >= LEAST_SCREEN else 0
    if detail < LEAST or ui.help or ui.picker:
        detail = 0
    return Shape(header, notice, first, room - detail, footer, detail, lane)


def _said(ui: Ui, scene: Scene) -> bool:
    """Is there something for the footer that must be seen?"""
    return bool(ui.filtering or ui.renaming or scene.message or ui.question)


def scrolled_by(ui: Ui) -> int:
    """Lines by which the detail is scrolled. For what the cursor was not on when it was, none."""
    return ui.detail_top if ui.detail_of == ui.cursor else 0


def counted(mux: MuxView) -> int:
    """How many rows have an index."""
    return next((row.index for row in reversed(mux.sessions) if row.index is not None), 0)
