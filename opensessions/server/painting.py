"""Who looks at which sidebar, and what is painted there.

A sidebar is painted only while a viewer's current window holds its pane; else it is painted when it is shown again. One
whose terminal is slow is skipped and painted once it has drained.
"""

from __future__ import annotations

import asyncio
import shlex
import socket
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from opensessions import wire
from opensessions.model import Client, Inventory, MuxView, Process
from opensessions.server import moments
from opensessions.server.appearance import Appearance
from opensessions.server.bus import Bus
from opensessions.server.detail import Details
from opensessions.server.sidebar import Sidebar, placed
from opensessions.sidebar.frame import Wants
from opensessions.sidebar.keymap import DEFAULT
from opensessions.sidebar.motion import arrive, settle
from opensessions.sidebar.others import Other, other
from opensessions.sidebar.paint import paint
from opensessions.sidebar.scene import Scene
from opensessions.sidebar.tree import Tree, programs, tree
from opensessions.sidebar.view import ViewOptions, view
from opensessions.state import Mux

TICK = 0.25
"""Seconds between two frames of a spinner."""


class Painter:
    """For all sidebars."""

    def __init__(self, bus: Bus, appearance: Appearance, details: Details, options: ViewOptions) -> None:
        self._bus = bus
        self._appearance = appearance
        self._details = details
        self._options = options
        self._tick = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._others: dict[str, tuple[MuxView, Other]] = {}
        """By its key, what was last shown of a multiplexer elsewhere, and the view that it was made from."""
        self.connected: set[Sidebar] = set()
        self.keymap = DEFAULT
        appearance.on_change = details.on_news = self.repaint
        self._host = socket.gethostname()
        self.processes: Callable[[], Mapping[int, Process]] = dict
        """The processes below the panes, by pid."""

    # --- who looks ------------------------------------------------------------------------------------------

    def look(self, sidebar: Sidebar) -> None:
        """Find out who looks; a viewer that arrives brings the cursor to its session."""
        inventory = self._inventory(sidebar)
        pane = placed(sidebar, inventory)
        looker = self.viewer(sidebar)
        session = looker.session if looker else ""
        sidebar.own = session or (holder(inventory, pane.window) if inventory and pane else "")
        active = bool(sidebar.client) or (pane is not None and pane.active)
        sidebar.focused = bool(session) and active
        if session and session != sidebar.looker:
            sidebar.ui = arrive(sidebar.ui, session)
            if question := self._appearance.arrived():
                sidebar.transport.write(wire.frame(b"P", question))
        sidebar.looker = session
        if not session:
            self._find_out(sidebar, Wants())
        if not sidebar.focused and (sidebar.ui.question or sidebar.ui.picker or sidebar.ui.renaming):
            sidebar.ui = replace(sidebar.ui, question=None, picker=None, renaming=None)
        if not sidebar.focused and sidebar.ui.drag and sidebar.ui.drag.moved:
            sidebar.ui = replace(sidebar.ui, drag=None)  # it was let go somewhere else

    def viewer(self, sidebar: Sidebar) -> Client | None:
        """Of the clients whose current window holds the sidebar, the one used last; a popup's own."""
        inventory = self._inventory(sidebar)
        if sidebar.client:
            viewers = list(inventory.viewers()) if inventory else []
            return next((client for client in viewers if client.name == sidebar.client), None)
        pane = inventory.pane(sidebar.pane) if inventory else None
        if inventory is None or pane is None:
            return None
        shown = inventory.shown()
        viewers = [client for client in inventory.viewers() if shown[client.name] == pane.window]
        return max(viewers, key=lambda client: client.activity, default=None)

    def _inventory(self, sidebar: Sidebar) -> Inventory | None:
        known = self._bus.state.muxes.get(sidebar.mux)
        return known.inventory if known else None

    # --- pictures -------------------------------------------------------------------------------------------

    def scene(self, sidebar: Sidebar) -> Scene | None:
        """What the sidebar shows now; None where its multiplexer is not known (yet)."""
        mux = self._bus.view(sidebar.mux)
        known = self._bus.state.muxes.get(sidebar.mux)
        if mux is None or known is None:
            return None
        resumes = {id: shlex.join(nap.resume) for id, nap in known.asleep.items()}
        return Scene(
            mux, sidebar.cols, sidebar.rows, sidebar.own, sidebar.looker, known.mode, sidebar.focused,
            orphans=self._bus.state.orphans, resumes=resumes, ripe=moments.ripe(sidebar),
            themes=self._appearance.names, theme=self._appearance.name, detail=self._details.known(sidebar.mux),
            message=sidebar.message, keymap=self.keymap, ascii=self._options.ascii,
            tree=self._tree(sidebar, mux, known), metadata=self._options.metadata,
            attention=self._options.attention, others=self.others(sidebar.mux),
        )  # fmt: skip

    def others(self, mux: str) -> tuple[Other, ...]:
        """What sidebars of `mux` show of the other multiplexers: the same objects as long as that is the same."""
        if not self._options.others or len(self._bus.state.muxes) < 2:
            return ()
        self._others = {key: kept for key, kept in self._others.items() if key in self._bus.state.muxes}
        found = []
        for key, known in self._bus.state.muxes.items():
            if key == mux or (view := self._bus.view(key)) is None:
                continue
            before, shown = self._others.get(key, (None, None))
            if before is not view or shown is None:
                made = other(view, known.socket)
                shown = made if made != shown or shown is None else shown
                self._others[key] = (view, shown)
            if shown.rows:
                found.append(shown)
        return tuple(sorted(found, key=lambda each: each.name))

    def _tree(self, sidebar: Sidebar, mux: MuxView, known: Mux) -> Tree:
        """The windows of the sessions that are unfolded in it."""
        rows = [row for row in mux.sessions if row.id in sidebar.ui.expanded] if sidebar.ui.expanded else []
        inventory = known.inventory
        if inventory is None or not rows:
            return {}
        panes = {id for row in rows for id in inventory.panes_of(row.id)}
        pids = {
            pane.pid for window in inventory.windows.values() for pane in window.panes if pane.id in panes
        }
        running = programs(self.processes(), frozenset(pids))
        return {row.id: tree(inventory, row, running, self._host) for row in rows}

    def paint(self, sidebar: Sidebar) -> None:
        """Bring its terminal up to date, if somebody looks and it can take it."""
        if not sidebar.looker or sidebar.draining or (scene := self.scene(sidebar)) is None:
            return
        sidebar.ui = settle(sidebar.ui, scene)
        frame = view(scene, sidebar.ui, self._options, self._tick)
        theme = self._appearance.theme(sidebar.ui.picker.chosen if sidebar.ui.picker else "")
        known = sidebar.frame if theme is sidebar.worn else None
        data = paint(known, frame, theme, sidebar.depth)
        sidebar.worn = theme
        sidebar.frame = frame
        sidebar.others = scene.others
        self._find_out(sidebar, frame.wants)
        if data:
            sidebar.transport.write(wire.frame(b"P", data))
        moments.shown(sidebar, self.paint)
        self.keep_ticking()

    def forget(self, sidebar: Sidebar) -> None:
        """It is connected no longer."""
        self.connected.discard(sidebar)
        self._find_out(sidebar, Wants())

    def _find_out(self, sidebar: Sidebar, wants: Wants) -> None:
        """From now on what this picture wants, and what the others do that are looked at."""
        if wants != sidebar.wants:
            sidebar.wants = wants
            self._details.follow([(each.mux, each.wants) for each in self.connected if each.wants != Wants()])

    def repaint(self) -> None:
        """All of them: something differs that they have in common."""
        for sidebar in tuple(self.connected):
            self.paint(sidebar)

    def stirred(self) -> None:
        """Processes below the panes have come or gone: that is told of panes that are listed."""
        for sidebar in tuple(self.connected):
            if sidebar.ui.expanded and sidebar.looker:
                self.paint(sidebar)

    def keep_ticking(self) -> None:
        """Turn the spinners, as long as there is one that somebody sees."""
        if self._ticking is None and any(sidebar.moving for sidebar in self.connected):
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._turn)

    def _turn(self) -> None:
        self._ticking = None
        self._tick += 1
        for sidebar in tuple(self.connected):
            if sidebar.moving:
                self.paint(sidebar)
        self.keep_ticking()


def holder(inventory: Inventory, window: str) -> str:
    """The first session that holds the window; "" where none does."""
    return next(
        (session.id for session in inventory.sessions for link in session.links if link.window == window), ""
    )
