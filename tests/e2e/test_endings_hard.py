"""Ending agents where more hangs on them than an agent."""

from __future__ import annotations

import os
import signal

import pytest

from opensessions import start, wire
from opensessions.processes import audit
from tests.e2e.test_agents import becomes
from tests.e2e.test_endings import begin, child, program, rest, shell
from tests.e2e.test_metadata import post
from tests.support.world import Tmux, World, is_alive

__all__ = ["program"]

SERVING = """#!/bin/bash
OPENSESSIONS_RUNTIME_DIR=$HOME/run2 opensessions server run &
echo $! > "$HOME/child-$TMUX_PANE"
while :; do read -r line || sleep 0.05; done
"""

LISTENING = """#!/bin/bash
python3 -c "
import os, socket, time
line = socket.create_server(('127.0.0.1', 0))
open(os.environ['HOME'] + '/port', 'w').write(str(line.getsockname()[1]))
time.sleep(600)" &
echo $! > "$HOME/child-$TMUX_PANE"
while :; do read -r line || sleep 0.05; done
"""


def test_another_server_below_an_agent_is_not_ended(world: World, mux: Tmux, program: str) -> None:
    mux.up()
    (world.home / "bin" / program).write_text(SERVING)
    pane, agent = begin(world, mux, "api", program)
    other = child(world, pane)
    try:
        world.until(lambda: (world.home / "run2" / "server.sock").exists(), "the other server")
        refused = world.cli("agent", "kill", pane, "--yes", check=False)
        assert (refused.returncode, "cannot be ended" in refused.stderr) == (1, True)
        assert is_alive(agent["pid"])
        assert is_alive(other)
        world.cli("pane", "kill", pane, "--yes", check=False)
        signalled = {
            entry["pid"] for entry in audit.read(f"{world.state}/reap.log") if entry["kind"] == "signal"
        }
        assert other not in signalled
    finally:
        if is_alive(other):
            os.kill(other, signal.SIGTERM)
            world.until(lambda: not is_alive(other), "the other server's end")


@pytest.mark.parametrize("wrapper", ["sh -c '{}; true'", "bash -c '{} & wait'"])
def test_an_agent_whose_pane_would_close_does_not_hibernate(
    world: World, mux: Tmux, program: str, wrapper: str
) -> None:
    mux.load()
    mux.attach()
    mux.new("api", wrapper.format(f"{world.home}/bin/{program}"))
    pane = mux.ask("#{pane_id}", "=api:")
    agent = becomes(world, pane, "idle", liveness="alive")
    assert agent["pid"] != shell(mux, pane)
    rest(mux, world, pane)
    refused = world.cli("agent", "hibernate", pane, check=False)
    assert (refused.returncode, "pane would close" in refused.stderr) == (1, True)
    assert is_alive(agent["pid"])


def test_an_agent_that_is_to_be_kept_hibernates_only_when_asked(
    world: World, mux: Tmux, program: str
) -> None:
    world.config.write_text("hibernate: {after: 1s}\n")
    mux.load()
    mux.attach()
    pane, agent = begin(world, mux, "api", f"OPENSESSIONS_KEEP=1 {program}")
    other, beside = begin(world, mux, "web", program)
    rest(mux, world, pane)
    told = post(mux, "/api/agent-event", agent="codex", status="done", paneId=other, threadId="another")
    assert told == (204, "")
    becomes(
        world, other, "hibernated", id=beside["id"]
    )  # it came to rest later, so the first was due before it
    assert becomes(world, pane, "done", id=agent["id"])["liveness"] == "alive"
    assert is_alive(agent["pid"])
    world.cli("agent", "hibernate", pane)
    assert not is_alive(agent["pid"])


def test_an_agent_below_which_something_serves_does_not_hibernate(
    world: World, mux: Tmux, program: str
) -> None:
    """It may be what the user looks at in the browser."""
    (world.home / "bin" / program).write_text(LISTENING)
    mux.load()
    mux.attach()
    pane, agent = begin(world, mux, "api", program)
    port = world.home / "port"
    world.until(lambda: port.exists() and port.read_text(), "the port")
    rest(mux, world, pane)
    refused = world.cli("agent", "hibernate", pane, check=False)
    assert (refused.returncode, f"listens on port {port.read_text()}." in refused.stderr) == (1, True)
    assert is_alive(agent["pid"])
    os.kill(child(world, pane), signal.SIGKILL)
    world.until(lambda: not is_alive(child(world, pane)), "its end")
    world.cli("agent", "hibernate", pane)
    assert not is_alive(agent["pid"])


@pytest.mark.parametrize("what", ["session kill api", "pane kill $TMUX_PANE"])
def test_who_asks_for_it_may_be_in_there(world: World, mux: Tmux, program: str, what: str) -> None:
    """It is hung up in the middle; what ignores that is ended all the same."""
    mux.load()
    mux.attach()
    pane, agent = begin(world, mux, "api", f"{program} stubborn < /dev/null &")
    mux("send-keys", "-t", pane, f"opensessions {what} --yes", "Enter")
    world.until(lambda: pane not in mux.lines("list-panes", "-a", "-F", "#{pane_id}"), "the pane's end")
    world.until(lambda: not is_alive(agent["pid"]), "the agent's end")
    world.until(lambda: not is_alive(child(world, pane)), "its child's end")


def test_an_agent_goes_to_sleep_though_who_asked_has_left(world: World, mux: Tmux, program: str) -> None:
    mux.load()
    mux.attach()
    pane, agent = begin(world, mux, "api", f"{program} deaf")
    rest(mux, world, pane)
    line = start.connect(world.runtime)
    assert line
    line.sendall(wire.frame(b"A", wire.pack_fields(verb="agent-hibernate", target=pane, mux=mux.key)))
    world.until(lambda: any(e["kind"] == "signal" for e in audit.read(f"{world.state}/reap.log")), "SIGTERM")
    line.close()
    becomes(world, pane, "hibernated", id=agent["id"])
    assert not is_alive(agent["pid"])
