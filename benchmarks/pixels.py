"""From a tmux event to the sidebar's pixels on a client's terminal, at 10, 100 and 300 sessions."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.result import Result, median, p95
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

BOUNDS = {10: 30.0, 100: None, 300: 120.0}
QUIET = 0.5


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """Renames of the first session, one at a time."""
    for sessions, bound in BOUNDS.items():
        with closing(World(tmux)) as world:
            mux = world.mux()
            populate(mux, sessions)
            mux.load()
            client = mux.attach(rows=40)
            world.cli("sidebar", "show", env=mux.inside())
            client.see(" 1 ")
            times = [rename(world, mux, client, n) for n in range(20 if quick else 100)]
            what = f"tmux event to sidebar pixels, p95, {sessions} sessions, {sessions * 3} panes"
            yield Result(what, p95(times) * 1e3, bound, "ms", f"(median {median(times) * 1e3:.1f})")


def populate(mux: Tmux, sessions: int) -> None:
    """`sessions` sessions with three panes each, made in few calls."""
    for first in range(1, sessions, 20):
        command: list[str] = []
        for n in range(first, min(first + 20, sessions)):
            command += ["new-session", "-d", "-s", f"s{n}", "-x", "100", "-y", "30", ";"]
            command += ["split-window", "-t", f"=s{n}:", ";", "split-window", "-h", "-t", f"=s{n}:", ";"]
        mux(*command[:-1])


def rename(world: World, mux: Tmux, client: Terminal, n: int) -> float:
    """Seconds from before the command to the new name's arrival on the client's terminal."""
    settle(client)
    name = f"zq{n}x"
    before = time.perf_counter()
    command = subprocess.Popen([world.binary, "-S", mux.socket, "rename-session", "-t", "$0", name])
    while name not in sidebar_text(client):
        client.pump(0.0005)
        assert time.perf_counter() - before < 10, client.text
    took = time.perf_counter() - before
    command.wait()
    return took


def sidebar_text(client: Terminal) -> str:
    """The left 26 columns of the client's screen, without the status line (which shows the name too)."""
    return "\n".join(line[:26] for line in client.screen.display[:-1])


def settle(client: Terminal) -> None:
    """Read until nothing came for half a second: one event at a time, as a person makes them. A storm of events is
    slowed down on purpose (readings take at most a tenth of tmux's time)."""
    quiet = time.monotonic() + QUIET
    while time.monotonic() < quiet:
        if client.pump(0.01):
            quiet = time.monotonic() + QUIET
