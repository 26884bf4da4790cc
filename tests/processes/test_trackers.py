"""Whose a process is, by what evidence, and how sure that is: by tables, and with real processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import Inventory, Pane, Window
from opensessions.processes import cgroup
from opensessions.processes.belonging import Group, pids_of, servers, strays
from opensessions.processes.census import Census, count, take
from opensessions.processes.contained import contained
from opensessions.processes.details import examine
from opensessions.processes.identity import ProcId, boot_id, namespace, read
from opensessions.processes.receipt import Place, Receipt
from opensessions.processes.source import Stat, this_system
from opensessions.processes.trackers import (
    Change,
    ConfidenceChanged,
    ProcessAdded,
    ProcessExited,
    Tree,
    difference,
    trackers,
)
from tests.processes.conftest import Shell, until
from tests.processes.system import System

SERVER = 10


def stat(pid: int, ppid: int, session: int = 0, start: int = 500, comm: str = "sh", **more: Any) -> Stat:
    return Stat(pid, ppid, session or pid, start, comm, **more)


def world(*stats: Stat, complete: bool = True) -> Census:
    """These, below a login and a multiplexer's server."""
    base = (
        stat(1, 0, start=1, comm="init"),
        stat(5, 1, start=2),
        stat(SERVER, 1, start=100, comm="tmux: server"),
    )
    return count({each.pid: each for each in (*base, *stats)}.values(), 10_000, complete)


def inventory(server: int = SERVER, **panes: int | Pane) -> Inventory:
    """`p1=20`: the pane %1 with the pid 20."""
    found = [Pane(f"%{name[1:]}", "@1", pid) if isinstance(pid, int) else pid for name, pid in panes.items()]
    return Inventory(server, 1, "", windows={"@1": Window("@1", panes=tuple(found))})


def see(
    census: Census, read: Inventory | None, before: Mapping[str, Tree] | None = None, **more: Any
) -> dict[str, Tree]:
    return trackers("m", read, census, before or {}, serves=servers(census), **more)


def pids(tree: Tree) -> dict[int, str]:
    return {member.process.pid: " ".join(sorted(member.via)) for member in tree.members}


def known(pid: int, start: int = 500) -> ProcId:
    return ProcId(pid, start, boot_id(), namespace())


# --- whose it is --------------------------------------------------------------------------------------------


def test_what_descends_from_a_pane_is_its_own_whatever_session_it_made() -> None:
    census = world(
        stat(20, SERVER), stat(21, 20, 20), stat(22, 21), stat(23, 22, 22), stat(30, SERVER), stat(31, 30, 30)
    )
    trees = see(census, inventory(p1=20, p2=30))
    assert pids(trees["%1"]) == {20: "session tree", 21: "session tree", 22: "tree", 23: "tree"}
    assert pids(trees["%2"]) == {30: "session tree", 31: "session tree"}
    assert {tree.confidence for tree in trees.values()} == {"best-effort"}


def test_what_lost_its_parent_is_found_by_its_session_with_all_below_it() -> None:
    census = world(stat(20, SERVER), stat(41, 1, 20), stat(42, 41), stat(43, 42, 42))
    assert pids(see(census, inventory(p1=20))["%1"]) == {
        20: "session tree", 41: "session", 42: "session", 43: "session",
    }  # fmt: skip


