"""The folder of receipts: nothing in it is believed that is not exactly ours, and nothing is lost without a word."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.errors import Refused, UnsafePath
from opensessions.processes import receipts as module
from opensessions.processes.identity import ProcId, pinned
from opensessions.processes.receipt import Receipt, encode
from opensessions.processes.receipts import Receipts
from tests.processes.conftest import until

WRITER = """
import os, sys, time
from opensessions.processes.receipts import Receipts
from tests.processes.test_receipts import made
kept = Receipts(sys.argv[1])
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    receipt = made(number)
    kept.write(receipt)
    if number % 2:
        kept.drop(receipt)
"""


def made(number: int = 1, *, created: float = 5.0, uid: int | None = None, pid: int = 4242) -> Receipt:
    return Receipt(
        process=ProcId(pid, 77, "boot", 5), origin="managed", agent="codex", agent_id="",
        uid=os.geteuid() if uid is None else uid, group=0, session=0, comm="codex", exe="/bin/codex", argv_hash="",
        place=None, instance="", nonce=f"{number:032x}", created=created,
    )  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def kept(state: Path) -> Receipts:
    return Receipts(str(state))


def file(state: Path, receipt: Receipt) -> Path:
    return state / "receipts" / f"{receipt.nonce}.json"


def put(state: Path, receipt: Receipt, data: bytes | None = None) -> Path:
    """A file as a correct writer would leave it, but for its `data`."""
    Receipts(str(state)).write(receipt)
    path = file(state, receipt)
    if data is not None:
        path.write_bytes(data)
    return path


def settle(state: Path) -> None:
    """As if nothing had been changed for a while."""
    os.utime(state / "receipts", (time.time() - 60, time.time() - 60))


def test_where_nothing_was_written_there_is_nothing(kept: Receipts, state: Path) -> None:
    assert kept.read() == ()
    assert kept.stamp() == kept.stamp()
    assert not state.exists()


def test_what_was_written_is_read_the_oldest_first(kept: Receipts, state: Path) -> None:
    late, early, also = made(1, created=9.0), made(2, created=3.0), made(3, created=9.0)
    for receipt in (late, early, also):
        kept.write(receipt)
    assert kept.read() == (early, late, also)
    assert Receipts(str(state)).read() == (early, late, also)


def test_only_we_can_look_at_them(kept: Receipts, state: Path) -> None:
    before = os.umask(0)
    try:
        kept.write(made())
    finally:
        os.umask(before)
    assert [state.stat().st_mode & 0o777, (state / "receipts").stat().st_mode & 0o777] == [0o700, 0o700]
    assert file(state, made()).stat().st_mode & 0o7777 == 0o600
    assert os.listdir(state / "receipts") == [f"{made().nonce}.json"]


def test_a_receipt_may_be_written_anew(kept: Receipts) -> None:
    kept.write(made())
    assert kept.read() == (made(),)
    told = replace(made(), agent_id="tmux-00:%1:4242.77")
    kept.write(told)
    assert kept.read() == (told,)


def test_dropped_is_gone_and_dropping_twice_is_no_fault(kept: Receipts, state: Path) -> None:
    kept.write(made(1))
    kept.write(made(2))
    assert len(kept.read()) == 2
    kept.drop(made(1))
    kept.drop(made(1))
    assert kept.read() == (made(2),)


@pytest.mark.parametrize("nonce", ["", "../x", "x" * 32, "0" * 31, "0" * 33])
def test_a_nonce_never_leads_out_of_the_folder(kept: Receipts, nonce: str) -> None:
    for act in (kept.write, kept.drop):
        with pytest.raises(Refused):
            act(replace(made(), nonce=nonce))


@pytest.mark.parametrize(
    "receipt",
    [made(pid=1), made(uid=os.geteuid() + 1), replace(made(), exe="\u00e9" * 4000)],
    ids=["pid 1", "another user", "too large"],
)
def test_what_no_reader_would_believe_is_not_written(kept: Receipts, state: Path, receipt: Receipt) -> None:
    with pytest.raises(Refused, match="is not written"):
        kept.write(receipt)
    assert not state.exists()


# --- what is not ours -------------------------------------------------------------------------------------------


def refuses(state: Path, path: Path, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    """It is set aside, named once, and the others are read all the same."""
    kept = Receipts(str(state))
    kept.write(made(99))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert kept.read() == (made(99),)
    assert not os.path.lexists(path)
    assert os.path.lexists(f"{path}.corrupt-1")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert str(path) in said[0]
    assert reason in said[0]


def test_a_corrupt_one_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = put(state, made(), b"{")
    refuses(state, path, caplog, "is not JSON")
    assert Path(f"{path}.corrupt-1").read_bytes() == b"{"


def test_an_empty_one_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    refuses(state, put(state, made(), b""), caplog, "is not JSON")


def test_an_endless_one_is_not_read_to_its_end(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = put(state, made())
    os.truncate(path, 1 << 40)
    refuses(state, path, caplog, "larger than 16 KiB")


def test_one_with_another_name_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A copy would outlive the receipt that it is of."""
    refuses(state, put(state, made(1), encode(made(2))), caplog, "another receipt")


