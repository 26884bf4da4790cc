"""Random populations: orphans that must go among innocents of every kind. Runs in a `Pen`."""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from opensessions.processes import grounds, plan
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.instances import Instance
from opensessions.processes.receipt import Origin
from opensessions.processes.source import this_system
from tests.support.world import tmux_versions
from tests.zoo.cage import Animal, known, until
from tests.zoo.farm import Farm, Mux, Seat, grown
from tests.zoo.inside import clear


class Case(Struct, frozen=True):
    """One agent, and what becomes of its pane."""

    name: str
    guilty: bool = False
    """It is an orphan that must be ended. All others must not even be signalled."""
    mux: str = "main"
    """`main` answers; `dead` was killed; `new` too, and has a successor at its socket; `hung` is stopped; `lost` lives
    but its socket was removed."""
    closed: bool = True
    """Its pane is closed."""
    by: str = "exec {}"
    """The shell's line that starts it."""
    habits: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    receipt: str = "its own"
    """`none`; `reused`: of an earlier process with its pid; `outside`: of no pane."""
    origin: Origin = "managed"
    instance: str = ""
    """`dead`, `alive`, `unknown`: the server that kept its receipt."""
    keep: bool = False


GUILTY = (
    Case("closed pane"),
    Case("below a shell", by="{} & wait"),
    Case("nohup", by="nohup {} >/dev/null 2>&1 & wait"),
    Case("setsid", by="setsid {} & wait"),
    Case("dead server", mux="dead", closed=False),
    Case("below a shell of a dead server", mux="dead", closed=False, by="{} & wait"),
    Case("server with a successor", mux="new", closed=False),
    Case("dead instance", instance="dead"),
    Case("nested tmux"),
    Case("dead pane that is kept", closed=False, by="{} & wait"),
    Case("empty environment", by="exec env -i {}"),
    Case("wiped environment", habits=("wiped",)),
)
HABITS = (
    ((), 0), (("ignore=TERM",), 0), (("slow=0.05",), 0), (("children=2",), 2), (("ignore=TERM", "children=3"), 3),
    (("chain=3",), 3), (("apart",), 1), (("ignore=TERM", "apart", "chain=2"), 3), (("ill",), 0), (("stopped",), 0),
    (("undumpable",), 0), (("named=x) (y", "children=1"), 1),
    (("children=1", "ignore=TERM", "named=) Z 1 (", "apart"), 2),
)  # fmt: skip
"""What the guilty do, and how many they are besides the first."""

INNOCENT = (
    Case("live pane", closed=False),
    Case("live pane, below a shell", closed=False, by="{} & wait"),
    Case("live pane, setsid", closed=False, by="setsid {} & wait"),
    Case("live pane, no receipt", closed=False, receipt="none"),
    Case("observed", origin="observed"),
    Case("keep in the environment", env=("OPENSESSIONS_KEEP=1",)),
    Case("keep in the receipt", keep=True),
    Case("live instance", instance="alive"),
    Case("unknown instance", instance="unknown"),
    Case("hung tmux", mux="hung"),
    Case("lost socket", mux="lost"),
    Case("no receipt", receipt="none"),
    Case("reused pid", receipt="reused"),
    Case("outside of a pane", receipt="outside"),
    Case("another user", habits=("user=65534",)),
    Case("names a live pane", by="TMUX_PANE=%0 exec {}"),
    Case("names tmux", habits=("named=tmux: server",)),
    Case("holds what names tmux", habits=("child=tmux: client",), by="{} & wait"),
    Case("first thread ended", habits=("headless",)),
    Case("respawned pane", closed=False),
    Case("run-shell job"),
)


def possible() -> tuple[Case, ...]:
    """The innocents that there can be here: a namespace of an ordinary user's knows no other users."""
    users = int(Path("/proc/self/uid_map").read_text().split()[2])
    return tuple(case for case in INNOCENT if users > 65534 or case.name != "another user")


CASES = {case.name: case for case in INNOCENT + tuple(replace(case, guilty=True) for case in GUILTY)}


def play(folder: Path, seeds: list[int], handles: bool = True) -> list[dict[str, Any]]:
    """A round of random cases for each seed; without pidfds unless `handles`."""
    if not handles:
        del os.pidfd_open
    return [_round(folder, seed, ()) for seed in seeds]


def show(folder: Path, cases: list[str], broken: str = "", seed: int = 0) -> dict[str, Any]:
    """One round of these cases. `broken`: a question of the judgement (in `grounds`) that answers nothing. `seed`: for
    what is random all the same, and for which tmux it is."""
    if broken:
        setattr(grounds, broken, lambda *_: None)
        setattr(plan, broken, lambda *_: None)
    here = {case.name for case in possible() + GUILTY}
    return _round(folder, seed, tuple(CASES[name] for name in cases if name in here))


