"""What the user sees of agents, on a real tmux: their states, what was not seen, the attention key, why.

The agent here is a program called `codex` that puts every line that it reads into its terminal's title, as the real one
puts its state there; the real ones run in `tests/real`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opensessions import wire
from opensessions.start import connect
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

AGENT = """#!/bin/bash
printf '\\033]2;%s\\033\\\\' proj
while read -r title; do
  [ "$title" != quit ] || exit 0
  printf '\\033]2;%s\\033\\\\' "$title"
done
"""
WORKING, WAITING = "\u280b proj", "[ ! ] Action Required | proj"
PREFIX = b"\x02o"


@pytest.fixture
def program(world: World) -> str:
    file = world.home / "bin" / "codex"
    file.write_text(AGENT)
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    mux("set-option", "-g", "display-time", "10000")  # its own 750 ms pass unseen while the machine is busy
    mux.load()
    return mux.attach()


def begin(mux: Tmux, session: str, program: str) -> str:
    """A session whose only pane runs a shell that runs the agent; the pane."""
    mux.new(session)
    pane = mux.ask("#{pane_id}", f"={session}:")
    mux("send-keys", "-t", pane, program, "Enter")
    return pane


def say(mux: Tmux, pane: str, line: str) -> None:
    mux("send-keys", "-t", pane, line, "Enter")


def agents(world: World) -> dict[str, dict[str, Any]]:
    """Every agent in the snapshot by its pane."""
    snapshot = json.loads(world.cli("list", "--json").stdout)
    rows = [row for each in snapshot["muxes"] for row in each["sessions"]]
    return {agent["pane"]: agent for row in rows for agent in row["agents"]}


def becomes(world: World, pane: str, state: str, **more: object) -> dict[str, Any]:
    """Wait until the agent in the pane has this state, and these other facts."""
    wanted = {"state": state, **more}
    agent: dict[str, Any] | None = None

    def found() -> bool:
        nonlocal agent
        agent = agents(world).get(pane)
        return agent is not None and {name: agent[name] for name in wanted} == wanted

    try:
        world.until(found, f"{pane} {wanted}")
    except AssertionError as error:
        raise AssertionError(f"at last it was {agent}") from error
    assert agent
    return agent


def test_a_title_tells_at_once_and_what_ends_out_of_sight_is_unseen(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle", source="process")
    say(mux, pane, WORKING)
    becomes(world, pane, "running", unseen=False, source="title")
    say(mux, pane, WAITING)
    since = becomes(world, pane, "waiting", unseen=True)["since"]
    world.until(lambda: mux.option("attention") == pane, "the pane in the options")
    world.until(
        lambda: mux("show-options", "-pqv", "-t", pane, "@opensessions-pane-state") == "waiting", "its state"
    )
    say(mux, pane, WORKING)
    becomes(world, pane, "running", unseen=False)
    world.until(lambda: mux.option("attention") == "", "nobody waits")
    assert becomes(world, pane, "running")["since"] >= since


def test_the_attention_key_goes_round_and_back(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    first, second = begin(mux, "api", program), begin(mux, "web", program)
    mux("split-window", "-t", first)
    mux("new-window", "-t", "=web:")
    for pane in (second, first):
        becomes(world, pane, "idle")
        say(mux, pane, WAITING)
        becomes(world, pane, "waiting", unseen=True)

    def shown() -> tuple[str, str]:
        session = mux.session_of(client)
        return session, mux.ask("#{pane_id}", f"={session}:")

    client.type(PREFIX + b"a")
    world.until(lambda: shown() == ("web", second), "who has waited longest, in another window")
    becomes(world, second, "waiting", unseen=False)
    client.type(PREFIX + b"a")
    world.until(lambda: shown() == ("api", first), "the other one, in another pane")
    client.type(PREFIX + b"A")
    world.until(lambda: shown() == ("web", second), "back")
    client.type(PREFIX + b"A")
    world.until(lambda: shown()[0] == "main", "back to the beginning")
    client.type(PREFIX + b"A")
    world.until(lambda: "no place to go back to" in client.text, "why nothing happens")
    for pane in (first, second):
        say(mux, pane, WORKING)
        becomes(world, pane, "running")
    client.type(PREFIX + b"a")
    world.until(lambda: "No agent needs you." in client.text, "why nothing happens")
    assert shown()[0] == "main"


def test_attention_on_the_command_line(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    assert "No agent needs you" in world.cli("attention", check=False, env=mux.inside()).stderr
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting")
    world.cli("attention", "--client", client.tty, env=mux.inside())
    world.until(lambda: mux.session_of(client) == "api", "the waiting agent")
    world.cli("attention", "--back", "--client", client.tty, env=mux.inside())
    world.until(lambda: mux.session_of(client) == "main", "back")
    world.cli("agent", "focus", pane, "--client", client.tty, env=mux.inside())
    world.until(lambda: mux.session_of(client) == "api", "the agent's pane")


def test_an_agent_that_exits_leaves_its_row_until_it_is_dismissed(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    say(mux, pane, WORKING)
    id = becomes(world, pane, "running")["id"]
    say(mux, pane, "quit")
    becomes(world, pane, "interrupted", liveness="exited", unseen=True, id=id)
    world.cli("agent", "dismiss", pane)
    world.until(lambda: pane not in agents(world), "no row")
    mux("send-keys", "-t", pane, program, "Enter")
    becomes(world, pane, "idle", liveness="alive")


def test_a_title_that_a_dead_agent_left_is_not_the_next_ones(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    say(mux, pane, WORKING)
    becomes(world, pane, "running")
    silent = Path(program).with_name("silent")
    silent.mkdir()
    (silent / "codex").write_text("#!/bin/bash\nwhile read -r line; do :; done\n")
    (silent / "codex").chmod(0o755)
    say(mux, pane, "quit")
    becomes(world, pane, "interrupted", liveness="exited")
    assert mux.ask("#{pane_title}", pane) == WORKING
    mux("send-keys", "-t", pane, f"{silent}/codex", "Enter")
    becomes(world, pane, "idle", liveness="alive")


def test_a_restart_of_the_server_forgets_nothing(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    say(mux, pane, WAITING)
    before = becomes(world, pane, "waiting", unseen=True)
    world.cli("down")
    mux.up()
    after = becomes(world, pane, "waiting", unseen=True)
    assert (after["id"], after["since"]) == (before["id"], before["since"])


def test_explain_tells_every_source(world: World, mux: Tmux, client: Terminal, program: str) -> None:
    pane = begin(mux, "api", program)
    becomes(world, pane, "idle")
    say(mux, pane, WAITING)
    becomes(world, pane, "waiting")
    told = json.loads(world.cli("explain", pane, "--json").stdout)
    assert (told["state"], told["source"], told["agent"]) == ("waiting", "title", "codex")
    (title,) = (source for source in told["sources"] if source["source"] == "title")
    assert (title["says"], title["role"], title["detail"]) == (["waiting"], "decides", WAITING)
    for target in (told["id"], "api", "=api"):
        text = world.cli("explain", target).stdout
        assert f"codex in {pane} is waiting" in text
        assert "decides" in text
    missing = world.cli("explain", "%99", check=False)
    assert missing.returncode == 1
    assert missing.stderr.count("\n") == 1


def test_a_hook_reaches_the_agent_whose_processes_ran_it(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    first, second = begin(mux, "api", program), begin(mux, "web", program)
    pids = {pane: becomes(world, pane, "idle")["pid"] for pane in (first, second)}
    line = connect(world.runtime)
    assert line is not None
    payload = json.dumps({"hook_event_name": "PermissionRequest", "session_id": "t-2", "tool_name": "Bash"})
    told = {
        "verb": "agent-hook",
        "agent": "codex",
        "payload": payload,
        "pid": str(pids[second]),
        "pane": first,
    }
    line.sendall(wire.frame(b"T", wire.pack_fields(**told, tmux=mux.socket)))
    becomes(world, second, "waiting", thread="t-2")
    assert agents(world)[first]["state"] == "idle"
    # From now on the conversation tells whose it is, whatever the environment says.
    said = {**told, "pid": "", "payload": payload.replace("PermissionRequest", "Interrupt")}
    line.sendall(wire.frame(b"T", wire.pack_fields(**said, tmux=mux.socket)))
    becomes(world, second, "interrupted", unseen=True)
    assert agents(world)[first]["state"] == "idle"
    for odd in ("[]", "{", "null", '{"session_id": 7}', "\x00\xff", '{"hook_event_name": {}}'):
        line.sendall(
            wire.frame(
                b"T", wire.pack_fields(verb="agent-hook", agent="codex", payload=odd, pid=str(pids[first]))
            )
        )
    line.close()
    say(mux, first, WORKING)
    becomes(world, first, "running")
    assert "Traceback" not in world.log()


def test_an_agent_in_a_pane_that_was_given_another_process_is_found(
    world: World, mux: Tmux, client: Terminal, program: str
) -> None:
    pane = begin(mux, "other", program)
    first = becomes(world, pane, "idle")["pid"]
    mux("respawn-pane", "-k", "-t", pane, f"exec {program}")  # no hook tells of it
    world.until(
        lambda: (agent := agents(world).get(pane)) and agent["pid"] != first and agent["liveness"] == "alive",
        "the agent in the new process",
    )
