"""Ending trees of real processes: politely, wholly, and nothing besides."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.processes import cgroup, killer
from opensessions.processes.audit import Audit, read, unfinished
from opensessions.processes.census import take
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.killer import Outcome, end
from opensessions.processes.members import Members
from opensessions.processes.pins import Pin
from opensessions.processes.remains import remaining
from opensessions.processes.source import this_system
from tests.zoo.cage import Cage, until


@pytest.fixture
def cage(tmp_path: Path) -> Iterator[Cage]:
    made = Cage(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def log(tmp_path: Path) -> Audit:
    return Audit(str(tmp_path / "reap.log"))


Answer = Collection[ProcId] | str


def looking(tree: Sequence[ProcId]) -> Callable[[], Awaitable[Answer]]:
    """A recheck that finds what there is of this tree."""

    async def recheck() -> Answer:
        return remaining(tree, await asyncio.to_thread(take, this_system()))

    return recheck


def saying(*answers: Answer) -> Callable[[], Awaitable[Answer]]:
    """A recheck with these answers, the last one again and again."""
    left = list(answers)

    async def recheck() -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return recheck


def results(outcomes: Sequence[Outcome]) -> dict[int, str]:
    return {outcome.process.pid: outcome.result for outcome in outcomes}


def signals(log: Audit) -> list[tuple[int, str]]:
    return [(entry["pid"], entry["signal"]) for entry in read(log.path) if entry["kind"] == "signal"]


def kinds(log: Audit) -> list[str]:
    return [entry["kind"] for entry in read(log.path)]


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def is_stopped(process: ProcId) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.fixture(params=["handles", "none"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A system with pidfds, and one without."""
    if request.param == "none":
        monkeypatch.delattr(os, "pidfd_open")
    return str(request.param)


# --- one process ----------------------------------------------------------------------------------------------------


