"""Who calls: which multiplexer, session, pane and client the command line was started in.

Each provider package tells for its own multiplexer, through the entry-point group `opensessions.callers`: a
function `(client) -> Caller | None` that looks at the environment.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import entry_points

from msgspec import Struct

from opensessions import paths


class Caller(Struct, frozen=True):
    """Where a command was typed."""

    provider: str
    mux: str
    """The mux key."""
    target: str
    """What the provider needs to open it (tmux: the socket's path)."""
    binary: str
    session: str = ""
    pane: str = ""
    pane_pid: int = 0
    """The process that the pane was made for; 0 where it is not known."""
    server_pid: int = 0
    """The multiplexer's server; 0 where it is not known."""
    client: str = ""
    """The client that most recently used that session; "" where none is attached."""
    started: str = ""
    """When the multiplexer's server started, in seconds since the epoch."""
    runtime: str = ""
    """The runtime directory that its server published; "" where it did not."""
    switch: str = ""
    """The module whose `main(argv)` is this multiplexer's thin switch."""
    popup: str = ""
    """The module whose `show(argv, program)` becomes what opens a popup with a program in it; "" for none."""


def find(client: str = "") -> Caller | None:
    """The multiplexer that this process runs in; None outside of any. With `client` named, `session` is that
    client's session instead of the caller's."""
    found: list[Caller] = []
    for entry in entry_points(group="opensessions.callers"):
        who: Caller | None = entry.load()(client)
        if who is not None:
            found.append(who)
    return inner(found) if len(found) > 1 else next(iter(found), None)


def inner(found: Sequence[Caller]) -> Caller:
    """Of several multiplexers around this process the one that was started last: the one whose pane is the nearest
    above it. The first where that cannot be told."""
    import psutil  # a MiB, which a server that imports this page for a name of its own must not pay

    try:
        above = [os.getpid(), *(process.pid for process in psutil.Process().parents())]
    except psutil.Error:
        above = []
    return min(found, key=lambda who: above.index(who.pane_pid) if who.pane_pid in above else len(above))


def runtime(caller: Caller | None) -> str:
    """The runtime directory as this caller sees it."""
    return paths.runtime_dir(caller.runtime if caller else "")
