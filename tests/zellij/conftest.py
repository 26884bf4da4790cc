"""Real zellij sessions with sockets of their own, and a provider that follows them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from opensessions.events import Event, InventoryRead
from opensessions.model import Inventory, Pane
from opensessions.provider import Context, SidebarWish
from opensessions_zellij.provider import ZellijProvider
from tests.conftest import VERSIONS
from tests.support.terminal import PATIENCE
from tests.support.world import World
from tests.support.zellij import Zellij, needed

OWNER = "0123456789abcdef" * 2

PUMP = "import time\nwhile True: time.sleep(1000)\n"
"""Stands in for the sidebar's program: it shows nothing and stays."""


@pytest.fixture
def zworld() -> Iterator[World]:
    """A home with nothing running in it, where zellij is found."""
    needed()
    private = World(next(iter(VERSIONS.values()), "/bin/false"))
    try:
        yield private
    finally:
        private.close()


@pytest.fixture
def zellij(zworld: World) -> Zellij:
    """A zellij with no session yet."""
    return Zellij(zworld, needed())


@pytest.fixture
def surroundings(zworld: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What zellij's command line is told by the environment when the provider runs in the test's own process."""
    for name in ("HOME", "ZELLIJ_SOCKET_DIR", "TMPDIR", "SHELL", "PS1", "PATH", "TERM", "LANG"):
        if name in zworld.env:
            monkeypatch.setenv(name, zworld.env[name])
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


class Follower:
    """A provider whose events are collected in the background."""

    def __init__(self, zellij: Zellij, owner: str = OWNER, program: str = "") -> None:
        """`program`: what the provider runs instead of zellij."""
        self.zellij = zellij
        scripts = zellij.world.home / "scripts"
        scripts.mkdir(exist_ok=True)
        (scripts / "sidebar.py").write_text(PUMP)
        context = Context(owner, zellij.world.runtime, sys.executable, sys.executable, str(scripts))
        self.provider = ZellijProvider(zellij.folder, program or zellij.program, context)
        self.events: list[Event] = []
        self.task = asyncio.create_task(self._follow())

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

    def pane(self, id: str) -> Pane:
        found = self.last.pane(id)
        assert found is not None, (id, self.last)
        return found

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
                raise AssertionError(f"waited {patience:g} s in vain for: {why or what}\n{self.events[-3:]}")
            for terminal in self.zellij.world.terminals:
                terminal.pump()
                self.zellij.stays(terminal)
            await asyncio.sleep(0.01)

    async def show(self, **changes: Any) -> None:
        """Wish for sidebars, and wait until every tab of every viewed session has one."""
        await self.provider.sidebars(SidebarWish(visible=True, **changes))
        await self.until(self.shown, "sidebars in all viewed tabs")

    def shown(self) -> bool:
        viewed = {client.session for client in self.last.viewers()}
        tabs = [window for id, window in self.last.windows.items() if id.partition("/")[0] in viewed]
        return all(sum(pane.mark == OWNER for pane in tab.panes) == 1 for tab in tabs)


@pytest.fixture
async def follower(zellij: Zellij, surroundings: None) -> AsyncIterator[Follower]:
    """A provider that follows a zellij with the session `main`; its first reading has come."""
    zellij.new("main")
    following = Follower(zellij)
    try:
        await following.until(lambda: following.readings, "the first reading")
        yield following
    finally:
        await following.close()
