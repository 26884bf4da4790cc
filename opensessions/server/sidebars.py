"""The connected sidebars: who sees which, what each shows, and what its keys do.

A sidebar is painted only while a viewer's current window holds its pane; else it is marked and painted when it
is shown again. A sidebar whose terminal is slow is skipped and painted once it has drained.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from opensessions import wire
from opensessions.errors import MuxError, OpenSessionsError
from opensessions.model import Client, Inventory
from opensessions.provider import ShowMessage
from opensessions.reduce import State
from opensessions.server.appearance import Appearance
from opensessions.server.bus import Bus
from opensessions.server.deeds import Deeds
from opensessions.server.muxes import Muxes
from opensessions.sidebar import intents, keys, ui
from opensessions.sidebar.confirm import Question
from opensessions.sidebar.paint import paint
from opensessions.sidebar.reports import Reports, only_reports
from opensessions.sidebar.theme import Depth, Theme, depth_of
from opensessions.sidebar.view import Frame, ViewOptions, view

log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds between two frames of a spinner."""
ESCAPE_PAUSE = 0.05
"""Seconds after which an Esc that nothing followed is the key Esc."""
READ = 0.35
"""Seconds for which a question must have been on the screen before a key can mean yes: who types words into a sidebar
by mistake types faster."""
LAPSE = 10.0
"""Seconds after which a question is taken back."""
CELLS = range(1, 10_001)
"""What tmux allows a window, in either direction."""


class Sidebar:
    """One connected pump."""

    def __init__(
        self, socket: str, pane: str, cols: int, rows: int, depth: Depth, transport: asyncio.Transport
    ) -> None:
        self.socket = socket
        self.mux = ""
        """The key of its multiplexer; "" until that is registered."""
        self.pane = pane
        self.client = ""
        """The client over which it lies, if it is a popup: then it has no pane, and who types there means it."""
        self.cols = cols
        self.rows = rows
        self.depth = depth
        self.transport = transport
        self.decoder = keys.Decoder()
        self.ui = ui.Ui()
        self.frame: Frame | None = None
        self.worn: Theme | None = None
        """The theme in which it was painted last."""
        self.reports = Reports()
        self.looker = ""
        """The session that the client looking at it is in; "" while nobody looks."""
        self.draining = False
        self.own = ""
        """The session whose window holds it."""
        self.focused = False
        """Its pane is the active one of the window that is looked at."""
        self.held = b""
        """Keys that came before we knew that the pane is active; decided by a reading that was begun after them."""
        self.doubt = False
        """The next reading may have been begun before they came."""
        self.escape: asyncio.TimerHandle | None = None
        self.asked: Question | None = None
        """The question that its terminal shows, and since when."""
        self.asked_at = 0.0
        self.lapse: asyncio.TimerHandle | None = None


