"""What the contract promises about the command line, the places and the files; one tmux version is enough here."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from opensessions import paths
from opensessions.__main__ import VERBS
from tests.support.world import World, is_alive, tmux_versions


@pytest.fixture
def world() -> Iterator[World]:
    """A home with nothing running in it."""
    private = World(next(iter(tmux_versions().values())))
    try:
        yield private
    finally:
        private.close()


def test_where_no_server_runs(world: World) -> None:
    for words, status in (
        (("status",), 1), (("list",), 1), (("list", "--json"), 1), (("watch",), 1), (("switch", "1"), 1),
        (("next",), 1),
        (("down",), 0), (("nonsense",), 2), (("switch",), 2), (("up", "--nonsense"), 2), ((), 2),
        (("config", "path"), 0), (("config", "check"), 0), (("uninstall",), 0),
    ):  # fmt: skip
        done = world.cli(*words, check=False)
        assert done.returncode == status, words
        if status == 1:
            assert (done.stdout, done.stderr.count("\n")) == ("", 1), words
            assert done.stderr.startswith("opensessions: "), words
        assert bool(done.stderr) == bool(status), words
    answer = world.cli("status", "--json", check=False)
    assert (answer.returncode, json.loads(answer.stdout), answer.stderr) == (1, {"running": False}, "")
    assert not os.path.exists(world.runtime)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(world: World, verb: str) -> None:
    done = world.cli(verb, "--help")
    assert done.stdout.startswith(f"usage: opensessions {verb}")
    assert done.stderr == ""


def test_status_has_the_keys_of_the_contract(world: World) -> None:
    mux = world.mux()
    printed = world.cli("up", env=mux.inside()).stdout
    # It asks tmux whether it answers, and waits for a second only.
    status = world.until(lambda: (told := world.status())["muxes"][0]["reachable"] and told, "an answer")
    assert set(status) >= {
        "running",
        "pid",
        "version",
        "uptime_s",
        "instance",
        "muxes",
        "sidebars",
        "clients",
    }
    assert status["running"] is True
    assert printed == f"{status['pid']}\n"
    assert status["version"] == world.cli("--version").stdout.split()[1]
    wanted = {
        "provider": "tmux",
        "key": mux.key,
        "socket": mux.socket,
        "sessions": 1,
        "panes": 1,
        "clients": 0,
        "reachable": True,
    }
    assert {name: status["muxes"][0][name] for name in wanted} == wanted
    checked = json.loads(world.cli("doctor", "--json", env=mux.inside(), check=False).stdout)
    assert set(checked) == {"ok", "checks"}


def test_the_pid_file_is_a_lock_that_is_never_unlinked(world: World) -> None:
    mux = world.mux()
    mux.up()
    file = Path(paths.pid_file(world.runtime))
    server = world.status()["pid"]
    assert file.read_text().split("\n")[0] == str(server)
    inode = file.stat().st_ino
    with file.open() as held, pytest.raises(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert {name: os.stat(f"{world.runtime}/{name}").st_mode & 0o777 for name in ("", "server.pid")} == {
        "": 0o700, "server.pid": 0o600,
    }  # fmt: skip
    for path in Path(world.state).rglob("*"):
        with suppress(FileNotFoundError):  # a temporary one, which has its name by now
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    world.cli("down", env=mux.inside())
    assert file.stat().st_ino == inode
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    mux.up()
    second = world.status()["pid"]
    file.unlink()
    file.write_text("1\n")
    mux.new("wake")
    world.until(lambda: not is_alive(second), "the end of the server whose file is another one")


def test_runtime_directories_that_are_refused(world: World) -> None:
    home = world.home
    (home / "file").write_text("")
    (home / "real").mkdir(mode=0o700)
    (home / "link").symlink_to(home / "real")
    (home / "wide").mkdir()
    (home / "wide").chmod(0o750)
    os.mkfifo(home / "fifo")
    for name in ("file", "link", "wide", "fifo", "file/x", "file/x/y", "l" * 100):
        env = {"OPENSESSIONS_RUNTIME_DIR": str(home / name)}
        done = world.cli("up", env=env, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), name
        assert str(home / name) in done.stderr
        for words in (("status", "--json"), ("doctor",)) if name in ("link", "file/x", "l" * 100) else ():
            done = world.cli(*words, env=env, check=False)
            assert "Traceback" not in done.stderr, (name, words)
    assert os.listdir(home / "wide") == os.listdir(home / "real") == []
    if os.geteuid() == 0:
        (home / "other").mkdir(mode=0o700)
        os.chown(home / "other", 1, 1)
        done = world.cli("up", env={"OPENSESSIONS_RUNTIME_DIR": str(home / "other")}, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_the_runtime_directory_follows_the_environment(world: World) -> None:
    del world.env["OPENSESSIONS_RUNTIME_DIR"]
    xdg, temporary = world.home / "xdg", world.home / "tmp"
    for folder in (xdg, temporary):
        folder.mkdir(mode=0o700)
    for env, runtime in (
        ({"XDG_RUNTIME_DIR": str(xdg), "TMPDIR": str(temporary)}, xdg / "opensessions"),
        (
            {"XDG_RUNTIME_DIR": "/nowhere", "TMPDIR": str(temporary)},
            temporary / f"opensessions-{os.geteuid()}",
        ),
    ):
        try:
            world.cli("up", env=env)
            assert (runtime / "server.pid").exists()
        finally:
            world.cli("down", env=env)


def test_a_bad_configuration_stops_nothing_and_names_every_line(world: World) -> None:
    lines = [
        "idle_timeout: [1]", "ascii: maybe", "theme: 5", "reap: soon", "hibernate: 3", "agents: 5", "sessionizer: no",
        "sidebar:", "  width: wide", "  position: up", "  visble: true", "  mode: {}", "  lone: 1",
        "notify:", "  waiting: 7", "  command: rm -rf", "api:", "  tcp: 1.5", "  port: -1", "  host: 0.0.0.0",
        "keys: 1", "log_level: loud", "nonsense: 1",
    ]  # fmt: skip
    world.config.write_text("\n".join(lines) + "\n")
    done = world.cli("config", "check", check=False)
    assert done.returncode == 1
    for number, line in enumerate(lines, 1):
        if not line.endswith(":"):
            assert f"{world.config}:{number}:" in done.stdout, line
    assert "visible" in done.stdout
    mux = world.mux()
    mux.up()
    assert world.status()["running"]
    assert world.config.read_text() == "\n".join(lines) + "\n"
    for content in (
        b"\xff\xfe\x00",
        b"a: [",
        b"- 1\n",
        b"a: &a [*a]\n",
        b"!!python/object:os.system x\n",
        b"\x00",
    ):
        world.config.write_bytes(content)
        done = world.cli("config", "check", check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), content
        assert str(world.config) in done.stdout + done.stderr


def test_a_tmux_that_died_while_no_server_ran_is_no_ghost(world: World) -> None:
    mux, other = world.mux(), world.mux("other.sock")
    mux.up()
    other.up()
    os.kill(world.status()["pid"], signal.SIGKILL)
    other.kill()
    world.until(lambda: not is_alive(other.pid), "the end of the other tmux")
    mux.up()
    assert [entry["key"] for entry in world.status()["muxes"]] == [mux.key]
    assert not os.path.exists(paths.ordering_file(world.runtime, other.key))


def test_a_shell_that_outlived_its_tmux_registers_nothing(world: World) -> None:
    env = {"TMUX": f"{world.home}/gone.sock,4000000,0", "TMUX_PANE": "%0"}
    done = world.cli("up", env=env, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    mux = world.mux()
    mux.up()
    assert [entry["key"] for entry in world.status()["muxes"]] == [mux.key]
