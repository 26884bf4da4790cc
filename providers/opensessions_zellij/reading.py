"""What zellij's command line prints, as an Inventory. Pure.

`list-sessions` names the sessions; `list-panes --json --all` and `list-clients` tell of one session each. Tabs are
told by their panes: `list-tabs` would say nothing more that is of use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import DecodeError, Struct
from msgspec.json import decode

from opensessions.errors import MuxError
from opensessions.model import Client, Inventory, Link, Pane, Session, Window
from opensessions_zellij.births import Socket

_LINE = re.compile(r"(?s)(.+) \[Created [^\[\]]* ago\] ?(\(.*\))?\s*")
_ENDS = re.compile(r"(?<= ago\] )\n|(?<=resurrect\))\n|(?<=current\))\n")
_EXITED = "(EXITED"


class Incomplete(MuxError):
    """The answer is not whole, or its parts do not fit together."""


# --- what one session says --------------------------------------------------------------------------------


class Cell(Struct, frozen=True):
    """One pane as `list-panes --json --all` has it (0.45.1); what is not used is left out."""

    id: int
    is_plugin: bool
    tab_id: int
    tab_position: int
    tab_name: str = ""
    title: str = ""
    is_focused: bool = False
    is_fullscreen: bool = False
    is_floating: bool = False
    is_suppressed: bool = False
    exited: bool = False
    is_held: bool = False
    pane_x: int = 0
    pane_y: int = 0
    pane_columns: int = 0
    pane_rows: int = 0
    terminal_command: str | None = None
    pane_cwd: str | None = None

    @property
    def name(self) -> str:
        """As zellij's commands take it."""
        return f"{'plugin' if self.is_plugin else 'terminal'}_{self.id}"


class Held(Struct, frozen=True):
    """What one session holds, read in one go."""

    cells: tuple[Cell, ...]
    lookers: Mapping[int, str]
    """The number of each client -> the pane that has its focus."""


class Root(Struct, frozen=True):
    """One session as the system shows it."""

    name: str
    created: int = 0
    socket: Socket | None = None
    """What a rename keeps; None where it is not known."""
    server: int = 0
    """The pid of its server; 0 where it is not known."""


# --- from text --------------------------------------------------------------------------------------------


def names(listing: str) -> tuple[str, ...]:
    """The living sessions in what `list-sessions --no-formatting` printed, as it orders them. `--short` would list dead
    ones like living ones (0.45.1)."""
    return tuple(name for name, dead in _listed(listing) if not dead)


