"""A small operating system in memory: pids given out in a ring, and a count of what was asked of it."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from opensessions.processes.source import Stat


class System:
    """Answers like a ProcessSource. Time passes only by `wait`."""

    def __init__(self, size: int = 40, tells_newest: bool = True) -> None:
        self.size = size
        self.tells_newest = tells_newest
        self.last = 1
        self.steps = 0
        """How far the ring has turned; `size` is once around."""
        self.clock = 100_000
        self.stats = {1: Stat(1, 0, 1, 0, "init")}
        self.programs: dict[int, tuple[tuple[str, ...], str]] = {1: (("init",), "/sbin/init")}
        self.threads: dict[int, int] = {}
        self.asked: Counter[str] = Counter()

    # --- what happens -----------------------------------------------------------------------------------------

    def fork(self, parent: int, session: bool = False) -> int:
        """A copy of the parent; in a session of its own if `session`."""
        pid = self._number()
        above = self.stats[parent]
        self.stats[pid] = Stat(pid, parent, pid if session else above.session, self.clock, above.comm)
        self.programs[pid] = self.programs[parent]
        return pid

    def thread(self, pid: int) -> int:
        """A further thread takes a number as well."""
        number = self._number()
        self.threads[number] = pid
        return number

    def exec(self, pid: int, *argv: str) -> None:
        """The process becomes another program."""
        self.programs[pid] = (argv, f"/bin/{argv[0]}")
        self.stats[pid] = replace(self.stats[pid], comm=argv[0][:15])

    def start(self, parent: int, *argv: str, session: bool = False) -> int:
        """Fork and exec."""
        pid = self.fork(parent, session)
        self.exec(pid, *argv)
        return pid

    def exit(self, pid: int) -> None:
        """It is gone; its children are init's."""
        del self.stats[pid], self.programs[pid]
        self.threads = {number: owner for number, owner in self.threads.items() if owner != pid}
        for child, stat in self.stats.items():
            if stat.ppid == pid:
                self.stats[child] = replace(stat, ppid=1)

    def wait(self, hundredths: int) -> None:
        """Time passes."""
        self.clock += hundredths

    def _number(self) -> int:
        for _ in range(self.size):
            self.last = self.last + 1 if self.last < self.size else 2
            self.steps += 1
            if self.last not in self.stats and self.last not in self.threads:
                return self.last
        raise MemoryError("no pid is free")

    # --- what it answers --------------------------------------------------------------------------------------

    def newest(self) -> int | None:
        return self.last if self.tells_newest else None

    def pids(self) -> set[int]:
        self.asked["pids"] += 1
        return set(self.stats)

    def between(self, after: int, last: int) -> list[Stat]:
        self.asked["between"] += 1
        return [self.stats[pid] for pid in range(after + 1, last + 1) if pid in self.stats]

    def stat(self, pid: int) -> Stat | None:
        self.asked["stat"] += 1
        if pid in self.threads:
            return replace(self.stats[self.threads[pid]], pid=pid)
        return self.stats.get(pid)

    def program(self, pid: int) -> tuple[tuple[str, ...], str]:
        self.asked["program"] += 1
        return self.programs.get(pid, ((), ""))

    def file(self, pid: int) -> str | None:
        self.asked["file"] += 1
        return self.programs[pid][1] if pid in self.programs else None

    def now(self) -> int:
        return self.clock
