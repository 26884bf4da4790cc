"""What keys and the mouse do with the detail: it is opened, closed, sized and scrolled. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from opensessions.sidebar.detail import LEAST, LEAST_SCREEN, MOST, ROWS, Panel, panel
from opensessions.sidebar.entries import session_of
from opensessions.sidebar.frame import ASCII, UNICODE
from opensessions.sidebar.intents import Go, Say, ShowDetail, SizeDetail
from opensessions.sidebar.keys import Mouse
from opensessions.sidebar.motion import unfiltered
from opensessions.sidebar.scene import Outcome, Scene, Shape, Ui, scrolled_by, shape
from opensessions.sidebar.subject import subject_of

CLOSER = 3
"""Cells at the right end of its border that close it."""
WHEEL = 2
"""Lines for one notch of the wheel."""
STEPS: Mapping[str, int] = {"taller": 1, "lower": -1}
SCROLLS: Mapping[str, int] = {"detail-up": -1, "detail-down": 1}


def paneled(ui: Ui, action: str, scene: Scene) -> Outcome:
    """What a key for the detail does. While there is none on the screen, all but the one that opens it do nothing."""
    form = shape(ui, scene)
    if action == "detail":
        if scene.height < LEAST_SCREEN or _most(scene, form) < LEAST:
            return ui, (Say(f"There is no room for the detail: it needs a sidebar of {LEAST_SCREEN} lines."),)
        return ui, (ShowDetail(scene.detail is None),)
    if not form.detail:
        return ui, ()
    if action in STEPS:
        return ui, _sized(form.detail + STEPS[action], scene, form)
    return _scrolled(ui, SCROLLS[action], scene, form), ()


def panel_moused(ui: Ui, event: Mouse, scene: Scene) -> Outcome | None:
    """What a mouse event does to the detail; None where it is elsewhere. Its border can be dragged, the cross on it
    closes it, the wheel scrolls it, a click on an agent or on a screen goes there. With a key held it is meant for the
    terminal, which opens links."""
    form = shape(ui, scene)
    border = scene.height - form.footer - form.detail
    if ui.drag:
        return None  # a row is, and may come by here
    if ui.gripped:
        return _dragged(ui, event, scene, form)
    if not form.detail or not border <= event.y < border + form.detail:
        return None
    match event.kind:
        case "wheel-up" | "wheel-down":
            return _scrolled(ui, -WHEEL if event.kind == "wheel-up" else WHEEL, scene, form), ()
        case "press" if event.button == 1 and event.y == border:
            if event.x >= scene.width - CLOSER:
                return ui, (ShowDetail(False),)
            return replace(ui, gripped=event.y + 1), ()
        case "press" if event.button == 1 and not event.modifiers:
            return _pressed(ui, event.y - border, scene, form)
    return ui, ()


def _dragged(ui: Ui, event: Mouse, scene: Scene, form: Shape) -> Outcome:
    """The border follows the mouse until the button is let go."""
    free = replace(ui, gripped=0)
    height = scene.height - form.footer - event.y
    if not form.detail:
        return free, ()
    if event.kind == "drag":
        return replace(ui, gripped=event.y + 1), _sized(height, scene, form, keep=False)
    if event.kind == "release":
        return free, _sized(height, scene, form, keep=True)
    return ui, ()


def _sized(height: int, scene: Scene, form: Shape, keep: bool = True) -> tuple[SizeDetail, ...]:
    height = max(LEAST, min(height, _most(scene, form), MOST))
    return (SizeDetail(height, keep),) if keep or height != form.detail else ()


def _most(scene: Scene, form: Shape) -> int:
    return scene.height - form.first - form.footer - ROWS


def _scrolled(ui: Ui, step: int, scene: Scene, form: Shape) -> Ui:
    top = max(0, min(scrolled_by(ui) + step, _drawn(ui, scene, form).most))
    return replace(ui, detail_top=top, detail_of=ui.cursor)


def _pressed(ui: Ui, line: int, scene: Scene, form: Shape) -> Outcome:
    """To the pane of the agent that the line tells of, or that it is a part of."""
    pane = _drawn(ui, scene, form).panes[line]
    row = scene.mux.row(session_of(ui.cursor))
    return (unfiltered(ui, scene), (Go(row.id, pane),)) if row and pane else (ui, ())


def _drawn(ui: Ui, scene: Scene, form: Shape) -> Panel:
    assert scene.detail is not None
    return panel(
        subject_of(ui, scene), scene.detail, scrolled_by(ui), scene.width, form.detail,
        ASCII if scene.ascii else UNICODE, "", scene.resumes,
    )  # fmt: skip
