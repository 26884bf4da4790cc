"""What is typed into the filter. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from opensessions.sidebar.editing import shortened
from opensessions.sidebar.keys import Key
from opensessions.sidebar.motion import settle, unfiltered
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.text import clean

LONGEST_FILTER = 64
"""Characters."""


def edited(ui: Ui, key: Key, scene: Scene) -> Ui:
    """A key was typed into the filter."""
    if key.text:
        return typed(ui, scene, key.text)
    if key.name == "backspace" and not ui.filter:
        return unfiltered(ui, scene)
    return settle(replace(ui, filter=shortened(ui.filter, key.name), follow=True), scene)


def typed(ui: Ui, scene: Scene, text: str) -> Ui:
    """Text was typed or pasted into the filter."""
    line = clean(ui.filter + " ".join(text.splitlines()))
    return settle(replace(ui, filter=line[:LONGEST_FILTER], follow=True), scene)
