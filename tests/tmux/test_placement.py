"""Where sidebars belong: the planner, without tmux."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import Client, Inventory, Link, Pane, Session, Window
from opensessions.provider import SidebarWish
from opensessions_tmux.placement import (
    CALM,
    LONGEST,
    RESPAWN,
    RETRY,
    STALE,
    TRIES,
    Close,
    Memory,
    OpenShell,
    Place,
    Plan,
    Resize,
    Scene,
    Spawn,
    Unname,
    plan,
)

ME, OTHER = "a" * 32, "b" * 32
WISH = SidebarWish(visible=True, width=26)


def window(
    id: str, *widths: int, marks: dict[int, str] | None = None, zoomed: bool = False, active: int = -1
) -> Window:
    """A window of panes side by side; pane `%<window>0`, `%<window>1` …"""
    panes, left = [], 0
    for place, width in enumerate(widths):
        active_here = place == active % len(widths)
        mark = (marks or {}).get(place, "")
        panes.append(Pane(f"%{id[1:]}{place}", id, 1, active=active_here, left=left, width=width, mark=mark))
        left += width + 1
    return Window(id, "w", left - 1, 50, zoomed, f"layout{widths}", tuple(panes))


def held(
    *windows: Window, sessions: dict[str, list[str]] | None = None, viewers: tuple[str, ...] = ("$0",)
) -> Inventory:
    """The windows in one session each, or as `sessions` says; clients `tty$0` …"""
    by_session = sessions or {f"${number}": [one.id] for number, one in enumerate(windows)}
    return Inventory(
        1, 1, "3.3a",
        tuple(
            Session(id, f"name{id}", links=tuple(Link(one, place, place == 0) for place, one in enumerate(links)))
            for id, links in by_session.items()
        ),
        {one.id: one for one in windows},
        tuple(Client(f"tty{session}", session) for session in viewers),
    )  # fmt: skip


def planned(
    inventory: Inventory,
    wish: SidebarWish = WISH,
    memory: Memory | None = None,
    now: float = 100.0,
    **more: Any,
) -> Plan:
    return plan(Scene(inventory, wish, ME, now, **more), memory or Memory())


MINE = {0: ME}


# --- coming and going ---------------------------------------------------------------------------------------


def test_every_window_of_a_viewed_session_gets_one_and_no_other() -> None:
    inventory = held(
        window("@1", 100),
        window("@2", 49, 50),
        window("@3", 100),
        sessions={"$0": ["@1", "@2"], "$1": ["@3"]},
    )
    assert planned(inventory).actions == (Spawn("@1"), Spawn("@2"))


def test_nobody_looks_nothing_grows() -> None:
    assert planned(held(window("@1", 100), viewers=())).actions == ()
    control = replace(held(window("@1", 100)), clients=(Client("c", "$0", control=True),))
    assert planned(control).actions == ()


def test_a_shared_window_gets_one() -> None:
    inventory = held(
        window("@1", 100), sessions={"$0": ["@1"], "$1": ["@1"], "$2": ["@1"]}, viewers=("$0", "$1")
    )
    assert planned(inventory).actions == (Spawn("@1"),)


def test_windows_on_a_screen_come_first() -> None:
    inventory = held(window("@1", 100), window("@2", 100), sessions={"$0": ["@2", "@1"]})
    assert planned(inventory).actions == (Spawn("@2"), Spawn("@1"))


def test_a_zoomed_window_stays_zoomed() -> None:
    assert planned(held(window("@1", 49, 50, zoomed=True))).actions == (Spawn("@1", zoomed=True),)


def test_a_narrow_window_gets_none_and_keeps_what_it_has() -> None:
    assert planned(held(window("@1", 45))).actions == ()
    assert planned(held(window("@1", 46))).actions == (Spawn("@1"),)
    narrow = planned(held(window("@1", 9, 35, marks=MINE)))
    assert (narrow.actions, narrow.repairs) == ((), ())


def test_a_satisfied_wish_needs_nothing() -> None:
    ready = planned(held(window("@1", 26, 73, marks=MINE), window("@2", 100)))
    assert (ready.actions, ready.repairs, ready.again) == ((), (), None)
    right = planned(held(window("@1", 73, 26, marks={1: ME})), replace(WISH, position="right"))
    assert (right.actions, right.repairs) == ((), ())


def test_switched_off_every_own_one_goes_wherever_it_is() -> None:
    inventory = held(
        window("@1", 26, 73, marks=MINE),
        window("@2", 26, 73, marks=MINE),
        window("@3", 26, 73, marks={0: OTHER}),
    )
    assert planned(inventory, SidebarWish()).actions == (Close("%10", "@1"), Close("%20", "@2"))


def test_a_session_that_nobody_views_any_more_keeps_its_own() -> None:
    away = planned(held(window("@1", 26, 73, marks=MINE), viewers=()))
    assert (away.actions, away.repairs) == ((), ())


def test_a_zoomed_pane_stays_zoomed_when_the_sidebar_goes() -> None:
    inventory = held(window("@1", 26, 73, marks=MINE, zoomed=True, active=1))
    assert planned(inventory, SidebarWish()).actions == (Close("%10", "@1", zoom="%11"),)
    inventory = held(window("@1", 26, 73, marks=MINE, zoomed=True, active=0))
    assert planned(inventory, SidebarWish()).actions == (Close("%10", "@1"),)


def test_of_two_in_a_window_the_column_stays() -> None:
    doubled = planned(held(window("@1", 26, 46, 26, marks={0: ME, 2: ME})))
    assert doubled.actions == (Close("%12", "@1", last=False),)
    doubled = planned(held(window("@1", 26, 46, 26, marks={0: ME, 2: ME})), replace(WISH, position="right"))
    assert doubled.actions == (Close("%10", "@1", last=False),)


def test_a_foreign_sidebar_is_a_pane_like_any_other() -> None:
    assert planned(held(window("@1", 26, 73, marks={0: OTHER}))).actions == (Spawn("@1"),)
    both = planned(held(window("@1", 26, 26, 46, marks={0: ME, 1: OTHER})))
    assert (both.actions, both.repairs) == ((), ())


def test_a_dead_sidebar_goes_and_comes_back() -> None:
    dead = window("@1", 26, 73, marks=MINE)
    dead = replace(dead, panes=(replace(dead.panes[0], dead=True), dead.panes[1]))
    first = planned(held(dead))
    assert first.actions == (Close("%10", "@1"),)
    assert planned(held(window("@1", 100)), memory=first.memory, now=102).actions == (Spawn("@1"),)


def test_names_are_freed_where_no_sidebar_is_or_comes() -> None:
    inventory = held(window("@1", 100), viewers=())
    assert planned(inventory, named=frozenset({"@1"})).actions == (Unname("@1"),)
    assert planned(inventory).actions == ()


# --- the last pane ------------------------------------------------------------------------------------------


def test_a_lone_sidebar_goes_with_its_window() -> None:
    inventory = held(
        window("@1", 100, marks=MINE), window("@2", 26, 73, marks=MINE), sessions={"$0": ["@1", "@2"]}
    )
    assert planned(inventory).actions == (Close("%10", "@1"),)


def test_viewers_leave_a_session_before_its_last_window_goes() -> None:
    lone = window("@2", 100, marks=MINE)
    others = window("@1", 100), window("@3", 100)
    inventory = held(others[0], lone, others[1], viewers=("$1", "$2", "$1"))
    close = planned(inventory).actions[0]
    assert close == Close("%20", "@2", clients=("tty$1", "tty$1"), refuge="$0")
    first = held(lone, others[0], viewers=("$0",))
    assert planned(first).actions == (Close("%20", "@2", clients=("tty$0",), refuge="$1"),)


def test_a_group_leaves_together() -> None:
    inventory = held(
        window("@1", 100, marks=MINE), window("@2", 100), sessions={"$0": ["@1"], "$1": ["@1"], "$2": ["@2"]},
        viewers=("$0", "$1"),
    )  # fmt: skip
    assert planned(inventory).actions == (Close("%10", "@1", clients=("tty$0", "tty$1"), refuge="$2"),)


def test_the_very_last_sidebar_stays() -> None:
    assert planned(held(window("@1", 100, marks=MINE))).actions == ()
    assert planned(held(window("@1", 100, marks=MINE)), SidebarWish()).actions == ()


def test_a_shell_beside_it_where_that_is_wished() -> None:
    wish = replace(WISH, lone="shell")
    assert planned(held(window("@1", 100, marks=MINE)), wish).actions == (OpenShell("%10", 73),)


def test_lone_sidebars_go_one_at_a_time() -> None:
    """Else two windows of one session could go at once, and the session with them."""
    inventory = held(
        window("@1", 100, marks=MINE), window("@2", 100, marks=MINE), window("@3", 100),
        sessions={"$0": ["@1", "@2"], "$1": ["@3"]},
    )  # fmt: skip
    first = planned(inventory)
    assert first.actions == (Close("%10", "@1"),)
    stale = planned(inventory, memory=first.memory, now=100.5)
    assert stale.actions == ()
    assert stale.again == 100 + STALE
    after = held(window("@2", 100, marks=MINE), window("@3", 100))
    assert planned(after, memory=first.memory, now=100.6).actions == (
        Close("%20", "@2", clients=("tty$0",), refuge="$1"),
    )


# --- readings that are older than our last act ----------------------------------------------------------------


def test_a_reading_from_before_the_spawn_spawns_nothing() -> None:
    bare = held(window("@1", 100))
    first = planned(bare)
    assert first.actions == (Spawn("@1"),)
    again = planned(bare, memory=first.memory, now=100.4)
    assert again.actions == ()
    assert again.again == 100 + RESPAWN


def test_a_program_that_always_ends_is_started_ever_more_seldom() -> None:
    bare = held(window("@1", 100))
    memory, now, starts = Memory(), 0.0, []
    while now < 400:
        step = planned(bare, memory=memory, now=now)
        memory = step.memory
        if step.actions:
            starts.append(now)
        assert step.again is None or step.again > now
        now = step.again or now + 0.1
    gaps = [round(after - before, 3) for before, after in itertools.pairwise(starts)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32]
    assert set(gaps[6:]) == {LONGEST}


def test_a_sidebar_that_lived_well_comes_back_at_once() -> None:
    bare = held(window("@1", 100))
    memory = planned(bare).memory
    later = 100 + RESPAWN + CALM + 0.1
    again = planned(bare, memory=memory, now=later)
    assert again.actions == (Spawn("@1"),)
    assert again.memory.spawned["@1"].pause == RESPAWN


def test_toggling_is_no_failure() -> None:
    bare = held(window("@1", 100))
    memory, now = Memory(), 100.0
    for _ in range(5):
        shown = planned(bare, memory=memory, now=now)
        assert shown.actions == (Spawn("@1"),)
        hidden = planned(held(window("@1", 26, 73, marks=MINE)), SidebarWish(), shown.memory, now + 0.2)
        memory, now = hidden.memory, now + 0.2 + STALE


def test_what_is_known_of_a_window_goes_with_it() -> None:
    memory = planned(held(window("@1", 100))).memory
    assert planned(held(window("@2", 100)), memory=memory).memory.spawned.keys() == {"@2"}


# --- width and place ----------------------------------------------------------------------------------------


def test_a_wrong_width_is_repaired_once() -> None:
    wide = held(window("@1", 70, 29, marks=MINE))
    first = planned(wide)
    assert (first.actions, first.repairs) == ((), (Resize("%10", 26),))
    assert planned(wide, memory=first.memory).repairs == (Resize("%10", 26),), "not done yet"
    done = planned(wide, memory=first.memory_after_repairs, now=100 + RETRY / 2)
    assert (done.repairs, done.again) == ((), 100 + RETRY), "done, and of no use yet"


def test_what_did_not_help_is_tried_ever_more_seldom_and_then_left() -> None:
    """A window that was zoomed at the moment of the repair is as it was once the zoom is over."""
    wide = held(window("@1", 70, 29, marks=MINE))
    memory, now, times = Memory(), 0.0, []
    while True:
        step = planned(wide, memory=memory, now=now)
        memory = step.memory_after_repairs
        if step.repairs:
            times.append(now)
        elif step.again is None:
            break
        assert step.again is None or step.again > now
        now = step.again or now
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps == [0.25, 0.5, 1, 2, 4, 8, 16, 32]


def test_another_circumstance_is_another_try() -> None:
    stuck = planned(held(window("@1", 70, 29, marks=MINE))).memory_after_repairs
    assert planned(held(window("@1", 70, 39, marks=MINE)), memory=stuck).repairs
    assert planned(held(window("@1", 70, 29, marks=MINE)), replace(WISH, width=30), memory=stuck).repairs
    right = planned(held(window("@1", 26, 73, marks=MINE)), memory=stuck).memory
    assert planned(held(window("@1", 70, 29, marks=MINE)), memory=right).repairs, "it was right in between"


def test_somebody_who_resizes_for_ever_wins() -> None:
    memory = Memory()
    tries = 0
    for width in range(30, 80):
        step = planned(held(window("@1", width, 99 - width, marks=MINE)), memory=memory)
        memory = step.memory_after_repairs
        tries += len(step.repairs)
    assert tries == TRIES


def test_zoomed_and_dragged_windows_are_left_alone() -> None:
    assert planned(held(window("@1", 70, 29, marks=MINE, zoomed=True))).repairs == ()
    assert planned(held(window("@1", 70, 29, marks=MINE)), dragging=True).repairs == ()
    stuck = planned(held(window("@1", 70, 29, marks=MINE))).memory_after_repairs
    zoomed = planned(held(window("@1", 70, 29, marks=MINE, zoomed=True)), memory=stuck)
    assert planned(held(window("@1", 70, 29, marks=MINE)), memory=zoomed.memory).repairs == ()


def test_a_sidebar_that_is_no_column_any_more_is_put_back() -> None:
    stacked = Window(
        "@1", "w", 100, 50, False, "stacked",
        (
            Pane("%10", "@1", 1, left=0, width=100, mark=ME),
            Pane("%11", "@1", 1, active=True, left=0, width=100),
        ),
    )  # fmt: skip
    assert planned(held(stacked)).repairs == (Place("%10", "%11", active=False),)
    swapped = held(window("@1", 73, 26, marks={1: ME}))
    assert planned(swapped).repairs == (Place("%11", "%10", active=True),)
    assert planned(swapped, replace(WISH, position="right")).repairs == ()


def test_windows_that_nobody_views_are_repaired_too() -> None:
    assert planned(held(window("@1", 70, 29, marks=MINE), viewers=())).repairs == (Resize("%10", 26),)


# --- whatever happens ---------------------------------------------------------------------------------------


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Any windows with any panes in any sessions."""
    windows = []
    for number in range(draw(st.integers(1, 4))):
        widths = draw(st.lists(st.integers(1, 80), min_size=1, max_size=4))
        marks = {place: draw(st.sampled_from(["", "", ME, OTHER])) for place in range(len(widths))}
        made = window(
            f"@{number}", *widths, marks=marks, zoomed=draw(st.booleans()), active=draw(st.integers(0, 3))
        )
        dead = draw(st.integers(0, 9))
        windows.append(
            replace(
                made, panes=tuple(replace(pane, dead=place == dead) for place, pane in enumerate(made.panes))
            )
        )
    ids = [one.id for one in windows]
    sessions = {
        f"${number}": draw(st.lists(st.sampled_from(ids), min_size=1, unique=True)) for number in range(3)
    }
    linked = {id for links in sessions.values() for id in links}
    viewers = tuple(draw(st.lists(st.sampled_from(sorted(sessions)), max_size=3)))
    return held(*(one for one in windows if one.id in linked), sessions=sessions, viewers=viewers)


