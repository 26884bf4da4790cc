"""What one sidebar remembers by itself (cursor, scroll, filter, question), and what keys and the mouse do. Pure.

Nothing here changes the multiplexer: what the user wants of it comes out as Intent values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from opensessions.model import Mode, MuxView, Row
from opensessions.sidebar import picker
from opensessions.sidebar.confirm import (
    Act,
    Question,
    about_agent,
    about_orphans,
    about_session,
    chosen,
    stands,
)
from opensessions.sidebar.intents import (
    Close,
    Go,
    Hibernate,
    Hide,
    Intent,
    KillAgent,
    KillSession,
    Leave,
    Move,
    Reap,
    Refresh,
    Resume,
    Say,
    SetMode,
    SetTheme,
    Unhide,
    Widen,
)
from opensessions.sidebar.keymap import ACTIONS, BINDINGS
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.text import clean, graphemes

LONGEST_FILTER = 64
"""Characters."""

WHEEL = 3
"""Rows for one notch of the wheel."""

MODES: tuple[Mode, ...] = ("all", "agents", "active")


class Ui(Struct, frozen=True):
    """The state of one sidebar. `Ui()` is a new one; its cursor goes to the sidebar's own session."""

    cursor: str = ""
    """A session id. The cursor sticks to the session, wherever its row moves."""
    place: int = 0
    """The cursor's place among the listed rows: where it stays if its session goes."""
    top: int = 0
    """The place of the first row on the screen."""
    anchor: str = ""
    """The session of that row, so that changes above it do not move the picture; "" at the very top."""
    follow: bool = True
    """The picture follows the cursor; False while the wheel has turned it out of sight."""
    filter: str = ""
    filtering: bool = False
    """Keys are typed into the filter."""
    help: bool = False
    help_top: int = 0
    reveal: bool = False
    """Hidden sessions are listed too (without an index)."""
    picker: picker.Picker | None = None
    """The list of themes, while it is open: the sidebar wears the one under its cursor."""
    question: Question | None = None
    """What the user was asked before something is ended; the next key answers it."""


class Scene(Struct, frozen=True):
    """What a sidebar shows, apart from its Ui. Sizes in cells."""

    mux: MuxView
    width: int
    height: int
    own: str = ""
    """The session whose window holds this sidebar."""
    current: str = ""
    """The current session of the client that looks; "" where nobody does."""
    mode: Mode = "all"
    focused: bool = False
    """Keys that the client's user types arrive here."""
    message: str = ""
    """One line for the footer; goes before hints."""
    orphans: int = 0
    """Agents that have lost their pane."""
    themes: tuple[str, ...] = ()
    """The names of all themes; `theme` is the worn one's."""
    theme: str = ""
    resumes: Mapping[str, str] = {}
    """How to resume each hibernated agent, by its id."""
    ripe: bool = False
    """The question has been on the screen for long enough to be read: only then a key means yes."""


Outcome = tuple[Ui, tuple[Intent, ...]]


class Shape(Struct, frozen=True):
    """How the lines of a sidebar are shared out. `first` is the line of the first row, `rows` how many."""

    header: bool
    notice: bool
    first: int
    rows: int
    footer: bool


def shape(ui: Ui, scene: Scene) -> Shape:
    """The shape for this height. It depends on nothing that changes often: rows stay where they are."""
    header = scene.height >= 4
    notice = scene.mux.reachable is False and scene.height >= 3
    air = scene.height >= 12
    footer = scene.height >= 6 or (scene.height >= 2 and bool(ui.filtering or scene.message or ui.question))
    first = header + notice + air
    return Shape(header, notice, first, max(0, scene.height - first - footer), footer)


def counted(mux: MuxView) -> int:
    """How many rows have an index."""
    return next((row.index for row in reversed(mux.sessions) if row.index is not None), 0)


