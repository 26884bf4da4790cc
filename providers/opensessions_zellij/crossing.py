"""How a terminal comes into a zellij session from elsewhere, and which client a process is.

zellij tells neither a client's process nor its terminal (0.45.1). On Linux the kernel tells which sockets are joined: a
client's process holds one whose other end was accepted at its session's socket.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import socket
import struct
from contextlib import ExitStack, suppress

from opensessions.model import Inventory
from opensessions.provider import WayIn
from opensessions_zellij.commands import Words
from opensessions_zellij.places import KEY, session_socket
from opensessions_zellij.transport import Zellij

# linux/sock_diag.h, linux/unix_diag.h, linux/netlink.h
_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1
_SHOW_NAME, _SHOW_PEER = 1, 4
_NAME, _PEER = 0, 2
_ERROR = 2
_ALL = 0xFFFFFFFF
PATIENCE = 1.0
"""Seconds for the kernel's answer."""
NUMBERS = 3
"""The numbers that a client may get that comes while others ask zellij something."""
FREED = 0.02
"""Seconds in which a call that has ended gives its number back."""


async def lead(zellij: Zellij, session: str, focus: Words) -> None:
    """Lead the next client of a session that has none to a pane. zellij keeps the focus by the client's number, and who
    comes gets the lowest that is free; so does each call of its command line, which acts for its own number where
    there is no client. So it is told once for each number that the client may get, while the lower ones are held; and
    twice, for the call before may not have given its number back."""
    with ExitStack() as held:
        for _ in range(NUMBERS):
            for _ in range(2):
                await zellij.action(session, *focus)
            await asyncio.sleep(FREED)
            line = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            line.setblocking(False)
            with suppress(OSError):
                line.connect(session_socket(zellij.folder, session))


def way_in(zellij: str, folder: str, session: str, said: str) -> WayIn:
    """The way to a session. Its socket is looked for first: zellij would bring a dead session back. Told to end, the
    client detaches, even where the user's configuration lets a lost terminal end the session."""
    return WayIn(
        mux=KEY,
        name=typed(session),
        argv=(zellij, "attach", session, "options", "--on-force-close", "detach"),
        check=("/bin/sh", "-c", 'test -S "$1"', "sh", session_socket(folder, session)),
        environment={
            "ZELLIJ": "",
            "ZELLIJ_SESSION_NAME": "",
            "ZELLIJ_PANE_ID": "",
            "ZELLIJ_SOCKET_DIR": folder,
        },
        said=said,
        leave=True,
    )


def typed(session: str) -> str:
    """What one types in a shell to get there."""
    return f"zellij attach {shlex.quote(session)}"


def client_of(process: int, folder: str, inventory: Inventory) -> str:
    """The client that a process is: the only one of the session that it is connected to. "" where that is not certain.
    Where the system does not tell who is connected to what, the only client that there is."""
    viewers = inventory.viewers()
    if not hasattr(socket, "AF_NETLINK"):
        return viewers[0].name if len(viewers) == 1 else ""
    try:
        joined = joined_to(process)
    except OSError:
        return ""
    there = [one.name for one in viewers if session_socket(folder, one.session).encode() in joined]
    sessions = {one.session for one in viewers if one.name in there}
    return there[0] if len(there) == len(sessions) == 1 else ""


def joined_to(process: int) -> frozenset[bytes]:
    """The names of the sockets at which a process is connected. OSError where it is gone, or Linux does not tell."""
    inodes = set()
    for number in os.listdir(f"/proc/{process}/fd"):
        with suppress(OSError):
            shown = os.readlink(f"/proc/{process}/fd/{number}")
            if shown.startswith("socket:["):
                inodes.add(int(shown[8:-1]))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as line:
        line.settimeout(PATIENCE)
        peers = [peer for inode in inodes if (peer := _ask(line, inode, _SHOW_PEER)[1])]
        return frozenset(name for peer in peers if (name := _ask(line, peer, _SHOW_NAME)[0]))


def _ask(line: socket.socket, inode: int, what: int) -> tuple[bytes, int]:
    """The name and the other end's inode of one Unix socket; nothing where there is none with this inode. A list of all
    of them would miss some that stand beside others that come and go."""
    asked = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, _ALL, inode, what, _ALL, _ALL)
    line.send(struct.pack("=IHHII", 16 + len(asked), _BY_FAMILY, _REQUEST, 1, 0) + asked)
    data = line.recv(1 << 16)
    length, kind = struct.unpack_from("=IH", data)
    if kind != _ERROR:
        return _socket(data[32:length])
    (number,) = struct.unpack_from("=i", data, 16)
    if -number not in (errno.ENOENT, errno.EINVAL):  # gone, or no Unix socket
        raise OSError(-number, os.strerror(-number))
    return b"", 0


def _socket(attributes: bytes) -> tuple[bytes, int]:
    name, peer = b"", 0
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == _NAME:
            name = attributes[4:length].rstrip(b"\0")
        elif kind == _PEER:
            (peer,) = struct.unpack_from("=I", attributes, 4)
        attributes = attributes[max(4, (length + 3) & ~3) :]
    return name, peer
