"""What is tried in a `Pen` besides rounds. Each asserts for itself and answers what the test may look at besides."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from opensessions.processes import killer
from opensessions.processes.audit import Audit
from opensessions.processes.audit import read as read_log
from opensessions.processes.census import take
from opensessions.processes.identity import ProcId, liveness, pidfds_differ, read
from opensessions.processes.killer import Outcome, end
from opensessions.processes.pins import Pin
from opensessions.processes.remains import remaining
from opensessions.processes.source import this_system
from tests.zoo.cage import Animal, Cage, known, until
from tests.zoo.farm import Farm, Mux, grown

LAST = "/proc/sys/kernel/ns_last_pid"
SWEEPS = 8
STEPS = 30
FIRST_AGAIN = 300
"""Where the kernel goes on after the last pid."""


def ended(tree: Sequence[ProcId], folder: Path, wait: float = 0.1) -> tuple[Outcome, ...]:
    """End a tree, whatever it holds."""
    seen = tree

    async def recheck() -> Collection[ProcId] | str:
        nonlocal seen
        seen = remaining(seen, await asyncio.to_thread(take, this_system()))
        return seen

    return asyncio.run(end(tree, recheck, wait, Audit(str(folder / "reap.log")), "a test"))


def others(*known_ones: ProcId) -> list[str]:
    """Who else runs in this namespace."""
    spared = {1, os.getpid(), *(each.pid for each in known_ones)}
    census = take(this_system())
    return [
        f"{pid} {stat.comm}" for pid, stat in census.stats.items() if pid not in spared and not stat.exited
    ]


def give_next(pid: int) -> None:
    """Have the next process of this namespace get that pid."""
    Path(LAST).write_text(str(pid - 1))


def gone(animal: Animal, cage: Cage) -> None:
    """It is killed and its pid is free."""
    os.kill(animal.pid, signal.SIGKILL)
    until(lambda: cage.reap() or read(animal.pid) is None)


# --- pids that are given out again --------------------------------------------------------------------------------


def reused_before_the_sweep(folder: Path) -> None:
    """The agent of a receipt has exited, and somebody else has its pid."""
    farm = Farm(folder)
    mux = Mux(farm, "t")
    seat = farm.sit(mux, "ignore=HUP")
    agent = farm.seated(seat)
    farm.receipt(agent.process, seat)
    seat.close()
    os.kill(agent.pid, signal.SIGKILL)
    until(lambda: read(agent.pid) is None)
    give_next(agent.pid)
    innocent = farm.cage.start(f"canary={farm.diary}")
    assert innocent.pid == agent.pid
    grown([innocent.process])
    (candidate,) = asyncio.run(farm.reap())["candidates"]
    assert candidate["decision"] == "forget", candidate
    assert Path(farm.diary).read_text() == ""
    assert liveness(innocent.process) == "alive"
    assert farm.receipts.read() == ()


def reused_after_pinning(folder: Path) -> None:
    """The process that is pinned exits, and somebody else gets its pid before the signal."""
    cage = Cage(folder)
    diary = folder / "diary"
    for keep in (True, False):
        animal = cage.start("plain")
        pin = Pin.open(animal.process, keep)
        assert pin
        gone(animal, cage)
        give_next(animal.pid)
        innocent = cage.start(f"canary={diary}")
        assert innocent.pid == animal.pid
        assert not pin.signal(signal.SIGTERM)
        assert not pin.alive()
        assert diary.read_text() == ""
        pin.close()


def reused_while_it_is_ended(folder: Path) -> None:
    """The root exits on SIGTERM, and somebody else gets its pid before the members are asked. (A pid that is still the
    number of a session or group is not given out: the child has left both.)"""
    cage = Cage(folder)
    diary = folder / "diary"
    animal = cage.start("apart", family=1)
    innocents: list[Animal] = []

    def step(name: str) -> None:
        if name == "root waited for":
            cage.reap()
            give_next(animal.pid)
            innocents.append(cage.start(f"canary={diary}"))

    async def recheck() -> Collection[ProcId] | str:
        return remaining(animal.tree, await asyncio.to_thread(take, this_system()))

    outcomes = asyncio.run(end(animal.tree, recheck, 5, Audit(str(folder / "log")), "a test", step))
    assert innocents[0].pid == animal.pid
    assert [outcome.result for outcome in outcomes] == ["exited_on_term"] * 2
    assert diary.read_text() == ""
    assert liveness(innocents[0].process) == "alive"


def reused_in_the_same_tick(folder: Path) -> bool:
    """Two processes with the same pid and the same start: only the inodes of their handles differ."""
    if not pidfds_differ():
        return False
    for _ in range(200):
        first = os.fork()
        if first == 0:
            signal.pause()
        one = known(first)
        pin = Pin.open(one)
        assert pin
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
        give_next(first)
        second = os.fork()
        if second == 0:
            signal.pause()
        assert second == first
        other = known(second)
        try:
            if other == one:
                assert Pin.open(pin.process) is None
                assert not pin.signal(signal.SIGKILL)
                assert liveness(other) == "alive"
                return True
        finally:
            pin.close()
            os.kill(second, signal.SIGKILL)
            os.waitpid(second, 0)
    raise AssertionError("no two processes began in the same hundredth of a second")


def pids_that_start_over(folder: Path) -> None:
    """A tree whose children have smaller pids than their parents."""
    cage = Cage(folder)
    last = int(Path("/proc/sys/kernel/pid_max").read_text())
    give_next(last - 2)
    animal = cage.start("ignore=TERM", "chain=4", family=4)
    pids = [process.pid for process in animal.tree]
    assert pids[0] > last - 10
    assert min(pids) < FIRST_AGAIN + 50, pids
    outcomes = ended(animal.tree, folder)
    assert {outcome.result for outcome in outcomes} == {"killed"}
    assert others() == []


# --- killed ourselves ---------------------------------------------------------------------------------------------


def killed_at_each_step(folder: Path) -> int:
    """The reaper is killed after each step of an ending, of another orphan each time; its successor finishes the job.
    The root ends on SIGTERM, its children do not. Answers how many steps there are."""
    farm = Farm(folder)
    mux = Mux(farm, "t")
    seats = [farm.sit(mux, "ignore=HUP,TERM", "children=2", "slow=0", family=2) for _ in range(STEPS)]
    agents = [farm.seated(seat) for seat in seats]
    receipts = [farm.receipt(agent.process, seat) for agent, seat in zip(agents, seats, strict=True)]
    for seat in seats:
        seat.close()
    grown([agent.process for agent in agents])
    for at, (agent, receipt) in enumerate(zip(agents, receipts, strict=True)):
        child = os.fork()
        if child == 0:
            killer.end = _mortal(killer.end, at)
            asyncio.run(farm.reap(receipt.nonce))
            os._exit(0)
        killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        entries = read_log(f"{farm.state}/reap.log")
        if any(entry["kind"] == "signal" and entry["pid"] == agent.pid for entry in entries):
            until(lambda agent=agent: liveness(agent.process) == "dead")  # type: ignore[misc]
        asyncio.run(farm.finish())
        if liveness(agent.process) == "alive":
            asyncio.run(farm.reap(receipt.nonce))
        assert [liveness(process) for process in agent.tree] == ["dead"] * 3, (at, killed)
        assert all(liveness(each) == "alive" for later in agents[at + 1 :] for each in later.tree), at
        if killed == 0:
            break
        assert killed == -signal.SIGKILL
    assert Path(farm.diary).read_text() == ""
    assert liveness(mux.first.process) == "alive"
    return at


def _mortal(real: Any, at: int) -> Any:
    """`killer.end`, which is killed after so many steps."""
    passed: list[str] = []

    def step(name: str) -> None:
        passed.append(name)
        if len(passed) == at + 1:
            os.kill(os.getpid(), signal.SIGKILL)

    def end(*arguments: Any) -> Any:
        return real(*arguments, step)

    return end


# --- too many, too fast -------------------------------------------------------------------------------------------


def an_agent_that(folder: Path, habits: list[str], family: int = 0, left: bool = False) -> list[Any]:
    """An orphan that starts processes while it is ended. It goes in one of some sweeps, and with it all that it started
    unless `left`; nobody else is touched. Answers what each sweep said of it."""
    farm = Farm(folder)
    mux = Mux(farm, "t")
    seat = farm.sit(mux, "ignore=TERM,HUP", *habits, family=family)
    agent = farm.seated(seat)
    farm.receipt(agent.process, seat)
    seat.close()
    grown([agent.process])
    said = []
    for _ in range(SWEEPS):
        said += asyncio.run(farm.reap())["candidates"]
        if liveness(agent.process) == "dead":
            break
    assert liveness(agent.process) == "dead", said
    assert Path(farm.diary).read_text() == ""
    assert liveness(mux.server) == "alive"
    assert liveness(mux.first.process) == "alive"
    # What it had forked just before it was killed is known by nothing; in a storm that ends by itself.
    until(lambda: left or not others(mux.server, mux.first.process), str(said))
    return [(each["decision"], each["why"]) for each in said]


def a_large_family(folder: Path) -> None:
    """More than a sweep ends; a request may, and all of it goes."""
    farm = Farm(folder)
    mux = Mux(farm, "t")
    seat = farm.sit(mux, f"canary={farm.diary}", "ignore=HUP,CONT", "children=600", family=600)
    agent = farm.seated(seat)
    farm.receipt(agent.process, seat)
    seat.close()
    grown(agent.tree)
    (candidate,) = asyncio.run(farm.reap())["candidates"]
    assert candidate["decision"] == "refuse", candidate
    assert Path(farm.diary).read_text() == ""
    outcomes = ended(agent.tree, folder)
    assert len(outcomes) == 601
    assert {outcome.result for outcome in outcomes} == {"killed"}
    assert others(mux.server, mux.first.process) == []


def children_that_one_reading_does_not_list(folder: Path) -> None:
    """The kernel's own list of children ends after a page; the census does not use it."""
    cage = Cage(folder)
    animal = cage.start("ignore=TERM", "children=900", family=900)
    census = take(this_system())
    assert len(census.children[animal.pid]) == 900
    outcomes = ended(animal.tree[:1], folder)
    assert len(outcomes) == 901
    assert {outcome.result for outcome in outcomes} == {"killed"}
    assert others() == []


# --- one process, as somebody else --------------------------------------------------------------------------------


def another_namespace(folder: Path) -> None:
    """A receipt from outside of this namespace: its pid means somebody else here."""
    cage = Cage(folder)
    diary = folder / "diary"
    animal = cage.start(f"canary={diary}")
    stranger = replace(animal.process, namespace=animal.process.namespace + 1)
    outcomes = ended([stranger], folder)
    assert [outcome.result for outcome in outcomes] == ["refused"]
    assert diary.read_text() == ""
    assert liveness(stranger) == "unknown"


# --- the pen itself -------------------------------------------------------------------------------------------------


def wait(folder: Path) -> None:
    """Until it is ended from outside."""
    cage = Cage(folder)
    animal = cage.start("ignore=TERM,HUP,INT")
    (folder / "pids").write_text(f"{os.getpid()} {animal.pid}")
    signal.pause()


def fail(folder: Path) -> None:
    raise AssertionError("no such thing")
