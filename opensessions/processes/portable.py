"""Processes from psutil: macOS, and any system without /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Collection

import psutil

from opensessions.processes.linux import CMDLINE
from opensessions.processes.source import Stat


class PortableSource:
    """Answers from psutil. Command lines of other users' processes are hidden on macOS."""

    def newest(self) -> int | None:
        """Unknown."""
        return None

    def pids(self) -> set[int]:
        """One system call on macOS."""
        return set(psutil.pids())

    def between(self, after: int, last: int) -> list[Stat]:
        """Those of the listing."""
        return [stat for pid in self.pids() if after < pid <= last and (stat := self.stat(pid))]

    def stat(self, pid: int) -> Stat | None:
        """The start is the wall clock's when the process began."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                return Stat(
                    pid=pid,
                    ppid=process.ppid(),
                    session=os.getsid(pid),
                    start=round(process.create_time() * 100),
                    comm=process.name(),
                    exited=process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1,
                    group=os.getpgid(pid),
                )
        except (psutil.Error, OSError):
            return None

    def program(self, pid: int) -> tuple[tuple[str, ...], str]:
        """The executable first, as on Linux."""
        path = self.file(pid) or ""
        try:
            words = psutil.Process(pid).cmdline()
        except (psutil.Error, OSError):
            return (), path
        return tuple("\0".join(words)[:CMDLINE].split("\0")) if words else (), path

    def file(self, pid: int) -> str | None:
        """The path of its executable."""
        try:
            return psutil.Process(pid).exe()
        except psutil.AccessDenied:
            return ""
        except (psutil.Error, OSError):
            return None

    def folder(self, pid: int) -> str:
        """Own processes' only, on macOS."""
        try:
            return psutil.Process(pid).cwd()
        except (psutil.Error, OSError):
            return ""

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """Own processes' only, on macOS."""
        try:
            return {name: value for name, value in psutil.Process(pid).environ().items() if name in names}
        except (psutil.Error, OSError):
            return {}

    def environment(self, pid: int) -> tuple[int, int] | None:
        """Not told: an environment that macOS withholds looks empty too."""
        return None

    def users(self, pid: int) -> tuple[int, int, int] | None:
        """As the system says."""
        try:
            found = psutil.Process(pid).uids()
        except (psutil.Error, OSError):
            return None
        return found.real, found.effective, found.saved

    def now(self) -> int:
        """Seconds since the epoch, times a hundred."""
        return int(time.time() * 100)
