"""What is left of a tree whose root has ended, when a server was killed meanwhile or looks at it again."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from opensessions.processes.audit import Audit
from opensessions.processes.identity import ProcId, liveness
from opensessions.processes.linux import LinuxSource
from opensessions.processes.plan import Rules
from opensessions.processes.source import this_system
from opensessions.server.unfinished import Finisher
from tests.processes.conftest import until
from tests.server.machine import Machine
from tests.server.test_reaper import Room

PARENT = "bash -c 'exec -a child sleep 600' & wait"


def state_of(process: ProcId) -> str:
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def child_of(root: ProcId, machine: Machine) -> ProcId:
    found = machine.child(root)
    until(lambda: this_system().now() - found.start > 110)
    return found


def killed(machine: Machine, room: Room, root: ProcId, child: ProcId, *signals: str) -> None:
    """The server was killed when both were about to be ended and these signals had been sent to the child."""
    log = Audit(room.audit).about(ending="e")
    tree: Any = [{"pid": each.pid, "start": each.start, "inode": each.inode} for each in (root, child)]
    log.write(
        "intent", pid=root.pid, start=root.start, boot=root.boot, namespace=root.namespace, tree=tree
    )  # fmt: skip
    for name in signals:
        os.kill(child.pid, signal.Signals[name])
        log.write("signal", pid=child.pid, start=child.start, signal=name)


async def finish(room: Room, rules: Rules) -> None:
    await Finisher(room.sweeping, 0).finish((), rules, 0.5)


@pytest.mark.parametrize("root_lives", [False, True])
async def test_nothing_stays_stopped_that_may_not_be_ended(machine: Machine, root_lives: bool) -> None:
    room, root = Room(machine), machine.start(PARENT)
    child = child_of(root, machine)
    killed(machine, room, root, child, "SIGSTOP")
    until(lambda: state_of(child) == "T")
    if not root_lives:
        os.kill(root.pid, signal.SIGKILL)
        until(lambda: liveness(root) == "dead")
        room.mux.panes = {"%3": child.pid}
    await finish(room, Rules())
    assert liveness(child) == "alive"
    until(lambda: state_of(child) == "S")


async def test_what_the_user_has_stopped_is_not_continued(machine: Machine) -> None:
    room, root = Room(machine), machine.start(PARENT)
    child = child_of(root, machine)
    killed(machine, room, root, child, "SIGCONT")
    os.kill(child.pid, signal.SIGSTOP)
    until(lambda: state_of(child) == "T")
    await finish(room, Rules())
    assert state_of(child) == "T"


@pytest.mark.parametrize(("keep", "lives"), [("sleep", True), ("vite", False)])
async def test_what_is_left_and_to_be_kept_is_kept(machine: Machine, keep: str, lives: bool) -> None:
    room, root = Room(machine), machine.start(PARENT)
    child = child_of(root, machine)
    killed(machine, room, root, child)
    os.kill(root.pid, signal.SIGKILL)
    until(lambda: liveness(root) == "dead")
    await finish(room, Rules(keep=frozenset({keep})))
    assert (liveness(child) == "alive") is lives


async def test_what_is_left_and_hides_its_environment_lives(machine: Machine) -> None:
    class Hidden(LinuxSource):
        def environment(self, pid: int) -> tuple[int, int] | None:
            return None

        def variables(self, pid: int, names: Any) -> dict[str, str]:
            return {} if pid == child.pid else super().variables(pid, names)

    room, root = Room(machine), machine.start(PARENT)
    child = child_of(root, machine)
    killed(machine, room, root, child)
    os.kill(root.pid, signal.SIGKILL)
    until(lambda: liveness(root) == "dead")
    room.sweeping.source = Hidden()
    await finish(room, Rules())
    assert liveness(child) == "alive"
    room.sweeping.source = this_system()
    killed(machine, room, root, child)
    await finish(room, Rules())
    assert liveness(child) == "dead"
