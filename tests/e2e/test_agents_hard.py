"""Agents on a real tmux under hard circumstances: panes that move, crashes, focus, two servers, files that hang."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opensessions import wire
from opensessions.start import connect
from tests.e2e.test_agents import PREFIX, WAITING, WORKING, becomes, begin, say
from tests.e2e.test_agents import program as program
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, is_alive


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    mux.load()
    return mux.attach()


def rows(world: World) -> dict[str, list[tuple[str, str, str]]]:
    """Session's name -> (pane, state, liveness) of the agents in its row, over all multiplexers."""
    snapshot = json.loads(world.cli("list", "--json").stdout)
    found = [row for each in snapshot["muxes"] for row in each["sessions"]]
    return {
        row["name"]: [(each["pane"], each["state"], each["liveness"]) for each in row["agents"]]
        for row in found
        if row["agents"]
    }


def test_a_pane_that_moves_takes_its_agent_along(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    mux("split-window", "-d", "-t", pane)
    mux.new("web")
    mux("join-pane", "-d", "-s", pane, "-t", "=web:")
    world.until(lambda: rows(world) == {"web": [(pane, "idle", "alive")]}, "its new row")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting", unseen=True)
    client.type(PREFIX + b"a")
    world.until(lambda: mux.session_of(client) == "web", "the attention key finds it")
    mux("break-pane", "-d", "-s", pane, "-n", "own")
    say(mux, pane, WORKING)
    becomes(world, pane, "running")
    say(mux, pane, "quit")
    world.until(lambda: rows(world) == {"web": [(pane, "interrupted", "exited")]}, "the row that it leaves")
    mux("kill-session", "-t", "=web")
    world.until(lambda: rows(world) == {}, "nothing of a session that is gone")


def test_grouped_sessions_and_a_respawned_pane(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    mux("new-session", "-d", "-t", "=api", "-s", "twin")
    becomes(world, pane, "idle")
    both = [(pane, "idle", "alive")]
    world.until(lambda: rows(world) == {"api": both, "twin": both}, "one window in two sessions")
    mux("kill-session", "-t", "=api")
    world.until(lambda: rows(world) == {"twin": both}, "the one that is left")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting")
    client.type(PREFIX + b"a")
    world.until(lambda: mux.session_of(client) == "twin", "the session that still has it")
    mux("respawn-pane", "-k", "-t", pane)
    world.until(lambda: rows(world) == {"twin": [(pane, "interrupted", "exited")]}, "the end of it")
    say(mux, pane, program)
    world.until(
        lambda: [each[2] for each in rows(world).get("twin", [])] == ["alive"], "one row, and a living one"
    )


def test_the_same_pane_in_two_tmux_servers(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    other = world.mux("other.sock")
    other.up()
    panes = [begin(each, f"s{at}", program) for at, each in enumerate((mux, other))]
    assert panes[0] != panes[1] or mux.key != other.key
    world.until(lambda: set(rows(world)) >= {"s0", "s1"}, "both")
    say(other, panes[1], WAITING)
    world.until(lambda: [each[1] for each in rows(world)["s1"]] == ["waiting"], "the other server's")
    assert [each[1] for each in rows(world)["s0"]] == ["idle"]
    told = json.loads(world.cli("explain", panes[1], "--json", env=other.inside()).stdout)
    assert (told["mux"], told["state"]) == (other.key, "waiting")
    other.kill()
    world.until(lambda: set(rows(world)) == {"s0"}, "one server's rows")


def crash(world: World) -> None:
    """End the server without a farewell."""
    pid = world.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    world.until(lambda: not is_alive(pid), "its end")


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_unseen_survives_a_crash_of_the_server(
    world: World, mux: Tmux, client: Terminal, program: str, times: int
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    say(mux, pane, WAITING)
    before = becomes(world, pane, "waiting", unseen=True)
    file = Path(world.state) / "mux" / mux.key / "agents.json"
    world.until(lambda: file.exists() and '"unseen":true' in file.read_text(), "what is saved")
    for _ in range(times):
        crash(world)
        mux.up()
        after = becomes(world, pane, "waiting", unseen=True)
    assert (after["id"], after["since"]) == (before["id"], before["since"])


def focused(mux: Tmux) -> bool:
    return "focused" in mux("list-clients", "-F", "#{client_flags}")


def test_a_terminal_without_the_focus_is_not_looked_at(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    mux("set-option", "-g", "focus-events", "on")
    mux("switch-client", "-c", client.tty, "-t", "=api")
    client.type(b"\x1b[I")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting", unseen=False)
    client.type(b"\x1b[O")
    world.until(lambda: not focused(mux), "the focus is elsewhere")
    say(mux, pane, WORKING)
    becomes(world, pane, "running")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting", unseen=True)
    client.type(b"\x1b[I")
    becomes(world, pane, "waiting", unseen=False)


def test_a_tmux_that_does_not_ask_for_the_focus_tells_nothing_of_it(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    """Its last word may be from before the option was switched off, and no other one follows."""
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    mux("set-option", "-g", "focus-events", "off")
    mux("switch-client", "-c", client.tty, "-t", "=api")
    client.type(b"\x1b[O")
    world.until(lambda: not focused(mux), "tmux believes it")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting", unseen=False)


def test_a_server_whose_files_hang_ends_in_time(world: World, mux: Tmux, program: str) -> None:
    """Its titles are heard meanwhile, and what it knows is saved."""
    code = (
        "import threading\n"
        "from opensessions.server import looking\n"
        "looking.Looker.look = lambda self, *rest: threading.Event().wait(300)\n"
        "import sys\n"
        "from opensessions.__main__ import main\n"
        "sys.exit(main(['server', 'run']))\n"
    )
    mux.up()
    world.cli("down")
    server = subprocess.Popen([sys.executable, "-P", "-c", code], env=world.env)
    try:
        world.until(lambda: world.status().get("running"), "the server")
        mux.up()
        mux.attach()
        pane = begin(mux, "api", program)
        becomes(world, pane, "idle")
        say(mux, pane, WAITING)
        becomes(world, pane, "waiting")
        server.terminate()
        world.until(lambda: server.poll() is not None, "its end, long before the file's")
    finally:
        server.kill()
        server.wait()
    mux.up()
    assert becomes(world, pane, "waiting")["pane"] == pane


def test_frames_from_nowhere(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    hook = {"verb": "agent-hook", "agent": "codex", "payload": "{}"}
    frames = [
        wire.frame(b"T", wire.pack_fields(**hook, pid="9" * 5000)),
        wire.frame(b"A", wire.pack_fields(**hook, pid="-1", agentpid="9" * 5000, order="-9")),
        wire.frame(b"T", b"verb=agent-hook\0agent=\xff\xfe\0payload=\xff\0pid=\xff"),
        wire.frame(b"A", wire.pack_fields(verb="attention", mux="nowhere", client="nobody")),
        wire.frame(b"A", wire.pack_fields(verb="attention-back", mux="nowhere")),
        wire.frame(b"A", wire.pack_fields(verb="agent-focus", target=pane, client="/dev/pts/9999")),
        wire.frame(b"A", wire.pack_fields(verb="agent-focus", target=pane, client="\x1b[31m")),
        wire.frame(b"A", wire.pack_fields(verb="explain", target="x" * 1_000_000)),
        wire.frame(b"T", wire.pack_fields(**{**hook, "payload": "[" * 1_000_000})),
        b"T\xff\xff\xff\xff",
        b"\x00" * 100,
    ]
    for data in frames:
        line = connect(world.runtime)
        assert line is not None
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(20)
        while line.recv(65536):
            pass
        line.close()
    say(mux, pane, WORKING)
    becomes(world, pane, "running")
    assert "Traceback" not in world.log()


def switches(pid: int) -> int:
    """How often its threads have gone to sleep."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        status = Path(f"/proc/{pid}/task/{thread}/status").read_text()
        total += int(status.split("voluntary_ctxt_switches:")[1].split()[0])
    return total


def rests(pid: int) -> bool:
    """Has none of its threads done anything for two seconds?"""
    try:
        before = switches(pid)
        time.sleep(2)
        return switches(pid) == before
    except (FileNotFoundError, ProcessLookupError):  # one of them has just ended
        return False


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts in /proc")
def test_nothing_runs_while_nothing_happens(world: World, mux: Tmux, program: str) -> None:
    """Five agents in five folders, nobody attached. What is counted does not depend on how fast this machine is. The
    sweep, once a minute, is the one thing that may run: it is put off."""
    world.config.write_text("reap: {interval: 1h}\n")
    mux.up()
    terminal = mux.attach()
    panes = []
    for at in range(5):
        (world.home / f"p{at}").mkdir()
        mux.new(f"s{at}", "-c", str(world.home / f"p{at}"))
        panes.append(mux.ask("#{pane_id}", f"=s{at}:"))
        say(mux, panes[-1], program)
    for pane in panes:
        becomes(world, pane, "idle")
        say(mux, pane, WAITING)
        becomes(world, pane, "waiting")
    pid = world.status()["pid"]
    terminal.close()
    world.terminals.remove(terminal)
    world.until(lambda: world.status()["clients"] == 0, "nobody is attached")
    world.until(lambda: rests(pid), "what was under way has ended")
    before = switches(pid)
    time.sleep(12)  # longer than any rhythm: there is nothing to wait for
    assert switches(pid) - before <= 6


def test_an_agent_that_nothing_tells_of_is_found_by_who_asks(world: World, mux: Tmux, program: str) -> None:
    """No client looks, and neither tmux nor the agent says a word."""
    mux.up()
    file = world.home / "bin" / "claude"
    file.write_text("#!/bin/bash\nwhile :; do read -r line || sleep 0.05; done\n")
    file.chmod(0o755)
    mux("send-keys", "-t", "=main:", str(file), "Enter")
    becomes(world, mux.ask("#{pane_id}", "=main:"), "idle", liveness="alive")