async def test_a_plain_process_exits_on_sigterm_at_once(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("plain")
    before = handles()
    async with asyncio.timeout(15):
        outcomes = await end(animal.tree, looking(animal.tree), 60, log, "a test")
    assert results(outcomes) == {animal.pid: "exited_on_term"}
    assert signals(log) == [(animal.pid, "SIGTERM")] or signals(log)[1:] == [(animal.pid, "SIGCONT")]
    assert handles() == before


async def test_one_that_ignores_sigterm_is_killed_after_the_wait(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("ignore=TERM,HUP,INT")
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcomes = await end(animal.tree, looking(animal.tree), 0.4, log, "a test")
    assert loop.time() - began >= 0.4
    assert results(outcomes) == {animal.pid: "killed"}
    assert signals(log) == [(animal.pid, name) for name in ("SIGTERM", "SIGCONT", "SIGKILL")]


async def test_a_slow_one_gets_its_time(cage: Cage, log: Audit) -> None:
    animal = cage.start("slow=0.3")
    outcomes = await end(animal.tree, looking(animal.tree), 30, log, "a test")
    assert results(outcomes) == {animal.pid: "exited_on_term"}
    assert "SIGKILL" not in dict(signals(log)).values()


async def test_a_stopped_one_is_woken_to_hear_it(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("stopped")
    until(lambda: is_stopped(animal.process))
    outcomes = await end(animal.tree, looking(animal.tree), 30, log, "a test")
    assert results(outcomes) == {animal.pid: "exited_on_term"}


async def test_one_whose_first_thread_has_ended_is_killed(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("ignore=TERM", "headless")
    until(lambda: Path(f"/proc/{animal.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    outcomes = await end(animal.tree, looking(animal.tree), 0.1, log, "a test")
    assert results(outcomes) == {animal.pid: "killed"}
    assert liveness(animal.process) == "dead"


async def test_one_in_a_frozen_control_group_is_killed(
    cage: Cage, log: Audit, request: pytest.FixtureRequest
) -> None:
    """It can handle nothing, SIGTERM included, until it is thawed or killed."""
    folder = Path(cgroup.own() or "/missing", f"test-{uuid.uuid4().hex}")
    animal = cage.start("slow=0")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")

    def remove() -> None:
        cage.close()
        folder.rmdir()

    request.addfinalizer(remove)
    (folder / "cgroup.procs").write_text(str(animal.pid))
    (folder / "cgroup.freeze").write_text("1")
    until(lambda: "frozen 1" in (folder / "cgroup.events").read_text())
    outcomes = await end(animal.tree, looking(animal.tree), 0.2, log, "a test")
    assert results(outcomes) == {animal.pid: "killed"}


async def test_one_that_has_exited_already_is_told_so(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("plain")
    os.kill(animal.pid, signal.SIGKILL)
    until(lambda: liveness(animal.process) == "dead")
    outcomes = await end(animal.tree, looking(animal.tree), 1, log, "a test")
    assert results(outcomes) == {animal.pid: "gone_before"}
    assert signals(log) == []


async def test_one_that_exits_before_the_first_signal_is_told_so(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("plain")

    async def recheck() -> Answer:
        os.kill(animal.pid, signal.SIGKILL)
        until(lambda: liveness(animal.process) == "dead")
        return ()

    outcomes = await end(animal.tree, recheck, 1, log, "a test")
    assert results(outcomes) == {animal.pid: "gone_before"}
    assert kinds(log) == ["outcome"]


async def test_another_process_with_the_pid_is_left_alone(cage: Cage, log: Audit, system: str) -> None:
    diary = cage.folder / "diary"
    animal = cage.start(f"canary={diary}")
    former = replace(animal.process, start=animal.process.start - 1)
    outcomes = await end([former], saying([former]), 0.1, log, "a test")
    assert results(outcomes) == {animal.pid: "gone_before"}
    assert liveness(animal.process) == "alive"
    assert diary.read_text() == ""


async def test_no_tree_is_nothing_to_do(log: Audit) -> None:
    assert await end([], saying(""), 1, log, "a test") == ()
    assert not os.path.exists(log.path)


async def test_the_kernel_that_does_not_let_go_is_told_of(
    cage: Cage, log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process in an uninterruptible wait: here its SIGKILL is lost on the way."""
    animal = cage.start("ignore=TERM")
    monkeypatch.setattr(killer, "CONFIRM", 0.05)
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda handle, number: None)
    (outcome,) = await end(animal.tree, looking(animal.tree), 0.05, log, "a test")
    assert outcome.result == "survived"
    assert "SIGKILL" in outcome.why


# --- trees ----------------------------------------------------------------------------------------------------------


async def test_a_whole_tree_goes_the_root_first(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("ignore=TERM", "chain=3", "children=2", family=5)
    outcomes = await end(animal.tree, looking(animal.tree), 0.1, log, "a test")
    assert results(outcomes) == {process.pid: "killed" for process in animal.tree}
    killed = [pid for pid, name in signals(log) if name == "SIGKILL"]
    assert killed[0] == animal.pid
    assert sorted(killed) == sorted(process.pid for process in animal.tree)
    sent = signals(log)
    for child in animal.family:
        assert sent.index((animal.pid, "SIGKILL")) < sent.index((child.pid, "SIGTERM")), (
            "it could start others"
        )


async def test_members_are_asked_before_they_are_killed(
    cage: Cage, log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root does not hear, its children do: they get their own SIGTERM and some time for it."""
    animal = cage.start("slow=0.1", "children=2", "ignore=TERM", family=2)
    real, given = Members.wait, []

    async def patient(self: Members, keys: Sequence[Any], seconds: float) -> None:
        """Half a second is what they get; on a busy machine they may need more."""
        asked = self.root not in keys and not self.killed.issuperset(keys)
        given.extend([seconds] * asked)
        await real(self, keys, 20.0 if asked else seconds)

    monkeypatch.setattr(Members, "wait", patient)
    outcomes = await end(animal.tree, looking(animal.tree), 0.5, log, "a test")
    assert given == [0.5]
    children = {process.pid: "exited_on_term" for process in animal.family}
    assert results(outcomes) == {animal.pid: "killed"} | children


async def test_what_its_root_ended_itself_needs_no_signal(cage: Cage, log: Audit) -> None:
    animal = cage.start("children=1", "plain", family=1)

    def step(name: str) -> None:
        if name == f"SIGCONT {animal.pid}":
            os.kill(animal.family[0].pid, signal.SIGKILL)  # as a root does that hears SIGTERM
            until(lambda: liveness(animal.family[0]) == "dead")

    outcomes = await end(animal.tree, looking(animal.tree), 30, log, "a test", step)
    assert results(outcomes) == {process.pid: "exited_on_term" for process in animal.tree}
    assert {pid for pid, _ in signals(log)} == {animal.pid}


async def test_children_in_sessions_of_their_own_belong_to_it(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM", "apart", "apart", family=2)
    outcomes = await end(animal.tree, looking(animal.tree), 0.1, log, "a test")
    assert results(outcomes) == {process.pid: "killed" for process in animal.tree}


async def test_a_daemon_that_left_its_tree_is_left_alone(cage: Cage, log: Audit) -> None:
    """Nothing shows any more whose it was: neither its parent, nor its session, nor its process group."""
    animal = cage.start("ignore=TERM", "stray", family=1)
    outcomes = await end([animal.process], looking([animal.process]), 0.05, log, "a test")
    assert results(outcomes) == {animal.pid: "killed"}
    assert liveness(animal.family[0]) == "alive"


async def test_a_zombie_in_the_tree_hinders_nobody(cage: Cage, log: Audit, system: str) -> None:
    animal = cage.start("ignore=TERM", "ill")
    census = take(this_system())
    (zombie,) = census.children[animal.pid]
    dead = census.identity(zombie)
    assert dead
    outcomes = await end((*animal.tree, dead), looking(animal.tree), 0.1, log, "a test")
    assert results(outcomes) == {zombie: "gone_before", animal.pid: "killed"}


async def test_late_arrivals_are_ended_as_well(cage: Cage, log: Audit, system: str) -> None:
    """A member is born after the judgement; the look before the signals finds it."""
    animal = cage.start("ignore=TERM", "children=3", family=3)
    known = animal.tree[:2]
    outcomes = await end(known, looking(animal.tree), 0.1, log, "a test")
    assert results(outcomes) == {process.pid: "killed" for process in animal.tree}
    told = [{each["pid"] for each in entry["tree"]} for entry in read(log.path) if entry["kind"] == "intent"]
    assert set().union(*told) == {process.pid for process in animal.tree}


async def test_what_is_born_between_the_rounds_is_stopped_before_the_last_one(
    cage: Cage, log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each recheck finds another process, as in a tree that forks faster than it is looked at."""
    tree = cage.start("ignore=TERM", "children=9", family=9).tree
    looks = [tree[:count] for count in range(1, 11)]
    outcomes = await end(tree[:1], saying(*looks), 0.05, log, "a test")
    assert results(outcomes) == {process.pid: "killed" for process in tree}
    sent = signals(log)
    stopped = [pid for pid, name in sent if name == "SIGSTOP"]
    assert stopped
    for pid in stopped:
        assert (pid, "SIGKILL") in sent[sent.index((pid, "SIGSTOP")) :]


async def test_what_is_born_for_ever_is_told_of(cage: Cage, log: Audit) -> None:
    tree = cage.start("ignore=TERM", "children=29", family=29).tree
    looks = [tree[:count] for count in range(1, 31)]
    outcomes = await end(tree[:1], saying(*looks), 0.01, log, "a test")
    survivors = [outcome for outcome in outcomes if outcome.result == "survived"]
    assert survivors
    assert all("faster" in outcome.why for outcome in survivors)
    assert all(not is_stopped(outcome.process) for outcome in survivors)


async def test_late_arrivals_are_judged_after_they_were_pinned(cage: Cage, log: Audit) -> None:
    """What a look names may have lost its pid to another process before it is pinned: it must be named again."""
    animal = cage.start("ignore=TERM", "children=1", family=1)
    root, child = animal.tree
    outcomes = await end([root], saying([root], [root, child], [root]), 0.05, log, "a test")
    assert results(outcomes) == {root.pid: "killed", child.pid: "refused"}
    assert liveness(child) == "alive"


# --- what may not be signalled --------------------------------------------------------------------------------------


async def test_a_reason_before_the_first_signal_stops_it(cage: Cage, log: Audit, system: str) -> None:
    diary = cage.folder / "diary"
    animal = cage.start(f"canary={diary}")
    (outcome,) = await end(animal.tree, saying("its pane came back"), 0.1, log, "a test")
    assert (outcome.result, outcome.why) == ("refused", "its pane came back")
    assert diary.read_text() == ""
    assert kinds(log) == ["refused", "outcome"]


async def test_a_reason_after_sigterm_stops_it(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM", "children=1", family=1)
    outcomes = await end(animal.tree, saying(animal.tree, "its pane came back"), 0.05, log, "a test")
    assert results(outcomes) == {process.pid: "refused" for process in animal.tree}
    assert all(liveness(process) == "alive" for process in animal.tree)
    assert {name for _, name in signals(log)} == {"SIGTERM", "SIGCONT"}


async def test_a_member_that_may_not_be_ended_any_more_stops_all_of_it(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM", "children=2", family=2)
    outcomes = await end(animal.tree, saying(animal.tree[:2]), 0.05, log, "a test")
    assert results(outcomes) == {process.pid: "refused" for process in animal.tree}
    assert signals(log) == []


async def test_a_root_that_may_not_be_ended_any_more_is_left_alone(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM", "children=2", family=2)
    outcomes = await end(animal.tree, saying(animal.tree, animal.family), 0.05, log, "a test")
    assert results(outcomes) == {process.pid: "refused" for process in animal.tree}
    assert all(liveness(process) == "alive" for process in animal.tree)


async def test_a_member_that_left_the_tree_later_is_left_alone(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM", "children=2", family=2)
    kept, root, other = animal.family[1], animal.tree[0], animal.tree[1]
    outcomes = await end(animal.tree, saying(animal.tree, [root, other]), 0.05, log, "a test")
    assert results(outcomes) == {root.pid: "killed", other.pid: "killed", kept.pid: "refused"}
    assert liveness(kept) == "alive"
    assert kept.pid not in dict(signals(log))


@pytest.mark.parametrize("difference", ["start", "namespace"])
async def test_another_process_with_a_members_pid_is_no_member(
    cage: Cage, log: Audit, difference: str
) -> None:
    """The look answers the same pid, with something else that tells it apart: it is not what is pinned."""
    animal = cage.start("ignore=TERM", "children=1", family=1)
    child = animal.family[0]
    other = replace(child, **{difference: getattr(child, difference) + 5})
    outcomes = await end(animal.tree, saying(animal.tree, [animal.process, other]), 0.05, log, "a test")
    assert results(outcomes)[animal.pid] == "killed"
    assert {each.result for each in outcomes if each.process.pid == child.pid} == {"refused"}
    assert liveness(child) == "alive"


@pytest.mark.parametrize("who", ["init", "ourselves", "another user"])
async def test_a_tree_that_holds_what_is_never_ended_is_refused_whole(
    cage: Cage, log: Audit, who: str
) -> None:
    animal = cage.start("ignore=TERM")
    if who == "another user":
        if os.geteuid():
            pytest.skip("only root can start another user's process")
        bad = cage.start("user=65534").process
    else:
        bad = take(this_system()).identity(1 if who == "init" else os.getpid())  # type: ignore[assignment]
    tree = [animal.process, bad]
    outcomes = await end(tree, saying(tree), 0.05, log, "a test")
    assert results(outcomes) == {animal.pid: "refused", bad.pid: "refused"}
    assert liveness(animal.process) == "alive"
    assert signals(log) == []
    # The same among late arrivals, when some were signalled.
    outcomes = await end(tree[:1], saying(tree[:1], tree), 0.05, log, "a test")
    assert results(outcomes)[animal.pid] == "refused"
    assert bad.pid not in dict(signals(log))


# --- the log --------------------------------------------------------------------------------------------------------


async def test_it_tells_the_whole_story(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM")
    await end(
        animal.tree, looking(animal.tree), 0.05, log.about(agent="codex", pane="%7"), "its pane is gone"
    )
    entries = read(log.path)
    assert [entry["kind"] for entry in entries] == ["intent", *["signal"] * 3, "outcome"]
    assert {(entry["agent"], entry["pane"]) for entry in entries} == {("codex", "%7")}
    assert len({entry["ending"] for entry in entries}) == 1
    assert entries[0]["why"] == "its pane is gone"
    assert entries[0]["tree"][0]["pid"] == entries[0]["pid"] == animal.pid
    assert entries[-1]["result"] == "killed"
    assert unfinished(entries) == ()


async def test_without_a_log_nothing_is_signalled(cage: Cage, tmp_path: Path) -> None:
    diary = cage.folder / "diary"
    animal = cage.start(f"canary={diary}")
    before = handles()
    with pytest.raises(Refused, match="audit log"):
        await end(animal.tree, looking(animal.tree), 0.1, Audit(str(tmp_path / "missing" / "log")), "a test")
    assert diary.read_text() == ""
    assert handles() == before


async def test_late_arrivals_that_cannot_be_written_down_are_left_alone(
    cage: Cage, log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    animal = cage.start("ignore=TERM", "children=1", family=1)
    child = animal.family[0]
    real, intents = Audit.write, []

    def write(self: Audit, kind: Any, **fields: Any) -> None:
        if kind == "intent":
            intents.append(kind)
            if len(intents) > 1:
                raise Refused("The disk is full.")
        real(self, kind, **fields)

    monkeypatch.setattr(Audit, "write", write)
    outcomes = await end(animal.tree[:1], saying(animal.tree[:1], animal.tree), 0.05, log, "a test")
    assert results(outcomes) == {animal.pid: "refused", child.pid: "refused"}
    assert child.pid not in dict(signals(log))


# --- being interrupted ----------------------------------------------------------------------------------------------


def names(tree: Sequence[ProcId]) -> dict[str, str]:
    """How steps call the processes of a tree, and what they are called in every run."""
    return {str(process.pid): f"<{number}>" for number, process in enumerate(tree)}


def crowd(cage: Cage) -> tuple[tuple[ProcId, ...], list[tuple[ProcId, ...]]]:
    """A tree of which each recheck finds more, so that every stage is passed; and what the rechecks answer."""
    tree = cage.start("ignore=TERM", "children=10", family=10).tree
    return tree, [tree[:count] for count in range(2, 12)]


async def steps_of(cage: Cage, log: Audit) -> list[str]:
    tree, looks = crowd(cage)
    steps: list[str] = []
    await end(tree[:2], saying(*looks), 0.01, log, "a test", steps.append)
    return steps


class _Enough(BaseException):
    pass


async def test_cancelled_between_any_two_steps_nothing_stays_stopped(
    cage: Cage, log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    real = Pin.signal

    def listen(pin: Pin, number: int) -> bool:
        sent.append((pin.process.pid, number))
        return real(pin, number)

    monkeypatch.setattr(Pin, "signal", listen)
    stopped = 0
    count = len(await steps_of(cage, log))
    assert count > 20
    before = handles()
    for at in range(count):
        small = Cage(cage.folder)
        try:
            tree, looks = crowd(small)
            held = handles()
            passed: list[str] = []

            def step(name: str, at: int = at, passed: list[str] = passed) -> None:
                passed.append(name)
                if len(passed) == at + 1:
                    raise _Enough

            with pytest.raises(_Enough):
                await end(tree[:2], saying(*looks), 0.01, log, "a test", step)
            assert handles() == held
            for place, (pid, number) in enumerate(sent):
                if number == signal.SIGSTOP:
                    stopped += 1
                    assert {(pid, signal.SIGCONT), (pid, signal.SIGKILL)} & set(sent[place:]), passed
            sent.clear()
            assert kinds(log)[-1] == "refused"
        finally:
            small.close()
    assert handles() == before
    assert stopped


async def test_a_cancelled_task_ends_at_once(cage: Cage, log: Audit) -> None:
    animal = cage.start("ignore=TERM")
    asked = asyncio.Event()

    def step(name: str) -> None:
        if name.startswith("SIGCONT"):
            asked.set()

    task = asyncio.create_task(end(animal.tree, looking(animal.tree), 60, log, "a test", step))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert liveness(animal.process) == "alive"
    assert kinds(log)[-1] == "refused"


CRASH = """
import asyncio, json, os, signal, sys
from opensessions.processes.audit import Audit
from opensessions.processes.identity import ProcId
from opensessions.processes.killer import end

def run(at, path, looks):
    left = [[ProcId(*each) for each in look] for look in looks]
    passed = []
    async def recheck():
        return left.pop(0) if len(left) > 1 else left[0]
    def step(name):
        passed.append(name)
        if len(passed) == at + 1:
            os.kill(os.getpid(), signal.SIGKILL)
    asyncio.run(end(left[0], recheck, 0.01, Audit(path), "a test", step))

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(*json.loads(line))
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Crashes:
    """A server that is killed at a given step of an ending."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CRASH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, at: int, log: Audit, looks: Sequence[Sequence[ProcId]]) -> bool:
        """Was it killed? False where it came to its end before that step."""
        assert self._process.stdin
        assert self._process.stdout
        told = [[(each.pid, each.start, each.boot, each.namespace) for each in look] for look in looks]
        self._process.stdin.write(json.dumps([at, log.path, told]) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == signal.SIGKILL

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def crashes() -> Iterator[Crashes]:
    made = Crashes()
    try:
        yield made
    finally:
        made.close()


async def test_killed_between_any_two_steps_another_run_finishes_it(
    cage: Cage, tmp_path: Path, crashes: Crashes
) -> None:
    """What was begun is in the log with all that was about to be signalled, and nothing else was signalled."""
    diary = cage.folder / "diary"
    innocents = [cage.start(f"canary={diary}", "children=1", family=1) for _ in range(2)]
    count = len(await steps_of(cage, Audit(str(tmp_path / "whole.log"))))
    for at in range(count + 1):
        small = Cage(cage.folder)
        log = Audit(str(tmp_path / f"{at}.log"))
        try:
            tree, looks = crowd(small)
            assert crashes(at, log, looks) == (at < count)
            begun = [each for found in unfinished(read(log.path)) for each in found.tree]
            stopped = {pid for pid, name in signals(log) if name == "SIGSTOP"}
            assert stopped <= {each.pid for each in begun} or at == count
            if begun:
                await end(begun, looking(begun), 0.01, log, "the server was killed meanwhile")
                assert all(liveness(each) == "dead" for each in begun)
                assert not any(liveness(process) != "dead" and is_stopped(process) for process in tree)
            again = [process for process in tree if liveness(process) != "dead"]
            await end(again, looking(again), 0.01, log, "a later sweep")
            assert all(liveness(process) == "dead" for process in tree)
        finally:
            small.close()
    assert diary.read_text() == ""
    for innocent in innocents:
        assert all(liveness(process) == "alive" for process in innocent.tree)
