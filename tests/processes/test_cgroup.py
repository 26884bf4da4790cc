"""An agent's own control group, where the system allows one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from opensessions.processes import cgroup
from tests.processes.conftest import until
from tests.processes.test_identity import inside

ROOT = Path(__file__).parents[2]
MAKER = """
import os, sys
from opensessions.processes import cgroup
before = cgroup.own()
path = cgroup.make(sys.argv[1])
print(path, flush=True)
if path:
    assert cgroup.own() == path
    {more}
sys.stdin.read()
"""


class Maker:
    """A process that has made itself a group, until its standard input ends."""

    def __init__(self, nonce: str, more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAKER.format(more=more), nonce],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True,
        )  # fmt: skip
        self.pid = self.process.pid
        self.path = self.line()

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """It and everything in its group: nothing else is in there."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()
        if self.path and os.path.isdir(self.path):
            end_members(self.path)
            until(lambda: gone(self.path), "the group's end")


def end_members(path: str) -> None:
    """Everything in a group that a test has made."""
    for pid in cgroup.members(path) or ():
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                if pid in (cgroup.members(path) or ()):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            finally:
                os.close(handle)


def gone(path: str) -> bool:
    for folder, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)
    return not os.path.isdir(path)


Make = Callable[..., Maker]


@pytest.fixture
def make() -> Iterator[Make]:
    """Processes with groups of their own, which end with the test. Skips where there can be none."""
    made: list[Maker] = []

    def start(more: str = "pass") -> Maker:
        made.append(Maker(os.urandom(16).hex(), more))
        if not made[-1].path:
            pytest.skip(f"no control group can be made in {cgroup.own() or 'this system'}")
        return made[-1]

    try:
        yield start
    finally:
        for each in made:
            each.end()


def test_a_process_moves_into_a_group_of_its_own(make: Make) -> None:
    maker = make()
    assert os.path.dirname(maker.path) == cgroup.own()
    assert cgroup.members(maker.path) == {maker.pid}


def test_who_forks_cannot_leave_it(make: Make) -> None:
    """A daemon has neither the tree nor the session of the agent that started it."""
    maker = make("""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print(os.getpid(), flush=True)
            os.execvp("sleep", ["sleep", "600"])
        os._exit(0)
    os.wait()
    """)
    daemon = int(maker.line())
    until(lambda: cgroup.members(maker.path) == {maker.pid, daemon})
    maker.process.kill()
    maker.process.wait()
    assert cgroup.members(maker.path) == {daemon}


def test_groups_below_it_count(make: Make) -> None:
    """As when an agent starts an agent."""
    maker = make("""
    if os.fork() == 0:
        below = cgroup.make("0" * 32)
        assert os.path.dirname(below) == path
        print(os.getpid(), flush=True)
        os.execvp("sleep", ["sleep", "600"])
    """)
    inner = int(maker.line())
    assert cgroup.members(maker.path) == {maker.pid, inner}
    assert cgroup.members(f"{maker.path}/opensessions-{'0' * 32}") == {inner}


def test_what_is_too_deep_is_not_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = make('cgroup.make("0" * 32); print("inside", flush=True)')
    assert maker.line() == "inside"
    assert cgroup.members(maker.path) == {maker.pid}
    monkeypatch.setattr(cgroup, "DEEPEST", 0)
    assert cgroup.members(maker.path) is None


def test_only_an_empty_group_is_removed(make: Make) -> None:
    maker = make()
    assert not cgroup.remove(maker.path)
    assert os.path.isdir(maker.path)
    maker.process.kill()
    maker.process.wait()
    assert cgroup.members(maker.path) == frozenset()
    assert cgroup.remove(maker.path)
    assert not os.path.exists(maker.path)
    assert cgroup.remove(maker.path)


def test_a_group_that_is_gone_has_no_answer(make: Make) -> None:
    """Somebody may have moved its members elsewhere before."""
    maker = make()
    path = maker.path
    maker.end()
    assert cgroup.members(path) is None


def test_leaving_undoes_making(make: Make) -> None:
    maker = make("cgroup.leave(path); print(cgroup.own() == before, os.path.exists(path), flush=True)")
    assert maker.line() == "True False"


