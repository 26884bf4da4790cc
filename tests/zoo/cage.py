"""Animals are started here, and end with the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from opensessions.processes.identity import ProcId, read

# As they are before a test takes them away.
pidfd_open, pidfd_send_signal = os.pidfd_open, signal.pidfd_send_signal

ANIMAL = str(Path(__file__).with_name("animal.py"))
PATIENCE = 20.0


def until(what: Callable[[], object], why: str = "") -> None:
    """Wait until `what` is true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, why or "it did not happen"
        time.sleep(0.003)


def known(pid: int) -> ProcId:
    """Which process it is; it must be there."""
    found = read(pid)
    assert found, f"process {pid} is not there"
    return found


class Animal(Struct, frozen=True):
    """What was started, as it reported itself."""

    process: ProcId
    family: tuple[ProcId, ...] = ()
    """What it started."""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def tree(self) -> tuple[ProcId, ...]:
        """All of it, itself first."""
        return (self.process, *self.family)


class Cage:
    """A folder in which animals report, and a handle on each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._den = tempfile.mkdtemp(dir=folder)
        self._reports = 0
        self._handles: list[int] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def words(self, *habits: str) -> tuple[str, list[str]]:
        """The file in which an animal with these habits will report, and the command that starts it."""
        self._reports += 1
        report = Path(self._den, f"report-{self._reports}")
        report.touch()
        return str(report), [sys.executable, "-I", "-S", ANIMAL, str(report), *habits]

    def start(
        self, *habits: str, family: int = 0, before: Sequence[str] = (), env: dict[str, str] | None = None
    ) -> Animal:
        """Start one that leads a session, with `family` reported processes below it, by the command `before`."""
        report, words = self.words(*habits)
        process = subprocess.Popen(
            [*before, *words],
            stdin=subprocess.DEVNULL,
            env=env if env is not None else dict(os.environ),
            start_new_session=True,
        )
        self._started.append(process)
        return self.admit(report, family)

    def admit(self, report: str, family: int = 0) -> Animal:
        """Wait until one that was started elsewhere has reported with its family, and take hold of each."""
        until(lambda: len(Path(report).read_text().splitlines()) > family, "the animal's report")
        lines = [line.split() for line in Path(report).read_text().splitlines()]
        self._handles += [pidfd_open(int(pid)) for _, pid in lines]
        (root,) = (int(pid) for role, pid in lines if role == "root")
        return Animal(known(root), tuple(known(int(pid)) for role, pid in lines if role == "child"))

    def reap(self) -> None:
        """Ask for the exit status of those that have exited."""
        for process in self._started:
            process.poll()

    def close(self) -> None:
        """End all of them."""
        for handle in self._handles:
            try:
                pidfd_send_signal(handle, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.close(handle)
        self._handles.clear()
        for process in self._started:
            process.kill()
            process.wait(PATIENCE)
