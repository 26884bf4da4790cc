"""What was done is written down first, whole, by nobody else's hand, and can be read by people and terminals."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions.errors import Refused, UnsafePath
from opensessions.processes import audit as audit_module
from opensessions.processes.audit import KEPT, LIMIT, Audit, Unfinished, read, unfinished
from opensessions.processes.identity import ProcId


@pytest.fixture
def log(tmp_path: Path) -> Audit:
    return Audit(str(tmp_path / "reap.log"))


def intent(audit: Audit, ending: str, *pids: int) -> None:
    tree: list[dict[str, str | int]] = [
        {"pid": pid, "start": 10 * pid, "inode": 100 * pid, "comm": "x"} for pid in pids
    ]
    audit.write("intent", ending=ending, pid=pids[0], start=10 * pids[0], boot="b", namespace=7, tree=tree)


def test_an_entry_is_a_line_of_json_for_its_owner_alone(log: Audit) -> None:
    log.about(agent="codex", pane="%7").write("signal", pid=42, start=5, signal="SIGTERM")
    (line,) = Path(log.path).read_text().splitlines()
    entry = json.loads(line)
    assert entry.pop("at") > 1_700_000_000
    assert entry == {
        "kind": "signal", "agent": "codex", "pane": "%7", "pid": 42, "start": 5, "signal": "SIGTERM"
    }  # fmt: skip
    assert os.stat(log.path).st_mode & 0o777 == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(why=st.text(max_size=100))
def test_nothing_in_it_acts_on_a_terminal(log: Audit, why: str) -> None:
    log.write("refused", why=why)
    data = Path(log.path).read_bytes()
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in data)
    assert read(log.path)[-1]["why"] == why


def test_bytes_that_are_no_text_are_written_all_the_same(log: Audit) -> None:
    log.write("refused", why=os.fsdecode(b"\xff\x7f\x9b"))
    assert read(log.path)[0]["why"] == os.fsdecode(b"\xff\x7f\x9b")
    assert b"\x7f" not in Path(log.path).read_bytes()


def test_a_long_text_is_cut(log: Audit) -> None:
    log.write("refused", why="x" * 5000)
    assert len(read(log.path)[0]["why"]) == audit_module.LONGEST + 1


def test_an_intent_is_on_the_disk_before_anything_is_done(
    log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), real(handle))
    )
    log.write("signal", pid=1)
    assert synced == []
    log.write("intent", pid=1)
    assert synced == [log.path]
    Path(log.path).unlink()
    synced.clear()
    log.write("intent", pid=1)
    assert synced == [log.path, os.path.dirname(log.path)], "a new file's name as well"


def test_it_is_rotated_and_nothing_is_lost_of_what_is_kept(log: Audit) -> None:
    text = "x" * audit_module.LONGEST
    for number in range(4 * LIMIT // 450):
        log.write("sweep", number=number, why=text)
    folder = Path(log.path).parent
    assert sorted(path.name for path in folder.iterdir()) == ["reap.log", "reap.log.1", "reap.log.2"]
    assert all(path.stat().st_size <= LIMIT for path in folder.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    numbers = [entry["number"] for entry in read(log.path)]
    assert numbers == list(range(numbers[0], 4 * LIMIT // 450))
    assert len(numbers) > (KEPT - 1) * (LIMIT // 500)


def test_several_servers_write_into_one_log(log: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole lines, none lost, through a rotation."""
    program = (
        "import sys\nfrom opensessions.processes import audit\n"
        "audit.LIMIT, audit.PATIENCE = 30_000, 60\n"
        "log = audit.Audit(sys.argv[1])\n"
        "for number in range(200): log.write('sweep', who=sys.argv[2], number=number, why='x' * 50)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, log.path, who]) for who in "abcd"]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    entries = read(log.path)
    for who in "abcd":
        numbers = [entry["number"] for entry in entries if entry["who"] == who]
        assert numbers == list(range(200 - len(numbers), 200))
    assert len(entries) > 400
    assert not Path(f"{log.path}.3").exists()


def test_who_waited_for_a_file_that_was_rotated_away_writes_into_the_new_one(
    log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write("sweep", number=1)
    handle = audit_module._locked(log.path)
    waiting, real = threading.Event(), audit_module._lock

    def lock(handle: int) -> None:
        waiting.set()
        real(handle)

    monkeypatch.setattr(audit_module, "_lock", lock)
    writer = threading.Thread(target=log.write, args=("sweep",), kwargs={"number": 2})
    writer.start()
    try:
        assert waiting.wait(20)
        os.rename(log.path, f"{log.path}.1")
    finally:
        os.close(handle)
        writer.join()
    assert json.loads(Path(log.path).read_text())["number"] == 2
    assert [entry["number"] for entry in read(log.path)] == [1, 2]


# --- where it cannot be written -----------------------------------------------------------------------------------


def fill(log: Audit, entry: dict[str, Any]) -> None:
    """Write it until it is refused."""
    for _ in range(100):
        log.write("intent", **entry)


def test_a_full_disk_is_refused_and_leaves_no_half_line(small_disk: Path) -> None:
    log = Audit(str(small_disk / "reap.log"))
    log.write("sweep", number=1)
    size = os.stat(log.path).st_size
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * ((64 << 10) - 2 * os.sysconf("SC_PAGE_SIZE")))
    entry = {"ending": "a", "why": "x" * 400, "pid": 5}
    with pytest.raises(Refused, match="nothing is ended"):
        fill(log, entry)
    assert Path(log.path).read_bytes()[size:].count(b"\n") == len(read(log.path)) - 1
    assert Path(log.path).read_bytes().endswith(b"\n")
    filler.unlink()
    log.write("intent", why="again")
    assert read(log.path)[-1]["why"] == "again"


def test_a_write_that_stops_half_way_is_taken_back(log: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write("sweep", number=1)
    before = Path(log.path).read_bytes()
    real = os.write
    calls: list[int] = []

    def little(handle: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data[:5])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", little)
        with pytest.raises(Refused):
            log.write("intent")
    assert Path(log.path).read_bytes() == before


def test_a_line_that_was_cut_off_spoils_no_other(log: Audit) -> None:
    log.write("sweep", number=1)
    with open(log.path, "a") as file:
        file.write('{"kind": "intent", "pi')
    log.write("sweep", number=2)
    assert [entry["number"] for entry in read(log.path)] == [1, 2]


@pytest.mark.parametrize("kind", ["link", "folder", "mode", "pipe"])
def test_a_file_that_is_not_ours_alone_is_refused(log: Audit, kind: str) -> None:
    path = Path(log.path)
    elsewhere = path.with_name("elsewhere")
    elsewhere.write_text("precious")
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path, 0o600)
    else:
        path.write_text("")
        path.chmod(0o666)
    with pytest.raises((Refused, UnsafePath)):
        log.write("intent")
    assert elsewhere.read_text() == "precious"


def test_what_has_happened_is_noted_or_said_to_be_lost(log: Audit, caplog: pytest.LogCaptureFixture) -> None:
    log.note("outcome", pid=1)
    assert read(log.path)[0]["pid"] == 1
    Audit(str(Path(log.path).with_name("missing") / "reap.log")).note("outcome", pid=2)
    assert "Lost: outcome" in caplog.text


def test_another_server_that_hangs_while_it_writes_is_not_waited_for_for_ever(
    log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "PATIENCE", 0.05)
    log.write("sweep")
    handle = audit_module._locked(log.path)
    try:
        with pytest.raises(Refused):
            log.write("intent")
    finally:
        os.close(handle)
    log.write("intent")


def test_no_log_has_no_entries(log: Audit) -> None:
    assert read(log.path) == ()


# --- what a killed server left ------------------------------------------------------------------------------------


def test_what_has_no_outcome_is_unfinished(log: Audit) -> None:
    intent(log, "a", 40, 41, 42)
    intent(log, "b", 50)
    log.write("outcome", ending="a", pid=41, start=410, result="killed")
    log.write("outcome", ending="b", pid=50, start=500, result="killed")
    intent(log, "a", 43)
    (found,) = unfinished(read(log.path))
    assert found.tree == tuple(ProcId(pid, 10 * pid, "b", 7, 100 * pid) for pid in (40, 42, 43))
    assert found.entry["ending"] == "a"


def test_an_outcome_of_another_process_with_the_pid_finishes_nothing(log: Audit) -> None:
    intent(log, "a", 40)
    log.write("outcome", ending="a", pid=40, start=401, result="killed")
    log.write("outcome", ending="b", pid=40, start=400, result="killed")
    assert len(unfinished(read(log.path))) == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("kind", "ending", "tree", "boot", "namespace", "pid", "start", "inode")
entries = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["intent", "outcome", "a"]) | anything)


@given(st.lists(entries, max_size=8))
def test_no_entry_is_too_strange(strange: list[dict[str, object]]) -> None:
    for found in unfinished(strange):
        assert isinstance(found, Unfinished)
        for each in found.tree:
            assert all(type(number) is int for number in (each.pid, each.start, each.inode, each.namespace))


def test_a_log_that_is_a_pipe_holds_nothing(log: Audit) -> None:
    os.mkfifo(log.path)
    assert read(log.path) == ()
