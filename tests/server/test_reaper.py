"""Sweeps over real processes. What multiplexers say is played here; `tests/e2e/test_reap.py` has real ones.

The processes are nobody's children: what descends from who sweeps is never ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions import config
from opensessions.errors import MuxError
from opensessions.model import Inventory, Link, Pane, Session, Window
from opensessions.processes import audit
from opensessions.processes.audit import Audit
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.linux import LinuxSource
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import this_system
from opensessions.provider import Context
from opensessions.server import looks
from opensessions.server.alone import Busy
from opensessions.server.awake import WITH_SLEEP, WITHOUT_SLEEP, Clock
from opensessions.server.bus import Bus
from opensessions.server.looks import Looks
from opensessions.server.reaper import Reaper
from opensessions.server.sweep import Sweep
from opensessions.server.unfinished import Finisher
from opensessions.state import State
from tests.processes.conftest import until
from tests.server.machine import INSTANCE, MUX, SERVER, STUBBORN, Machine
from tests.support.world import ROOT

GRACE = 0.05


class Played:
    """A multiplexer that says what the test wants, `looks` counted."""

    key, socket = MUX, "/nowhere"

    def __init__(self) -> None:
        self.looks = 0
        self.panes: Mapping[str, int] = {}
        self.says: Callable[[int], Inventory | BaseException | None] = lambda number: None

    async def look(self) -> Inventory:
        self.looks += 1
        said = self.says(self.looks)
        if isinstance(said, BaseException):
            raise said
        if said is None:
            return self.inventory(self.panes)
        return said

    def inventory(self, panes: Mapping[str, int]) -> Inventory:
        """One window with these panes."""
        window = Window("@1", panes=tuple(Pane(id, "@1", pid) for id, pid in panes.items()))
        session = Session("$1", "main", links=(Link("@1", 0, True),))
        return Inventory(SERVER, 1, "3.5a", (session,), {"@1": window})


class Counted(LinuxSource):
    """Counts the walks through the process table."""

    walks = 0

    def pids(self) -> set[int]:
        self.walks += 1
        return super().pids()


class Room:
    """A reaper with everything around it."""

    def __init__(self, machine: Machine, clock: Clock | None = None, **settings: Any) -> None:
        self.bus = Bus(INSTANCE)
        self.counts: list[int] = []
        self.bus.observe(self._on_change)
        self.mux = Played()
        self.source = Counted()
        self.audit = f"{machine.state}/reap.log"
        log = Audit(self.audit)
        played: Any = {MUX: self.mux}
        self.sweeping = Sweep(
            machine.state, INSTANCE, Looks(Context("", "", "", "", ""), lambda: played), self.source, log
        )
        self.settings = replace(config.Reap(grace=GRACE, term_wait=0.5), **settings)
        self.reaper = Reaper(
            self.bus,
            self.sweeping,
            Receipts(machine.state),
            log,
            machine.state,
            self.settings,
            clock or Clock(0),
        )

    def _on_change(self, new: State, old: State) -> None:
        self.counts.append(new.orphans)

    async def sweep_twice(self) -> None:
        await self.reaper.sweep()
        await asyncio.sleep(GRACE + 0.02)
        await self.reaper.sweep()

    def kinds(self) -> list[str]:
        return [each["kind"] for each in audit.read(self.audit)]


async def test_two_sweeps_that_agree_end_an_orphan(machine: Machine) -> None:
    room, orphan = Room(machine), machine.orphan()
    await room.reaper.sweep()
    assert liveness(orphan.process) == "alive"
    assert (room.bus.state.orphans, room.reaper.pending) == (1, 1)
    assert [each["pid"] for each in room.reaper.orphans()] == [orphan.process.pid]
    await asyncio.sleep(GRACE + 0.02)
    await room.reaper.sweep()
    assert liveness(orphan.process) == "dead"
    assert machine.receipts.read() == ()
    assert room.counts == [1, 0]
    assert (room.reaper.pending, room.reaper.orphans()) == (0, [])
    assert list(dict.fromkeys(room.kinds())) == ["sweep", "intent", "signal", "outcome"]


async def test_two_sweeps_too_close_to_each_other_do_not(machine: Machine) -> None:
    room, orphan = Room(machine, grace=60.0), machine.orphan()
    await room.sweep_twice()
    assert liveness(orphan.process) == "alive"


async def test_a_child_that_outlives_its_root_is_ended_too(machine: Machine) -> None:
    room, orphan = Room(machine, term_wait=3.0), machine.orphan(STUBBORN)
    child = machine.child(orphan.process)
    await room.sweep_twice()
    assert (liveness(orphan.process), liveness(child)) == ("dead", "dead")
    outcomes = {each["pid"]: each["result"] for each in audit.read(room.audit) if each["kind"] == "outcome"}
    assert outcomes == {orphan.process.pid: "exited_on_term", child.pid: "killed"}


async def test_without_anything_to_judge_the_process_table_is_not_read(machine: Machine) -> None:
    room = Room(machine)
    await room.sweep_twice()
    assert (room.source.walks, room.mux.looks) == (0, 0)
    outside = machine.orphan(place=None)
    await room.sweep_twice()
    assert (room.source.walks, room.mux.looks) == (0, 0)
    assert liveness(outside.process) == "alive"


def claiming(state: str, instance: str) -> subprocess.Popen[bytes]:
    """A server with this id, until its standard input ends."""
    script = f"from opensessions.processes.instances import Instance; Instance.claim({state!r}, {instance!r})"
    return subprocess.Popen(
        [sys.executable, "-c", f"{script}; print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip


async def test_what_another_server_looks_after_is_not_looked_at(machine: Machine) -> None:
    room = Room(machine)
    other = "6f1c1f3e-0000-4000-8000-00000000000b"
    theirs = machine.orphan(instance=other)
    server = claiming(machine.state, other)
    try:
        assert server.stdout
        assert server.stdout.readline()
        await room.sweep_twice()
        assert (room.source.walks, liveness(theirs.process)) == (0, "alive")
    finally:
        server.communicate()
    await room.sweep_twice()
    assert liveness(theirs.process) == "dead"


async def test_what_is_seen_before_the_grace_is_over_does_not_count(machine: Machine) -> None:
    now = 1000.0
    clock = Clock(60, lambda number: now)
    room, orphan = Room(machine, clock), machine.orphan()
    await room.sweep_twice()
    assert (liveness(orphan.process), room.bus.state.orphans) == ("alive", 1)
    now += 61
    await room.reaper.sweep()
    assert liveness(orphan.process) == "alive"
    await asyncio.sleep(GRACE + 0.02)
    await room.reaper.sweep()
    assert liveness(orphan.process) == "dead"


def test_after_a_sleep_the_grace_begins_anew() -> None:
    times = {WITH_SLEEP: 5000.0, WITHOUT_SLEEP: 400.0}
    clock = Clock(60, lambda number: times[number])
    assert not clock.ready()
    for _ in range(61):
        times = {number: time + 1 for number, time in times.items()}
    assert clock.ready()
    times = {number: time + 100 for number, time in times.items()}
    times[WITH_SLEEP] += 0.5  # the clocks are not read at the same moment
    assert clock.ready()
    times[WITH_SLEEP] += 3600
    assert not clock.ready()
    assert clock.wait() == 60
    times = {number: time + 60 for number, time in times.items()}
    assert clock.ready()


async def test_a_pane_that_turns_up_before_the_signals_stops_them(machine: Machine) -> None:
    room, orphan = Room(machine), machine.orphan()
    room.mux.says = lambda number: None if number <= 2 else room.mux.inventory({"%9": orphan.process.pid})
    await room.sweep_twice()
    assert room.mux.looks == 3
    assert liveness(orphan.process) == "alive"
    assert room.kinds()[-2:] == ["refused", "outcome"]
    assert [each["decision"] for each in room.reaper.orphans()] == ["reap"]


async def test_a_multiplexer_that_falls_silent_before_the_signals_stops_them(machine: Machine) -> None:
    room, orphan = Room(machine), machine.orphan()
    room.mux.says = lambda number: None if number <= 2 else MuxError("It hangs.")
    await room.sweep_twice()
    assert liveness(orphan.process) == "alive"
    assert "intent" not in room.kinds()


async def test_one_that_hangs_is_unknown_and_delays_nobody(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "PATIENCE", 0.1)
    room, orphan = Room(machine), machine.orphan()

    async def hang() -> Inventory:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(room.mux, "look", hang)
    await room.sweep_twice()
    (verdict,) = (await room.reaper.plan({}))["candidates"]
    assert verdict["decision"] == "unknown"
    assert liveness(orphan.process) == "alive"


async def test_only_one_server_sweeps_at_a_time(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    room, orphan = Room(machine), machine.orphan()
    handle = os.open(f"{machine.state}/reaper.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        await room.sweep_twice()
        with pytest.raises(Busy):
            await room.reaper.reap({})
    finally:
        os.close(handle)
    assert liveness(orphan.process) == "alive"
    assert "left out" in caplog.text
    await room.sweep_twice()
    assert liveness(orphan.process) == "dead"


async def test_without_an_audit_log_nothing_is_ended_and_that_is_said_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    room, orphan = Room(machine), machine.orphan()
    os.mkdir(room.audit)
    for _ in range(3):
        await room.sweep_twice()
    assert liveness(orphan.process) == "alive"
    assert sum(record.levelno == logging.ERROR for record in caplog.records) == 1


async def test_a_plan_is_what_would_be_done_and_does_nothing(machine: Machine) -> None:
    room, orphan, typed = Room(machine), machine.orphan(), machine.orphan(origin="observed", pane="%8")
    planned = (await room.reaper.plan({}))["candidates"]
    assert {each["pid"]: each["decision"] for each in planned} == {
        orphan.process.pid: "reap",
        typed.process.pid: "report",
    }
    assert liveness(orphan.process) == "alive"
    assert not os.path.exists(room.audit)
    done = (await room.reaper.reap({}))["candidates"]
    assert [{**each, "outcomes": []} for each in done] == planned
    assert [len(each["outcomes"]) for each in done if each["decision"] == "reap"] == [len(planned[0]["tree"])]
    assert (liveness(orphan.process), liveness(typed.process)) == ("dead", "alive")


async def test_on_demand_observed_ones_end_as_well(machine: Machine) -> None:
    room, typed = Room(machine), machine.orphan(origin="observed")
    await room.sweep_twice()
    assert (liveness(typed.process), room.bus.state.orphans, room.reaper.pending) == ("alive", 1, 0)
    await room.reaper.reap({"observed": "1"})
    assert (liveness(typed.process), room.bus.state.orphans) == ("dead", 0)


async def test_only_what_was_confirmed_ends(machine: Machine) -> None:
    room, chosen, other = Room(machine), machine.orphan(), machine.orphan()
    await room.reaper.reap({"only": ""})
    assert (liveness(chosen.process), liveness(other.process)) == ("alive", "alive")
    await room.reaper.reap({"only": chosen.nonce})
    assert (liveness(chosen.process), liveness(other.process)) == ("dead", "alive")


async def test_it_is_told_when_the_last_of_a_dead_multiplexer_has_ended(machine: Machine) -> None:
    room, orphan = Room(machine), machine.orphan()
    assert await room.reaper.quiet(20)  # its multiplexer lives
    gone = machine.start()
    os.kill(gone.pid, signal.SIGKILL)
    until(lambda: liveness(gone) == "dead")
    assert orphan.place
    lost = machine.orphan(place=replace(orphan.place, server=gone))
    machine.orphan(place=lost.place, origin="observed")
    machine.orphan(place=lost.place, keep=True)
    machine.orphan(place=None)
    assert not await room.reaper.quiet(0.1)
    waiting = asyncio.create_task(room.reaper.quiet(20))
    await asyncio.sleep(0)
    os.kill(lost.process.pid, signal.SIGKILL)
    assert await waiting


def interrupted(machine: Machine, room: Room) -> ProcId:
    """A server was killed after it had ended the root of a tree; what is left of that is stopped."""
    root = machine.start(STUBBORN)
    child = machine.child(root)
    until(lambda: this_system().now() - child.start > 110)
    tree: Any = [{"pid": each.pid, "start": each.start, "inode": each.inode} for each in (root, child)]
    Audit(room.audit).write(
        "intent",
        ending="e",
        pid=root.pid,
        start=root.start,
        boot=root.boot,
        namespace=root.namespace,
        tree=tree,
    )
    os.kill(root.pid, signal.SIGKILL)
    os.kill(child.pid, signal.SIGSTOP)
    until(lambda: liveness(root) == "dead")
    return child


async def test_what_a_killed_server_had_begun_is_finished(machine: Machine) -> None:
    room = Room(machine)
    left = interrupted(machine, room)
    await room.reaper.sweep()
    assert liveness(left) == "alive"  # somebody may be at it
    room.reaper._finisher = Finisher(room.sweeping, 0)
    await room.reaper.sweep()
    assert liveness(left) == "dead"
    walks = room.source.walks
    await room.reaper.sweep()
    assert room.source.walks == walks


async def test_what_is_protected_by_now_is_not_finished(machine: Machine) -> None:
    room = Room(machine)
    left = interrupted(machine, room)
    room.mux.panes = {"%3": left.pid}
    room.reaper._finisher = Finisher(room.sweeping, 0)
    await room.reaper.sweep()
    assert liveness(left) == "alive"
    assert room.kinds()[-2:] == ["refused", "outcome"]


async def test_one_whose_root_lives_is_left_to_its_receipt(machine: Machine) -> None:
    room, orphan = Room(machine), machine.orphan()
    root = orphan.process
    tree: Any = [{"pid": root.pid, "start": root.start, "inode": root.inode}]
    Audit(room.audit).write(
        "intent",
        ending="e",
        pid=root.pid,
        start=root.start,
        boot=root.boot,
        namespace=root.namespace,
        tree=tree,
    )
    room.reaper._finisher = Finisher(room.sweeping, 0)
    await room.reaper.sweep()
    assert liveness(root) == "alive"


async def test_what_was_asked_for_is_done_though_who_asked_goes_away(machine: Machine) -> None:
    """Once its root has ended, nothing else would end what is left of a tree."""
    room, orphan = Room(machine, term_wait=3.0), machine.orphan(STUBBORN)
    child = machine.child(orphan.process)
    asking = asyncio.create_task(room.reaper.reap({}, GRACE))
    async with asyncio.timeout(20):
        while liveness(orphan.process) != "dead":
            await asyncio.sleep(0.005)
        asking.cancel()
        while liveness(child) != "dead":
            await asyncio.sleep(0.005)
    assert asking.cancelled()


@pytest.mark.parametrize("when", ["before its turn", "while it looks"])
async def test_a_sweep_in_which_the_machine_sleeps_ends_nobody(machine: Machine, when: str) -> None:
    now = {WITH_SLEEP: 1000.0, WITHOUT_SLEEP: 1000.0}
    room = Room(machine, Clock(60, lambda clock: now[clock]))
    orphan = machine.orphan()
    for clock in now:
        now[clock] += 61
    await room.reaper.sweep()
    await asyncio.sleep(GRACE + 0.02)

    def sleep(number: int = 0) -> None:
        now[WITH_SLEEP] += 1000

    if when == "while it looks":
        room.mux.says = sleep
        await room.reaper.sweep()
    else:
        async with room.reaper._turn:
            sweeping = asyncio.create_task(room.reaper.sweep())
            await asyncio.sleep(0)
            sleep()
        await sweeping
    assert liveness(orphan.process) == "alive"
    assert room.bus.state.orphans == 1