def listing(ui: Ui, scene: Scene) -> tuple[Row, ...]:
    """The rows with an index (and, if asked for, the hidden ones) that pass this sidebar's filter."""
    rows = scene.mux.visible()
    if ui.reveal:
        rows = tuple(row for row in scene.mux.sessions if row.index is not None or row.hidden)
    words = ui.filter.casefold().split()
    if not words:
        return rows
    found = tuple(row for row in rows if _contains(row, words))
    return found or tuple(row for row in rows if _resembles(row.name.casefold(), "".join(words)))


def _contains(row: Row, words: Sequence[str]) -> bool:
    """Is every word a part of the name, or the beginning of an agent's?"""
    name = row.name.casefold()
    return all(word in name or any(agent.agent.startswith(word) for agent in row.agents) for word in words)


def _resembles(name: str, letters: str) -> bool:
    """Do the letters occur in this order?"""
    rest = iter(name)
    return all(letter in rest for letter in letters)


def arrive(ui: Ui, session: str) -> Ui:
    """A client came to this sidebar: the cursor is on the sidebar's own session, nothing is filtered."""
    return Ui(cursor=session, place=ui.place, top=ui.top, anchor=ui.anchor, reveal=ui.reveal)


def settle(ui: Ui, scene: Scene) -> Ui:
    """The Ui made to fit a new scene. The cursor goes to the nearest row if its own is gone; rows on the
    screen stay where they are as far as they can; a question about what has changed is dropped. Keep what it returns:
    the next one starts from it."""
    if ui.question and not _asked(ui.question, scene):
        ui = replace(ui, question=None)
    rows = listing(ui, scene)
    if not rows:
        return ui
    ids = [row.id for row in rows]
    room = shape(ui, scene).rows
    place = _place(ui, scene, ids)
    top = ids.index(ui.anchor) if ui.top and ui.anchor in ids else ui.top
    if ui.follow and room:
        top = max(place - room + 1, min(top, place))
    top = max(0, min(top, len(ids) - max(1, room)))
    cursor, anchor = ids[place], ids[top] if top else ""
    if (cursor, place, top, anchor) == (ui.cursor, ui.place, ui.top, ui.anchor):
        return ui
    return replace(ui, cursor=cursor, place=place, top=top, anchor=anchor)


def _place(ui: Ui, scene: Scene, ids: list[str]) -> int:
    wanted = ui.cursor or scene.own or scene.current
    if wanted in ids:
        return ids.index(wanted)
    every = [row.id for row in scene.mux.sessions]
    if wanted in every:
        listed = set(ids)
        near = next((id for id in every[every.index(wanted) :] if id in listed), ids[-1])
        return ids.index(near)
    return min(ui.place, len(ids) - 1)


def press(ui: Ui, event: Input, scene: Scene) -> Outcome:
    """What a key, a mouse event or a paste does. An event that means nothing here changes nothing."""
    asked = ui.question is not None
    ui = settle(ui, scene)
    if ui.question:
        return _answered(ui, ui.question, event, scene)
    if asked and not isinstance(event, Mouse):
        return ui, ()  # it was meant as an answer
    if ui.picker:
        return _picked(ui, ui.picker, event, scene)
    match event:
        case Paste(text=text):
            return (_typed(ui, scene, text), ()) if ui.filtering else (ui, ())
        case Mouse():
            return _mouse(ui, event, scene)
        case Key():
            if ui.help:
                return _help(ui, ACTIONS.get(event.name, ""), scene), ()
            if ui.filtering and (event.text or event.name in EDITS):
                return _edit(ui, event, scene), ()
            return _act(ui, event, scene)