def living_and_dead(listing: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names of all sessions in such a listing, the dead ones apart."""
    listed = list(_listed(listing))
    return frozenset(name for name, dead in listed if not dead), frozenset(
        name for name, dead in listed if dead
    )


def _listed(listing: str) -> Iterator[tuple[str, bool]]:
    """Every session, and whether it has ended. A name may hold anything but `/`, even a line's end."""
    for line in _ENDS.split(listing):
        match = _LINE.fullmatch(line)
        if match:
            yield match[1], (match[2] or "").startswith(_EXITED)
        elif line:
            raise Incomplete(f"zellij's list of sessions is not understood: {line[:80]!r}.")


def held(panes: str, clients: str) -> Held:
    """What one session holds, from `list-panes --json --all` and `list-clients`. Incomplete where a part is missing, or
    they are of different moments."""
    try:
        cells = decode(panes, type=tuple[Cell, ...])
    except DecodeError as error:
        raise Incomplete(f"zellij's list of panes is not understood: {error}.") from error
    known = {cell.name for cell in cells}
    lookers = looking(clients)
    for number, pane in lookers.items():
        if pane not in known:
            raise Incomplete(f"zellij's client {number} looks at a pane that is not there: {pane[:80]!r}.")
    return Held(cells, lookers)


def looking(clients: str) -> dict[int, str]:
    """The number of each client and the pane that has its focus, from `list-clients`. Incomplete where a part is
    missing: of a session without clients there is the heading."""
    heading, *lines = clients.splitlines() or [""]
    if not heading.startswith("CLIENT_ID"):
        raise Incomplete(f"zellij's list of clients is not understood: {heading[:80]!r}.")
    found = {}
    for line in lines:
        number, pane = [*line.split(None, 2), "", ""][:2]
        if not number.isdecimal() or not pane:
            raise Incomplete(f"zellij's list of clients is not understood: {line[:80]!r}.")
        found[int(number)] = pane
    return found


# --- an inventory -----------------------------------------------------------------------------------------


def pane_id(session: str, pane: str) -> str:
    """A pane's id, unique among all sessions. `pane`: as zellij's commands take it."""
    return f"{session}/{pane}"


def split(id: str) -> tuple[str, str]:
    """The session and the pane (or tab) that an id names; a session's name holds no `/`."""
    session, _, rest = id.partition("/")
    return session, rest


def tab_id(session: str, number: int) -> str:
    """A tab's id. The number stays the tab's when tabs are moved."""
    return f"{session}/tab_{number}"


def client_id(session: str, number: int) -> str:
    """A client's name. Its number is the session's: a client that goes to another session gets another one there."""
    return f"{session}/{number}"


def inventory(
    version: str,
    sessions: Iterable[tuple[Root, Held]],
    pids: Mapping[str, int],
    owner: str,
    before: Inventory | None = None,
) -> Inventory:
    """Everything together. `pids`: pane id -> the process that zellij started in it. `owner`: whose sidebars are
    marked. `before`: the last one, which tells the current tab of a session that nobody looks at."""
    found: list[Session] = []
    windows: dict[str, Window] = {}
    clients: list[Client] = []
    sessions = tuple(sessions)
    servers = tuple(root.server for root, _ in sessions if root.server)
    for root, what in sessions:
        tabs = _tabs(what.cells)
        looked = {number: _cell(what.cells, pane) for number, pane in what.lookers.items()}
        current = _current(root.name, tabs, looked.values(), before)
        for number in tabs:
            window = _window(root.name, number, what.cells, looked.values(), pids, owner)
            windows[window.id] = window
        links = tuple(
            Link(tab_id(root.name, number), position + 1, number == current)
            for number, position in sorted(tabs.items(), key=lambda pair: pair[1])
        )
        found.append(Session(root.name, root.name, root.created, links=links))
        for number, cell in sorted(looked.items()):
            window = windows[tab_id(root.name, cell.tab_id)]
            clients.append(
                Client(
                    client_id(root.name, number),
                    root.name,
                    width=window.width,
                    height=window.height,
                    window=window.id,
                )
            )
    return Inventory(0, 0, version, tuple(found), windows, tuple(clients), servers)


def _tabs(cells: Iterable[Cell]) -> dict[int, int]:
    """Tab -> its position."""
    return {cell.tab_id: cell.tab_position for cell in cells}


def _cell(cells: Iterable[Cell], pane: str) -> Cell:
    return next(cell for cell in cells if cell.name == pane)


def _current(session: str, tabs: Mapping[int, int], looked: Iterable[Cell], before: Inventory | None) -> int:
    """The tab that a client shows: of several clients the one that came last. With no client the one that was shown
    last, else the first: zellij calls none of them active then."""
    shown = [cell.tab_id for cell in looked]
    if shown:
        return shown[-1]
    known = before.session(session) if before else None
    last = known.current_window if known else ""
    here = [number for number in tabs if tab_id(session, number) == last]
    return here[0] if here else min(tabs, key=lambda number: tabs[number], default=-1)


def _window(
    session: str,
    number: int,
    cells: Sequence[Cell],
    looked: Iterable[Cell],
    pids: Mapping[str, int],
    owner: str,
) -> Window:
    own = [cell for cell in cells if cell.tab_id == number]
    focus = next((cell for cell in looked if cell.tab_id == number), None) or _focus(own)
    panes = tuple(_pane(session, cell, focus, pids, owner) for cell in own if not cell.is_plugin)
    tiled = [cell for cell in own if not cell.is_floating and not cell.is_suppressed]
    return Window(
        tab_id(session, number),
        own[0].tab_name,
        max((cell.pane_x + cell.pane_columns for cell in tiled), default=0),
        max((cell.pane_y + cell.pane_rows for cell in tiled), default=0),
        any(cell.is_fullscreen for cell in own),
        " ".join(
            f"{cell.name}:{cell.pane_x},{cell.pane_y},{cell.pane_columns}x{cell.pane_rows}" for cell in tiled
        ),
        panes,
    )


def _focus(cells: Iterable[Cell]) -> Cell | None:
    """Where the focus is in a tab that nobody looks at. Each layer has its own; floating panes lie above."""
    focused = [cell for cell in cells if cell.is_focused and not cell.is_suppressed]
    return max(focused, key=lambda cell: cell.is_floating, default=None)


def _pane(session: str, cell: Cell, focus: Cell | None, pids: Mapping[str, int], owner: str) -> Pane:
    id = pane_id(session, cell.name)
    ours = is_sidebar(cell, owner)
    return Pane(
        id,
        tab_id(session, cell.tab_id),
        pids.get(id, 0),
        cell is focus,
        cell.exited or cell.is_held,
        cell.pane_x,
        cell.pane_columns,
        cell.title,
        cell.pane_cwd or "",
        owner if ours else "",
    )


def is_sidebar(cell: Cell, owner: str) -> bool:
    """Does it run a sidebar of ours? Told by the owner id in the command that it was opened with, as zellij has it;
    never by its title."""
    return bool(owner) and f"owner={owner}" in (cell.terminal_command or "").split()
