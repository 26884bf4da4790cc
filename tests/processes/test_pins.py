"""A pin is the process that was meant, or nothing; and what must never be signalled cannot be pinned at all."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.processes.identity import ProcId, liveness, pidfds_differ, read
from opensessions.processes.pins import FEW, Pin, Scarce, gone, hold
from opensessions.processes.source import this_system
from tests.zoo.cage import Cage, until


@pytest.fixture
def cage(tmp_path: Path) -> Iterator[Cage]:
    made = Cage(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(params=["handles", "none", "old kernel"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A system with pidfds; one whose Python has none (macOS); one whose kernel has none."""

    def unknown(pid: int, flags: int = 0) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if request.param == "none":
        monkeypatch.delattr(os, "pidfd_open")
    elif request.param == "old kernel":
        monkeypatch.setattr(os, "pidfd_open", unknown)
    return str(request.param)


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def pinned(process: ProcId) -> Pin:
    pin = Pin.open(process)
    assert pin
    return pin


# --- which process it is ----------------------------------------------------------------------------------------


async def test_a_pinned_process_is_signalled_and_its_exit_is_seen(cage: Cage, system: str) -> None:
    animal = cage.start("plain")
    before = handles()
    pin = pinned(animal.process)
    assert pin.held == (system == "handles")
    assert pin.comm.startswith("python")
    assert pin.alive()
    assert not await pin.wait(0.05)
    assert pin.signal(signal.SIGTERM)
    assert await pin.wait(20)
    assert not pin.alive()
    assert not pin.signal(signal.SIGTERM), "a zombie would take it"
    pin.close()
    pin.close()
    assert handles() == before


def test_another_process_with_the_pid_is_not_pinned(cage: Cage, system: str) -> None:
    animal = cage.start("plain")
    before = handles()
    assert Pin.open(replace(animal.process, start=animal.process.start - 1)) is None
    assert Pin.open(replace(animal.process, boot="another boot")) is None
    assert handles() == before
    assert liveness(animal.process) == "alive"


def test_what_has_exited_is_not_pinned_even_before_its_parent_asks(cage: Cage, system: str) -> None:
    animal = cage.start("plain")
    os.kill(animal.pid, signal.SIGKILL)
    until(lambda: liveness(animal.process) == "dead")
    before = handles()
    assert Pin.open(animal.process) is None
    assert handles() == before
    cage.close()
    assert Pin.open(animal.process) is None


