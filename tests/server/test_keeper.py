"""Receipts follow the agents: real processes, and a stand-in for who found them."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.agents.detect import Found
from opensessions.agents.kind import Kind
from opensessions.events import InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Inventory, Link, Pane, Session, Window
from opensessions.processes.identity import pinned
from opensessions.processes.receipt import Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import this_system
from opensessions.server.bus import Bus
from opensessions.server.keeper import Keeper
from opensessions.server.tracked import Tracked
from tests.processes.conftest import until
from tests.server.machine import SERVER

MUX, PANE = "tmux-0123456789abcdef", "%7"
INSTANCE = "6f1c1f3e-0000-4000-8000-00000000000a"
KIND = Kind("claude-code", frozenset({"claude"}))


class Started:
    """Real processes, each in a group of its own unless it is to join one."""

    def __init__(self) -> None:
        self.all: list[subprocess.Popen[bytes]] = []

    def __call__(self, *words: str, group: int = 0, **more: Any) -> subprocess.Popen[bytes]:
        words = words or ("sleep", "600")
        process = subprocess.Popen(words, process_group=group, **more)
        self.all.append(process)
        until(lambda: this_system().program(process.pid)[0] == words, "its program")
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def close(self) -> None:
        for process in self.all:
            self.end(process)


@pytest.fixture
def start() -> Iterator[Started]:
    started = Started()
    try:
        yield started
    finally:
        started.close()


class Counting(Receipts):
    """Counts what is written."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.written = 0

    def write(self, receipt: Receipt) -> None:
        self.written += 1
        super().write(receipt)


class Room:
    """A pane with agents in it, whoever we say."""

    def __init__(self, state: Path, shell: int) -> None:
        state.chmod(0o700)
        self.bus = Bus(INSTANCE)
        self.receipts = Counting(str(state))
        self.found: list[Tracked] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.keeper = Keeper(self.bus, self, self.receipts, this_system(), INSTANCE, self._spawn)  # type: ignore[arg-type]
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/tmp/s", SavedArrangement()))
        window = Window("@1", panes=(Pane(PANE, "@1", shell, active=True),))
        session = Session("$3", "api", links=(Link("@1", 0, True),))
        self.bus.dispatch(InventoryRead(MUX, Inventory(SERVER, 1, "3.5a", (session,), {"@1": window})))

    def living(self) -> tuple[Tracked, ...]:
        """As `Tracker.living`."""
        return tuple(self.found)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def note(self, *agents: Tracked) -> tuple[Receipt, ...]:
        """These live now; the receipts after that."""
        self.found = list(agents)
        self.keeper.note()
        await self.done()
        return Receipts(self.receipts._state).read()

    async def done(self) -> None:
        while self.tasks:
            await self.tasks.pop()


def agent(process: subprocess.Popen[bytes], id: str = "") -> Tracked:
    found = pinned(process.pid)
    assert found
    return Tracked(
        MUX, Found(id or f"{MUX}:{PANE}:{found.pid}.{found.start}", KIND, PANE, found.pid, found.start)
    )


def managed(receipt: Receipt, **more: Any) -> Receipt:
    return replace(receipt, origin="managed", agent_id="", nonce=os.urandom(16).hex(), **more)


async def test_who_is_first_seen_gets_a_receipt(tmp_path: Path, start: Started) -> None:
    shell, process = start(), start()
    room = Room(tmp_path, shell.pid)
    (receipt,) = await room.note(agent(process))
    assert receipt.process == pinned(process.pid)
    assert (receipt.origin, receipt.agent, receipt.agent_id) == ("observed", "claude-code", agent(process).id)
    assert (receipt.uid, receipt.group, receipt.comm) == (os.getuid(), process.pid, "sleep")
    assert (receipt.instance, receipt.keep, receipt.cgroup) == (INSTANCE, False, "")
    assert receipt.place
    assert (receipt.place.kind, receipt.place.key, receipt.place.socket) == ("tmux", MUX, "/tmp/s")
    assert (receipt.place.session, receipt.place.pane) == ("$3", PANE)
    assert receipt.place.shell == pinned(shell.pid)
    assert receipt.place.server == pinned(SERVER)


async def test_while_nothing_changes_nothing_is_written_and_no_thread_works(
    tmp_path: Path, start: Started
) -> None:
    room, process = Room(tmp_path, start().pid), start()
    await room.note(agent(process))
    assert room.receipts.written == 1
    room.keeper.note()
    room.keeper.sweep()
    assert not room.tasks
    await room.note(agent(process), agent(start()))
    assert room.receipts.written == 2


async def test_the_receipt_that_it_was_started_with_is_kept(tmp_path: Path, start: Started) -> None:
    room, process = Room(tmp_path, start().pid), start()
    (observed,) = await room.note(agent(process))
    room.receipts.drop(observed)
    room.receipts.write(mine := managed(observed))
    again = Room(tmp_path, start().pid)
    assert await again.note(agent(process)) == (mine,)
    assert again.receipts.written == 0


async def test_the_heir_of_a_launcher_has_its_origin(tmp_path: Path, start: Started) -> None:
    """The agent keeps its id; its group tells nothing here."""
    room, launcher, program = Room(tmp_path, start().pid), start(), start()
    (first,) = await room.note(agent(launcher))
    room.receipts.drop(first)
    room.receipts.write(managed(first))
    id = agent(launcher).id
    room.keeper._kept = None
    await room.note(agent(launcher))
    start.end(launcher)
    (heir,) = await room.note(agent(program, id))
    assert (heir.origin, heir.agent_id, heir.process) == ("managed", id, pinned(program.pid))


