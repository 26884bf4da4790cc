"""What keys, the mouse and pastes do in one sidebar. Pure.

Nothing here changes the multiplexer: what the user wants of it comes out as Intent values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from opensessions.model import Mode
from opensessions.sidebar import picker
from opensessions.sidebar.acts import ACTS, acted
from opensessions.sidebar.asking import answered, ask, questioned
from opensessions.sidebar.confirm import about_orphans
from opensessions.sidebar.editing import CANCELS, EDITS
from opensessions.sidebar.entries import Entry, entries, part_of
from opensessions.sidebar.filtering import edited, typed
from opensessions.sidebar.folding import folded, toggled, unfolded
from opensessions.sidebar.going import gone
from opensessions.sidebar.intents import (
    Close,
    Go,
    Hide,
    Intent,
    Leave,
    Refresh,
    SetMode,
    SetTheme,
    Unhide,
    Widen,
)
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.menu_acts import clicked, menued
from opensessions.sidebar.motion import arrive, helped, moved, settle, unfiltered
from opensessions.sidebar.mouse import moused
from opensessions.sidebar.moving import by_key
from opensessions.sidebar.panel_acts import paneled
from opensessions.sidebar.renaming import pressed
from opensessions.sidebar.scene import Outcome, Scene, Ui, shape

__all__ = ["MODES", "Scene", "Ui", "arrive", "press", "settle"]

MODES: tuple[Mode, ...] = ("all", "agents", "active")


def press(ui: Ui, event: Input, scene: Scene) -> Outcome:
    """What a key, a mouse event or a paste does. An event that means nothing here changes nothing."""
    asked = ui.question is not None
    ui = settle(ui, scene)
    if ui.question:
        return answered(ui, ui.question, event, scene)
    if asked and not isinstance(event, Mouse):
        return ui, ()  # it was meant as an answer
    if ui.picker:
        return _picked(ui, ui.picker, event, scene)
    if ui.renaming:
        renaming, wish = pressed(ui.renaming, event)
        return replace(ui, renaming=renaming), (wish,) if wish else ()
    if ui.gripped and (not isinstance(event, Mouse) or event.kind == "press"):
        ui = replace(ui, gripped=0)  # it was let go over another pane, which nobody tells us
    if ui.drag and not isinstance(event, Mouse):
        dragged = ui.drag.moved
        ui = replace(ui, drag=None)
        if dragged:
            return ui, ()  # any key lets go of what is dragged
    match event:
        case Paste(text=text):
            return (typed(ui, scene, text), ()) if ui.filtering else (ui, ())
        case Mouse():
            if action := clicked(ui, event, scene):
                return _act(replace(ui, help=False), action, scene)
            return menued(ui, event, scene) or moused(ui, event, scene)
        case Key():
            if ui.help:
                return helped(ui, scene.keymap.actions.get(event.name, ""), scene), ()
            if ui.filtering and (event.text or event.name in EDITS):
                return edited(ui, event, scene), ()
            if ui.filtering and event.name in CANCELS:
                return unfiltered(ui, scene), ()
            action = scene.keymap.actions.get(event.name, "")
            return _act(ui, action, scene, scene.keymap.row(event.name))


def _act(ui: Ui, action: str, scene: Scene, row: int = 0) -> Outcome:
    """What an action does. `row`: the index that its key means."""
    every = entries(ui, scene)
    here = every[ui.place] if every else None
    at = here.row if here else None
    match action:
        case "up" | "down" | "first" | "last" | "page-up" | "page-down":
            return moved(ui, action, scene), ()
        case "go" if here:
            return gone(ui, here, scene)
        case "expand" | "collapse" | "toggle-group" if here:
            return FOLDS[action](ui, here, scene)
        case "index":
            target = next((each for each in scene.mux.visible() if each.index == row), None)
            return (unfiltered(ui, scene), (Go(target.id),)) if target else (ui, ())
        case "filter":
            return settle(replace(ui, filtering=True, follow=True), scene), ()
        case "leave":
            return (unfiltered(ui, scene), ()) if ui.filter or ui.filtering else (ui, (Leave(),))
        case "help":
            return replace(ui, help=True, help_top=0), ()
        case "theme":
            return replace(ui, picker=picker.opened(scene.themes, scene.theme, shape(ui, scene).rows)), ()
        case "reveal":
            return settle(replace(ui, reveal=not ui.reveal), scene), ()
        case "hide" if at:
            return ui, (Unhide(at.id) if at.hidden else Hide(at.id),)
        case "move-up" | "move-down" if here:
            step = -1 if action == "move-up" else 1
            wish = by_key(every, ui.place, step, scene.mux, bool(ui.filter))
            return replace(ui, follow=True), (wish,) if wish else ()
        case "mode" | "mode-back":
            step = 1 if action == "mode" else -1
            return ui, (SetMode(MODES[(MODES.index(scene.mode) + step) % len(MODES)]),)
        case "kill-session" | "kill-agent" | "hibernate" if at:
            return questioned(ui, action, at if action == "kill-session" else part_of(here) or at, scene)
        case "detail" | "taller" | "lower" | "detail-up" | "detail-down":
            return paneled(ui, action, scene)
        case "reap" if scene.orphans:
            return ask(ui, about_orphans(scene.orphans), scene)
        case _ if action in ACTS:
            return acted(ui, action, here, scene)
    return ui, (PLAIN[action],) if action in PLAIN else ()


def _picked(ui: Ui, themes: picker.Picker, event: Input, scene: Scene) -> Outcome:
    form = shape(ui, scene)
    action = scene.keymap.actions.get(event.name, "") if isinstance(event, Key) else ""
    after, kept = picker.press(themes, event, action, form.first, form.rows)
    return replace(ui, picker=after), (SetTheme(kept),) if kept else ()


FOLDS: Mapping[str, Callable[[Ui, Entry, Scene], Outcome]] = {
    "expand": unfolded, "collapse": folded, "toggle-group": toggled,
}  # fmt: skip
PLAIN: Mapping[str, Intent] = {
    "close": Close(), "refresh": Refresh(), "wider": Widen(2), "narrower": Widen(-2),
}  # fmt: skip
