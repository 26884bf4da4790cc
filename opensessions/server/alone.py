"""Only one of a user's servers looks for orphans at a time: `flock` on `<state>/reaper.lock`, which stays."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from opensessions.errors import Refused


class Busy(Refused):
    """Another server of this user sweeps at this moment."""


@contextmanager
def alone(state: str) -> Iterator[None]:
    """Be the only one of this user's servers that sweeps. Busy where another one is at it."""
    path = f"{state}/reaper.lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be opened ({error.strerror}).") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("Another server of yours is looking for orphans at this moment; try again.") from error
        except OSError as error:
            raise Refused(f"{path} cannot be locked ({error.strerror}).") from error
        yield
    finally:
        os.close(handle)
