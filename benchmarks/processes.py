"""How many tmux processes a burst of events starts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.result import Result
from opensessions import start
from tests.support.world import Tmux, World

EVENTS = 50


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """Fifty windows come and go in one tmux call; a tmux that counts its own starts serves the server."""
    with closing(World(tmux)) as world:
        counter = world.home / "count"
        counting = world.home / "bin" / "tmux"
        counting.unlink()
        counting.write_text(f'#!/bin/sh\necho "$$ $*" >> {counter}\nexec {tmux} "$@"\n')
        counting.chmod(0o755)
        mux = world.mux()
        register(world, mux, str(counting))
        mux.attach()
        world.until(lambda: quiet(str(counter)), "silence")
        before = lines(str(counter))
        burst: list[str] = []
        for _ in range(EVENTS // 2):
            burst += ["new-window", "-d", "-t", "main:", ";", "kill-window", "-t", "main:$", ";"]
        mux(*burst, "rename-session", "-t", "=main:", "after")
        world.until(lambda: [name for _, name in mux.rows()] == ["after"], "the last event's effect")
        world.until(lambda: lines(str(counter)) > before, "the next waiter")
        world.until(lambda: quiet(str(counter)), "silence")
        yield Result(
            f"tmux processes started for a burst of {EVENTS} events",
            lines(str(counter)) - before,
            6,
            "processes",
            "(a reading and a batch of writes, twice at most, and the waiters)",
        )


def register(world: World, mux: Tmux, binary: str) -> None:
    """As `opensessions up` does, but with a tmux program of our choice."""
    os.environ.update(world.env)
    line = start.ensure(world.runtime, sys.executable, 10)
    line.settimeout(10)
    start.ask(line, "register", provider="tmux", target=mux.socket, binary=binary)
    line.close()


def lines(path: str) -> int:
    """How many processes were started so far."""
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def quiet(path: str) -> bool:
    """Was none started for half a second?"""
    return time.time() - os.stat(path).st_mtime > 0.5