def test_a_pid_that_is_given_out_again_after_pinning_is_never_signalled(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handle means the first process, whatever has the pid; without one the start is compared again."""
    first, second = cage.start("plain"), cage.start("plain")
    held, loose = pinned(first.process), pinned(first.process)
    loose.release()
    os.kill(first.pid, signal.SIGKILL)
    cage._started[0].wait()
    # The second process takes the pid, as far as this program can see.
    imposter = this_system().stat(second.pid)
    assert imposter
    monkeypatch.setattr(
        "opensessions.processes.linux.LinuxSource.stat",
        lambda self, pid: replace(imposter, pid=pid, start=imposter.start + 1),
    )
    monkeypatch.setattr(os, "kill", lambda pid, number: pytest.fail("it was signalled"))
    try:
        assert not held.signal(signal.SIGKILL)
        assert not loose.signal(signal.SIGKILL)
        assert not held.alive()
        assert not loose.alive()
    finally:
        held.close()


def test_the_inode_tells_two_processes_of_one_tick_apart(cage: Cage) -> None:
    """Both have the same pid and start as far as those tell."""
    animal = cage.start("plain")
    if not pidfds_differ():
        pytest.skip("this kernel does not number its pidfds (6.9 or later does)")
    pin = pinned(animal.process)
    assert pin.process.inode
    pin.close()
    assert Pin.open(replace(pin.process, inode=pin.process.inode + 1)) is None
    again = pinned(pin.process)
    assert again.process == pin.process
    again.close()


def test_one_that_is_hidden_is_refused(cage: Cage, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    animal = cage.start("plain")
    monkeypatch.setattr("opensessions.processes.linux._read", lambda path, size: None)
    before = handles()
    with pytest.raises(Refused, match="does not show"):
        Pin.open(animal.process)
    assert handles() == before


def test_without_a_start_nothing_is_proven(cage: Cage, system: str) -> None:
    animal = cage.start("plain")
    for doubtful in (
        replace(animal.process, start=0),
        replace(animal.process, namespace=animal.process.namespace + 1),
        replace(animal.process, boot=""),
    ):
        with pytest.raises(Refused, match="cannot be shown"):
            Pin.open(doubtful)


async def test_a_process_whose_first_thread_has_ended_is_alive(cage: Cage, system: str) -> None:
    animal = cage.start("headless")
    until(lambda: Path(f"/proc/{animal.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    pin = pinned(animal.process)
    assert pin.alive()
    assert pin.signal(signal.SIGKILL)
    assert await pin.wait(20)
    pin.close()


# --- what may never be signalled ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pid", [1, 0, -1, -2, 1 << 31, 10**21])
def test_no_pid_of_one_process_is_refused(pid: int, system: str) -> None:
    with pytest.raises(Refused):
        Pin.open(ProcId(pid, 5))


def test_ourselves_and_the_first_process_are_refused(system: str) -> None:
    for pid in (os.getpid(), 1):
        found = read(pid)
        assert found
        with pytest.raises(Refused):
            Pin.open(found)


def test_a_thread_is_refused() -> None:
    """Python's own name for it is in the same row of numbers; a signal to it would reach the whole process."""
    import threading

    told = threading.Event()
    thread = threading.Thread(target=told.wait)
    thread.start()
    try:
        assert thread.native_id
        found = read(thread.native_id)
        assert found
        with pytest.raises(Refused):
            Pin.open(found)
    finally:
        told.set()
        thread.join()


def test_a_thread_of_the_kernel_is_refused(system: str) -> None:
    found = read(2)
    stat = this_system().stat(2)
    if not found or not stat or not stat.kernel:
        pytest.skip("no thread of the kernel can be seen here")
    with pytest.raises(Refused):
        Pin.open(found)


def test_another_users_process_is_refused(cage: Cage, system: str) -> None:
    """Root may signal everybody: the system would not stop us."""
    if os.geteuid():
        pytest.skip("only root can start another user's process")
    animal = cage.start("user=65534")
    with pytest.raises(Refused, match="another user"):
        Pin.open(animal.process)
    assert liveness(animal.process) == "alive"


def test_one_whose_owner_cannot_be_read_is_refused(
    cage: Cage, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    animal = cage.start("plain")
    monkeypatch.setattr("opensessions.processes.linux.LinuxSource.users", lambda self, pid: None)
    with pytest.raises(Refused, match="Whose"):
        Pin.open(animal.process)


def test_a_signal_that_the_system_forbids_is_refused(
    cage: Cage, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    animal = cage.start("plain")
    pin = pinned(animal.process)

    def forbid(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(signal, "pidfd_send_signal", forbid)
    monkeypatch.setattr(os, "kill", forbid)
    with pytest.raises(Refused, match="does not let us"):
        pin.signal(signal.SIGTERM)
    pin.close()


# --- many of them, few descriptors ---------------------------------------------------------------------------------


def test_those_that_are_gone_are_left_out(cage: Cage) -> None:
    animals = [cage.start("plain") for _ in range(3)]
    os.kill(animals[1].pid, signal.SIGKILL)
    until(lambda: liveness(animals[1].process) == "dead")
    held = hold(animal.process for animal in animals)
    assert [pin.process.pid for pin in held] == [animals[0].pid, animals[2].pid]
    for pin in held:
        pin.close()


def test_one_that_may_not_be_pinned_lets_go_of_all(cage: Cage) -> None:
    animal = cage.start("plain")
    before = handles()
    with pytest.raises(Refused):
        hold([animal.process, ProcId(1, 5)])
    assert handles() == before


@pytest.fixture
def limit() -> Iterator[None]:
    """Room for FEW + 16 more descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    fillers = [os.open("/dev/null", os.O_RDONLY) for _ in range(highest + 1 - handles())]
    resource.setrlimit(resource.RLIMIT_NOFILE, (handles() + FEW + 16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for handle in fillers:
            os.close(handle)


async def test_where_descriptors_run_short_few_are_held_and_all_can_be_signalled(
    cage: Cage, request: pytest.FixtureRequest
) -> None:
    animal = cage.start("children=90", family=90)
    request.getfixturevalue("limit")
    held = hold(animal.tree)
    try:
        assert len(held) == 91
        assert 1 < sum(pin.held for pin in held) <= FEW, "some are left for the rest of the program"
        assert handles() < resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 8
        assert not await gone(held, 0.05)
        for pin in held:
            assert pin.signal(signal.SIGKILL)
        assert await gone(held, 20)
    finally:
        for pin in held:
            pin.close()


def test_without_any_descriptor_nothing_is_pinned(cage: Cage, monkeypatch: pytest.MonkeyPatch) -> None:
    animal = cage.start("plain")

    def none_left(pid: int, flags: int = 0) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pidfd_open", none_left)
    with pytest.raises(Scarce):
        hold([animal.process])


async def test_waiting_for_many_ends_with_the_last_of_them(cage: Cage, system: str) -> None:
    animal = cage.start("children=5", family=5)
    held = hold(animal.tree)
    loop = asyncio.get_running_loop()
    for pin in held[1:]:
        pin.signal(signal.SIGKILL)
    assert not await gone(held, 0.1)
    loop.call_later(0.05, held[0].signal, signal.SIGKILL)
    began = loop.time()
    assert await gone(held, 60)
    assert loop.time() - began < 30, "it is told, not found out at the end"
    for pin in held:
        pin.close()
