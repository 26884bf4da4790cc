"""What the detail tells of a real agent that asks for a permission: its prompt, what it takes, its own screen."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.e2e.test_agents import becomes
from tests.e2e.test_sidebar import sidebar_of, text_of
from tests.real.agents import DRIVERS
from tests.real.agents.driver import installed
from tests.real.check import TIMEOUT
from tests.real.lab import lab
from tests.real.llm.behaviour import TOOL

pytestmark = [pytest.mark.real, pytest.mark.timeout(TIMEOUT)]


@pytest.mark.parametrize("name", ["claude", "codex", "opencode"])
def test_a_waiting_agent_in_the_detail(name: str) -> None:
    if not installed():
        pytest.fail("The agents are not installed: run tests/real/install first.", pytrace=False)
    tmux = shutil.which("tmux")
    assert tmux, "tmux is not installed"
    with lab(DRIVERS[name], tmux, patience=0) as place:
        place.world.config.write_text("sidebar: {width: 60, detail: true, detail_height: 22}\n")
        place.mux.up()
        agent = place.open()
        place.world.cli("sidebar", "focus", env=place.mux.inside())
        place.until(lambda: place.mux.ask("#{pane_id}", "main") == sidebar_of(place.mux), "the focus in it")
        place.until(lambda: "agent-a" in text_of(place.mux), "the agent's row")
        agent.prompt(TOOL)
        agent.asked(place.driver.approval)
        known = becomes(place.world, agent.pane, "waiting")
        place.client.type(b"G")

        def told() -> str:
            """The detail in one line, without the border and the list above it."""
            return " ".join(text_of(place.mux).partition("─ ")[2].split())

        place.until(lambda: f"{known['agent']} waits" in told(), "that it waits")
        place.until(lambda: re.search(r"mem \d+(M|\.\d+G), cpu \d+%", told()), "what it takes")
        assert f"> {known['prompt']}" in told()
        assert str(known["waiting_for"]) in told()
        place.until(lambda: "gate a1" in told(), "what it would run, on its screen")
