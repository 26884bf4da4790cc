"""Where sidebars belong in zellij, on panes that were made up."""

from __future__ import annotations

from typing import Any

import pytest

from opensessions.provider import SidebarWish
from opensessions_zellij.placement import (
    Close,
    Memory,
    OpenShell,
    Place,
    Plan,
    Resize,
    Scene,
    Spawn,
    Spawned,
    plan,
    steps,
)
from opensessions_zellij.reading import Cell, Held, Root

SHOWN = SidebarWish(visible=True, width=26)
HIDDEN = SidebarWish()
NOTHING = Memory()


def cell(id: int, tab: int = 0, **more: Any) -> Cell:
    sizes = {"pane_columns": 160, "pane_rows": 38, "pane_y": 1}
    return Cell(id, False, tab, tab, **{**sizes, **more})


def ours(id: int, tab: int = 0, **more: Any) -> Cell:
    return cell(id, tab, terminal_command="python sidebar.py owner=me", **{"pane_columns": 26, **more})


def bar(id: int, tab: int = 0, **more: Any) -> Cell:
    return Cell(id, True, tab, tab, **{"pane_columns": 160, "pane_rows": 1, **more})


def looked(*cells: Cell, by: str = "terminal_0") -> Held:
    return Held(cells, {1: by})


def planned(*sessions: Held, wish: SidebarWish = SHOWN, now: float = 100.0, memory: Memory = NOTHING) -> Plan:
    roots = [(Root(f"s{number}"), held) for number, held in enumerate(sessions)]
    return plan(Scene(roots, wish, "me", now), memory)


def test_one_in_every_tab_of_a_session_that_is_looked_at() -> None:
    found = planned(looked(cell(1, 1), cell(0), bar(9)), Held((cell(5),), {}))
    assert found.actions == (Spawn("s0", 0, 0, 7), Spawn("s0", 1, 1, 7)), "the tab that is shown comes first"


def test_nothing_is_done_twice() -> None:
    first = planned(looked(cell(0)))
    again = planned(looked(cell(0)), now=101.0, memory=first.memory)
    assert again.actions == ()
    assert again.again == 102.0
    shown = planned(looked(ours(1), cell(0, pane_x=26, pane_columns=134)), memory=first.memory)
    assert shown.actions == ()
    assert planned(looked(ours(1), cell(0, pane_x=26, pane_columns=134)), memory=shown.memory).actions == ()


def test_what_was_not_done_of_an_opening_is_done_once() -> None:
    opened = planned(looked(cell(0))).memory
    half = looked(cell(0, pane_columns=80), ours(1, pane_x=80, pane_columns=80))
    found = planned(half, memory=opened)
    assert found.actions == (Place("s0", "terminal_1"), Resize("s0", "terminal_1", -7))
    assert planned(half, memory=found.memory).actions == ()
    right = SidebarWish(visible=True, width=26, position="right")
    opened = planned(looked(cell(0)), wish=right).memory
    assert planned(half, wish=right, memory=opened).actions == (Resize("s0", "terminal_1", -7),)


def test_one_that_was_there_before_us_is_left_as_it_is() -> None:
    assert planned(looked(cell(0, pane_columns=80), ours(1, pane_x=80, pane_columns=80))).actions == ()


def test_one_that_does_not_stay_is_opened_ever_more_rarely() -> None:
    memory, now, pauses = Memory(), 100.0, []
    for _ in range(8):
        found = planned(looked(cell(0)), now=now, memory=memory)
        assert len(found.actions) == 1
        pauses.append(found.memory.spawned["s0/tab_0"].pause)
        now += pauses[-1]
        memory = found.memory
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    calm = Memory({"s0/tab_0": Spawned(0.0, 60.0)})
    assert planned(looked(cell(0)), now=1000.0, memory=calm).memory.spawned["s0/tab_0"].pause == 2


def test_the_highest_pane_at_the_edge_gets_the_neighbour() -> None:
    panes = (
        cell(0, pane_columns=80, pane_rows=10),
        cell(1, pane_columns=80, pane_rows=28, pane_y=11),
        cell(2, pane_x=80, pane_columns=80),
    )
    assert planned(looked(*panes)).actions[0].beside == 1  # type: ignore[union-attr]
    right = SidebarWish(visible=True, width=26, position="right")
    assert planned(looked(*panes), wish=right).actions[0].beside == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "panes",
    [
        (cell(0, pane_columns=40),),
        (cell(0, is_fullscreen=True),),
        (cell(0), cell(1, is_floating=True, is_focused=True)),
        (bar(3),),
        (cell(0, is_suppressed=True),),
    ],
    ids=["narrow", "fullscreen", "floating above", "plugins alone", "suppressed"],
)
def test_where_none_is_opened(panes: tuple[Cell, ...]) -> None:
    held = Held(panes, {1: panes[0].name})
    assert planned(held).actions == ()


def test_hiding_closes_ours_and_nothing_else() -> None:
    held = looked(ours(1), cell(0), ours(3, 1), cell(2, 1))
    assert planned(held, Held((ours(7), cell(8)), {}), wish=HIDDEN).actions == (
        Close("s0", "terminal_1"), Close("s0", "terminal_3"), Close("s1", "terminal_7"),
    )  # fmt: skip


def test_one_too_many_and_dead_ones_are_closed() -> None:
    assert planned(looked(ours(1), ours(2), cell(0))).actions == (Close("s0", "terminal_2"),)
    dead = ours(1, is_held=True)
    assert planned(looked(dead, cell(0))).actions == (Close("s0", "terminal_1"),)
    assert planned(looked(dead, ours(2), cell(0))).actions == (Close("s0", "terminal_1"),)


def test_a_lone_one_goes_with_its_tab() -> None:
    held = looked(ours(1), bar(8), cell(0, 1))
    assert Close("s0", "terminal_1") in planned(held).actions


def test_the_last_lone_one_ends_the_session_if_there_is_a_refuge() -> None:
    lone, other = looked(ours(1), bar(8), by="terminal_1"), Held((cell(0),), {})
    assert planned(lone).actions == ()
    assert planned(lone, other).actions == (Close("s0", "terminal_1", True, "s1"),)
    assert planned(other, lone, other).actions == (Close("s1", "terminal_1", True, "s0"),)


def test_it_is_not_alone_beside_a_plugin_that_the_user_looks_at() -> None:
    held = looked(ours(1), bar(8, pane_rows=30), by="plugin_8")
    assert planned(held, Held((cell(0),), {})).actions == ()


def test_a_shell_is_opened_beside_a_lone_one_where_that_is_wished() -> None:
    wish = SidebarWish(visible=True, lone="shell")
    assert planned(looked(ours(1), by="terminal_1"), wish=wish).actions == (OpenShell("s0", "terminal_1"),)


def test_another_width_is_approached_once_and_the_users_stays() -> None:
    held = looked(ours(1), cell(0, pane_x=26, pane_columns=134))
    found = planned(held)
    wider = SidebarWish(visible=True, width=43)
    changed = planned(held, wish=wider, memory=found.memory)
    assert changed.actions == (Resize("s0", "terminal_1", 2),)
    assert planned(held, wish=wider, memory=changed.memory).actions == ()


@pytest.mark.parametrize(
    ("now", "wished", "total", "found"),
    [(80, 26, 160, -7), (26, 26, 160, 0), (29, 26, 160, 0), (26, 40, 160, 2), (10, 26, 0, 16)],
)
def test_steps(now: int, wished: int, total: int, found: int) -> None:
    assert steps(now, wished, total) == found
