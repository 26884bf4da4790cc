"""Processes from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Collection

from opensessions.processes.source import Stat

CMDLINE = 32 << 10
"""Bytes of a command line that are read."""
ENVIRONMENT = 256 << 10
"""Bytes of an environment that are read at once."""
LARGEST = 8 << 20
"""No environment is larger: a program's arguments and environment get three quarters of 8 MiB at most (execve(2))."""
DELETED = " (deleted)"
"""What the kernel appends to the path of an executable that was replaced, as by an agent's own update."""
KERNEL_THREAD = 0x200000
"""PF_KTHREAD among the flags in /proc/<pid>/stat."""
TICK = 100 / os.sysconf("SC_CLK_TCK")


class LinuxSource:
    """Answers from /proc. Another user's process shows its stat and command line, but not its executable."""

    def newest(self) -> int | None:
        """The last field of /proc/loadavg; sandboxes that do not fill it in say 0."""
        fields = (_read("/proc/loadavg", 256) or b"0").split()
        return int(fields[-1]) or None

    def pids(self) -> set[int]:
        """One listing: 0.6 ms for 1,000 processes, while reading their stats takes 11 ms."""
        return {int(name) for name in os.listdir("/proc") if name.isdecimal()}

    def between(self, after: int, last: int) -> list[Stat]:
        """Pids are given out in ascending order, so what was created meanwhile has one of these. 4 µs for each that
        is not there. Threads take numbers from the same row and can be opened by them, though no listing shows
        them."""
        found = (self.stat(pid) for pid in range(after + 1, last + 1))
        return [stat for stat in found if stat and _leads(stat.pid)]

    def stat(self, pid: int) -> Stat | None:
        """proc(5): the name stands in parentheses and may itself hold some, so what counts is the last one."""
        data = _read(f"/proc/{pid}/stat", 4096)
        if not data:
            return None
        opening, closing = data.index(b"("), data.rindex(b")")
        fields = data[closing + 2 :].split(b" ", 20)
        return Stat(
            pid=pid,
            ppid=int(fields[1]),
            session=int(fields[3]),
            start=round(int(fields[19]) * TICK),
            comm=data[opening + 1 : closing].decode("utf-8", "replace"),
            exited=fields[0] in (b"Z", b"X") and int(fields[17]) <= 1,
            group=int(fields[2]),
            kernel=bool(int(fields[6]) & KERNEL_THREAD),
            terminal=int(fields[4]),
        )

    def program(self, pid: int) -> tuple[tuple[str, ...], str]:
        """The executable first: an `exec` between the two readings is then noticed by `file`."""
        path = self.file(pid) or ""
        data = _read(f"/proc/{pid}/cmdline", CMDLINE) or b""
        words = data.rstrip(b"\0").decode("utf-8", "replace").split("\0") if data else []
        return tuple(words), path

    def file(self, pid: int) -> str | None:
        """One readlink, 4 µs; half of what opening, reading and closing `comm` takes."""
        try:
            return os.readlink(f"/proc/{pid}/exe").removesuffix(DELETED)
        except PermissionError:
            return ""
        except OSError:
            return None

    def folder(self, pid: int) -> str:
        """One readlink."""
        try:
            return os.readlink(f"/proc/{pid}/cwd").removesuffix(DELETED)
        except OSError:
            return ""

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """From /proc/<pid>/environ, to its end: what matters may stand last."""
        found = {}
        for pair in _whole(f"/proc/{pid}/environ", ENVIRONMENT, LARGEST).split(b"\0"):
            name, equals, value = pair.partition(b"=")
            if equals and os.fsdecode(name) in names:
                found[os.fsdecode(name)] = os.fsdecode(value)
        return found

    def environment(self, pid: int) -> tuple[int, int] | None:
        """Fields 50 and 51 of /proc/<pid>/stat: 0 to whoever may not read it, and in an `exec` until it is there."""
        fields = (_read(f"/proc/{pid}/stat", 4096) or b"").rpartition(b")")[2].split()
        first, last = map(int, fields[47:49]) if len(fields) > 48 else (0, 0)
        return (first, last) if first else None

    def users(self, pid: int) -> tuple[int, int, int] | None:
        """From /proc/<pid>/status: who owns its folder is root where it may not be dumped."""
        for line in (_read(f"/proc/{pid}/status", 4096) or b"").split(b"\n"):
            if line.startswith(b"Uid:"):
                real, effective, saved = map(int, line.split()[1:4])
                return real, effective, saved
        return None

    def now(self) -> int:
        """Start times count from the boot, suspended time included."""
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 100)


def _leads(pid: int) -> bool:
    """Is it a process, not one of its further threads?"""
    for line in (_read(f"/proc/{pid}/status", 4096) or b"").split(b"\n"):
        if line.startswith(b"Tgid:"):
            return int(line[5:]) == pid
    return False


def _whole(path: str, size: int, most: int) -> bytes:
    """What can be read of it, `size` bytes at a time."""
    found = b""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return found
    try:
        while len(found) < most:
            part = os.read(handle, size)
            found += part
            if len(part) < size:
                break
    except OSError:
        return b""
    finally:
        os.close(handle)
    return found


def _read(path: str, size: int) -> bytes | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(handle, size)
    except OSError:
        return None
    finally:
        os.close(handle)