def test_leaving_a_group_in_which_others_are_keeps_it(make: Make) -> None:
    maker = make("""
    import subprocess
    child = subprocess.Popen(["sleep", "600"])
    cgroup.leave(path)
    print(child.pid, cgroup.own() == before, flush=True)
    """)
    child, _, left = maker.line().partition(" ")
    assert left == "True"
    assert cgroup.members(maker.path) == {int(child)}


def test_groups_that_others_left_empty_are_removed_when_they_are_old(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = make('cgroup.make("0" * 32); print("inside", flush=True)')
    assert maker.line() == "inside"
    left, foreign = f"{maker.path}/opensessions-{'1' * 32}", f"{maker.path}/opensessions-of-somebody"
    os.mkdir(left)
    os.mkdir(foreign)
    cgroup._tidy(maker.path)
    assert os.path.isdir(left)
    monkeypatch.setattr(cgroup, "LEFT", 0.01)
    until(lambda: time.time() - os.lstat(left).st_mtime > cgroup.LEFT)
    cgroup._tidy(maker.path)
    assert not os.path.exists(left)
    assert cgroup.members(foreign) is None
    assert not cgroup.remove(foreign)
    assert os.path.isdir(foreign)
    assert cgroup.members(f"{maker.path}/opensessions-{'0' * 32}") == {maker.pid}


def test_a_folder_that_only_looks_like_one_is_no_evidence(make: Make, tmp_path: Path) -> None:
    """Whoever can write there says what he likes."""
    maker = make()
    fake = tmp_path / f"opensessions-{'a' * 32}"
    fake.mkdir()
    (fake / "cgroup.procs").write_text("1\n")
    link = f"{tmp_path}/opensessions-{'b' * 32}"
    os.symlink(maker.path, link)
    odd = f"{maker.path}/../{os.path.basename(maker.path)}"
    for path in (
        str(fake),
        link,
        odd,
        os.path.dirname(maker.path),
        f"{maker.path}/",
        "",
        "/",
        "opensessions-x",
    ):
        assert cgroup.members(path) is None, path
        assert not cgroup.remove(path), path
    assert fake.is_dir()
    assert cgroup.members(maker.path) == {maker.pid}


@pytest.mark.parametrize(
    ("group", "root", "folder"),
    [
        ("/", "/", "/m"),
        ("/user.slice/x", "/", "/m/user.slice/x"),
        # A container that sees its own part of the tree only.
        ("/docker/1", "/docker/1", "/m"),
        ("/docker/1/x", "/docker/1", "/m/x"),
        ("/docker/12", "/docker/1", ""),
        ("/other", "/docker/1", ""),
        ("/../x", "/", ""),
    ],
)
def test_where_a_group_is_shown(group: str, root: str, folder: str) -> None:
    assert cgroup._folder(group, root, "/m") == folder


def test_a_member_without_a_pid_of_ours_leaves_the_answer_open(make: Make) -> None:
    """To a PID namespace the kernel shows the processes outside of it as 0."""
    maker = make()
    done = inside(
        f"from opensessions.processes import cgroup; print(cgroup.members({maker.path!r}))", "--mount-proc"
    )
    assert (done.stdout, done.stderr) == ("None\n", "")
    assert cgroup.members(maker.path) == {maker.pid}


def test_where_there_are_no_groups_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    cgroup._mount.cache_clear()
    monkeypatch.setattr(cgroup, "_read", lambda path: "")
    try:
        assert cgroup.own() == ""
        assert cgroup.make("0" * 32) == ""
        assert cgroup.members(f"/sys/fs/cgroup/opensessions-{'0' * 32}") is None
        assert not cgroup.remove(f"/sys/fs/cgroup/opensessions-{'0' * 32}")
    finally:
        cgroup._mount.cache_clear()


def test_who_may_not_make_one_goes_without() -> None:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root with setpriv may become another user")
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c", MAKER.format(more="pass"), "0" * 32],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=ROOT, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("\n", "")


def test_a_group_that_may_be_made_but_not_entered_is_removed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a folder that was given to us below one that was not."""
    make()
    nonce = os.urandom(16).hex()
    monkeypatch.setattr(cgroup, "_enter", lambda path: False)
    assert cgroup.make(nonce) == ""
    assert not os.path.exists(f"{cgroup.own()}/opensessions-{nonce}")
