"""(Scene, Ui) -> Frame: what a sidebar looks like, as text with the names of styles. Pure.

Only the lines on the screen are built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from opensessions.model import AgentState, Row
from opensessions.sidebar import picker
from opensessions.sidebar.confirm import Question, choices, label, words
from opensessions.sidebar.detail import panel
from opensessions.sidebar.entries import entries, part_of
from opensessions.sidebar.frame import (
    ASCII,
    UNICODE,
    Frame,
    Glyphs,
    Line,
    Span,
    Wants,
    blank,
    exactly,
    say,
    sides,
)
from opensessions.sidebar.lane import lane_lines
from opensessions.sidebar.lines import build, thumb
from opensessions.sidebar.listing import listing
from opensessions.sidebar.menu import help_lines, hint_line, key_name
from opensessions.sidebar.messages import above, message_lines
from opensessions.sidebar.motion import settle
from opensessions.sidebar.mouse import hits
from opensessions.sidebar.permission import permission_lines
from opensessions.sidebar.renaming import rename_line
from opensessions.sidebar.rows import ViewOptions
from opensessions.sidebar.scene import Scene, Ui, counted, scrolled_by, shape
from opensessions.sidebar.subject import subject_of
from opensessions.sidebar.text import fit, fit_end, pad, width, wrap

LEAST = 4
"""Cells of a name that are worth being shown."""

__all__ = ["ASCII", "UNICODE", "Frame", "Line", "Span", "ViewOptions", "view"]


def view(scene: Scene, ui: Ui, options: ViewOptions, tick: int = 0) -> Frame:
    """The picture. `tick` counts quarters of a second and turns the spinners."""
    ui = settle(ui, scene)
    look = ASCII if options.ascii else UNICODE
    form = shape(ui, scene)
    every = entries(ui, scene)
    rows = listing(ui, scene)
    lines: list[Line] = []
    moving = False
    here = part_of(every[ui.place]) if every else None
    if form.header:
        lines.append(_header(scene, ui, len(rows), here, look))
    if form.notice:
        lines.append(_notice(scene.mux.provider, scene.width, look))
    if form.lane and not (ui.help or ui.picker):
        lines += lane_lines(scene, form.lane, options)
    lines += [blank(scene.width)] * (form.first - len(lines))
    if ui.help:
        marked = thumb(ui.help_top, form.rows, len(scene.keymap.listed()))
        lines += help_lines(scene.keymap, ui.help_top, form.rows, scene.width, look, marked)
    elif ui.picker:
        lines += _themes(ui.picker, form.rows, scene.width, look)
    elif every:
        built, moving = build(scene, ui, options, every, form.rows, tick % 4)
        lines += built
    else:
        lines += _empty(scene, ui, form.rows, look)
    lines += [blank(scene.width)] * (scene.height - form.footer - form.detail - len(lines))
    wants = Wants()
    if scene.detail and form.detail:
        drawn = panel(subject_of(ui, scene), scene.detail, scrolled_by(ui), scene.width, form.detail, look,
                      options.home, scene.resumes)  # fmt: skip
        lines += drawn.lines
        wants = drawn.wants
    if form.footer:
        lines.append(blank(scene.width) if ui.help else _footer(scene, ui, rows, here, look))
    if ui.question and form.footer:
        row = scene.mux.row(ui.question.session)
        who = next((agent.agent for agent in row.agents if agent.id in ui.question.agents), "") if row else ""
        told = permission_lines(ui.question, who, len(lines) - 2, scene.width, look)
        lines[len(lines) - 1 - len(told) : -1] = told
    elif said := above(ui, scene, look is ASCII):
        lines[len(lines) - 1 - len(said) : -1] = said
    return Frame(scene.width, tuple(lines), hits(ui, scene, every), moving, wants)


# --- around the rows --------------------------------------------------------------------------------------


def _header(scene: Scene, ui: Ui, count: int, here: Row | None, look: Glyphs) -> Line:
    if ui.help:
        right = Span(f" {_key(scene, 'leave', look)} closes ", "hint")
        name, room = say(here.name, look) if here else "", scene.width - width(right.text) - 7
        name = fit(name, room, look.ellipsis) if room >= min(LEAST, width(name)) else ""
        return sides([Span(" keys", "title"), Span(f" {name}".rstrip(), "count")], [right], scene.width)
    if ui.picker:
        left = [Span(" themes", "title"), Span(f" {len(ui.picker.names)}", "count")]
        return sides(left, [Span(f"{_key(scene, 'leave', look)} goes back ", "hint")], scene.width)
    every = counted(scene.mux) + len(scene.mux.folded())
    many = f" {count}/{every}" if ui.filter else f" {every}"
    left = [Span(" sessions", "title"), Span(many, "count")]
    mode = Span(scene.mode + " ", "hint" if scene.mode == "all" else "mode")
    return sides(left, [mode], scene.width)


def _key(scene: Scene, action: str, look: Glyphs) -> str:
    """The first key of an action; a dash where the user has taken all of them away."""
    key = scene.keymap.key(action)
    return key_name(key, look) if key else "-"


def _notice(provider: str, cells: int, look: Glyphs) -> Line:
    options = (f"{provider} does not answer; this is old", f"{provider} does not answer", "no answer")
    text = next((each for each in options if len(each) <= cells - 4), options[-1])
    return exactly([Span(f" {look.states['waiting']} {text}", "warning")], cells)


def _empty(scene: Scene, ui: Ui, room: int, look: Glyphs) -> list[Line]:
    """Why there is no row, and what to do."""
    hidden = any(row.hidden for row in scene.mux.sessions)
    if ui.filter:
        said = ("Nothing matches.", f"{_key(scene, 'leave', look)} clears the filter.")
    elif not scene.mux.sessions:
        said = (f"Reading {scene.mux.provider}{look.ellipsis if look is UNICODE else '...'}", "")
    elif scene.mode == "agents":
        said = ("No session has an agent.", f"{_key(scene, 'mode', look)} shows all sessions.")
    elif scene.mode == "active":
        said = ("No agent is at work.", f"{_key(scene, 'mode', look)} shows all sessions.")
    elif hidden:
        keys = _key(scene, "reveal", look), _key(scene, "hide", look)
        said = ("Every session is hidden.", f"{keys[0]} lists them, {keys[1]} brings one back.")
    else:
        said = ("No session.", f"{_key(scene, 'refresh', look)} reads again.")
    first, then = (wrap(text, scene.width - 2) for text in said)
    lines = [*((line, "empty") for line in first), ("", "page"), *((line, "hint") for line in then)]
    return [exactly([Span(" " + text, style)], scene.width) for text, style in lines][:room]


def _themes(themes: picker.Picker, room: int, cells: int, look: Glyphs) -> list[Line]:
    shown = picker.moved(themes, 0, room)  # the sidebar may have another height meanwhile
    marked = thumb(shown.top, picker.listed(room), len(shown.names))
    return picker.lines(shown, room, cells, look, marked)


def _footer(scene: Scene, ui: Ui, rows: Sequence[Row], here: Row | None, look: Glyphs) -> Line:
    cells = scene.width
    if ui.question:
        return _question(scene, ui.question, look)
    if ui.picker:
        return exactly([Span(f" {look.enter}", "key"), Span(" keeps this one", "hint")], cells)
    if ui.renaming:
        return rename_line(ui.renaming, cells, look)
    if ui.filtering:
        typed = say(ui.filter, look)
        typed = fit_end(typed, cells - 3, look.ellipsis)
        return exactly([Span(" /", "key"), Span(typed, "input"), Span(look.typing, "key")], cells)
    if scene.message:
        return message_lines(scene.message, scene.height - 2, cells, look is ASCII)[-1]
    if ui.filter:
        typed = fit_end(say(ui.filter, look), cells - 2, look.ellipsis)
        return sides(
            [Span(" /", "key"), Span(typed, "input")],
            [Span(f"{_key(scene, 'leave', look)} clears ", "hint")],
            cells,
        )
    return _news(scene, here, look) or (
        hint_line(scene.keymap, cells, look) if scene.focused else _tally(rows, scene, look)
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


def _news(scene: Scene, here: Row | None, look: Glyphs) -> Line | None:
    """What goes before the hints while keys arrive here: how to resume the cursor's agent, what has lost its pane."""
    if not scene.focused:
        return None
    agents = here.agents if here else ()
    resume = next((scene.resumes[agent.id] for agent in agents if agent.id in scene.resumes), "")
    if resume:
        said = fit(say(resume, look), scene.width - 4, look.ellipsis)
        return exactly(
            [Span(" " + _key(scene, "hibernate", look), "key"), Span(" " + said, "message")], scene.width
        )
    if scene.orphans:
        said = f" {scene.orphans} orphan{'s' if scene.orphans > 1 else ''}"
        return sides(
            [Span(said, "message")],
            [Span(_key(scene, "reap", look), "key"), Span(" reaps ", "hint")],
            scene.width,
        )
    return None


TALLIED: tuple[tuple[AgentState, ...], ...] = (
    ("waiting",), ("error",), ("running", "tool-running"), ("interrupted",), ("done",),
)  # fmt: skip


def _tally(rows: Sequence[Row], scene: Scene, look: Glyphs) -> Line:
    """How many sessions wait, failed, work, are done: what one wants to know while looking elsewhere."""
    cells = scene.width
    folded = scene.mux.folded()
    states = [row.state for row in rows]
    if folded:  # they are no less at work for being out of sight
        listed = {row.id for row in rows}
        states += [row.state for row in scene.mux.sessions if row.id in folded and row.id not in listed]
    counts = Counter(states)
    spans: list[Span] = []
    left = cells
    for alike in TALLIED:
        if count := sum(counts[state] for state in alike):
            entry = [Span(f" {look.states[alike[0]][0]}", alike[0]), Span(f" {count} ", "hint")]
            left -= sum(width(span.text) for span in entry)
            if left < 0:
                break
            spans += entry
    if scene.orphans:
        said = f"{scene.orphans} orphan{'s' if scene.orphans > 1 else ''} "
        return sides(spans, [Span(said, "hint")], cells)
    return exactly(spans, cells)
