"""Linux's inotify(7) by ctypes: no thread, no polling, one descriptor in the event loop.

The packages that wrap it find libc with `ctypes.util.find_library`, which starts a compiler or `ldconfig`, and the
larger ones read in threads that wake up.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from struct import calcsize, unpack_from

from msgspec import Struct

MODIFY, ATTRIB, MOVED_FROM, MOVED_TO = 0x2, 0x4, 0x40, 0x80
CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x100, 0x200, 0x400, 0x800
OVERFLOW, IGNORED = 0x4000, 0x8000
MASK_ADD = 0x20000000
ITSELF = DELETE_SELF | MOVE_SELF
EVERYTHING = MODIFY | ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE | ITSELF
COMING = CREATE | MOVED_TO | ITSELF
"""What is of interest in a folder where something is expected: not what is written beside it."""
HEADER = "iIII"
ROOM = 64 << 10


class Notice(Struct, frozen=True, gc=False):
    """Something happened to what `watch` names; `name` is the entry's in a watched folder, "" for itself."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One descriptor. OSError where the system has no inotify or gives no more of it."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError("this system has no inotify")
        self.handle = self._checked(self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))

    def add(self, path: str, mask: int = EVERYTHING) -> int:
        """Watch a file or folder, beside what it is watched for already; the same number for the same inode. OSError
        where that cannot be."""
        return self._checked(self._libc.inotify_add_watch(self.handle, os.fsencode(path), mask | MASK_ADD))

    def remove(self, watch: int) -> None:
        """Watch it no more. One that the kernel has removed itself is left."""
        self._libc.inotify_rm_watch(self.handle, watch)

    def read(self) -> Iterator[Notice]:
        """What has happened since the last reading."""
        try:
            data = os.read(self.handle, ROOM)
        except BlockingIOError:
            return
        at = 0
        while at + calcsize(HEADER) <= len(data):
            watch, mask, _, length = unpack_from(HEADER, data, at)
            at += calcsize(HEADER)
            yield Notice(watch, mask, os.fsdecode(data[at : at + length].split(b"\0", 1)[0]))
            at += length

    def close(self) -> None:
        """Watch nothing more."""
        os.close(self.handle)

    @staticmethod
    def _checked(answer: int) -> int:
        if answer < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return answer
