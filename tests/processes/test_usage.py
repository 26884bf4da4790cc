"""What processes take: the arithmetic by tables, the readings against what real processes do."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensessions.processes import usage
from opensessions.processes.source import this_system
from opensessions.processes.usage import (
    GAP,
    OLD,
    Read,
    Reading,
    Sampler,
    Use,
    read_linux,
    read_portable,
    total,
    used,
)
from tests.processes.conftest import until

MIB = 1 << 20


@pytest.mark.parametrize(
    ("before", "use"),
    [
        (None, Use(None, 5)),
        (Reading(1, 10.0, 3.0), Use(25.0, 5)),
        (Reading(1, 10.0, 4.0), Use(0.0, 5)),
        (Reading(1, 10.0, 9.0), Use(0.0, 5)),
        (Reading(2, 10.0, 3.0), Use(None, 5)),
        (Reading(1, 14.0, 3.0), Use(None, 5)),
        (Reading(1, 14.0 - OLD - 0.1, 3.0), Use(None, 5)),
    ],
    ids=["first", "a quarter", "idle", "never below nothing", "another process", "no time", "too long ago"],
)
def test_cpu_is_the_difference_of_two_readings_of_one_process(before: Reading | None, use: Use) -> None:
    assert used(before, Reading(1, 14.0, 4.0, 5)) == use


def test_sums() -> None:
    assert total([]) == Use()
    assert total([Use(), Use(None, 3)]) == Use(None, 3)
    assert total([Use(1.5, None), Use(2.5, 4), Use(None, 5)]) == Use(4.0, 9)


class Machine:
    """Processes that use what they are told to. Counts what is read."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cpu: dict[int, float] = {}
        self.start: dict[int, int] = {}
        self.read: list[tuple[int, bool]] = []
        self.sampler = Sampler(self.look, lambda: self.now)

    def look(self, pid: int, memory: bool) -> Reading | None:
        self.read.append((pid, memory))
        if pid not in self.cpu:
            return None
        return Reading(self.start.get(pid, 1), self.now, self.cpu[pid], 7 if memory else None)


def test_a_sampler_remembers() -> None:
    machine = Machine()
    machine.cpu = {1: 5.0, 2: 5.0}
    assert not machine.sampler.ready([1])
    assert machine.sampler.ready([])
    assert machine.sampler.sample([1, 2, 3], memory=False) == {1: (1, Use()), 2: (1, Use())}
    assert not machine.sampler.ready([1])
    machine.now += 2
    assert machine.sampler.ready([1, 2])
    assert not machine.sampler.ready([1, 3])
    machine.cpu = {1: 6.0}
    assert machine.sampler.sample([1, 2]) == {1: (1, Use(50.0, 7))}
    machine.now += 1
    machine.cpu = {1: 6.5, 2: 5.0}
    assert machine.sampler.sample([1, 2]) == {1: (1, Use(50.0, 7)), 2: (1, Use(None, 7))}


def test_who_asks_again_too_soon_hears_the_same_cpu_and_loses_nothing() -> None:
    machine = Machine()
    machine.cpu = {1: 0.0}
    machine.sampler.sample([1])
    machine.now += 1
    machine.cpu = {1: 0.5}
    machine.sampler.sample([1])
    machine.now += GAP / 2
    assert machine.sampler.ready([1])
    machine.cpu = {1: 0.6}
    assert machine.sampler.sample([1])[1][1] == Use(50.0, 7)
    machine.now += 1 - GAP / 2
    machine.cpu = {1: 1.5}
    assert machine.sampler.sample([1])[1][1] == Use(100.0, 7)


def test_a_moment_after_the_first_reading_nothing_is_known_of_the_cpu() -> None:
    """A hundredth of a second between two readings would look like all or nothing."""
    machine = Machine()
    machine.cpu = {1: 0.0}
    machine.sampler.sample([1])
    machine.now += 0.01
    machine.cpu = {1: 0.01}
    assert machine.sampler.sample([1]) == {1: (1, Use(None, 7))}
    machine.now += 0.99
    machine.cpu = {1: 0.2}
    assert machine.sampler.sample([1])[1][1].cpu == pytest.approx(20.0)


def test_a_pid_that_is_used_again_begins_anew() -> None:
    machine = Machine()
    machine.cpu = {1: 9.0}
    machine.sampler.sample([1])
    machine.now += 1
    machine.start, machine.cpu = {1: 2}, {1: 0.1}
    assert machine.sampler.sample([1]) == {1: (2, Use(None, 7))}


