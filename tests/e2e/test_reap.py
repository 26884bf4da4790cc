"""What becomes of agents whose pane is gone, on a real tmux.

The agent is a program called `claude` that ignores the hang-up of its terminal, and has a child that does so too.
Sweeps are a second apart here. That nothing happens to somebody is seen by what happens to somebody else meanwhile: a
managed orphan ends after two sweeps.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from opensessions.processes import audit
from opensessions.processes.identity import liveness
from opensessions.processes.receipt import Receipt
from opensessions.processes.receipts import Receipts
from tests.support.terminal import Terminal
from tests.support.world import ROOT, Tmux, World, is_alive

AGENT = """#!/bin/bash
trap '' HUP
sleep 600 &
echo $! > "$HOME/child.$$"
wait
"""
BY_HAND, MANAGED = "claude", "opensessions run -- claude"


@pytest.fixture
def agents(world: World) -> Iterator[None]:
    """The agent is on PATH; whatever runs of it at the end is ended."""
    file = world.home / "bin" / "claude"
    file.write_text(AGENT)
    file.chmod(0o755)
    configure(world)
    yield
    for receipt in receipts(world):
        for pid in (
            child(world, receipt),
            receipt.process.pid,
        ):  # while the one lives the other's pid is its own
            if liveness(receipt.process) == "alive":
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def configure(world: World, file: Path | None = None, **more: str) -> None:
    settings = {"interval": "1s", "grace": "1s", "term_wait": "2s"} | more
    lines = [f"  {key}: {value}" for key, value in settings.items()]
    (file or world.config).write_text("\n".join(["reap:", *lines]) + "\n")


def receipts(world: World) -> tuple[Receipt, ...]:
    return Receipts(world.state).read()


def child(world: World, receipt: Receipt) -> int:
    return int((world.home / f"child.{receipt.process.pid}").read_text())


def begin(mux: Tmux, session: str, line: str) -> Receipt:
    """An agent in a session of its own, started by this line, as soon as it has a receipt and its child runs."""
    mux.new(session)
    pane = mux.ask("#{pane_id}", f"={session}:")
    mux("send-keys", "-t", pane, line, "Enter")
    world = mux.world

    def there() -> Receipt | None:
        for receipt in receipts(world):
            place = receipt.place
            if place and (place.pane, place.key, place.server.pid) == (pane, mux.key, mux.pid):
                file = world.home / f"child.{receipt.process.pid}"
                return receipt if file.exists() and file.read_text() else None
        return None

    found: Receipt = world.until(there, f"the receipt of {line!r} in {pane}")
    return found


def lives(receipt: Receipt) -> bool:
    return liveness(receipt.process) == "alive"


def close(mux: Tmux, receipt: Receipt) -> Receipt:
    """Close the pane of an agent; it lives on, unless a sweep has ended it already."""
    assert receipt.place
    mux("kill-pane", "-t", receipt.place.pane)
    assert lives(receipt) or any(each["kind"] == "intent" for each in entries(mux.world, receipt))
    return receipt


def reaped(world: World, receipt: Receipt) -> None:
    """Wait until it and its child have ended and its receipt is gone."""
    pid = child(world, receipt)
    world.until(lambda: not lives(receipt), f"the end of {receipt.process.pid}")
    world.until(lambda: not is_alive(pid), "the end of its child")
    world.until(
        lambda: receipt.nonce not in {each.nonce for each in receipts(world)}, "the end of its receipt"
    )


def entries(world: World, receipt: Receipt) -> list[dict[str, Any]]:
    """What the audit log says of it."""
    return [each for each in audit.read(f"{world.state}/reap.log") if each.get("pid") == receipt.process.pid]


def plan(world: World, *words: str) -> dict[int, dict[str, Any]]:
    """What `reap --dry-run` answers, by pid."""
    said = json.loads(world.cli("reap", "--dry-run", "--json", *words).stdout)
    return {each["pid"]: each for each in said["candidates"]}


def decided(world: World, receipt: Receipt, decision: str, *words: str) -> None:
    """Wait until that is what would be done with it: a multiplexer that answers late makes a plan say "unknown"."""
    world.until(lambda: plan(world, *words)[receipt.process.pid]["decision"] == decision, decision)


def doctor(world: World, mux: Tmux) -> dict[str, Any]:
    """What the doctor says, by the checks' names."""
    said = json.loads(world.cli("doctor", "--json", env=mux.inside(), check=False).stdout)
    return {each["name"]: each for each in said["checks"]}