def test_what_made_a_session_of_its_own_and_lost_its_parent_is_found_by_its_environment_only() -> None:
    census = world(stat(20, SERVER), stat(50, 1), stat(51, 50, 50), stat(60, 1))
    read = inventory(p1=20)
    assert strays(read, census) == (SERVER, 50, 60)
    assert pids(see(census, read)["%1"]) == {20: "session tree"}
    said = {SERVER: {}, 50: {"TMUX": f"/s,x,{SERVER},0", "TMUX_PANE": "%1"}, 60: {}}
    assert pids(see(census, read, variables=said)["%1"]) == {
        20: "session tree", 50: "environment", 51: "environment",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "server", "start", "why"),
    [
        ({"TMUX_PANE": "%1"}, {}, 600, "no multiplexer is named, as by a nested server"),
        ({"TMUX": "/s,11,0", "TMUX_PANE": "%1"}, {}, 600, "another server"),
        ({"TMUX": f"/s,{SERVER},0", "TMUX_PANE": "%7"}, {}, 600, "no such pane"),
        ({"TMUX": f"/s,{SERVER},0"}, {}, 600, "no pane"),
        ({"TMUX": f"/s,{SERVER},0", "TMUX_PANE": "%1"}, {"TMUX_PANE": "%1"}, 600, "a nested server's job"),
        ({"TMUX": f"/s,{SERVER},0", "TMUX_PANE": "%1"}, None, 600, "the server's environment is not known"),
        ({"TMUX": f"/s,{SERVER},0", "TMUX_PANE": "%1"}, {}, 499, "the pane's earlier generation"),
        ({"TMUX": f"{SERVER}", "TMUX_PANE": "%1"}, {}, 600, "malformed"),
    ],
)
def test_an_environment_that_proves_nothing(
    said: dict[str, str], server: dict[str, str] | None, start: int, why: str
) -> None:
    census = world(stat(20, SERVER), stat(50, 1, start=start))
    variables = {50: said} | ({} if server is None else {SERVER: server})
    assert pids(see(census, inventory(p1=20), variables=variables)["%1"]) == {20: "session tree"}, why


def test_only_what_an_ancestor_has_inherited_is_asked_for_its_environment() -> None:
    census = world(
        stat(20, SERVER), stat(21, 20), stat(50, 1), stat(51, 50), stat(52, SERVER), stat(53, 5),
        stat(54, 1, start=99), stat(55, 1, 20), stat(56, 1, exited=True), stat(57, 1, kernel=True),
    )  # fmt: skip
    assert strays(inventory(p1=20), census) == (SERVER, 50, 52)
    forked = world(stat(20, SERVER, SERVER))  # a pane's process that has not made its session yet
    assert strays(inventory(p1=20), forked) == (SERVER,)


def test_a_server_below_a_subreaper_shares_its_orphans_with_it() -> None:
    census = count(
        [stat(1, 0, start=1), stat(3, 1, start=2), stat(SERVER, 3, start=9), stat(20, SERVER), stat(50, 3)], 1
    )
    assert strays(inventory(p1=20), census) == (SERVER, 50)


@pytest.mark.parametrize("comm", ["tmux: server", "zellij", "screen"])
def test_what_runs_in_a_nested_multiplexer_is_not_the_outer_panes(comm: str) -> None:
    nested = stat(24, 21, comm=comm)
    census = world(stat(20, SERVER), stat(21, 20, 20), nested, stat(25, 24), stat(26, 25, 25))
    outer = see(census, inventory(p1=20))["%1"]
    assert pids(outer) == {20: "session tree", 21: "session tree"}
    inner = trackers("n", inventory(24, p1=25), census, {}, elsewhere={SERVER, 20}, serves=servers(census))
    assert pids(inner["%1"]) == {25: "session tree", 26: "session tree"}


def test_a_nested_server_in_the_foreground_keeps_its_jobs_from_the_session_of_the_outer_pane() -> None:
    census = world(stat(20, SERVER), stat(24, 20, 20, comm="tmux: server"), stat(27, 24, 20), stat(28, 1, 20))
    assert pids(see(census, inventory(p1=20))["%1"]) == {20: "session tree", 28: "session"}
    left = world(stat(20, SERVER), stat(29, 1, 20, comm="tmux: server"), stat(33, 29, 20))
    assert pids(see(left, inventory(p1=20))["%1"]) == {20: "session tree"}


