"""Which sockets a process is connected to, as the kernel tells it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from opensessions.model import Client, Inventory, Session
from opensessions_zellij.crossing import client_of, joined_to, way_in
from opensessions_zellij.places import session_socket

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells it")


def connected(path: str) -> list[socket.socket]:
    """A listener at a path, and both ends of a connection to it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    listener, ours = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    ours.connect(path)
    return [listener, ours, listener.accept()[0]]


def viewers(*sessions: str) -> Inventory:
    clients = tuple(Client(f"{name}/{at}", name) for at, name in enumerate(sessions, 1))
    return Inventory(0, 0, "0.45.1", tuple(Session(name, name) for name in sessions), {}, clients)


def test_a_process_is_joined_to_where_it_has_connected(short: Path) -> None:
    path = session_socket(str(short), "it's #{odd} ✓")
    ends = connected(path)
    try:
        assert path.encode() in joined_to(os.getpid())
        assert client_of(os.getpid(), str(short), viewers("other", "it's #{odd} ✓")) == "it's #{odd} ✓/2"
        assert client_of(os.getpid(), str(short), viewers("other")) == ""
        two = Inventory(0, 0, "", (), {}, (Client("it's #{odd} ✓/1", "it's #{odd} ✓"),) * 2)
        assert client_of(os.getpid(), str(short), two) == "", "it may be either"
    finally:
        for end in ends:
            end.close()
    assert path.encode() not in joined_to(os.getpid())


def test_it_is_found_while_others_come_and_go(short: Path) -> None:
    path = session_socket(str(short), "here")
    ends = connected(path)
    try:
        for _ in range(200):
            pair = socket.socketpair()
            assert path.encode() in joined_to(os.getpid())
            for end in pair:
                end.close()
    finally:
        for end in ends:
            end.close()


def test_a_process_that_is_gone_is_joined_to_nothing(short: Path) -> None:
    assert client_of(2**22 + 1, str(short), viewers("a")) == ""


def test_the_way_in_brings_no_dead_session_back(short: Path) -> None:
    way = way_in("/bin/zellij", str(short), "it's", "")
    assert way.argv == ("/bin/zellij", "attach", "it's", "options", "--on-force-close", "detach")
    assert os.spawnv(os.P_WAIT, way.check[0], list(way.check)) != 0
    ends = connected(session_socket(str(short), "it's"))
    assert os.spawnv(os.P_WAIT, way.check[0], list(way.check)) == 0
    for end in ends:
        end.close()
