"""What can be shown only where pids are given out as the test says, or where a storm cannot reach anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.zoo.cage import until
from tests.zoo.pen import Pen, run
from tests.zoo.scenarios import STEPS


def test_a_pid_that_another_process_has_at_the_sweep_is_left_alone(short: Path) -> None:
    run("scenarios:reused_before_the_sweep", short)


def test_a_pid_that_another_process_gets_after_pinning_is_not_signalled(short: Path) -> None:
    run("scenarios:reused_after_pinning", short)


def test_a_pid_that_another_process_gets_while_its_tree_is_ended_is_not_signalled(short: Path) -> None:
    run("scenarios:reused_while_it_is_ended", short)


def test_two_processes_with_one_pid_and_one_start_are_told_apart(short: Path) -> None:
    if not run("scenarios:reused_in_the_same_tick", short):
        pytest.skip("this kernel does not number its pidfds (6.9 or later does)")


def test_a_tree_whose_pids_start_over_is_ended(short: Path) -> None:
    run("scenarios:pids_that_start_over", short)


def test_a_receipt_of_another_namespace_signals_nobody(short: Path) -> None:
    run("scenarios:another_namespace", short)


@pytest.mark.timeout(300)
def test_a_reaper_that_is_killed_at_any_step_has_a_successor_that_finishes(short: Path) -> None:
    assert 10 < run("scenarios:killed_at_each_step", short, 250) < STEPS - 1


def test_an_orphan_that_forks_without_end_goes_with_all_of_it(short: Path) -> None:
    run("scenarios:an_agent_that", short, habits=["storm"])


def test_an_orphan_whose_children_stay_goes_with_all_of_them(short: Path) -> None:
    run("scenarios:an_agent_that", short, habits=["brood"])


@pytest.mark.parametrize("how", ["hop", "hop=apart"])
def test_what_hops_from_pid_to_pid_is_never_mistaken_for_another(short: Path, how: str) -> None:
    """It may get away: nothing proves whose it is. The orphan that started it does not."""
    run("scenarios:an_agent_that", short, habits=[how], left=True)


def test_a_large_family_is_ended_on_request_only(short: Path) -> None:
    run("scenarios:a_large_family", short)


def test_children_that_one_reading_does_not_list_are_ended(short: Path) -> None:
    run("scenarios:children_that_one_reading_does_not_list", short)


def test_a_namespace_ends_with_its_test(short: Path) -> None:
    """Whatever goes wrong in it, nothing stays behind."""
    pen = Pen("scenarios:wait", short)
    pids = short / "pids"
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    inside = os.stat(f"/proc/{pen.pid}/ns/pid_for_children").st_ino
    assert inside != os.stat("/proc/self/ns/pid").st_ino
    pen.close()
    until(lambda: not any(_namespace(name) == inside for name in os.listdir("/proc") if name.isdecimal()))


def test_a_namespace_ends_after_its_lifetime(short: Path) -> None:
    pen = Pen("scenarios:wait", short, lifetime=1)
    with pytest.raises(AssertionError, match=r"\(124\)"):
        pen.result()


def test_a_scenario_that_fails_fails_its_test(short: Path) -> None:
    with pytest.raises(AssertionError, match="no such thing"):
        run("scenarios:fail", short)


def _namespace(pid: str) -> int:
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:
        return 0
