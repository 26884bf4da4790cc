"""From an agent's start to the snapshot, while a client looks."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.result import Result, p95
from tests.support.world import World


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """A program called `codex`, started by typing its name in a pane."""
    with closing(World(tmux)) as world:
        program = world.home / "bin" / "codex"
        program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.read()\n")
        program.chmod(0o755)
        mux = world.mux()
        mux.load()
        mux.attach()
        watch = subprocess.Popen(
            [sys.executable, "-P", "-m", "opensessions", "watch"],
            env=world.env | mux.inside(),
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        try:
            times = [
                started(world, watch, mux.ask("#{pane_id}", "main"), n) for n in range(5 if quick else 20)
            ]
        finally:
            watch.terminate()
            watch.communicate()
        yield Result("a newly started agent to the snapshot, p95", p95(times) * 1e3, 1500, "ms")


def started(world: World, watch: subprocess.Popen[bytes], pane: str, n: int) -> float:
    """Type the program's name, wait for its row, end it, wait for its row's end or exit."""
    mux = world.muxes[0]
    time.sleep(0.13 * (n % 8))  # another moment of the server's rhythm each time
    before = time.perf_counter()
    mux("send-keys", "-t", pane, "codex", "Enter")
    wait(watch, lambda agents: any(agent["liveness"] == "alive" for agent in agents))
    took = time.perf_counter() - before
    mux("send-keys", "-t", pane, "C-d")
    wait(watch, lambda agents: all(agent["liveness"] != "alive" for agent in agents))
    return took


def wait(watch: subprocess.Popen[bytes], until) -> None:  # type: ignore[no-untyped-def]
    """Read snapshots until one fits."""
    assert watch.stdout is not None
    deadline = time.monotonic() + 20
    while True:
        assert select.select([watch.stdout], [], [], max(0.0, deadline - time.monotonic()))[0], (
            "no snapshot came"
        )
        line = watch.stdout.readline()
        agents = [a for mux in json.loads(line)["muxes"] for row in mux["sessions"] for a in row["agents"]]
        if until(agents):
            return
