"""What follows from one walk through the process table."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from msgspec.structs import replace

from opensessions.processes import census as module
from opensessions.processes.census import Census, count, take
from opensessions.processes.identity import Liveness, ProcId, boot_id, namespace, read
from opensessions.processes.linux import LinuxSource
from opensessions.processes.source import Stat, this_system
from tests.processes.system import System

KNOWN = ProcId(20, 50, "boot", 7)


def stat(pid: int, ppid: int = 1, session: int = 0, group: int = 0, start: int = 50) -> Stat:
    return Stat(pid, ppid, session, start, "x", group=group)


def made(*stats: Stat, complete: bool = True) -> Census:
    return count(stats, 100, complete, "boot", 7)


def test_descendants_come_after_their_parents() -> None:
    census = made(stat(40), stat(20, 40), stat(30, 20), stat(10, 40), stat(50))
    assert census.below(40) == (10, 20, 30)
    assert census.below(50) == census.below(99) == ()


def test_ancestors_begin_with_the_nearest() -> None:
    census = made(stat(1, 0), stat(20), stat(30, 20), stat(40, 30))
    assert census.above(40) == (30, 20, 1)
    assert census.above(1) == census.above(99) == ()


def test_an_ancestor_that_could_not_be_seen_is_one() -> None:
    assert made(stat(40, 30)).above(40) == (30,)


@pytest.mark.parametrize("circle", [{10: 10}, {10: 20, 20: 10}, {10: 30, 20: 10, 30: 20}])
def test_parents_in_a_circle_end(circle: dict[int, int]) -> None:
    census = made(*(stat(pid, ppid) for pid, ppid in circle.items()))
    others = set(circle) - {10}
    assert set(census.below(10)) == others
    assert set(census.above(10)) >= others


def test_sessions_and_groups_are_known_whether_their_leaders_live_or_not() -> None:
    census = made(
        stat(10, session=10, group=10), stat(12, session=10, group=11), stat(13, session=0, group=0)
    )
    assert census.sessions == {10: (10, 12)}
    assert census.groups == {10: (10,), 11: (12,)}


def test_an_identity_is_of_the_censuss_boot_and_namespace() -> None:
    assert made(stat(20)).identity(20) == KNOWN
    assert made(stat(20)).identity(21) is None
    here = count([stat(20)], 100).identity(20)
    assert here == ProcId(20, 50, boot_id(), namespace())


@pytest.mark.parametrize(
    ("process", "life"),
    [
        (KNOWN, "alive"),
        (replace(KNOWN, inode=5), "alive"),
        (replace(KNOWN, start=49), "dead"),
        (replace(KNOWN, start=51), "dead"),
        (replace(KNOWN, start=0), "unknown"),
        (replace(KNOWN, boot="another"), "dead"),
        (replace(KNOWN, boot=""), "unknown"),
        (replace(KNOWN, namespace=8), "unknown"),
        (replace(KNOWN, namespace=0), "unknown"),
        (replace(KNOWN, pid=21), "dead"),
        (replace(KNOWN, pid=21, start=99), "dead"),
        (replace(KNOWN, pid=21, start=100), "unknown"),
        (replace(KNOWN, pid=21, start=0), "unknown"),
    ],
    ids=str,
)
def test_what_became_of_a_process(process: ProcId, life: Liveness) -> None:
    assert made(stat(20)).fate(process) == life


def test_a_zombie_is_dead() -> None:
    assert made(replace(stat(20), exited=True)).fate(KNOWN) == "dead"


def test_absence_proves_nothing_where_somebody_may_be_hidden() -> None:
    census = made(stat(20), complete=False)
    assert census.fate(replace(KNOWN, pid=21)) == "unknown"
    assert census.fate(replace(KNOWN, start=49)) == "dead"
    assert census.fate(KNOWN) == "alive"


# --- reading it ------------------------------------------------------------------------------------------------


class Guarded(System):
    """Hides what it is told to: on the list or not, but never read."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: set[int] = set()
        self.exiting: set[int] = set()
        """These exit when they are read."""
        self.listings = 0

    def pids(self) -> set[int]:
        self.listings += 1
        return super().pids()

    def stat(self, pid: int) -> Stat | None:
        if pid in self.exiting:
            self.exiting.remove(pid)
            self.exit(pid)
        return None if pid in self.unreadable else super().stat(pid)


def test_a_whole_census_is_complete_and_lists_once() -> None:
    system = Guarded()
    pid = system.start(1, "claude")
    census = take(system)  # type: ignore[arg-type]
    assert census.complete
    assert set(census.stats) == {1, pid}
    assert census.at == system.clock
    assert system.listings == 1


def test_what_exits_meanwhile_is_missing_and_hides_nothing() -> None:
    system = Guarded()
    pid = system.start(1, "claude")
    system.exiting.add(pid)
    census = take(system)  # type: ignore[arg-type]
    assert census.complete
    assert pid not in census.stats


def test_what_exits_once_it_is_on_a_second_listing_hides_nothing() -> None:
    class Late(Guarded):
        def pids(self) -> set[int]:
            found = super().pids()
            if self.listings == 2:
                found.add(pid)  # it was there still
            return found

    system = Late()
    pid = system.start(1, "claude")
    system.exiting.add(pid)
    assert take(system).complete  # type: ignore[arg-type]
    assert system.listings == 3


def test_who_is_listed_and_cannot_be_read_makes_it_incomplete() -> None:
    system = Guarded()
    system.unreadable.add(system.start(1, "claude"))
    assert not take(system).complete  # type: ignore[arg-type]


def test_without_the_first_process_others_are_hidden_as_well() -> None:
    system = Guarded()
    system.start(1, "claude")
    del system.stats[1]
    assert not take(system).complete  # type: ignore[arg-type]


def test_a_table_that_counts_pids_otherwise_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    assert take(System()).complete  # type: ignore[arg-type]
    monkeypatch.setattr(module, "own_table", lambda: False)
    assert not take(System()).complete  # type: ignore[arg-type]


def test_a_listing_that_fails_is_incomplete() -> None:
    system = Guarded()
    system.stats.clear()
    assert not take(system).complete  # type: ignore[arg-type]


def test_on_this_system_we_are_in_it() -> None:
    census = take(this_system())
    assert census.identity(os.getpid()) == read(os.getpid())
    assert os.getppid() in census.above(os.getpid())
    assert os.getpid() in census.below(os.getppid())
    if os.getsid(0):  # 0 where the session was begun outside of our PID namespace: then it is nobody's
        assert os.getpid() in census.sessions[os.getsid(0)]
    if os.getpgid(0):
        assert os.getpid() in census.groups[os.getpgid(0)]
    if isinstance(this_system(), LinuxSource) and os.getuid() == 0:
        assert census.complete


def test_a_session_of_its_own_is_in_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as child:
        census = take(this_system())
        assert census.sessions[child.pid] == census.groups[child.pid] == (child.pid,)
        child.communicate(b"\n")
