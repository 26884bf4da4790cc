"""`opensessions ps` on a real tmux: what runs where, what it takes, and that it goes on when things change."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.world import Tmux, World, is_alive

BUSY = f"#!{sys.executable}\nimport subprocess\nsubprocess.Popen(['sleep', '641'])\nwhile True: pass\n"
"""An agent that computes, with a child that does not."""
QUIET = '#!/bin/bash\nwhile read -r line; do eval "$line"; done\n'
"""An agent that runs what it is told."""


@pytest.fixture(autouse=True)
def programs(world: World) -> None:
    for name, text in (("codex", BUSY), ("aider", QUIET)):
        file = world.home / "bin" / name
        file.write_text(text)
        file.chmod(0o755)


def begin(mux: Tmux, session: str, line: str) -> str:
    """A session whose shell runs a line; the pane."""
    mux.new(session)
    pane = mux.ask("#{pane_id}", f"={session}:")
    mux("send-keys", "-t", pane, line, "Enter")
    return pane


def ps(world: World, *words: str) -> dict[str, dict[str, Any]]:
    """The panes by their ids."""
    found = json.loads(world.cli("ps", "--json", *words).stdout)
    return {pane["pane"]: pane for mux in found["muxes"] for pane in mux["panes"]}


def has_agent(world: World, pane: str) -> dict[str, Any]:
    """The pane as soon as its agent is known."""
    answer: dict[str, Any] = world.until(
        lambda: (found := ps(world).get(pane)) and found["agents"] and found, f"an agent in {pane}"
    )
    return answer


def test_agents_with_what_they_take(world: World, mux: Tmux) -> None:
    mux.up()
    assert world.cli("ps").stdout == "No agent runs in any pane; `opensessions ps --all` shows every pane.\n"
    mux.attach()
    pane = begin(mux, "api", "codex")

    def at_work() -> tuple[dict[str, Any], dict[str, dict[str, Any]]] | None:
        """The pane and the agent's processes by their last words, once it has started its child and computes."""
        found = has_agent(world, pane)
        id = found["agents"][0]["id"]
        own = {each["command"].split(" ")[-1]: each for each in found["processes"] if each["agent"] == id}
        busy = own.get(f"{world.home}/bin/codex")
        return (found, own) if "641" in own and busy and busy["cpu"] else None

    found, own = world.until(at_work, "the agent and its child at work")
    agent = found["agents"][0]
    assert agent["agent"] == "codex"
    busy, child = own[f"{world.home}/bin/codex"], own["641"]
    assert (busy["pid"], child["ppid"]) == (agent["pid"], agent["pid"])
    assert busy["cpu"] > 0
    assert child["cpu"] < busy["cpu"]
    assert busy["memory"] > child["memory"] > 0
    assert found["generation"].startswith(f"{found['pid']}.")
    assert found["pid"] == int(mux.ask("#{pane_pid}", pane))
    assert (found["confidence"], found["stale"]) == ("best-effort", False)

    lines = world.cli("ps").stdout.splitlines()
    assert lines[0].split() == ["PID", "CPU", "MEM", "CONFIDENCE", "COMMAND"]
    assert lines[1].endswith(f"best-effort  {pane} in api")
    assert any(line.endswith("codex, 2 processes") for line in lines)
    assert any(str(agent["pid"]) in line and "bin/codex" in line for line in lines)
    assert not any(" in main" in line for line in lines)
    assert " in main" in world.cli("ps", "--all").stdout
    for target in (pane, agent["id"], "api", "=api"):
        assert pane in world.cli("ps", target).stdout
    main = mux.ask("#{pane_id}", "=main:")
    assert set(ps(world, "main")) == {main}
    assert set(ps(world)) == {main, pane}


