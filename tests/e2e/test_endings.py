"""Ending agents, panes and sessions on a real tmux, and putting agents to sleep.

The agent is a program called `codex` that starts a child and writes down how it was called; the last word of its
command line says what it ignores.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_agents import agents, becomes
from tests.e2e.test_metadata import post
from tests.e2e.test_sidebar import PREFIX, shows, sidebar_of, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, is_alive

AGENT = """#!/bin/bash
echo "$PWD: $*" >> "$HOME/calls"
case "$*" in
  *deaf*) trap '' HUP TERM ;;
  *stubborn*) trap '' HUP ;;
esac
sleep 1000 &
echo $! > "$HOME/child-$TMUX_PANE"
while :; do read -r line || sleep 0.05; done
"""
THREAD = "0199-ab"


@pytest.fixture
def program(world: World) -> str:
    file = world.home / "bin" / "codex"
    file.write_text(AGENT)
    file.chmod(0o755)
    return "codex"


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    mux.load()
    return mux.attach()


def begin(world: World, mux: Tmux, session: str, command: str) -> tuple[str, dict[str, Any]]:
    """A session whose only pane runs a shell that runs the agent; the pane and the agent."""
    mux.new(session, "-c", str(world.home))
    pane = mux.ask("#{pane_id}", f"={session}:")
    mux("send-keys", "-t", pane, command, "Enter")
    agent = becomes(world, pane, "idle", liveness="alive")
    has_child(world, pane, agent)
    return pane, agent


def has_child(world: World, pane: str, agent: dict[str, Any]) -> None:
    """Wait until the agent has started its child, and that has become another program than the agent's own shell."""
    found = world.until(lambda: child(world, pane), "the agent's child")
    world.until(lambda: words(found) not in ("", words(agent["pid"])), "the child's own program")


