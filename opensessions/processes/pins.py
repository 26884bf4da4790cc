"""Holding on to one process, so that what is signalled is the process that was judged and never another one that got
its pid meanwhile.

A handle (pidfd) is opened first and its process compared afterwards: from then on the handle can mean nothing else.
Without handles (macOS, Linux before 5.3) the identity is read again immediately before each signal.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import signal
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import NamedTuple

from opensessions.errors import Refused
from opensessions.processes.identity import ProcId, boot_id, inode_of, liveness, namespace, own_table, same
from opensessions.processes.source import this_system

FEW = 64
"""Handles that are kept where descriptors run short; the others are opened for the moment of each signal."""
POLL = 0.02
"""Seconds between two looks at processes of which no handle is held."""
LARGEST = 1 << 31


class Scarce(Refused):
    """No descriptor is left to look at a process with."""


class Pin:
    """One process that runs, held until `close`. Made by `open` only.

    What may never be signalled does not get here, whatever anybody says: `open` raises Refused for ourselves, for
    pid 1 and below, for threads of the kernel, for another user's process, and where it cannot be shown which
    process has the pid.
    """

    def __init__(self, process: ProcId, comm: str, handle: int | None) -> None:
        self.process = process
        """With its inode, where the system has one."""
        self.comm = comm
        self._handle = handle

    @classmethod
    def open(cls, process: ProcId, keep: bool = True) -> Pin | None:
        """None where it has exited or its pid is another process's. With `keep` off no handle stays open between two
        calls. Scarce where no descriptor is left, Refused as said above."""
        grip = _grip(process)
        if grip is None:
            return None
        pin = cls(grip.process, grip.comm, grip.handle)
        if not keep:
            pin.release()
        return pin

    @property
    def held(self) -> bool:
        """Is a handle open?"""
        return self._handle is not None

    def alive(self) -> bool:
        """Does it run, as far as is known? False is proof that it has exited, whether or not its parent has asked.
        True as well where nothing can be shown."""
        if self._handle is None:
            return liveness(self.process) != "dead"
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return not poll.poll(0)

    def signal(self, number: int) -> bool:
        """Send it; False where it has exited. Refused where the system forbids it, or, without a handle, where it
        cannot be shown any more which process has the pid."""
        if self._handle is not None:
            return self.alive() and _send(self.process, self._handle, number)
        grip = _grip(self.process)
        if grip is None:
            return False
        try:
            return _send(grip.process, grip.handle, number)
        finally:
            _close(grip.handle)

    async def wait(self, timeout: float) -> bool:
        """Wait until it has exited, `timeout` seconds at most. Has it?"""
        return await gone([self], timeout)

    def release(self) -> None:
        """Close the handle. Everything still works; its identity is read again for each signal."""
        _close(self._handle)
        self._handle = None

    def close(self) -> None:
        """Let go. May be called twice."""
        self.release()

    def fileno(self) -> int:
        """The handle, while `held`."""
        assert self._handle is not None
        return self._handle


def hold(processes: Iterable[ProcId], held: int = 0) -> list[Pin]:
    """A pin for each that runs, in their order. Refused for all, with nothing held, as soon as one may not be pinned.

    Where descriptors run short all but FEW are closed again, so that the rest of the program has some; `held` says how
    many are open for the same purpose already.
    """
    pins: list[Pin] = []
    keep = True
    try:
        for process in processes:
            try:
                pin = Pin.open(process, keep)
            except Scarce:
                keep = False
                for each in pins[max(0, FEW - held) :]:
                    each.release()
                pin = Pin.open(process, keep)
            if pin is not None:
                pins.append(pin)
    except BaseException:
        for each in pins:
            each.close()
        raise
    return pins


async def gone(pins: Collection[Pin], timeout: float) -> bool:
    """Wait until all of them have exited, `timeout` seconds at most. Have they? Handles wake the event loop; the
    processes without one are looked at every POLL seconds. A pin may be waited for by one task at a time."""
    loop = asyncio.get_running_loop()
    waiting = {pin for pin in pins if pin.held and pin.alive()}
    unheld = [pin for pin in pins if not pin.held]
    done = asyncio.Event()

    def exited(pin: Pin) -> None:
        loop.remove_reader(pin.fileno())
        waiting.discard(pin)
        if not waiting:
            done.set()

    for pin in waiting:
        loop.add_reader(pin.fileno(), exited, pin)
    try:
        async with asyncio.timeout(timeout):
            if waiting:
                await done.wait()
            while any(pin.alive() for pin in unheld):  # noqa: ASYNC110 (nothing tells of them)
                await asyncio.sleep(POLL)
    except TimeoutError:
        pass
    finally:
        for pin in waiting:
            loop.remove_reader(pin.fileno())
    return not any(pin.alive() for pin in pins)


# --- one process, compared --------------------------------------------------------------------------------------


class _Grip(NamedTuple):
    process: ProcId
    comm: str
    handle: int | None
    """None where the system has no handles."""


def _grip(process: ProcId) -> _Grip | None:
    """Which process has that pid, and a handle on it; None where it is not the one that is meant, or has exited."""
    pid = process.pid
    if isinstance(pid, bool) or not isinstance(pid, int) or not 1 < pid < LARGEST:
        raise Refused(f"{pid} is no process that may be ended.")
    if pid == os.getpid():
        raise Refused("opensessions does not end itself this way; run: opensessions down")
    handle = None
    try:
        handle = _open(pid)
        grip = _compare(process, handle)
    except ProcessLookupError:
        _close(handle)
        return None
    except BaseException:
        _close(handle)
        raise
    if grip is None:
        _close(handle)
    return grip


def _open(pid: int) -> int | None:
    """A handle; None where the system has none. Scarce as well where none would be left to compare it with."""
    handle = None
    try:
        handle = os.pidfd_open(pid)
        os.close(os.dup(handle))
        return handle
    except ProcessLookupError:
        raise
    except AttributeError:
        return None
    except OSError as error:
        _close(handle)
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise Scarce(
                "No file descriptor is left, so nothing can be ended now; raise the limit (ulimit -n) or wait."
            ) from error
        if error.errno in (errno.EINVAL, errno.ENOENT):
            raise Refused(f"{pid} is a thread, not a process.") from error
        return None


def _compare(process: ProcId, handle: int | None) -> _Grip | None:
    """ProcessLookupError where it has exited meanwhile."""
    pid = process.pid
    stat = this_system().stat(pid) if own_table() else None
    if stat is None:
        if liveness(process) == "dead":
            return None
        raise Refused(f"The system does not show process {pid}, so it is not ended.")
    found = ProcId(pid, stat.start, boot_id(), namespace(), 0 if handle is None else inode_of(handle))
    known = same(process, found)
    if known == "different" or (known == "same" and stat.exited):
        return None
    if known == "unproven":
        raise Refused(f"It cannot be shown which process {pid} is, so it is not ended.")
    if stat.kernel:
        raise Refused(f"{pid} is a thread of the kernel's.")
    users = this_system().users(pid)
    if users is None:
        if liveness(process) == "dead":
            return None
        raise Refused(f"Whose process {pid} is cannot be read, so it is not ended.")
    if set(users) != {os.getuid()}:
        raise Refused(f"Process {pid} runs as another user ({users[0]}, {users[1]}), so it is not ended.")
    # Whoever answers now was there while all this was read: until its parent asks for it, its pid is its own.
    if handle is not None and not _send(found, handle, 0):
        return None
    return _Grip(found, stat.comm, handle)


def _send(process: ProcId, handle: int | None, number: int) -> bool:
    try:
        if handle is not None:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise Refused(f"The system does not let us signal process {process.pid}.") from error
    return True


def _close(handle: int | None) -> None:
    if handle is not None:
        with suppress(OSError):
            os.close(handle)
