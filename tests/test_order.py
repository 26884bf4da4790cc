from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions import order

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TARGETS = st.from_regex(r"\$[0-9]{1,4}", fullmatch=True)


@given(st.lists(st.tuples(TARGETS, NAMES)))
def test_names_cannot_break_the_file(rows: list[tuple[str, str]]) -> None:
    data = order.encode(rows)
    found = order.decode(data)
    assert [target for target, _ in found] == [target for target, _ in rows]
    assert data.count(b"\n") == len(rows)
    for (_, name), (_, shown) in zip(rows, found, strict=True):
        assert len(shown) == len(name)
        assert all(a == b or b == "?" for a, b in zip(name, shown, strict=True))


@given(st.binary())
def test_garbage_is_never_guessed_at(data: bytes) -> None:
    for target, _ in order.decode(data):
        assert target
        assert "\t" not in target


def test_a_line_without_its_end_is_left_out() -> None:
    assert order.decode(b"$1\ta\n$2\tb") == [("$1", "a")]


def test_write_replaces_only_different_bytes(tmp_path: Path) -> None:
    path = str(tmp_path / "ordering")
    assert order.write(path, b"$1\ta\n")
    first = os.stat(path).st_ino
    assert not order.write(path, b"$1\ta\n")
    assert os.stat(path).st_ino == first
    assert order.write(path, b"$2\tb\n")
    assert order.read(path) == [("$2", "b")]
    assert os.listdir(tmp_path) == ["ordering"]


def test_a_full_disk_leaves_the_old_file_and_no_other(small_disk: Path) -> None:
    path = str(small_disk / "ordering")
    order.write(path, b"$1\ta\n")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        order.write(path, b"$2\tb\n" * 4096)
    assert order.read(path) == [("$1", "a")]
    assert sorted(os.listdir(small_disk)) == ["filler", "ordering"]


def test_a_file_older_than_the_multiplexer_is_cold(tmp_path: Path) -> None:
    path = str(tmp_path / "ordering")
    order.write(path, b"$1\ta\n")
    os.utime(path, (1000, 1000))
    assert order.read(path, 999.0) == [("$1", "a")]
    assert order.read(path, 1001.0) is None


def test_a_link_a_directory_and_a_fifo_are_cold(tmp_path: Path) -> None:
    order.write(str(tmp_path / "real"), b"$1\ta\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name in ("missing", "link", "folder", "fifo"):
        assert order.read(str(tmp_path / name)) is None
