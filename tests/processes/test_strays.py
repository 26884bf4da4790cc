"""Servers and sidebars that nothing needs any more, told by their command lines."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions.processes import strays
from opensessions.processes.source import this_system
from opensessions.processes.strays import Role, role_of
from tests.processes.conftest import until

WAIT = "import time; print(flush=True); time.sleep(600)"


@pytest.mark.parametrize(
    ("argv", "role"),
    [
        (["/usr/bin/python3", "-P", "-m", "opensessions", "server", "run"], "server"),
        (["python3.11", "/home/u/.local/bin/opensessions", "server", "run"], "server"),
        (["opensessions", "server", "run"], "server"),
        (["/opt/bin/opensessions", "server", "run"], "server"),
        (["python3", "-I", "-S", "/p/scripts/sidebar.py", "runtime=/r"], "sidebar"),
        (["python3", "/p/scripts/sidebar.py"], "sidebar"),
        (["vim", "/p/scripts/sidebar.py"], None),
        (["python3", "-m", "pdb", "/p/scripts/sidebar.py"], None),
        (["python3", "other.py", "/p/scripts/sidebar.py"], None),
        (["python3", "/p/sidebar.py"], None),
        (["/p/scripts/sidebar.py"], None),
        (["opensessions", "server"], None),
        (["opensessions", "server", "run", "now"], None),
        (["bash", "-c", "opensessions server run"], None),
        (["vim", "opensessions", "server", "run"], None),
        (["opensessions-old", "server", "run"], None),
        (["server", "run"], None),
        ([], None),
    ],
)
def test_by_the_command_line(argv: list[str], role: Role | None) -> None:
    assert role_of(argv) == role


class Old:
    """Stand-ins with the command lines of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.runtime.mkdir()
        (folder / "scripts").mkdir()
        (folder / "scripts" / "sidebar.py").write_text(WAIT)
        (folder / "opensessions").mkdir()
        (folder / "opensessions" / "__init__.py").touch()
        (folder / "opensessions" / "__main__.py").write_text(WAIT)
        self.all: list[subprocess.Popen[bytes]] = []
        self.lock = -1

    def sidebar(self) -> int:
        return self._start("-I", "-S", f"{self.folder}/scripts/sidebar.py", f"runtime={self.runtime}")

    def server(self) -> int:
        return self._start("-P", "-m", "opensessions", "server", "run")

    def _start(self, *words: str) -> int:
        process = subprocess.Popen(
            [sys.executable, *words],
            env={"PYTHONPATH": str(self.folder), "OPENSESSIONS_RUNTIME_DIR": str(self.runtime)},
            stdout=subprocess.PIPE,
        )
        self.all.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        return process.pid

    def lock_as(self, pid: int) -> None:
        """Somebody holds the server's lock and says to be this process."""
        self.lock = os.open(self.runtime / "server.pid", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(self.lock, f"{pid}\n{{}}\n".encode())
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def found(self) -> dict[int, str]:
        """The strays that are told of, among ours."""
        ours = {process.pid for process in self.all}
        return {each.pid: each.role for each in strays.find(this_system(), 0) if each.pid in ours}

    def close(self) -> None:
        for process in self.all:
            process.kill()
            process.communicate()
        if self.lock >= 0:
            os.close(self.lock)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    made = Old(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_without_a_server_both_are_strays(old: Old) -> None:
    sidebar, server = old.sidebar(), old.server()
    assert old.found() == {sidebar: "sidebar", server: "server"}
    (told,) = [each for each in strays.find(this_system(), 0) if each.pid == sidebar]
    assert told.path == f"{old.folder}/scripts/sidebar.py"
    assert told.runtime == str(old.runtime)


def test_the_server_that_holds_the_lock_and_its_sidebars_are_none(old: Old) -> None:
    sidebar, server, other = old.sidebar(), old.server(), old.server()
    old.lock_as(server)
    assert sidebar not in old.found()
    assert old.found() == {other: "server"}


def test_a_file_without_a_lock_is_no_server(old: Old) -> None:
    server = old.server()
    old.lock_as(server)
    assert old.found() == {}
    fcntl.flock(old.lock, fcntl.LOCK_UN)
    assert old.found() == {server: "server"}


def test_what_has_only_just_begun_may_be_about_to_find_its_place(old: Old) -> None:
    old.sidebar()
    ours = {process.pid for process in old.all}
    assert not {each.pid for each in strays.find(this_system())} & ours


@pytest.mark.skipif(os.getuid() != 0, reason="only root may start another user's process")
def test_another_users_are_not_ours_to_tell_of(old: Old, short: Path) -> None:
    script = short / "scripts" / "sidebar.py"
    script.parent.mkdir()
    script.write_text(WAIT)
    short.chmod(0o755)
    process = subprocess.Popen(["/usr/bin/python3", str(script)], user=65534, stdout=subprocess.PIPE)
    old.all.append(process)
    until(lambda: role_of(this_system().program(process.pid)[0]) == "sidebar")
    assert old.found() == {}
