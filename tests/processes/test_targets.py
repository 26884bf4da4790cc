"""What belongs to an agent, a pane, a session; on made-up machines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensessions.model import Inventory, Link, Pane, Session, Window
from opensessions.processes.census import Census, count
from opensessions.processes.identity import ProcId
from opensessions.processes.source import Stat
from opensessions.processes.targets import apart, left_of, own_panes, token, tree_of, without


def machine(text: str) -> Census:
    """Words `pid<parent/session.group`; a `+` after it: exited. The group is the session's where it is left out, the
    session is 10."""
    stats = []
    for word in text.split():
        pid, _, rest = word.rstrip("+").partition("<")
        parent, _, rest = rest.partition("/")
        session, _, group = rest.partition(".")
        leader = int(session or 10)
        stats.append(
            Stat(int(pid), int(parent), leader, int(pid), "x", word.endswith("+"), int(group or leader))
        )
    return count(stats, 1)


def pids(processes: tuple[ProcId, ...]) -> list[int]:
    return [each.pid for each in processes]


PANE = "1<0/1 5<1/5 10<5/10 11<10/10.11 12<11/10.11 13<12/13 14<1/10.11 15<1/13 20<5/20 21<20/20 22<1/20"
"""tmux 5 with the panes 10 and 20. In pane 10 the agent 11 with 12, which has made the session 13; 14 has lost its
parent, 15 as well."""


def test_an_agents_tree_is_what_descends_from_it_and_the_sessions_that_it_leads() -> None:
    assert pids(tree_of(11, machine(PANE))) == [11, 12, 13, 15]
    assert tree_of(99, machine(PANE)) == ()
    assert tree_of(3, machine("3<1+ 4<3")) == (), "it has exited"
    assert pids(tree_of(3, machine("3<1 4<3+ 5<4"))) == [3, 5]


def test_a_panes_tree_is_its_session_too() -> None:
    assert sorted(pids(tree_of(10, machine(PANE)))) == [10, 11, 12, 13, 14, 15]
    assert sorted(pids(tree_of(20, machine(PANE)))) == [20, 21, 22]
    assert tree_of(10, machine(PANE.replace("10<5/10 ", ""))) == (), "whose session 10 is nobody can say"


def test_late_arrivals_are_known_by_parents_sessions_and_groups() -> None:
    tree = tree_of(11, machine(PANE))
    later = machine(PANE + " 30<12/10.11 31<1/13.13 32<1/10.11 40<10/10.40")
    assert set(pids(left_of(tree, later, 30))) == {11, 12, 13, 15, 30, 31, 32}, (
        "14 was there before, for itself"
    )
    rootless = machine("1<0/1 5<1/5 10<5/10 13<1/13 31<1/13")
    assert pids(left_of(tree, rootless, 30)) == [13, 31]


def test_the_next_stage_of_a_pipeline_is_no_part_of_the_agent() -> None:
    """`agent | tee log`: both in the group that the agent leads; tee and what it starts stay, now and later."""
    before = machine("1<0/1 10<1/10 11<10/10.11 12<10/10.11 13<1/10.11")
    assert pids(tree_of(11, before)) == [11]
    later = machine(
        "1<0/1 10<1/10 11<10/10.11 12<10/10.11 13<1/10.11 23<12/10.11 24<11/10.11 25<1/10.11 26<10/10.11"
    )
    assert sorted(pids(left_of(tree_of(11, before), later, 20))) == [11, 24, 25]


def test_once_all_have_ended_a_number_means_nothing() -> None:
    tree = tree_of(11, machine(PANE))
    assert left_of(tree, machine("1<0/1 10<1/10 50<1/11.11"), 30) == ()
    reused = machine("1<0/1 10<1/10 11<10/10.11")
    other = count([Stat(11, 10, 10, 999, "x", group=11)], 1)
    assert pids(left_of(tree, reused, 30)) == [11]
    assert left_of(tree, other, 30) == (), "another process with its pid"


def test_what_is_left_falls_into_trees() -> None:
    census = machine("1<0/1 10<1/10 11<10 12<11 20<1 21<20")
    processes = tuple(ProcId(pid, pid) for pid in (11, 12, 20, 21))
    assert [pids(tree) for tree in apart(processes, census)] == [[11, 12], [20, 21]]
    gap = tuple(ProcId(pid, pid) for pid in (10, 12))
    assert [pids(tree) for tree in apart(gap, census)] == [[10, 12]]
    assert apart((), census) == ()


# --- panes ------------------------------------------------------------------------------------------------------


def inventory(sessions: dict[str, str], windows: dict[str, str]) -> Inventory:
    return Inventory(
        1, 1, "3.3a",
        tuple(
            Session(id, f"s{id}", links=tuple(Link(window, at) for at, window in enumerate(own.split())))
            for id, own in sessions.items()
        ),
        {
            id: Window(id, panes=tuple(Pane(pane, id, 5) for pane in panes.split()))
            for id, panes in windows.items()
        },
    )  # fmt: skip


SHARED = inventory({"$1": "@1 @2", "$2": "@2 @3"}, {"@1": "%1 %2", "@2": "%3", "@3": "%4"})


def test_the_panes_of_a_session_are_those_that_no_other_shows() -> None:
    assert own_panes(SHARED, "$1") == ("%1", "%2")
    assert own_panes(SHARED, "$2") == ("%4",)
    assert own_panes(SHARED, "$9") == ()
    twins = inventory({"$1": "@1", "$2": "@1"}, {"@1": "%1"})
    assert own_panes(twins, "$1") == ()


def test_an_inventory_without_panes() -> None:
    less = without(SHARED, {"%1", "%4"})
    assert less.pane("%1") is None
    assert less.pane("%4") is None
    assert less.pane("%2") is not None
    assert SHARED.pane("%1") is not None


def test_a_token_is_another_one_as_soon_as_anything_is() -> None:
    facts = ("session", "tmux-0", (1, 2), "$1", 5, [ProcId(1, 2), None])
    assert token(*facts) == token(*facts)
    others = [("pane", *facts[1:]), (*facts[:4], 6, facts[5]), (*facts[:5], [ProcId(1, 3), None]), facts[:5]]
    assert len({token(*facts), *(token(*each) for each in others)}) == 5
    assert token("a\udc80")


# --- whatever the machine is like ---------------------------------------------------------------------------------


@st.composite
def machines(draw: st.DrawFn) -> Census:
    stats = []
    for pid in range(2, draw(st.integers(3, 20))):
        parent = draw(st.integers(0, 20))
        stats.append(
            Stat(
                pid, parent, draw(st.integers(0, 20)), draw(st.integers(1, 3)), "x", draw(st.booleans()),
                draw(st.integers(0, 20)),
            )
        )  # fmt: skip
    return count(stats, 1)


@settings(max_examples=200)
@given(machines(), machines(), st.integers(2, 20))
def test_only_what_runs_is_named_and_once(before: Census, after: Census, root: int) -> None:
    tree = tree_of(root, before)
    assert len({each.pid for each in tree}) == len(tree)
    assert all(not before.stats[each.pid].exited for each in tree)
    left = left_of(tree, after, 2)
    assert len({each.pid for each in left}) == len(left)
    assert all(not after.stats[each.pid].exited for each in left)
    if all(before.identity(each.pid) != after.identity(each.pid) for each in tree):
        assert left == (), "where no member is left, nothing leads to anybody"
    found = [each for one in apart(left, after) for each in one]
    assert {each.pid for each in found} <= {each.pid for each in left}


@pytest.mark.parametrize("pid", [0, 1, -1, 2**31, 2**64])
def test_odd_pids_name_nothing(pid: int) -> None:
    assert tree_of(pid, machine("7<7/7")) == ()
