"""Layout strings, and what is left when a sidebar goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions_tmux.layout import Cell, parse, render, restored, without

# As tmux 3.3a prints them.
THREE = "9803,150x30,0,0{49x30,0,0,0,49x30,50,0,1,50x30,100,0,2}"
THREE_WITH_SIDEBAR = "7976,150x30,0,0{26x30,0,0,5,40x30,27,0,0,40x30,68,0,1,41x30,109,0,2}"
ONE = "cafd,120x29,0,0,0"
ONE_WITH_SIDEBAR = "28c6,120x29,0,0{26x29,0,0,2,93x29,27,0,0}"


SHAPES: st.SearchStrategy[object] = st.recursive(
    st.just("pane"),
    lambda inner: st.lists(st.tuples(st.integers(1, 9), inner), min_size=2, max_size=3),
    max_leaves=6,
)
"""A pane, or weighted parts."""


def fit(shape: object, width: int, height: int, kind: Literal["{", "["], numbers: Iterator[int]) -> Cell:
    """A layout of this shape in the space, rows and columns by turns."""
    if not isinstance(shape, list):
        return Cell("", width, height, next(numbers))
    other: Literal["{", "["] = "[" if kind == "{" else "{"
    room = (width if kind == "{" else height) - len(shape) + 1
    total = sum(weight for weight, _ in shape)
    sizes = [weight * room // total for weight, _ in shape]
    sizes[0] += room - sum(sizes)
    inner = tuple(
        fit(part, size, height, other, numbers) if kind == "{" else fit(part, width, size, other, numbers)
        for size, (_, part) in zip(sizes, shape, strict=True)
    )
    return Cell(kind, width, height, cells=inner)


def fills(cell: Cell) -> bool:
    """Do the cells fill their space without gap?"""
    if not cell.kind:
        return cell.width > 0 and cell.height > 0
    if cell.kind == "{":
        whole = sum(inner.width for inner in cell.cells) + len(cell.cells) - 1 == cell.width
        whole = whole and all(inner.height == cell.height for inner in cell.cells)
    else:
        whole = sum(inner.height for inner in cell.cells) + len(cell.cells) - 1 == cell.height
        whole = whole and all(inner.width == cell.width for inner in cell.cells)
    return whole and all(fills(inner) for inner in cell.cells)


@pytest.mark.parametrize("text", [THREE, THREE_WITH_SIDEBAR, ONE, ONE_WITH_SIDEBAR])
def test_what_tmux_prints_comes_back_with_its_checksum(text: str) -> None:
    cell = parse(text)
    assert cell is not None
    assert render(cell) == text


@given(SHAPES, st.sampled_from(["{", "["]))
def test_render_and_parse(shape: object, kind: Literal["{", "["]) -> None:
    cell = fit(shape, 900, 900, kind, itertools.count())
    assert fills(cell)
    assert parse(render(cell)) == cell


@pytest.mark.parametrize(
    "text", ["", "x", "9803,", "9803,10x5,0,0", "9803,10x5,0,0{", "9803,10x5,0,0{1x1,0,0,1", THREE + "}"]
)
def test_what_is_no_layout(text: str) -> None:
    assert parse(text) is None


def test_a_sidebar_is_an_outermost_column() -> None:
    left, right = parse(THREE_WITH_SIDEBAR), parse("0000,150x30,0,0{40x30,0,0,0,40x30,41,0,1,68x30,82,0,5}")
    assert left is not None
    assert right is not None
    rest = without(left, 5)
    assert rest is not None
    assert list(rest.panes()) == [0, 1, 2]
    assert rest.width == 123
    assert without(left, 0) is None
    assert without(right, 5) is not None
    assert without(Cell("", 80, 24, 5), 5) is None


def test_an_untouched_window_gets_its_layout_back() -> None:
    assert restored(THREE, THREE_WITH_SIDEBAR, THREE_WITH_SIDEBAR, 5, [0, 1, 2]) == THREE
    assert restored(ONE, ONE_WITH_SIDEBAR, ONE_WITH_SIDEBAR, 2, [0]) == ONE


def test_what_the_user_changed_meanwhile_stays() -> None:
    dragged = "0000,150x30,0,0{26x30,0,0,5,50x30,27,0,0,30x30,78,0,1,41x30,109,0,2}"
    back = parse(restored(THREE, THREE_WITH_SIDEBAR, dragged, 5, [0, 1, 2]))
    assert back is not None
    assert [cell.width for cell in back.cells] == [59, 39, 50]


def test_another_width_of_the_sidebar_or_window_is_shared_out() -> None:
    wider = "0000,150x30,0,0{40x30,0,0,5,36x30,41,0,0,35x30,78,0,1,36x30,114,0,2}"
    back = parse(restored(THREE, THREE_WITH_SIDEBAR, wider, 5, [0, 1, 2]))
    assert back is not None
    assert fills(back)
    assert [cell.width for cell in back.cells] == [50, 49, 49]
    larger = "0000,210x40,0,0{26x40,0,0,5,60x40,27,0,0,60x40,88,0,1,61x40,149,0,2}"
    back = parse(restored(THREE, THREE_WITH_SIDEBAR, larger, 5, [0, 1, 2]))
    assert back is not None
    assert (back.width, back.height) == (210, 40)
    assert fills(back)


@pytest.mark.parametrize(
    ("now", "order"),
    [
        ("0000,150x30,0,0{26x30,0,0,5,61x30,27,0,0,61x30,89,0,1}", [0, 1]),  # a pane has gone
        ("0000,150x30,0,0{26x30,0,0,5,123x30,27,0[123x10,27,0,0,123x9,27,11,1,123x9,27,21,2]}", [0, 1, 2]),
        (THREE_WITH_SIDEBAR, [1, 0, 2]),  # tmux would deal the cells out to other panes
        ("", [0, 1, 2]),
    ],
)
def test_other_panes_are_left_to_tmux(now: str, order: list[int]) -> None:
    assert restored(THREE, THREE_WITH_SIDEBAR, now, 5, order) == ""


@given(SHAPES, st.sampled_from(["{", "["]), st.integers(1, 60), st.booleans())
def test_every_layout_comes_back(shape: object, kind: Literal["{", "["], width: int, left: bool) -> None:
    """However tmux made room for the sidebar: taking it back gives the layout from before."""
    before = fit(shape, 900, 900, kind, itertools.count())
    narrow = fit(shape, 900 - width - 1, 900, kind, itertools.count())
    rest = narrow.cells if narrow.kind == "{" else (narrow,)
    sidebar = (Cell("", width, 900, 99),)
    after = Cell("{", 900, 900, cells=(*sidebar, *rest) if left else (*rest, *sidebar))
    order = list(before.panes())
    assert restored(render(before), render(after), render(after), 99, order) == render(before)
