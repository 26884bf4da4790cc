"""Files that are ours alone: bounded reads, atomic writes with mode 0600, and what cannot be understood set aside."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opensessions.errors import OpenSessionsError, Refused, UnsafePath

LIMIT = 1 << 20
"""Bytes; none of these files is ever larger."""
ASIDE = 9
"""Corrupt files that are kept of each name."""
PATIENCE = 2.0
"""Seconds to wait for a lock that is held for microseconds."""


class Corrupt(OpenSessionsError):
    """A file of ours holds what this version did not write. The message completes "PATH …"."""


def read_private(path: str) -> bytes | None:
    """The file's bytes; None where there is none.

    UnsafePath for a link, somebody else's file or one that others may write; Corrupt above the limit; Refused
    where the system does not let us read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafePath(
                f"{path} is a symbolic link; remove it, opensessions keeps a file of its own there."
            ) from error
        raise Refused(f"{path} cannot be read ({error.strerror}).") from error
    try:
        found = os.fstat(handle)
        if found.st_mode & 0o170000 != 0o100000:
            raise UnsafePath(f"{path} is not a regular file; move it away.")
        if found.st_uid != os.geteuid():
            raise UnsafePath(
                f"{path} belongs to user {found.st_uid}, not to you ({os.geteuid()}); move it away."
            )
        if found.st_mode & 0o022:
            raise UnsafePath(
                f"{path} can be written by other users; look at it, then run: chmod 600 '{path}'"
            )
        with open(handle, "rb", closefd=False) as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).") from error
    finally:
        os.close(handle)
    if len(data) > LIMIT:
        raise Corrupt("is larger than 1 MiB")
    return data


def write_private(path: str, data: bytes) -> None:
    """Replace the file at once and for good (mode 0600), its old content is kept until the new is on the disk.
    Refused, with nothing changed and no temporary file left, where the disk is full or may not be written."""
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            os.rename(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise Refused(f"{path} cannot be saved ({error.strerror}); what it held before stays.") from error


def set_aside(path: str, reason: str) -> str:
    """Move a file that cannot be understood to `PATH.corrupt-N` and say so. Refused, with the file left where it
    is, if that fails or there are ASIDE of them already."""
    for number in range(1, ASIDE + 1):
        aside = f"{path}.corrupt-{number}"
        if os.path.lexists(aside):
            continue
        try:
            os.rename(path, aside)
        except OSError as error:
            raise Refused(
                f"{path} {reason} and cannot be moved away ({error.strerror}); it is kept and nothing is saved there."
            ) from error
        return f"{path} {reason}; it was moved to {aside} and a new one is begun."
    raise Refused(
        f"{path} {reason}; it is kept and nothing is saved there until you remove {path}.corrupt-*."
    )


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold an exclusive lock on the file at `path`, which stays. Refused if another process does not let go."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be opened ({error.strerror}).") from error
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EINTR) or time.monotonic() > until:
                    raise Refused(
                        f"{path} cannot be locked ({error.strerror}); is another server stopped?"
                    ) from error
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)
