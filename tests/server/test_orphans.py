"""How long a server stays when its last multiplexer is dead, and what one walk through the processes serves."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions import config
from opensessions.processes.identity import liveness
from opensessions.processes.instances import instance_liveness
from opensessions.processes.receipt import Receipt
from opensessions.processes.scan import Table
from opensessions.processes.source import this_system
from opensessions.provider import Context
from opensessions.server import orphans
from opensessions.server.awake import Clock
from opensessions.server.bus import Bus
from opensessions.server.orphans import Orphans, claim
from tests.processes.conftest import until
from tests.server.machine import INSTANCE, Machine


class Room:
    """A server's orphans; it serves nothing, until a test says otherwise."""

    def __init__(self, state: str, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        monkeypatch.setattr(orphans, "DYING", 0.05)
        self.muxes: dict[str, Any] = {}
        self.tables: list[Table | None] = []
        self.stopped = 0
        rules = replace(config.Reap(interval=1.0, grace=0.2, term_wait=1.0), **settings)
        parts: Any = (Bus(INSTANCE), self, self, this_system(), Context("", "", "", "", ""))
        self.orphans = Orphans(*parts, state, INSTANCE, rules, asyncio.create_task, self.tables.append)
        self.orphans.reaper.clock = Clock(0)

    def living(self) -> tuple[()]:
        """As `Tracker.living`."""
        return ()

    async def last_gone(self) -> None:
        await self.orphans.last_gone(self._stop)

    def _stop(self) -> None:
        self.stopped += 1


def lost(machine: Machine, **more: Any) -> Receipt:
    """An agent whose multiplexer is dead."""
    server = machine.start()
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: liveness(server) == "dead")
    receipt = machine.orphan()
    machine.receipts.drop(receipt)
    assert receipt.place
    receipt = replace(receipt, **{"place": replace(receipt.place, server=server), **more})
    machine.receipts.write(receipt)
    return receipt


async def test_it_stays_until_the_orphan_has_ended(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    room, orphan = Room(machine.state, monkeypatch), lost(machine)
    await room.last_gone()
    assert (liveness(orphan.process), room.stopped) == ("dead", 1)


@pytest.mark.parametrize(
    ("receipt", "settings"),
    [
        ({"origin": "observed"}, {"grace": 600.0}),
        ({"keep": True}, {"grace": 600.0}),
        ({"place": None}, {"grace": 600.0}),
        ({}, {"grace": 600.0, "interval": 0.0}),
    ],
    ids=["observed", "kept", "outside", "never"],
)
async def test_it_goes_at_once_where_nothing_is_to_be_ended(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, receipt: dict[str, Any], settings: dict[str, Any]
) -> None:
    room, agent = Room(machine.state, monkeypatch, **settings), lost(machine, **receipt)
    async with asyncio.timeout(60):
        await room.last_gone()
    assert (liveness(agent.process), room.stopped) == ("alive", 1)


async def test_it_goes_as_soon_as_the_last_one_has_ended_by_itself(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, agent = Room(machine.state, monkeypatch, grace=600.0), lost(machine)
    going = asyncio.create_task(room.last_gone())
    while not room.orphans.reaper.orphans():  # the first of its two sweeps
        await asyncio.sleep(0.01)
    assert not room.stopped
    os.kill(agent.process.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        await going
    assert room.stopped == 1


async def test_after_two_sweeps_it_goes_whatever_is_left(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, agent = Room(machine.state, monkeypatch, keep=("claude-code",)), lost(machine)
    await room.last_gone()
    assert (liveness(agent.process), room.stopped, len(room.tables)) == ("alive", 1, 2)


async def test_it_stays_for_a_multiplexer_that_registers_meanwhile(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(machine.state, monkeypatch, keep=("claude-code",))
    lost(machine)
    going = asyncio.create_task(room.last_gone())
    await asyncio.sleep(0)
    room.muxes["tmux-1"] = None
    await room.last_gone()  # one at a time
    await going
    assert room.stopped == 0


async def test_one_walk_serves_both_and_without_anything_to_judge_none_is_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(machine.state, monkeypatch, grace=600.0)
    await room.orphans.sweep()
    assert room.tables == [None]
    lost(machine)
    await room.orphans.sweep()
    assert len(room.tables) == 2
    assert room.tables[1] is not None
    assert os.getpid() in room.tables[1].stats


def test_a_server_shows_that_it_lives_where_it_can(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "instances").touch()
    assert claim(str(tmp_path), INSTANCE) is None
    assert len(caplog.records) == 1
    (tmp_path / "instances").unlink()
    instance = claim(str(tmp_path), INSTANCE)
    assert instance
    assert instance_liveness(str(tmp_path), INSTANCE) == "alive"
    instance.release()
