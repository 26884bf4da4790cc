"""Is a tmux server process proven gone? Its socket cannot tell: a deleted one answers like a dead server."""

from __future__ import annotations

import asyncio
import os
from typing import Protocol


class ServerProcess(Protocol):
    """One process, told from a later one with the same pid."""

    pid: int

    def gone(self) -> bool:
        """True only where it is certain that the process does not run any more. A zombie does not run."""
        ...

    async def ended(self, seconds: float) -> bool:
        """Wait until it is gone, at most so long; whether it is."""
        ...

    def worked(self) -> float | None:
        """Seconds of processor time that it has used, finely enough for milliseconds; None where that is not told."""
        ...


def identify(pid: int) -> ServerProcess | None:
    """The process that has this pid now; None where there is none, or the system does not tell."""
    return _LinuxProcess.find(pid) if os.path.exists("/proc/self/stat") else _OtherProcess.find(pid)


class _LinuxProcess:
    def __init__(self, pid: int, started: bytes) -> None:
        self.pid = pid
        self._started = started

    @classmethod
    def find(cls, pid: int) -> _LinuxProcess | None:
        found = _stat(pid)
        return cls(pid, found[1]) if found else None

    def gone(self) -> bool:
        found = _stat(self.pid)
        return found is None or found[1] != self._started or found[0] in b"ZX"

    async def ended(self, seconds: float) -> bool:
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return self.gone()
        loop = asyncio.get_running_loop()
        exited = asyncio.Event()
        loop.add_reader(handle, exited.set)
        try:
            async with asyncio.timeout(seconds):
                if not self.gone():
                    await exited.wait()
        except TimeoutError:
            return self.gone()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
        return True

    def worked(self) -> float | None:
        try:
            with open(f"/proc/{self.pid}/schedstat", "rb") as file:
                return int(file.read().split()[0]) / 1e9
        except OSError:
            return None


def _stat(pid: int) -> tuple[bytes, bytes] | None:
    """State and start time (field 22, in clock ticks since boot) of /proc/PID/stat; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], fields[19]


class _OtherProcess:
    """Where there is no /proc (macOS, BSD)."""

    def __init__(self, pid: int) -> None:
        import psutil

        self.pid = pid
        self._process = psutil.Process(pid)

    @classmethod
    def find(cls, pid: int) -> _OtherProcess | None:
        import psutil

        try:
            return cls(pid)
        except psutil.NoSuchProcess:
            return None

    def gone(self) -> bool:
        import psutil

        try:
            return not self._process.is_running() or self._process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    async def ended(self, seconds: float) -> bool:
        import psutil

        try:
            await asyncio.to_thread(self._process.wait, seconds)
        except psutil.TimeoutExpired:
            return self.gone()
        return True

    def worked(self) -> float | None:
        return None