def words(pid: int) -> str:
    """A process's command line; "" where there is none, as between two programs."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def child(world: World, pane: str) -> int:
    file = world.home / f"child-{pane}"
    return int(file.read_text() or 0) if file.exists() else 0


def shell(mux: Tmux, pane: str) -> int:
    return int(mux.ask("#{pane_pid}", pane))


def audit(world: World) -> list[dict[str, Any]]:
    file = Path(world.state) / "reap.log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


# --- an agent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["", "deaf"])
def test_killing_an_agent_leaves_its_shell(
    world: World, mux: Tmux, client: Terminal, program: str, manner: str
) -> None:
    # Who is not deaf ends by itself, on a busy machine too: only who is deaf is not worth waiting for.
    world.config.write_text(f"reap: {{term_wait: {'500ms' if manner else '20s'}}}\n")
    world.cli("down")
    mux.up()
    pane, agent = begin(world, mux, "api", f"{program} {manner}")
    other, beside = begin(world, mux, "web", program)
    shown = world.cli("agent", "kill", pane, "--dry-run").stdout
    assert f"codex in {pane}" in shown.replace("Codex", "codex")
    assert str(agent["pid"]) in shown
    assert "sleep 1000" in shown
    assert str(shell(mux, pane)) not in shown
    refused = world.cli("agent", "kill", pane, check=False)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert is_alive(agent["pid"])
    done = world.cli("agent", "kill", pane, "--yes")
    assert "2 processes" in done.stdout
    assert not is_alive(agent["pid"])
    assert not is_alive(child(world, pane))
    assert is_alive(shell(mux, pane))
    assert is_alive(beside["pid"])
    assert is_alive(child(world, other))
    world.until(lambda: agents(world)[pane]["liveness"] == "exited", "the exited row")
    results = [entry["result"] for entry in audit(world) if entry["kind"] == "outcome"]
    assert sorted(results) == ["killed" if manner else "exited_on_term"] * 2
    again = world.cli("agent", "kill", pane, "--yes", check=False)
    assert again.returncode == 1
    assert "does not run any more" in again.stderr


def test_an_agent_that_is_its_panes_own_program_takes_no_client_along(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    mux.new("api", f"exec {world.home}/bin/{program}")
    pane = mux.ask("#{pane_id}", "=api:")
    agent = becomes(world, pane, "idle", liveness="alive")
    has_child(world, pane, agent)
    assert agent["pid"] == shell(mux, pane)
    say_done(mux, pane)
    becomes(world, pane, "done")
    refused = world.cli("agent", "hibernate", pane, check=False)
    assert "own program" in refused.stderr
    mux("switch-client", "-c", client.tty, "-t", "=api:")
    world.until(lambda: mux.session_of(client) == "api", "the client there")
    assert f"{pane} closes with it" in world.cli("agent", "kill", pane, "--dry-run").stdout
    world.cli("agent", "kill", pane, "--yes")
    assert mux.session_of(client) == "main"
    assert not client.ended
    assert not is_alive(agent["pid"])


# --- a session --------------------------------------------------------------------------------------------------


def test_killing_a_session_moves_its_clients_to_the_row_above(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    mux.new("above")
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    mux.new("below")
    both = [client, mux.attach()]
    for terminal in both:
        mux("switch-client", "-c", terminal.tty, "-t", "=api:")
    world.until(lambda: all(mux.session_of(each) == "api" for each in both), "both clients there")
    shown = world.cli("session", "kill", "api", "--dry-run").stdout
    assert "2 clients to another session" in shown
    assert str(agent["pid"]) in shown
    shells = shell(mux, pane)
    world.cli("session", "kill", "=api", "--yes")
    assert [mux.session_of(each) for each in both] == ["above", "above"]
    assert not any(each.ended for each in both)
    assert len(mux.lines("list-clients")) == 2
    assert not any(map(is_alive, (agent["pid"], child(world, pane), shells)))
    assert "api" not in mux.lines("list-sessions", "-F", "#{session_name}")
    assert world.cli("session", "kill", "api", "--yes", check=False).returncode == 1


def test_a_linked_window_outlives_the_session(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    mux("link-window", "-d", "-s", "=api:", "-t", "main:5")
    mux("new-window", "-d", "-t", "=api:")
    assert str(agent["pid"]) not in world.cli("session", "kill", "api", "--dry-run").stdout
    world.cli("session", "kill", "api", "--yes")
    assert mux.lines("list-sessions", "-F", "#{session_name}") == ["main"]
    assert is_alive(agent["pid"])
    assert becomes(world, pane, "idle", liveness="alive")["pid"] == agent["pid"]


def test_a_grouped_session_keeps_everything(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    mux("new-session", "-d", "-s", "twin", "-t", "=api")
    world.cli("session", "kill", "api", "--yes")
    assert is_alive(agent["pid"])
    assert mux.ask("#{session_name}", pane) == "twin"


def test_the_last_session_may_be_killed_too(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    mux("send-keys", "-t", "main:", f"{program} stubborn", "Enter")
    pane = mux.ask("#{pane_id}", "main:")
    agent = becomes(world, pane, "idle")
    has_child(world, pane, agent)
    done = world.cli("session", "kill", "main", "--yes")
    assert "Ended" in done.stdout
    assert not is_alive(agent["pid"])
    assert not is_alive(child(world, pane))
    world.until(lambda: not is_alive(mux.pid), "tmux's end")


# --- a pane -----------------------------------------------------------------------------------------------------


def test_killing_a_pane_ends_what_ignores_its_end(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    stays = mux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane)
    beside = shell(mux, stays)
    world.cli("pane", "kill", pane, "--yes")
    assert mux.lines("list-panes", "-t", "=api:", "-F", "#{pane_id}") == [stays]
    assert not is_alive(agent["pid"])
    assert not is_alive(child(world, pane))
    assert is_alive(beside)
    assert world.cli("pane", "kill", pane, "--yes", check=False).returncode == 1


def test_the_only_pane_of_a_session_takes_no_client_with_it(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    mux("switch-client", "-c", client.tty, "-t", "=api:")
    world.until(lambda: mux.session_of(client) == "api", "the client there")
    world.cli("pane", "kill", pane, "--yes")
    assert mux.session_of(client) == "main"
    assert not client.ended
    assert not is_alive(agent["pid"])


# --- sleep ------------------------------------------------------------------------------------------------------


def say_done(mux: Tmux, pane: str) -> None:
    told = post(mux, "/api/agent-event", agent="codex", status="done", paneId=pane, threadId=THREAD)
    assert told == (204, "")


def rest(mux: Tmux, world: World, pane: str) -> None:
    say_done(mux, pane)
    becomes(world, pane, "done", thread=THREAD)


def test_an_agent_hibernates_and_is_resumed(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane, agent = begin(world, mux, "api", program)
    unknown = world.cli("agent", "hibernate", pane, check=False)
    assert unknown.returncode == 1, "nothing tells what it does"
    rest(mux, world, pane)
    assert world.cli("agent", "hibernate", pane).stdout == f"To resume it: codex resume {THREAD}\n"
    assert not is_alive(agent["pid"])
    assert not is_alive(child(world, pane))
    assert is_alive(shell(mux, pane))
    becomes(world, pane, "hibernated", liveness="exited", id=agent["id"])
    told = json.loads(world.cli("explain", pane, "--json").stdout)
    assert told["resume"] == f"codex resume {THREAD}"
    assert f"codex resume {THREAD}" in world.cli("explain", "api").stdout
    slept = agents(world)[pane]
    world.cli("down")
    mux.up()
    world.until(lambda: agents(world).get(pane) == slept, f"the same row after a restart: {slept}")
    mux("send-keys", "-t", pane, "cd /; vi", "C-u")
    typed = world.cli("agent", "resume", "api")
    assert typed.stdout == f"codex resume {THREAD}\n"
    awake = becomes(world, pane, "idle", liveness="alive")
    assert awake["id"] != agent["id"]
    calls = [f"{world.home}: ", f"{world.home}: resume {THREAD}"]  # written a moment after it is found
    world.until(lambda: (world.home / "calls").read_text().splitlines() == calls, "how it was called")
    assert len([each for each in agents(world).values() if each["pane"] == pane]) == 1


def test_where_no_shell_waits_nothing_is_typed(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane, _ = begin(world, mux, "api", program)
    rest(mux, world, pane)
    world.cli("agent", "hibernate", pane)
    mux("send-keys", "-t", pane, "cat", "Enter")
    world.until(lambda: mux.ask("#{pane_current_command}", pane) == "cat", "cat at work")
    told = world.cli("agent", "resume", pane, check=False)
    assert (told.returncode, told.stdout) == (1, f"codex resume {THREAD}\n")
    assert "No shell waits" in told.stderr
    assert "resume" not in mux("capture-pane", "-p", "-t", pane).split("cat")[-1]
    world.cli("agent", "dismiss", pane)
    world.until(lambda: pane not in agents(world), "the row's end")
    assert world.cli("agent", "resume", pane, check=False).returncode == 1


def looked_at(world: World) -> list[str]:
    """The sessions that the server believes to be on a client's screen."""
    snapshot = json.loads(world.cli("list", "--json").stdout)
    return [row["name"] for each in snapshot["muxes"] for row in each["sessions"] if row["attached"]]


