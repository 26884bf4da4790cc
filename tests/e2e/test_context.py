"""Branches, what is not committed, and ports, in the sidebar of a real tmux."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from opensessions.context import runner
from opensessions.server.context import LATER
from tests.context.repositories import Repo
from tests.e2e.test_agents import AGENT, becomes, begin
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

SERVER = """
import socket, sys
listening = socket.create_server((sys.argv[1], 0))
print("port", listening.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def counted(world: World) -> Path:
    """A file that gets a line for each time that the server starts git."""
    real = shutil.which("git")
    log = world.home / "gits"
    log.touch()
    program = world.home / "bin" / "git"
    program.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\nexec {real} "$@"\n')
    program.chmod(0o755)
    return log


def gits(log: Path) -> list[str]:
    """What git was asked about working trees."""
    return [line for line in log.read_text().splitlines() if " status " in line]


def row(world: World, name: str) -> dict[str, Any]:
    muxes = json.loads(world.cli("list", "--json").stdout)["muxes"]
    return next(row for mux in muxes for row in mux["sessions"] if row["name"] == name)


def line(client: Terminal, name: str) -> str:
    """The sidebar's line of a session."""
    return next((text[:26] for text in client.screen.display if f" {name} " in text[:26]), "")


def test_the_sidebar_follows_a_repository(world: World, mux: Tmux) -> None:
    repo = Repo(world.home / "repo")
    repo.git("worktree", "add", "-q", "-b", "side", str(world.home / "beside"))
    mux.new("api", "-c", str(repo.root))
    mux.new("wt", "-c", str(world.home / "beside"))
    mux.load()
    client = mux.attach()
    world.cli("sidebar", "show", env=mux.inside())
    world.until(lambda: line(client, "api").split()[1:] == ["api", "main"], "the branch")
    world.until(lambda: line(client, "wt").split()[1:] == ["wt", "side"], "the other branch")
    world.until(lambda: row(world, "api")["dirty"] is False and row(world, "wt")["dirty"] is False)
    found = [
        (each["branch"], each["worktree"])
        for each in (row(world, "api"), row(world, "wt"), row(world, "main"))
    ]
    assert found == [("main", None), ("side", "beside"), (None, None)]
    repo.git("checkout", "-q", "-b", "feature/x")
    world.until(lambda: line(client, "api").split()[1:] == ["api", "feature/x"], "the new branch")
    (repo.root / "new").write_text("")
    world.until(lambda: line(client, "api").split()[1:] == ["api", "feature/x*"], "the mark")
    assert row(world, "api")["dirty"] is True
    repo.commit()
    world.until(lambda: line(client, "api").split()[1:] == ["api", "feature/x"], "the mark's end")
    # Deep inside nothing is watched: the end of the command that did it tells. An agent that begins after the command
    # and is found tells that the command was seen too.
    gate, program = world.home / "gate", world.home / "bin" / "codex"
    os.mkfifo(gate)
    program.write_text(AGENT)
    program.chmod(0o755)
    mux("send-keys", "-t", "=api:", f"cat {gate}; echo more >> deep/er/file", "Enter")
    world.until(lambda: mux.ask("#{pane_current_command}", "=api:") == "cat", "the command")
    becomes(world, begin(mux, "agent", str(program)), "idle")
    world.until(lambda: line(client, "api").split()[1:] == ["api", "feature/x"], "no mark before its end")
    gate.write_text("")
    world.until(lambda: line(client, "api").split()[1:] == ["api", "feature/x*"], "the mark after a command")


def test_nothing_runs_while_nobody_looks_or_nothing_happens(world: World, mux: Tmux, counted: Path) -> None:
    repo = Repo(world.home / "repo")
    for n in range(5):
        mux.new(f"s{n}", "-c", str(repo.root))
    mux.load()
    (repo.root / "new").write_text("")
    repo.git("checkout", "-q", "-b", "side")
    mux.new("last", "-c", str(repo.root))
    world.until(lambda: any(name == "last" for _, name in mux.rows()), "the last session")
    assert counted.read_text() == ""
    client = mux.attach()
    world.until(lambda: row(world, "s0")["dirty"] is True, "the first reading")
    assert {row(world, f"s{n}")["branch"] for n in range(5)} == {"side"}

    def rests() -> bool:
        """Has git been asked nothing for longer than any pause between two readings?"""
        before = counted.read_text()
        end = time.monotonic() + LATER + 1
        world.until(lambda: time.monotonic() > end)
        return counted.read_text() == before

    world.until(rests, "the end of what the client's coming and the shells' beginning had for a reason")
    first = len(gits(counted))
    time.sleep(runner.TIME + 4)  # longer than any pause between two readings: there is nothing to wait for
    assert len(gits(counted)) == first
    client.close()
    world.terminals.remove(client)
    world.until(lambda: world.status()["clients"] == 0, "the client's end, and that the server knows")
    repo.git("checkout", "-q", "-b", "third")
    mux.new("end", "-c", str(repo.root))
    world.until(lambda: any(name == "end" for _, name in mux.rows()), "the session at the end")
    time.sleep(1)
    assert len(gits(counted)) == first
    mux.attach()
    world.until(lambda: row(world, "end")["branch"] == "third", "the branch that was chosen meanwhile")


def test_a_repository_that_wants_to_run_something_does_not(world: World, mux: Tmux) -> None:
    repo = Repo(world.home / "repo")
    trap = world.home / "trap"
    trap.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{world.home}/sprung'\n")
    trap.chmod(0o755)
    (repo.root / ".gitattributes").write_text("* filter=evil\n")
    repo.commit()
    for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "core.pager", "diff.external"):
        repo.git("config", name, str(trap))
    (repo.root / "file").write_text("changed\n")
    mux.new("evil", "-c", str(repo.root))
    mux.load()
    mux.attach()
    world.until(lambda: row(world, "evil")["dirty"] is True, "the reading")
    assert not (world.home / "sprung").exists()
    world.until(lambda: not list(Path(world.runtime, "git").iterdir()), "nothing left of any reading")


def test_ports_are_listed_while_they_are_open(world: World, mux: Tmux) -> None:
    script = world.home / "listen.py"
    script.write_text(SERVER)
    mux.new("web")
    mux.load()
    mux.attach()
    mux("send-keys", "-t", "=web:", f"python3 {script} 127.0.0.1", "Enter")

    def port() -> int:
        words = mux("capture-pane", "-p", "-t", "=web:").split()
        return int(words[words.index("port") + 1]) if "port" in words and words[-1].isdigit() else 0

    opened = world.until(port, "the port's number")
    world.until(lambda: row(world, "web")["ports"] == [opened], "the port")
    assert row(world, "main")["ports"] == []
    mux("send-keys", "-t", "=web:", "C-d", "")
    world.until(lambda: row(world, "web")["ports"] == [], "the port's end")