def test_a_pane_that_is_a_server_itself_holds_nothing_of_what_runs_in_it() -> None:
    census = world(stat(20, SERVER, comm="tmux: server"), stat(24, 20), stat(25, 24, 24))
    assert pids(see(census, inventory(p1=20))["%1"]) == {20: "session tree"}


def test_a_client_of_a_multiplexer_is_the_panes_own() -> None:
    census = world(stat(20, SERVER), stat(24, 20, 20, comm="tmux: client"), stat(25, 20, 20, comm="zellij"))
    assert set(pids(see(census, inventory(p1=20))["%1"])) == {20, 24, 25}


def test_the_panes_of_another_registered_multiplexer_are_its_own_whatever_it_is_called() -> None:
    census = world(stat(20, SERVER), stat(24, 20, comm="mux"), stat(25, 24))
    read = inventory(24, p1=25)
    assert set(pids(see(census, inventory(p1=20), elsewhere=pids_of(read))["%1"])) == {20}


def test_what_has_exited_is_no_member() -> None:
    census = world(stat(20, SERVER), stat(21, 20, 20, exited=True), stat(22, 20, 20))
    assert set(pids(see(census, inventory(p1=20))["%1"])) == {20, 22}


def test_a_circle_of_parents_ends() -> None:
    census = world(stat(20, SERVER), stat(21, 22, 20), stat(22, 21, 20))
    assert set(pids(see(census, inventory(p1=20))["%1"])) == {20, 21, 22}


def test_parents_come_before_their_children() -> None:
    census = world(stat(30, SERVER), stat(22, 30, 30), stat(25, 22, 30), stat(21, 25, 30), stat(24, 30, 30))
    assert [member.process.pid for member in see(census, inventory(p1=30))["%1"].members] == [
        30,
        22,
        25,
        21,
        24,
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(11, 40), st.integers(0, 40), st.integers(0, 40),
            st.sampled_from(["sh", "tmux: server", "zellij", "claude"]), st.booleans(),
        ),
        max_size=30,
    ),
    st.sets(st.integers(11, 40), max_size=4),
)  # fmt: skip
def test_nobody_has_two_panes_and_no_server_is_below_one(rows: list[Any], panes: set[int]) -> None:
    """Whatever the table looks like, cycles and reused numbers among it."""
    census = world(
        *(stat(pid, ppid, session, comm=comm, exited=gone) for pid, ppid, session, comm, gone in rows)
    )
    read = inventory(**{f"p{pid}": pid for pid in panes})
    trees = see(census, read)
    assert set(trees) == {f"%{pid}" for pid in panes}
    members = [member.process.pid for tree in trees.values() for member in tree.members]
    assert len(members) == len(set(members))
    for id, tree in trees.items():
        root = int(id[1:])
        assert (tree.confidence == "best-effort") == (tree.generation.start != 0)
        assert not (set(pids(tree)) - {root}) & (pids_of(read) | servers(census))
        assert not {pid for pid in pids(tree) if census.stats[pid].exited}
        assert tree.confidence != "unknown" or not tree.members


# --- how sure it is -----------------------------------------------------------------------------------------


def test_a_generation_is_one_process_of_the_pane() -> None:
    first = see(world(stat(20, SERVER)), inventory(p1=20))["%1"]
    again = see(world(stat(20, SERVER), stat(21, 20)), inventory(p1=20))["%1"]
    other = see(world(stat(20, SERVER, start=700)), inventory(p1=20))["%1"]
    respawned = see(world(stat(29, SERVER)), inventory(p1=29))["%1"]
    assert first.id == again.id == "m:%1:20.500"
    assert len({first.id, other.id, respawned.id}) == 3


