"""The server's life: one of them, clean ends, new beginnings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opensessions import paths
from tests.e2e.test_faults import UNCOMPILED
from tests.support.world import Tmux, World, is_alive


def pid(world: World) -> int:
    return int(Path(paths.pid_file(world.runtime)).read_text().splitlines()[0])


def vanish(world: World) -> None:
    """Take the runtime directory away, all of it at once: the server may be writing there."""
    gone = world.home / "gone"
    os.rename(world.runtime, gone)
    shutil.rmtree(gone, ignore_errors=True)


def test_sixteen_starts_make_one_server(world: World, mux: Tmux) -> None:
    command = [sys.executable, "-P", "-m", "opensessions", "up"]
    env = world.env | mux.inside()
    starts = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(16)]
    answers = [start.communicate(timeout=60)[0].strip() for start in starts]
    assert [start.returncode for start in starts] == [0] * 16
    assert set(answers) == {str(pid(world))}
    assert world.status()["pid"] == pid(world)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_it_cleanly(world: World, mux: Tmux, name: str) -> None:
    mux.up()
    server = pid(world)
    world.until(lambda: mux("show-options", "-gqv", "@opensessions-slot-1"), "the first slot")
    os.kill(server, getattr(signal, name))
    world.until(lambda: not is_alive(server), "the server's end")
    assert sorted(os.listdir(world.runtime)) == ["mux", "server.err", "server.pid"]
    assert not os.path.exists(paths.ordering_file(world.runtime, mux.key))
    assert "@opensessions-slot" not in mux("show-options", "-g")
    assert "Traceback" not in world.log()
    assert world.cli("status", "--json", check=False).stdout.strip() == '{"running": false}'


def test_it_leaves_when_nothing_needs_it_and_an_attaching_client_brings_it_back(
    world: World, mux: Tmux
) -> None:
    mux.load()
    world.cli("down")
    world.config.write_text("idle_timeout: 3s\n")  # only now: a slow load must not outlast the server
    first = int(world.cli("up", env=mux.inside()).stdout)
    world.until(lambda: not is_alive(first), "the idle server's end")
    assert "nothing needed it" in world.log()
    mux.attach()
    world.until(lambda: world.status()["running"], "a new server")
    assert pid(world) != first
    world.until(lambda: mux.rows(), "the ordering file of the new server")


def test_it_stays_while_a_client_is_attached(world: World, mux: Tmux) -> None:
    world.config.write_text("idle_timeout: 3s\n")
    mux.attach()
    mux.up()
    second = world.mux("other.sock")
    second.up()
    second.kill()
    world.until(lambda: len(world.status()["muxes"]) == 1, "the death of the second tmux")
    assert is_alive(pid(world))


def test_it_ends_with_its_last_tmux(world: World, mux: Tmux) -> None:
    mux.up()
    server = pid(world)
    mux.kill()
    world.until(lambda: not is_alive(server), "the server's end")
    assert "the last multiplexer is gone" in world.log()
    assert os.listdir(paths.mux_dir(world.runtime, mux.key)) == []


def test_a_killed_server_is_followed_by_one_that_serves_the_same(world: World, mux: Tmux) -> None:
    second = world.mux("other.sock")
    mux.up()
    second.up()
    os.kill(pid(world), signal.SIGKILL)
    world.cli("up")
    world.until(
        lambda: len([m for m in world.status()["muxes"] if m["sessions"] == 1]) == 2, "both tmux servers"
    )


def test_it_leaves_when_its_runtime_directory_vanishes(world: World, mux: Tmux) -> None:
    mux.up()
    server = pid(world)
    vanish(world)
    mux.new("another")
    world.until(lambda: not is_alive(server), "the server's end")
    mux.up()
    world.until(
        lambda: [name for _, name in mux.rows()] == ["main", "another"], "the new server's ordering file"
    )


def test_a_stopped_tmux_is_unreachable_and_delays_nobody(world: World, mux: Tmux) -> None:
    other = world.mux("other.sock")
    mux.up()
    other.up()
    os.kill(other.pid, signal.SIGSTOP)
    try:
        mux.new("meanwhile")
        world.until(lambda: [name for _, name in mux.rows()] == ["main", "meanwhile"], "the new row")
        wanted = {mux.key: True, other.key: False}
        world.until(
            lambda: {entry["key"]: entry["reachable"] for entry in world.status()["muxes"]} == wanted,
            "one that answers, and one that does not",
        )
    finally:
        os.kill(other.pid, signal.SIGCONT)
    world.until(lambda: all(entry["reachable"] for entry in world.status()["muxes"]), "both reachable again")


def test_a_runtime_directory_that_others_may_enter_is_refused(world: World, mux: Tmux) -> None:
    os.mkdir(world.runtime)
    os.chmod(world.runtime, 0o755)
    done = world.cli("up", check=False, env=mux.inside())
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"chmod 700 '{world.runtime}'" in done.stderr
    assert os.listdir(world.runtime) == []
    os.rmdir(world.runtime)


def test_down_without_a_server_is_no_fault(world: World) -> None:
    assert "No server is running" in world.cli("down").stdout


def test_another_installation_replaces_the_server(world: World, mux: Tmux) -> None:
    mux.up()
    first = pid(world)
    copy = world.home / "copy"
    for name in ("opensessions", "providers", "scripts"):
        shutil.copytree(Path(__file__).parents[2] / name, copy / name, ignore=UNCOMPILED)
    shutil.copy(Path(__file__).parents[2] / "plugin.tmux", copy)
    path = f"{copy}:{copy}/providers"
    world.cli("up", env=mux.inside() | {"PYTHONPATH": path})
    assert pid(world) != first
    world.until(lambda: not is_alive(first), "the old server's end")
    assert world.status()["root"] == str(copy)
