"""What happens once a minute, and how seldom while nobody looks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from opensessions.errors import MuxError
from opensessions.events import InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Client, Inventory, Session
from opensessions.server.bus import Bus
from opensessions.server.rounds import SELDOM, Rounds


class Counted:
    """A provider, or what looks for orphans."""

    def __init__(self, fails: bool = False) -> None:
        self.sweeps = 0
        self._fails = fails
        self.provider = self
        self.enough = asyncio.Event()
        self.most = 0

    async def sweep(self) -> None:
        self.sweeps += 1
        if self.sweeps == self.most:
            self.enough.set()
        if self._fails:
            raise MuxError("It does not answer.")


async def after(orphans: Counted, rounds: int, muxes: dict[str, Any], clients: tuple[Client, ...]) -> None:
    """Let so many rounds pass while these clients look."""
    bus = Bus("i")
    bus.dispatch(MuxJoined("m", "tmux", "/run/tmux", SavedArrangement()))
    bus.dispatch(InventoryRead("m", Inventory(1, 1, "3.5a", (Session("$1", "api"),), clients=clients)))
    orphans.most = orphans.sweeps + rounds
    running = asyncio.create_task(
        Rounds(bus, SimpleNamespace(muxes=muxes), orphans, 0.001).run()  # type: ignore[arg-type]
    )
    async with asyncio.timeout(20):
        await orphans.enough.wait()
    running.cancel()


async def test_while_somebody_looks_each_asks() -> None:
    orphans, mux = Counted(), Counted()
    await after(orphans, 7, {"m": mux}, (Client("/dev/pts/1", "$1"),))
    assert (orphans.sweeps, mux.sweeps) == (7, 7)


async def test_while_nobody_looks_few_ask_and_orphans_are_looked_for_all_the_same() -> None:
    orphans, mux = Counted(), Counted()
    await after(orphans, 2 * SELDOM, {"m": mux}, ())
    assert (orphans.sweeps, mux.sweeps) == (2 * SELDOM, 2)


async def test_one_that_does_not_answer_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    orphans, mute, mux = Counted(), Counted(fails=True), Counted()
    await after(orphans, 3, {"a": mute, "m": mux}, (Client("/dev/pts/1", "$1"),))
    assert (mute.sweeps, mux.sweeps) == (3, 3)
    assert "a: It does not answer." in caplog.text