class Sidebars:
    """All of them, for all multiplexers."""

    def __init__(
        self, bus: Bus, muxes: Muxes, appearance: Appearance, options: ViewOptions,
        spawn: Callable[[Coroutine[Any, Any, None]], Any],
    ) -> None:  # fmt: skip
        self._bus = bus
        self._muxes = muxes
        self._appearance = appearance
        appearance.on_change = self._repaint
        self._options = options
        self._spawn = spawn
        self._tick = 0
        self._ticking: asyncio.TimerHandle | None = None
        self.connected: set[Sidebar] = set()
        self.deeds = Deeds(bus, muxes)
        bus.observe(self._on_change)

    # --- connections ----------------------------------------------------------------------------------------

    def attach(self, hello: dict[str, str], transport: asyncio.Transport) -> Sidebar:
        """A pump said hello."""
        sidebar = Sidebar(
            hello["socket"], hello["pane"], cells(hello, "cols"), cells(hello, "rows"),
            depth_of(hello.get("term", ""), hello.get("colorterm", "")), transport,
        )  # fmt: skip
        sidebar.client = hello.get("client", "")
        sidebar.mux = self._muxes.key_of(sidebar.socket)
        self.connected.add(sidebar)
        self._look(sidebar)
        self.paint(sidebar)
        return sidebar

    def detach(self, sidebar: Sidebar) -> None:
        """Its connection ended."""
        self.connected.discard(sidebar)
        if sidebar.escape:
            sidebar.escape.cancel()
        if sidebar.lapse:
            sidebar.lapse.cancel()

    def resize(self, sidebar: Sidebar, cols: int, rows: int) -> None:
        """Its terminal has another size: everything is painted anew."""
        sidebar.cols, sidebar.rows, sidebar.frame = cols, rows, None
        self.paint(sidebar)

    def farewell(self, reason: str) -> None:
        """A clean stop: every pump ends."""
        for sidebar in tuple(self.connected):
            sidebar.transport.write(wire.frame(b"B", reason.encode()))
            sidebar.transport.close()

    # --- painting -------------------------------------------------------------------------------------------

    def _on_change(self, new: State, old: State) -> None:
        for sidebar in tuple(self.connected):
            sidebar.mux = sidebar.mux or self._muxes.key_of(sidebar.socket)
            if new.muxes.get(sidebar.mux) is not old.muxes.get(sidebar.mux) or new.orphans != old.orphans:
                self._look(sidebar)
                if _inventory(new, sidebar.mux) is not _inventory(old, sidebar.mux):
                    self._release(sidebar)
                self.paint(sidebar)
        self._keep_ticking()

    def _look(self, sidebar: Sidebar) -> None:
        """Find out who looks; a viewer that arrives brings the cursor to its session."""
        inventory = self._inventory(sidebar)
        pane = inventory.pane(sidebar.pane) if inventory else None
        looker = self._viewer(sidebar)
        session = looker.session if looker else ""
        sidebar.own = session or (holder(inventory, pane.window) if inventory and pane else "")
        active = bool(sidebar.client) or (pane is not None and pane.active)
        sidebar.focused = bool(session) and active
        if session and session != sidebar.looker:
            sidebar.ui = ui.arrive(sidebar.ui, session)
            if question := self._appearance.arrived():
                sidebar.transport.write(wire.frame(b"P", question))
        sidebar.looker = session
        if not sidebar.focused and (sidebar.ui.question or sidebar.ui.picker):
            sidebar.ui = replace(sidebar.ui, question=None, picker=None)

    def _viewer(self, sidebar: Sidebar) -> Client | None:
        """Of the clients whose current window holds the sidebar, the one used last; a popup's own."""
        inventory = self._inventory(sidebar)
        if sidebar.client:
            viewers = list(inventory.viewers()) if inventory else []
            return next((client for client in viewers if client.name == sidebar.client), None)
        pane = inventory.pane(sidebar.pane) if inventory else None
        if inventory is None or pane is None:
            return None
        current = {session.id: session.current_window for session in inventory.sessions}
        viewers = [client for client in inventory.viewers() if current.get(client.session) == pane.window]
        return max(viewers, key=lambda client: client.activity, default=None)

    def _inventory(self, sidebar: Sidebar) -> Inventory | None:
        return _inventory(self._bus.state, sidebar.mux)

    def _scene(self, sidebar: Sidebar) -> ui.Scene | None:
        mux = self._bus.view(sidebar.mux)
        known = self._bus.state.muxes.get(sidebar.mux)
        if mux is None or known is None:
            return None
        resumes = {id: shlex.join(nap.resume) for id, nap in known.asleep.items()}
        now = asyncio.get_running_loop().time()
        ripe = sidebar.asked == sidebar.ui.question and now - sidebar.asked_at >= READ
        return ui.Scene(
            mux, sidebar.cols, sidebar.rows, sidebar.own, sidebar.looker, known.mode, sidebar.focused,
            orphans=self._bus.state.orphans, resumes=resumes, ripe=ripe,
            themes=self._appearance.names, theme=self._appearance.name,
        )  # fmt: skip

    def paint(self, sidebar: Sidebar) -> None:
        """Bring its terminal up to date, if somebody looks and it can take it."""
        scene = self._scene(sidebar)
        if not sidebar.looker or sidebar.draining or scene is None:
            return
        sidebar.ui = ui.settle(sidebar.ui, scene)
        frame = view(scene, sidebar.ui, self._options, self._tick)
        theme = self._appearance.theme(sidebar.ui.picker.chosen if sidebar.ui.picker else "")
        known = sidebar.frame if theme is sidebar.worn else None
        data = paint(known, frame, theme, sidebar.depth)
        sidebar.worn = theme
        sidebar.frame = frame
        if data:
            sidebar.transport.write(wire.frame(b"P", data))
        if sidebar.asked != sidebar.ui.question:
            self._shown(sidebar)
        self._keep_ticking()

    def _shown(self, sidebar: Sidebar) -> None:
        """Another question is on the screen, or none any more: it lapses by itself."""
        loop = asyncio.get_running_loop()
        if sidebar.lapse:
            sidebar.lapse.cancel()
        sidebar.asked, sidebar.asked_at = sidebar.ui.question, loop.time()
        sidebar.lapse = loop.call_later(LAPSE, self._forget, sidebar) if sidebar.asked else None

    def _unask(self, sidebar: Sidebar) -> None:
        if sidebar.lapse:
            sidebar.lapse.cancel()
        sidebar.asked = sidebar.lapse = None

    def _forget(self, sidebar: Sidebar) -> None:
        sidebar.lapse = None
        sidebar.ui = replace(sidebar.ui, question=None)
        self.paint(sidebar)

    def _repaint(self) -> None:
        """Another theme is worn."""
        for sidebar in tuple(self.connected):
            self.paint(sidebar)

    def drained(self, sidebar: Sidebar) -> None:
        """Its terminal took everything."""
        sidebar.draining = False
        self.paint(sidebar)

    def _keep_ticking(self) -> None:
        if self._ticking is None and any(moving(sidebar) for sidebar in self.connected):
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._turn)

    def _turn(self) -> None:
        self._ticking = None
        self._tick += 1
        for sidebar in tuple(self.connected):
            if moving(sidebar):
                self.paint(sidebar)
        self._keep_ticking()

    # --- keys -----------------------------------------------------------------------------------------------

    def typed(self, sidebar: Sidebar, data: bytes) -> None:
        """Bytes from its terminal. They count only while its pane is the active one of a viewer's current window:
        `send-keys` and `synchronize-panes` must not act here."""
        if sidebar.mux not in self._muxes.muxes:
            return
        if self._appearance.follows:
            if scheme := sidebar.reports.hear(data):
                self._appearance.told(scheme)
            if only_reports(data):
                return
        if sidebar.held or not sidebar.focused:
            if not sidebar.held:
                sidebar.doubt = True
                self._muxes.get(sidebar.mux).provider.refresh()
            sidebar.held = (sidebar.held + data)[-4096:]
            return
        self._decode(sidebar, data)

    def _release(self, sidebar: Sidebar) -> None:
        """After a reading: act on the held keys if the pane is the active one, else drop them, at the second one: the
        first may have been under way when they came. The mouse may click and turn the wheel in a pane that is only
        visible."""
        held, sidebar.held = sidebar.held, b""
        if not held:
            return
        if sidebar.focused:
            self._decode(sidebar, held)
            return
        events = keys.Decoder().feed(held)
        clicks: list[keys.Input] = [event for event in events if isinstance(event, keys.Mouse)]
        if sidebar.doubt and (len(clicks) < len(events) or not sidebar.looker):
            sidebar.held, sidebar.doubt = held, False
            self._muxes.get(sidebar.mux).provider.refresh()
        elif sidebar.looker:
            self._act_on(sidebar, clicks)

    def _decode(self, sidebar: Sidebar, data: bytes) -> None:
        if sidebar.escape:
            sidebar.escape.cancel()
            sidebar.escape = None
        self._act_on(sidebar, sidebar.decoder.feed(data))
        if sidebar.decoder.waiting:
            sidebar.escape = asyncio.get_running_loop().call_later(ESCAPE_PAUSE, self._flush, sidebar)

    def _flush(self, sidebar: Sidebar) -> None:
        sidebar.escape = None
        self._act_on(sidebar, sidebar.decoder.flush())

    def _act_on(self, sidebar: Sidebar, events: list[keys.Input]) -> None:
        for event in events:
            scene = self._scene(sidebar)
            if scene is None:
                return
            asked = sidebar.ui.question
            sidebar.ui, wanted = ui.press(sidebar.ui, event, scene)
            if sidebar.ui.question is not asked:
                self._unask(sidebar)  # the same question asked again is to be read again
            for intent in wanted:
                left = self._wear(intent) if isinstance(intent, intents.SetTheme) else intent
                if left:
                    self._spawn(self._carry_out(sidebar, left))
        self.paint(sidebar)

    def _wear(self, intent: intents.SetTheme) -> intents.Intent | None:
        """At once: a picture in the old theme in between would flash. What is left to do."""
        try:
            self._appearance.choose(intent.theme)
        except OpenSessionsError as error:
            return intents.Say(str(error))
        return None

    async def _carry_out(self, sidebar: Sidebar, intent: intents.Intent) -> None:
        looker = self._viewer(sidebar)
        try:
            if not sidebar.client:
                await self.deeds.do(sidebar.mux, sidebar.pane, intent, looker)
            elif await self.deeds.do_in_popup(sidebar.mux, intent, looker):
                sidebar.transport.write(wire.frame(b"B"))
                sidebar.transport.close()
        except OpenSessionsError as error:
            log.info("sidebar %s: %s", sidebar.pane, error)
            if looker and not isinstance(error, MuxError):
                await self._muxes.get(sidebar.mux).provider.do(ShowMessage(looker.name, str(error)))


def cells(told: dict[str, str], name: str) -> int:
    """A width or height in cells. ValueError where no terminal can have it: painting one would hold up everybody."""
    value = int(told[name])
    if value not in CELLS:
        raise ValueError(f"no terminal has {value} {name}")
    return value


def _inventory(state: State, mux: str) -> Inventory | None:
    known = state.muxes.get(mux)
    return known.inventory if known else None


def moving(sidebar: Sidebar) -> bool:
    """Does a spinner turn where somebody looks?"""
    return bool(sidebar.looker) and sidebar.frame is not None and sidebar.frame.moving


def holder(inventory: Inventory, window: str) -> str:
    """The first session that holds the window; "" where none does."""
    return next(
        (session.id for session in inventory.sessions for link in session.links if link.window == window), ""
    )
