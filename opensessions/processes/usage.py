"""How much CPU and memory processes take: two readings and the time between them. Reading blocks for some 10 µs a
process, and 1 µs more for each MiB or so that it has in memory; nothing is read unless somebody asks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
GAP = 0.3
"""Seconds between two readings, at least: the system counts CPU in hundredths."""
OLD = 10.0
"""Seconds after which a reading says nothing of now any more."""


class Reading(Struct, frozen=True):
    """One process at one moment."""

    start: int
    """As `Stat.start`: with the pid it names the process."""
    at: float
    """In seconds on the monotonic clock."""
    cpu: float
    """Seconds of a core that it has used since its start, in the kernel's and its own code."""
    memory: int | None = None
    """Bytes: its share of what it has in memory, or all of that where shares cannot be read. None: not read."""


class Use(Struct, frozen=True):
    """What a process takes now, or several together."""

    cpu: float | None = None
    """Percent of one core; None where it was read only once so far."""
    memory: int | None = None
    """Bytes; None where it cannot be read."""


Read = Callable[[int, bool], Reading | None]
"""(pid, with its memory?) -> the reading; None where there is no such process."""


def used(before: Reading | None, now: Reading) -> Use:
    """What the process takes. `before` counts only if it was the same process, and not too long ago."""
    if before is None or before.start != now.start or not 0 < now.at - before.at <= OLD:
        return Use(None, now.memory)
    return Use(max(0.0, now.cpu - before.cpu) / (now.at - before.at) * 100, now.memory)


def total(uses: Iterable[Use]) -> Use:
    """All together; what is None counts nothing, and None where nothing else is there."""
    known = tuple(uses)
    cpu = [each.cpu for each in known if each.cpu is not None]
    memory = [each.memory for each in known if each.memory is not None]
    return Use(sum(cpu) if cpu else None, sum(memory) if memory else None)


class Sampler:
    """Remembers the last reading of each process. For one thread at a time."""

    def __init__(self, read: Read | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read or this_system()
        self._clock = clock
        self._last: dict[int, tuple[Reading, Use]] = {}

    def ready(self, pids: Iterable[int]) -> bool:
        """Would a sample now tell the CPU of all of them?"""
        return all(pid in self._last and self._tells(*self._last[pid]) for pid in pids)

    def _tells(self, reading: Reading, use: Use) -> bool:
        age = self._clock() - reading.at
        return age <= OLD and (use.cpu is not None or age >= GAP)

    def sample(self, pids: Iterable[int], memory: bool = True) -> Mapping[int, tuple[int, Use]]:
        """Read each of them: pid to its start and what it takes. Those that are gone are left out."""
        found = {}
        for pid in pids:
            now = self._read(pid, memory)
            if now is None:
                self._last.pop(pid, None)
                continue
            before, use = self._last.get(pid, (None, Use()))
            if before and before.start == now.start and now.at - before.at < GAP:
                use = replace(use, memory=now.memory)  # too soon to tell anything new of its CPU
            else:
                use = used(before, now)
                before = now
            self._last[pid] = (before, use)
            found[pid] = (now.start, use)
        horizon = self._clock() - OLD
        self._last = {pid: each for pid, each in self._last.items() if each[0].at >= horizon}
        return found


@cache
def this_system() -> Read:
    """The way to read on the system that we run on."""
    return read_linux if os.path.exists("/proc/self/stat") else read_portable


def read_linux(pid: int, memory: bool = True) -> Reading | None:
    """From /proc. The share (PSS) of another user's process may not be read, what is resident may."""
    at = time.monotonic()
    data = _read(f"/proc/{pid}/stat")
    if not data:
        return None
    fields = data[data.rindex(b")") + 2 :].split(b" ", 20)
    cpu = (int(fields[11]) + int(fields[12])) / TICKS
    start = round(int(fields[19]) * 100 / TICKS)
    return Reading(start, at, cpu, _memory(pid) if memory else None)


def _memory(pid: int) -> int | None:
    for line in _read(f"/proc/{pid}/smaps_rollup").split(b"\n"):
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) << 10
    resident = _read(f"/proc/{pid}/statm").split()[1:2]
    return int(resident[0]) * PAGE if resident else None


def read_portable(pid: int, memory: bool = True) -> Reading | None:
    """From psutil: macOS, and any system without /proc."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            at, times = time.monotonic(), process.cpu_times()
            size = process.memory_info().rss if memory else None
            return Reading(round(process.create_time() * 100), at, times.user + times.system, size)
    except (psutil.Error, OSError):
        return None


def _read(path: str) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(handle, 4096)
    except OSError:
        return b""
    finally:
        os.close(handle)
