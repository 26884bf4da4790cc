"""From the server's start to its first ordering file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.result import Result, p95
from opensessions import paths, start
from tests.support.world import World


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """A registered tmux with ten sessions; the server is started by hand each time."""
    rounds = 5 if quick else 20
    with closing(World(tmux)) as world:
        mux = world.mux()
        for n in range(9):
            mux.new(f"s{n}")
        mux.up()
        file = paths.ordering_file(world.runtime, mux.key)
        times = []
        for _ in range(rounds):
            registration = [path for path in os.listdir(os.path.dirname(file)) if path != "ordering"]
            kept = {name: Path(os.path.dirname(file), name).read_bytes() for name in registration}
            world.cli("down", env=mux.inside())
            for name, data in kept.items():
                with open(f"{os.path.dirname(file)}/{name}", "wb") as again:
                    again.write(data)
            os.environ.update(world.env)
            before = time.perf_counter()
            start.start_server(world.runtime, sys.executable)
            while not os.path.exists(file):
                time.sleep(0.001)
            times.append(time.perf_counter() - before)
        yield Result("server start to first ordering file, p95", p95(times) * 1e3, 600, "ms")
