"""Who may be ended, on random machines of which the truth is known."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.processes.plan import ORPHANS, to_be_judged
from tests.processes.machine import Facts, Machine, reaped
from tests.processes.machines import grown, less_known, wrong_to_signal
from tests.processes.oracle import Oracle

randoms = st.builds(Random, st.integers(0, 1 << 32))
"""A seed each: choices made by hypothesis itself, thousands for one machine, take it a hundred times as long."""
thorough = settings(max_examples=200, deadline=None)


@given(randoms)
@thorough
def test_nobody_is_ended_who_must_not_be(random: Random) -> None:
    machine = grown(random)
    for pid in machine.reaped():
        assert wrong_to_signal(machine, pid) == ""


@given(randoms)
@thorough
def test_nobody_is_ended_whom_no_receipted_process_has_started(random: Random) -> None:
    machine = grown(random)
    written = {
        receipt.process.pid
        for receipt in machine.receipts
        if receipt.process.pid in machine.procs and receipt.process == machine.name(receipt.process.pid)
    }
    for pid in machine.reaped():
        assert machine.procs[pid].lineage & written


@given(randoms)
@thorough
def test_nothing_protected_is_in_a_tree_that_is_an_orphans(random: Random) -> None:
    facts = grown(random).second()
    protected = facts.protected()
    for verdict in facts.plan().verdicts:
        assert not {process.pid for process in verdict.tree} & protected.keys()
        assert bool(verdict.tree) <= (verdict.decision in ORPHANS)


@given(randoms)
@thorough
def test_to_know_less_never_ends_more(random: Random) -> None:
    facts = grown(random).second()
    ended = reaped(facts.plan())
    for _ in range(4):
        facts = less_known(facts, random)
        fewer = reaped(facts.plan())
        assert fewer <= ended
        ended = fewer


@given(randoms)
@thorough
def test_the_same_facts_make_the_same_plan_in_whatever_order_they_come(random: Random) -> None:
    facts = grown(random).second()
    plan = facts.plan()
    assert plan == facts.plan()
    assert [verdict.receipt for verdict in plan.verdicts] == list(facts.receipts)
    turned = facts.but(
        receipts=facts.receipts[::-1],
        muxes=dict(list(facts.muxes.items())[::-1]),
        details=dict(list(facts.details.items())[::-1]),
    ).plan()
    assert {(each.receipt.nonce, each.decision) for each in turned.verdicts} == {
        (each.receipt.nonce, each.decision) for each in plan.verdicts
    }
    assert turned.seen == plan.seen


@given(randoms)
@thorough
def test_only_the_details_that_were_asked_for_are_needed(random: Random) -> None:
    facts = grown(random).second()
    asked = facts.asked_for()
    few = {pid: known for pid, known in facts.details.items() if pid in asked}
    assert facts.but(details=few).plan() == facts.plan()


@given(randoms)
@thorough
def test_what_is_remembered_is_of_orphans_and_of_those_of_whom_nothing_could_be_told(random: Random) -> None:
    facts = grown(random).second()
    plan = facts.plan()
    by_process = {verdict.receipt.process: verdict.decision for verdict in plan.verdicts}
    for process in plan.seen:
        assert by_process[process] in (*ORPHANS, "unknown")


@given(randoms)
@thorough
def test_every_orphan_of_ours_is_ended_where_all_is_known(random: Random) -> None:
    machine = grown(random, clean=True)
    ended = machine.reaped()
    for receipt in machine.receipts:
        proc = machine.procs[receipt.process.pid]
        if proc.pane is None or proc.exited or proc.pane.state not in ("closed", "dead"):
            continue
        assert proc.pid in ended
        for other in machine.procs.values():
            if proc.pid in other.lineage and _connected(machine, other.pid, proc.pid) and not other.exited:
                assert other.pid in ended


@given(randoms)
@thorough
def test_a_sweep_is_left_out_only_where_it_would_find_nothing(random: Random) -> None:
    facts = grown(random).second()
    if not to_be_judged(facts.receipts, facts.muxes):
        assert not [
            each for each in facts.plan().verdicts if each.decision in ("reap", "wait", "report", "suspect")
        ]


def _connected(machine: Machine, pid: int, root: int) -> bool:
    while pid > 1 and pid != root:
        pid = machine.procs[pid].ppid
    return pid == root


# --- the oracle --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", range(20))
def test_another_answer_to_the_same_question_is_the_same(batch: int) -> None:
    """2,000 machines; of each, every process that there is."""
    ended = 0
    for seed in range(batch * 100, batch * 100 + 100):
        random = Random(seed)
        facts: Facts = grown(random).second()
        if random.random() < 0.3:
            facts = less_known(facts, random)
        oracle = Oracle(facts)
        found = reaped(facts.plan())
        assert found == {pid for pid in facts.census.stats if oracle.may_be_signalled(pid)}, seed
        ended += len(found)
    assert ended > 20


def test_the_machines_hold_what_they_are_for() -> None:
    """Else the tests above would say little."""
    seen: dict[str, int] = {}
    for seed in range(300):
        for verdict in grown(Random(seed)).second().plan().verdicts:
            seen[verdict.decision] = seen.get(verdict.decision, 0) + 1
    assert min(seen.get(each, 0) for each in ("reap", "wait", "report", "suspect", "keep", "alive")) > 10, (
        seen
    )
    assert min(seen.get(each, 0) for each in ("unknown", "refuse", "forget")) > 50, seen


def test_a_machine_is_the_same_for_the_same_seed() -> None:
    one, other = grown(Random(7)).second(), grown(Random(7)).second()
    assert one.plan() == other.plan()
    assert replace(one.census, at=0) == replace(other.census, at=0)
