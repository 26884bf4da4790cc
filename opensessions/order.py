"""The ordering file: one visible session per line, `<target>TAB<name>`; line N is index N.

A key press reads this file and nothing else, so this page imports `posix` alone: `os` costs 1.5 ms, `__future__` 0.3.
"""

import posix

UNPRINTABLE = dict.fromkeys((*range(32), 127, *range(0x80, 0xA0), 0x2028, 0x2029), "?")


def encode(rows: list[tuple[str, str]]) -> bytes:
    """The file's bytes for (target, name) rows. Control characters in a name become `?`; a target has none."""
    return "".join(f"{target}\t{name.translate(UNPRINTABLE)}\n" for target, name in rows).encode(
        "utf-8", "surrogateescape"
    )


def decode(data: bytes) -> list[tuple[str, str]]:
    """The (target, name) rows of `data`; an unfinished or malformed line is left out, never guessed at."""
    rows = []
    for line in data.split(b"\n")[:-1]:
        target, tab, name = line.partition(b"\t")
        if tab and target:
            rows.append((target.decode("utf-8", "surrogateescape"), name.decode("utf-8", "surrogateescape")))
    return rows


def read(path: str, not_before: float = 0.0) -> list[tuple[str, str]] | None:
    """The rows of the ordering file, or None where there is none to trust.

    None means cold: the file is missing, unreadable, not ours, or older than `not_before` (seconds since the
    epoch; tmux's `#{start_time}`, so that a file of a dead tmux server is never used).
    """
    try:
        handle = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = posix.fstat(handle)
        if found.st_uid != posix.geteuid() or found.st_mode & 0o170000 != 0o100000:
            return None
        if found.st_mtime < not_before:
            return None
        data = b""
        while piece := posix.read(handle, 1 << 16):
            data += piece
    except OSError:
        return None
    finally:
        posix.close(handle)
    return decode(data)


def write(path: str, data: bytes) -> bool:
    """Replace the file atomically; True if its bytes changed. OSError where the disk is full or read-only:
    the old file then stays as it was and no temporary file is left."""
    try:
        with open(path, "rb") as old:
            if old.read() == data:
                return False
    except OSError:
        pass
    temporary = f"{path}.{posix.getpid()}.{posix.urandom(4).hex()}"
    handle = posix.open(
        temporary, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600
    )
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[posix.write(handle, view) :]
        finally:
            posix.close(handle)
        posix.rename(temporary, path)
    except OSError:
        posix.unlink(temporary)
        raise
    return True
