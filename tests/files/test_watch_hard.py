"""Many paths, busy neighbours, folders that go and come, no room in the kernel."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from opensessions.files import watch as module
from opensessions.files.inotify import Inotify
from opensessions.files.watch import Watch

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/sys/fs/inotify"), reason="this system has no inotify"
)


@pytest.fixture
async def told() -> AsyncIterator[tuple[Watch, list[str]]]:
    tokens: list[str] = []
    watch = Watch(tokens.append)
    yield watch, tokens
    watch.close()


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.002)


async def test_a_file_that_is_replaced_all_the_time_ends_as_it_is(
    told: tuple[Watch, list[str]], tmp_path: Path
) -> None:
    watch, tokens = told
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("0")
    watch.wish("one", [str(file)])
    for number in range(300):
        other.write_text(str(number))
        other.replace(file)
        if number % 7 == 0:
            await asyncio.sleep(0)
    await until(lambda: tokens)
    await asyncio.sleep(0.05)
    tokens.clear()
    file.write_text("the last")
    await until(lambda: tokens)
    assert len(watch._watches) == 1


async def test_folders_that_are_removed_and_made_again(told: tuple[Watch, list[str]], tmp_path: Path) -> None:
    watch, tokens = told
    folder = tmp_path / "a" / "b"
    file = folder / "c"
    watch.wish("file", [str(file)])
    watch.wish("folder", [str(folder)])
    for _ in range(5):
        folder.mkdir(parents=True)
        file.write_text("1")
        await until(lambda: {"file", "folder"} <= set(tokens))
        tokens.clear()
        shutil.rmtree(tmp_path / "a")
        await until(lambda: {"file", "folder"} <= set(tokens))
        await asyncio.sleep(0.02)
        tokens.clear()


async def test_what_leads_to_a_missing_file_wakes_nobody_when_it_is_written(
    told: tuple[Watch, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder above may be a home or /tmp, where something is written all day."""
    watch, tokens = told
    busy = tmp_path / "busy"
    busy.write_text("1")
    heard: list[object] = []
    read = Inotify.read
    monkeypatch.setattr(
        Inotify, "read", lambda self: iter([heard.append(each) or each for each in read(self)])
    )  # type: ignore[func-returns-value]
    watch.wish("one", [str(tmp_path / "missing" / "file")])
    for _ in range(20):
        busy.write_text("2")
        busy.touch()
    watch.wish("fence", [str(tmp_path / "fence")])
    (tmp_path / "fence").write_text("")
    await until(lambda: "fence" in tokens)
    assert len(heard) < 5
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing" / "file").write_text("")
    await until(lambda: "one" in tokens)


@pytest.mark.parametrize("first", ["led to", "itself"])
async def test_a_folder_that_also_leads_elsewhere_still_tells_of_writes(
    told: tuple[Watch, list[str]], tmp_path: Path, first: str
) -> None:
    watch, tokens = told
    file = tmp_path / "file"
    file.write_text("1")
    wishes = [("led to", str(tmp_path / "missing")), ("itself", str(tmp_path))]
    for token, path in wishes if first == "led to" else reversed(wishes):
        watch.wish(token, [path])
    file.write_text("2")
    await until(lambda: "itself" in tokens)
    assert "led to" not in tokens
    watch.wish("itself", [])
    (tmp_path / "missing").write_text("1")
    await until(lambda: "led to" in tokens)


async def test_where_the_kernel_has_no_room_it_is_looked_at(
    told: tuple[Watch, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, tokens = told
    monkeypatch.setattr(module, "POLL", 0.01)

    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(Inotify, "add", full)
    paths = [str(tmp_path / str(number)) for number in range(2000)]
    watch.wish("one", paths)
    Path(paths[1234]).write_text("1")
    await until(lambda: tokens)
    watch.wish("one", [])
    assert not watch._polled
    await until(lambda: watch._timer is None)


async def test_looking_takes_a_tenth_of_the_time_at_most(
    told: tuple[Watch, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, _ = told
    monkeypatch.setattr(module, "POLL", 0.01)
    monkeypatch.setattr(
        Inotify, "add", lambda *arguments: (_ for _ in ()).throw(OSError(errno.ENOSPC, "no room"))
    )
    loop = asyncio.get_running_loop()
    clock = [loop.time()]

    def slow(path: str) -> object:
        clock[0] += 1.0
        return path

    monkeypatch.setattr(module, "_looks", slow)
    monkeypatch.setattr(loop, "time", lambda: clock[0])
    watch.wish("one", ["/a"])
    assert watch._timer is not None
    watch._timer.cancel()
    watch._compare()
    assert watch._timer is not None
    assert watch._timer.when() - clock[0] >= 9.0


async def test_thousands_of_paths_come_and_go(told: tuple[Watch, list[str]], tmp_path: Path) -> None:
    watch, tokens = told
    for number in range(3000):
        (tmp_path / str(number)).write_text("1")
        watch.wish(f"t{number}", [str(tmp_path / str(number))])
    (tmp_path / "77").write_text("2")
    await until(lambda: "t77" in tokens)
    for number in range(3000):
        watch.wish(f"t{number}", [])
    assert (watch._watches, watch._wanted, watch._paths) == ({}, {}, {})
