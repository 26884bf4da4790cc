"""Unfolding sessions into their windows and panes, and groups into their sessions; and folding them away. Pure.

What is unfolded below a session belongs to one sidebar; whether a group is collapsed, to the multiplexer: it decides
the index.
"""

from __future__ import annotations

from msgspec.structs import replace

from opensessions.sidebar.entries import Entry, entries, group_key, window_key
from opensessions.sidebar.intents import Collapse
from opensessions.sidebar.motion import put, settle
from opensessions.sidebar.scene import Outcome, Scene, Ui

MOST = 50
"""Sessions that one sidebar unfolds at a time."""


def unfolded(ui: Ui, entry: Entry, scene: Scene) -> Outcome:
    """Open what is folded; what is open is entered."""
    if ui.filter:
        return ui, ()
    if entry.kind == "group" and entry.group and entry.group.collapsed:
        return ui, (Collapse(entry.group.id, False),)
    if entry.kind == "session" and entry.key not in ui.expanded and len(ui.expanded) < MOST:
        return settle(replace(ui, expanded=ui.expanded | {entry.key}), scene), ()
    every = entries(ui, scene)
    after = every[ui.place + 1] if ui.place + 1 < len(every) else None
    return (put(ui, after.key, scene), ()) if after and _below(after, entry) else (ui, ())


def _below(entry: Entry, parent: Entry) -> bool:
    if parent.kind == "group":
        return entry.group is not None and entry.group == parent.group
    return parent.kind == "session" and entry.kind != "session" and entry.row is parent.row


def folded(ui: Ui, entry: Entry, scene: Scene) -> Outcome:
    """Fold away what is open; from what cannot be folded go to what it stands below."""
    row, group = entry.row, entry.group
    if entry.kind == "group":
        return (ui, (Collapse(group.id, True),)) if group and not group.collapsed else (ui, ())
    if row is None:
        return ui, ()
    if entry.kind == "session" and row.id in ui.expanded:
        return settle(replace(ui, expanded=ui.expanded - {row.id}), scene), ()
    if entry.kind == "session":
        return (put(ui, group_key(group.id), scene), ()) if group and not ui.filter else (ui, ())
    window = entry.window if entry.kind == "pane" else None
    return put(ui, window_key(row.id, window.id) if window else row.id, scene), ()


def toggled(ui: Ui, entry: Entry, scene: Scene) -> Outcome:
    """Open what is folded, fold what is open; on a window or a pane the session that it belongs to."""
    if entry.kind == "group" and entry.group:
        return ui, (Collapse(entry.group.id, not entry.group.collapsed),)
    if entry.row and entry.row.id in ui.expanded:
        return put(replace(ui, expanded=ui.expanded - {entry.row.id}), entry.row.id, scene), ()
    return unfolded(ui, entry, scene)
