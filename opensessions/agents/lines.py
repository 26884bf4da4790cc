"""A growing file of lines, read from its end, a bounded piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from opensessions.agents.adapter import Files

FIRST = 64 << 10
"""Bytes that the first reading begins with; four times as many each time that they do not suffice."""
MOST = 4 << 20
"""Bytes from the end that the first reading looks at, at most; and that any later one takes in."""
LONGEST = 1 << 20
"""Bytes of one line; a longer one is left out."""


class Fresh(Struct, frozen=True):
    """What a reading gave."""

    lines: tuple[bytes, ...]
    """Complete lines without their ends, oldest first."""
    anew: bool
    """It is not the continuation of the last reading: the file is another one, was cut or rewritten, or
    this is the first. What was concluded from earlier lines no longer counts."""
    modified: bool
    """There is something in it that the last reading did not have."""


NOTHING = Fresh((), False, False)


class Lines:
    """Remembers how far one path was read. A line that is not complete yet is left for the next reading."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode = -1
        self._offset = 0
        """Up to where complete lines were given out."""
        self._before = b""
        """The last bytes given out: where the file was rewritten in place, others stand there."""

    def read(self, files: Files, enough: Callable[[Sequence[bytes]], bool] = lambda lines: True) -> Fresh:
        """The lines that have come since the last reading. At the first one: those at the end of the file,
        as many as it takes until `enough` says so of the lines (oldest first), the file begins, or MOST is
        reached."""
        if self._inode == -1:
            return self._begin(files, enough)
        probe = files.part(self.path, max(0, self._offset - len(self._before)), len(self._before) + MOST)
        if probe is None:
            return self._begin(files, enough)
        continued = (
            probe.inode == self._inode and probe.data.startswith(self._before) and probe.size >= self._offset
        )
        if not continued:
            return self._begin(files, enough)
        if probe.size - self._offset > MOST:  # more than can be taken in: only its end counts
            return self._begin(files, enough)
        return self._take(probe.data[len(self._before) :], anew=False)

    def _begin(self, files: Files, enough: Callable[[Sequence[bytes]], bool]) -> Fresh:
        length = FIRST
        while True:
            part = files.part(self.path, -length, length)
            if part is None:
                gone = self._inode != -1
                self._inode, self._offset, self._before = -1, 0, b""
                return Fresh((), gone, gone)
            skipped = 0
            if part.start:
                skipped = part.data.find(b"\n") + 1 or len(part.data)
            lines = _split(part.data[skipped:])[0]
            if part.start == 0 or length >= MOST or enough(lines):
                self._inode, self._offset, self._before = part.inode, part.start + skipped, b""
                return self._take(part.data[skipped:], anew=True)
            length *= 4

    def _take(self, data: bytes, anew: bool) -> Fresh:
        lines, used = _split(data)
        if used:
            self._offset += used
            self._before = (self._before + data[:used])[-64:]
        elif len(data) > LONGEST:
            pass  # an endless line: it is left out once its end has come
        return Fresh(lines, anew, anew or bool(lines))


def _split(data: bytes) -> tuple[tuple[bytes, ...], int]:
    """The complete lines, and how many bytes they take."""
    used = data.rfind(b"\n") + 1
    found = (line.removesuffix(b"\r") for line in data[:used].split(b"\n"))
    return tuple(line for line in found if line and len(line) <= LONGEST), used
