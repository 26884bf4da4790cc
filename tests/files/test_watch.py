"""Being told of changes, on real files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opensessions.files import watch as module
from opensessions.files.watch import Watch


class Told:
    """Collects tokens."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.watch = Watch(self.tokens.append)

    async def until(self, *tokens: str) -> None:
        """Wait until each of these was told at least once, then forget everything."""
        async with asyncio.timeout(20):
            while not set(tokens) <= set(self.tokens):
                await asyncio.sleep(0.005)
        self.tokens.clear()

    async def nothing(self, path: Path) -> None:
        """What was told until a change of `path`, wanted by "fence", is told: nothing else."""
        self.watch.wish("fence", [str(path)])
        self.tokens.clear()
        path.write_text(path.read_text() + "." if path.exists() else ".")
        async with asyncio.timeout(20):
            while "fence" not in self.tokens:
                await asyncio.sleep(0.005)
        assert set(self.tokens) == {"fence"}


@pytest.fixture(params=["inotify", "polling"])
async def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Told]:
    if request.param == "polling":

        def none() -> None:
            raise OSError("none here")

        monkeypatch.setattr(module, "Inotify", none)
        monkeypatch.setattr(module, "POLL", 0.01)
    elif not os.path.exists("/proc/sys/fs/inotify"):
        pytest.skip("this system has no inotify")
    found = Told()
    try:
        yield found
    finally:
        found.watch.close()


async def test_a_file_that_grows(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    told.watch.wish("one", [str(file)])
    with file.open("a") as growing:
        for _ in range(3):
            growing.write("2")
            growing.flush()
            await told.until("one")


async def test_a_file_that_is_replaced_stays_watched(told: Told, tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("1")
    told.watch.wish("one", [str(file)])
    for text in ("22", "333"):
        other.write_text(text)
        other.replace(file)
        await told.until("one")
    file.write_text("4444")
    await told.until("one")
    file.unlink()
    await told.until("one")
    file.write_text("5")
    await told.until("one")


async def test_a_path_whose_folders_come_one_after_the_other(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "c"
    told.watch.wish("one", [str(file)])
    file.parent.mkdir(parents=True)
    file.write_text("1")
    await told.until("one")
    told.tokens.clear()
    file.write_text("22")
    await told.until("one")


async def test_a_folder_tells_of_what_is_directly_in_it(told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    told.watch.wish("one", [str(folder)])
    (folder / "a").write_text("1")
    await told.until("one")
    (folder / "a").write_text("22")
    await told.until("one")
    (folder / "a").rename(folder / "b")
    await told.until("one")
    (folder / "b").unlink()
    await told.until("one")


async def test_two_tokens_for_one_path_and_an_end(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    told.watch.wish("one", [str(file)])
    told.watch.wish("two", [str(file)])
    file.write_text("22")
    await told.until("one", "two")
    told.watch.wish("one", [])
    file.write_text("333")
    await told.until("two")
    told.watch.wish("two", [])
    file.write_text("4444")
    await told.nothing(tmp_path / "fence")


async def test_a_neighbour_does_not_wake_who_waits_for_a_file(told: Told, tmp_path: Path) -> None:
    told.watch.wish("one", [str(tmp_path / "missing")])
    (tmp_path / "neighbour").write_text("1")
    await told.nothing(tmp_path / "fence")


async def test_odd_paths_do_no_harm(told: Told, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    told.watch.wish("one", ["", "relative", str(tmp_path / "pipe"), f"{tmp_path}/{'x' * 300}", "a\0b"])
    await told.nothing(tmp_path / "fence")


async def test_a_change_of_owner_or_mode_is_no_news(told: Told, tmp_path: Path) -> None:
    """SQLite makes one at each reading by the superuser: who reads when he is told would never come to rest."""
    file = tmp_path / "a"
    file.write_text("1")
    told.watch.wish("one", [str(file)])
    file.chmod(0o600)
    os.chown(file, os.getuid(), os.getgid())
    await told.nothing(tmp_path / "fence")


async def test_a_file_that_is_replaced_while_somebody_holds_it_open(told: Told, tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("1")
    told.watch.wish("one", [str(file)])
    other.write_text("22")
    with file.open():
        other.replace(file)
        await told.until("one")
        file.write_text("333")
        await told.until("one")