WISHES = st.builds(
    SidebarWish,
    visible=st.booleans(),
    width=st.integers(15, 60),
    position=st.sampled_from(["left", "right"]),
    lone=st.sampled_from(["close", "shell"]),
)


@given(inventories(), WISHES, st.booleans())
def test_nothing_of_anybody_elses_is_touched(inventory: Inventory, wish: SidebarWish, dragging: bool) -> None:
    done = planned(inventory, wish, dragging=dragging)
    viewed = {link.window for session in inventory.sessions for link in session.links if f"tty{session.id}" in {
        client.name for client in inventory.viewers()
    }}  # fmt: skip
    spawned = [action.window for action in done.actions if isinstance(action, Spawn)]
    assert len(spawned) == len(set(spawned))
    for id in spawned:
        assert wish.visible
        assert id in viewed
        assert all(pane.mark != ME for pane in inventory.windows[id].panes)
        assert inventory.windows[id].width >= wish.width + 20
    for action in (*done.actions, *done.repairs):
        if isinstance(action, Close | OpenShell | Resize | Place):
            pane = inventory.pane(action.pane)
            assert pane is not None
            assert pane.mark == ME
        if isinstance(action, Resize | Place):
            assert not inventory.windows[pane.window].zoomed
            assert not dragging


@given(inventories(), WISHES)
def test_no_viewer_is_left_in_a_session_that_ends(inventory: Inventory, wish: SidebarWish) -> None:
    closed = [action for action in planned(inventory, wish).actions if isinstance(action, Close)]
    panes = {action.pane for action in closed}
    gone = {one.id for one in inventory.windows.values() if {pane.id for pane in one.panes} <= panes}
    ending = {
        session.id for session in inventory.sessions if all(link.window in gone for link in session.links)
    }
    moved = {client: action.refuge for action in closed for client in action.clients}
    for client in inventory.viewers():
        if client.session in ending:
            assert client.name in moved
            assert moved[client.name] not in ending
    assert ending != {session.id for session in inventory.sessions}


@given(inventories(), WISHES)
def test_a_reading_from_before_the_plan_changes_nothing(inventory: Inventory, wish: SidebarWish) -> None:
    first = planned(inventory, wish)
    again = planned(inventory, wish, memory=first.memory_after_repairs, now=100.1)
    assert not [action for action in again.actions if not isinstance(action, OpenShell | Unname)]
    assert again.repairs == ()
