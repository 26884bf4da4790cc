"""Panes side by side, equally wide, beside a sidebar that stays as it is. Pure."""

from __future__ import annotations

from msgspec import Struct

from opensessions.errors import Refused
from opensessions.model import Window
from opensessions_tmux.layout import Cell, parse, render, without
from opensessions_tmux.options import LAYOUT
from opensessions_tmux.quote import Words, commands

CHANGED = "changed"
"""Printed where the window has another layout than the one that was read: then nothing was done."""


class Even(Struct, frozen=True):
    """A window's layouts: with the sidebar, and without it for when that goes."""

    beside: str
    alone: str


def even(layout: str, sidebar: int) -> Even | None:
    """The layouts for a window whose pane number `sidebar` is ours. None where that is no column at an edge: it is put
    in its place soon. Refused where a pane would have no column left."""
    root = parse(layout)
    rest = without(root, sidebar) if root else None
    if root is None or rest is None:
        return None
    column = next(cell for cell in root.cells if cell.pane == sidebar)
    panes = list(rest.panes())
    beside = _row(panes, root.width - column.width - 1, root.height)
    alone = _row(panes, root.width, root.height)
    cells = (column, *beside) if root.cells[0] is column else (*beside, column)
    without_sidebar = Cell("{", root.width, root.height, cells=alone) if len(alone) > 1 else alone[0]
    return Even(render(Cell("{", root.width, root.height, cells=cells)), render(without_sidebar))


def _row(panes: list[int], width: int, height: int) -> tuple[Cell, ...]:
    """The panes in so many columns, one of which stands between two of them."""
    each, left = divmod(width - (len(panes) - 1), len(panes))
    if each < 1:
        raise Refused(f"There is no room for {len(panes)} panes side by side.")
    return tuple(Cell("", each + (place < left), height, pane) for place, pane in enumerate(panes))


def spread(window: Window, sidebar: str) -> Words:
    """What makes the panes even; `sidebar` is the id of ours, "" where the window has none. It prints `CHANGED` where
    the window has changed since it was read."""
    wanted = even(window.layout, int(sidebar[1:])) if sidebar else None
    if wanted is None:
        return ("select-layout", "-t", window.id, "even-horizontal")
    act = commands(
        ("select-layout", "-t", window.id, wanted.beside),
        ("set-option", "-w", "-t", window.id, LAYOUT, f"{wanted.alone} {wanted.beside}"),
    )
    same = f"#{{==:#{{=4:window_layout}},{window.layout[:4]}}}"  # a layout begins with its checksum
    return ("if-shell", "-F", "-t", window.id, same, act, f"display-message -p {CHANGED}")
