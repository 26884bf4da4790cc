"""Orphans go, innocents are not even signalled: the whole way from receipts and real tmux servers to the signals, in
PID namespaces. OPENSESSIONS_ZOO_ROUNDS says how many random rounds there are.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import tmux_versions
from tests.zoo.pen import Pen, run
from tests.zoo.rounds import GUILTY, INNOCENT

ROUNDS = int(os.environ.get("OPENSESSIONS_ZOO_ROUNDS", "40"))
BATCHES = 8
PENS = 3
"""Namespaces at the same time in one batch: a round waits more than it works."""
VERSIONS = sorted(tmux_versions())
A_ROUND = 60.0
"""Seconds that a round may take on a busy machine."""
SLOW = {"hung tmux", "lost socket"}
"""Each look waits for these."""


def check(result: dict[str, Any]) -> None:
    """Nobody was harmed; every orphan is gone, or it is told why not."""
    assert result["harmed"] == [], result
    for name, reasons in result["left"].items():
        assert all(reason and reason["why"] for reason in reasons), (name, result)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_rounds_harm_nobody_and_end_every_orphan(short: Path, batch: int) -> None:
    seeds = list(range(ROUNDS))[batch::BATCHES]
    pens: list[Pen] = []
    try:
        for number in range(PENS):
            mine = seeds[number::PENS]
            if mine:
                pens.append(Pen("rounds:play", short, 20 + A_ROUND * len(mine), seeds=mine))
        results = [result for pen in pens for result in pen.result()]
    finally:
        for pen in pens:
            pen.close()
    assert sorted(result["seed"] for result in results) == seeds
    for result in results:
        check(result)
        assert result["guilty"] >= 1
        assert result["innocent"] >= 4
    # There are reasons to leave one for the next sweep, such as a member that exits at this moment. They are rare.
    left = sum(len(result["left"]) for result in results)
    assert left <= 1 + sum(result["guilty"] for result in results) // 10, results


def test_rounds_without_pidfds_harm_nobody_either(short: Path) -> None:
    for result in run("rounds:play", short, seeds=[1001, 1002], handles=False):
        check(result)


@pytest.mark.parametrize("seed", range(len(VERSIONS)), ids=VERSIONS)
def test_every_kind_of_innocent_is_left_alone(short: Path, seed: int) -> None:
    cases = [case.name for case in INNOCENT if case.name not in SLOW]
    result = run("rounds:show", short, cases=[*cases, "closed pane"], seed=seed)
    check(result)
    assert result["left"] == {}
    assert result["innocent"] >= len(cases) - 1


@pytest.mark.parametrize("seed", range(len(VERSIONS)), ids=VERSIONS)
def test_every_kind_of_orphan_goes(short: Path, seed: int) -> None:
    cases = [case.name for case in GUILTY]
    result = run("rounds:show", short, cases=cases, seed=seed)
    check(result)
    assert result["left"] == {}
    assert result["guilty"] == len(cases)


def test_a_tmux_that_hangs_or_lost_its_socket_protects_what_was_in_it(short: Path) -> None:
    result = run("rounds:show", short, cases=[*sorted(SLOW), "closed pane"])
    check(result)
    assert result["left"] == {}


@pytest.mark.parametrize(
    ("broken", "case"),
    [("foreign", "live instance"), ("exempt", "keep in the receipt"), ("shields", "names tmux")],
)
def test_a_round_notices_a_judgement_that_lacks_a_question(short: Path, broken: str, case: str) -> None:
    """So that nobody is harmed because of what is asked, not because of what is tried."""
    result = run("rounds:show", short, cases=[case, "live pane"], broken=broken)
    assert any(case in name for name in result["harmed"])
    assert not any("live pane" in name for name in result["harmed"])
