"""Told at once when a process exits."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from collections.abc import Iterator

import pytest

from opensessions.processes.exits import Exits
from opensessions.processes.identity import read
from tests.processes.conftest import PATIENCE


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    made = [subprocess.Popen(["sleep", "600"]) for _ in range(3)]
    try:
        yield made
    finally:
        for process in made:
            process.kill()
            process.wait()


def starts(*processes: subprocess.Popen[bytes]) -> dict[int, int]:
    return {process.pid: found.start for process in processes if (found := read(process.pid))}


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_an_exit_is_told_once_with_its_pid(processes: list[subprocess.Popen[bytes]]) -> None:
    told: asyncio.Queue[int] = asyncio.Queue()
    exits = Exits(told.put_nowait)
    exits.watch(starts(*processes))
    processes[1].kill()
    async with asyncio.timeout(PATIENCE):
        assert await told.get() == processes[1].pid
    exits.watch(starts(processes[0], processes[2]))
    processes[0].kill()
    processes[2].kill()
    async with asyncio.timeout(PATIENCE):
        assert {await told.get(), await told.get()} == {processes[0].pid, processes[2].pid}
    assert told.empty()
    exits.close()


async def test_who_is_not_watched_any_more_is_not_told_of(processes: list[subprocess.Popen[bytes]]) -> None:
    told: asyncio.Queue[int] = asyncio.Queue()
    exits = Exits(told.put_nowait)
    exits.watch(starts(*processes))
    exits.watch(starts(processes[2]))
    processes[0].kill()
    processes[2].kill()
    async with asyncio.timeout(PATIENCE):
        assert await told.get() == processes[2].pid
    assert told.empty()
    exits.close()


async def test_who_is_gone_already_is_told_of_soon(processes: list[subprocess.Popen[bytes]]) -> None:
    gone, reused = processes[0], processes[1]
    wanted = starts(gone, reused)
    wanted[reused.pid] -= 1  # the pid of a process that ended, given to another one since
    gone.kill()
    gone.wait()
    told: list[int] = []
    exits = Exits(told.append)
    exits.watch(wanted)
    assert told == [], "not from within the call"
    await asyncio.sleep(0)
    assert sorted(told) == sorted([gone.pid, reused.pid])
    exits.close()


async def test_no_descriptor_is_left(processes: list[subprocess.Popen[bytes]]) -> None:
    told: asyncio.Queue[int] = asyncio.Queue()
    before = handles()
    exits = Exits(told.put_nowait)
    for _ in range(3):
        exits.watch(starts(*processes))
    assert handles() == before + 3
    processes[0].kill()
    async with asyncio.timeout(PATIENCE):
        await told.get()
    assert handles() == before + 2
    exits.close()
    exits.close()
    assert handles() == before


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSYS, errno.EINVAL])
async def test_where_watching_is_impossible_nothing_is_told(
    processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(number, os.strerror(number))

    told: asyncio.Queue[int] = asyncio.Queue()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", refuse)
        exits = Exits(told.put_nowait)
        exits.watch(starts(*processes))
    await asyncio.sleep(0)
    assert told.empty()
    exits.watch(starts(*processes))  # and is tried again
    processes[0].kill()
    async with asyncio.timeout(PATIENCE):
        assert await told.get() == processes[0].pid
    exits.close()
