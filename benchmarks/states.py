"""From the first outside sign of an agent's change of state to the snapshot, while a client looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from benchmarks.agents import wait
from benchmarks.result import Result, p95
from opensessions import wire
from opensessions.start import connect
from tests.support.world import Tmux, World

PROGRAM = "#!/bin/bash\nwhile read -r title; do printf '\\033]2;%s\\033\\\\' \"$title\"; done\n"
"""Puts every line that it reads into its terminal's title."""
BOUND = 250
"""Milliseconds."""


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """A title, a status file and a hook, each told many times in turn."""
    with closing(World(tmux)) as world:
        for name in ("codex", "claude"):
            program = world.home / "bin" / name
            program.write_text(PROGRAM)
            program.chmod(0o755)
        mux = world.mux()
        mux.load()
        mux.attach()
        watch = subprocess.Popen(
            [sys.executable, "-P", "-m", "opensessions", "watch"],
            env=world.env | mux.inside(), stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        try:
            for source, tell in (("title", title), ("status file", registry), ("hook", hook)):
                times = sorted(tell(world, mux, watch, 10 if quick else 60))
                yield Result(f"an agent's {source} to the snapshot, p95", p95(times) * 1e3, BOUND, "ms")
        finally:
            watch.terminate()
            watch.communicate()


def title(world: World, mux: Tmux, watch: subprocess.Popen[bytes], count: int) -> list[float]:
    """Codex's title asks. How soon its spinner counts is not measured here: it flashes at times, so it must have stood
    for 0.25 s, while the rollout tells that a turn has begun."""
    pane, _ = started(mux, watch, "codex")
    titles = {"running": "\u280b proj", "waiting": "[ ! ] Action Required | proj"}
    times = told(watch, pane, 2 * count, lambda state: mux("send-keys", "-t", pane, titles[state], "Enter"))
    return times[1::2]


def registry(world: World, mux: Tmux, watch: subprocess.Popen[bytes], count: int) -> list[float]:
    """Claude Code's status file is replaced."""
    pane, pid = started(mux, watch, "claude")
    folder = world.home / ".claude" / "sessions"
    folder.mkdir(parents=True)
    with open(f"/proc/{pid}/stat") as stat:
        start = stat.read().rpartition(")")[2].split()[19]
    known = {"pid": pid, "procStart": start, "sessionId": "s", "cwd": str(world.home), "kind": "interactive"}

    def write(state: str) -> None:
        status = {"running": "busy", "waiting": "waiting"}[state]
        (folder / "new").write_text(
            json.dumps({**known, "status": status, "updatedAt": int(time.time() * 1e3)})
        )
        os.replace(folder / "new", folder / f"{pid}.json")

    return told(watch, pane, count, write)


def hook(world: World, mux: Tmux, watch: subprocess.Popen[bytes], count: int) -> list[float]:
    """Codex's hooks, as its daemon runs them."""
    pane, pid = started(mux, watch, "codex")
    line = connect(world.runtime)
    assert line is not None

    def tell(state: str) -> None:
        event = {"running": "PostToolUse", "waiting": "PermissionRequest"}[state]
        payload = json.dumps({"hook_event_name": event, "session_id": "t"})
        line.sendall(
            wire.frame(
                b"T", wire.pack_fields(verb="agent-hook", agent="codex", payload=payload, pid=str(pid))
            )
        )

    with closing(line):
        return told(watch, pane, count, tell)


def started(mux: Tmux, watch: subprocess.Popen[bytes], program: str) -> tuple[str, int]:
    """A new window with the program; its pane and pid."""
    pane = mux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "main:", program)
    found: dict[str, Any] = {}

    def alive(agents: list[dict[str, Any]]) -> bool:
        found.update({agent["pane"]: agent for agent in agents})
        return pane in found

    wait(watch, alive)
    return pane, int(found[pane]["pid"])


def told(watch: subprocess.Popen[bytes], pane: str, count: int, tell: Callable[[str], object]) -> list[float]:
    """Seconds from each telling to the snapshot that shows it."""
    times = []
    for n in range(count + 1):
        state = ("waiting", "running")[n % 2]
        time.sleep(0.1 + 0.013 * (n % 7))  # not in step with anything of the server's
        before = time.perf_counter()
        tell(state)
        wait(
            watch, lambda agents, state=state: any(a["pane"] == pane and a["state"] == state for a in agents)
        )
        times.append(time.perf_counter() - before)
    return times[1:]
