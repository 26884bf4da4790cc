"""Alive, dead, or not known: never a guess."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.processes import identity
from opensessions.processes.identity import (
    ProcId,
    boot_id,
    inode_of,
    liveness,
    namespace,
    own_table,
    pidfds_differ,
    pinned,
    proven_dead,
    read,
    same,
)
from tests.processes.conftest import until


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    made = subprocess.Popen(["sleep", "600"])
    try:
        yield made
    finally:
        made.kill()
        made.wait()


def known(process: subprocess.Popen[bytes]) -> ProcId:
    found = read(process.pid)
    assert found
    return found


def test_a_process_is_named_by_pid_start_and_boot(process: subprocess.Popen[bytes]) -> None:
    found = known(process)
    assert found.pid == process.pid
    assert found.start > 0
    assert found.boot == boot_id() != ""
    assert liveness(found) == "alive"
    assert not proven_dead(found.pid, found.start)


def test_an_exec_does_not_change_it(process: subprocess.Popen[bytes]) -> None:
    made = subprocess.Popen(["bash", "-c", "read; exec sleep 600"], stdin=subprocess.PIPE)
    try:
        before = known(made)
        assert made.stdin
        made.stdin.write(b"\n")
        made.stdin.close()
        until(lambda: Path(f"/proc/{made.pid}/cmdline").read_bytes().startswith(b"sleep"))
        assert known(made) == before
    finally:
        made.kill()
        made.wait()


def test_what_exited_is_dead_even_before_its_parent_asks(process: subprocess.Popen[bytes]) -> None:
    found = known(process)
    process.kill()
    until(lambda: liveness(found) == "dead")
    process.wait()
    assert liveness(found) == "dead"
    assert proven_dead(found.pid, found.start)
    assert proven_dead(found.pid)
    assert read(found.pid) is None


def test_another_process_with_the_same_pid_is_proof(process: subprocess.Popen[bytes]) -> None:
    found = known(process)
    assert liveness(replace(found, start=found.start - 1)) == "dead"
    assert proven_dead(found.pid, found.start + 1)


def test_another_boot_is_proof(process: subprocess.Popen[bytes]) -> None:
    assert liveness(replace(known(process), boot="another")) == "dead"


def test_without_a_boot_the_rest_decides(process: subprocess.Popen[bytes]) -> None:
    assert liveness(replace(known(process), boot="")) == "alive"


def test_a_pid_that_is_in_use_proves_nothing_without_a_start(process: subprocess.Popen[bytes]) -> None:
    assert liveness(ProcId(process.pid, 0)) == "unknown"
    assert not proven_dead(process.pid)


@pytest.mark.parametrize(
    "pid", [0, -1, -process_group if (process_group := os.getpgrp()) else 0, 1 << 31, 10**21]
)
def test_a_number_that_is_no_pid_proves_nothing(pid: int) -> None:
    assert liveness(ProcId(pid, 5)) == "unknown"
    assert not proven_dead(pid, 5)
    assert read(-1) is None


def test_a_process_that_is_hidden_is_unknown(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = known(process)
    monkeypatch.setattr("opensessions.processes.linux._read", lambda path, size: None)
    assert liveness(found) == "unknown"
    assert not proven_dead(found.pid, found.start)


# --- two identities ---------------------------------------------------------------------------------------------

ONE = ProcId(7, 100, "boot", 5, 9)
BARE = ProcId(7, 100)


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (ONE, ONE, "same"),
        (ONE, replace(ONE, inode=0), "same"),
        (replace(ONE, inode=0), replace(ONE, inode=0), "same"),
        (ONE, replace(ONE, pid=8), "different"),
        (ONE, replace(ONE, start=101), "different"),
        (ONE, replace(ONE, inode=10), "different"),
        (ONE, replace(ONE, start=101, inode=0), "different"),
        # The same pid and the same hundredth of a second: only the inode tells them apart.
        (replace(ONE, inode=1), replace(ONE, inode=2), "different"),
        # Another boot has no process of ours, whatever the rest says.
        (ONE, replace(ONE, boot="other"), "different"),
        (ONE, replace(ONE, boot="other", namespace=6), "different"),
        (ONE, replace(ONE, boot="other", start=0, inode=0), "different"),
        # A pid of another namespace may be any process.
        (ONE, replace(ONE, namespace=6), "unproven"),
        (ONE, replace(ONE, namespace=6, pid=8), "unproven"),
        (ONE, replace(ONE, namespace=0), "unproven"),
        # What is missing on one side proves nothing.
        (ONE, replace(ONE, boot=""), "unproven"),
        (ONE, replace(ONE, boot="", pid=8), "unproven"),
        (ONE, replace(ONE, start=0, inode=0), "unproven"),
        (replace(ONE, start=0, inode=0), replace(ONE, start=0, inode=0), "unproven"),
        (ONE, BARE, "unproven"),
        # As on macOS: neither boot, namespace nor inode. Starts are then of the wall clock.
        (BARE, BARE, "same"),
        (BARE, replace(BARE, start=101), "different"),
        (BARE, replace(BARE, pid=8), "different"),
        (BARE, replace(BARE, start=0), "unproven"),
        (replace(BARE, start=0), replace(BARE, start=0), "unproven"),
        (replace(BARE, start=0), replace(BARE, start=0, pid=8), "different"),
    ],
)
def test_are_they_one_process(one: ProcId, other: ProcId, answer: str) -> None:
    assert same(one, other) == answer
    assert same(other, one) == answer


# --- the handle's inode -------------------------------------------------------------------------------------------


def told_apart() -> None:
    if not pidfds_differ():
        pytest.skip("this kernel gives all pidfds one inode")


def test_a_pinned_process_has_an_inode_of_its_own(process: subprocess.Popen[bytes]) -> None:
    told_apart()
    found = pinned(process.pid)
    me = pinned(os.getpid())
    assert found
    assert me
    assert found == replace(known(process), inode=found.inode)
    assert found.inode > 0
    assert me.inode not in (0, found.inode)
    assert pinned(process.pid) == found
    asked = f"from opensessions.processes.identity import pinned; print(pinned({process.pid}).inode)"
    other = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert int(other.stdout) == found.inode
    assert same(found, known(process)) == "same"


def test_no_handle_stays_open(process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    pidfds_differ()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        assert pinned(process.pid)
        pinned(1 << 30)
    with monkeypatch.context() as patch:
        patch.setattr(identity, "read", lambda pid: 1 / 0)
        for _ in range(50):
            with pytest.raises(ZeroDivisionError):
                pinned(process.pid)
    identity._compared.cache_clear()
    assert pidfds_differ() == pidfds_differ()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("pid", [0, -1, 1 << 31, 1 << 40, 10**21])
def test_what_is_no_pid_is_pinned_by_nothing(pid: int) -> None:
    assert pinned(pid) is None


def test_what_is_gone_is_not_pinned(process: subprocess.Popen[bytes]) -> None:
    assert pinned(process.pid)
    process.kill()
    process.wait()
    assert pinned(process.pid) is None


def test_a_pid_given_out_anew_between_two_looks_is_nobody(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handle is the old process's, the start that is then read would be the new one's."""
    found = known(process)

    def late(pid: int) -> ProcId:
        process.kill()
        process.wait()
        return replace(found, start=found.start + 1)

    monkeypatch.setattr(identity, "read", late)
    assert pinned(process.pid) is None