def test_what_nobody_asks_for_is_forgotten() -> None:
    machine = Machine()
    machine.cpu = {1: 0.0, 2: 0.0}
    machine.sampler.sample([1])
    machine.now += OLD + 1
    assert not machine.sampler.ready([1])
    machine.sampler.sample([2])
    assert machine.sampler.sample([1])[1][1].cpu is None
    machine.now += OLD + 1
    machine.sampler.sample([1])
    assert set(machine.sampler._last) == {1}


# --- real processes -----------------------------------------------------------------------------------------

READERS = [pytest.param(read_linux, id="linux"), pytest.param(read_portable, id="portable")]
SPIN = "print(flush=True)\nwhile True: pass"
HOLD = "import sys, time\nheld = bytearray(b'x') * (64 << 20)\nprint(flush=True)\ntime.sleep(600)"
SHARE = (
    "import mmap, os, sys, time\n"
    "held = mmap.mmap(int(sys.argv[1]), 64 << 20)\n"
    "total = sum(held[page] for page in range(0, 64 << 20, 4096))\n"
    "print(flush=True)\ntime.sleep(600)"
)


def python(code: str, *words: str, **more: Any) -> subprocess.Popen[bytes]:
    """Running and past its first line of output."""
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, **more)
    assert process.stdout
    assert process.stdout.readline() == b"\n"
    return process


def _waits(pid: int) -> bool:
    """Has it begun, and nothing to do?"""
    name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    return name.endswith("(sleep") and rest.split()[0] == "S"


@pytest.fixture
def spinning() -> Iterator[int]:
    process = python(SPIN)
    yield process.pid
    process.kill()
    process.communicate()


@pytest.mark.parametrize("read", READERS)
def test_a_process_that_spins_uses_what_its_scheduler_gives_it(read: Read, spinning: int) -> None:
    """Compared with what the kernel's scheduler says, since a busy machine may give it little."""

    def scheduled() -> float:
        with open(f"/proc/{spinning}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    def both() -> tuple[Reading, float]:
        """A reading, and what the scheduler said at the same moment: we may have to wait between the two."""
        while True:
            before, found, after = scheduled(), read(spinning, True), scheduled()
            assert found
            if after - before < 0.02:
                return found, after

    first, began = both()
    until(lambda: scheduled() - began > 0.5)
    second, ended = both()
    use = used(first, second)
    expected = (ended - began) / (second.at - first.at) * 100
    assert use.cpu is not None
    assert use.cpu == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize("read", READERS)
def test_a_process_at_rest_uses_nothing_and_its_start_is_the_censuss(read: Read) -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        until(lambda: _waits(process.pid), "the program's rest")
        first = read(process.pid, False)
        time.sleep(0.05)
        second = read(process.pid, True)
        stat = this_system().stat(process.pid)
        process.kill()
    assert first
    assert second
    assert stat
    assert first.memory is None
    assert second.cpu - first.cpu < 0.02
    assert second.memory is not None
    assert second.memory > 0
    if read is read_linux:
        assert first.start == second.start == stat.start


@pytest.mark.parametrize("read", READERS)
def test_what_a_process_holds_is_counted(read: Read) -> None:
    process = python(HOLD)
    try:
        reading = read(process.pid, True)
    finally:
        process.kill()
        process.communicate()
    assert reading
    assert reading.memory is not None
    assert 64 * MIB < reading.memory < 120 * MIB


def test_what_several_share_counts_once() -> None:
    handle = os.memfd_create("shared")
    os.ftruncate(handle, 64 * MIB)
    with mmap.mmap(handle, 64 * MIB) as held:
        held[:] = b"x" * (64 * MIB)
    both = [python(SHARE, str(handle), pass_fds=[handle]) for _ in range(2)]
    try:
        sizes = [reading.memory or 0 for each in both if (reading := read_linux(each.pid))]
    finally:
        for each in both:
            each.kill()
            each.communicate()
        os.close(handle)
    assert 64 * MIB < sum(sizes) < 110 * MIB


@pytest.mark.parametrize("read", READERS)
def test_what_is_gone_is_not_there(read: Read) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert read(process.pid, True) is None


def test_what_shares_may_not_be_read_is_counted_as_resident(monkeypatch: pytest.MonkeyPatch) -> None:
    real = usage._read
    monkeypatch.setattr(usage, "_read", lambda path: b"" if path.endswith("rollup") else real(path))
    reading = read_linux(os.getpid())
    assert reading
    assert reading.memory is not None
    assert reading.memory > MIB


def test_this_system_has_a_way() -> None:
    assert usage.this_system() is read_linux