async def test_the_heir_is_known_by_its_group_after_a_restart(tmp_path: Path, start: Started) -> None:
    room, launcher = Room(tmp_path, start().pid), start()
    program, stranger = start(group=launcher.pid), start()
    (first,) = await room.note(agent(launcher))
    room.receipts.drop(first)
    room.receipts.write(managed(first, keep=True))
    start.end(launcher)
    assert first.place
    follower = Room(tmp_path, first.place.shell.pid)
    found = {each.process.pid: each for each in await follower.note(agent(program), agent(stranger))}
    assert found.keys() == {program.pid, stranger.pid}
    assert (found[program.pid].origin, found[program.pid].keep) == ("managed", True)
    assert (found[stranger.pid].origin, found[stranger.pid].keep) == ("observed", False)


async def test_the_same_group_in_another_pane_is_no_heir(tmp_path: Path, start: Started) -> None:
    room, launcher = Room(tmp_path, start().pid), start()
    program = start(group=launcher.pid)
    (first,) = await room.note(agent(launcher))
    room.receipts.write(managed(first))
    start.end(launcher)
    elsewhere = Room(tmp_path, start().pid)
    assert [each.origin for each in await elsewhere.note(agent(program))] == ["observed"]


async def test_a_receipt_goes_when_its_process_has_and_not_before(tmp_path: Path, start: Started) -> None:
    room, one, other = Room(tmp_path, start().pid), start(), start()
    await room.note(agent(one), agent(other))
    assert {each.process.pid for each in await room.note()} == {one.pid, other.pid}  # orphans
    start.end(one)
    seen = agent(start())
    assert {each.process.pid for each in await room.note(seen)} == {other.pid, seen.found.pid}


async def test_a_pid_that_was_given_out_again_is_another_agents(tmp_path: Path, start: Started) -> None:
    room, process = Room(tmp_path, start().pid), start()
    (first,) = await room.note(agent(process))
    earlier = replace(first.process, start=first.process.start - 50, inode=0)
    room.receipts.drop(first)
    room.receipts.write(managed(first, process=earlier))
    (now,) = await Room(tmp_path, start().pid).note(agent(process))
    assert (now.process, now.origin) == (first.process, "observed")


async def test_a_group_whose_leader_is_another_process_by_now_has_no_heir(
    tmp_path: Path, start: Started
) -> None:
    """In the same pane: the user has typed this one, and its group's number was a launcher's once."""
    room, leader = Room(tmp_path, start().pid), start()
    member = start(group=leader.pid)
    (first,) = await room.note(agent(leader))
    room.receipts.drop(first)
    earlier = replace(first.process, start=first.process.start - 50, inode=0)
    room.receipts.write(managed(first, process=earlier, keep=True))
    assert first.place
    found = await Room(tmp_path, first.place.shell.pid).note(agent(leader), agent(member))
    assert {(each.process.pid, each.origin, each.keep) for each in found} == {
        (leader.pid, "observed", False),
        (member.pid, "observed", False),
    }


async def test_what_it_exempts_itself_by_is_kept(tmp_path: Path, start: Started) -> None:
    room, process = Room(tmp_path, start().pid), start(env={**os.environ, "OPENSESSIONS_KEEP": "1"})
    (receipt,) = await room.note(agent(process))
    assert receipt.keep


@pytest.mark.skipif(os.getuid() != 0, reason="only root may start another user's process")
async def test_another_users_agent_gets_none(
    tmp_path: Path, start: Started, caplog: pytest.LogCaptureFixture
) -> None:
    room, process = Room(tmp_path, start().pid), start(user=65534)
    assert await room.note(agent(process)) == ()
    assert not caplog.records


async def test_a_full_disk_costs_one_line_and_is_made_up_for(
    small_disk: Path, start: Started, caplog: pytest.LogCaptureFixture
) -> None:
    room, one, other = Room(small_disk, start().pid), start(), start()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    caplog.set_level(logging.ERROR)
    assert await room.note(agent(one)) == ()
    assert await room.note(agent(one), agent(other)) == ()
    room.keeper.sweep()
    await room.done()
    assert [record.name for record in caplog.records] == ["opensessions.server.keeper"]
    filler.unlink()
    room.keeper.note()
    assert not room.tasks  # not with every look
    room.keeper.sweep()
    await room.done()
    assert {each.process.pid for each in room.receipts.read()} == {one.pid, other.pid}


async def test_one_that_ended_before_it_was_written_down_gets_none(tmp_path: Path, start: Started) -> None:
    room, process = Room(tmp_path, start().pid), start()
    gone = agent(process)
    start.end(process)
    assert await room.note(gone) == ()


async def test_changes_during_the_writing_are_not_lost(tmp_path: Path, start: Started) -> None:
    room, one, other = Room(tmp_path, start().pid), start(), start()
    room.found = [agent(one)]
    room.keeper.note()
    room.found = [agent(one), agent(other)]
    room.keeper.note()
    assert len(room.tasks) == 1
    await room.done()
    assert len(room.receipts.read()) == 2