def test_where_all_handles_have_one_inode_it_is_not_told(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before Linux 6.9, where every pidfd is a file of the same anonymous inode."""
    shared = os.stat("/dev/null")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lambda handle: shared)
        identity._compared.cache_clear()
        try:
            assert not pidfds_differ()
            assert inode_of(0) == 0
            assert pinned(process.pid) == known(process)
        finally:
            identity._compared.cache_clear()


@pytest.mark.parametrize(
    "error", [None, OSError(24, "Too many open files"), OSError(38, "Function not implemented")]
)
def test_without_handles_the_rest_is_read(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, error: OSError | None
) -> None:
    """As on macOS, on a kernel without them, and where no descriptor is left."""

    def refuse(pid: int) -> int:
        assert error
        raise error

    with monkeypatch.context() as patch:
        if error is None:
            patch.delattr(os, "pidfd_open")
        else:
            patch.setattr(os, "pidfd_open", refuse)
        identity._compared.cache_clear()
        try:
            assert pinned(process.pid) == known(process)
            assert not pidfds_differ()
        finally:
            identity._compared.cache_clear()


def test_another_users_process_is_known_without_its_inode(process: subprocess.Popen[bytes]) -> None:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root with setpriv may become another user")
    imported = "from opensessions.processes.identity import pinned, read"
    asked = f"{imported}; print(pinned({process.pid}) == read({process.pid}) is not None)"
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c", asked],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


# --- inside another PID namespace -------------------------------------------------------------------------------------

REUSE = """
import os, signal, subprocess
from opensessions.processes.identity import liveness, own_table, pidfds_differ, pinned, read, same
def start(pid):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(pid - 1))
    return subprocess.Popen(["sleep", "60"])