def test_one_of_another_user_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = encode(made(1, uid=os.geteuid() + 1))
    refuses(state, put(state, made(1), data), caplog, "process of user")


def test_a_symbolic_link_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(encode(made()))
    target.chmod(0o600)
    path = put(state, made())
    path.unlink()
    path.symlink_to(target)
    refuses(state, path, caplog, "no ordinary file")
    assert target.read_bytes() == encode(made())


def test_a_second_name_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    path = put(state, made())
    os.link(path, tmp_path / "second")
    refuses(state, path, caplog, "second name")


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o400, 0o700, 0o000, 0o4600])
def test_another_mode_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture, mode: int) -> None:
    path = put(state, made())
    path.chmod(mode)
    refuses(state, path, caplog, f"{mode:04o}")


def test_another_owner_is_set_aside(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a file away")
    path = put(state, made())
    os.chown(path, 12345, -1)
    refuses(state, path, caplog, "user 12345")


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket"])
def test_what_is_no_file_is_set_aside(short: Path, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    import socket

    path = put(short / "state", made())
    path.unlink()
    if kind == "folder":
        path.mkdir(0o600)
    elif kind == "pipe":
        os.mkfifo(path, 0o600)
    else:
        with socket.socket(socket.AF_UNIX) as line:
            line.bind(str(path))
    refuses(short / "state", path, caplog, "no ordinary file")


def test_one_that_cannot_be_moved_away_is_left_and_named_once(
    kept: Receipts, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(state, made(), b"{")
    for number in range(1, 10):
        Path(f"{path}.corrupt-{number}").touch()
    with caplog.at_level(logging.WARNING):
        assert [kept.read(), kept.read()] == [(), ()]
    assert len(caplog.records) == 1
    assert path.exists()


def test_a_newer_version_is_left_alone(kept: Receipts, state: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = encode(made()).replace(b'"version":1', b'"version":2', 1)
    path = put(state, made(), data)
    with caplog.at_level(logging.WARNING):
        assert [kept.read(), kept.read()] == [(), ()]
    assert path.read_bytes() == data
    assert os.listdir(path.parent) == [path.name]
    assert [record.getMessage() for record in caplog.records if "another version" in record.getMessage()]
    assert len(caplog.records) == 1


def test_our_own_process_is_nobodys_orphan(kept: Receipts) -> None:
    me = pinned(os.getpid())
    assert me
    kept.write(replace(made(1), process=me))
    kept.write(replace(made(2), process=replace(me, start=me.start + 1, inode=0)))
    # One of another namespace with our pid may be ours; what has another pid there is not.
    kept.write(replace(made(3), process=replace(me, namespace=me.namespace + 1, inode=0)))
    kept.write(
        replace(made(4), process=replace(me, namespace=me.namespace + 1, inode=0, pid=me.pid % 9999 + 2))
    )
    assert [receipt.nonce for receipt in kept.read()] == [made(2).nonce, made(4).nonce]


def test_other_files_are_left_alone(kept: Receipts, state: Path) -> None:
    kept.write(made())
    folder = state / "receipts"
    names = ["notes.txt", f"{made().nonce}.json~", f"{made().nonce.upper()[:-1]}A.json", f"{'0' * 33}.json", "x.json",
             f"{made().nonce}.json.corrupt-1", f".{made().nonce}.json"]  # fmt: skip
    for name in names:
        (folder / name).write_bytes(encode(made()))
    assert kept.read() == (made(),)
    assert sorted(os.listdir(folder)) == sorted([*names, f"{made().nonce}.json"])


def test_what_a_killed_writer_left_is_removed_after_a_minute(kept: Receipts, state: Path) -> None:
    kept.write(made())
    folder = state / "receipts"
    old, young, foreign = (
        f"{made(2).nonce}.json.77.0badcafe",
        f"{made(2).nonce}.json.78.0badcafe",
        "x.json.77.0badcafe",
    )
    for name in (old, young, foreign):
        (folder / name).touch(0o600)
    for name in (old, foreign):
        os.utime(folder / name, (time.time() - 61, time.time() - 61))
    assert kept.read() == (made(),)
    assert sorted(os.listdir(folder)) == sorted([f"{made().nonce}.json", young, foreign])


def test_only_so_many_are_read(
    kept: Receipts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(5):
        kept.write(made(number))
    with caplog.at_level(logging.WARNING):
        assert len(kept.read()) == 3
        kept.read()
    assert [record.getMessage() for record in caplog.records] == [
        f"{kept._folder} holds more than 3 receipts; the others are not looked at."
    ]
    assert Path(kept._folder, f"{made(4).nonce}.json").exists()


def fill(path: Path) -> None:
    """Until the disk takes no more."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


# --- a folder that is not ours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["", "receipts"])
def test_a_folder_that_others_can_enter_is_refused(kept: Receipts, state: Path, which: str) -> None:
    kept.write(made())
    (state / which).chmod(0o755)
    with pytest.raises(UnsafePath):
        kept.write(made(2))
    if which:
        with pytest.raises(UnsafePath):
            Receipts(str(state)).read()


def test_a_folder_that_is_a_link_is_refused(kept: Receipts, state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Receipts(str(other)).write(made())
    state.mkdir(0o700)
    (state / "receipts").symlink_to(other / "receipts")
    for act in (kept.read, lambda: kept.write(made(2))):
        with pytest.raises(UnsafePath):
            act()


def test_a_full_disk_is_said_and_leaves_nothing(small_disk: Path) -> None:
    kept = Receipts(str(small_disk / "state"))
    kept.write(made(1))
    fill(small_disk / "ballast")
    with pytest.raises(Refused, match="cannot be saved"):
        kept.write(made(2))
    assert os.listdir(small_disk / "state" / "receipts") == [f"{made(1).nonce}.json"]
    assert kept.read() == (made(1),)


# --- cheap when nothing has changed -----------------------------------------------------------------------------


def test_an_unchanged_folder_is_not_read_again(
    kept: Receipts, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write(made())
    settle(state)
    stamp = kept.stamp()
    first = kept.read()
    monkeypatch.setattr(os, "listdir", lambda *_: pytest.fail("it was listed"))
    assert kept.read() is first
    assert kept.stamp() == stamp


def test_a_folder_that_was_just_changed_is_never_taken_for_unchanged(kept: Receipts) -> None:
    """The clock of many file systems moves 250 times a second: two changes may have one time."""
    kept.write(made())
    assert kept.stamp() != kept.stamp()


def test_every_change_has_another_stamp(kept: Receipts, state: Path) -> None:
    kept.write(made(1))
    settle(state)
    stamps = [kept.stamp()]
    for act in (lambda: kept.write(made(2)), lambda: kept.drop(made(1)), lambda: kept.write(made(2))):
        act()
        stamps.append(kept.stamp())
        settle(state)
    assert len({id(stamp) for stamp in stamps}) == len(set(stamps)) == 4


def test_only_what_differs_is_read_again(kept: Receipts, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        kept.write(made(number))
    kept.read()
    read, real = [], module._read
    monkeypatch.setattr(module, "_read", lambda path, name: read.append(name) or real(path, name))  # type: ignore[func-returns-value]
    kept.write(made(3, created=8.0))
    kept.drop(made(1))
    assert [receipt.nonce[-1] for receipt in kept.read()] == ["0", "2", "4", "3"]
    assert read == [f"{made(3).nonce}.json"]


def test_what_could_not_be_read_once_is_tried_again(
    kept: Receipts, state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept.write(made())
    settle(state)
    real = os.open

    def full(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith(".json"):
            raise OSError(24, "Too many open files")
        return real(path, flags, mode)

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "open", full)
        assert [kept.read(), kept.read()] == [(), ()]
    assert len(caplog.records) == 1
    assert kept.read() == (made(),)
    assert file(state, made()).exists()


# --- several at once ----------------------------------------------------------------------------------------------


def test_what_vanishes_meanwhile_is_no_fault(
    kept: Receipts, state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        kept.write(made(number))
    real = os.lstat

    def vanishing(path: str) -> os.stat_result:
        found = real(path)
        if path.endswith(f"{made(1).nonce}.json"):
            os.unlink(path)
        return found

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "lstat", vanishing)
        assert kept.read() == (made(0), made(2))
    assert not caplog.records


@pytest.mark.parametrize("times", [1, 4, 1000])
def test_one_that_is_replaced_while_it_is_read_is_not_corrupt(
    kept: Receipts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    """What was opened has no name any more then."""
    kept.write(made())
    opened = []
    real = os.open

    def replacing(path: str, flags: int, mode: int = 0o777) -> int:
        handle = real(path, flags, mode)
        if path.endswith(".json"):
            opened.append(path)
            if len(opened) <= times:
                kept.write(made(1, created=5.0 + len(opened)))
        return handle

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "open", replacing)
        assert kept.read() == ((made(1, created=5.0 + times),) if times < 1000 else ())
    assert not caplog.records
    assert len(opened) == min(times + 1, module.TRIES)
    (found,) = kept.read()
    assert found.process == made().process


def test_two_threads_read_one_after_the_other(kept: Receipts, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write(made())
    inside, go_on, entered = threading.Event(), threading.Event(), []
    real = module._read

    def slow(path: str, name: str) -> Receipt:
        entered.append(name)
        inside.set()
        assert go_on.wait(20)
        return real(path, name)

    monkeypatch.setattr(module, "_read", slow)
    answers: list[tuple[Receipt, ...]] = []
    threads = [threading.Thread(target=lambda: answers.append(kept.read())) for _ in range(2)]
    try:
        threads[0].start()
        assert inside.wait(20)
        threads[1].start()
        threads[1].join(0.05)  # would be inside by then
        assert len(entered) == 1
    finally:
        go_on.set()
        for thread in threads:
            if thread.ident:
                thread.join(20)
    assert answers == [(made(),), (made(),)]


def test_a_reader_sees_whole_receipts_while_others_write(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Receipts(str(state))
    command = [sys.executable, "-c", WRITER, str(state), "300"]
    writers = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    try:
        with caplog.at_level(logging.WARNING):
            until(lambda: kept.read())
            while any(writer.poll() is None for writer in writers):
                assert {
                    receipt for receipt in kept.read() if receipt != made(int(receipt.nonce, 16))
                } == set()
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert not caplog.records
    settle(state)
    assert kept.read() == tuple(made(number) for number in range(0, 300, 2))


def test_what_was_replaced_while_it_was_read_is_read_again(
    kept: Receipts, state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the new file bears every mark of the one that was there first: within a tick of the file system's
    clock an inode is used again."""
    kept.write(made())
    opens = os.open
    replaced: list[str] = []

    def replacing(path: str, *rest: int) -> int:
        handle = opens(path, *rest)
        if path.endswith(".json") and not replaced:
            replaced.append(path)
            Receipts(str(state)).write(made())
        return handle

    monkeypatch.setattr("opensessions.processes.receipts.os.open", replacing)
    monkeypatch.setattr("opensessions.processes.receipts._changed", lambda path, found: False)
    with caplog.at_level(logging.WARNING):
        assert kept.read() == (made(),)
    assert replaced
    assert not caplog.records


def test_a_writer_killed_at_any_moment_leaves_no_broken_receipt(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, str(state), "1000000"]
        writer = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
        try:
            assert writer.stdout
            assert writer.stdout.readline() == b"ready\n"
            until(lambda: Receipts(str(state)).read())
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            writer.stdout.close()
    with caplog.at_level(logging.WARNING):
        assert all(receipt == made(int(receipt.nonce, 16)) for receipt in Receipts(str(state)).read())
    assert not caplog.records
