"""Alive, dead, or not known: never a guess."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.processes.identity import ProcId, boot_id, liveness, proven_dead, read
from tests.processes.conftest import until


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    made = subprocess.Popen(["sleep", "600"])
    try:
        yield made
    finally:
        made.kill()
        made.wait()


def known(process: subprocess.Popen[bytes]) -> ProcId:
    found = read(process.pid)
    assert found
    return found


def test_a_process_is_named_by_pid_start_and_boot(process: subprocess.Popen[bytes]) -> None:
    found = known(process)
    assert found.pid == process.pid
    assert found.start > 0
    assert found.boot == boot_id() != ""
    assert liveness(found) == "alive"
    assert not proven_dead(found.pid, found.start)


def test_an_exec_does_not_change_it(process: subprocess.Popen[bytes]) -> None:
    made = subprocess.Popen(["bash", "-c", "read; exec sleep 600"], stdin=subprocess.PIPE)
    try:
        before = known(made)
        assert made.stdin
        made.stdin.write(b"\n")
        made.stdin.close()
        until(lambda: Path(f"/proc/{made.pid}/cmdline").read_bytes().startswith(b"sleep"))
        assert known(made) == before
    finally:
        made.kill()
        made.wait()


def test_what_exited_is_dead_even_before_its_parent_asks(process: subprocess.Popen[bytes]) -> None:
    found = known(process)
    process.kill()
    until(lambda: liveness(found) == "dead")
    process.wait()
    assert liveness(found) == "dead"
    assert proven_dead(found.pid, found.start)
    assert proven_dead(found.pid)
    assert read(found.pid) is None


def test_another_process_with_the_same_pid_is_proof(process: subprocess.Popen[bytes]) -> None:
    found = known(process)
    assert liveness(replace(found, start=found.start - 1)) == "dead"
    assert proven_dead(found.pid, found.start + 1)


def test_another_boot_is_proof(process: subprocess.Popen[bytes]) -> None:
    assert liveness(replace(known(process), boot="another")) == "dead"


def test_without_a_boot_the_rest_decides(process: subprocess.Popen[bytes]) -> None:
    assert liveness(replace(known(process), boot="")) == "alive"


def test_a_pid_that_is_in_use_proves_nothing_without_a_start(process: subprocess.Popen[bytes]) -> None:
    assert liveness(ProcId(process.pid, 0)) == "unknown"
    assert not proven_dead(process.pid)


@pytest.mark.parametrize(
    "pid", [0, -1, -process_group if (process_group := os.getpgrp()) else 0, 1 << 31, 10**21]
)
def test_a_number_that_is_no_pid_proves_nothing(pid: int) -> None:
    assert liveness(ProcId(pid, 5)) == "unknown"
    assert not proven_dead(pid, 5)
    assert read(-1) is None


def test_a_process_that_is_hidden_is_unknown(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = known(process)
    monkeypatch.setattr("opensessions.processes.linux._read", lambda path, size: None)
    assert liveness(found) == "unknown"
    assert not proven_dead(found.pid, found.start)
