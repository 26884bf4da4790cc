"""Which rows one sidebar lists: those of the multiplexer that pass what was typed into its filter. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opensessions.model import Row
from opensessions.sidebar.scene import Scene, Ui


def listing(ui: Ui, scene: Scene) -> tuple[Row, ...]:
    """The rows with an index (and, if asked for, the hidden ones) that pass this sidebar's filter, which finds those in
    collapsed groups too."""
    rows = scene.mux.visible()
    words = ui.filter.casefold().split()
    if ui.reveal or (words and scene.mux.groups):
        folded = scene.mux.grouped() if words else {}
        rows = tuple(
            row
            for row in scene.mux.sessions
            if row.index is not None or (ui.reveal and row.hidden) or row.id in folded
        )
    if not words:
        return rows
    found = tuple(row for row in rows if holds(row.name, [agent.agent for agent in row.agents], words))
    return found or tuple(row for row in rows if resembles(row.name, "".join(words)))


def holds(name: str, agents: Sequence[str], words: Sequence[str]) -> bool:
    """Is every word a part of the name, or the beginning of an agent's?"""
    name = name.casefold()
    return all(word in name or any(agent.startswith(word) for agent in agents) for word in words)


def resembles(name: str, letters: str) -> bool:
    """Do the letters occur in this order?"""
    rest = iter(name.casefold())
    return all(letter in rest for letter in letters)
