"""Bounded reading, on real files."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from opensessions.files.disk import ROWS, Disk


@pytest.fixture
def disk() -> Disk:
    return Disk()


def test_part_counts_from_either_end(disk: Disk, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"0123456789")
    expected = {
        (0, 3): (b"012", 0),
        (-3, 3): (b"789", 7),
        (-99, 4): (b"0123", 0),
        (8, 9): (b"89", 8),
        (20, 1): (b"", 20),
    }
    for (start, length), (data, begin) in expected.items():
        part = disk.part(str(file), start, length)
        assert part is not None
        assert (part.data, part.start, part.size) == (data, begin, 10)
        assert part.inode == file.stat().st_ino


def test_what_is_no_regular_file_is_not_read_and_not_waited_for(disk: Disk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path / "pipe",
        tmp_path,
        tmp_path / "missing",
        Path("/dev/zero"),
        tmp_path / ("x" * 300),
    ):
        assert disk.part(str(path), 0, 10) is None
        assert disk.read(str(path)) is None
    assert disk.read("a\0b") is None
    assert disk.list(str(tmp_path / "pipe")) == ()


def test_a_sparse_giant_costs_its_tail_only(disk: Disk, tmp_path: Path) -> None:
    file = tmp_path / "giant"
    with file.open("wb") as giant:
        giant.truncate(1 << 40)
        giant.seek(0, os.SEEK_END)
        giant.write(b"end")
    part = disk.part(str(file), -3, 3)
    assert part is not None
    assert part.data == b"end"
    assert disk.read(str(file)) is None
    huge = disk.part(str(file), 0, 1 << 40)
    assert huge is not None
    assert len(huge.data) < 8 << 20


def test_list_gives_the_newest_first(disk: Disk, tmp_path: Path) -> None:
    for age, name in enumerate(("new", "older", "oldest")):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    assert [entry.name for entry in disk.list(str(tmp_path))] == ["new", "older", "oldest"]
    assert [entry.name for entry in disk.list(str(tmp_path), 1)] == ["new"]
    assert disk.list(str(tmp_path))[2].size == len("oldest")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not tell of open files")
def test_open_files_of_a_process(disk: Disk, tmp_path: Path) -> None:
    with (tmp_path / "held").open("w"):
        assert str(tmp_path / "held") in disk.open_by(os.getpid())
    assert str(tmp_path / "held") not in disk.open_by(os.getpid())
    assert disk.open_by(2**30) == ()


def test_a_process_starts_once(disk: Disk) -> None:
    assert disk.stat_start(os.getpid()) is not None
    assert disk.stat_start(2**30) is None
    assert disk.stat_start(0) is None


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "with space?&#.db"
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (id INTEGER, text TEXT)")
        writer.executemany("INSERT INTO t VALUES (?, ?)", [(n, f"text {n}") for n in range(3)])
    writer.close()
    return path


def test_query_sees_what_a_living_writer_has_committed(disk: Disk, database: Path) -> None:
    writer = sqlite3.connect(database, isolation_level=None)
    try:
        writer.execute("INSERT INTO t VALUES (3, 'fresh')")
        assert disk.query(str(database), "SELECT text FROM t WHERE id >= ? ORDER BY id", [2]) == [
            ("text 2",),
            ("fresh",),
        ]
    finally:
        writer.close()


def test_query_never_writes_and_never_raises(disk: Disk, database: Path, tmp_path: Path) -> None:
    for sql in ("DELETE FROM t", "SELECT missing FROM t", "nonsense", "SELECT * FROM other"):
        assert disk.query(str(database), sql) is None
    assert disk.query(str(database), "SELECT count(*) FROM t") == [(3,)]
    (tmp_path / "garbage").write_bytes(b"no database" * 1000)
    assert disk.query(str(tmp_path / "garbage"), "SELECT 1 FROM t") is None
    assert disk.query(str(tmp_path / "missing"), "SELECT 1") is None
    assert not (tmp_path / "missing").exists()
    assert disk.query("a\0b", "SELECT 1") is None


def test_query_is_bounded(disk: Disk, database: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
    assert disk.query(str(database), endless) is None
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n"
    rows = disk.query(str(database), many)
    assert rows is not None
    assert len(rows) == ROWS
    assert disk.query(str(database), "SELECT randomblob(10000000)") is None


def test_text_that_is_no_utf8_is_read(disk: Disk, database: Path) -> None:
    with sqlite3.connect(database) as writer:
        writer.execute("UPDATE t SET text = CAST(x'ff41' AS TEXT) WHERE id = 0")
    writer.close()
    assert disk.query(str(database), "SELECT text FROM t WHERE id = 0") == [("\ufffdA",)]
