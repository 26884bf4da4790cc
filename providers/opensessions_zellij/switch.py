"""The thin switch: read one line of the ordering file, run zellij's own `switch-session`. Standard library only, and
little of it; no server is asked. Whatever is not the common case is in `pressed`.

A key runs it in a pane of its own that nobody can read and that closes when it ends: with `key=…` a failure comes up in
another pane, and stays until Enter.
"""

from __future__ import annotations

import os

from opensessions import order, paths
from opensessions_zellij.floating import hidden, own_pane
from opensessions_zellij.looking import act
from opensessions_zellij.newborn import wait_for_births
from opensessions_zellij.places import KEY, session_socket, socket_folder

FLOATING = ("popup", "new", "keys")
"""Verbs that open a floating pane."""


def main(argv: list[str]) -> int:
    """`argv` is an index, `next`, `prev` or `=NAME`, or a verb of `pressed`; then `key=value`, where something else is
    meant than this pane's own session. 0: done, or there is no such row (a silent no-op)."""
    where, given = (argv or [""])[0], dict([part.partition("=")[::2] for part in argv[1:]])
    if given.get("key") and where not in FLOATING and hidden(folder(given), session(given), own_pane()):
        zellij = program(given)
        wait_for_births(folder(given))
        os.waitpid(os.posix_spawn(zellij, [zellij, "action", "hide-floating-panes"], os.environ), 0)
    if not (where in ("next", "prev") or where[:1] == "=" or (where.isascii() and where.isdigit())):
        from opensessions_zellij import pressed

        return pressed.main(where, given)
    runtime = given.get("runtime") or paths.runtime_dir()
    rows = order.read(paths.ordering_file(runtime, KEY))
    if rows is None or not order.serves(runtime):
        from opensessions_zellij import pressed

        return pressed.again(where, given, rows)
    return switch(given, order.choose(rows, where, session(given)))


def switch(given: dict[str, str], target: str) -> int:
    """Let zellij switch to that session. It would make a session that does not exist, so its socket is looked
    for first."""
    if not target or target == session(given):
        return 0
    if not os.path.exists(session_socket(folder(given), target)):
        from opensessions_zellij import pressed

        return pressed.complain(given, f"The session {target} has ended just now.")
    return act(program(given), folder(given), session(given), "switch-session", "--", target)


def session(given: dict[str, str]) -> str:
    """The session whose client is meant: that in which the key was pressed."""
    return given.get("session") or os.environ.get("ZELLIJ_SESSION_NAME", "")


def folder(given: dict[str, str]) -> str:
    """The folder of zellij's sockets."""
    return given.get("socket") or socket_folder()


def program(given: dict[str, str]) -> str:
    """The zellij in which this runs, whatever stands on PATH; the first on PATH where the system does not tell."""
    if given.get("tmux"):  # the program that the command line has found
        return given["tmux"]
    pid = os.getppid()
    for _ in range(4):
        try:
            path = os.readlink(f"/proc/{pid}/exe")
            if os.path.basename(path) == "zellij" and os.access(path, os.X_OK):
                return path
            with open(f"/proc/{pid}/stat", "rb") as stat:
                pid = int(stat.read(512).rpartition(b") ")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    folders = [
        *os.environ.get("PATH", os.defpath).split(":"),
        os.path.expanduser("~/.cargo/bin"),
        "/usr/local/bin",
    ]
    found = (f"{each}/zellij" for each in folders if os.access(f"{each}/zellij", os.X_OK))
    return next(found, "/usr/bin/zellij")
