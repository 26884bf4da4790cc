"""Which server lives: told by a lock and a proven death, never by a guess."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from opensessions.errors import AlreadyRunning, OpenSessionsError, Refused, UnsafePath
from opensessions.processes import instances as module
from opensessions.processes.identity import ProcId, liveness, pinned
from opensessions.processes.instances import Holder, Instance, instance_liveness, living, tidy
from tests.processes.conftest import PATIENCE, until

ROOT = Path(__file__).parents[2]
HOLDER = """
import os, sys, time
from opensessions.processes.instances import Instance
held = Instance.claim(sys.argv[1], sys.argv[2])
{more}
print("held", flush=True)
sys.stdin.read()
"""


class Server:
    """A process that holds an instance's lock until its standard input ends."""

    def __init__(self, state: Path, id: str, more: str = "") -> None:
        self.id = id
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER.format(more=more), str(state), id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        self.said = self.process.stdout.readline().decode().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


Serve = Callable[..., Server]


@pytest.fixture
def serve(state: Path) -> Iterator[Serve]:
    """Start servers that end with the test."""
    made: list[Server] = []

    def start(id: str = "", more: str = "") -> Server:
        made.append(Server(state, id or str(uuid.uuid4()), more))
        return made[-1]

    try:
        yield start
    finally:
        for each in made:
            each.end()


def lock(state: Path, id: str) -> Path:
    return state / "instances" / f"{id}.lock"


def fake(state: Path, id: str, process: ProcId | None, host: str | None = None) -> Path:
    """A lock file that nobody holds."""
    for folder in (state, state / "instances"):
        folder.mkdir(0o700, exist_ok=True)
    data = msgspec.json.encode(Holder(process, module._host() if host is None else host)) if process else b""
    lock(state, id).write_bytes(data)
    lock(state, id).chmod(0o600)
    return lock(state, id)


@pytest.fixture
def gone() -> ProcId:
    """A process that was."""
    process = subprocess.Popen(["sleep", "600"])
    found = pinned(process.pid)
    process.kill()
    process.wait()
    assert found
    return found


def test_a_server_that_holds_its_lock_lives(serve: Serve, state: Path) -> None:
    server = serve()
    assert server.said == "held"
    assert instance_liveness(str(state), server.id) == "alive"
    holder = msgspec.json.decode(lock(state, server.id).read_bytes(), type=Holder)
    assert holder.process == pinned(server.process.pid)
    assert lock(state, server.id).stat().st_mode & 0o777 == 0o600
    assert lock(state, server.id).parent.stat().st_mode & 0o777 == 0o700


def test_a_stopped_one_lives(serve: Serve, state: Path) -> None:
    server = serve()
    server.process.send_signal(signal.SIGSTOP)
    until(lambda: _state(server.process.pid) == "T")
    assert instance_liveness(str(state), server.id) == "alive"


def test_a_killed_one_is_dead_even_as_a_zombie(serve: Serve, state: Path) -> None:
    server = serve()
    server.process.kill()
    until(lambda: _state(server.process.pid) == "Z")
    assert instance_liveness(str(state), server.id) == "dead"
    server.process.wait()
    assert instance_liveness(str(state), server.id) == "dead"


def test_one_whose_forked_child_lives_on_is_not_dead(serve: Serve, state: Path) -> None:
    """The child has the lock too, and whatever else the server had."""
    server = serve(more="if (child := os.fork()) == 0:\n    time.sleep(600)\nprint(child, flush=True)")
    child = int(server.said)
    try:
        server.process.kill()
        server.process.wait()
        assert instance_liveness(str(state), server.id) == "alive"
    finally:
        os.kill(child, signal.SIGKILL)
    until(lambda: instance_liveness(str(state), server.id) == "dead")


def test_a_program_that_it_started_does_not_hold_its_lock(serve: Serve, state: Path) -> None:
    more = "import subprocess; print(subprocess.Popen(['sleep', '600'], close_fds=False).pid, flush=True)"
    server = serve(more=more)
    try:
        server.process.kill()
        server.process.wait()
        assert instance_liveness(str(state), server.id) == "dead"
    finally:
        os.kill(int(server.said), signal.SIGKILL)


def test_one_that_has_let_go_is_dead_only_when_it_has_ended(serve: Serve, state: Path) -> None:
    server = serve(more="held.release()")
    assert instance_liveness(str(state), server.id) == "unknown"
    server.end()
    assert instance_liveness(str(state), server.id) == "dead"
    assert lock(state, server.id).exists()


def test_where_its_file_was_lost_nothing_is_known(serve: Serve, state: Path) -> None:
    server = serve()
    lock(state, server.id).unlink()
    assert instance_liveness(str(state), server.id) == "unknown"
    server.end()
    assert instance_liveness(str(state), server.id) == "unknown"


