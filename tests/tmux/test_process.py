"""Proof that a process is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from opensessions_tmux.process import identify


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A program that ends when its input does."""
    with subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE) as running:
        yield running


async def test_a_process_is_gone_when_it_has_ended(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin
    process = identify(child.pid)
    assert process is not None
    assert not process.gone()
    assert not await process.ended(0.01)
    child.stdin.close()
    assert await process.ended(10)
    # Nobody has waited for it yet: a zombie does not run.
    assert process.gone()
    child.wait()
    assert process.gone()
    assert await process.ended(10)
    assert identify(child.pid) is None


async def test_a_stopped_process_is_not_gone(child: subprocess.Popen[bytes]) -> None:
    process = identify(child.pid)
    assert process is not None
    os.kill(child.pid, signal.SIGSTOP)
    assert not process.gone()
    assert not await process.ended(0.01)
    os.kill(child.pid, signal.SIGKILL)
    assert await process.ended(10)


def test_another_process_with_the_same_pid_is_another() -> None:
    process = identify(os.getpid())
    assert process is not None
    assert not process.gone()
    process._started = b"1"  # type: ignore[attr-defined]
    assert process.gone()


def test_processor_time_is_told_finely() -> None:
    process = identify(os.getpid())
    assert process is not None
    before = process.worked()
    sum(range(200_000))
    time.sleep(0.001)  # The kernel books the time when the process leaves the processor.
    after = process.worked()
    assert before is not None
    assert after is not None
    assert 0 < after - before < 5
