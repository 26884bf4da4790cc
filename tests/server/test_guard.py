from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opensessions import paths
from opensessions.errors import AlreadyRunning, UnsafePath
from opensessions.server.guard import Guard, Holder


@pytest.fixture
def runtime(short: Path) -> str:
    return paths.ensure_runtime(str(short / "run"))


def test_the_second_one_is_told_so_and_the_file_stays(runtime: str) -> None:
    guard = Guard.acquire(runtime)
    with pytest.raises(AlreadyRunning):
        Guard.acquire(runtime)
    guard.release()
    assert os.path.exists(paths.pid_file(runtime))
    Guard.acquire(runtime).release()


def test_the_first_line_is_the_pid_whatever_stood_there_before(runtime: str) -> None:
    Path(paths.pid_file(runtime)).write_bytes(b"garbage \xff\n" * 100)
    guard = Guard.acquire(runtime)
    guard.announce(Holder(4242, "1", "/r", "i", 1.0))
    first, second = Path(paths.pid_file(runtime)).read_text().splitlines()
    assert first == "4242"
    assert json.loads(second)["instance"] == "i"
    guard.release()


def test_a_link_a_fifo_and_a_second_name_are_refused_and_left_alone(runtime: str, short: Path) -> None:
    path = Path(paths.pid_file(runtime))
    victim = short / "victim"
    victim.write_text("precious")
    path.symlink_to(victim)
    with pytest.raises(UnsafePath, match="symbolic link"):
        Guard.acquire(runtime)
    path.unlink()
    path.hardlink_to(victim)
    with pytest.raises(UnsafePath, match="ordinary file"):
        Guard.acquire(runtime)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnsafePath, match="ordinary file"):
        Guard.acquire(runtime)
    assert victim.read_text() == "precious"


def test_a_file_that_was_replaced_is_noticed(runtime: str) -> None:
    guard = Guard.acquire(runtime)
    assert guard.intact()
    os.rename(paths.pid_file(runtime), paths.pid_file(runtime) + ".old")
    assert not guard.intact()
    Path(paths.pid_file(runtime)).touch()
    assert not guard.intact()
    guard.release()


def test_a_killed_holder_leaves_the_lock_free(runtime: str) -> None:
    code = (
        "import sys; from opensessions.server.guard import Guard\n"
        f"guard = Guard.acquire({runtime!r}); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(AlreadyRunning):
        Guard.acquire(runtime)
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    Guard.acquire(runtime).release()
