"""On which TCP ports processes listen."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from opensessions.context import sockets
from opensessions.context.sockets import Sockets
from opensessions.model import Process

SLOW = 15.0
"""Seconds between two readings of the kernel's tables, which take milliseconds."""
SHARE = 400
"""Asking each process is followed by a pause of so many times as long."""
HANDLES = 4096
"""Open files of one process that are looked at."""

Ports = Mapping[int, frozenset[int]]
"""Process -> its ports, those without any left out."""


class Listeners(Protocol):
    """One operating system's answers."""

    def look(self, processes: Mapping[int, Process]) -> Ports:
        """The ports of these processes; the same object as before where nothing has changed. Blocks. For one thread at
        a time; the same `processes` object means the same processes."""
        ...


def this_system() -> Listeners:
    """The answers of the system that we run on."""
    return LinuxListeners() if os.path.exists("/proc/self/ns/net") else PortableListeners()


class LinuxListeners:
    """The kernel tells which sockets listen; whose they are is told by the processes' open files.

    Going through the files takes 20 µs for each process. So all are gone through only when a listening socket of this
    user is new; else those of new processes, which may have inherited one, or were not known yet when it was new.
    """

    def __init__(self, ask_kernel: Callable[[int], Sockets | None] = sockets.asked) -> None:
        self._ask_kernel = ask_kernel
        self.walks = 0
        """Processes whose open files were gone through."""
        self._processes: Mapping[int, Process] = {}
        self._own = _space("self")
        self._spaces: dict[int, str] = {}
        """Process -> its network namespace."""
        self._members: dict[str, list[int]] = {}
        """Network namespace -> those processes."""
        self._tables: dict[str, tuple[float, Sockets]] = {}
        """Network namespace -> when its tables were read, and what they said."""
        self._sockets: Sockets = {}
        """Listening socket -> its port."""
        self._holders: dict[str, set[int]] = {}
        """Listening socket -> the processes that hold it."""
        self._ports: Ports = {}

    def look(self, processes: Mapping[int, Process]) -> Ports:
        """See `Listeners`."""
        changed = processes is not self._processes
        fresh = (
            [pid for pid, each in processes.items() if self._processes.get(pid) is not each]
            if changed
            else []
        )
        self._processes = processes
        if changed:
            self._place(fresh)
        now = self._listening()
        added = now.keys() - self._sockets.keys()
        self._sockets = now
        self._holders = {
            socket: alive
            for socket, pids in self._holders.items()
            if socket in now and (alive := pids & processes.keys())
        }
        if added:
            self._walk(processes)
        elif now:
            self._walk(fresh)
        return self._told()

    def _walk(self, pids: Iterable[int]) -> None:
        for pid in pids:
            self.walks += 1
            for link in _files(pid):
                if link in self._sockets:
                    self._holders.setdefault(link, set()).add(pid)

    def _told(self) -> Ports:
        ports: dict[int, set[int]] = {}
        for socket, pids in self._holders.items():
            for pid in pids:
                ports.setdefault(pid, set()).add(self._sockets[socket])
        told = {pid: frozenset(each) for pid, each in ports.items()}
        if told != self._ports:
            self._ports = told
        return self._ports

    def _place(self, fresh: list[int]) -> None:
        """Find the network namespaces of new processes."""
        self._spaces = {pid: space for pid, space in self._spaces.items() if pid in self._processes}
        for pid in fresh:
            self._spaces[pid] = _space(pid)
        self._members = {}
        for pid, space in self._spaces.items():
            if space:
                self._members.setdefault(space, []).append(pid)

    def _listening(self) -> Sockets:
        """The listening sockets of this user in all those namespaces."""
        user, now = os.geteuid(), time.monotonic()
        found: Sockets = {}
        self._tables = {space: table for space, table in self._tables.items() if space in self._members}
        for space, pids in self._members.items():
            known = self._ask_kernel(user) if space == self._own else None
            if known is None:
                read, known = self._tables.get(space, (-math.inf, {}))
                if now - read >= SLOW:
                    tables = (sockets.tables(pid, user) for pid in pids)  # the first of them may be gone
                    known = next((table for table in tables if table is not None), {})
                    self._tables[space] = now, known
            found |= known
        return found


def _space(pid: int | str) -> str:
    """Its network namespace; "" where it may not be seen."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return ""


def _files(pid: int) -> list[str]:
    """What a process has open, as links; nothing where that may not be seen."""
    found = []
    try:
        with os.scandir(f"/proc/{pid}/fd") as handles:
            for _, handle in zip(range(HANDLES), handles, strict=False):
                try:
                    found.append(os.readlink(handle.path))
                except OSError:
                    continue  # closed meanwhile
    except OSError:
        pass
    return found


class PortableListeners:
    """From psutil, on macOS: each process is asked, so that is done seldom."""

    def __init__(self) -> None:
        self._ports: Ports = {}
        self._next = -math.inf

    def look(self, processes: Mapping[int, Process]) -> Ports:
        """See `Listeners`. What has changed meanwhile is told at most SLOW seconds later, or SHARE times as long as
        asking takes."""
        began = time.monotonic()
        if began >= self._next:
            self._ports = _portable(processes, self._ports)
            now = time.monotonic()
            self._next = now + max(SLOW, SHARE * (now - began))
        return self._ports


def _portable(processes: Iterable[int], before: Ports) -> Ports:
    import psutil

    found = {}
    for pid in processes:
        try:
            connections = psutil.Process(pid).net_connections("tcp")
        except (psutil.Error, OSError):
            continue
        ports = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
        if ports:
            found[pid] = frozenset(ports)
    return before if found == before else found
