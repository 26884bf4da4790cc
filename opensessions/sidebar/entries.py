"""What one sidebar lists, from top to bottom: headings of groups, sessions, and the windows and panes of those that are
unfolded. Pure.

An entry is known by its key. A session's is its id; those of all else hold a line end, which no id does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import Group, Metadata, MuxView, Row
from opensessions.sidebar.elsewhere import far_rows
from opensessions.sidebar.listing import listing
from opensessions.sidebar.others import FarRow, Other
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.tree import PanePart, WindowPart

ROOM = 10
"""Lines of a sidebar from which on what scripts say has lines of its own."""


class Entry(Struct, frozen=True, gc=False):
    """One thing that the cursor can stand on, one or two lines high."""

    key: str
    kind: Literal["session", "group", "window", "pane", "far"]
    row: Row | None = None
    """The session, of a window or a pane too; None for a heading."""
    group: Group | None = None
    """Of a heading, and of a session below one."""
    window: WindowPart | None = None
    """Of a window, and of a pane in it."""
    pane: PanePart | None = None
    """Of a pane, and of a window that has only one."""
    height: int = 1
    other: Other | None = None
    """The multiplexer of a session elsewhere, `far`; the first of them has the heading above it."""
    far: FarRow | None = None

    @property
    def target(self) -> str:
        """The pane to which one goes; "" where that is left to the session."""
        if self.pane:
            return self.pane.id
        return self.window.pane if self.window else ""


def group_key(group: str) -> str:
    """The key of a group's heading."""
    return f"\n{group}"


def window_key(session: str, window: str) -> str:
    """The key of a window below a session."""
    return f"{session}\nw{window}"


def pane_key(session: str, pane: str) -> str:
    """The key of a pane below a session."""
    return f"{session}\np{pane}"


def far_key(mux: str, session: str) -> str:
    """The key of a session in another multiplexer."""
    return f"\n@{mux}\n{session}"


def session_of(key: str) -> str:
    """The session that an entry belongs to; "" for a heading."""
    return key.partition("\n")[0]


def pane_of(key: str) -> str:
    """The pane that a key names; "" where it names none."""
    kind, pane = key.partition("\n")[2][:1], key.partition("\n")[2][1:]
    return pane if kind == "p" and session_of(key) else ""


def window_of(key: str) -> str:
    """The window that a key names; "" where it names none."""
    kind, window = key.partition("\n")[2][:1], key.partition("\n")[2][1:]
    return window if kind == "w" and session_of(key) else ""


def part_of(entry: Entry | None) -> Row | None:
    """The session, with the agents alone that are in the entry's panes; None for a heading."""
    if entry is None or entry.row is None or entry.window is None:
        return entry.row if entry else None
    panes = {entry.pane.id} if entry.pane else {pane.id for pane in entry.window.panes}
    return replace(entry.row, agents=tuple(agent for agent in entry.row.agents if agent.pane in panes))


def entries(ui: Ui, scene: Scene) -> tuple[Entry, ...]:
    """Everything that is listed. Under a filter the sessions that it finds, and nothing else."""
    own = _own(ui, scene)
    return (*own, *_elsewhere(ui, scene, loosely=not own)) if scene.others else own


def _elsewhere(ui: Ui, scene: Scene, loosely: bool) -> Iterator[Entry]:
    for other in scene.others:
        height = 2
        for far in far_rows(other, ui, scene, loosely):
            yield Entry(far_key(other.key, far.id), "far", height=height, other=other, far=far)
            height = 1


def _own(ui: Ui, scene: Scene) -> tuple[Entry, ...]:
    """The last few lists are kept: most sidebars list the same, and a spinner's next frame does."""
    lines = scene.metadata and scene.height >= ROOM
    if ui.expanded:
        return _listed(ui, scene, lines)
    told = (ui.filter, ui.reveal, lines)
    for mux, known, found in _kept:
        if mux is scene.mux and known == told:
            return found
    found = _listed(ui, scene, lines)
    _kept.append((scene.mux, told, found))
    return found


_kept: deque[tuple[MuxView, tuple[str, bool, bool], tuple[Entry, ...]]] = deque(maxlen=4)


def _listed(ui: Ui, scene: Scene, lines: bool) -> tuple[Entry, ...]:
    if not ui.filter:
        return tuple(_all(ui, scene, lines))
    return tuple(
        Entry(row.id, "session", row, height=2 if lines and said(row.metadata) else 1)
        for row in listing(ui, scene)
    )


def said(metadata: Metadata) -> bool:
    """Is there anything to be shown of what scripts said?"""
    return bool(metadata.status or metadata.progress or metadata.log)


def _all(ui: Ui, scene: Scene, lines: bool) -> Iterator[Entry]:
    groups = scene.mux.grouped() if scene.mux.groups else {}
    headed = ""
    left = 0
    """Rows of the group that are still to come: a hidden one between them stands in it as well."""
    group: Group | None = None
    for row in scene.mux.sessions:
        own = groups.get(row.id)
        if own is not None and own.id != headed:
            headed, group, left = own.id, own, len(own.sessions)
            yield Entry(group_key(own.id), "group", group=own)
        if row.index is None and not (ui.reveal and row.hidden):
            continue
        inside = group if left and group and not group.collapsed else None
        left -= own is not None
        height = 2 if lines and said(row.metadata) else 1
        yield Entry(row.id, "session", row, inside, height=height)
        if row.id in ui.expanded:
            # A window may be linked to one session at two indexes (tmux 3.3a): a key stands for one entry.
            parts: dict[str, Entry] = {}
            for entry in _below(row, inside, scene.tree.get(row.id, ())):
                parts.setdefault(entry.key, entry)
            yield from parts.values()


def _below(row: Row, group: Group | None, windows: tuple[WindowPart, ...]) -> Iterator[Entry]:
    for window in windows:
        alone = window.panes[0] if len(window.panes) == 1 else None
        yield Entry(window_key(row.id, window.id), "window", row, group, window, alone)
        for pane in window.panes if not alone else ():
            yield Entry(pane_key(row.id, pane.id), "pane", row, group, window, pane)
