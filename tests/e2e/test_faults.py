"""What goes wrong in a user's life: killed, stopped, full, unwritable, hostile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opensessions import paths
from opensessions.server.app import HARD_STOP
from tests.support.world import Tmux, World, is_alive

PREFIX = b"\x02o"
UNCOMPILED = shutil.ignore_patterns("__pycache__")
"""For copies of our own files: Python may be writing there, for another test, and its temporary files go away."""


def pid(world: World) -> int:
    return int(Path(paths.pid_file(world.runtime)).read_text().splitlines()[0])


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4])
def test_killed_at_any_moment_of_its_start_it_leaves_nothing_that_hinders(
    world: World, mux: Tmux, after: float
) -> None:
    """The moments cover everything from the interpreter's start to the first published option."""
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "opensessions", "server", "run"],
        env=world.env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after)  # the moment is what is tested
    server.kill()
    server.wait()
    mux.up()
    world.until(lambda: mux.option("slot-1"), "the first slot")
    assert [name for _, name in mux.rows()] == ["main"]
    assert sorted(os.listdir(world.runtime)) == [
        "api.sock", "mux", "server.err", "server.pid", "server.sock",
    ]  # fmt: skip


def test_killed_while_it_writes_it_leaves_a_whole_ordering_file(world: World, mux: Tmux) -> None:
    mux.up()
    for round in range(8):
        burst: list[str] = []
        for n in range(10):
            burst += ["new-session", "-d", "-s", f"r{round}n{n}", ";"]
        mux(*burst[:-1])
        os.kill(pid(world), signal.SIGKILL)
        data = Path(paths.ordering_file(world.runtime, mux.key)).read_bytes()
        assert data.endswith(b"\n")
        assert all(line.count(b"\t") == 1 for line in data.splitlines())
        mux.up()
    live = mux.lines("list-sessions", "-F", "#{session_name}")
    world.until(lambda: sorted(name for _, name in mux.rows()) == sorted(live), "every session")
    folder = Path(paths.mux_dir(world.runtime, mux.key))
    assert sorted(path.name for path in folder.iterdir()) == ["ordering", "registration"]


def test_a_clean_stop_while_tmux_is_stopped_is_bounded(world: World, mux: Tmux) -> None:
    mux.up()
    server = pid(world)
    os.kill(mux.pid, signal.SIGSTOP)
    try:
        assert HARD_STOP == 5
        os.kill(server, signal.SIGTERM)
        world.until(lambda: not is_alive(server), "the server's end")
    finally:
        os.kill(mux.pid, signal.SIGCONT)


def test_a_tmux_killed_with_9_is_dropped_and_the_other_stays(world: World, mux: Tmux) -> None:
    other = world.mux("other.sock")
    mux.up()
    other.up()
    os.kill(other.pid, signal.SIGKILL)
    world.until(lambda: [entry["key"] for entry in world.status()["muxes"]] == [mux.key], "only one tmux")
    world.until(lambda: other.rows() == [], "no rows of the other one")


def test_a_new_tmux_at_the_same_socket_is_served_anew(world: World, mux: Tmux) -> None:
    keeper = world.mux("keeper.sock")
    keeper.up()
    mux.up()
    mux.new("old")
    world.until(lambda: len(mux.rows()) == 2, "two rows")
    os.kill(mux.pid, signal.SIGKILL)
    world.until(lambda: not is_alive(mux.pid), "the death of tmux")
    again = world.mux("tmux.sock")
    again.load()
    world.until(lambda: [name for _, name in again.rows()] == ["main"], "the new rows")


def test_a_deleted_socket_means_unreachable_and_kills_nothing(world: World, mux: Tmux) -> None:
    other = world.mux("other.sock")
    mux.up()
    other.up()
    os.unlink(other.socket)
    world.until(
        lambda: (
            {e["key"]: e["reachable"] for e in world.status()["muxes"]} == {mux.key: True, other.key: False}
        ),
        "unreachable",
    )
    assert is_alive(other.pid)
    os.kill(other.pid, signal.SIGUSR1)
    world.until(lambda: all(entry["reachable"] for entry in world.status()["muxes"]), "both reachable")


