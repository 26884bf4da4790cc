"""(Scene, Ui) -> Frame: what a sidebar looks like, as text with the names of styles. Pure.

Only the lines on the screen are built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from opensessions.model import AgentState, Row
from opensessions.sidebar import picker
from opensessions.sidebar.confirm import Question, choices, label, words
from opensessions.sidebar.frame import ASCII, UNICODE, Frame, Glyphs, Line, Span, blank, exactly, say, sides
from opensessions.sidebar.keymap import BINDINGS, HINTS
from opensessions.sidebar.rows import ViewOptions, build, thumb
from opensessions.sidebar.text import fit, fit_end, pad, width, wrap
from opensessions.sidebar.ui import Scene, Ui, counted, hits, listing, settle, shape

__all__ = ["ASCII", "UNICODE", "Frame", "Line", "Span", "ViewOptions", "view"]


def view(scene: Scene, ui: Ui, options: ViewOptions, tick: int = 0) -> Frame:
    """The picture. `tick` counts quarters of a second and turns the spinners."""
    ui = settle(ui, scene)
    look = ASCII if options.ascii else UNICODE
    form = shape(ui, scene)
    rows = listing(ui, scene)
    lines: list[Line] = []
    moving = False
    if form.header:
        lines.append(_header(scene, ui, len(rows)))
    if form.notice:
        lines.append(_notice(scene.mux.provider, scene.width, look))
    lines += [blank(scene.width)] * (form.first - len(lines))
    if ui.help:
        lines += _help(ui.help_top, form.rows, scene.width, look)
    elif ui.picker:
        lines += _themes(ui.picker, form.rows, scene.width, look)
    elif rows:
        built, moving = build(scene, ui, options, rows, form.rows, tick % 4)
        lines += built
    else:
        lines += _empty(scene, ui, form.rows, look)
    lines += [blank(scene.width)] * (scene.height - form.footer - len(lines))
    if form.footer:
        lines.append(blank(scene.width) if ui.help else _footer(scene, ui, rows, look))
    return Frame(scene.width, tuple(lines), hits(ui, scene, rows), moving)


# --- around the rows --------------------------------------------------------------------------------------


def _header(scene: Scene, ui: Ui, count: int) -> Line:
    if ui.help:
        return sides([Span(" keys", "title")], [Span("esc closes ", "hint")], scene.width)
    if ui.picker:
        left = [Span(" themes", "title"), Span(f" {len(ui.picker.names)}", "count")]
        return sides(left, [Span("esc goes back ", "hint")], scene.width)
    every = counted(scene.mux)
    many = f" {count}/{every}" if ui.filter else f" {every}"
    left = [Span(" sessions", "title"), Span(many, "count")]
    mode = Span(scene.mode + " ", "hint" if scene.mode == "all" else "mode")
    return sides(left, [mode], scene.width)


def _notice(provider: str, cells: int, look: Glyphs) -> Line:
    options = (f"{provider} does not answer; this is old", f"{provider} does not answer", "no answer")
    text = next((each for each in options if len(each) <= cells - 4), options[-1])
    return exactly([Span(f" {look.states['waiting']} {text}", "warning")], cells)


def _empty(scene: Scene, ui: Ui, room: int, look: Glyphs) -> list[Line]:
    """Why there is no row, and what to do."""
    hidden = any(row.hidden for row in scene.mux.sessions)
    if ui.filter:
        said = ("Nothing matches.", "esc clears the filter.")
    elif not scene.mux.sessions:
        said = (f"Reading {scene.mux.provider}{look.ellipsis if look is UNICODE else '...'}", "")
    elif scene.mode == "agents":
        said = ("No session has an agent.", "tab shows all sessions.")
    elif scene.mode == "active":
        said = ("No agent is at work.", "tab shows all sessions.")
    elif hidden:
        said = ("Every session is hidden.", "X lists them, x brings one back.")
    else:
        said = ("No session.", "r reads again.")
    first, then = (wrap(text, scene.width - 2) for text in said)
    lines = [*((line, "empty") for line in first), ("", "page"), *((line, "hint") for line in then)]
    return [exactly([Span(" " + text, style)], scene.width) for text, style in lines][:room]


def _help(top: int, room: int, cells: int, look: Glyphs) -> list[Line]:
    marked = thumb(top, room, len(BINDINGS))
    return [
        exactly(
            [
                Span(" " + pad(_key(binding.shown or binding.keys[0], look), 6, look.ellipsis), "key"),
                Span(pad(binding.help, cells - 8, look.ellipsis), "name"),
                Span(look.thumb if place in marked else " ", "scroll"),
            ],
            cells,
        )
        for place, binding in enumerate(BINDINGS[top : top + room])
    ]


def _themes(themes: picker.Picker, room: int, cells: int, look: Glyphs) -> list[Line]:
    shown = picker.moved(themes, 0, room)  # the sidebar may have another height meanwhile
    marked = thumb(shown.top, picker.listed(room), len(shown.names))
    return picker.lines(shown, room, cells, look, marked)


def _key(name: str, look: Glyphs) -> str:
    return look.enter if name == "enter" else name


def _footer(scene: Scene, ui: Ui, rows: Sequence[Row], look: Glyphs) -> Line:
    cells = scene.width
    if ui.question:
        return _question(scene, ui.question, look)
    if ui.picker:
        return exactly([Span(f" {look.enter}", "key"), Span(" keeps this one", "hint")], cells)
    if ui.filtering:
        typed = say(ui.filter, look)
        typed = fit_end(typed, cells - 3, look.ellipsis)
        return exactly([Span(" /", "key"), Span(typed, "input"), Span(look.typing, "key")], cells)
    if scene.message:
        text = say(scene.message, look)
        return exactly([Span(" " + fit(text, cells - 2, look.ellipsis), "message")], cells)
    if ui.filter:
        typed = fit_end(say(ui.filter, look), cells - 2, look.ellipsis)
        return sides([Span(" /", "key"), Span(typed, "input")], [Span("esc clears ", "hint")], cells)
    return _news(scene, ui, rows, look) or (
        _hints(cells, look) if scene.focused else _tally(rows, scene, look)
    )


def _question(scene: Scene, question: Question, look: Glyphs) -> Line:
    cells = scene.width
    if question.choice:
        spans: list[Span] = [Span(" ", "hint")]
        for number, agent in enumerate(choices(question, scene.mux, cells), 1):
            name = label(agent)
            spans += [
                Span(f"{number} ", "key"),
                Span(pad(say(name, look), width(name), "") + " ", "warning"),
            ]
        return exactly(spans, cells)
    said = words(question, scene.mux, cells)
    if said is None:
        return blank(cells)
    before, subject, after = said
    room = cells - width(before) - width(after)
    after = say(after, look) if look is ASCII else after
    short = fit(say(subject, look), room, look.ellipsis)
    return exactly([Span(before, "warning"), Span(short, "input"), Span(after, "warning")], cells)


def _news(scene: Scene, ui: Ui, rows: Sequence[Row], look: Glyphs) -> Line | None:
    """What goes before the hints while keys arrive here: how to resume the cursor's agent, what has lost its pane."""
    if not scene.focused:
        return None
    agents = rows[ui.place].agents if ui.place < len(rows) else ()
    resume = next((scene.resumes[agent.id] for agent in agents if agent.id in scene.resumes), "")
    if resume:
        said = fit(say(resume, look), scene.width - 4, look.ellipsis)
        return exactly([Span(" z", "key"), Span(" " + said, "message")], scene.width)
    if scene.orphans:
        said = f" {scene.orphans} orphan{'s' if scene.orphans > 1 else ''}"
        return sides([Span(said, "message")], [Span("R", "key"), Span(" reaps ", "hint")], scene.width)
    return None


