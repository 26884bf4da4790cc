"""What the user makes of the sidebars is remembered as it was last."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace

from opensessions.provider import Context, SidebarWish
from opensessions.server.bus import Bus
from opensessions.server.muxes import Mux, Muxes
from opensessions.server.store import Registration, Store

KEY = "tmux-" + "0" * 16


class Slow(Store):
    """A disk on which the first writing takes until it is let go on."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.first = True
        self.go_on = threading.Event()
        self.begun = threading.Event()

    def save_sidebars(self, key: str, wish: SidebarWish) -> None:
        first, self.first = self.first, False
        self.begun.set()
        if first:
            assert self.go_on.wait(20)
        super().save_sidebars(key, wish)


async def test_of_two_wishes_the_later_is_remembered(tmp_path: Path) -> None:
    """Two key presses in one go: the second must not be overwritten by the first, whose writing ends later."""
    store = Slow(str(tmp_path))
    configured = SidebarWish()
    store.sidebars(KEY, configured)
    shown: list[int] = []

    async def sidebars(wish: SidebarWish) -> None:
        shown.append(wish.width)

    context = Context("o" * 32, str(tmp_path), "python", "python", str(tmp_path))
    muxes = Muxes(Bus("i"), store, str(tmp_path), context, configured, {}, "all", False)
    provider = SimpleNamespace(sidebars=sidebars)
    muxes.muxes[KEY] = Mux(provider, configured, Registration("tmux", "/s"))  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        first = asyncio.create_task(muxes.wish(KEY, width=30))
        await asyncio.to_thread(store.begun.wait)
        second = asyncio.create_task(muxes.wish(KEY, width=28))
        await asyncio.wait({second}, timeout=0.2)
        store.go_on.set()
        await asyncio.gather(first, second)
    assert shown == [30, 28]
    assert store.sidebars(KEY, configured).width == 28
