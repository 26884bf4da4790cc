"""Even panes beside a sidebar, as layout strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.errors import Refused
from opensessions.model import Window
from opensessions_tmux.even import even, spread
from opensessions_tmux.layout import Cell, parse, render


def window(panes: list[int], width: int, sidebar: int, right: bool) -> str:
    """The sidebar at an edge, the panes one above the other beside it."""
    column = Cell("", sidebar, 40, 9)
    beside = width - sidebar - 1
    stack = tuple(Cell("", beside, 1, pane) for pane in panes)
    rest = Cell("[", beside, 40, cells=stack) if len(stack) > 1 else Cell("", beside, 40, panes[0])
    return render(Cell("{", width, 40, cells=(rest, column) if right else (column, rest)))


@given(st.integers(1, 8), st.integers(40, 300), st.integers(15, 30), st.booleans())
def test_the_sidebar_keeps_its_width_and_the_rest_is_even(
    count: int, width: int, sidebar: int, right: bool
) -> None:
    panes = list(range(20, 20 + count))
    before = window(panes, width, sidebar, right)
    if width - sidebar - 1 < 2 * count - 1:
        with pytest.raises(Refused, match="no room"):
            even(before, 9)
        return
    found = even(before, 9)
    assert found
    beside, alone = parse(found.beside), parse(found.alone)
    assert beside
    assert alone
    order = [*panes, 9] if right else [9, *panes]
    assert [cell.pane for cell in beside.cells] == order
    widths = {cell.pane: cell.width for cell in beside.cells}
    assert widths.pop(9) == sidebar
    assert max(widths.values()) - min(widths.values()) <= 1
    assert sum(widths.values()) + sidebar + count == width == beside.width == alone.width
    assert list(alone.panes()) == panes


def test_a_sidebar_that_is_no_column_is_left_to_others() -> None:
    layout = render(Cell("[", 100, 40, cells=(Cell("", 100, 20, 9), Cell("", 100, 19, 1))))
    assert even(layout, 9) is None
    assert even("nonsense", 9) is None
    assert spread(Window("@3", layout=layout), "%9") == ("select-layout", "-t", "@3", "even-horizontal")
    assert spread(Window("@3", layout=layout), "")[0] == "select-layout"
