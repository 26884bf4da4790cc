"""Which TCP sockets listen, from Linux: by asking the kernel, and from its tables in /proc.

Asking takes 20 µs however many connections there are. The tables go through every slot for connections that the machine
could have, some milliseconds; only they show another network namespace than our own.
"""

from __future__ import annotations

import os
import socket
from struct import calcsize, error, pack, unpack_from

SOCK_DIAG = 4
"""sock_diag(7): NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, NLMSG_ERROR, NLMSG_DONE."""
BY_FAMILY, DUMP, FAILED, DONE = 20, 0x301, 2, 3
LISTENING = 1 << 10
"""TCP_LISTEN in a set of states."""
HEADER = "=IHHII"
REQUEST = "=BBBBI48x"
PORT, OWNER = ">4xH", "=IIIII"
OWNER_AT = 52
"""Where `expires, rqueue, wqueue, uid, inode` stand in an inet_diag_msg."""
ROOM = 64 << 10
PATIENCE = 1.0
LISTENS = b"0A"
MOST = 8 << 20
"""Bytes of one table that are read."""

Sockets = dict[str, int]
"""Listening socket, as a link in /proc/<pid>/fd names it -> its port."""


def asked(user: int) -> Sockets | None:
    """This user's in our own network namespace; None where the kernel does not answer such questions."""
    found: Sockets = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, SOCK_DIAG) as line:
            line.settimeout(PATIENCE)
            for family in (socket.AF_INET, socket.AF_INET6):
                body = pack(REQUEST, family, socket.IPPROTO_TCP, 0, 0, LISTENING)
                line.send(pack(HEADER, calcsize(HEADER) + len(body), BY_FAMILY, DUMP, family, 0) + body)
                while True:
                    more = _answer(line.recv(ROOM), user, found)
                    if more is None:
                        return None
                    if not more:
                        break
    except (OSError, AttributeError, error):
        return None
    return found


def _answer(data: bytes, user: int, found: Sockets) -> bool | None:
    """Take in one piece of an answer: true if more follows, None if it is a refusal."""
    at = 0
    while at + calcsize(HEADER) <= len(data):
        length, kind, _, _, _ = unpack_from(HEADER, data, at)
        if kind == DONE:
            return False
        if kind == FAILED or length < calcsize(HEADER):
            return None
        body = at + calcsize(HEADER)
        (port,) = unpack_from(PORT, data, body)
        _, _, _, uid, inode = unpack_from(OWNER, data, body + OWNER_AT)
        if uid == user and inode:
            found[f"socket:[{inode}]"] = port
        at += (length + 3) & ~3
    return True


def tables(pid: int, user: int) -> Sockets | None:
    """This user's in the network namespace of a process; None where it is gone."""
    found: Sockets = {}
    for name in ("tcp", "tcp6"):
        data = _read(f"/proc/{pid}/net/{name}")
        if data is None and name == "tcp":
            return None
        found |= listed(data or b"", user)
    return found


def listed(table: bytes, user: int) -> Sockets:
    """This user's in a table as proc(5) describes it."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split(None, 10)
        if len(fields) > 9 and fields[3] == LISTENS and int(fields[7]) == user and fields[9] != b"0":
            found[f"socket:[{fields[9].decode()}]"] = int(fields[1].rpartition(b":")[2], 16)
    return found


def _read(path: str) -> bytes | None:
    """The first part of a table. Listening sockets come first, so it ends soon after them."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    data = b""
    try:
        while len(data) < MOST and (piece := os.read(handle, ROOM)):
            data += piece
            last = data[: data.rfind(b"\n")].rpartition(b"\n")[2].split(None, 4)
            if len(last) > 3 and last[3] not in (LISTENS, b"st"):
                break
    except OSError:
        pass
    finally:
        os.close(handle)
    return data
