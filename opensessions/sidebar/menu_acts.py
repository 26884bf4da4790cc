"""What the mouse does with the help screen, which is a menu as well, and with the hints in the footer. Pure.

The right button on a row opens the menu for that row; what is clicked there is done as by its key.
"""

from __future__ import annotations

from msgspec.structs import replace

from opensessions.sidebar.entries import entries, part_of
from opensessions.sidebar.frame import ASCII, UNICODE
from opensessions.sidebar.keys import Mouse
from opensessions.sidebar.menu import helped_action, hinted_action
from opensessions.sidebar.motion import settle
from opensessions.sidebar.mouse import hits
from opensessions.sidebar.scene import Outcome, Scene, Ui, shape

RIGHT = 3


def clicked(ui: Ui, event: Mouse, scene: Scene) -> str:
    """The action that the left button was pressed on, in the menu or among the hints; "" where it is on none."""
    if event.kind != "press" or event.button != 1:
        return ""
    form = shape(ui, scene)
    if ui.help:
        line = event.y - form.first
        return helped_action(scene.keymap, ui.help_top, line) if 0 <= line < form.rows else ""
    if not form.footer or event.y != scene.height - 1 or not hinting(ui, scene):
        return ""
    return hinted_action(scene.keymap, scene.width, ASCII if scene.ascii else UNICODE, event.x)


def menued(ui: Ui, event: Mouse, scene: Scene) -> Outcome | None:
    """What the right button does: the menu for what is under it. None where this is not about the menu."""
    if event.kind != "press" or event.button != RIGHT or ui.help or ui.filtering:
        return None
    every = entries(ui, scene)
    key = dict(enumerate(hits(ui, scene, every))).get(event.y, "")
    if not any(entry.key == key for entry in every):
        return ui, ()
    there = settle(replace(ui, cursor=key, drag=None), scene)
    return replace(there, help=True, help_top=0), ()


def hinting(ui: Ui, scene: Scene) -> bool:
    """Does the footer show hints, and nothing that goes before them?"""
    if ui.question or ui.picker or ui.filtering or ui.renaming or ui.filter or scene.message:
        return False
    every = entries(ui, scene)
    here = part_of(every[ui.place]) if every else None
    sleeps = here is not None and any(agent.id in scene.resumes for agent in here.agents)
    return scene.focused and not scene.orphans and not sleeps