def _act(ui: Ui, key: Key, scene: Scene) -> Outcome:
    rows = listing(ui, scene)
    at = rows[ui.place] if rows else None
    action = ACTIONS.get(key.name, "")
    match action:
        case "up" | "down" | "first" | "last" | "page-up" | "page-down":
            return _motion(ui, action, scene, len(rows)), ()
        case "go" if at:
            return _unfiltered(ui, scene), (Go(at.id),)
        case "index":
            target = next((row for row in scene.mux.visible() if row.index == int(key.name)), None)
            return (_unfiltered(ui, scene), (Go(target.id),)) if target else (ui, ())
        case "filter":
            return settle(replace(ui, filtering=True, follow=True), scene), ()
        case "leave":
            return (_unfiltered(ui, scene), ()) if ui.filter or ui.filtering else (ui, (Leave(),))
        case "help":
            return replace(ui, help=True, help_top=0), ()
        case "theme":
            return replace(ui, picker=picker.opened(scene.themes, scene.theme, shape(ui, scene).rows)), ()
        case "reveal":
            return settle(replace(ui, reveal=not ui.reveal), scene), ()
        case "hide" if at:
            return ui, (Unhide(at.id) if at.hidden else Hide(at.id),)
        case "move-up" | "move-down" if at:
            return _move(ui, rows, -1 if action == "move-up" else 1)
        case "mode" | "mode-back":
            step = 1 if action == "mode" else -1
            return ui, (SetMode(MODES[(MODES.index(scene.mode) + step) % len(MODES)]),)
        case "kill-session" | "kill-agent" | "hibernate" if at:
            return _question(ui, action, at, scene)
        case "reap" if scene.orphans:
            return _ask(ui, about_orphans(scene.orphans), scene)
    return ui, (PLAIN[action],) if action in PLAIN else ()


def _picked(ui: Ui, themes: picker.Picker, event: Input, scene: Scene) -> Outcome:
    form = shape(ui, scene)
    action = ACTIONS.get(event.name, "") if isinstance(event, Key) else ""
    after, kept = picker.press(themes, event, action, form.first, form.rows)
    return replace(ui, picker=after), (SetTheme(kept),) if kept else ()


# --- questions --------------------------------------------------------------------------------------------

YES = frozenset(("y", "Y", "enter"))


def _question(ui: Ui, action: str, row: Row, scene: Scene) -> Outcome:
    if action == "kill-session":
        return _ask(ui, about_session(row), scene)
    act: Act = "kill-agent" if action == "kill-agent" else "hibernate"
    question = about_agent(act, row)
    if question is None and act == "hibernate":
        question = about_agent("resume", row)
    if question is None:
        return ui, (Say(f"No agent runs in {clean(row.name)}."),)
    return _ask(ui, question, scene)


def _ask(ui: Ui, question: Question, scene: Scene) -> Outcome:
    """Ask, if whoever answers can see it."""
    asking = settle(replace(ui, question=question, follow=True), scene)
    if asking.question is None:
        return ui, (Say("There is no room here to ask you first; make the sidebar larger."),)
    return asking, ()


def _asked(question: Question, scene: Scene) -> bool:
    """Can it be seen and answered, and does it still mean what it says?"""
    here = scene.focused and scene.height >= 2
    return here and stands(question, scene.mux, scene.orphans, scene.width)


def _answered(ui: Ui, question: Question, event: Input, scene: Scene) -> Outcome:
    """Only a yes that comes after the question could be read does anything; all else is a no."""
    if isinstance(event, Mouse) and event.kind in ("release", "drag"):
        return ui, ()
    rest = replace(ui, question=None)
    if not isinstance(event, Key):
        return rest, ()
    if question.choice:
        digit = int(event.name) if event.name in tuple("123456789") else 0
        return replace(ui, question=chosen(question, digit, scene.mux, scene.width)), ()
    if event.name not in YES or not scene.ripe:
        return rest, ()
    match question.act:
        case "kill-session":
            return rest, (KillSession(question.session, question.created),)
        case "kill-agent":
            return rest, (KillAgent(question.agents[0]),)
        case "hibernate":
            return rest, (Hibernate(question.agents[0]),)
        case "resume":
            return rest, (Resume(question.agents[0]),)
        case "reap":
            return rest, (Reap(),)


PLAIN: Mapping[str, Intent] = {
    "close": Close(), "refresh": Refresh(), "wider": Widen(2), "narrower": Widen(-2),
}  # fmt: skip


