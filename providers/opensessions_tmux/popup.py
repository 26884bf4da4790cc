"""The sidebar in a popup: what runs in one, and what opens one from the command line. Standard library only."""

from __future__ import annotations

import os

from opensessions import paths, pump, start
from opensessions.errors import OpenSessionsError
from opensessions_tmux.cold import binary, registration, say

TYPE_CHECKING = False  # importing typing costs a hot script 4 ms
if TYPE_CHECKING:
    from typing import NoReturn


def main(argv: list[str]) -> int:
    """Be the sidebar of the popup on this terminal, for the client that `argv` names. The server is started if none
    runs, and this tmux is registered with it. Where that fails, the client is told so in its status line."""
    given = dict(part.partition("=")[::2] for part in argv)
    try:
        runtime = paths.runtime_dir(given.get("runtime", ""))
        line = start.ensure(runtime, given["python"])
        start.tell(line, "register", **registration(given))
        line.close()
    except (OpenSessionsError, OSError) as error:
        say(given, str(error))
    told = {
        "runtime": runtime,
        "socket": given["socket"],
        "python": given["python"],
        "client": given["client"],
    }
    return pump.main([f"{name}={value}" for name, value in told.items()])


def show(argv: list[str], program: list[str]) -> NoReturn:
    """Become the tmux that opens a popup with this program over the client that `argv` names, until it is closed."""
    from opensessions_tmux.bindings import POPUP_WIDTH
    from opensessions_tmux.quote import argument

    given = dict(part.partition("=")[::2] for part in argv)
    tmux = [binary(given), "-u", "-S", given["socket"]]
    width = _ask([*tmux, "display-message", "-p", "-c", given["client"], "#{client_width}"])
    wide = str(POPUP_WIDTH) if width.isdigit() and int(width) >= POPUP_WIDTH + 2 else "100%"
    popup = ["display-popup", "-E", "-c", given["client"], "-w", wide, "-h", "80%"]
    os.execv(tmux[0], [argument(word) for word in (*tmux, *popup, *program)])


def _ask(command: list[str]) -> str:
    """What a program prints, up to a page."""
    ours, its = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, its, 1), (os.POSIX_SPAWN_CLOSE, ours)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    os.close(its)
    said = os.read(ours, 4096).decode("utf-8", "replace")
    os.close(ours)
    os.waitpid(pid, 0)
    return said.strip()
