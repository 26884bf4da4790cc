"""The thin switch: read one line of the ordering file, become `tmux switch-client`.

This is what a key press waits for, so it imports `posix` alone (`os` costs 1.5 ms, `__future__` 0.3) and no server
is asked. Whatever is not the common case is in `cold`. The first argument says where to: an index, `next`, `prev`
or `=NAME`; the others are what tmux knew when the key was pressed, as `key=value`.
"""

import posix

from opensessions import order


def main(argv: list[str]) -> int:
    """Switch the client. 0: done, or there is no such row (a silent no-op). On success this process has become
    tmux, whose status is 1 where the session died in this instant."""
    given = dict([part.partition("=")[::2] for part in argv[1:]])
    rows = order.read(
        f"{given.get('runtime')}/mux/{given.get('mux')}/ordering", float(given.get("started") or 0)
    )
    if rows is None or not serves(given["runtime"]):
        from opensessions_tmux import cold

        return cold.main(argv[0], given, rows)
    target = choose(rows, argv[0], given.get("session", ""))
    if target:
        tmux = given["tmux"]
        posix.execv(tmux, [tmux, "-S", given["socket"], "switch-client", "-c", given["client"], "-t", target])
    return 0


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
        pid = int(read(f"{runtime}/server.pid").partition(b"\n")[0])
        if pid > 1:
            posix.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, ValueError, OverflowError):
        return True
    try:
        return read(f"/proc/{pid}/stat").rpartition(b") ")[2][:1] != b"Z"  # a zombie can still be signalled
    except OSError:
        return True  # no /proc here


def read(path: str) -> bytes:
    """The first bytes of a file. OSError where it cannot be read or is a link."""
    handle = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    try:
        return posix.read(handle, 512)
    finally:
        posix.close(handle)