def test_where_its_file_was_replaced_the_process_counts(serve: Serve, state: Path) -> None:
    """As by a backup that was put back."""
    server = serve()
    data = lock(state, server.id).read_bytes()
    lock(state, server.id).unlink()
    lock(state, server.id).write_bytes(data)
    assert instance_liveness(str(state), server.id) == "unknown"
    server.end()
    assert instance_liveness(str(state), server.id) == "dead"


def test_a_lock_that_is_lost_while_it_is_judged_proves_nothing(
    state: Path, gone: ProcId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file bears the name by now: somebody else's lock."""
    id = str(uuid.uuid4())
    path = fake(state, id, gone)
    real = fcntl.flock

    def replaced(handle: int, kind: int) -> None:
        real(handle, kind)
        path.rename(f"{path}.old")
        fake(state, id, gone)

    monkeypatch.setattr(fcntl, "flock", replaced)
    assert instance_liveness(str(state), id) == "unknown"


def test_no_id_is_nobodys() -> None:
    assert instance_liveness("/nonexistent", "") == "dead"


@pytest.mark.parametrize(
    "id",
    [
        "x", "../x", "..", ".", "/", "default", "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f", " ",
        "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f30", "B3C3DD09-A5D8-4E1A-8C3A-0B1F6AB7A0F3",
        "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3\n", "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f３",
        "b3c3dd09a5d84e1a8c3a0b1f6ab7a0f3",
        "../instances/b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3",
    ],
)  # fmt: skip
def test_what_is_no_id_is_unknown_and_never_claimed(state: Path, gone: ProcId, id: str) -> None:
    fake(state, "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3", gone)
    assert instance_liveness(str(state), "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3") == "dead"
    assert instance_liveness(str(state), id) == "unknown"
    before = sorted(os.listdir(state / "instances"))
    with pytest.raises(Refused):
        Instance.claim(str(state), id)
    assert sorted(os.listdir(state / "instances")) == before


def test_ids_that_begin_alike_are_two(serve: Serve, state: Path) -> None:
    first, second = "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3", "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f4"
    living, dying = serve(first), serve(second)
    dying.end()
    assert instance_liveness(str(state), first) == "alive"
    assert instance_liveness(str(state), second) == "dead"
    tidy(str(state), ())
    assert os.listdir(state / "instances") == [f"{first}.lock"]
    assert living.process.poll() is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"4242", b"null", b'{"process":{}}', b'{"process":{"pid":4242,"start":5}}', b"\xff" * 80,
        b'{"process":{"pid":true,"start":5},"host":"x"}', b"[" * 4000, b"\0" * 4096,
    ],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_a_corrupt_file_proves_nothing(state: Path, data: bytes, gone: ProcId) -> None:
    id = str(uuid.uuid4())
    path = fake(state, id, gone)
    assert instance_liveness(str(state), id) == "dead"
    path.write_bytes(data)
    assert instance_liveness(str(state), id) == "unknown"
    tidy(str(state), ())
    assert path.exists()


@pytest.mark.parametrize("pid", [0, 1, -1, 1 << 40])
def test_an_odd_pid_in_it_proves_nothing(state: Path, gone: ProcId, pid: int) -> None:
    id = str(uuid.uuid4())
    start = 0 if pid == 1 else gone.start
    fake(state, id, replace(gone, pid=pid, start=start, inode=0))
    assert instance_liveness(str(state), id) == "unknown"


def test_another_namespace_proves_nothing(state: Path, gone: ProcId) -> None:
    id = str(uuid.uuid4())
    fake(state, id, replace(gone, namespace=gone.namespace + 1))
    assert instance_liveness(str(state), id) == "unknown"


def test_another_machine_proves_nothing(state: Path, gone: ProcId) -> None:
    """A home that machines share shows the locks of all of them, and each has a boot of its own."""
    id = str(uuid.uuid4())
    fake(state, id, replace(gone, boot="another"), host="another")
    assert instance_liveness(str(state), id) == "unknown"
    fake(state, id, replace(gone, boot="another"))
    assert instance_liveness(str(state), id) == "dead"


def test_a_file_that_is_not_ours_alone_proves_nothing(state: Path, gone: ProcId) -> None:
    id = str(uuid.uuid4())
    path = fake(state, id, gone)
    os.link(path, state / "second")
    assert instance_liveness(str(state), id) == "unknown"
    (state / "second").unlink()
    assert instance_liveness(str(state), id) == "dead"
    path.rename(state / "other")
    path.symlink_to(state / "other")
    assert instance_liveness(str(state), id) == "unknown"
    path.unlink()
    os.mkfifo(path, 0o600)
    assert instance_liveness(str(state), id) == "unknown"
    path.unlink()
    path.mkdir()
    assert instance_liveness(str(state), id) == "unknown"


def test_another_owner_proves_nothing(state: Path, gone: ProcId) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a file away")
    id = str(uuid.uuid4())
    os.chown(fake(state, id, gone), 12345, -1)
    assert instance_liveness(str(state), id) == "unknown"


