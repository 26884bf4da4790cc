"""What is read of a process, and that "it has none" is never said of what could not be read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pytest

from opensessions.processes import census, linux
from opensessions.processes.details import examine
from opensessions.processes.linux import LinuxSource
from opensessions.processes.source import Stat, this_system
from opensessions.processes.verdict import Details
from tests.processes.conftest import until

WIPE = """
import ctypes, time
fields = open('/proc/self/stat', 'rb').read().rpartition(b')')[2].split()
first, last = int(fields[45]), int(fields[48])
ctypes.memset(first, 0, last - first)
print('ready', flush=True)
time.sleep(600)
"""
HIDE = """
import ctypes, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
print('ready', flush=True)
time.sleep(600)
"""
CALM = "print('ready', flush=True); import time; time.sleep(600)"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells")


@contextmanager
def running(code: str, env: dict[str, str]) -> Iterator[int]:
    """A process that has done what the code says."""
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield process.pid
        finally:
            process.kill()


def details(pid: int, source: LinuxSource | None = None) -> Details:
    return examine(source or this_system(), [pid])[pid]


def old(pid: int) -> Details:
    """Its details as soon as it is old enough."""
    return until(lambda: (found := details(pid)).variables is not None and found)


@linux_only
def test_one_without_any_environment_has_none() -> None:
    with running(CALM, {}) as pid:
        assert old(pid).variables == {}


@linux_only
def test_one_that_has_overwritten_its_environment_has_none() -> None:
    with running(WIPE, {"TMUX_PANE": "%1", "PATH": "/bin"}) as pid:
        assert old(pid).variables == {}


def test_what_is_wanted_is_read_wherever_it_stands() -> None:
    many = {f"A{number}": "x" * 30_000 for number in range(12)}
    with running(CALM, {"PATH": "/bin", **many, "OPENSESSIONS_KEEP": "1"}) as pid:
        assert details(pid).variables == {"OPENSESSIONS_KEEP": "1"}


@linux_only
def test_what_is_young_and_shows_none_has_an_unknown_environment() -> None:
    class Young(LinuxSource):
        def now(self) -> int:
            stat = self.stat(pid)
            assert stat
            return stat.start + 99

    class Old(Young):
        def now(self) -> int:
            return super().now() + 1

    with running(CALM, {}) as pid:
        assert details(pid, Young()).variables is None
        assert details(pid, Old()).variables == {}


@linux_only
def test_its_age_is_that_in_the_census() -> None:
    with running(CALM, {}) as pid:
        old(pid)
        taken = census.take(this_system())
        start = taken.stats[pid].start
        early = census.count(taken.stats.values(), start + 99)
        late = census.count(taken.stats.values(), start + 100)
        assert examine(this_system(), [pid], early)[pid].variables is None
        assert examine(this_system(), [pid], late)[pid].variables == {}


class Becoming(LinuxSource):
    """A process that becomes another program in the middle: it began long ago, and shows nothing at that moment. That
    lasts for microseconds, so it is said here. `areas`: where its environment lies, one look after the other."""

    def __init__(self, *areas: tuple[int, int] | None, after: dict[str, str] | None = None) -> None:
        self.areas = list(areas)
        self.answers = [{}, after or {}]

    def stat(self, pid: int) -> Stat:
        return Stat(pid, 1, pid, 1, "node")

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        return self.answers.pop(0)

    def environment(self, pid: int) -> tuple[int, int] | None:
        return self.areas.pop(0)


@pytest.mark.parametrize(
    "source",
    [
        Becoming(None),
        Becoming((16, 32), None),
        Becoming((16, 32), (64, 96)),
        Becoming((16, 32), (16, 32), after={"OPENSESSIONS_KEEP": "1"}),
    ],
    ids=["nowhere", "nowhere afterwards", "elsewhere", "there by now"],
)
def test_what_becomes_another_program_has_an_unknown_environment(
    source: Becoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opensessions.processes.details.PAUSES", 0)
    assert details(os.getpid(), source).variables is None


class Late(LinuxSource):
    """Shows no environment at first, as in an `exec` or before an exit; then `after`, or it has exited."""

    def __init__(self, after: dict[str, str] | None) -> None:
        self.after = after
        self.looks = 0

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        self.looks += 1
        return (self.after or {}) if self.looks > 2 else {}

    def environment(self, pid: int) -> tuple[int, int] | None:
        return None

    def stat(self, pid: int) -> Stat:
        return Stat(pid, 1, pid, 1, "node", exited=self.after is None and self.looks > 2)


def test_who_shows_nothing_for_a_moment_is_looked_at_again() -> None:
    assert details(os.getpid(), Late({"TMUX_PANE": "%1"})).variables == {"TMUX_PANE": "%1"}
    assert details(os.getpid(), Late(None)).gone


@linux_only
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not look")
def test_what_may_not_be_read_has_an_unknown_environment() -> None:
    nobody = 65534
    with running(HIDE, {}) as pid:
        read = (
            "import os, sys; from opensessions.processes.linux import LinuxSource;"
            f"os.setresgid({nobody}, {nobody}, {nobody}); os.setresuid({nobody}, {nobody}, {nobody});"
            f"print(LinuxSource().environment({pid}))"
        )
        done = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)
        assert done.stdout == "None\n"
        assert this_system().environment(pid) is not None  # root may


@linux_only
def test_a_thread_of_the_kernel_and_a_dead_process_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LinuxSource().environment(2 << 21) is None
    monkeypatch.setattr(linux, "_read", lambda path, size: b"2 (kthreadd) S 0 0 0 0 -1 " + b"0 " * 44)
    assert LinuxSource().environment(2) is None
