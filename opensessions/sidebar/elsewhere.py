"""The sections of the other multiplexers below a sidebar's own rows: which of their rows are listed, and the line above
them. Pure.
"""

from __future__ import annotations

from functools import lru_cache

from opensessions.sidebar.frame import ASCII, UNICODE, Line, Span, exactly, say
from opensessions.sidebar.listing import holds, resembles
from opensessions.sidebar.others import FarRow, Other
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.text import fit, width
from opensessions.snapshot import listed


def far_rows(where: Other, ui: Ui, scene: Scene, loosely: bool) -> tuple[FarRow, ...]:
    """Those that this sidebar's mode and filter leave. `loosely`: where none holds what was typed, those whose names
    have its letters in this order."""
    words = ui.filter.casefold().split()
    rows = tuple(row for row in where.rows if listed(scene.mode, row.state))
    found = tuple(row for row in rows if holds(row.name, [agent for agent, _, _ in row.agents], words))
    if found or not loosely:
        return found
    return tuple(row for row in rows if resembles(row.name, "".join(words)))


@lru_cache(32)
def heading(name: str, cells: int, ascii: bool) -> Line:
    """`── zellij ───────`."""
    look = ASCII if ascii else UNICODE
    said = fit(say(name, look), max(0, cells - 5), look.ellipsis)
    rule = look.rule * max(0, cells - width(said) - 5)
    return exactly([Span(f" {look.rule} ", "hint"), Span(said, "group"), Span(f" {rule} ", "hint")], cells)
