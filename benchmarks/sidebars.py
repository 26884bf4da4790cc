"""From a key in the sidebar to its pixels, and what one change costs the server with many sidebars and sessions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.idle import cpu_seconds
from benchmarks.pixels import BOUNDS, populate, rename, settle
from benchmarks.result import Result, median, p95
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

SIDEBARS = (1, 20, 100)


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """A row down and up again; then renames of the first session, in a session with ever more windows."""
    for sessions, bound in BOUNDS.items():
        with closing(World(tmux)) as world:
            mux, client = shown(world, sessions)
            client.type(b"\x02os")
            world.until(
                lambda mux=mux: next(iter(mux.sidebars())) == mux.ask("#{pane_id}", "$0:"), "the focus"
            )
            times = [press(client, n) for n in range(20 if quick else 100)]
            note = f"(median {median(times) * 1e3:.1f})"
            yield Result(
                f"key in the sidebar to its pixels, p95, {sessions} sessions",
                p95(times) * 1e3,
                bound,
                "ms",
                note,
            )
    for sessions in BOUNDS:
        with closing(World(tmux)) as world:
            mux, client = shown(world, sessions)
            first = 0.0
            for sidebars in SIDEBARS:
                open_windows(world, mux, sidebars)
                cost = update(world, mux, client, 10 if quick else 50) * 1e3
                first = first or cost
                what = f"server's CPU for one change, {sessions} sessions, {sidebars} sidebars"
                yield Result(what, cost, None, "ms", f"({cost / first:.2f} of what one sidebar costs)")


def shown(world: World, sessions: int) -> tuple[Tmux, Terminal]:
    """So many sessions, a client in the first, and its sidebar."""
    mux = world.mux()
    populate(mux, sessions)
    mux.load()
    client = mux.attach(rows=40)
    world.cli("sidebar", "show", env=mux.inside())
    client.see(" 1 ")
    return mux, client


def press(client: Terminal, n: int) -> float:
    """Seconds from a key that moves the cursor to the cursor's mark on the client's terminal."""
    settle(client)
    key, line = (b"j", 3) if n % 2 == 0 else (b"k", 2)
    before = time.perf_counter()
    client.type(key)
    while client.screen.display[line][0] not in "›█":
        client.pump(0.0005)
        assert time.perf_counter() - before < 10, client.text
    return time.perf_counter() - before


def open_windows(world: World, mux: Tmux, count: int) -> None:
    """Windows in the client's session until it has so many, each with its sidebar connected."""
    while len(mux.lines("list-windows", "-t", "$0:")) < count:
        mux("new-window", "-d", "-t", "$0:", "cat")
    world.until(lambda: world.status()["sidebars"] == count, f"{count} sidebars", 60)


def update(world: World, mux: Tmux, client: Terminal, rounds: int) -> float:
    """CPU seconds of the server for one renamed session, painted where it is seen."""
    server = int(world.status()["pid"])
    settle(client)
    before = cpu_seconds(server)
    for n in range(rounds):
        rename(world, mux, client, n)
    return (cpu_seconds(server) - before) / rounds
