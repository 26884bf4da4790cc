"""Whether a server holds its lock, seen from outside. Standard library only; for hot scripts and the pump."""

from __future__ import annotations

import fcntl
import os


def lock_free(path: str) -> bool:
    """Does nobody hold the server's lock? The look lasts microseconds, in which nobody else gets the lock."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
