"""Sessions that are just being born, and must not be spoken to.

A zellij server that anybody connects to before its own first client panics as soon as that connection ends, and the
session that a user has just begun never appears (0.45.1, `ServerInstruction::RemoveClient`). Every call of zellij's
command line connects to every socket that it sees. So a new socket is not shown to it (see `views`) until its session
lives: once its server has started the program of a pane.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from msgspec import Struct

from opensessions_zellij.places import CONTRACT, OTHER, contract

GROWN = 10.0
"""Seconds after which a session lives, whatever is seen of it: a layout may hold plugins alone."""
STEP = 0.03
"""Seconds between two looks at a session that is being born."""


class Socket(Struct, frozen=True):
    """A session's socket. A rename keeps both numbers."""

    inode: int
    made: int
    """In nanoseconds since the epoch."""


class Births:
    """For one folder of sockets."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._grown: dict[Socket, int] = {}
        """Those that live -> the pid of its server, 0 where it is not known."""
        self.young = False
        """Was a session being born, when somebody looked last?"""

    async def living(self) -> dict[str, Socket]:
        """The sockets of sessions that live, by their paths; `young` tells whether there are others."""
        found = dict(sockets(self._folder))
        self._grown = {socket: pid for socket, pid in self._grown.items() if socket in found.values()}
        young = {path: socket for path, socket in found.items() if socket not in self._grown}
        if young:
            self._grown |= await asyncio.to_thread(grown, young)
        living = {path: socket for path, socket in found.items() if socket in self._grown}
        self.young = len(living) < len(found)
        return living

    async def over(self) -> dict[str, Socket]:
        """`living`, once every session there lives. At most GROWN seconds for each."""
        while True:
            living = await self.living()
            if not self.young:
                return living
            await asyncio.sleep(STEP)

    async def grows(self, path: str) -> Socket | None:
        """The socket at this path, once its session lives; None where there is none any more."""
        while True:
            living = await self.living()
            if path in living or not self.young:
                return living.get(path)
            await asyncio.sleep(STEP)

    def server(self, socket: Socket) -> int:
        """The pid of its server, if it was seen being born; else 0."""
        return self._grown.get(socket, 0)


def sockets(folder: str) -> Iterator[tuple[str, Socket]]:
    """The sockets of all sessions: path and identity."""
    base = f"{folder}/{contract(folder) or CONTRACT + '1'}"
    try:
        entries = list(os.scandir(base))
    except OSError:
        return
    for entry in entries:
        with suppress(OSError):
            stat = entry.stat(follow_symlinks=False)
            if stat.st_mode & 0o170000 == 0o140000 and entry.name not in OTHER:
                yield entry.path, Socket(stat.st_ino, stat.st_mtime_ns)


def grown(young: dict[str, Socket]) -> dict[Socket, int]:
    """Those of them whose sessions live, with their servers' pids. Blocks for some milliseconds."""
    now = time.time()
    found = {socket: 0 for socket in young.values() if abs(now - socket.made / 1e9) > GROWN}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if not process.name().startswith("zellij"):
                continue
            words = process.cmdline()
            socket = young.get(words[2]) if words[1:2] == ["--server"] and len(words) > 2 else None
            if socket is not None and _has_a_pane(process):
                found[socket] = process.pid
    return found


def _has_a_pane(server: psutil.Process) -> bool:
    return any("ZELLIJ_PANE_ID" in child.environ() for child in server.children())