def _motion(ui: Ui, action: str, scene: Scene, count: int) -> Ui:
    if not count:
        return ui
    page = max(1, shape(ui, scene).rows - 1)
    step = {"up": -1, "down": 1, "page-up": -page, "page-down": page, "first": -count, "last": count}[action]
    place = max(0, min(count - 1, ui.place + step))
    return settle(replace(ui, cursor=listing(ui, scene)[place].id, follow=True), scene)


def _move(ui: Ui, rows: Sequence[Row], step: int) -> Outcome:
    """Past the next listed row, so that a filtered list moves as it looks; indexes tell how far that is."""
    ui = replace(ui, follow=True)
    here = rows[ui.place]
    place = ui.place + step
    while 0 <= place < len(rows):
        if here.index is not None and (there := rows[place].index) is not None:
            return ui, (Move(here.id, there - here.index),)
        place += step
    return ui, ()


def _unfiltered(ui: Ui, scene: Scene) -> Ui:
    return settle(replace(ui, filter="", filtering=False, follow=True), scene)


# --- the filter -------------------------------------------------------------------------------------------

EDITS = frozenset(("backspace", "ctrl-u", "ctrl-w"))


def _edit(ui: Ui, key: Key, scene: Scene) -> Ui:
    if key.text:
        return _typed(ui, scene, key.text)
    if key.name == "backspace" and not ui.filter:
        return _unfiltered(ui, scene)
    if key.name == "backspace":
        rest = "".join(grapheme for grapheme, _ in graphemes(ui.filter)[:-1])
    elif key.name == "ctrl-w":
        words = ui.filter.rstrip()
        rest = words[: words.rfind(" ") + 1]
    else:
        rest = ""
    return settle(replace(ui, filter=rest, follow=True), scene)


def _typed(ui: Ui, scene: Scene, text: str) -> Ui:
    line = clean(ui.filter + " ".join(text.splitlines()))
    return settle(replace(ui, filter=line[:LONGEST_FILTER], follow=True), scene)


# --- the mouse, the help screen ---------------------------------------------------------------------------


def _mouse(ui: Ui, event: Mouse, scene: Scene) -> Outcome:
    step = {"wheel-up": -WHEEL, "wheel-down": WHEEL}.get(event.kind)
    if ui.help:
        if step:
            return _scroll_help(ui, step, scene), ()
        return (replace(ui, help=False), ()) if event.kind == "press" else (ui, ())
    if step:
        return _wheel(ui, step, scene), ()
    if event.kind != "press" or event.button != 1:
        return ui, ()
    session = dict(enumerate(hits(ui, scene, listing(ui, scene)))).get(event.y)
    if not session:
        return ui, ()
    return _unfiltered(replace(ui, cursor=session), scene), (Go(session),)


def hits(ui: Ui, scene: Scene, rows: Sequence[Row]) -> tuple[str, ...]:
    """For each line the session whose row it shows, "" where it shows none. `ui` must be settled, `rows` its
    listing."""
    form = shape(ui, scene)
    ids = [] if ui.help or ui.picker else [row.id for row in rows[ui.top : ui.top + form.rows]]
    return (*[""] * form.first, *ids, *[""] * (scene.height - form.first - len(ids)))


def _wheel(ui: Ui, step: int, scene: Scene) -> Ui:
    rows = listing(ui, scene)
    room = shape(ui, scene).rows
    top = max(0, min(ui.top + step, len(rows) - max(1, room)))
    seen = top <= ui.place < top + room
    return replace(ui, top=top, anchor=rows[top].id if top else "", follow=seen)


def _help(ui: Ui, action: str, scene: Scene) -> Ui:
    page = max(1, shape(ui, scene).rows - 1)
    far = len(BINDINGS)
    steps = {"up": -1, "down": 1, "page-up": -page, "page-down": page, "first": -far, "last": far}
    return _scroll_help(ui, steps[action], scene) if action in steps else replace(ui, help=False)


def _scroll_help(ui: Ui, step: int, scene: Scene) -> Ui:
    most = max(0, len(BINDINGS) - shape(ui, scene).rows)
    return replace(ui, help_top=max(0, min(most, ui.help_top + step)))
