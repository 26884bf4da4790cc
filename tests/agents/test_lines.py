"""A growing file of lines, read from its end, on real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.adapter import Part
from opensessions.agents.lines import FIRST, LONGEST, MOST, NOTHING, Lines
from opensessions.files.disk import Disk


class Counting(Disk):
    """Counts the bytes that were read."""

    def __init__(self) -> None:
        self.bytes = 0

    def part(self, path: str, start: int, length: int) -> Part | None:
        part = super().part(path, start, length)
        self.bytes += len(part.data) if part else 0
        return part


@pytest.fixture
def disk() -> Counting:
    return Counting()


def test_each_line_is_given_once(disk: Counting, tmp_path: Path) -> None:
    file = tmp_path / "a"
    lines = Lines(str(file))
    assert lines.read(disk) == NOTHING
    file.write_bytes(b"one\ntwo\nthr")
    fresh = lines.read(disk)
    assert (fresh.lines, fresh.anew, fresh.modified) == ((b"one", b"two"), True, True)
    assert lines.read(disk).lines == ()
    with file.open("ab") as more:
        more.write(b"ee\r\n\nfour\n")
    fresh = lines.read(disk)
    assert (fresh.lines, fresh.anew) == ((b"three", b"four"), False)
    assert not lines.read(disk).modified


def test_another_file_in_its_place_begins_anew(disk: Counting, tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_bytes(b"one\ntwo\n")
    lines = Lines(str(file))
    lines.read(disk)
    other.write_bytes(b"one\ntwo\nthree\n")
    other.replace(file)
    assert (lines.read(disk).anew, lines.read(disk).lines) == (True, ())
    file.write_bytes(b"1\n")  # cut
    fresh = lines.read(disk)
    assert (fresh.lines, fresh.anew) == ((b"1",), True)
    file.write_bytes(b"2\n3\n")  # rewritten in place, and longer
    fresh = lines.read(disk)
    assert (fresh.lines, fresh.anew) == ((b"2", b"3"), True)
    file.unlink()
    fresh = lines.read(disk)
    assert (fresh.lines, fresh.anew, fresh.modified) == ((), True, True)
    assert not lines.read(disk).modified


def test_the_end_of_a_giant_is_enough(disk: Counting, tmp_path: Path) -> None:
    file = tmp_path / "giant"
    with file.open("wb") as giant:
        giant.truncate(500 << 20)
        giant.seek(0, 2)
        giant.write(b"\nlast\n")
    lines = Lines(str(file))
    assert lines.read(disk).lines == (b"last",)
    assert disk.bytes <= 2 * (FIRST + MOST) + 200
    disk.bytes = 0
    with file.open("ab") as more:
        more.write(b"more\n")
    assert lines.read(disk).lines == (b"more",)
    assert disk.bytes < 200


def test_it_goes_back_until_it_is_enough_and_no_further(disk: Counting, tmp_path: Path) -> None:
    file = tmp_path / "a"
    noise = b"x" * 1000 + b"\n"
    file.write_bytes(b"far\n" + noise * 8000 + b"near\n" + noise * 300)
    found = Lines(str(file)).read(disk, lambda lines: b"near" in lines).lines
    assert b"near" in found
    assert b"far" not in found
    assert disk.bytes < 3 << 20
    disk.bytes = 0
    assert b"far" not in Lines(str(file)).read(disk, lambda lines: b"far" in lines).lines
    assert disk.bytes < 3 * MOST


def test_an_endless_line_is_left_out(disk: Counting, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one\n" + b"y" * (LONGEST + 1) + b"\ntwo\n")
    assert Lines(str(file)).read(disk, lambda lines: b"one" in lines).lines == (b"one", b"two")


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_pieces_of_any_size_make_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    file = tmp_path_factory.mktemp("lines") / "a"
    file.write_bytes(b"")
    lines, found = Lines(str(file)), []
    for piece in pieces:
        with file.open("ab") as more:
            more.write(piece)
        found += lines.read(Disk()).lines
    whole = b"".join(pieces)
    complete = whole[: whole.rfind(b"\n") + 1].split(b"\n")
    assert found == [line.removesuffix(b"\r") for line in complete if line.removesuffix(b"\r")]