def test_where_nothing_can_be_told_a_sentence_says_why(world: World, mux: Tmux) -> None:
    done = world.cli("ps", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "opensessions: No server is running; start one with: opensessions up\n"
    mux.up()
    done = world.cli("ps", "%99", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("opensessions: There is no pane, agent or session '%99'")
    assert world.cli("ps", "--nonsense", check=False).returncode == 2


def test_a_tracker_outlives_turns_and_our_server(world: World, mux: Tmux) -> None:
    mux.up()
    mux.attach()
    pane = begin(mux, "api", "aider")
    before = has_agent(world, pane)
    mux("send-keys", "-t", pane, "sleep 651 &", "Enter")
    world.until(lambda: len(ps(world)[pane]["processes"]) > len(before["processes"]), "the child")
    world.cli("down")
    mux.up()
    after = has_agent(world, pane)
    assert after["generation"] == before["generation"]
    assert {each["pid"] for each in before["processes"]} < {each["pid"] for each in after["processes"]}
    mux("respawn-pane", "-k", "-t", pane, "aider")
    again = world.until(
        lambda: (found := ps(world)[pane])["generation"] != before["generation"] and found["agents"] and found
    )
    assert again["confidence"] == "best-effort"
    assert again["pid"] == int(mux.ask("#{pane_pid}", pane))


def test_a_nested_multiplexer_keeps_its_own(world: World, mux: Tmux) -> None:
    mux.up()
    mux.attach()
    inner = str(world.home / "inner.sock")
    script = world.home / "nested"
    script.write_text(f"#!/bin/sh\nexec env -u TMUX tmux -S {inner} -f /dev/null new-session 'sleep 661'\n")
    script.chmod(0o755)
    pane = begin(mux, "api", str(script))
    try:
        words = [world.binary, "-S", inner, "list-clients", "-F", "#{session_name}"]
        world.until(
            lambda: subprocess.run(words, env=world.env, capture_output=True, check=False).stdout.strip(),
            "the inner tmux with its client",
        )
        found = world.until(
            lambda: (
                (p := ps(world)[pane]) and "tmux: client" in [each["comm"] for each in p["processes"]] and p
            )
        )
        assert "sleep" not in [each["comm"] for each in found["processes"]]
        assert "tmux: server" not in [each["comm"] for each in found["processes"]]
    finally:
        subprocess.run([world.binary, "-S", inner, "kill-server"], env=world.env, check=True)


@contextmanager
def following(world: World, mux: Tmux, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "opensessions", "ps", "--watch", *words],
        env=world.env | mux.inside(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@contextmanager
def unwatched(world: World) -> Iterator[None]:
    """The server does not look meanwhile: whoever does sees a process that is started before its program, as a copy of
    who starts it."""
    server = world.status()["pid"]
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def sleeper(world: World, mux: Tmux, pane: str, seconds: int) -> None:
    """Let the agent start one; returns when it sleeps."""
    mux("send-keys", "-t", pane, f"sleep {seconds} &", "Enter")
    world.until(
        lambda: any(cmdline(process) == ["sleep", str(seconds)] for process in world.processes()),
        "the sleeper",
    )


def cmdline(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def test_a_watcher_hears_what_comes_and_goes(world: World, mux: Tmux) -> None:
    mux.up()
    mux.attach()
    pane = begin(mux, "api", "aider")
    has_agent(world, pane)
    with following(world, mux, "--json", pane) as process:
        first = line(process)
        assert (first["event"], [each["pane"] for each in first["muxes"][0]["panes"]]) == ("trees", [pane])
        assert world.status()["stays"] != []
        with unwatched(world):
            sleeper(world, mux, pane, 671)
        added = line(process)
        assert (added["event"], added["pane"]) == ("process-added", pane)
        assert added["process"]["command"] == "sleep 671"
        assert added["process"]["agent"] == first["muxes"][0]["panes"][0]["agents"][0]["id"]
        pid = added["process"]["pid"]
        os.kill(pid, signal.SIGKILL)
        gone = line(process)
        assert (gone["event"], gone["pid"], gone["left"]) == ("process-exited", pid, False)
        mux("kill-session", "-t", "=api")
        events = [line(process)["event"]]
        while events[-1] != "confidence-changed":
            events.append(line(process)["event"])
        assert events[0] == "process-exited"
        world.cli("down")
        assert process.wait(timeout=20) == 1


def test_a_watcher_for_people(world: World, mux: Tmux) -> None:
    mux.up()
    mux.attach()
    pane = begin(mux, "api", "aider")
    has_agent(world, pane)
    with following(world, mux, pane) as process:
        assert process.stdout
        assert process.stdout.readline().split() == [b"PID", b"CPU", b"MEM", b"CONFIDENCE", b"COMMAND"]
        with unwatched(world):
            sleeper(world, mux, pane, 681)
        told = iter(process.stdout.readline, b"")
        added = next(each for each in told if each.startswith(b"+"))
        assert added.decode().split()[1:] == [pane, added.decode().split()[2], "sleep", "681"]
        process.stdout.close()
        process.stdout = None
        mux("send-keys", "-t", pane, "sleep 682 &", "Enter")
        assert process.wait(timeout=20) == 0  # its reader has gone


def group_for(world: World) -> str:
    """A control group that `opensessions run` could make, as a sign that it can."""
    from opensessions.processes import cgroup

    own = cgroup.own()
    path = f"{own}/os-test-{os.getpid()}"
    try:
        os.mkdir(path)
    except OSError:
        return ""
    os.rmdir(path)
    return own


def test_a_managed_agent_is_shown_and_sure_where_it_has_a_group_of_its_own(world: World, mux: Tmux) -> None:
    mux.up()
    mux.attach()
    words = f"{sys.executable} -P -m opensessions run -- {world.home}/bin/aider"
    mux("new-session", "-d", "-s", "api", "-x", "100", "-y", "30", f"exec {words}")
    pane = mux.ask("#{pane_id}", "=api:")
    found = has_agent(world, pane)
    assert pane in world.cli("ps").stdout
    if not group_for(world):
        assert found["confidence"] == "best-effort"
        pytest.skip("no control group can be made here")
    pid = Path(world.home, "hidden")
    mux("send-keys", "-t", pane, f"(env -i setsid /bin/sh -c 'echo $$ > {pid}; exec sleep 691' &)", "Enter")
    world.until(lambda: pid.exists() and pid.read_text().strip(), "the hidden child")
    hidden = int(pid.read_text())
    try:

        def shown() -> dict[str, Any] | None:
            found = ps(world)[pane]
            there = {each["pid"]: each["via"] for each in found["processes"]}
            return found if there.get(hidden) == ["cgroup"] else None

        assert world.until(shown, "the hidden child in its group")["confidence"] == "high"
    finally:
        with suppress(ProcessLookupError):
            os.kill(hidden, signal.SIGKILL)
        world.until(lambda: not is_alive(hidden), "its end")