def test_a_full_disk_removes_the_ordering_file_and_switching_goes_on(world: World, small_disk: Path) -> None:
    world.runtime = world.env["OPENSESSIONS_RUNTIME_DIR"] = str(small_disk)
    mux = world.mux()
    for name in ("api", "web"):
        mux.new(name)
    mux.load()
    client = mux.attach()
    with (small_disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            pass
    mux("rename-session", "-t", "=web:", "w" * 200)
    world.until(lambda: not os.path.exists(paths.ordering_file(world.runtime, mux.key)), "no stale file")
    client.type(PREFIX + b"p")
    world.until(lambda: mux.session_of(client) == "w" * 200, "the last session")
    assert "cannot be written" in world.log()
    (small_disk / "filler").unlink()
    mux.new("more")
    world.until(lambda: len(mux.rows()) == 4, "the ordering file")


def test_an_unwritable_runtime_directory_is_one_sentence(world: World, mux: Tmux) -> None:
    blocked = world.home / "blocked"
    blocked.write_text("a file where a folder should be")
    env = mux.inside() | {"OPENSESSIONS_RUNTIME_DIR": str(blocked / "run")}
    done = world.cli("up", env=env, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert str(blocked / "run") in done.stderr


def test_garbage_everywhere_is_reported_and_never_overwritten_blindly(world: World, mux: Tmux) -> None:
    mux.new("b")
    mux.up()
    world.until(lambda: (Path(world.state) / "mux" / mux.key / "arrangement.json").exists(), "a saved order")
    world.cli("down", env=mux.inside())
    saved = Path(world.state) / "mux" / mux.key / "arrangement.json"
    saved.write_bytes(b"\xff\x00 garbage {")
    Path(paths.pid_file(world.runtime)).write_bytes(b"-1\n1_0\n" + b"9" * 500)
    Path(paths.mux_dir(world.runtime, mux.key), "registration").write_bytes(os.urandom(100))
    Path(paths.ordering_file(world.runtime, mux.key)).write_bytes(b"\x00\xff no tab\n")
    world.config.write_text("sidebar: [1, 2]\nidle_timeout: soon\nno_such_key: 1\n")
    mux.up()
    world.until(lambda: [name for _, name in mux.rows()] == ["main", "b"], "the rows")
    kept = [path.read_bytes() for path in saved.parent.glob("arrangement.json.corrupt-*")]
    assert kept == [b"\xff\x00 garbage {"]
    for key in ("sidebar", "idle_timeout", "no_such_key"):
        assert key in world.log()


def test_a_symlinked_state_file_is_not_followed(world: World, mux: Tmux) -> None:
    victim = world.home / "victim"
    victim.write_text("precious")
    folder = Path(world.state) / "mux" / mux.key
    folder.mkdir(parents=True)
    for path in (Path(world.state), folder.parent, folder):
        path.chmod(0o700)
    (folder / "arrangement.json").symlink_to(victim)
    mux.up()
    mux.new("b")
    world.until(lambda: len(mux.rows()) == 2, "the rows")
    world.cli("down", env=mux.inside())
    assert victim.read_text() == "precious"


def test_another_login_with_other_xdg_variables_finds_the_server(world: World, mux: Tmux) -> None:
    mux.up()
    world.until(lambda: mux.option("runtime"), "the published runtime directory")
    env = dict(world.env | mux.inside())
    del env["OPENSESSIONS_RUNTIME_DIR"]
    env |= {"XDG_RUNTIME_DIR": str(world.home / "elsewhere"), "TMPDIR": str(world.home)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "opensessions", "status", "--json"],
        env=env, cwd=world.home, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f'"pid": {pid(world)}' in done.stdout


def test_a_socket_path_with_spaces_and_more(world: World) -> None:
    mux = world.mux("a b=c'é;$x.sock")
    for name in ("api", "web"):
        mux.new(name)
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"3")
    world.until(lambda: mux.session_of(client) == "web", "the slot's session")
    client.type(PREFIX + b"p")
    world.until(lambda: mux.session_of(client) == "api", "the row before")
    client.type(PREFIX + b"t")
    world.until(lambda: mux.sidebars(), "the sidebar")
    client.see("web")


def test_deleted_files_are_told_not_hidden(world: World, mux: Tmux) -> None:
    copy = world.home / "copy"
    for name in ("opensessions", "providers", "scripts"):
        shutil.copytree(Path(__file__).parents[2] / name, copy / name, ignore=UNCOMPILED)
    shutil.copy(Path(__file__).parents[2] / "plugin.tmux", copy)
    mux.load()
    client = mux.attach()
    mux("set-option", "-g", "@opensessions-path-scripts", str(world.home / "gone"))
    client.type(PREFIX + b"t")
    client.see("its files are gone")