def cleanup(world: World, *words: str) -> str:
    done = subprocess.run(
        [f"{ROOT}/scripts/cleanup", *words],
        env=world.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def test_a_managed_agent_is_ended_when_its_pane_is_closed(world: World, mux: Tmux, agents: None) -> None:
    mux.up()
    agent, other = begin(mux, "api", MANAGED), begin(mux, "web", MANAGED)
    assert (agent.origin, agent.agent) == ("managed", "claude-code")
    reaped(world, close(mux, agent))
    said = entries(world, agent)
    decisions = [each["decision"] for each in said if each["kind"] == "sweep"]
    decisions = [each for each in decisions if each != "unknown"]  # a look at a tmux that answered late
    assert (decisions[0], decisions[-1]) == ("wait", "reap")
    assert {each["kind"] for each in said} == {"sweep", "intent", "signal", "outcome"}
    assert lives(other)
    assert not any(each["kind"] != "sweep" for each in entries(world, other))


def test_one_that_was_typed_is_counted_and_ended_only_on_demand(
    world: World, mux: Tmux, agents: None
) -> None:
    mux.up()
    typed, managed = begin(mux, "api", BY_HAND), begin(mux, "web", MANAGED)
    assert (typed.origin, typed.agent) == ("observed", "claude-code")
    close(mux, typed)
    reaped(world, close(mux, managed))
    assert lives(typed)
    world.until(lambda: entries(world, typed)[-1:] and entries(world, typed)[-1].get("decision") == "report")
    decided(world, typed, "report")
    assert doctor(world, mux)["orphans"]["mend"] == "End them: opensessions reap --observed"
    decided(world, typed, "reap", "--observed")
    said = world.cli("reap").stdout
    assert "report" in said
    assert "opensessions reap --observed" in said
    assert lives(typed)
    assert "ended" in world.cli("reap", "--observed").stdout
    reaped(world, typed)
    assert doctor(world, mux)["orphans"]["ok"]


def test_observed_ones_are_ended_where_the_user_wants_that(world: World, mux: Tmux, agents: None) -> None:
    configure(world, observed="true")
    mux.up()
    reaped(world, close(mux, begin(mux, "api", BY_HAND)))


def test_whom_the_user_keeps_stays(world: World, mux: Tmux, agents: None) -> None:
    configure(world, keep="[kept]", observed="true")
    (world.home / "bin" / "kept").symlink_to("/bin/bash")
    mux.up()
    spared = [
        begin(mux, "one", f"OPENSESSIONS_KEEP=1 {MANAGED}"),
        begin(mux, "two", f"OPENSESSIONS_KEEP=1 {BY_HAND}"),
        begin(mux, "three", "opensessions run --keep -- claude"),
        begin(mux, "four", "opensessions run -- kept $(command -v claude)"),
    ]
    managed = begin(mux, "web", MANAGED)
    for receipt in (*spared, managed):
        close(mux, receipt)
    reaped(world, managed)
    assert [lives(each) for each in spared] == [True] * 4

    def decisions() -> set[str]:
        said = plan(world)
        return {said[each.process.pid]["decision"] for each in spared}

    world.until(lambda: decisions() == {"keep"}, "four that are kept")


def test_nothing_of_a_tmux_that_hangs_or_lost_its_socket_is_ended(world: World, agents: None) -> None:
    hung, lost, sound = world.mux("hung.sock"), world.mux("lost.sock"), world.mux("sound.sock")
    for mux in (hung, lost, sound):
        mux.up()
    inside = [begin(hung, "api", MANAGED), begin(lost, "api", MANAGED)]
    closed = [begin(hung, "web", MANAGED), begin(lost, "web", MANAGED)]
    managed = begin(sound, "web", MANAGED)
    os.kill(hung.pid, signal.SIGSTOP)
    try:
        os.rename(lost.socket, f"{lost.socket}.away")
        reaped(world, close(sound, managed))
        assert all(map(lives, [*inside, *closed]))
        decisions = plan(world)
        assert {decisions[each.process.pid]["decision"] for each in (*inside, *closed)} <= {
            "unknown",
            "alive",
        }
    finally:
        os.kill(hung.pid, signal.SIGCONT)
        os.rename(f"{lost.socket}.away", lost.socket)
    for mux, receipt in zip((hung, lost), closed, strict=True):
        close(mux, receipt)
    for receipt in closed:
        reaped(world, receipt)
    assert all(map(lives, inside))


def test_a_server_that_follows_a_crash_ends_what_was_left_meanwhile(
    world: World, mux: Tmux, agents: None
) -> None:
    mux.up()
    agent, other = begin(mux, "api", MANAGED), begin(mux, "web", MANAGED)
    assert agent.instance == world.status()["instance"]
    os.kill(world.status()["pid"], signal.SIGKILL)
    close(mux, agent)
    world.until(lambda: not world.status()["running"])
    mux.up()
    reaped(world, agent)
    assert lives(other)


def test_the_last_tmux_dies_and_the_server_stays_for_the_orphan_only(
    world: World, mux: Tmux, agents: None
) -> None:
    mux.up()
    agent, pid = begin(mux, "api", MANAGED), world.status()["pid"]
    mux.kill()
    reaped(world, agent)
    world.until(lambda: not is_alive(pid), "the server's end")


def test_the_last_tmux_dies_and_the_server_goes_at_once(world: World, mux: Tmux, agents: None) -> None:
    configure(world, interval="10m", grace="10m")
    mux.up()
    mux.attach()  # agents are looked for while somebody looks
    typed, pid = begin(mux, "api", BY_HAND), world.status()["pid"]
    mux.kill()
    world.until(lambda: not is_alive(pid), "the server's end")
    assert lives(typed)


def test_panes_of_the_next_tmux_bear_the_same_names_and_live(world: World, mux: Tmux, agents: None) -> None:
    mux.up()
    old = begin(mux, "api", MANAGED)
    mux.kill()
    world.until(lambda: not is_alive(mux.pid), "the end of the first")
    again = world.mux()
    assert (again.key, again.pid) != (mux.key, mux.pid)
    again.up()
    new = begin(again, "api", MANAGED)
    assert old.place
    assert new.place
    assert (new.place.key, new.place.pane) == (old.place.key, old.place.pane)
    reaped(world, old)
    assert lives(new)
    decided(world, new, "alive")


def test_servers_with_one_state_directory_leave_each_others_alone(
    world: World, mux: Tmux, agents: None
) -> None:
    mux.up()
    sibling = world.mux("sibling.sock")
    quiet = world.home / "quiet.yaml"
    configure(world, quiet, interval="0")
    elsewhere = {"OPENSESSIONS_RUNTIME_DIR": str(world.home / "run2"), "OPENSESSIONS_CONFIG": str(quiet)}
    for name, value in elsewhere.items():
        sibling("set-environment", "-g", name, value)
    world.cli("up", env={**sibling.inside(), **elsewhere})
    pid = json.loads(world.cli("status", "--json", env=elsewhere).stdout)["pid"]
    try:
        theirs, ours = begin(sibling, "api", MANAGED), begin(mux, "api", MANAGED)
        assert theirs.instance not in ("", ours.instance)
        close(sibling, theirs)
        reaped(world, close(mux, ours))
        assert lives(theirs)
        assert plan(world)[theirs.process.pid]["decision"] == "unknown"
    finally:
        os.kill(pid, signal.SIGKILL)
    reaped(world, theirs)


def test_cleanup_needs_no_server(world: World, mux: Tmux, agents: None) -> None:
    agent, other = begin(mux, "api", MANAGED), begin(mux, "web", MANAGED)
    assert agent.instance == ""
    close(mux, agent)
    said = cleanup(world, "--now")
    assert "ended" in said
    assert not lives(agent)
    assert lives(other)
    assert "No orphan" in cleanup(world)
    configure(world, interval="0")  # the server would end it before it is asked to
    mux.up()
    close(mux, agent := begin(mux, "third", MANAGED))
    assert "ended" in cleanup(world)  # the server is asked
    assert (lives(agent), lives(other)) == (False, True)


def test_on_a_terminal_it_asks_first(world: World, mux: Tmux, agents: None) -> None:
    configure(world, interval="0")
    mux.up()
    agent = close(mux, begin(mux, "api", MANAGED))

    def answering(keys: bytes) -> Terminal:
        command = [sys.executable, "-P", "-m", "opensessions", "reap"]
        terminal = Terminal(command, world.env, cols=120)
        world.terminals.append(terminal)
        terminal.see("End this agent? [y/N]")
        assert f"claude-code (pid {agent.process.pid}, managed)" in terminal.text
        terminal.type(keys)
        terminal.wait(lambda: terminal.ended, "the command's end")
        return terminal

    assert "Nothing was ended." in answering(b"\n").text
    assert lives(agent)
    assert "ended   claude-code" in answering(b"y\n").text
    reaped(world, agent)


def test_the_doctor_tells_that_receipts_cannot_be_read(world: World, mux: Tmux, agents: None) -> None:
    mux.up()
    agent = begin(mux, "api", MANAGED)
    folder, elsewhere = Path(world.state) / "receipts", Path(world.state) / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    close(mux, agent)
    told = world.until(lambda: (said := doctor(world, mux)) and not said["orphans"]["ok"] and said)
    assert "symbolic link" in told["orphans"]["found"]
    assert not told["receipts"]["ok"]
    assert lives(agent)
    folder.unlink()
    elsewhere.rename(folder)
    reaped(world, agent)
    world.until(lambda: doctor(world, mux)["orphans"]["ok"])