def test_what_could_not_be_read_leaves_the_last_list_marked() -> None:
    full = see(world(stat(20, SERVER), stat(21, 20)), inventory(p1=20))
    for census, said in ((world(stat(20, SERVER)), None), (world(complete=False), inventory(p1=20))):
        tree = see(census, said, full)["%1"]
        assert (tree.confidence, tree.stale, tree.members) == ("unknown", True, full["%1"].members)
        assert tree.generation == full["%1"].generation
    again = see(world(stat(20, SERVER)), inventory(p1=20), {"%1": tree})["%1"]
    assert (again.confidence, again.stale, set(pids(again))) == ("best-effort", False, {20})


def test_an_incomplete_table_never_makes_a_list() -> None:
    tree = see(world(stat(20, SERVER), stat(21, 20), complete=False), inventory(p1=20))["%1"]
    assert (tree.confidence, tree.stale, tree.members) == ("unknown", True, ())


def test_a_pane_that_the_table_does_not_show_yet_is_unknown() -> None:
    tree = see(world(), inventory(p1=20))["%1"]
    assert (tree.confidence, tree.members) == ("unknown", ())
    before = see(world(stat(20, SERVER), stat(21, 20)), inventory(p1=20))
    kept = see(world(), inventory(p1=20), before)["%1"]
    assert (kept.confidence, kept.stale, kept.members) == ("unknown", True, before["%1"].members)
    other = see(world(), inventory(p1=29), before)["%1"]
    assert (other.confidence, other.members, other.generation.pid) == ("unknown", (), 29)


@pytest.mark.parametrize("other", [stat(20, 5, 20), stat(20, SERVER, 19), stat(20, SERVER, 20, exited=False)])
def test_a_pid_that_was_given_out_again_is_not_the_panes(other: Stat) -> None:
    tree = see(world(other, stat(21, 20)), inventory(p1=20))["%1"]
    mine = other.ppid == SERVER and other.session == 20
    assert tree.confidence == ("best-effort" if mine else "unknown")
    assert bool(tree.members) == mine


def test_a_dead_pane_has_no_tracker_and_its_stale_pid_is_nobodys() -> None:
    dead = Pane("%1", "@1", 20, dead=True)
    tree = see(world(stat(20, SERVER), stat(21, 20)), inventory(p1=dead))["%1"]
    assert (tree.confidence, tree.members, tree.stale, tree.generation.start) == ("none", (), False, 0)
    assert see(world(), None, {"%1": tree})["%1"].confidence == "none"


@pytest.mark.parametrize("pid", [0, 1])
def test_a_pane_without_a_process_of_its_own_has_no_tracker(pid: int) -> None:
    census = count([stat(1, SERVER, 1, comm="init"), stat(SERVER, 0)], 1)
    tree = see(census, inventory(p1=pid))["%1"]
    assert (tree.confidence, tree.members, tree.stale) == ("none", (), False)


def test_a_sidebar_has_no_tracker_and_is_nobodys() -> None:
    bar = Pane("%2", "@1", 30, mark="owner")
    census = world(stat(20, SERVER), stat(30, SERVER), stat(31, 30))
    trees = see(census, inventory(p1=20, p2=bar))
    assert set(trees) == {"%1"}
    assert set(pids(trees["%1"])) == {20}


def group(*found: int, shell: ProcId | None = None, verified: bool = True) -> Group:
    return Group(shell or known(20), frozenset(found), verified)


INSIDE = (stat(20, SERVER), stat(21, 20, 20), stat(50, 1))


def test_a_verified_group_that_holds_exactly_the_pane_makes_it_sure() -> None:
    tree = see(world(*INSIDE), inventory(p1=20), groups=[group(20, 21, 50)])["%1"]
    assert tree.confidence == "high"
    assert pids(tree) == {20: "cgroup session tree", 21: "cgroup session tree", 50: "cgroup"}


def test_one_that_has_exited_in_a_group_makes_nothing_less_sure() -> None:
    census = world(*INSIDE, stat(22, 20, 20, exited=True))
    assert see(census, inventory(p1=20), groups=[group(20, 21, 22, 50)])["%1"].confidence == "high"


