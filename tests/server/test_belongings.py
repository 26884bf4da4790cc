"""Which repositories sessions were created in, read from real ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from opensessions.events import ContextSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Belonging, Context, Inventory, Session
from opensessions.server import belongings
from opensessions.server.belongings import Belongings
from opensessions.server.bus import Bus
from tests.context.repositories import Repo


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    """A repository with a linked working tree beside it, called `fix`."""
    repo = Repo(tmp_path / "shop")
    repo.git("worktree", "add", "-q", str(tmp_path / "fix"))
    return repo


@pytest.fixture
async def bus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """With one multiplexer that was not read yet, and the room at work."""
    monkeypatch.setattr(belongings, "PATIENCE", 60.0)
    bus = Bus("i")
    work = asyncio.create_task(Belongings(bus).run())
    bus.dispatch(MuxJoined("m", "tmux", "/s", SavedArrangement()))
    yield bus
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work


def read(bus: Bus, started: int = 1, created: int = 1, **paths: str | Path) -> None:
    """The sessions by name, which is their id, and the folders that they were created in."""
    sessions = tuple(Session(name, name, created, path=str(path)) for name, path in paths.items())
    bus.dispatch(InventoryRead("m", Inventory(1, started, "3.5a", sessions)))


async def known(bus: Bus, **expected: Belonging) -> None:
    """Wait until these sessions belong to repositories, and no other does."""
    changed = asyncio.Event()
    end = bus.observe(lambda new, old: changed.set())
    try:
        async with asyncio.timeout(20):
            while bus.state.muxes["m"].belongings != expected:
                changed.clear()
                await changed.wait()
    finally:
        end()


async def test_new_sessions_are_looked_at(bus: Bus, shop: Repo, tmp_path: Path) -> None:
    main, linked = Belonging(f"{shop.root}/.git"), Belonging(f"{shop.root}/.git", True)
    read(bus, api=shop.root, fix=tmp_path / "fix" / "deep", other=tmp_path)
    await known(bus, api=main, fix=linked)
    read(bus, api=shop.root, more=shop.root / "deep")
    await known(bus, api=main, more=main)


async def test_a_session_that_is_another_one_under_the_same_id_is_looked_at_anew(
    bus: Bus, shop: Repo, tmp_path: Path
) -> None:
    linked = Belonging(f"{shop.root}/.git", True)
    read(bus, one=tmp_path / "fix")
    await known(bus, one=linked)
    read(bus, one=tmp_path, created=2)
    await known(bus)
    read(bus, one=tmp_path / "fix", created=2, started=2)
    await known(bus, one=linked)


async def test_a_folder_that_becomes_a_repository_is_noticed_when_its_context_is_known(
    bus: Bus, shop: Repo, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    main = Belonging(f"{shop.root}/.git")
    read(bus, one=folder, mark=shop.root)
    await known(bus, mark=main)
    folder.rmdir()
    now = Belonging(f"{Repo(folder).root}/.git")
    bus.dispatch(ContextSeen("m", {"one": Context("main", group=now.repository)}))
    await known(bus, one=now, mark=main)


async def test_where_a_session_works_later_changes_nothing(bus: Bus, shop: Repo, tmp_path: Path) -> None:
    main = Belonging(f"{shop.root}/.git")
    read(bus, one=shop.root)
    await known(bus, one=main)
    bus.dispatch(ContextSeen("m", {"one": Context("main", group="/elsewhere/.git")}))
    read(bus, one=shop.root, mark=shop.root)
    await known(bus, one=main, mark=main)


async def test_where_the_first_folder_is_not_told_the_first_context_counts(bus: Bus) -> None:
    linked = Belonging("/shop/.git", True)
    read(bus, one="")
    bus.dispatch(ContextSeen("m", {"one": Context("fix", worktree="fix", group="/shop/.git")}))
    await known(bus, one=linked)
    other = Context("main", group="/other/.git")
    read(bus, one="", two="")
    bus.dispatch(ContextSeen("m", {"one": other, "two": other}))
    await known(bus, one=linked, two=Belonging("/other/.git"))


async def test_a_disk_that_hangs_holds_nobody_up_for_long(
    bus: Bus, shop: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    real, find = belongings.locate, Belongings._find

    def locate(path: str) -> object:
        if path == "/hangs":
            free.wait(20)
        return real(path)

    async def impatient(self: Belongings, *words: Any) -> Belonging | None:
        """With the one that hangs alone: a busy machine needs its time for the other."""
        monkeypatch.setattr(belongings, "PATIENCE", 0.05 if words[-1] == "bad" else 20.0)
        return await find(self, *words)

    monkeypatch.setattr(belongings, "locate", locate)
    monkeypatch.setattr(Belongings, "_find", impatient)
    try:
        read(bus, bad="/hangs", good=shop.root)
        async with asyncio.timeout(20):
            while not bus.state.muxes["m"].belongings:
                await asyncio.sleep(0.01)
        assert set(bus.state.muxes["m"].belongings) == {"good"}
    finally:
        free.set()
