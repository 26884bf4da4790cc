"""The connected sidebars: they come, go, change their size and hear of every change.

What they show is `painting`'s, what is typed in them `keystrokes`'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from operator import is_
from typing import Any

from opensessions import wire
from opensessions.errors import Refused
from opensessions.model import Inventory, Process
from opensessions.server.appearance import Appearance
from opensessions.server.approve import Approval
from opensessions.server.bus import Bus
from opensessions.server.deeds import Deeds
from opensessions.server.detail import Details
from opensessions.server.keystrokes import Keystrokes
from opensessions.server.muxes import Muxes
from opensessions.server.painting import Painter
from opensessions.server.sidebar import Sidebar, introduced
from opensessions.sidebar.keymap import DEFAULT, Keymap
from opensessions.sidebar.others import Other
from opensessions.sidebar.view import ViewOptions
from opensessions.state import State


class Sidebars:
    """All of them, for all multiplexers."""

    def __init__(
        self, bus: Bus, muxes: Muxes, appearance: Appearance, details: Details, options: ViewOptions,
        spawn: Callable[[Coroutine[Any, Any, None]], Any], keymap: Keymap = DEFAULT,
        approval: Approval | None = None,
    ) -> None:  # fmt: skip
        self._muxes = muxes
        self._painter = Painter(bus, appearance, details, options)
        self._painter.keymap = keymap
        self.connected = self._painter.connected
        self.deeds = Deeds(bus, muxes, approval)
        self._keystrokes = Keystrokes(muxes, appearance, details, self._painter, self.deeds, spawn)
        bus.observe(self._on_change)

    def attach(self, hello: dict[str, str], transport: asyncio.Transport) -> Sidebar:
        """A pump said hello."""
        sidebar = introduced(hello, transport)
        sidebar.mux = self._muxes.key_of(sidebar.socket)
        if not sidebar.mux and hello.get(
            "provider"
        ):  # a layout opened it, and nobody has told us of its multiplexer
            with suppress(Refused):
                sidebar.mux = self._muxes.register(hello["provider"], sidebar.socket)
        self.connected.add(sidebar)
        self._painter.look(sidebar)
        self._painter.paint(sidebar)
        return sidebar

    def detach(self, sidebar: Sidebar) -> None:
        """Its connection ended."""
        self._painter.forget(sidebar)
        sidebar.quiet()

    def resize(self, sidebar: Sidebar, cols: int, rows: int) -> None:
        """Its terminal has another size: everything is painted anew."""
        sidebar.cols, sidebar.rows, sidebar.frame = cols, rows, None
        self._painter.paint(sidebar)

    def programs_from(self, processes: Callable[[], Mapping[int, Process]]) -> None:
        """Where the processes below the panes are known, by pid; `stirred` tells that there are others."""
        self._painter.processes = processes

    def stirred(self) -> None:
        """Processes below the panes have come or gone."""
        self._painter.stirred()

    def typed(self, sidebar: Sidebar, data: bytes) -> None:
        """Bytes from its terminal."""
        self._keystrokes.typed(sidebar, data)

    def drained(self, sidebar: Sidebar) -> None:
        """Its terminal took everything."""
        sidebar.draining = False
        self._painter.paint(sidebar)

    def farewell(self, reason: str) -> None:
        """A clean stop: every pump ends."""
        for sidebar in tuple(self.connected):
            sidebar.transport.write(wire.frame(b"B", reason.encode()))
            sidebar.transport.close()

    def _on_change(self, new: State, old: State) -> None:
        for sidebar in tuple(self.connected):
            sidebar.mux = sidebar.mux or self._muxes.key_of(sidebar.socket)
            if new.muxes.get(sidebar.mux) is not old.muxes.get(sidebar.mux) or new.orphans != old.orphans:
                self._painter.look(sidebar)
                if _inventory(new, sidebar.mux) is not _inventory(old, sidebar.mux):
                    self._keystrokes.release(sidebar)
                self._painter.paint(sidebar)
            elif sidebar.looker and not same(self._painter.others(sidebar.mux), sidebar.others):
                self._painter.paint(sidebar)
        self._painter.keep_ticking()


def same(one: tuple[Other, ...], two: tuple[Other, ...]) -> bool:
    """The same objects in the same order?"""
    return len(one) == len(two) and all(map(is_, one, two))


def _inventory(state: State, mux: str) -> Inventory | None:
    known = state.muxes.get(mux)
    return known.inventory if known else None
