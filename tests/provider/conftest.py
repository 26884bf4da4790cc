"""Stages: each a multiplexer with a provider that follows it, and what a test does past the provider."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from opensessions.events import Event, InventoryRead, MuxLeft, Unreachable
from opensessions.model import Inventory
from opensessions.provider import Context, Provider, SidebarWish
from opensessions_tmux import open_provider as open_tmux
from opensessions_zellij import open_provider as open_zellij
from tests.conftest import VERSIONS
from tests.support.fake import OWNER as FAKE_OWNER
from tests.support.fake import FakeProvider
from tests.support.terminal import PATIENCE, Terminal
from tests.support.world import Tmux, World
from tests.support.zellij import Zellij, needed

OWNER = "0123456789abcdef" * 2


class Stage:
    """What every multiplexer can be asked for by a test. A session's id is what the readings call it."""

    provider: Provider
    owner = OWNER
    terminals: list[Terminal]

    def __init__(self) -> None:
        self.terminals = []
        self.events: list[Event] = []
        self.task: asyncio.Task[None] | None = None

    # --- past the provider: each multiplexer in its way --------------------------------------------------------

    def new(self, name: str) -> None:
        """A session in the background."""
        raise NotImplementedError

    def end(self, name: str) -> None:
        """Let a session end."""
        raise NotImplementedError

    def look_at(self, name: str) -> None:
        """Let a client come and look at the session."""
        raise NotImplementedError

    def split(self, name: str) -> None:
        """Another pane in the session, with the focus on it or not."""
        raise NotImplementedError

    def names(self) -> set[str]:
        """The sessions that there are, as the multiplexer itself says."""
        raise NotImplementedError

    def hang(self) -> None:
        """It answers nobody."""
        raise NotImplementedError

    def go_on(self) -> None:
        """It answers again."""
        raise NotImplementedError

    def vanish(self) -> None:
        """All of it dies at once."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is left."""

    # --- what the provider tells -------------------------------------------------------------------------------

    def follow(self) -> None:
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self.provider.events():
            self.events.append(event)

    async def stop(self) -> None:
        if self.task:
            self.task.cancel()
            await asyncio.wait({self.task})

    @property
    def readings(self) -> list[Inventory]:
        return [event.inventory for event in self.events if isinstance(event, InventoryRead)]

    @property
    def last(self) -> Inventory:
        return self.readings[-1]

    @property
    def unreachable(self) -> bool:
        return isinstance(self.events[-1], Unreachable)

    @property
    def left(self) -> bool:
        return isinstance(self.events[-1], MuxLeft)

    def id(self, name: str) -> str:
        return next(session.id for session in self.last.sessions if session.name == name)

    def known(self) -> set[str]:
        return {session.name for session in self.last.sessions}

    def panes(self, name: str) -> list[str]:
        """The session's panes that are no sidebars."""
        found = [self.last.pane(id) for id in self.last.panes_of(self.id(name))]
        return [pane.id for pane in found if pane is not None and not pane.mark]

    def sidebar(self, name: str) -> str:
        """The one sidebar in the session's current window; "" where there is none."""
        session = self.last.session(self.id(name))
        assert session is not None
        found = [
            pane.id for pane in self.last.windows[session.current_window].panes if pane.mark == self.owner
        ]
        assert len(found) < 2, found
        return found[0] if found else ""

    def client(self, name: str) -> str:
        """The client that looks at the session; "" where there is none."""
        return next((one.name for one in self.last.viewers() if one.session == self.id(name)), "")

    async def until(self, what: Callable[[], object], why: str, patience: float = PATIENCE) -> Any:
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            value = what()
            if value:
                return value
            if self.task and self.task.done() and not self.task.cancelled() and self.task.exception():
                raise AssertionError("the provider failed") from self.task.exception()
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"waited {patience:g} s in vain for: {why}\n{self.events[-2:]}")
            for terminal in self.terminals:
                terminal.pump()
            await asyncio.sleep(0.01)

    async def show(self, visible: bool = True) -> None:
        await self.provider.sidebars(SidebarWish(visible=visible))


