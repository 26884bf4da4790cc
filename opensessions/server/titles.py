"""Since when each pane has its title: one that an ended agent left behind is not the next one's."""

from __future__ import annotations

from opensessions.model import Inventory

BEFORE = 0.5
"""Seconds that a title may be older than the agent that it is taken for."""

Known = tuple[str, float | None]
"""A title and since when; None: it was so when we first looked."""


class Titles:
    """The titles of all panes, by multiplexer and pane. Times in seconds, on the clock in which processes start: nobody
    sets that one."""

    def __init__(self) -> None:
        self._titles: dict[str, dict[str, Known]] = {}

    def note(self, mux: str, inventory: Inventory, now: float) -> bool:
        """Take in a reading made at `now`. Does any title differ?"""
        known = self._titles.get(mux, {})
        fresh: dict[str, Known] = {}
        for window in inventory.windows.values():
            for pane in window.panes:
                old = known.get(pane.id)
                same = old is not None and old[0] == pane.title
                fresh[pane.id] = old if old and same else (pane.title, None if old is None else now)
        self._titles[mux] = fresh
        return fresh != known

    def drop(self, mux: str) -> None:
        """The multiplexer is gone."""
        self._titles.pop(mux, None)

    def has(self, mux: str, pane: str) -> bool:
        """Was the pane in the last reading? With a pane its title goes, which says nothing of what ran in it."""
        return pane in self._titles.get(mux, {})

    def of(self, mux: str, pane: str, started: float) -> tuple[str, bool]:
        """The title of the agent that `started` then in this pane, "" where that is another one's; and whether it was
        there before we first looked."""
        title, since = self._titles.get(mux, {}).get(pane, ("", None))
        return (title if since is None or since >= started - BEFORE else ""), since is None

    def __len__(self) -> int:
        return sum(map(len, self._titles.values()))
