"""The singleton: `flock` on `<runtime>/server.pid`, held for the server's life. The file is never unlinked.

The lock is the truth and the content advice: a pid in a file says nothing about who lives, and unlinking a lock
file lets a second server in.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import NamedTuple

from opensessions import paths
from opensessions.errors import AlreadyRunning, OpenSessionsError, UnsafePath

PATIENCE = 0.2
"""Seconds for which a held lock is tried again: somebody may only be looking at it."""


class Holder(NamedTuple):
    """What the second line of the file says, as JSON."""

    pid: int
    version: str
    root: str
    """The folder that the package was loaded from."""
    instance: str
    started: float


class Guard:
    """The held lock."""

    def __init__(self, path: str, handle: int) -> None:
        self._path = path
        self._handle = handle
        found = os.fstat(handle)
        self._inode = (found.st_dev, found.st_ino)

    @classmethod
    def acquire(cls, runtime: str) -> Guard:
        """Take the lock. AlreadyRunning where another process holds it; UnsafePath where the file is not an
        ordinary file of ours; OpenSessionsError on a file system without locks (no degraded mode)."""
        path = paths.pid_file(runtime)
        deadline = time.monotonic() + PATIENCE
        while True:
            handle = _open(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(handle)
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise OpenSessionsError(
                        f"{path} cannot be locked ({error.strerror});"
                        " set OPENSESSIONS_RUNTIME_DIR to a directory on a local file system."
                    ) from error
                if time.monotonic() >= deadline:
                    raise AlreadyRunning("Another server is running here.") from error
                time.sleep(0.02)
                continue
            guard = cls(path, handle)
            if guard.intact():
                return guard
            guard.release()

    def announce(self, holder: Holder) -> None:
        """Write who we are into the file."""
        import json  # only the winner needs it: many starts at once must be cheap for the losers

        data = f"{holder.pid}\n{json.dumps(holder._asdict())}\n".encode()
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, data, 0)

    def intact(self) -> bool:
        """Is the file at the path still the one that we hold? False after the runtime directory vanished."""
        try:
            found = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._inode

    def release(self) -> None:
        """Let go of the lock; the file stays."""
        os.close(self._handle)


def _open(path: str) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafePath(f"{path} is a symbolic link; remove it.") from error
        raise UnsafePath(f"{path} cannot be opened: {error.strerror}.") from error
    found = os.fstat(handle)
    if found.st_mode & 0o170000 != 0o100000 or found.st_uid != os.geteuid() or found.st_nlink > 1:
        os.close(handle)
        raise UnsafePath(f"{path} is not an ordinary file of yours with a single name; move it away.")
    return handle