def _round(folder: Path, seed: int, cases: tuple[Case, ...]) -> dict[str, Any]:
    home = folder / str(seed)
    home.mkdir(mode=0o711)
    try:
        return Round(home, seed, cases).play()
    finally:
        clear()


class Round:
    """One population, one sweep."""

    def __init__(self, folder: Path, seed: int, cases: tuple[Case, ...]) -> None:
        """`cases`: () for random ones."""
        self._seed = seed
        self._random = random.Random(seed)
        versions = sorted(tmux_versions().items())
        self._farm = Farm(folder, versions[seed % len(versions)][1])
        self._muxes: dict[str, Mux] = {"main": Mux(self._farm, "main")}
        self._guilty: dict[str, Animal] = {}
        self._innocent: dict[str, tuple[ProcId, ...]] = {"tmux main": self._whole(self._muxes["main"])}
        self._chosen = list(cases) or self._some()
        self._cases: list[tuple[str, Case, Seat]] = []
        self._locks: list[Instance] = []

    def play(self) -> dict[str, Any]:
        """What was harmed, and which guilty ones are left without a true reason: both should be empty."""
        for number, case in enumerate(self._chosen):
            if case.name == "nested tmux":
                self._nest(f"{number} {case.name}", case)
            elif case.name == "run-shell job":
                self._job(f"{number} {case.name}")
            else:
                self._seat(f"{number} {case.name}", case)
        self._settle()
        self._turn()
        everyone = [process for each in self._innocent.values() for process in each]
        everyone += [process for each in self._guilty.values() for process in each.tree]
        grown(everyone)
        spy = Spy()
        try:
            answer = asyncio.run(self._farm.reap())
        finally:
            spy.close()
        for lock in self._locks:
            lock.release()
        return self._judged(answer, spy.sent)

    def _some(self) -> list[Case]:
        """One to four guilty ones, three to eight innocents."""
        innocent = self._random.choices(possible(), k=self._random.randint(3, 8))
        # Each look waits for a tmux that does not answer.
        most = 1 if any(case.mux == "hung" for case in innocent) else 4
        guilty = self._random.choices(GUILTY, k=self._random.randint(1, most))
        chosen = [*innocent, *(replace(case, guilty=True) for case in guilty)]
        self._random.shuffle(chosen)
        return chosen

    def _whole(self, mux: Mux) -> tuple[ProcId, ...]:
        return (mux.server, mux.first.process)

    # --- the population ---------------------------------------------------------------------------------------

    def _mux(self, name: str) -> Mux:
        if name not in self._muxes:
            doomed = name in ("dead", "new")
            self._muxes[name] = Mux(self._farm, name, *(("plain",) if doomed else ()))
            if not doomed:
                self._innocent[f"tmux {name}"] = self._whole(self._muxes[name])
        return self._muxes[name]

    def _seat(self, name: str, case: Case) -> None:
        if case.guilty:
            habits, family = self._random.choice(HABITS)
            habits = ("ignore=HUP", *habits)
        else:
            # A terminal that goes away sends both.
            habits, family = (f"canary={self._farm.diary}", "ignore=HUP,CONT", *case.habits), 0
            family = sum(habit.startswith("child") for habit in case.habits)
        mux = self._mux(case.mux)
        self._cases.append(
            (name, case, self._farm.sit(mux, *habits, family=family, by=case.by, env=case.env))
        )

    def _settle(self) -> None:
        """Wait for all of them; write their receipts."""
        for name, case, seat in self._cases:
            animal = self._farm.seated(seat)
            if case.guilty:
                self._guilty[name] = animal
            else:
                self._innocent[name] = animal.tree
            process = animal.process
            if case.receipt == "reused":
                process = replace(process, start=process.start - 1)
            if case.receipt != "none":
                self._farm.receipt(
                    process,
                    None if case.receipt == "outside" else seat,
                    case.origin,
                    self._instance(case.instance),
                    case.keep,
                )

    def _instance(self, life: str) -> str:
        if not life:
            return ""
        id = str(uuid.uuid4())
        if life == "alive":
            self._locks.append(Instance.claim(self._farm.state, id))
        elif life == "dead":
            child = os.fork()
            if child == 0:
                Instance.claim(self._farm.state, id)
                os._exit(0)
            os.waitpid(child, 0)
        return id

    def _nest(self, name: str, case: Case) -> None:
        """A tmux in a pane that is closed: its server looks like an orphan of that pane. The agent beside it is one."""
        socket = str(self._farm.cage.folder / f"nested-{len(self._cases)}")
        report, words = self._farm.cage.words(f"canary={self._farm.diary}")
        inside = f"exec {shlex.join(words)}"
        start = shlex.join([self._farm.tmux, "-S", socket, "-f", "/dev/null", "new-session", "-d", inside])
        seat = self._farm.sit(self._muxes["main"], "ignore=HUP", by=f"env -u TMUX {start}; exec {{}}")
        self._cases.append((name, case, seat))
        inner = self._farm.cage.admit(report)
        stat = this_system().stat(inner.pid)
        assert stat
        assert Path(f"/proc/{stat.ppid}/comm").read_text().startswith("tmux")
        self._innocent[f"{name}, its server"] = (known(stat.ppid), inner.process)

    def _job(self, name: str) -> None:
        """A job that tmux runs itself: its child, in its process group."""
        report, words = self._farm.cage.words(f"canary={self._farm.diary}")
        self._muxes["main"]("run-shell", "-b", f"exec {shlex.join(words)}")
        self._innocent[name] = self._farm.cage.admit(report).tree

    def _turn(self) -> None:
        """The panes and multiplexers meet their fates."""
        for _, case, seat in self._cases:
            if case.name == "respawned pane":
                report, words = self._farm.cage.words(f"canary={self._farm.diary}")
                seat.mux("respawn-pane", "-k", "-t", seat.pane, shlex.join(words))
                self._innocent[f"respawned {seat.pane}"] = self._farm.cage.admit(report).tree
            elif case.name == "dead pane that is kept":
                seat.mux("set-option", "-w", "-t", seat.pane, "remain-on-exit", "on")
                os.kill(seat.shell.pid, signal.SIGKILL)
                until(
                    lambda seat=seat: (
                        seat.mux("display-message", "-p", "-t", seat.pane, "#{pane_dead}") == "1"
                    )
                )  # type: ignore[misc]
            elif case.closed:
                seat.close()
        for name in ("dead", "new"):
            if name in self._muxes:
                server = self._muxes[name].server
                os.kill(server.pid, signal.SIGKILL)
                until(lambda server=server: liveness(server) == "dead")  # type: ignore[misc]
        if "new" in self._muxes:
            successor = Mux(self._farm, "new")
            self._innocent["successor"] = self._whole(successor)
            for _ in range(3):
                seat = self._farm.sit(successor, f"canary={self._farm.diary}")
                self._innocent[f"successor {seat.pane}"] = self._farm.seated(seat).tree
        if "lost" in self._muxes:
            os.unlink(self._muxes["lost"].socket)
        if "hung" in self._muxes:
            os.kill(self._muxes["hung"].server.pid, signal.SIGSTOP)
            self._farm.stopped.add(self._muxes["hung"].socket)

    # --- the outcome ------------------------------------------------------------------------------------------

    def _judged(self, answer: dict[str, Any], sent: list[tuple[int, int]]) -> dict[str, Any]:
        diary = Path(self._farm.diary).read_text().split("\n")
        touched = {pid for pid, _ in sent} | {int(line.split()[0]) for line in diary if line}
        may = {process.pid for animal in self._guilty.values() for process in animal.tree}
        harmed = [
            name
            for name, processes in self._innocent.items()
            if any(each.pid in touched or liveness(each) != "alive" for each in processes)
        ]
        reported = {
            outcome["pid"]: outcome
            for candidate in answer["candidates"]
            for outcome in candidate["outcomes"]
            if outcome["result"] in ("survived", "refused")
        }
        left = {
            name: [reported.get(process.pid) for process in animal.tree if liveness(process) != "dead"]
            for name, animal in self._guilty.items()
        }
        return {
            "seed": self._seed,
            "harmed": harmed + [f"pid {pid}" for pid in touched - may],
            "left": {name: each for name, each in left.items() if each},
            "guilty": len(self._guilty),
            "innocent": len(self._innocent),
            "told": [(each["pid"], each["decision"], each["why"]) for each in answer["candidates"]],
        }


class Spy:
    """Listens to every signal that this program sends."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self._kill: Callable[..., None] = os.kill
        self._send: Callable[..., None] = signal.pidfd_send_signal
        os.kill = self._by_pid  # type: ignore[assignment]
        signal.pidfd_send_signal = self._by_handle  # type: ignore[assignment]

    def _by_pid(self, pid: int, number: int) -> None:
        self._kill(pid, number)
        # The way to a tmux that hangs is ended by asyncio.
        if number and sys._getframe(1).f_globals["__name__"].startswith("opensessions"):
            self.sent.append((pid, number))

    def _by_handle(self, handle: int, number: int, *rest: Any) -> None:
        lines = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
        pid = int(dict(line.split(":", 1) for line in lines)["Pid"])
        self._send(handle, number, *rest)
        if number:
            self.sent.append((pid, number))

    def close(self) -> None:
        os.kill = self._kill
        signal.pidfd_send_signal = self._send
