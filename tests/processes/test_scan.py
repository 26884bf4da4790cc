"""The tree below the panes: what is found, how soon, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from opensessions.model import Process
from opensessions.processes.scan import CYCLE, FEW, LEAST, MOST, YOUNG, Scanner, Table
from tests.processes.system import System

OLD = YOUNG + 1


def words(tree: Mapping[int, Process]) -> dict[int, str]:
    return {pid: " ".join(process.argv) for pid, process in tree.items()}


@pytest.fixture(params=[True, False], ids=["newest", "listing"])
def system(request: pytest.FixtureRequest) -> System:
    return System(size=5000, tells_newest=request.param)


def grown(system: System, panes: int = 1) -> tuple[Scanner, list[int]]:
    """A scanner that knows `panes` shells that are not young any more."""
    shells = [system.start(1, "bash", session=True) for _ in range(panes)]
    system.wait(OLD)
    scanner = Scanner(system)
    scanner.scan(shells)
    return scanner, shells


# --- what is found --------------------------------------------------------------------------------------------


def test_the_first_scan_finds_everything_below_the_panes_and_nothing_else(system: System) -> None:
    other = system.start(1, "cron")
    system.start(other, "job")
    scanner, (shell,) = grown(system)
    child = system.start(shell, "claude", "--resume")
    tree = scanner.scan([shell])
    assert words(tree) == {shell: "bash", child: "claude --resume"}
    assert tree[child] == Process(
        child, shell, system.clock, "claude", "claude", ("claude", "--resume"), shell
    )


def test_a_new_process_is_found_by_the_next_scan(system: System) -> None:
    scanner, (shell,) = grown(system)
    launcher = system.start(shell, "npm")
    agent = system.start(launcher, "node", "gemini")
    assert words(scanner.scan([shell])) == {shell: "bash", launcher: "npm", agent: "node gemini"}


def test_a_process_that_is_forked_and_runs_its_program_later_is_read_again(system: System) -> None:
    scanner, (shell,) = grown(system)
    child = system.fork(shell)
    assert words(scanner.scan([shell]))[child] == "bash"
    system.wait(YOUNG - 1)
    system.exec(child, "claude")
    assert words(scanner.scan([shell]))[child] == "claude"


def test_the_last_reading_of_a_young_process_is_when_it_is_grown_up(system: System) -> None:
    scanner, (shell,) = grown(system)
    child = system.fork(shell)
    scanner.scan([shell])
    system.exec(child, "claude")
    system.wait(10 * YOUNG)
    assert words(scanner.scan([shell]))[child] == "claude"


def test_an_exec_in_an_old_shell_is_found_within_a_cycle(system: System) -> None:
    scanner, shells = grown(system, 300)
    system.exec(shells[200], "claude")
    for _ in range(CYCLE + 1):
        system.wait(100)
        tree = scanner.scan(shells)
    assert words(tree)[shells[200]] == "claude"


def test_with_few_panes_an_exec_is_found_by_the_next_scan(system: System) -> None:
    scanner, shells = grown(system, LEAST)
    system.exec(shells[LEAST // 2], "claude")
    system.wait(100)
    assert words(scanner.scan(shells))[shells[LEAST // 2]] == "claude"


def test_an_exec_in_a_pane_that_somebody_sees_is_found_by_the_next_scan(system: System) -> None:
    scanner, shells = grown(system, 300)
    inner = system.start(shells[200], "bash")
    system.wait(OLD)
    scanner.scan(shells)
    scanner.scan(shells)
    system.exec(inner, "claude")
    assert words(scanner.scan(shells, near=[shells[200]]))[inner] == "claude"


def test_a_hint_makes_the_next_scan_find_an_exec(system: System) -> None:
    scanner, shells = grown(system, 300)
    inner = system.start(shells[200], "bash")
    system.wait(OLD)
    scanner.scan(shells)
    scanner.scan(shells)
    system.exec(inner, "claude")
    scanner.recheck([shells[200], 4999])
    assert words(scanner.scan(shells))[inner] == "claude"


def test_a_parent_that_became_another_program_is_read_with_its_new_child(system: System) -> None:
    scanner, shells = grown(system, 300)
    system.exec(shells[200], "claude")
    tool = system.start(shells[200], "rg")
    tree = words(scanner.scan(shells))
    assert (tree[shells[200]], tree[tool]) == ("claude", "rg")


def test_what_exited_is_gone_after_a_hint_a_cycle_or_a_listing(system: System) -> None:
    scanner, (shell,) = grown(system)
    first, second = system.start(shell, "codex"), system.start(shell, "claude")
    scanner.scan([shell])
    system.exit(first)
    scanner.recheck([first])
    assert set(scanner.scan([shell])) == {shell, second}
    system.exit(second)
    system.wait(OLD)
    assert set(scanner.scan([shell])) == {shell}


def test_a_zombie_is_gone_but_not_one_whose_threads_live(system: System) -> None:
    scanner, (shell,) = grown(system)
    zombie, leader = system.start(shell, "codex"), system.start(shell, "claude")
    scanner.scan([shell])
    system.stats[zombie] = replace(system.stats[zombie], exited=True)
    system.programs[zombie] = system.programs[leader] = ((), "")
    scanner.recheck([shell])
    assert words(scanner.scan([shell])) == {shell: "bash", leader: "claude"}
    assert words(scanner.scan([shell], full=True)) == {shell: "bash", leader: "claude"}


def test_an_orphan_stays_as_long_as_it_is_in_the_panes_session(system: System) -> None:
    scanner, (shell,) = grown(system)
    launcher = system.start(shell, "node")
    stays, leaves = system.start(launcher, "codex"), system.start(launcher, "daemon", session=True)
    assert set(scanner.scan([shell])) == {shell, launcher, stays, leaves}
    system.exit(launcher)
    assert set(scanner.scan([shell], full=True)) == {shell, stays}


def test_panes_come_and_go(system: System) -> None:
    scanner, (first,) = grown(system)
    second = system.start(1, "bash", session=True)
    agent = system.start(second, "claude")
    assert set(scanner.scan([first])) == {first}
    assert words(scanner.scan([first, second])) == {first: "bash", second: "bash", agent: "claude"}
    assert set(scanner.scan([second])) == {second, agent}
    assert scanner.scan([]) == {}


def test_a_pane_whose_process_is_gone_is_no_fault(system: System) -> None:
    scanner, (shell,) = grown(system)
    assert set(scanner.scan([shell, 4999])) == {shell}


def test_threads_are_no_processes() -> None:
    system = System(size=5000)
    scanner, (shell,) = grown(system)
    agent = system.start(shell, "claude")
    system.thread(agent)
    assert set(scanner.scan([shell])) == {shell, agent}


def test_a_pid_that_was_given_out_again_is_another_process(system: System) -> None:
    system.size = 60
    scanner, (shell,) = grown(system)
    agent = system.start(shell, "claude")
    before = scanner.scan([shell])[agent]
    system.exit(agent)
    while (pid := system.start(shell, "vim")) != agent:
        system.exit(pid)
    system.wait(100)
    system.stats[agent] = replace(system.stats[agent], start=system.clock)
    after = scanner.scan([shell])[agent]
    assert (before.argv, after.argv) == (("claude",), ("vim",))
    assert before.start != after.start


def test_a_pid_that_the_same_program_got_is_another_process() -> None:
    system = System(size=60)
    scanner, (shell,) = grown(system)
    agent = system.start(shell, "claude")
    system.last = 50
    system.wait(OLD)
    before = scanner.scan([shell])[agent]
    system.exit(agent)
    while (pid := system.start(shell, "claude")) != agent:
        system.exit(pid)
    after = scanner.scan([shell])[agent]
    assert after == replace(before, start=system.clock)


def test_numbers_that_start_over_are_followed(system: System) -> None:
    system.size = 300
    scanner, (shell,) = grown(system)
    system.last = system.size - 1
    scanner.scan([shell])
    agents = [system.start(shell, "claude") for _ in range(4)]
    assert agents[0] > agents[-1]
    assert set(scanner.scan([shell])) == {shell, *agents}


def test_a_process_whose_parent_was_gone_at_once_is_found_by_its_session(system: System) -> None:
    scanner, (shell,) = grown(system)
    launcher = system.start(shell, "node")
    orphan = system.start(launcher, "codex")
    system.exit(launcher)
    assert words(scanner.scan([shell])) == {shell: "bash", orphan: "codex"}


def test_a_shell_that_becomes_an_agent_when_its_child_has_ended_is_found_by_the_next_listing() -> None:
    system = System(size=5000, tells_newest=False)
    scanner, shells = grown(system, 300)
    child = system.start(shells[200], "sleep")
    system.wait(OLD)
    scanner.scan(shells)
    scanner.scan(shells)
    system.exit(child)
    system.exec(shells[200], "claude")
    tree = words(scanner.scan(shells))
    assert (tree[shells[200]], child in tree) == ("claude", False)


# --- what it costs --------------------------------------------------------------------------------------------


def test_nothing_new_is_the_same_object_and_asks_for_a_slice_alone() -> None:
    system = System(size=5000)
    scanner, shells = grown(system, 900)
    tree = scanner.scan(shells)
    system.asked.clear()
    assert scanner.scan(shells) is tree, "a second scan at the same moment has no slice of its own"
    assert not system.asked
    for _ in range(10 * CYCLE):
        system.wait(100)
        assert scanner.scan(shells) is tree
    assert set(system.asked) == {"file"}
    assert system.asked["file"] / (10 * CYCLE) <= -(-900 // CYCLE)


def test_a_walk_that_somebody_else_made_is_not_made_again(system: System) -> None:
    scanner, shells = grown(system, 30)
    hidden = system.start(1, "claude")
    system.stats[hidden] = replace(system.stats[hidden], session=shells[0])
    table = Table(system.newest(), dict(system.stats))
    system.asked.clear()
    assert hidden in scanner.scan(shells, full=True, table=table)
    assert system.asked["pids"] == 0
    assert system.asked["stat"] <= 1  # of what is new


def test_what_happened_since_somebody_elses_walk_is_found_all_the_same(system: System) -> None:
    scanner, (shell,) = grown(system)
    old = system.start(shell, "vim")
    table = Table(system.newest(), dict(system.stats))
    seen = system.start(shell, "claude")
    scanner.scan([shell])
    unseen = system.start(shell, "codex")
    system.exit(old)
    assert old not in scanner.scan([shell], full=True, table=table)
    assert words(scanner.scan([shell])) == {shell: "bash", seen: "claude", unseen: "codex"}


def test_a_full_scan_lets_go_of_what_hung_on_a_pane_that_was_gone_when_it_was_chosen() -> None:
    system = System(size=12)
    scanner = Scanner(system)
    shell = system.fork(1, True)
    agent = system.fork(shell, True)
    scanner.scan([])
    system.exit(shell)
    scanner.scan([shell])
    assert scanner.scan([shell], full=True) == {}
    assert agent in system.stats


def test_with_thousands_of_panes_a_slice_stays_bounded() -> None:
    system = System(size=9000)
    scanner, shells = grown(system, 3000)
    scanner.scan(shells)
    system.asked.clear()
    system.wait(100)
    scanner.scan(shells)
    assert system.asked["file"] <= MOST


def test_a_strangers_new_process_costs_one_question_and_no_listing() -> None:
    system = System(size=5000)
    scanner, shells = grown(system, 900)
    tree = scanner.scan(shells)
    system.asked.clear()
    system.start(1, "cron")
    assert scanner.scan(shells) is tree
    assert dict(system.asked) == {"between": 1}


def test_a_storm_of_strangers_is_listed_instead() -> None:
    system = System(size=5000)
    scanner, shells = grown(system, 100)
    tree = scanner.scan(shells)
    for _ in range(100):
        system.exit(system.start(1, "cc"))
    system.asked.clear()
    assert scanner.scan(shells) is tree
    assert dict(system.asked) == {"pids": 1}


def test_a_new_agent_among_900_panes_reads_little(system: System) -> None:
    scanner, shells = grown(system, 900)
    before = scanner.scan(shells)
    system.asked.clear()
    agent = system.start(shells[500], "claude")
    tree = scanner.scan(shells)
    assert tree is not before
    assert all(tree[pid] is before[pid] for pid in before), "what did not change stays the same object"
    assert system.asked["program"] <= 2, "the agent and its parent"
    assert agent in tree


# --- anything, in any order -----------------------------------------------------------------------------------


def test_a_light_scan_is_one_of_a_tree_that_is_known_and_few_newcomers() -> None:
    system = System(size=5000)
    scanner, shells = grown(system, 100)
    assert not Scanner(system).is_light(shells), "the first"
    assert scanner.is_light(shells)
    assert not scanner.is_light(shells[1:])
    for _ in range(FEW + 1):
        system.exit(system.start(1, "cc"))
    assert not scanner.is_light(shells)
    scanner.scan(shells)
    assert scanner.is_light(shells)


class AnyHistory(RuleBasedStateMachine):
    """After a full scan the tree is exact. After any other it holds everything new, as it is, unless the numbers went
    once around in between; only exits, adoptions and what old processes do may be late."""

    @initialize(tells=st.booleans(), size=st.integers(12, 60))
    def begin(self, tells: bool, size: int) -> None:
        self.system = System(size, tells)
        self.scanner = Scanner(self.system)
        self.roots: list[int] = []
        self.settled = False
        self.steps = 0

    def some(self, data: Any) -> int:
        return int(data.draw(st.sampled_from(sorted(self.system.stats))))

    @precondition(lambda self: len(self.system.stats) + len(self.system.threads) < self.system.size - 2)
    @rule(data=st.data(), session=st.booleans(), runs=st.booleans())
    def fork(self, data: Any, session: bool, runs: bool) -> None:
        pid = self.system.fork(self.some(data), session)
        if runs:
            self.system.exec(pid, data.draw(st.sampled_from(["claude", "codex", "vim"])))
        self.settled = False

    @precondition(lambda self: len(self.system.stats) + len(self.system.threads) < self.system.size - 2)
    @rule(data=st.data())
    def thread(self, data: Any) -> None:
        self.system.thread(self.some(data))

    @rule(data=st.data())
    def exec(self, data: Any) -> None:
        self.system.exec(self.some(data), data.draw(st.sampled_from(["claude", "codex", "vim"])))
        self.settled = False

    @rule(data=st.data())
    def exit(self, data: Any) -> None:
        pid = self.some(data)
        if pid != 1:
            self.system.exit(pid)
        self.settled = False

    @rule(data=st.data())
    def choose_panes(self, data: Any) -> None:
        leaders = [pid for pid, stat in self.system.stats.items() if stat.session == pid and pid != 1]
        self.roots = sorted(data.draw(st.sets(st.sampled_from(leaders)))) if leaders else []
        self.settled = False

    @rule(hundredths=st.integers(1, 2 * YOUNG))
    def wait(self, hundredths: int) -> None:
        self.system.wait(hundredths)

    @rule()
    def scan(self) -> None:
        known = set(self.scanner._stats)
        tree = self.scanner.scan(self.roots)
        around = self.system.steps - self.steps >= self.system.size - 1
        self.steps = self.system.steps
        if around and self.system.tells_newest:
            return
        created = self.truth().keys() - known
        assert created <= tree.keys(), "what is new is found at once"
        assert {pid: tree[pid] for pid in created} == {pid: self.truth()[pid] for pid in created}

    @rule()
    def scan_fully(self) -> None:
        self.scanner.scan(self.roots, full=True)
        self.steps = self.system.steps
        self.settled = True

    @invariant()
    def exact_when_settled(self) -> None:
        if getattr(self, "settled", False):
            assert self.scanner.scan(self.roots) == self.truth()
            self.steps = self.system.steps

    def truth(self) -> dict[int, Process]:
        found: dict[int, Process] = {}
        for pid, stat in self.system.stats.items():
            above: int | None = pid
            while above in self.system.stats and above not in self.roots:
                if self.system.stats[above].session in self.roots:
                    break
                above = self.system.stats[above].ppid
            if above in self.system.stats:
                argv, path = self.system.programs[pid]
                found[pid] = Process(
                    pid, stat.ppid, stat.start, stat.comm, path.rpartition("/")[2], argv, stat.session
                )
        return found


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
