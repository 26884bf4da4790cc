"""Folders of sockets that show zellij's command line only sessions that live.

The command line connects to every socket in its folder before it does anything, also to that of a session that is just
being born, which ends it (see `births`). A second name (a hard link) in a folder of ours leads to the same server: so
an action sees the socket of its own session alone, and a list those that live.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress

from opensessions_zellij.births import Socket
from opensessions_zellij.places import CONTRACT, SOCKET_LIMIT, contract

NAME = "s"
"""What every session is called in a folder of its own: short, and no option whatever its name is."""


class Views:
    """In the folder `ours` if that is on the same file system, else beside zellij's sockets. What cannot be linked has
    no view ("")."""

    def __init__(self, ours: str, folder: str) -> None:
        self._folder = folder
        self._base = f"{ours}/zj" if _device(ours) == _device(folder) else f"{folder}/.opensessions"
        self._dead: set[Socket] = set()

    def one(self, path: str, socket: Socket) -> str:
        """The folder in which the session with this socket is alone, called NAME; "" where there can be none."""
        view = f"{self._base}/{socket.inode:x}.{socket.made:x}"
        return view if self._link(path, f"{self._inner(view)}/{NAME}", socket) else ""

    def all(self, living: Mapping[str, Socket]) -> str:
        """The folder with the sockets of exactly these sessions, by their paths; "" where there can be none."""
        inner = self._inner(f"{self._base}/all")
        self._dead &= set(living.values())
        links = {
            f"{inner}/{os.path.basename(path)}": (path, socket)
            for path, socket in living.items()
            if socket not in self._dead
        }
        try:
            os.makedirs(inner, 0o700, exist_ok=True)
            for link in os.listdir(inner):
                if f"{inner}/{link}" not in links:
                    os.unlink(f"{inner}/{link}")
            keep = {"all", *(f"{socket.inode:x}.{socket.made:x}" for socket in living.values())}
            for view in os.listdir(self._base):
                if view not in keep:
                    shutil.rmtree(f"{self._base}/{view}", ignore_errors=True)
        except OSError:
            return ""
        linked = [self._link(path, link, socket) for link, (path, socket) in links.items()]
        return f"{self._base}/all" if all(linked) else ""

    def listed(self, living: Mapping[str, Socket]) -> frozenset[str]:
        """The names that a list from the folder `all` must hold. A socket at which nobody listens is not among them:
        zellij has removed its link, and it is not shown again."""
        inner = self._inner(f"{self._base}/all")
        names = set()
        for path, socket in living.items():
            if os.path.lexists(f"{inner}/{os.path.basename(path)}"):
                names.add(os.path.basename(path))
            else:
                self._dead.add(socket)
        return frozenset(names)

    def dead(self, socket: Socket) -> bool:
        """Does nobody listen there any more?"""
        return socket in self._dead

    def close(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self._base, ignore_errors=True)

    def _inner(self, view: str) -> str:
        return f"{view}/{contract(self._folder) or CONTRACT + '1'}"

    def _link(self, path: str, link: str, socket: Socket) -> bool:
        """Does `link` lead to the socket now? Its name may have belonged to another session before."""
        if len(os.fsencode(link)) >= SOCKET_LIMIT:
            return False
        if _inode(link) == socket.inode:
            return True
        try:
            os.makedirs(os.path.dirname(link), 0o700, exist_ok=True)
            with suppress(FileNotFoundError):
                os.unlink(link)
            os.link(path, link, follow_symlinks=False)
        except (OSError, NotImplementedError):
            return False
        return _inode(link) == socket.inode


def _device(folder: str) -> int:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return -1


def _inode(path: str) -> int:
    try:
        return os.lstat(path).st_ino
    except OSError:
        return 0