class TmuxStage(Stage):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.terminals = world.terminals
        self.mux: Tmux = world.mux()
        self.provider = open_tmux(self.mux.socket, world.binary, context(world))

    def new(self, name: str) -> None:
        self.mux.new(name)

    def end(self, name: str) -> None:
        self.mux("kill-session", "-t", f"={name}")

    def look_at(self, name: str) -> None:
        self.mux.attach(name, 120, 30)

    def split(self, name: str) -> None:
        self.mux("split-window", "-d", "-t", f"={name}:")

    def names(self) -> set[str]:
        return set(self.mux("list-sessions", "-F", "#{session_name}", check=False).splitlines())

    def hang(self) -> None:
        os.kill(self.mux.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.mux.pid, signal.SIGCONT)

    def vanish(self) -> None:
        os.kill(self.mux.pid, signal.SIGKILL)


class ZellijStage(Stage):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.terminals = world.terminals
        self.zellij = Zellij(world, needed())
        self.zellij.new("main")
        self.provider = open_zellij(self.zellij.folder, self.zellij.program, context(world))

    def new(self, name: str) -> None:
        self.zellij.new(name)

    def end(self, name: str) -> None:
        self.zellij.run("delete-session", "--force", name, check=False)

    def look_at(self, name: str) -> None:
        self.zellij.attach(name, 120, 30)

    def split(self, name: str) -> None:
        self.zellij.action(name, "new-pane", "--direction", "down")

    def names(self) -> set[str]:
        return {*self.zellij.sessions(), *self.zellij.dead()}

    def hang(self) -> None:
        for server in self.last.servers:
            os.kill(server, signal.SIGSTOP)

    def go_on(self) -> None:
        for server in self.last.servers:
            os.kill(server, signal.SIGCONT)

    def vanish(self) -> None:
        for server in self.last.servers:
            os.kill(server, signal.SIGKILL)


class FakeStage(Stage):
    owner = FAKE_OWNER

    def __init__(self) -> None:
        super().__init__()
        self.provider = self.fake = FakeProvider()
        self.fake.new("main")

    def new(self, name: str) -> None:
        self.fake.new(name)

    def _id(self, name: str) -> str:
        return next(one.id for one in self.fake.inventory.sessions if one.name == name)

    def end(self, name: str) -> None:
        self.fake.kill(self._id(name))

    def look_at(self, name: str) -> None:
        self.fake.attach(self._id(name))

    def split(self, name: str) -> None:
        self.fake.split(self._id(name))

    def names(self) -> set[str]:
        return {one.name for one in self.fake.inventory.sessions}

    def hang(self) -> None:
        self.fake.hung = True
        self.fake.stir()

    def go_on(self) -> None:
        self.fake.hung = False
        self.fake.stir()

    def vanish(self) -> None:
        self.fake.ended = True
        self.fake.stir()


def context(world: World) -> Context:
    """What a server hands to a provider; the sidebar's program stands in for ours."""
    scripts = world.home / "scripts"
    scripts.mkdir()
    (scripts / "sidebar.py").write_text("import time\nwhile True: time.sleep(1000)\n")
    (scripts / "start.py").write_text("")
    return Context(OWNER, world.runtime, sys.executable, sys.executable, str(scripts))


@pytest.fixture(params=["tmux", "zellij", "fake"])
async def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A multiplexer with the session `main`; its first reading has come."""
    if request.param == "zellij":
        needed()
    world = None if request.param == "fake" else World(next(iter(VERSIONS.values())))
    try:
        if world is None:
            made: Stage = FakeStage()
        else:
            for name in ("HOME", "TERM", "SHELL", "PS1", "LANG", "PATH"):
                monkeypatch.setenv(name, world.env[name])
            for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
                monkeypatch.delenv(name, raising=False)
            made = TmuxStage(world) if request.param == "tmux" else ZellijStage(world)
            monkeypatch.setenv("TMPDIR", world.env.get("TMPDIR", "/tmp"))
        made.follow()
        try:
            await made.until(lambda: made.readings, "the first reading")
            yield made
        finally:
            await made.stop()
    finally:
        if world is not None:
            world.close()