def test_nobody_is_put_to_sleep_before_the_users_eyes(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane, agent = begin(world, mux, "api", program)
    rest(mux, world, pane)
    mux("switch-client", "-c", client.tty, "-t", "=api:")
    world.until(lambda: not agents(world)[pane]["unseen"], "the client in a reading")
    refused = world.cli("agent", "hibernate", pane, check=False)
    assert (refused.returncode, "screen" in refused.stderr) == (1, True)
    assert is_alive(agent["pid"])


def test_who_rests_for_long_hibernates_by_himself(world: World, mux: Tmux, program: str) -> None:
    world.config.write_text("hibernate: {after: 1s}\n")
    mux.load()
    client = mux.attach()
    pane, agent = begin(world, mux, "api", program)
    say_done(mux, pane)
    becomes(world, pane, "hibernated", id=agent["id"])
    assert not is_alive(agent["pid"])
    seen, other = begin(world, mux, "web", program)
    mux("switch-client", "-c", client.tty, "-t", "=web:")
    world.until(lambda: looked_at(world) == ["web"], "the client there, and that the server knows")
    rest(mux, world, seen)
    began = time.monotonic()
    world.until(lambda: time.monotonic() > began + 2.5, "more than the time of rest")
    assert becomes(world, seen, "done")["id"] == other["id"]
    mux("switch-client", "-c", client.tty, "-t", "=main:")
    becomes(world, seen, "hibernated", id=other["id"])


# --- in the sidebar ---------------------------------------------------------------------------------------------


def focus(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"s")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")


def ask(world: World, mux: Tmux, client: Terminal, keys: bytes, words: str) -> None:
    """Type keys, and wait until the question has been there for long enough to be read."""
    client.type(keys)
    shows(world, mux, words)
    asked = time.monotonic()
    world.until(lambda: time.monotonic() > asked + 0.5, "time to read")


def test_a_question_is_asked_before_a_session_is_killed(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    focus(world, mux, client)
    shows(world, mux, "api")
    ask(world, mux, client, b"jD", "kill api? y/n")
    client.type(b"n")
    world.until(lambda: "kill api" not in text_of(mux), "no question")
    client.type(b"Dy")
    world.until(lambda: "kill api" not in text_of(mux), "no question: that was no answer, it was typed")
    assert is_alive(agent["pid"])
    ask(world, mux, client, b"d", "kill codex")
    mux("rename-session", "-t", "=api:", "other")
    world.until(lambda: "kill codex" not in text_of(mux), "what was asked has changed")
    ask(world, mux, client, b"D", "kill other? y/n")
    client.type(b"y")
    world.until(lambda: not is_alive(agent["pid"]), "the agent's end")
    world.until(lambda: not is_alive(child(world, pane)), "its child's end")
    world.until(lambda: "other" not in text_of(mux), "the row's end")
    assert mux.session_of(client) == "main"


def test_the_sidebar_puts_to_sleep_and_wakes(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane, agent = begin(world, mux, "api", program)
    rest(mux, world, pane)
    focus(world, mux, client)
    ask(world, mux, client, b"jz", "hibernate codex? y/n")
    client.type(b"\r")
    becomes(world, pane, "hibernated", id=agent["id"])
    shows(world, mux, "codex resume")
    ask(world, mux, client, b"z", "resume codex")
    client.type(b"y")
    awake = becomes(world, pane, "idle", liveness="alive")
    world.until(lambda: is_alive(child(world, pane)), "its new child")
    has_child(world, pane, awake)
    ask(world, mux, client, b"d", "kill codex")
    client.type(b"y")
    world.until(lambda: not is_alive(child(world, pane)), "the end of the agent's child")
    assert is_alive(shell(mux, pane))


def test_what_has_lost_its_pane_is_counted_and_reaped_by_a_key(world: World, mux: Tmux, program: str) -> None:
    world.config.write_text("reap: {interval: 1s, grace: 1s, term_wait: 500ms}\n")
    mux.load()
    client = mux.attach()
    pane, agent = begin(world, mux, "api", f"{program} stubborn")
    world.until(lambda: list((Path(world.state) / "receipts").glob("*.json")), "the agent's receipt")
    focus(world, mux, client)
    mux("kill-session", "-t", "=api:")
    shows(world, mux, "1 orphan", "R reaps")
    ask(world, mux, client, b"R", "reap 1 orphan? y/n")
    assert is_alive(agent["pid"])
    client.type(b"y")
    world.until(lambda: not is_alive(agent["pid"]), "the agent's end")
    world.until(lambda: not is_alive(child(world, pane)), "its child's end")
    world.until(lambda: "orphan" not in text_of(mux), "none is left")
