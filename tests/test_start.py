"""Who needs a server: how often it is started, and what is said where none comes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from opensessions import paths, start
from opensessions.errors import ServerNotRunning


@pytest.fixture
def runtime(short: Path) -> str:
    return paths.ensure_runtime(str(short / "run"))


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds, of a clock that goes on by what is slept, at which servers were started. None of them comes."""
    clock, found = [0.0], list[float]()
    told = SimpleNamespace(
        monotonic=lambda: clock[0], sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds)
    )
    monkeypatch.setattr(start, "time", told)
    monkeypatch.setattr(start, "start_server", lambda runtime, python: found.append(clock[0]))
    return found


@pytest.fixture
def held(runtime: str) -> Iterator[int]:
    """The server's lock, held."""
    handle = os.open(paths.pid_file(runtime), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield handle
    os.close(handle)


def test_one_that_does_not_come_is_started_again_ever_more_seldom(runtime: str, starts: list[float]) -> None:
    with pytest.raises(ServerNotRunning, match="did not start within 10 s"):
        start.ensure(runtime, "python", 10.0)
    assert starts == [
        0.0,
        pytest.approx(1.0, abs=0.02),
        pytest.approx(3.0, abs=0.02),
        pytest.approx(7.0, abs=0.02),
    ]


def test_none_is_started_while_one_holds_the_lock(runtime: str, starts: list[float], held: int) -> None:
    with pytest.raises(ServerNotRunning, match="is there and did not answer within 3 s"):
        start.ensure(runtime, "python", 3.0)
    assert starts == []


def test_one_that_leaves_is_followed_at_once(
    runtime: str, starts: list[float], held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = start.time.sleep

    def sleeps(seconds: float) -> None:
        moment(seconds)
        if start.time.monotonic() >= 1.5:
            fcntl.flock(held, fcntl.LOCK_UN)

    monkeypatch.setattr(start.time, "sleep", sleeps)
    with pytest.raises(ServerNotRunning):
        start.ensure(runtime, "python", 2.0)
    assert starts == [pytest.approx(1.5, abs=0.02)]