assert own_table() and pinned(os.getpid()).pid == os.getpid()
told = []
for _ in range(60):
    first = start(800)
    was = pinned(800)
    first.kill(); first.wait()
    second = start(800)
    assert second.pid == 800 == first.pid
    now = pinned(800)
    told.append((same(was, now), was.start == now.start, liveness(was)))
    second.kill(); second.wait()
    assert liveness(now) == "dead"
if differ := pidfds_differ():
    assert {answer for answer, _, _ in told} == {"different"}, told
else:
    assert {answer for answer, tick, _ in told if not tick} <= {"different"}, told
print(differ, "same tick:", sum(tick for _, tick, _ in told))
"""


def inside(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the first process of a new PID namespace, which ends with it, and with the test."""
    if not shutil.which("unshare"):
        pytest.skip("there is no unshare")
    for privilege in ((), ("--user", "--map-root-user")):
        tried = subprocess.run(
            ["unshare", *privilege, "-pf", "--mount-proc", "true"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            break
    else:
        pytest.skip(f"PID namespaces cannot be made here: {tried.stderr.decode().strip()}")
    return subprocess.run(
        ["unshare", *privilege, "-pf", "--kill-child", *options, sys.executable, "-c", script],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_a_reused_pid_is_another_process_even_within_one_tick() -> None:
    done = inside(REUSE, "--mount-proc")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{pidfds_differ()} same tick: ")


def test_identities_of_two_namespaces_prove_nothing(process: subprocess.Popen[bytes]) -> None:
    done = inside(
        "import os, subprocess; from opensessions.processes.identity import *\n"
        f"outside = ProcId({process.pid}, {known(process).start}, boot_id(), {namespace()})\n"
        "assert liveness(outside) == 'unknown', liveness(outside)\n"
        "assert namespace() != outside.namespace\n"
        "assert same(read(os.getpid()), outside) == 'unproven'\n"
        "print(namespace())",
        "--mount-proc",
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) != namespace()


def test_a_table_that_counts_otherwise_names_nobody() -> None:
    """A PID namespace that still has its parent's /proc: pid 1 there would be the machine's own."""
    done = inside(
        "import os; from opensessions.processes.identity import *\n"
        "assert os.getpid() == 1 and not own_table()\n"
        "assert read(1) is None and pinned(1) is None\n"
        "assert liveness(ProcId(1, 5, boot_id(), namespace())) == 'unknown'\n"
    )
    assert done.returncode == 0, done.stderr
    assert own_table()


def test_a_system_without_a_table_in_files_counts_as_we_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS."""
    real = os.readlink
    with monkeypatch.context() as patch:
        patch.setattr(os, "readlink", lambda path: real("/nonexistent"))
        patch.setattr(os.path, "exists", lambda path: False)
        own_table.cache_clear()
        assert own_table()
        patch.setattr(os.path, "exists", lambda path: True)
        own_table.cache_clear()
        assert not own_table()
    own_table.cache_clear()
    assert own_table()
