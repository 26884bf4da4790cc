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


def choose(rows: list[tuple[str, str]], where: str, current: str) -> str:
    """The target of the row that `where` names; "" where there is none. `next` and `prev` go round at the ends;
    from a session that is not listed they lead to the first and the last row."""
    targets = [target for target, _ in rows]
    if where in ("next", "prev"):
        if not targets:
            return ""
        if current not in targets:
            return targets[0 if where == "next" else -1]
        return targets[(targets.index(current) + (1 if where == "next" else -1)) % len(targets)]
    if where.startswith("="):
        return next((target for target, name in rows if name == where[1:]), "")
    index = int(where) if where.isascii() and where.isdigit() else 0
    return targets[index - 1] if 0 < index <= len(targets) else ""


def serves(runtime: str) -> bool:
    """May the server be alive? False only where its process is certainly gone, as after a crash: a clean stop
    removes the ordering file. The pid is advice (the lock is the truth), and cheap."""
    try:
        pid = int(_head(f"{runtime}/server.pid").partition(b"\n")[0])
        if pid > 1:
            posix.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, ValueError, OverflowError):
        return True
    try:
        return _head(f"/proc/{pid}/stat").rpartition(b") ")[2][:1] != b"Z"  # a zombie can still be signalled
    except OSError:
        return True  # no /proc here


def _head(path: str) -> bytes:
    """The first bytes of a file. OSError where it cannot be read or is a link."""
    handle = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    try:
        return posix.read(handle, 512)
    finally:
        posix.close(handle)
