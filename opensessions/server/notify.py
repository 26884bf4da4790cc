"""Tells the user what nobody looks at: in status lines, by the bell, on the desktop, by the user's own program."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from opensessions import notify, wire
from opensessions.config import Notify as Settings
from opensessions.errors import OpenSessionsError
from opensessions.model import Agent, Entry, Inventory
from opensessions.notify import Desktop, Notice, Pace
from opensessions.provider import Announce, DesktopNotice
from opensessions.server.bus import Bus
from opensessions.server.children import Children
from opensessions.server.muxes import Muxes
from opensessions.server.sidebar import Sidebar
from opensessions.server.sidebars import Sidebars
from opensessions.server.whereabouts import Place
from opensessions.state import State

log = logging.getLogger(__name__)

HEAD_START = 0.2
"""Seconds that a terminal's sequence gets on its way: a multiplexer may pass on nothing while it shows a message."""


class Notifier:
    """Watches the State for news, and takes what scripts want told."""

    def __init__(
        self, bus: Bus, muxes: Muxes, sidebars: Sidebars, settings: Settings,
        spawn: Callable[[Coroutine[Any, Any, None]], Any],
    ) -> None:  # fmt: skip
        self._bus = bus
        self._muxes = muxes
        self._sidebars = sidebars
        self._settings = settings
        self._spawn = spawn
        self._children = Children(spawn)
        self._wanted = {
            state
            for state, on in (
                ("waiting", settings.waiting), ("error", settings.error), ("done", settings.done),
            )
            if on
        }  # fmt: skip
        self._begun: dict[str, float] = {}
        """When we began to look at each multiplexer, in seconds since the epoch."""
        self._before: dict[str, dict[str, Agent]] = {}
        """The agents that were known of each, by their ids."""
        self._pace = Pace()
        self._releasing: asyncio.TimerHandle | None = None
        bus.observe(self._on_change)

    def tell(self, place: Place, entry: Entry) -> None:
        """What a script wants told."""
        view = self._bus.view(place.mux)
        row = view.row(place.session) if view else None
        if row is not None:
            self._offer(notify.of_message(place.mux, row, place.pane, entry))

    def close(self) -> None:
        """Nothing is told from now on."""
        if self._releasing:
            self._releasing.cancel()

    # --- what -----------------------------------------------------------------------------------------------

    def _on_change(self, new: State, old: State) -> None:
        for key in self._begun.keys() - new.muxes.keys():
            del self._begun[key]
            self._before.pop(key, None)
        for key, mux in new.muxes.items():
            if mux is not old.muxes.get(key):
                self._look(key)

    def _look(self, key: str) -> None:
        now = time.time()
        # A clock that was set back must not make everything look old.
        begun = self._begun[key] = min(self._begun.get(key, now), now)
        view = self._bus.view(key)
        agents = notify.known(view.sessions if view else ())
        for row, agent in notify.news(self._before.get(key, {}), agents, begun):
            if agent.state in self._wanted:
                self._offer(notify.of_agent(key, row, agent, self._directory(key, agent)))
        self._before[key] = {id: agent for id, (_, agent) in agents.items()}

    def _directory(self, key: str, agent: Agent) -> str:
        inventory = self._inventory(key)
        pane = inventory.pane(agent.pane) if inventory else None
        return pane.path if pane else ""

    # --- how often ------------------------------------------------------------------------------------------

    def _offer(self, notice: Notice) -> None:
        loop = asyncio.get_running_loop()
        self._pace, now = notify.admit(self._pace, notice, loop.time())
        if now:
            self._spawn(self._deliver(notice))
        elif self._pace.held and self._releasing is None:
            self._releasing = loop.call_at(self._pace.due(), self._release)

    def _release(self) -> None:
        self._releasing = None
        agents = {
            key: notify.known(view.sessions)
            for key in self._bus.state.muxes
            if (view := self._bus.view(key)) is not None
        }
        self._pace, notice = notify.release(self._pace, asyncio.get_running_loop().time(), agents)
        if notice is not None:
            self._spawn(self._deliver(notice))

    # --- to whom --------------------------------------------------------------------------------------------

    async def _deliver(self, notice: Notice) -> None:
        """Tell it everywhere. Where somebody has the pane before the eyes, only other clients hear of it."""
        home = self._inventory(notice.mux)
        looking = notify.in_view(home, notice.pane) if home and notice.pane else frozenset()
        quiet = bool(home and notice.pane and notify.watched(home, notice.pane))
        told = []
        for key in tuple(self._muxes.muxes):
            inventory = self._inventory(key)
            viewers = inventory.viewers() if inventory else ()
            clients = tuple(
                client.name for client in viewers if key != notice.mux or client.name not in looking
            )
            if clients:
                told.append((key, clients))
        log.debug("%s: told in %d multiplexers%s", notice.key, len(told), ", quietly" if quiet else "")
        voices = [voice for key, clients in told for voice in self._voices(key, clients)]
        if self._settings.bell:
            for sidebar in {sidebar for sidebar, _ in voices}:
                _print(sidebar, b"\a")
        if self._settings.command and not quiet:
            self._children.start(notify.command(self._settings.command, notice), notify.environment(notice))
        if self._settings.desktop and not quiet and await self._on_desktop(notice, voices):
            await asyncio.sleep(HEAD_START)
        for key, clients in told:
            await self._announce(key, clients, notice)

    async def _announce(self, key: str, clients: tuple[str, ...], notice: Notice) -> None:
        if not self._settings.message:
            return
        try:
            await self._muxes.get(key).provider.do(Announce(clients, notice.text))
        except OpenSessionsError as error:
            log.info("%s: nothing was shown: %s", key, error)

    def _inventory(self, key: str) -> Inventory | None:
        mux = self._bus.state.muxes.get(key)
        return mux.inventory if mux and mux.reachable else None

    def _voices(self, key: str, clients: tuple[str, ...]) -> list[tuple[Sidebar, str]]:
        """The sidebars that these clients have on their screens: the only panes of ours that can speak to them."""
        inventory = self._inventory(key)
        if inventory is None:
            return []
        return [
            (sidebar, client)
            for sidebar in self._sidebars.connected
            if sidebar.mux == key and not sidebar.draining
            for client in sorted(notify.in_view(inventory, sidebar.pane) & set(clients))
        ]

    async def _on_desktop(self, notice: Notice, voices: list[tuple[Sidebar, str]]) -> bool:
        """By the terminals that can, since they know which desktop the user sits at; else by this machine's own. Was
        a terminal asked?"""
        spoken = False
        for sidebar, client in voices:
            try:
                sequence = await self._muxes.get(sidebar.mux).provider.do(
                    DesktopNotice(client, sidebar.pane, notice.title, notice.detail)
                )
            except OpenSessionsError as error:
                log.info("%s: the terminal of %s was not asked: %s", sidebar.mux, client, error)
                continue
            if sequence:
                _print(sidebar, sequence.encode())
                spoken = True
        program = None if spoken else desktop_program()
        if program:
            self._children.start(notify.desktop(*program, notice), {})
        return spoken


def _print(sidebar: Sidebar, data: bytes) -> None:
    if not sidebar.transport.is_closing():
        sidebar.transport.write(wire.frame(b"P", data))


def desktop_program() -> tuple[Desktop, str] | None:
    """What shows notifications on this machine's desktop, and its path; None where there is no desktop."""
    if sys.platform == "darwin":
        path = shutil.which("osascript")
        return ("osascript", path) if path else None
    bus = os.environ.get("DBUS_SESSION_BUS_ADDRESS") or os.path.exists(
        f"{os.environ.get('XDG_RUNTIME_DIR') or '/nowhere'}/bus"
    )
    path = shutil.which("notify-send")
    return ("notify-send", path) if path and bus else None
