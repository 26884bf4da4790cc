"""What is left of a tree while it ends."""

from __future__ import annotations

from opensessions.processes.census import Census, count
from opensessions.processes.identity import ProcId, boot_id, namespace
from opensessions.processes.remains import remaining
from opensessions.processes.source import Stat


def stat(
    pid: int, ppid: int = 1, start: int = 100, session: int = 10, group: int = 0, exited: bool = False
) -> Stat:
    return Stat(pid, ppid, session, start, "x", exited, group or pid)


def name(pid: int, start: int = 100) -> ProcId:
    return ProcId(pid, start, boot_id(), namespace())


def pids(tree: list[ProcId], census: Census) -> list[int]:
    return [each.pid for each in remaining(tree, census)]


def test_members_stay_in_their_order_and_their_children_join() -> None:
    census = count([stat(10, session=10), stat(30, 10), stat(20, 30), stat(40, 20), stat(5, 10)], 200)
    assert pids([name(30), name(20)], census) == [30, 20, 40]


def test_who_has_ended_or_lost_its_pid_to_another_is_no_member_and_neither_are_that_ones_children() -> None:
    census = count([stat(20, start=900, session=20), stat(21, 20, session=20), stat(30, exited=True)], 1000)
    assert pids([name(20), name(30), name(40)], census) == []


def test_a_child_that_init_took_over_is_found_by_its_group_while_a_member_is_in_it() -> None:
    left = [stat(21, group=20), stat(22, group=20), stat(23, 22, group=23), stat(50, group=50)]
    assert pids([name(20), name(21)], count(left, 200)) == [21, 22, 23]


def test_a_group_that_no_member_is_in_any_more_may_be_anothers() -> None:
    assert pids([name(20), name(21)], count([stat(22, group=20)], 200)) == []


def test_the_session_of_a_pane_is_no_members() -> None:
    """An agent is in the session of its pane's shell; who else is there belongs to the pane."""
    census = count([stat(10, session=10), stat(20, 10, session=10), stat(60, session=10)], 200)
    assert pids([name(20)], census) == [20]


def test_the_session_of_a_member_is_the_members() -> None:
    census = count([stat(20, session=20), stat(61, session=20)], 200)
    assert pids([name(20)], census) == [20, 61]


def test_a_member_keeps_the_name_by_which_it_was_known() -> None:
    known = ProcId(20, 100, boot_id(), namespace(), inode=77)
    assert remaining([known], count([stat(20)], 200)) == (known,)


def test_parents_in_a_circle_end() -> None:
    census = count([stat(20, 21), stat(21, 20)], 200)
    assert sorted(pids([name(20)], census)) == [20, 21]
