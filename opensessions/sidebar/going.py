"""Going to what an entry stands for. Pure."""

from __future__ import annotations

from opensessions.sidebar.entries import Entry
from opensessions.sidebar.intents import Collapse, Go
from opensessions.sidebar.motion import unfiltered
from opensessions.sidebar.scene import Outcome, Scene, Ui


def gone(ui: Ui, entry: Entry, scene: Scene) -> Outcome:
    """To the session, or to exactly the window or pane; a heading opens or folds its group."""
    if entry.row:
        return unfiltered(ui, scene), (Go(entry.row.id, entry.target),)
    if entry.other and entry.far:
        return unfiltered(ui, scene), (Go(entry.far.id, mux=entry.other.key),)
    if entry.group:
        return ui, (Collapse(entry.group.id, not entry.group.collapsed),)
    return ui, ()
