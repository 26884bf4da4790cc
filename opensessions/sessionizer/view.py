"""(Stage, Chooser) -> Frame: what the screen looks like. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opensessions.sessionizer.chooser import Chooser, Stage, listing, path_asked, place_of, settle, shape
from opensessions.sessionizer.places import Place
from opensessions.sidebar.frame import ASCII, UNICODE, Frame, Glyphs, Line, Span, blank, exactly, say, sides
from opensessions.sidebar.text import fit, fit_end, width

TAGS = {
    "session": "session",
    "known": "zoxide",
    "new": "new folder",
    "typed": "folder",
    "worktree": "worktree",
}
"""What stands at the right end of a row without a branch."""
HINTS = (("enter", "go"), ("tab", "complete"), ("~/", "a path"), ("esc", "close"))


def view(stage: Stage, chooser: Chooser, ascii: bool = False) -> Frame:
    """The picture."""
    chooser = settle(chooser, stage)
    look = ASCII if ascii else UNICODE
    form = shape(stage)
    rows = listing(chooser, stage)
    cells = stage.width
    lines: list[Line] = []
    if form.header:
        every = len(rows) if path_asked(chooser, stage) else len(stage.places)
        many = f" {len(rows)}/{every}" if chooser.query else f" {every}"
        more = Span("searching ", "hint") if stage.searching else Span("", "hint")
        lines.append(sides([Span(" new session", "title"), Span(many, "count")], [more], cells))
    typing = fit_end(say(chooser.query, look), max(0, cells - 4), look.ellipsis)
    lines.append(exactly([Span(" > ", "key"), Span(typing, "input"), Span(look.typing, "key")], cells))
    lines += [blank(cells)] * (form.first - len(lines))
    here = place_of(chooser, rows)
    shown = rows[chooser.top : chooser.top + form.rows]
    lines += [_row(row, place == here, cells, look) for place, row in enumerate(shown, chooser.top)]
    if not rows and form.rows:
        lines.append(exactly([Span(" " + fit(_empty(chooser, stage), cells - 2, ""), "empty")], cells))
    lines += [blank(cells)] * (stage.height - form.footer - len(lines))
    if form.footer:
        lines.append(_footer(chooser, cells, look))
    lines = lines[: stage.height]
    keys = ["" if n < form.first or n - form.first >= len(shown) else shown[n - form.first].key
            for n in range(len(lines))]  # fmt: skip
    return Frame(cells, tuple(lines), tuple(keys))


def _empty(chooser: Chooser, stage: Stage) -> str:
    if path_asked(chooser, stage):
        return "That is no folder." if stage.seen and stage.seen.kind == "other" else "Reading..."
    if stage.searching:
        return "Searching..."
    return "Nothing matches; a path begins with / or ~" if chooser.query else "No folder was found."


def _row(row: Place, here: bool, cells: int, look: Glyphs) -> Line:
    """A mark, the name, where it is, and what it is."""
    on = "cursor " if here else ""
    session = row.kind == "session"
    mark = (look.both if session else look.cursor) if here else look.current if session else " "
    tag = say(row.branch, look) or TAGS.get(row.kind, "")
    tag = fit(tag, max(0, cells // 4), look.ellipsis)
    name = fit(say(row.name, look), max(0, cells - 4), look.ellipsis)
    room = cells - 2 - width(name) - 2 - (width(tag) + 2 if tag else 0)
    around = fit(say(row.where, look), room, look.ellipsis) if room >= 4 else ""
    style = "name-current" if session else "name-strong" if here else "name"
    left = [Span(mark + " ", on + "mark"), Span(name, on + style)]
    left += [Span("  " + around, on + "agent")] if around else []
    used = sum(width(span.text) for span in left)
    gap = cells - used - width(tag) - 1
    end: Sequence[Span] = (
        [Span(" " * gap, on.strip() or "page"), Span(tag, on + "detail")] if tag and gap > 0 else []
    )
    return exactly([*left, *end], cells, on)


def _footer(chooser: Chooser, cells: int, look: Glyphs) -> Line:
    if chooser.said:
        return exactly([Span(" " + fit(say(chooser.said, look), cells - 2, look.ellipsis), "warning")], cells)
    spans = [Span(" ", "hint")]
    for key, hint in HINTS:
        spans += [Span(look.enter if key == "enter" else key, "key"), Span(f" {hint}  ", "hint")]
    return exactly(spans, cells)
