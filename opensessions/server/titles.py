"""Since when each pane has its title: one that an ended agent left behind is not the next one's."""

from __future__ import annotations

from opensessions.model import Inventory

BEFORE = 0.5
"""Seconds that a title may be older than the agent that it is taken for."""


class Titles:
    """The titles of all panes, by (mux, pane)."""

    def __init__(self) -> None:
        self._titles: dict[tuple[str, str], tuple[str, float | None]] = {}
        """The title and since when, in seconds since the epoch; None: it was so when we first looked."""

    def note(self, mux: str, inventory: Inventory, now: float) -> bool:
        """Take in a reading made at `now`, in seconds since the epoch. Does any title differ?"""
        changed = False
        for window in inventory.windows.values():
            for pane in window.panes:
                known = self._titles.get((mux, pane.id))
                if known is None or known[0] != pane.title:
                    self._titles[mux, pane.id] = (pane.title, None if known is None else now)
                    changed = True
        return changed

    def drop(self, mux: str) -> None:
        """The multiplexer is gone."""
        self._titles = {place: title for place, title in self._titles.items() if place[0] != mux}

    def of(self, mux: str, pane: str, started: float) -> tuple[str, bool]:
        """The title of the agent that `started` then in this pane, "" where that is another one's; and whether it was
        there before we first looked."""
        title, since = self._titles.get((mux, pane), ("", None))
        return (title if since is None or since >= started - BEFORE else ""), since is None
