"""What the program costs while nothing happens: CPU, wake-ups, memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.pixels import populate
from benchmarks.result import Result
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

TICKS = os.sysconf("SC_CLK_TCK")


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """Without a client, then with 300 sessions and one visible sidebar; each for OPENSESSIONS_IDLE_SECONDS."""
    seconds = int(os.environ.get("OPENSESSIONS_IDLE_SECONDS", "15" if quick else "90"))
    with closing(World(tmux)) as world:
        world.config.write_text("idle_timeout: 0\n")  # it would be gone before the sample is taken
        mux = world.mux()
        mux.load()
        server = int(world.status()["pid"])
        cpu, wakes = watch(server, seconds)
        yield Result("idle CPU, no client attached", cpu, 0.05, "% of a core")
        yield Result("wake-ups a minute, no client attached, all threads", wakes, 5, "a minute")
        yield Result("server memory (PSS), one session", pss(server), 40, "MiB")
    with closing(World(tmux)) as world:
        mux = world.mux()
        populate(mux, 300)
        mux.load()
        client = mux.attach()
        world.cli("sidebar", "show", env=mux.inside())
        world.until(lambda: mux.sidebars(), "the sidebar")
        client.see("s1")
        server = int(world.status()["pid"])
        cpu, _ = watch(server, seconds)
        yield Result("idle CPU, 300 sessions, one visible sidebar", cpu, 0.3, "% of a core")
        yield Result("server memory (PSS), 300 sessions", pss(server), 40, "MiB")
        open_detail(world, mux, client)
        cpu, _ = watch(server, seconds)
        yield Result("idle CPU, the same with the detail of an agent elsewhere", cpu, 0.3, "% of a core")
        client.type(b"i")
        world.until(lambda: "at work" not in client.text, "no detail")
        yield Result("sidebar client memory (PSS), the only one", pss(pumps(mux)[0]), None, "MiB")
        for _ in range(9):
            mux("new-window", "-d", "-t", "=main:")
        world.until(lambda: len(mux.sidebars()) == 10, "a sidebar in each window")
        time.sleep(1)
        mean = sum(map(pss, pumps(mux))) / 10
        yield Result(
            "sidebar client memory (PSS), each of ten", mean, 4, "MiB", "(they share the interpreter's pages)"
        )


def open_detail(world: World, mux: Tmux, client: Terminal) -> None:
    """An agent in the second session, and the cursor of the client's sidebar on it with the detail open."""
    program = world.home / "bin" / "codex"
    program.write_text("#!/bin/sh\necho at work\nwhile read -r line; do :; done\n")
    program.chmod(0o755)
    mux("send-keys", "-t", "=s1:", str(program), "Enter")
    client.type(b"\x02os")
    world.until(lambda: mux.ask("#{pane_id}", "=main:") in mux.sidebars(), "the focus in the sidebar")
    client.type(b"ij")
    world.until(lambda: "at work" in client.text and "codex idle" in client.text, "the agent in the detail")


def pumps(mux: Tmux) -> list[int]:
    """The pids of the sidebars' programs."""
    return [
        int(pid)
        for pid in mux.lines("list-panes", "-a", "-f", "#{@opensessions-sidebar}", "-F", "#{pane_pid}")
    ]


def watch(pid: int, seconds: float) -> tuple[float, float]:
    """CPU in percent of a core (children that ended included) and wake-ups a minute, after things have settled."""
    time.sleep(3)
    before, woken, started = cpu_seconds(pid), switches(pid), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - started
    return (cpu_seconds(pid) - before) / took * 100, (switches(pid) - woken) / took * 60


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and of its children that were waited for. The process's own to the
    nanosecond (schedstat of all threads), the children's in clock ticks."""
    total = 0.0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0]) / 1e9
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return total + (int(fields[13]) + int(fields[14])) / TICKS


def switches(pid: int) -> int:
    """Voluntary context switches of all threads: each is a wake-up."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
    return total


def pss(pid: int) -> float:
    """Proportional memory in MiB."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
