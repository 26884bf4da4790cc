"""Which process zellij has started in which pane. zellij itself tells no pids (0.45.1).

A session's server is who listens at its socket. What it has started itself, with a pane's number in the environment, is
that pane's process. The session's name in there is of no use: it is the one at the start, and a session can be renamed.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import psutil
from msgspec import Struct

from opensessions_zellij.births import Socket
from opensessions_zellij.reading import Root

LATER = 1.0
"""Seconds that a new session's socket may be silent in."""


class Started(Struct, frozen=True):
    """One process, whatever its pid is used for later."""

    pid: int
    at: float
    """When it started, in seconds since the epoch, as psutil has it."""


def roots(
    living: Mapping[str, Socket], known: Mapping[str, Root], server: Callable[[Socket], int]
) -> dict[str, Root]:
    """The sessions of these sockets, by their names. `server`: who was seen to make one, 0 where that was not. Connects
    to each whose server is not known, once: they must live (see `births`)."""
    found = {}
    before = {root.socket: root.server for root in known.values() if root.server}
    for path, own in living.items():
        name = os.path.basename(path)
        pid = before.get(own) or server(own) or listener(path)
        found[name] = Root(name, own.made // 10**9, own, pid)
    return found


def run(pids: Iterable[int]) -> bool:
    """Do all of these processes run? 0 is none. Blocks for microseconds."""
    for pid in pids:
        try:
            if not pid or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.Error:
            return False
    return True


def listener(path: str) -> int:
    """The pid of who listens at a socket; 0 where nobody does, or the system does not tell."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(LATER)
        try:
            line.connect(path)
            if hasattr(socket, "SO_PEERCRED"):
                pid, _, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            else:  # macOS: LOCAL_PEERPID of SOL_LOCAL
                (pid,) = struct.unpack("i", line.getsockopt(0, 2, 4))
        except (OSError, struct.error):
            return 0
    return int(pid)


class Panes:
    """The processes of panes, looked for only where one is not known yet, or has ended."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Started] = {}
        """(server, pane) -> its process."""

    def find(self, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """The pids of these panes, each a server's pid and a pane's number; those without a process are left out.
        Blocks for some milliseconds where one is new."""
        asked = set(wanted)
        self._known = {
            pair: started for pair, started in self._known.items() if pair in asked and _runs(started)
        }
        missing = {server for server, pane in asked - self._known.keys() if server}
        for server in missing:
            self._known |= {pair: found for pair, found in _children(server).items() if pair in asked}
        return {pair: started.pid for pair, started in self._known.items()}


def _children(server: int) -> dict[tuple[int, int], Started]:
    """What the server has started in panes; of two with one number the later one: a command that was run again."""
    found: dict[tuple[int, int], Started] = {}
    with suppress(psutil.Error):
        for child in psutil.Process(server).children():
            with suppress(psutil.Error):
                number = child.environ().get("ZELLIJ_PANE_ID", "")
                started = Started(child.pid, child.create_time())
                if number.isdecimal() and child.status() != psutil.STATUS_ZOMBIE:
                    last = found.get((server, int(number)))
                    if last is None or last.at < started.at:
                        found[server, int(number)] = started
    return found


def _runs(started: Started) -> bool:
    with suppress(psutil.Error):
        process = psutil.Process(started.pid)
        return process.create_time() == started.at and process.status() != psutil.STATUS_ZOMBIE
    return False
