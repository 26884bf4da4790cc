"""What each test of a real agent does: run a scenario, and hold what was shown to what was true."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.real.agents import DRIVERS
from tests.real.agents.driver import installed
from tests.real.run import run
from tests.real.scenarios import SCENARIOS

HOOKS = tuple(os.environ.get("OPENSESSIONS_TEST_HOOKS", "none").split(","))
"""`none`, `ours` (what `opensessions hooks install` puts there), or both."""
TIMEOUT = 300
"""Seconds for one scenario; it takes 10 to 40."""


def scenarios(agent: str) -> list[str]:
    """Those that suit the agent."""
    return [each.name for each in SCENARIOS.values() if each.suits(DRIVERS[agent])]


def check(agent: str, scenario: str, hooks: str) -> None:
    """Every state is shown. What was shown besides is printed: how long a moment lasts depends on this machine's load,
    so that is judged where time is the recording's own, in `tests/test_replay.py`."""
    if not installed():
        pytest.fail("The agents are not installed: run tests/real/install first.", pytrace=False)
    tmux = shutil.which("tmux")
    assert tmux, "tmux is not installed"
    done = run(DRIVERS[agent], SCENARIOS[scenario], tmux, hooks=hooks)
    missed = [
        each
        for judgement in done.judgements.values()
        for each in judgement.verdicts
        if each.outcome == "wrong"
    ]
    if not done.clean:
        print(done.report())
    assert not missed, f"\n{done.report()}"