@pytest.mark.parametrize(
    ("held", "more", "why"),
    [
        (group(20, 21, 50, verified=False), (), "not verified"),
        (group(21, 50), (), "the pane's own process is outside"),
        (group(20, 50), (), "a descendant is outside"),
        (group(20, 21, 50, shell=known(20, 499)), (), "made for an earlier generation"),
        (group(20, 21, shell=known(20, 499)), (), "made for an earlier generation, the same pids"),
        (group(20, 21, shell=known(21)), (), "made for another process, the same pids"),
        (group(20, 21, 50, shell=known(21)), (), "made for another pane"),
        (group(20, 21, 50, 77), (), "a process that the table does not show"),
        (group(20, 21, 30), (stat(30, SERVER),), "it holds another pane"),
        (group(20, 21, 40, 41), (stat(40, 1, comm="tmux: server"), stat(41, 40)), "it holds a multiplexer"),
        (group(20, 21, SERVER), (), "it holds the multiplexer"),
        (group(), (), "empty"),
    ],
)
def test_a_group_that_does_not_hold_exactly_the_pane_never_makes_it_sure(
    held: Group, more: tuple[Stat, ...], why: str
) -> None:
    read = inventory(p1=20, p2=30) if more and more[0].pid == 30 else inventory(p1=20)
    tree = see(world(*INSIDE, *more), read, groups=[held])["%1"]
    assert tree.confidence == "best-effort", why
    assert not {30, 40, 41, SERVER} & set(pids(tree)), why
    assert 50 not in pids(tree) or held.shell == known(20), why


def test_a_pane_whose_own_process_has_ended_is_not_sure_of_the_rest() -> None:
    census = world(stat(20, SERVER, exited=True), stat(21, 1, 20))
    tree = see(census, inventory(p1=20), groups=[group(21)])["%1"]
    assert (tree.confidence, pids(tree)) == ("best-effort", {21: "cgroup session"})


def test_a_group_that_is_gone_lowers_the_confidence_at_once() -> None:
    sure = see(world(*INSIDE), inventory(p1=20), groups=[group(20, 21, 50)])
    after = see(world(*INSIDE), inventory(p1=20), sure)
    assert after["%1"].confidence == "best-effort"
    told = difference(sure.values(), after.values(), world(*INSIDE))
    assert told == (
        ProcessExited("m", "%1", known(20), known(50), left=True),
        ConfidenceChanged("m", "%1", known(20), "high", "best-effort"),
    )


# --- what has changed ---------------------------------------------------------------------------------------


def words(changes: tuple[Change, ...]) -> list[str]:
    said = []
    for each in changes:
        match each:
            case ProcessAdded():
                said.append(f"+{each.member.process.pid}")
            case ProcessExited():
                said.append(f"-{each.process.pid}{' left' if each.left else ''}")
            case ConfidenceChanged():
                said.append(f"{each.before}>{each.after}")
    return said


def test_differences() -> None:
    before, after = world(stat(20, SERVER), stat(21, 20)), world(stat(20, SERVER), stat(22, 20), stat(23, 22))
    old, new = see(before, inventory(p1=20)), see(after, inventory(p1=20))
    assert words(difference(old.values(), old.values(), before)) == []
    assert words(difference(old.values(), see(before, inventory(p1=20)).values(), before)) == []
    assert words(difference(old.values(), new.values(), after)) == ["-21", "+22", "+23"]
    assert words(difference((), new.values(), after)) == ["none>best-effort", "+20", "+22", "+23"]
    assert words(difference(new.values(), (), after)) == [
        "-20 left",
        "-22 left",
        "-23 left",
        "best-effort>none",
    ]
    assert words(difference(new.values(), (), world())) == ["-20", "-22", "-23", "best-effort>none"]


