"""What it costs to show where sessions work: 300 sessions in 100 repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.idle import cpu_seconds, watch
from benchmarks.result import Result
from tests.context.repositories import Repo
from tests.support.world import Tmux, World

SESSIONS, REPOSITORIES = 300, 100


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """One visible sidebar: from the client's arrival until every row is known, then while nothing changes, then with
    no client."""
    seconds = 15 if quick else 90
    with closing(World(tmux)) as world:
        mux = world.mux()
        populate(world, mux)
        mux.load()
        server = int(world.status()["pid"])
        before, began = cpu_seconds(server), time.monotonic()
        client = mux.attach()
        world.until(lambda: known(world) == SESSIONS, "every row", patience=60)
        took, spent = time.monotonic() - began, cpu_seconds(server) - before
        yield Result("a client's arrival to every branch and mark, 100 repositories", took * 1e3, None, "ms",
                     f"(CPU {spent * 1e3:.0f} ms, git and a listing each 50 ms included)")  # fmt: skip
        world.cli("sidebar", "show", env=mux.inside())
        client.see("s1")
        cpu, _ = watch(server, seconds)
        yield Result(
            "idle CPU, 300 sessions in 100 repositories, one visible sidebar", cpu, 0.3, "% of a core"
        )
        client.close()
        world.terminals.remove(client)
        world.until(lambda: not mux.lines("list-clients"), "the client's end")
        cpu, wakes = watch(server, seconds)
        yield Result("idle CPU, the same, no client attached", cpu, 0.05, "% of a core")
        yield Result("wake-ups a minute, the same", wakes, 5, "a minute")


def populate(world: World, mux: Tmux) -> None:
    """REPOSITORIES copies of one repository, SESSIONS - 1 sessions of three panes in them."""
    first = Repo(world.home / "r0")
    for n in range(1, REPOSITORIES):
        shutil.copytree(first.root, world.home / f"r{n}")
        subprocess.run(
            ["git", "update-index", "-q", "--refresh"], cwd=world.home / f"r{n}", env=world.env, check=True
        )
    for start in range(0, SESSIONS, 20):
        command: list[str] = []
        for n in range(max(start, 1), min(start + 20, SESSIONS)):
            where = ["-c", os.fspath(world.home / f"r{n % REPOSITORIES}")]
            command += ["new-session", "-d", "-s", f"s{n}", "-x", "100", "-y", "30", *where, ";"]
            command += ["split-window", *where, "-t", f"=s{n}:", ";"]
            command += ["split-window", "-h", *where, "-t", f"=s{n}:", ";"]
        mux(*command[:-1])


def known(world: World) -> int:
    """How many rows tell whether anything is not committed; the first session is in no repository."""
    muxes = json.loads(world.cli("list", "--json").stdout)["muxes"]
    return 1 + sum(row["dirty"] is not None for mux in muxes for row in mux["sessions"])
