"""A permission that a real agent asks for is given, and denied, from the sidebar."""

from __future__ import annotations

import re
import shutil
import time

import pytest

from tests.e2e.test_agents import becomes
from tests.e2e.test_sidebar import sidebar_of, text_of
from tests.real.agents import DRIVERS
from tests.real.agents.driver import installed
from tests.real.check import TIMEOUT
from tests.real.lab import Instance, Lab, lab
from tests.real.llm.behaviour import TOOL

pytestmark = [pytest.mark.real, pytest.mark.timeout(TIMEOUT)]

AGENTS = ("claude", "codex", "codex-no-daemon", "opencode", "gemini", "qwen")
GONE = 1.0
"""Seconds in which a tool that was denied would have come to its gate."""


def waiting(place: Lab, agent: Instance) -> None:
    """Have it ask for a permission, and wait until that is known."""
    agent.prompt(TOOL)
    agent.asked(place.driver.approval)
    becomes(place.world, agent.pane, "waiting")


def answer(place: Lab, agent: Instance, key: bytes, words: str) -> None:
    """Press the key on the agent's row, read what is asked, and say yes."""
    place.client.type(b"G" + key)
    place.until(
        lambda: words in (text := text_of(place.mux)) and "gate a1" in " ".join(text.split()),
        f"{words!r} and the command in the sidebar",
    )
    read = time.monotonic() + 0.5
    place.until(lambda: time.monotonic() > read, "time to read")
    place.client.type(b"y")


@pytest.mark.parametrize("name", AGENTS)
def test_a_permission_is_given_and_denied_from_the_sidebar(name: str) -> None:
    if not installed():
        pytest.fail("The agents are not installed: run tests/real/install first.", pytrace=False)
    tmux = shutil.which("tmux")
    assert tmux, "tmux is not installed"
    with lab(DRIVERS[name], tmux, patience=0) as place:
        place.world.config.write_text("approve: {from_sidebar: true}\nsidebar: {width: 60}\n")
        place.mux.up()
        agent = place.open()
        place.world.cli("sidebar", "focus", env=place.mux.inside())
        place.until(lambda: place.mux.ask("#{pane_id}", "main") == sidebar_of(place.mux), "the focus in it")
        place.until(lambda: "agent-a" in text_of(place.mux), "the agent's row")

        waiting(place, agent)
        answer(place, agent, b"y", "approve ")
        agent.tool_runs()
        agent.tool_ends()
        agent.finishes()
        place.until(
            lambda: not re.search(place.driver.approval, agent.screen.rsplit("\n", 12)[-1]), "its end"
        )

        waiting(place, agent)
        answer(place, agent, b"n", "deny ")
        place.until(lambda: "denied" in text_of(place.mux), "that it was denied")
        agent.true("interrupted", "denied")
        place.wait(GONE)
        assert agent.gate.entered is None
        state = becomes(place.world, agent.pane, "interrupted")
        assert state["liveness"] == "alive"