def test_what_may_not_be_read_proves_nothing(serve: Serve, state: Path, gone: ProcId) -> None:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root with setpriv may become another user")
    id = str(uuid.uuid4())
    fake(state, id, gone)
    asked = (
        f"from opensessions.processes.instances import *; print(instance_liveness({str(state)!r}, {id!r}))"
    )
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c", asked],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert done.stdout == "unknown\n"


@pytest.mark.parametrize("number", [38, 37], ids=["ENOSYS", "ENOLCK"])
def test_a_file_system_without_locks(
    state: Path, gone: ProcId, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    id = str(uuid.uuid4())
    fake(state, id, gone)

    def refuse(handle: int, kind: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert instance_liveness(str(state), id) == "unknown"
    with pytest.raises(OpenSessionsError, match="local file system"):
        Instance.claim(str(state), str(uuid.uuid4()))


# --- claiming -------------------------------------------------------------------------------------------------------


def test_our_own_is_alive_and_our_asking_does_not_let_go_of_it(state: Path) -> None:
    id = str(uuid.uuid4())
    held = Instance.claim(str(state), id)
    try:
        for _ in range(3):
            assert instance_liveness(str(state), id) == "alive"
        tidy(str(state), ())
        asked = f"from opensessions.processes.instances import *; print(instance_liveness({str(state)!r}, {id!r}))"
        done = subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT, check=True
        )
        assert done.stdout == "alive\n"
    finally:
        held.release()
    assert instance_liveness(str(state), id) == "unknown"


def test_our_own_is_not_opened_to_ask(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On NFS, closing any handle of the file would let go of the lock."""
    id = str(uuid.uuid4())
    held = Instance.claim(str(state), id)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
            assert instance_liveness(str(state), id) == "alive"
            tidy(str(state), ())
    finally:
        held.release()


def test_one_lock_has_one_holder(serve: Serve, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    before = lock(state, server.id).read_bytes()
    with pytest.raises(AlreadyRunning):
        Instance.claim(str(state), server.id)
    assert lock(state, server.id).read_bytes() == before
    assert instance_liveness(str(state), server.id) == "alive"


def test_somebody_who_asks_does_not_hinder_a_claim(
    state: Path, gone: ProcId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking takes the lock for a moment."""
    monkeypatch.setattr(module, "PATIENCE", PATIENCE)  # a process may take long to come to its end
    id = str(uuid.uuid4())
    handle = os.open(fake(state, id, gone), os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    started = time.monotonic()
    letting_go = subprocess.Popen(["sleep", "0.1"], pass_fds=[handle])  # holds it for as long as it runs
    os.close(handle)
    try:
        Instance.claim(str(state), id).release()
    finally:
        letting_go.wait()
    assert time.monotonic() - started >= 0.1


def test_a_folder_that_is_not_ours_alone_is_refused(state: Path) -> None:
    state.mkdir(0o755)
    with pytest.raises(UnsafePath):
        Instance.claim(str(state), str(uuid.uuid4()))


def test_a_link_in_its_place_is_refused(state: Path, tmp_path: Path) -> None:
    id = str(uuid.uuid4())
    target = tmp_path / "target"
    target.write_text("precious")
    (state / "instances").mkdir(0o700, parents=True)
    state.chmod(0o700)
    lock(state, id).symlink_to(target)
    with pytest.raises(UnsafePath):
        Instance.claim(str(state), id)
    assert target.read_text() == "precious"


def test_the_servers_that_hold_a_lock_are_known_by_pid(serve: Serve, state: Path, gone: ProcId) -> None:
    assert living(str(state)) == frozenset()
    first, second, dying = serve(), serve(), serve()
    fake(state, str(uuid.uuid4()), gone)
    (state / "instances" / first.id).touch()
    held = Instance.claim(str(state), str(uuid.uuid4()))
    try:
        pids = {first.process.pid, second.process.pid}
        assert living(str(state)) == pids | {dying.process.pid}
        dying.end()
        assert living(str(state)) == pids
    finally:
        held.release()


# --- tidying ----------------------------------------------------------------------------------------------------------


def test_only_the_files_of_the_dead_are_removed_and_none_that_is_wanted(
    serve: Serve, state: Path, gone: ProcId
) -> None:
    living, dead, wanted, unknown = serve(), str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())
    for id in (dead, wanted):
        fake(state, id, gone)
    fake(state, unknown, None)
    (state / "instances" / "notes.txt").touch()
    for id in (dead, wanted):
        (state / "instances" / id).touch()
    tidy(str(state), {wanted})
    names = sorted([f"{living.id}.lock", f"{wanted}.lock", f"{unknown}.lock", "notes.txt", dead, wanted])
    assert sorted(os.listdir(state / "instances")) == names
    assert instance_liveness(str(state), living.id) == "alive"
    assert liveness(gone) == "dead"


def test_where_there_are_none_nothing_is_tidied(state: Path) -> None:
    tidy(str(state), ())
    assert not state.exists()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
