"""Switching where the thin switch cannot go on: there is no ordering file to trust, or the server has crashed.

Standard library only.
"""

from __future__ import annotations

import os

from opensessions import order, paths, start
from opensessions.errors import OpenSessionsError

TYPE_CHECKING = False  # importing typing costs a hot script 4 ms
if TYPE_CHECKING:
    from typing import NoReturn


def main(where: str, given: dict[str, str], rows: list[tuple[str, str]] | None) -> int:
    """Switch first if there are rows; then see to it that a server runs. Without rows ask the server for them."""
    try:
        runtime = paths.runtime_dir(given.get("runtime", ""))
        if rows is not None:
            status = switch(given, order.choose(rows, where, given.get("session", "")))
            start.tell(start.ensure(runtime, given["python"]), "register", **registration(given))
            return status
        target = order.choose(ask(runtime, given), where, given.get("session", ""))
    except (OpenSessionsError, OSError) as error:
        say(given, str(error))
    return switch(given, target)


def ask(runtime: str, given: dict[str, str]) -> list[tuple[str, str]]:
    """Start the server if need be, register this tmux, and get the rows as soon as it has read them: at most 3 s
    each for its start and its answer."""
    line = start.ensure(runtime, given["python"])
    line.settimeout(3.0)
    return order.decode(start.ask(line, "order", mux=paths.tmux_key(given["socket"]), **registration(given)))


def registration(given: dict[str, str]) -> dict[str, str]:
    """What the server needs to serve this tmux."""
    return {"provider": "tmux", "target": given["socket"], "binary": given.get("tmux", "")}


def switch(given: dict[str, str], target: str) -> int:
    """Show the session; tmux's status. No target is a silent no-op."""
    if not target:
        return 0
    program = binary(given)
    command = [program, "-u", "-S", given["socket"], "switch-client", "-c", given["client"], "-t", target]
    return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(program, command, os.environ), 0)[1])


def say(given: dict[str, str], sentence: str) -> NoReturn:
    """One line in the client's status line, by becoming tmux. `#` is doubled: the text is not a format."""
    text = "opensessions: " + sentence.replace("#", "##")
    program = binary(given)
    os.execv(program, [program, "-u", "-S", given["socket"], "display-message", "-c", given["client"], text])


def binary(given: dict[str, str]) -> str:
    """The tmux program: what the binding says, else the first on PATH."""
    if given.get("tmux"):
        return given["tmux"]
    for folder in os.environ.get("PATH", os.defpath).split(":"):
        if os.access(f"{folder}/tmux", os.X_OK):
            return f"{folder}/tmux"
    return "/usr/bin/tmux"
