"""The folder of receipts: `<state>/receipts`, one file for each, named by its nonce.

What is not exactly a file of ours is set aside and named in the log; it entitles to nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import threading
import time
from contextlib import suppress

from opensessions import paths
from opensessions.errors import Refused
from opensessions.private import Corrupt, set_aside, write_private
from opensessions.processes import cgroup
from opensessions.processes.identity import ProcId, read, same
from opensessions.processes.receipt import LARGEST, NONCE, AnotherVersion, Receipt, encode, faults, parse

log = logging.getLogger(__name__)

NAME = re.compile(r"[0-9a-f]{32}\.json")
UNFINISHED = re.compile(r"[0-9a-f]{32}\.json\.[0-9]+\.[0-9a-f]{8}")
"""What a writer that was killed has left."""
MOST = 4096
"""Receipts that are read."""
SETTLED = 2.0
"""Seconds: a folder that was changed more recently may be changed again without a sign, since the clock of file systems
is coarse."""
TRIES = 5
"""Times that a file is read which is replaced while it is read."""
ABANDONED = 60.0
"""Seconds after which no writer is still at work."""


class Receipts:
    """The receipts of one state directory. All calls block; threads and processes may use it at once."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._folder = f"{state}/receipts"
        self._known: dict[str, tuple[tuple[int, ...], Receipt]] = {}
        """By file name, with what tells that the file is still the same."""
        self._read: tuple[object, tuple[Receipt, ...]] = (object(), ())
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def write(self, receipt: Receipt) -> None:
        """Keep it, for good. Refused where the disk does not take it or no reader would believe it; UnsafePath where
        the folder is not ours alone."""
        path = self._path(receipt)
        for fault in faults(receipt):
            raise Refused(f"{path} is not written: the receipt {fault}.")
        if receipt.uid != os.geteuid():
            raise Refused(f"{path} is not written: the process belongs to user {receipt.uid}.")
        data = encode(receipt)
        if len(data) > LARGEST:
            raise Refused(f"{path} is not written: the receipt would be larger than 16 KiB.")
        paths.ensure_private(self._state)
        paths.ensure_private(self._folder)
        write_private(path, data)

    def read(self) -> tuple[Receipt, ...]:
        """All that can be understood, the oldest first; without one of our own process, which is nobody's orphan.
        UnsafePath where the folder is not ours alone, Refused where it cannot be listed."""
        with self._lock:
            stamp = self.stamp()
            if stamp == self._read[0]:
                return self._read[1]
            names = self._names()
            self._known = {name: found for name, found in self._known.items() if name in names}
            told = [self._learn(name) for name in sorted(names)[:MOST]]
            if len(names) > MOST:
                self._say(f"{self._folder} holds more than {MOST} receipts; the others are not looked at.")
            me = read(os.getpid())
            found = (receipt for _, receipt in self._known.values() if not _is(me, receipt.process))
            receipts = tuple(sorted(found, key=lambda receipt: (receipt.created, receipt.nonce)))
            self._read = (stamp if all(told) else object(), receipts)
            return receipts

    def drop(self, receipt: Receipt) -> None:
        """Its process is proven gone: forget it, and its control group if that is empty. Refused where the file cannot
        be removed."""
        path = self._path(receipt)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Refused(f"{path} cannot be removed ({error.strerror}).") from error
        if receipt.cgroup:
            cgroup.remove(receipt.cgroup)

    def stamp(self) -> object:
        """Differs from an earlier one if the folder was changed since; it may also differ without. One system call."""
        try:
            found = os.stat(self._folder, follow_symlinks=False)
        except OSError:
            return None
        settled = time.time() - found.st_mtime > SETTLED
        return (found.st_dev, found.st_ino, found.st_mtime_ns) if settled else object()

    def _path(self, receipt: Receipt) -> str:
        if not NONCE.fullmatch(receipt.nonce):
            raise Refused(f"{receipt.nonce!r} names no receipt.")
        return f"{self._folder}/{receipt.nonce}.json"

    def _names(self) -> set[str]:
        """The files that bear a receipt's name. What killed writers have left is removed."""
        try:
            paths.check_private(self._folder)
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise Refused(f"{self._folder} cannot be listed ({error.strerror}).") from error
        for name in filter(UNFINISHED.fullmatch, names):
            with suppress(OSError):
                if time.time() - os.lstat(f"{self._folder}/{name}").st_mtime > ABANDONED:
                    os.unlink(f"{self._folder}/{name}")
        return set(filter(NAME.fullmatch, names))

    def _learn(self, name: str) -> bool:
        """Read one file unless it is known. False where it could not be told what is in it."""
        path = f"{self._folder}/{name}"
        for _ in range(TRIES):
            known = self._known.pop(name, None)
            found = None
            try:
                found = os.lstat(path)
                if known and known[0] == _mark(found):
                    self._known[name] = known
                else:
                    _check(found)
                    self._known[name] = (_mark(found), _read(path, name))
            except FileNotFoundError:
                pass
            except AnotherVersion as error:
                self._say(f"{path} {error}; it is left alone, and its process too.")
            except _Replaced:
                continue
            except Corrupt as error:
                if _changed(path, found):
                    continue
                self._set_aside(path, str(error))
            except OSError as error:
                self._say(f"{path} cannot be read ({error.strerror}).")
                return False
            return True
        return False

    def _set_aside(self, path: str, reason: str) -> None:
        try:
            set_aside(path, reason)
        except Refused as error:
            if os.path.lexists(path):
                self._say(str(error))
            return
        self._say(f"{path} {reason}; it was set aside and its process is left alone.")

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            log.warning("%s", text)


class _Replaced(Exception):
    """Another file has taken the name of the one that was opened. The new one may bear the inode, the size and the time
    of the one that was there before, so its marks prove nothing."""


def _read(path: str, name: str) -> Receipt:
    """Corrupt where it is not a file that this program wrote; OSError where the system does not let us read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Corrupt("is no ordinary file") from error
        raise
    try:
        opened = os.fstat(handle)
        if opened.st_nlink == 0:
            raise _Replaced
        _check(opened)
        with open(handle, "rb", closefd=False) as file:
            receipt = parse(file.read(LARGEST + 1))
    finally:
        os.close(handle)
    if f"{receipt.nonce}.json" != name:
        raise Corrupt("is another receipt's file")
    if receipt.uid != os.geteuid():
        raise Corrupt(f"is of a process of user {receipt.uid}")
    return receipt


def _is(me: ProcId | None, process: ProcId) -> bool:
    """May this process be the one that asks?"""
    return process.pid == os.getpid() and (me is None or same(me, process) != "different")


def _check(found: os.stat_result) -> None:
    """Corrupt unless it is an ordinary file of ours, which nobody else can open, with a single name."""
    if found.st_mode & 0o170000 != 0o100000:
        raise Corrupt("is no ordinary file")
    if found.st_uid != os.geteuid():
        raise Corrupt(f"belongs to user {found.st_uid}")
    if found.st_mode & 0o7777 != 0o600:
        raise Corrupt(f"has the mode {found.st_mode & 0o7777:04o} instead of 0600")
    if found.st_nlink != 1:
        raise Corrupt("has a second name")


def _changed(path: str, found: os.stat_result | None) -> bool:
    """Has the file been replaced or removed since? What was wrong was then the old one, of which nothing is left."""
    try:
        return found is None or _mark(os.lstat(path)) != _mark(found)
    except OSError:
        return True


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
