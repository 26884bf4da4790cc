"""Real tmux servers on private sockets, each test on every tmux that is there, and a provider that follows one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from opensessions.errors import MuxError
from opensessions.events import Event, InventoryRead
from opensessions.model import Inventory
from opensessions.provider import Context, SidebarWish
from opensessions_tmux.provider import TmuxProvider
from opensessions_tmux.reading import COMMANDS, Reading, parse
from opensessions_tmux.transport import Tmux as Transport
from tests.support.terminal import PATIENCE, Terminal
from tests.support.world import Tmux, World

OWNER = "0123456789abcdef" * 2

PUMP = "import time\nwhile True: time.sleep(1000)\n"
"""Stands in for the sidebar's program: it shows nothing and stays."""


@pytest.fixture
def scripts(world: World) -> str:
    """A folder with a stand-in for each script that the provider starts."""
    folder = world.home / "scripts"
    folder.mkdir()
    (folder / "sidebar.py").write_text(PUMP)
    started = world.home / "started"
    (folder / "start.py").write_text(
        f"import sys\nopen({str(started)!r}, 'a').write(repr(sys.argv[1:]) + '\\n')\n"
    )
    return str(folder)


class Follower:
    """A provider whose events are collected in the background, and what a test wants to ask tmux."""

    def __init__(self, mux: Tmux, scripts: str, owner: str = OWNER) -> None:
        self.mux = mux
        self.provider = self.open(mux, scripts, owner)
        self.events: list[Event] = []
        self.task = asyncio.create_task(self._follow())

    @staticmethod
    def open(mux: Tmux, scripts: str, owner: str) -> TmuxProvider:
        context = Context(owner, mux.world.runtime, sys.executable, sys.executable, scripts)
        return TmuxProvider(mux.socket, mux.world.binary, context)

    async def _follow(self) -> None:
        async for event in self.provider.events():
            self.events.append(event)

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})

    @property
    def readings(self) -> list[Inventory]:
        return [event.inventory for event in self.events if isinstance(event, InventoryRead)]

    @property
    def last(self) -> Inventory:
        return self.readings[-1]

    async def until(self, what: Callable[[], object], why: str = "", patience: float = PATIENCE) -> Any:
        """Wait until `what()` is true, while clients draw and events come; answers its value."""
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            value = what()
            if value:
                return value
            if self.task.done() and not self.task.cancelled() and self.task.exception():
                raise AssertionError("the provider failed") from self.task.exception()
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(
                    f"waited {patience:g} s in vain for: {why or what}\n{self.panes()}\n{self.events[-3:]}"
                )
            for terminal in self.mux.world.terminals:
                terminal.pump()
            await asyncio.sleep(0.005)

    def begun(self) -> bool:
        """Has the first reading come, do the hooks stand, and was read again what happened meanwhile?"""
        return self.provider._generation != (0, 0) and len(self.readings) >= 2

    async def quiet(self) -> Inventory:
        """Wait until the provider has nothing more to do: a reading that we asked for shows what tmux has, and
        brings no act. Answers it."""
        keeper, bell = self.provider._keeper, self.provider._bell
        while True:
            count = len(self.readings)
            self.provider.refresh()
            # What a reading brings is begun in the same step of the loop as it is told: then the lock is held.
            await self.until(
                lambda count=count: len(self.readings) > count and not keeper._lock.locked(), "a reading"
            )
            now = (await self.read()).inventory
            told = self.readings[-1] == now and len(self.readings) == count + 1
            if told and keeper._settles is None and not keeper._lock.locked() and not bell._rung:
                return now

    async def read(self) -> Reading:
        """What tmux holds now, read past the provider."""
        reply = await Transport(self.mux.world.binary, self.mux.socket).run(COMMANDS)
        if not reply.ok:
            raise MuxError(reply.err)
        return parse(reply.out)

    def panes(self) -> list[str]:
        """Every pane: window, id, left-width, `*` if active, `S` if a sidebar, `Z` if its window is zoomed."""
        format = (
            "#{window_id} #{pane_id} #{pane_left}-#{pane_width}#{?pane_active,*,}"
            "#{?@opensessions-sidebar,S,}#{?window_zoomed_flag,Z,}"
        )
        return list(dict.fromkeys(self.mux("list-panes", "-a", "-F", format, check=False).splitlines()))

    def sidebars(self) -> dict[str, str]:
        """The sidebars: window -> pane."""
        listed = self.mux(
            "list-panes", "-a", "-F", "#{window_id} #{pane_id} #{@opensessions-sidebar}", check=False
        )
        rows = [line.split(" ") for line in dict.fromkeys(listed.splitlines())]
        marked = [(window, pane) for window, pane, mark in rows if mark]
        assert len(dict(marked)) == len(marked), f"two sidebars in one window: {marked}"
        return dict(marked)

    def widths(self, window: str) -> list[int]:
        """The widths of a window's panes, from left to right."""
        rows = self.mux.lines("list-panes", "-t", window, "-F", "#{pane_left} #{pane_width}")
        return [width for _, width in sorted((int(left), int(width)) for left, width in map(str.split, rows))]

    async def attach(self, target: str = "main", cols: int = 150, rows: int = 40) -> Terminal:
        """A client on a terminal; the provider knows it when this returns."""
        terminal = self.mux.attach(target, cols, rows)
        await self.until(
            lambda: any(client.name == terminal.tty for client in self.last.viewers()),
            "the client in a reading",
        )
        return terminal

    async def show(self, **changes: Any) -> None:
        """Wish for sidebars, and wait until every window that should have one has it."""
        await self.provider.sidebars(SidebarWish(visible=True, **changes))
        await self.until(self.shown, "sidebars in all viewed windows")

    def shown(self) -> bool:
        viewed = {client.session for client in self.last.viewers()}
        windows = {
            link.window for session in self.last.sessions if session.id in viewed for link in session.links
        }
        return windows <= set(self.sidebars())


@pytest.fixture
async def follower(mux: Tmux, scripts: str) -> AsyncIterator[Follower]:
    """A provider that follows `mux`; its first reading has come and its hooks stand."""
    following = Follower(mux, scripts)
    try:
        await following.until(following.begun, "the first readings")
        yield following
    finally:
        await following.close()
