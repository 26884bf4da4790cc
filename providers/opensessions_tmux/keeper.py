"""Keeps sidebars as they are wished: plans after every reading, acts one thing at a time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from opensessions.errors import MuxError, Refused
from opensessions.model import Window
from opensessions.provider import SidebarWish
from opensessions_tmux import commands, placement, sidebars
from opensessions_tmux.options import DRAGGING, MARK
from opensessions_tmux.placement import Action, Close, Memory, OpenShell, Scene, Spawn, Spawned, Unname
from opensessions_tmux.quote import Words
from opensessions_tmux.reading import Reading
from opensessions_tmux.transport import Transport

log = logging.getLogger(__name__)

SETTLE = 0.05
"""Seconds from the first sight of a wrong width to its repair: a terminal is resized in many steps."""
DRAG = 10.0
"""Seconds without a change of any layout after which a drag is over, though nobody said so."""


class Keeper:
    """One tmux server's sidebars."""

    def __init__(self, tmux: Transport, owner: str, argv: Sequence[str], acted: Callable[[], None]) -> None:
        """`argv`: what runs in a sidebar. `acted` is called after every act: read again."""
        self._tmux = tmux
        self._acted = acted
        self._owner = owner
        self._argv = tuple(argv)
        self._lock = asyncio.Lock()
        self._memory = Memory()
        self._settles: float | None = None
        self._layouts: dict[str, str] = {}
        self._moved = 0.0
        """When a layout changed last while a border was dragged."""
        self._widths: dict[str, int] = {}
        """Of our sidebars, when nothing was dragged."""
        self.wish = SidebarWish()
        self.reading: Reading | None = None

    def forget(self) -> None:
        """Another tmux server has taken the socket."""
        self._memory = Memory()
        self._settles = None

    def see(self, reading: Reading) -> None:
        """Take note of a reading; `act` goes by the last one."""
        begun = reading.dragging and not (self.reading and self.reading.dragging)
        self.reading = reading
        windows = reading.inventory.windows.values()
        layouts = {window.id: window.layout for window in windows}
        if not reading.dragging:
            ours = (pane for window in windows for pane in window.panes if pane.mark == self._owner)
            self._widths = {pane.id: pane.width for pane in ours}
        elif begun or layouts != self._layouts:
            self._moved = asyncio.get_running_loop().time()
        self._layouts = layouts

    async def act(self) -> float | None:
        """Do what is to be done. When (the loop's time) to call again without a reading; None: not at all.

        MuxError if tmux does not answer.
        """
        async with self._lock:
            if self.reading is None:
                return None
            now = asyncio.get_running_loop().time()
            await self._end_drag(now)
            scene = Scene(
                self.reading.inventory, self.wish, self._owner, now, self.reading.dragging, self.reading.named
            )
            plan = placement.plan(scene, self._memory)
            settled = self._settled(bool(plan.repairs), now)
            self._memory = plan.memory_after_repairs if settled else plan.memory
            try:
                await self._carry_out([*plan.actions, *(plan.repairs if settled else ())])
            except MuxError:
                self._memory = replace(self._memory, tried={})
                raise
            drag = self._moved + DRAG if self.reading.dragging else None
            return min((due for due in (self._settles, plan.again, drag) if due is not None), default=None)

    def _settled(self, repairs: bool, now: float) -> bool:
        """Whether repairs may be done now; sets the time when they may."""
        if not repairs:
            self._settles = None
            return False
        if self._settles is None:
            self._settles = now + SETTLE
        if now < self._settles:
            return False
        self._settles = None
        return True

    async def spawn(self, window: Window) -> str:
        """Start a sidebar in a window that has none, at once. Its pane id; "" where the window has changed since it
        was read, as when a sidebar has come meanwhile. Refused where it has no room or tmux says no."""
        async with self._lock:
            if not placement.fits(window, self.wish):
                raise Refused(
                    f"This window has {window.width} columns;"
                    f" a sidebar needs {self.wish.width + placement.ROOM} (config: sidebar.width)."
                )
            general, own = await self._names([window.id])
            format = sidebars.kept_name(general, own.get(window.id, ""))
            action = Spawn(window.id, window.zoomed)
            kit = self._kit()
            spawned = [sidebars.spawn(action, kit, format), sidebars.unless_spawned(action, kit)]
            reply = await self._tmux.run(spawned, each=True)
            pane = reply.out.decode("ascii", "replace").strip()
            if not pane:
                if reply.err:
                    raise Refused(f"The sidebar could not be opened: {reply.err}.")
                return ""
            now = asyncio.get_running_loop().time()
            times = {**self._memory.spawned, window.id: Spawned(now, placement.RESPAWN)}
            self._memory = replace(self._memory, spawned=times)
            return pane

    async def adopt(self, pane: str) -> int | None:
        """The drag of a border is over: the width that it gave to this sidebar; None where it gave it none."""
        before = self._widths  # a reading from after the drag may be taken note of while tmux answers
        reply = await self._tmux.run(
            [
                ("set-option", "-gu", DRAGGING),
                ("display-message", "-p", "-t", pane, f"#{{pane_width}} #{{{MARK}}}"),
            ]
        )
        if self.reading is not None:
            self.reading = replace(self.reading, dragging=False)
        width, _, mark = reply.out.decode("utf-8", "replace").strip().partition(" ")
        if mark != self._owner or int(width) == before.get(pane, self.wish.width):
            return None
        return int(width)

    async def _end_drag(self, now: float) -> None:
        """Where the end of a drag was never told (the client went away in its middle)."""
        if self.reading is not None and self.reading.dragging and now >= self._moved + DRAG:
            await self._tmux.run([("set-option", "-gu", DRAGGING)])
            self.reading = replace(self.reading, dragging=False)

    def _kit(self) -> sidebars.Kit:
        return sidebars.Kit(self._owner, self._argv, self.wish, lambda: os.urandom(6).hex())

    async def _carry_out(self, actions: Sequence[Action]) -> None:
        """What tmux refuses (a pane or window is gone) is left: the next reading decides anew."""
        if not actions:
            return
        log.debug("sidebars: %s", actions)
        kit = self._kit()
        layouts: dict[str, str] = {}
        if any(isinstance(action, Close) for action in actions):
            reply = await self._tmux.run([sidebars.ASK_LAYOUTS])
            layouts = sidebars.layouts(reply.out.decode("utf-8", "replace"), actions)
        nameless = sidebars.nameless(actions)
        general, own = await self._names([*_spawning(actions), *nameless])
        batch: list[Words] = []
        for action in actions:
            if isinstance(action, Close):
                if await self._evacuated(action):
                    batch += sidebars.close(action, kit, layouts.get(action.window, ""))
            elif isinstance(action, Spawn):
                format = sidebars.kept_name(general, own.get(action.window, ""))
                batch += [sidebars.spawn(action, kit, format), sidebars.unless_spawned(action, kit)]
            elif isinstance(action, OpenShell):
                batch.append(sidebars.open_shell(action, kit))
            elif not isinstance(action, Unname):
                batch.append(sidebars.repair(action, kit))
        for window in nameless:
            batch += sidebars.free_name(window, own.get(window, ""))
        reply = await self._tmux.run(batch, each=True)
        if not reply.ok:
            log.debug("sidebars: tmux says %s", reply.err)
        self._acted()

    async def _evacuated(self, action: Close) -> bool:
        """Are the clients of a window that will be gone in another session (or gone)?"""
        for client in action.clients:
            reply = await self._tmux.run([commands.switch(client, action.refuge)])
            if not reply.ok and "can't find client" not in reply.err:
                return False
        return True

    async def _names(self, windows: Sequence[str]) -> tuple[str, dict[str, str]]:
        """See `sidebars.names`."""
        if not windows:
            return "", {}
        reply = await self._tmux.run(sidebars.ask_names(windows), each=True)
        return sidebars.names(reply.out.decode("utf-8", "surrogateescape"))


def _spawning(actions: Sequence[Action]) -> list[str]:
    return [action.window for action in actions if isinstance(action, Spawn)]
