"""Switching: slots against a static binding, the thin script against a POSIX shell script that does the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from benchmarks.result import Result, median
from opensessions import paths
from tests.support.terminal import Terminal
from tests.support.world import ROOT, Tmux, World

SHELL = """\
target=$(sed -n "${1}p" "$5")
exec "$4" -S "$3" switch-client -c "$2" -t "${target%%	*}"
"""


def measure(tmux: str, quick: bool) -> Iterator[Result]:
    """Both ratios, each with interleaved samples."""
    rounds = 40 if quick else 200
    with closing(World(tmux)) as world:
        mux = world.mux(conf="set -g @opensessions-index-keys 'M-1 M-2'")
        for n in range(9):
            mux.new(f"s{n}")
        mux.load()
        client = mux.attach()
        world.until(lambda: mux("show-options", "-gqv", "@opensessions-slot-2"), "the slots")
        yield key_press(world, mux, client, rounds)
        yield thin(world, mux, client, rounds)


def key_press(world: World, mux: Tmux, client: Terminal, rounds: int) -> Result:
    """From the key's bytes to the hook `client-session-changed`, which ends a waiting tmux process."""
    first, second = (target for target, _ in mux.rows()[:2])
    mux("bind-key", "-n", "M-8", "switch-client", "-t", first)
    mux("bind-key", "-n", "M-9", "switch-client", "-t", second)
    mux("set-hook", "-g", "client-session-changed[9]", "wait-for -S bench")
    times: dict[str, list[float]] = {"static": [], "slot": []}
    for _ in range(rounds):
        for kind, keys in (("static", (b"\x1b9", b"\x1b8")), ("slot", (b"\x1b2", b"\x1b1"))):
            for key in keys:
                times[kind].append(until_rung(mux, client, key))
    return Result(
        "zero-fork switch, against a static binding",
        median(times["slot"]) / median(times["static"]),
        1.5,
        "x",
        f"({median(times['slot']) * 1e3:.2f} ms)",
    )


def until_rung(mux: Tmux, client: Terminal, key: bytes) -> float:
    """Press a key; seconds until the hook has rung."""
    waiter = subprocess.Popen(
        [mux.world.binary, "-S", mux.socket, "wait-for", "bench"], stdout=subprocess.DEVNULL
    )
    mux.world.until(lambda: sleeping(waiter.pid), "the waiter")
    while client.pump():
        pass
    started = time.perf_counter()
    client.type(key)
    waiter.wait(10)
    return time.perf_counter() - started


def sleeping(pid: int) -> bool:
    """Has the waiter reached its wait? (It is in epoll or poll after it has sent its command.)"""
    with open(f"/proc/{pid}/wchan") as file:
        place = file.read()
    with open(f"/proc/{pid}/stat") as file:
        state = file.read().rpartition(")")[2].split()[0]
    return state == "S" and ("poll" in place or place == "0")


def thin(world: World, mux: Tmux, client: Terminal, rounds: int) -> Result:
    """The whole process, from its start to its end, which is tmux's."""
    interpreter = mux("show-options", "-gqv", "@opensessions-interpreter")
    tmux = os.path.realpath(mux.world.binary)
    script = world.home / "switch.sh"
    script.write_text(SHELL)
    file = paths.ordering_file(world.runtime, mux.key)
    started = mux.ask("#{start_time}")
    times: dict[str, list[float]] = {"shell": [], "python": []}
    for n in range(rounds):
        index = str(n % 5 + 1)
        shell = ["/bin/sh", str(script), index, client.tty, mux.socket, tmux, file]
        python = [
            interpreter, "-I", "-S", f"{ROOT}/scripts/switch.py", str((n + 2) % 5 + 1), f"client={client.tty}",
            f"socket={mux.socket}", f"started={started}", f"runtime={world.runtime}", "session=$99", f"mux={mux.key}",
            f"python={sys.executable}", f"tmux={tmux}",
        ]  # fmt: skip
        for kind, command in (("shell", shell), ("python", python)):
            before = time.perf_counter()
            pid = os.posix_spawn(command[0], command, world.env)
            status = os.waitpid(pid, 0)[1]
            times[kind].append(time.perf_counter() - before)
            assert status == 0, (kind, status)
            while client.pump():
                pass
    return Result(
        "thin Python entrypoint, against a POSIX shell script",
        median(times["python"]) / median(times["shell"]),
        2.5,
        "x",
        f"({median(times['python']) * 1e3:.1f} ms against {median(times['shell']) * 1e3:.1f})",
    )
