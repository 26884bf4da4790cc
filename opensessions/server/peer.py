"""Which process is at the other end of a Unix socket."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

LOCAL, LOCAL_PEERPID = 0, 0x002
"""macOS: <sys/un.h>."""


def peer_pid(transport: asyncio.BaseTransport) -> int:
    """Its pid when it connected; 0 where the system does not tell."""
    line = transport.get_extra_info("socket")
    if line is None:
        return 0
    try:
        if hasattr(socket, "SO_PEERCRED"):
            told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return int(struct.unpack("3i", told)[0])
        if sys.platform == "darwin":
            return int(line.getsockopt(LOCAL, LOCAL_PEERPID))
    except OSError:
        pass
    return 0
