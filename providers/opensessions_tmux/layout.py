"""tmux's layout strings, and the layout that a window has when its sidebar goes. Pure.

A sidebar's coming takes its columns from all panes, its going gives them to one: 100|49|49 becomes 113|42|43
(3.3a). So what a window looked like just before and just after the sidebar came is kept in an option of the window,
and the difference is taken back at the end. What the user changed in between stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

_CELL = re.compile(r"(\d+)x(\d+),(\d+),(\d+)(?:,(\d+))?")
_CLOSING = {"{": "}", "[": "]"}


class Cell(NamedTuple):
    """A pane (`kind` "", `pane` its number), or cells side by side ("{") or one above the other ("[")."""

    kind: Literal["", "{", "["]
    width: int
    height: int
    pane: int = -1
    cells: tuple[Cell, ...] = ()

    def panes(self) -> Iterator[int]:
        """The numbers of its panes, in the layout's order."""
        if not self.kind:
            yield self.pane
        for cell in self.cells:
            yield from cell.panes()


def parse(text: str) -> Cell | None:
    """The cell that a layout string describes; None where it is none."""
    checksum, comma, rest = text.partition(",")
    if not comma or not re.fullmatch("[0-9a-f]{4}", checksum):
        return None
    try:
        cell, end = _parse(rest, 0)
    except ValueError:
        return None
    return cell if end == len(rest) else None


def _parse(text: str, at: int) -> tuple[Cell, int]:
    found = _CELL.match(text, at)
    if found is None:
        raise ValueError(text)
    width, height, at = int(found[1]), int(found[2]), found.end()
    if found[5] is not None:
        return Cell("", width, height, int(found[5])), at
    kind = text[at : at + 1]
    if kind not in ("{", "["):
        raise ValueError(text)
    cells = []
    while True:
        cell, at = _parse(text, at + 1)
        cells.append(cell)
        if text[at : at + 1] == _CLOSING[kind]:
            return Cell(kind, width, height, cells=tuple(cells)), at + 1  # type: ignore[arg-type]
        if text[at : at + 1] != ",":
            raise ValueError(text)


def render(cell: Cell) -> str:
    """The layout string of a window's root cell, as `select-layout` takes it."""
    text = _render(cell, 0, 0)
    checksum = 0
    for character in text.encode():
        checksum = ((checksum >> 1) + ((checksum & 1) << 15) + character) & 0xFFFF
    return f"{checksum:04x},{text}"


def _render(cell: Cell, left: int, top: int) -> str:
    place = f"{cell.width}x{cell.height},{left},{top}"
    if not cell.kind:
        return f"{place},{cell.pane}"
    parts = []
    for inner in cell.cells:
        parts.append(_render(inner, left, top))
        if cell.kind == "{":
            left += inner.width + 1
        else:
            top += inner.height + 1
    return f"{place}{cell.kind}{','.join(parts)}{_CLOSING[cell.kind]}"


def without(root: Cell, pane: int) -> Cell | None:
    """The rest of a window whose outermost left or right column is the pane; None where it is not.

    The rest's width is what it has beside the column.
    """
    if root.kind != "{":
        return None
    rest = tuple(cell for cell in root.cells if cell.kind or cell.pane != pane)
    if len(rest) != len(root.cells) - 1 or not rest or rest not in (root.cells[1:], root.cells[:-1]):
        return None
    if len(rest) == 1:
        return rest[0]
    return Cell("{", sum(cell.width for cell in rest) + len(rest) - 1, root.height, cells=rest)


def restored(before: str, after: str, now: str, pane: int, order: Sequence[int]) -> str:
    """The layout for a window that loses the sidebar `pane`; "" where tmux shall decide.

    `before` and `after` the sidebar came, `now` with the sidebar. tmux deals the cells out in the order of the
    window's panes, whatever numbers the string holds: `order` is that order, without the sidebar.
    """
    root, then, widened, shape = parse(now), parse(before), parse(after), None
    if root is None or then is None or widened is None:
        return ""
    shape, old = without(root, pane), without(widened, pane)
    if shape is None or old is None or list(shape.panes()) != list(order):
        return ""
    cell = _fit(shape, then, old, root.width, root.height)
    return render(cell) if cell else ""


def _fit(now: Cell, before: Cell, after: Cell, width: int, height: int) -> Cell | None:
    """`now` in the given size, each of its cells changed back by what the sidebar's coming changed."""
    if not (now.kind == before.kind == after.kind and now.pane == before.pane == after.pane):
        return None
    if not now.kind:
        return Cell("", width, height, now.pane)
    if not len(now.cells) == len(before.cells) == len(after.cells):
        return None
    triples = list(zip(now.cells, before.cells, after.cells, strict=True))
    if now.kind == "{":
        sizes = _share([cell.width + old.width - new.width for cell, old, new in triples], width)
        places = [(size, height) for size in sizes]
    else:
        sizes = _share([cell.height + old.height - new.height for cell, old, new in triples], height)
        places = [(width, size) for size in sizes]
    cells = [_fit(*triple, *place) for triple, place in zip(triples, places, strict=True)]
    whole = tuple(cell for cell in cells if cell)
    if min(sizes) < 1 or len(whole) < len(cells):
        return None
    return Cell(now.kind, width, height, cells=whole)


def _share(sizes: Sequence[int], total: int) -> list[int]:
    """The sizes with what is missing to `total` (or too much) shared evenly; one line between two cells."""
    each, left = divmod(total - sum(sizes) - (len(sizes) - 1), len(sizes))
    return [size + each + (place < left) for place, size in enumerate(sizes)]
