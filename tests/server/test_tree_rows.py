"""What is told of processes: texts that harm no terminal, sums, and whose each is."""

from __future__ import annotations

import pytest
from msgspec.json import encode

from opensessions.model import Agent
from opensessions.processes.belonging import Member
from opensessions.processes.identity import ProcId
from opensessions.processes.trackers import Tree
from opensessions.processes.usage import Use
from opensessions.server.tree_choice import Shown, whose
from opensessions.server.tree_rows import COMMAND, answer, command
from opensessions.state import State


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("claude", "--resume"), "claude --resume"),
        (("sh", "-c", "a\n\tb\r\x1b[31mc"), "sh -c a b [31mc"),
        (("x", "\u202eevil\u2066", "\x9b2J"), "x evil 2J"),
        (("x", "\udcff"), "x ?"),
        (("", ""), "[comm]"),
        ((), "[comm]"),
        (("y" * 300,), "y" * (COMMAND - 1) + "…"),
    ],
)
def test_commands_are_for_people(argv: tuple[str, ...], told: str) -> None:
    assert command(argv, "comm") == told
    assert encode(told)


def test_a_name_given_by_the_kernel_is_no_less_hostile() -> None:
    assert command((), "a\x1b]0;b") == "[a]0;b]"


def member(pid: int, ppid: int) -> Member:
    return Member(ProcId(pid, pid), ppid, "c", frozenset({"tree"}))


def test_a_process_belongs_to_the_nearest_agent_above_it() -> None:
    members = [member(1, 0), member(2, 1), member(3, 2), member(4, 1), member(5, 4), member(6, 9)]
    assert whose(members, {2: "two", 5: "five"}) == {2: "two", 3: "two", 5: "five"}
    assert whose(members, {1: "one", 4: "four"}) == {1: "one", 2: "one", 3: "one", 4: "four", 5: "four"}


def test_a_measure_of_another_process_with_the_same_pid_is_not_its_own() -> None:
    tree = Tree("m", "%1", ProcId(1, 1), "best-effort", (member(1, 0), member(2, 1)))
    shown = Shown(tree, (("$1", "api"),), (Agent("id", "x", "%1", 2),))
    uses = {1: (1, Use(1.26, 10)), 2: (99, Use(50.0, 10_000))}
    told = answer(State(), [shown], uses, {}, [])
    rows = told.muxes[0].panes[0].processes
    assert [(row.pid, row.cpu, row.memory, row.agent) for row in rows] == [
        (1, 1.3, 10, None), (2, None, None, "id"),
    ]  # fmt: skip
    assert (told.muxes[0].panes[0].cpu, told.muxes[0].panes[0].memory) == (1.3, 10)
