"""Whether a server holds its lock, seen from outside. Standard library only; for hot scripts and the pump."""

from __future__ import annotations

import fcntl
import os


def lock_free(path: str) -> bool:
    """Does certainly nobody hold the server's lock?"""
    return _held(path) is False


def lock_held(path: str) -> bool:
    """Does certainly somebody hold the server's lock?"""
    return _held(path) is True


def _held(path: str) -> bool | None:
    """None where it is not to be told. The look lasts microseconds, in which nobody else gets the lock."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(handle)
    return False
