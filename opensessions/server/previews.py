"""The last lines of the panes that a detail shows. No screen is read that nobody sees there.

A screen has no event of its own: it is read again when the state of an agent on it changes, and else after pauses that
grow while nothing moves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from opensessions.errors import MuxError
from opensessions.model import AgentState
from opensessions.server.bus import Bus
from opensessions.server.muxes import Muxes
from opensessions.state import State

log = logging.getLogger(__name__)

SETTLE = 0.15
"""Seconds before a pane's first reading, and after a change of state: a cursor that is on its way passes many rows."""
SHORTEST, LONGEST = 1.0, 10.0
"""Seconds between two readings: after something has moved, and when nothing has for long."""
SLOWER = 1.5
KEPT = 60
"""Lines of a screen that are kept."""
WIDEST = 400
"""Characters of each."""

Key = tuple[str, str]
"""A pane: its multiplexer's key, its id."""


class _Seen:
    """A pane that is wanted."""

    def __init__(self, due: float) -> None:
        self.lines: tuple[str, ...] | None = None
        """None until the first reading."""
        self.pause = SHORTEST
        self.due = due
        """On the loop's clock."""

    def saw(self, lines: tuple[str, ...], now: float) -> bool:
        """It showed this; did anything move?"""
        moved = lines != self.lines
        self.lines = lines
        self.pause = SHORTEST if moved else min(LONGEST, self.pause * SLOWER)
        self.due = now + self.pause
        return moved


class Previews:
    """One task for all of them; it sleeps while nobody looks at any."""

    def __init__(self, bus: Bus, muxes: Muxes) -> None:
        self._bus = bus
        self._muxes = muxes
        self._seen: dict[Key, _Seen] = {}
        self._woken = asyncio.Event()
        self.on_news: Callable[[], None] = lambda: None
        """Called when `screens` tells something new."""
        bus.observe(self._on_change)

    def want(self, panes: Collection[Key]) -> None:
        """From now on these panes and no others."""
        if self._seen.keys() != set(panes):
            due = asyncio.get_running_loop().time() + SETTLE
            self._seen = {key: self._seen.get(key) or _Seen(due) for key in panes}
            self._woken.set()

    def screens(self, mux: str) -> Mapping[str, tuple[str, ...]]:
        """What those of one multiplexer that were read show, by pane id."""
        return {
            pane: seen.lines
            for (key, pane), seen in self._seen.items()
            if key == mux and seen.lines is not None
        }

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            if ready := [key for key, seen in self._seen.items() if seen.due <= loop.time()]:
                await self._look(ready)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min((seen.due for seen in self._seen.values()), default=None)):
                    await self._woken.wait()

    def _on_change(self, new: State, old: State) -> None:
        for (mux, pane), seen in self._seen.items():
            if new.muxes.get(mux) is not old.muxes.get(mux) and _states(new, mux, pane) != _states(
                old, mux, pane
            ):
                seen.due = min(seen.due, asyncio.get_running_loop().time() + SETTLE)
                self._woken.set()

    async def _look(self, ready: Collection[Key]) -> None:
        loop = asyncio.get_running_loop()
        moved = False
        for mux in {mux for mux, _ in ready}:
            asked = {
                pane: self._seen[mux, pane] for key, pane in ready if key == mux and (mux, pane) in self._seen
            }
            for seen in asked.values():
                seen.due = loop.time() + LONGEST
            if mux not in self._muxes.muxes:
                continue
            try:
                shown = await self._muxes.get(mux).provider.screens(list(asked))
            except MuxError as error:
                log.info("%s: screens were not read: %s", mux, error)
                continue
            for pane, seen in asked.items():
                lines = shown.get(pane)
                if lines is None:  # nobody has said
                    seen.due = loop.time() + seen.pause
                else:
                    moved |= seen.saw(last_lines(lines), loop.time())
        if moved:
            self.on_news()


def last_lines(screen: Collection[str]) -> tuple[str, ...]:
    """What is kept of a screen: its last lines, without empty ones at the end, and of those between others one."""
    lines: list[str] = []
    for line in (each[:WIDEST].rstrip() for each in screen):
        if line or (lines and lines[-1]):
            lines.append(line)
    return tuple(lines[-KEPT:] if lines and lines[-1] else lines[-KEPT - 1 : -1])


def _states(state: State, mux: str, pane: str) -> tuple[tuple[str, AgentState], ...]:
    known = state.muxes.get(mux)
    return tuple((agent.id, agent.state) for agent in known.agents.get(pane, ())) if known else ()