def _hints(cells: int, look: Glyphs) -> Line:
    """As many hints as fit, in the order of the key map."""
    by_action = {binding.action: binding for binding in BINDINGS}
    chosen: set[str] = set()
    left = cells - 1
    for action in HINTS:
        needed = width(_key(by_action[action].keys[0], look)) + 1 + len(by_action[action].hint) + 2
        if needed <= left + 1:
            chosen.add(action)
            left -= needed
    spans = [Span(" ", "hint")]
    for binding in BINDINGS:
        if binding.action in chosen:
            spans += [Span(_key(binding.keys[0], look), "key"), Span(f" {binding.hint}  ", "hint")]
    return exactly(spans, cells)


TALLIED: tuple[tuple[AgentState, ...], ...] = (
    ("waiting",), ("error",), ("running", "tool-running"), ("interrupted",), ("done",),
)  # fmt: skip


def _tally(rows: Sequence[Row], scene: Scene, look: Glyphs) -> Line:
    """How many sessions wait, failed, work, are done: what one wants to know while looking elsewhere."""
    cells = scene.width
    counts = Counter(row.state for row in rows)
    spans: list[Span] = []
    left = cells
    for states in TALLIED:
        if count := sum(counts[state] for state in states):
            entry = [Span(f" {look.states[states[0]][0]}", states[0]), Span(f" {count} ", "hint")]
            left -= sum(width(span.text) for span in entry)
            if left < 0:
                break
            spans += entry
    if scene.orphans:
        said = f"{scene.orphans} orphan{'s' if scene.orphans > 1 else ''} "
        return sides(spans, [Span(said, "hint")], cells)
    return exactly(spans, cells)