def test_a_pid_that_is_used_again_between_two_looks_is_another_process() -> None:
    old = see(world(stat(20, SERVER), stat(21, 20)), inventory(p1=20))
    census = world(stat(20, SERVER), stat(21, 20, start=900))
    assert words(difference(old.values(), see(census, inventory(p1=20)).values(), census)) == ["-21", "+21"]


def test_another_generation_ends_the_processes_of_the_one_before() -> None:
    old = see(world(stat(20, SERVER), stat(21, 20)), inventory(p1=20))
    census = world(stat(29, SERVER))
    changes = difference(old.values(), see(census, inventory(p1=29)).values(), census)
    assert words(changes) == ["-20", "-21", "+29"]
    assert [each.generation.pid for each in changes] == [20, 20, 29]


def test_a_list_that_is_only_stale_has_not_changed() -> None:
    old = see(world(stat(20, SERVER)), inventory(p1=20))
    stale = see(world(), None, old)
    assert words(difference(old.values(), stale.values(), world())) == ["best-effort>unknown"]


# --- real processes -----------------------------------------------------------------------------------------


DAEMON = """
import os, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(600)
"""


def end(pid: int) -> None:
    """Kill what this test has started; it may have ended just now."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)


@pytest.fixture
def daemons(shell: Shell, tmp_path: Path) -> Iterator[Path]:
    """A folder in which what leaves the shell's session writes its pid to a file; it ends with the test."""
    yield tmp_path
    for file in tmp_path.glob("*.pid"):
        pid = int(file.read_text() or 0)
        if this_system().variables(pid, ["HOME"]) == {"HOME": shell.folder}:
            end(pid)


def real(shell: Shell, census: Census) -> dict[str, Tree]:
    """With this process as the multiplexer's server."""
    read_ = inventory(os.getpid(), p1=shell.pid)
    found = examine(this_system(), strays(read_, census))
    variables = {pid: details.variables for pid, details in found.items() if details.variables is not None}
    return trackers("m", read_, census, {}, variables=variables)


def test_a_real_tree_with_what_left_its_parent_and_what_left_its_session(shell: Shell, daemons: Path) -> None:
    this = this_system()
    shell.type("sleep 611 &")
    shell.type("(sleep 612 &)")
    shell.type(f"setsid sh -c 'echo $$ > {daemons}/apart.pid; exec sleep 613' &")
    named = f"TMUX=/s,{os.getpid()},0 TMUX_PANE=%1"
    for name, variables in (("named", named), ("nameless", "")):
        (daemons / f"{name}.py").write_text(DAEMON)
        shell.type(
            f"env {variables} {sys.executable} -c \"$(cat '{daemons}/{name}.py')\" '{daemons}/{name}.pid'"
        )
    pid = {
        name: int(until(lambda name=name: (f := daemons / f"{name}.pid").exists() and f.read_text()))  # type: ignore[misc]
        for name in ("named", "nameless", "apart")
    }

    def found() -> dict[str, str] | None:
        tree = real(shell, take(this))["%1"]
        told = {
            this.program(member.process.pid)[0][-1].rpartition("/")[2]: " ".join(sorted(member.via))
            for member in tree.members
            if this.program(member.process.pid)[0]
        }
        return told if {"611", "612", "613", "named.pid"} <= set(told) else None

    told = until(found)
    assert (told["611"], told["612"], told["613"]) == ("session tree", "session", "tree")
    assert told["named.pid"] == "environment"
    assert "nameless.pid" not in told
    assert pid["nameless"] in take(this).stats


def test_a_real_process_that_exits_is_told(shell: Shell) -> None:
    this = this_system()
    shell.type("sleep 621 & echo $! > pid")
    pid = int(until(lambda: (f := Path(shell.folder, "pid")).exists() and f.read_text()))
    before = real(shell, take(this))
    assert pid in pids(before["%1"])
    shell.type(f"kill -9 {pid}")

    def gone() -> tuple[Change, ...] | None:
        census = take(this)
        changes = difference(before.values(), real(shell, census).values(), census)
        return changes if f"-{pid}" in words(changes) else None

    assert words(until(gone)) == [f"-{pid}"]


