"""The detail of the cursor's row: whether it is shown and how high, and what it tells besides the rows.

What has no event is found out only while a picture that somebody looks at wants it: agents are measured, screens read,
and once a minute ages are told anew. With no detail on any screen nothing of that runs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from opensessions.errors import OpenSessionsError
from opensessions.processes.usage import Use
from opensessions.server.bus import Bus
from opensessions.server.previews import Previews
from opensessions.server.store import DetailWish, Store
from opensessions.sidebar.detail import LEAST, MOST, Detail
from opensessions.sidebar.facts import Takes
from opensessions.sidebar.frame import Wants

log = logging.getLogger(__name__)

MINUTE = 60.0
SAVE_LATER = 1.0
"""Seconds after a drag until the height is saved: the button may be let go where nobody tells us."""


class Measured(Protocol):
    """Who measures agents: see `Trees`."""

    on_usage: Callable[[], None]

    def want(self, agents: Collection[str]) -> None: ...

    def usage_of(self, agents: Collection[str]) -> Mapping[str, Use]: ...


class Details:
    """For all multiplexers and sidebars."""

    def __init__(
        self, bus: Bus, previews: Previews, store: Store, configured: DetailWish,
        spawn: Callable[[Coroutine[Any, Any, None]], Any],
    ) -> None:  # fmt: skip
        self._bus = bus
        self._previews = previews
        self._trees: Measured | None = None
        self._store = store
        self._configured = configured
        self._spawn = spawn
        self._wishes: dict[str, DetailWish] = {}
        self._unsaved: set[str] = set()
        self._saving = asyncio.Lock()
        self._later: asyncio.TimerHandle | None = None
        self._agents: frozenset[str] = frozenset()
        self._takes: Mapping[str, Takes] = {}
        self._minute: asyncio.TimerHandle | None = None
        self.on_news: Callable[[], None] = lambda: None
        """Called when something that is wanted is known or has changed."""
        previews.on_news = self._tell

    def measured_by(self, trees: Measured) -> None:
        """Who measures agents from now on."""
        self._trees = trees
        trees.on_usage = self._measured

    # --- whether and how high -------------------------------------------------------------------------------

    def wish(self, mux: str) -> DetailWish:
        """How this multiplexer's sidebars show it. Reads a small file the first time."""
        if mux not in self._wishes:
            self._wishes[mux] = self._store.detail(mux, self._configured)
        return self._wishes[mux]

    def show(self, mux: str, shown: bool) -> None:
        """Show it or not, in every sidebar of the multiplexer, and remember that."""
        self._become(mux, replace(self.wish(mux), shown=shown), keep=True)

    def size(self, mux: str, height: int, keep: bool) -> None:
        """Give it so many lines; remember them at once where `keep` says so, else soon."""
        self._become(mux, replace(self.wish(mux), height=max(LEAST, min(height, MOST))), keep)

    def _become(self, mux: str, wish: DetailWish, keep: bool) -> None:
        changed = wish != self.wish(mux)
        self._wishes[mux] = wish
        self._unsaved.add(mux)
        if self._later:
            self._later.cancel()
            self._later = None
        if keep:
            self._save_soon()
        else:
            self._later = asyncio.get_running_loop().call_later(SAVE_LATER, self._save_soon)
        if changed:
            self.on_news()

    def _save_soon(self) -> None:
        self._later = None
        self._spawn(self._save())

    async def _save(self) -> None:
        """One at a time: what is on the disk at last is what was wished last."""
        async with self._saving:
            for mux in tuple(self._unsaved):
                self._unsaved.discard(mux)
                await asyncio.to_thread(self._write, mux, self._wishes[mux])

    def _write(self, mux: str, wish: DetailWish) -> None:
        try:
            self._store.save_detail(mux, wish, self._configured)
        except (OSError, OpenSessionsError) as error:
            log.error("%s: the detail's height was not saved: %s", mux, error)

    def close(self) -> None:
        """The server stops: what was not saved yet is, and no timer stays."""
        for mux in self._unsaved:
            self._write(mux, self._wishes[mux])
        self._unsaved.clear()
        for timer in (self._minute, self._later):
            if timer:
                timer.cancel()

    # --- what it tells --------------------------------------------------------------------------------------

    def known(self, mux: str) -> Detail | None:
        """For a picture now; None where no detail is wished."""
        wish = self.wish(mux) if mux else None
        if wish is None or not wish.shown:
            return None
        known = self._bus.state.muxes.get(mux)
        inventory = known.inventory if known else None
        now = time.time() // MINUTE * MINUTE
        return Detail(wish.height, now, inventory, self._takes, self._previews.screens(mux))

    def follow(self, asked: Collection[tuple[str, Wants]]) -> None:
        """These pictures are looked at: each with its multiplexer's key and what it wants. All others are not."""
        self._previews.want({(mux, wants.pane) for mux, wants in asked if wants.pane})
        agents = frozenset(id for _, wants in asked for id in wants.agents)
        if agents != self._agents:
            self._agents = agents
            self._takes = {id: takes for id, takes in self._takes.items() if id in agents}
            if self._trees:
                self._trees.want(agents)
        self._watch_the_clock(any(wants.ages for _, wants in asked))

    def _watch_the_clock(self, ages: bool) -> None:
        if not ages and self._minute:
            self._minute.cancel()
            self._minute = None
        elif ages and self._minute is None:
            left = MINUTE - time.time() % MINUTE
            self._minute = asyncio.get_running_loop().call_later(left, self._next_minute)

    def _next_minute(self) -> None:
        self._minute = None
        self._watch_the_clock(ages=True)
        self._tell()

    def _measured(self) -> None:
        uses = self._trees.usage_of(self._agents) if self._trees else {}
        takes = {id: rounded(use) for id, use in uses.items()}
        if takes != self._takes:
            self._takes = takes
            self._tell()

    def _tell(self) -> None:
        self.on_news()


def rounded(use: Use) -> Takes:
    """To what is worth repainting: whole percents, and two digits or so of the memory."""
    size = None if use.memory is None else use.memory >> 20
    if size is not None and size >= 100:
        step = 10 if size < 1000 else 50
        size = round(size / step) * step
    return Takes(None if use.cpu is None else round(use.cpu), size)
