"""What the real system says of real processes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions.processes.linux import CMDLINE, LinuxSource
from opensessions.processes.portable import PortableSource
from opensessions.processes.source import ProcessSource, this_system
from tests.processes.conftest import Shell, until

FIRST_THREAD_EXITS = """
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
print('ready', flush=True)
ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[platform.machine()], 0)
"""


@pytest.fixture(params=[LinuxSource, PortableSource])
def source(request: pytest.FixtureRequest) -> ProcessSource:
    made: ProcessSource = request.param()
    return made


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_this_system_has_a_source() -> None:
    assert isinstance(this_system(), LinuxSource)
    assert this_system() is this_system()


def test_we_know_ourselves(source: ProcessSource) -> None:
    stat = source.stat(os.getpid())
    assert stat
    assert (stat.pid, stat.ppid, stat.session) == (os.getpid(), os.getppid(), os.getsid(0))
    assert not stat.exited
    assert os.getpid() in source.pids()
    assert source.file(os.getpid()) == os.path.realpath(sys.executable)
    argv, path = source.program(os.getpid())
    assert path == os.path.realpath(sys.executable)
    assert list(argv) == Path("/proc/self/cmdline").read_bytes().decode().rstrip("\0").split("\0")


def test_a_start_is_within_the_clock(source: ProcessSource) -> None:
    before = source.now()
    with subprocess.Popen(["sleep", "600"]) as process:
        stat = source.stat(process.pid)
        after = source.now()
        process.kill()
    assert stat
    # psutil adds the ticks to a boot time that is known to the second.
    slack = 3 if isinstance(source, LinuxSource) else 150
    assert before - slack <= stat.start <= after + slack


def test_a_name_may_hold_parentheses_and_blanks(source: ProcessSource, shell: Shell, tmp_path: Path) -> None:
    script = tmp_path / "x) R (y z"
    script.write_text("#!/bin/bash\nsleep 600; :\n")
    script.chmod(0o755)
    process = subprocess.Popen([str(script)], start_new_session=True)
    try:
        stat = until(lambda: (found := source.stat(process.pid)) and found.comm == "x) R (y z" and found)
        assert (stat.ppid, stat.session) == (os.getpid(), process.pid)
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def test_an_exec_keeps_the_pid_and_changes_the_file(source: ProcessSource, shell: Shell) -> None:
    before, file = source.stat(shell.pid), source.file(shell.pid)
    shell.type("exec sleep 600")
    # In the middle of an exec the name is the new one already, and there is no command line.
    until(lambda: source.program(shell.pid)[0] == ("sleep", "600"))
    after = source.stat(shell.pid)
    assert before
    assert after
    assert (after.start, after.comm) == (before.start, "sleep")
    assert source.file(shell.pid) not in (None, file)


def test_odd_command_lines(source: ProcessSource, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nsleep 600; :\n")
    script.chmod(0o755)
    words = ("", "two words", "new\nline", "é🦊", "x" * 2 * CMDLINE)
    process = subprocess.Popen([str(script), *words], start_new_session=True)
    try:
        argv = until(lambda: (found := source.program(process.pid)[0]) and found[0] == "/bin/sh" and found)
        assert argv[1:6] == (str(script), *words[:4])
        assert len("\0".join(argv)) <= CMDLINE
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def test_an_executable_that_was_replaced_keeps_its_name(source: ProcessSource, tmp_path: Path) -> None:
    program = tmp_path / "2.1.329"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    with subprocess.Popen([str(program), "600"]) as process:
        until(lambda: source.file(process.pid) == str(program))
        program.unlink()
        file = source.file(process.pid)
        process.kill()
    assert file == str(program)


def test_what_is_gone_is_not_there(source: ProcessSource) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert source.stat(process.pid) is None
    assert source.file(process.pid) is None
    assert source.program(process.pid) == ((), "")
    assert process.pid not in source.pids()


def test_a_zombie_has_exited(source: ProcessSource) -> None:
    process = subprocess.Popen(["true"])
    try:
        until(lambda: (stat := source.stat(process.pid)) and stat.exited)
    finally:
        process.wait()


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="needs the number of a system call"
)
def test_a_process_whose_first_thread_ended_has_not_exited(source: ProcessSource) -> None:
    process = subprocess.Popen([sys.executable, "-c", FIRST_THREAD_EXITS], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        until(lambda: b") Z " in Path(f"/proc/{process.pid}/stat").read_bytes())
        stat = source.stat(process.pid)
        assert stat
        assert not stat.exited
    finally:
        process.kill()
        process.communicate()


def test_threads_are_not_among_the_new_processes() -> None:
    source = LinuxSource()
    code = (
        "import threading, time\n"
        "found = [threading.Thread(target=time.sleep, args=(600,), daemon=True) for _ in range(3)]\n"
        "[each.start() for each in found]\n"
        "print(*[each.native_id for each in found], flush=True)\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        threads = [int(word) for word in process.stdout.readline().split()]
        found = [[stat.pid for stat in source.between(pid - 1, pid)] for pid in (process.pid, *threads)]
        process.kill()
    assert found == [[process.pid], [], [], []]


def test_the_newest_changes_with_each_process() -> None:
    source = LinuxSource()
    said = {source.newest()}
    for _ in range(3):
        subprocess.run(["true"], check=True)
        said.add(source.newest())
    assert len(said) == 4
    assert None not in said


def test_looking_is_cheap(sleeper: subprocess.Popen[bytes]) -> None:
    """A promise with much room, so that a busy machine does not break it: thousands of looks in a second."""
    source = LinuxSource()
    before = time.process_time()
    for _ in range(1000):
        source.file(sleeper.pid)
    assert time.process_time() - before < 0.5