def receipt_in(path: str, place: Place) -> Receipt:
    return Receipt(
        process=place.shell, origin="managed", agent="", agent_id="", uid=os.getuid(), group=0, session=0,
        comm="", exe="", argv_hash="", place=place, instance="", nonce="", created=0.0, cgroup=path,
    )  # fmt: skip


def test_a_real_control_group(shell: Shell) -> None:
    """Skips where groups cannot be made. The pane's own process is inside, with a child that hides from all else."""
    nonce = os.urandom(16).hex()
    own = cgroup.own()
    path = f"{own}/opensessions-{nonce}"
    try:
        os.mkdir(path)
        Path(path, "cgroup.procs").write_text(str(shell.pid))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        shell.type("(env -i setsid sleep 631 &)")
        this = this_system()
        until(lambda: len(cgroup.members(path) or ()) >= 2)
        place = Place("tmux", "m", "/s", known(1), "$1", "%1", read(shell.pid) or known(0))
        receipt = receipt_in(path, place)

        def seen() -> Tree | None:
            census, groups = contained([receipt], take(this), this)
            tree = trackers("m", inventory(os.getpid(), p1=shell.pid), census, {}, groups=groups)["%1"]
            hidden = [member.comm for member in tree.members if member.via == {"cgroup"}]
            return tree if hidden == ["sleep"] else None

        tree = until(seen)
        assert tree.confidence == "high"
        assert {member.comm for member in tree.members} == {"bash", "sleep"}
        census, groups = contained([replace(receipt, cgroup="")], take(this), this)
        assert groups == ()
        assert contained([replace(receipt, place=None)], census, this) == (census, ())
    finally:
        Path(own, "cgroup.procs").write_text(str(shell.pid))
        for pid in cgroup.members(path) or ():
            end(pid)
        until(lambda: cgroup.members(path) == frozenset(), "the group is empty")
        os.rmdir(path)


def test_what_came_and_went_since_the_census_has_not_left_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System()
    shell = system.start(1, "bash", session=True)
    gone = system.start(shell, "git")
    before = count(system.stats.values(), system.now())
    system.exit(gone)
    late = system.start(shell, "node")
    held = frozenset({shell, late, 4000})
    monkeypatch.setattr(cgroup, "members", lambda path: held)
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    monkeypatch.setattr(System, "users", lambda self, pid: (os.getuid(),) * 3, raising=False)
    place = Place("tmux", "m", "/s", known(1), "$1", "%1", known(shell, system.stats[shell].start))
    census, groups = contained([receipt_in("/x", place)], before, system)  # type: ignore[arg-type]
    assert groups == (Group(place.shell, frozenset({shell, late}), True),)
    assert set(census.stats) == {1, shell, late}
    assert census.children[shell] == (late,)
    monkeypatch.setattr(
        System, "users", lambda self, pid: (os.getuid() + 1,) * 3 if pid == late else (os.getuid(),) * 3
    )
    assert not contained([receipt_in("/x", place)], before, system)[1][0].verified  # type: ignore[arg-type]
    monkeypatch.setattr(cgroup, "members", lambda path: None)
    assert contained([receipt_in("/x", place)], before, system) == (before, ())  # type: ignore[arg-type]


def test_a_thousand_panes_cost_little() -> None:
    """A promise with much room: the whole of it is some milliseconds."""
    stats = [stat(100 + number, SERVER) for number in range(1000)]
    stats += [stat(2000 + number, 100 + number % 1000, 100 + number % 1000) for number in range(2000)]
    census = world(*stats)
    read_ = inventory(**{f"p{number}": 100 + number for number in range(1000)})
    before = time.process_time()
    trees = see(census, read_)
    assert time.process_time() - before < 0.5
    assert sum(len(tree.members) for tree in trees.values()) == 3000
