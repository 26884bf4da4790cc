"""The cursor and the part of the list that is on the screen: they stay where they are as far as they can. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import accumulate

from msgspec.structs import replace

from opensessions.sidebar.confirm import Question, stands
from opensessions.sidebar.entries import Entry, entries, group_key, session_of
from opensessions.sidebar.scene import Scene, Ui, shape


def arrive(ui: Ui, session: str) -> Ui:
    """A client came to this sidebar: the cursor is on the sidebar's own session, nothing is filtered."""
    return Ui(
        cursor=session, place=ui.place, top=ui.top, anchor=ui.anchor, inside=ui.inside, reveal=ui.reveal,
        expanded=ui.expanded,
    )  # fmt: skip


def settle(ui: Ui, scene: Scene) -> Ui:
    """The Ui made to fit a new scene. The cursor goes to the nearest entry if its own is gone; what is on the
    screen stays where it is as far as it can; a question about what has changed is dropped. Keep what it returns:
    the next one starts from it."""
    if ui.question and not _asked(ui.question, scene):
        ui = replace(ui, question=None)
    if ui.expanded and not all(scene.mux.row(id) for id in ui.expanded) and scene.mux.sessions:
        ui = replace(ui, expanded=frozenset(id for id in ui.expanded if scene.mux.row(id)))
    every = entries(ui, scene)
    if not every:
        return ui
    starts = lines_of(every)
    room = shape(ui, scene).rows
    place = _place(ui, scene, every)
    top = _anchored(ui, every, starts)
    if ui.follow and room:
        below = starts[place] + min(every[place].height, room) - room
        top = max(below, min(top, starts[place]))
    return _scrolled(replace_if(ui, cursor=every[place].key, place=place), every, starts, top, room)


def lines_of(every: Sequence[Entry]) -> tuple[int, ...]:
    """The first line of each entry in the list, and how many lines there are. Kept for the last few lists."""
    for known, starts in _kept:
        if known is every:
            return starts
    starts = tuple(accumulate([entry.height for entry in every], initial=0))
    _kept.append((every, starts))
    return starts


_kept: deque[tuple[Sequence[Entry], tuple[int, ...]]] = deque(maxlen=4)


def entry_at(every: Sequence[Entry], starts: Sequence[int], line: int) -> int:
    """The place of the entry that a line of the list belongs to."""
    return max(0, min(len(every), bisect_right(starts, line)) - 1)


def _anchored(ui: Ui, every: Sequence[Entry], starts: Sequence[int]) -> int:
    """The line of the list that keeps the picture where it is."""
    if not ui.top or not ui.anchor:
        return ui.top
    place = next((place for place, entry in enumerate(every) if entry.key == ui.anchor), None)
    return ui.top if place is None else starts[place] + min(ui.inside, every[place].height - 1)


def _scrolled(ui: Ui, every: Sequence[Entry], starts: Sequence[int], top: int, room: int) -> Ui:
    """With the line `top` of the list as the first one on the screen, as far as there are lines enough."""
    top = max(0, min(top, starts[-1] - max(1, room)))
    place = entry_at(every, starts, top)
    return replace_if(
        ui, top=top, anchor=every[place].key if top else "", inside=top - starts[place] if top else 0
    )


def replace_if(ui: Ui, **changes: object) -> Ui:
    """The same object where that changes nothing."""
    return (
        ui if all(getattr(ui, name) == value for name, value in changes.items()) else replace(ui, **changes)
    )


def _place(ui: Ui, scene: Scene, every: Sequence[Entry]) -> int:
    wanted = ui.cursor or scene.own or scene.current
    near = min(ui.place, len(every) - 1)
    if every[near].key == wanted:
        return near
    places = {entry.key: place for place, entry in enumerate(every)}
    if wanted in places:
        return places[wanted]
    session = session_of(wanted)
    if session != wanted and session in places:  # a window or a pane that is gone, or folded away
        own = [place for place, entry in enumerate(every) if entry.row and entry.row.id == session]
        return max((place for place in own if place <= near), default=places[session])
    group = scene.mux.grouped().get(session) if session else None
    if group and group_key(group.id) in places:
        return places[group_key(group.id)]
    known = [row.id for row in scene.mux.sessions]
    if session in known:
        after = known[known.index(session) :]
        return places[next((id for id in after if id in places), every[-1].key)]
    return near


def _asked(question: Question, scene: Scene) -> bool:
    """Can it be seen and answered, and does it still mean what it says?"""
    here = scene.focused and scene.height >= 2
    return here and stands(question, scene.mux, scene.orphans, scene.width)


def moved(ui: Ui, action: str, scene: Scene) -> Ui:
    """The cursor somewhere else in the list."""
    every = entries(ui, scene)
    if not every:
        return ui
    page = max(1, shape(ui, scene).rows - 1)
    last = len(every) - 1
    match action:
        case "up" | "down":
            place = ui.place + (1 if action == "down" else -1)
        case "page-up" | "page-down":
            starts = lines_of(every)
            line = starts[ui.place] + (page if action == "page-down" else -page)
            place = entry_at(every, starts, max(0, line))
            if place == ui.place:
                place += 1 if action == "page-down" else -1
        case _:
            place = last if action == "last" else 0
    return put(ui, every[max(0, min(last, place))].key, scene)


def put(ui: Ui, key: str, scene: Scene) -> Ui:
    """The cursor on the entry with this key, and in sight."""
    return settle(replace(ui, cursor=key, follow=True), scene)


def unfiltered(ui: Ui, scene: Scene) -> Ui:
    """Nothing is filtered; the cursor stays on its row."""
    return settle(replace(ui, filter="", filtering=False, follow=True), scene)


def turned(ui: Ui, step: int, scene: Scene) -> Ui:
    """The wheel was turned by `step` lines; the cursor stays, even out of sight."""
    every = entries(ui, scene)
    if not every:
        return ui
    room = shape(ui, scene).rows
    starts = lines_of(every)
    ui = _scrolled(ui, every, starts, ui.top + step, room)
    seen = ui.top <= starts[ui.place] and starts[ui.place + 1] <= ui.top + room
    return replace_if(ui, follow=seen)


def helped(ui: Ui, action: str, scene: Scene) -> Ui:
    """What a key does on the help screen: it scrolls, or closes it."""
    page = max(1, shape(ui, scene).rows - 1)
    far = len(scene.keymap.listed())
    steps = {"up": -1, "down": 1, "page-up": -page, "page-down": page, "first": -far, "last": far}
    return scrolled_help(ui, steps[action], scene) if action in steps else replace(ui, help=False)


def scrolled_help(ui: Ui, step: int, scene: Scene) -> Ui:
    """The help screen so many lines further."""
    most = max(0, len(scene.keymap.listed()) - shape(ui, scene).rows)
    return replace(ui, help_top=max(0, min(most, ui.help_top + step)))
