"""Keeps sidebars in zellij as they are wished: plans after every reading, acts one thing at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from opensessions.errors import Refused
from opensessions.model import Window
from opensessions.provider import SidebarWish
from opensessions_zellij import placement
from opensessions_zellij.placement import Action, Close, Memory, OpenShell, Place, Resize, Scene, Spawn
from opensessions_zellij.reader import Reader
from opensessions_zellij.reading import is_sidebar, split
from opensessions_zellij.sessions import Sessions
from opensessions_zellij.transport import Zellij

log = logging.getLogger(__name__)

NAME = "opensessions"


class Keeper:
    """One zellij's sidebars."""

    def __init__(
        self, zellij: Zellij, reader: Reader, sessions: Sessions, owner: str, argv: Sequence[str]
    ) -> None:
        """`argv`: what runs in a sidebar; it holds `owner=…`."""
        self._zellij = zellij
        self._reader = reader
        self._sessions = sessions
        self._owner = owner
        self._argv = tuple(argv)
        self._lock = asyncio.Lock()
        self._memory = Memory()
        self.wish = SidebarWish()

    async def act(self) -> float | None:
        """Do what the last reading asks for. When (the loop's time) to read again; None: not on our account. MuxError
        if zellij does not answer."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            scene = Scene(self._reader.held, self.wish, self._owner, now)
            plan = placement.plan(scene, self._memory)
            self._memory = plan.memory
            for action in plan.actions:
                await self._carry_out(action)
            return now if plan.actions else plan.again

    async def spawn(self, window: Window) -> str:
        """Open a sidebar in a tab that has none, at once; its pane id. Refused where it has no room."""
        async with self._lock:
            session, _ = split(window.id)
            self._reader.doubt(session)  # one may have been opened since, as the wish has it
            fresh = (await self._reader.read()).inventory.windows.get(window.id)
            if (
                found := next((pane for pane in fresh.panes if pane.mark and not pane.dead), None)
                if fresh
                else None
            ):
                return found.id
            held = [(root, held) for root, held in self._reader.held if root.name == session]
            wish = SidebarWish(True, self.wish.width, self.wish.position, self.wish.lone)
            now = asyncio.get_running_loop().time()
            plan = placement.plan(Scene(held, wish, self._owner, now, everywhere=True), Memory())
            for action in plan.actions:
                if isinstance(action, Spawn) and f"{session}/tab_{action.tab}" == window.id:
                    spawned = {**self._memory.spawned, window.id: plan.memory.spawned[window.id]}
                    self._memory = Memory(spawned, self._memory.sized)
                    return f"{session}/{await self._spawn(action)}"
            raise Refused(
                f"No pane at the {wish.position} of this tab has room for a sidebar:"
                f" it needs {wish.width + placement.ROOM} columns (config: sidebar.width)."
            )

    async def close_all(self) -> None:
        """Close every sidebar of ours, also in sessions that nobody looks at."""
        self.wish = SidebarWish(False, self.wish.width, self.wish.position, self.wish.lone)
        await self.act()

    async def _carry_out(self, action: Action) -> None:
        """What zellij refuses (a pane or tab is gone) is left: the next reading decides anew."""
        log.debug("sidebars: %s", action)
        try:
            match action:
                case Spawn():
                    await self._spawn(action)
                case Close():
                    await self._close(action)
                case OpenShell(session=session, pane=pane):
                    words = ("new-pane", "--direction", "right", "--near-current-pane")
                    await self._zellij.action(session, *words, pane=pane.removeprefix("terminal_"))
                case Place():
                    await self._to_the_left(action.session, action.pane)
                case Resize():
                    await self._resize(action.session, action.pane, action.steps)
        except Refused as error:
            log.info("sidebars: %s", error)

    async def _spawn(self, action: Spawn) -> str:
        """Open it to the right of its neighbour: zellij has no other side (0.45.1). Then change places, and make it
        narrow. What fails of that, the next plan finishes."""
        opened = await self._zellij.action(
            action.session, "new-pane", "--direction", "right", "--no-focus", "--borderless", "true",
            "--close-on-exit", "--name", NAME, "--cwd", "/", "--", *self._argv,
            pane=str(action.beside),
        )  # fmt: skip
        pane = opened.strip()
        if not pane:
            pane = await self._opened(action)
        if not pane.startswith("terminal_"):
            raise Refused(f"zellij did not open a sidebar: {opened.strip() or 'it gave no reason'}.")
        if self.wish.position == "left":
            await self._to_the_left(action.session, pane)
        await self._resize(action.session, pane, -action.steps)
        return pane

    async def _opened(self, action: Spawn) -> str:
        """The sidebar that is in the tab though zellij did not say that it has opened one; "" where none is."""
        self._reader.doubt(action.session)
        await self._reader.read()
        cells = (
            cell for root, held in self._reader.held if root.name == action.session for cell in held.cells
        )
        ours = (cell for cell in cells if cell.tab_id == action.tab and is_sidebar(cell, self._owner))
        return next((cell.name for cell in ours if not cell.exited), "")

    async def _to_the_left(self, session: str, pane: str) -> None:
        await self._zellij.action(session, "move-pane", "left", "--pane-id", pane)

    async def _resize(self, session: str, pane: str, steps: int) -> None:
        """By the border on its inner side."""
        border = "right" if self.wish.position == "left" else "left"
        how = "increase" if steps > 0 else "decrease"
        for _ in range(abs(steps)):
            await self._zellij.action(session, "resize", how, border, "--pane-id", pane)

    async def _close(self, action: Close) -> None:
        if action.ends:
            now = (await self._reader.read()).inventory
            for client in now.viewers():
                if client.session == action.session:
                    await self._sessions.move(client, action.refuge, "")
            await self._sessions.kill(action.session)
        else:
            await self._zellij.action(action.session, "close-pane", "--pane-id", action.pane)
