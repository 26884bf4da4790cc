"""What the mouse does, and what each line of the sidebar is about. Pure.

A button does its work when it is let go, since it may be pressed to drag: where it was pressed the cursor is at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from opensessions.sidebar.entries import Entry, entries
from opensessions.sidebar.going import gone
from opensessions.sidebar.keys import Mouse
from opensessions.sidebar.lane import door, lane
from opensessions.sidebar.messages import above
from opensessions.sidebar.motion import entry_at, lines_of, scrolled_help, settle, turned
from opensessions.sidebar.moving import Landing, landing
from opensessions.sidebar.panel_acts import panel_moused
from opensessions.sidebar.scene import Drag, Outcome, Scene, Ui, shape

WHEEL = 3
"""Lines for one notch of the wheel."""


def moused(ui: Ui, event: Mouse, scene: Scene) -> Outcome:
    """What a mouse event does. A message that covers lines is no door to what is below it."""
    if event.kind == "press" and covered(ui, scene, event.y):
        return ui, ()
    if (taken := panel_moused(ui, event, scene)) is not None:
        return taken
    step = {"wheel-up": -WHEEL, "wheel-down": WHEEL}.get(event.kind)
    if ui.help:
        if step:
            return scrolled_help(ui, step, scene), ()
        return (replace(ui, help=False), ()) if event.kind == "press" else (ui, ())
    if step:
        return turned(ui, step, scene), ()
    match event.kind:
        case "press":
            return _pressed(ui, event, scene), ()
        case "drag" if ui.drag:
            return _dragged(ui, ui.drag, event, scene), ()
        case "release" if ui.drag:
            return _released(ui, ui.drag, event, scene)
    return ui, ()


def _pressed(ui: Ui, event: Mouse, scene: Scene) -> Ui:
    """The cursor goes to what was pressed, which does not move for that."""
    every = entries(ui, scene)
    key = dict(enumerate(hits(ui, scene, every))).get(event.y, "")
    if event.button != 1 or not key:
        return replace(ui, drag=None) if ui.drag else ui
    ui = replace(ui, drag=Drag(key, event.y))
    return (
        settle(replace(ui, cursor=key, follow=False), scene)
        if any(entry.key == key for entry in every)
        else ui
    )


def _dragged(ui: Ui, drag: Drag, event: Mouse, scene: Scene) -> Ui:
    """While the button is down: a mark shows where it would land. Above and below the list it scrolls."""
    if event.button != 1 or (event.y == drag.line and not drag.moved):
        return ui
    over = dict(enumerate(hits(ui, scene, entries(ui, scene)))).get(event.y, "")
    ui = replace(ui, drag=replace(drag, moved=True, over=over))
    form = shape(ui, scene)
    below = event.y >= form.first + form.rows
    return turned(ui, 1 if below else -1, scene) if below or event.y < form.first else ui


def _released(ui: Ui, drag: Drag, event: Mouse, scene: Scene) -> Outcome:
    """What was pressed and not moved is gone to; what was moved is moved, if there is a mark. A release elsewhere was a
    move, told or not."""
    ui = _dragged(ui, drag, event, scene)
    drag = ui.drag or drag
    every = entries(ui, scene)
    mark = landed(ui, scene, every)
    free = replace(ui, drag=None)
    if drag.moved:
        return free, (mark.intent,) if mark else ()
    pressed = next((entry for entry in every if entry.key == drag.key), None)
    return gone(free, pressed, scene) if pressed else door(free, drag.key, scene)


def covered(ui: Ui, scene: Scene, line: int) -> bool:
    """Does a message stand in this line, above the footer?"""
    told = len(above(ui, scene, scene.ascii))
    return scene.height - 1 - told <= line < scene.height - 1


def landed(ui: Ui, scene: Scene, every: Sequence[Entry]) -> Landing | None:
    """Where what is being dragged would land now; None where it would stay or nothing is dragged."""
    if ui.drag is None or not ui.drag.moved:
        return None
    here = next((entry for entry in every if entry.key == ui.drag.key), None)
    over = next((entry for entry in every if entry.key == ui.drag.over), None)
    if here is None or over is None or here.kind not in ("session", "group"):
        return None
    return landing(every, here, over, scene.mux)


def hits(ui: Ui, scene: Scene, every: Sequence[Entry]) -> tuple[str, ...]:
    """For each line the key of what it is about, "" where it is about nothing. `ui` must be settled, `every` its
    entries."""
    form = shape(ui, scene)
    keys: list[str] = []
    if not (ui.help or ui.picker):
        keys = shown(ui, every, form.rows)
    calls = [call.key for call in lane(scene, form.lane)] if not (ui.help or ui.picker) else []
    top = [""] * (form.header + form.notice) + calls
    top += [""] * (form.first - len(top))
    found = (*top, *keys, *[""] * (scene.height - form.first - len(keys)))
    told = len(above(ui, scene, scene.ascii))
    return (*found[: scene.height - 1 - told], *[""] * told, *found[scene.height - 1 :]) if told else found


def shown(ui: Ui, every: Sequence[Entry], room: int) -> list[str]:
    """The key of each line of the list that is on the screen."""
    if not every or room < 1:
        return []
    place = entry_at(every, lines_of(every), ui.top)
    keys = [entry.key for entry in every[place : place + room + 1] for _ in range(entry.height)]
    first = ui.top - lines_of(every)[place]
    return keys[first : first + room]
