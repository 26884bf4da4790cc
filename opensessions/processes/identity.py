"""Which process it is: a pid alone is no name, since it is given out again."""

from __future__ import annotations

import os
import signal
from functools import cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from opensessions.processes.source import this_system

Liveness = Literal["alive", "dead", "unknown"]


class ProcId(Struct, frozen=True):
    """One process of this boot and this PID namespace, whatever its pid is used for later."""

    pid: int
    start: int
    """As `Stat.start`; 0 where it is not known."""
    boot: str = ""
    """The boot in which it lived; "" where the system tells none."""
    namespace: int = 0
    """The PID namespace in which it has that pid; 0 where the system has none."""
    inode: int = 0
    """Of its pidfd, which no other process of this boot ever gets (Linux 6.9 or later); 0 where it is not known."""


def read(pid: int) -> ProcId | None:
    """The identity of the process that has this pid now, without its `inode`; None where there is none to be seen."""
    stat = this_system().stat(pid) if pid > 0 and own_table() else None
    return ProcId(pid, stat.start, boot_id(), namespace()) if stat else None


def pinned(pid: int) -> ProcId | None:
    """As `read`, with the `inode` where the system has one. 25 µs."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    except (AttributeError, OverflowError, OSError):
        return read(pid)
    try:
        found = read(pid)
        inode = inode_of(handle)
        # The handle and the start are one process's only if that process still had the pid after both were read.
        signal.pidfd_send_signal(handle, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return found
    finally:
        os.close(handle)
    return replace(found, inode=inode) if found else None


def inode_of(handle: int) -> int:
    """The inode of an open pidfd; 0 where the system gives all of them the same."""
    return os.fstat(handle).st_ino if pidfds_differ() else 0


def pidfds_differ() -> bool:
    """Does every process's pidfd have an inode of its own (Linux 6.9 or later)? Shown by ours and another's, so that
    neither a version number nor a patched kernel can mislead; False as long as that cannot be shown."""
    try:
        return _compared()
    except (AttributeError, OSError):
        return False


@cache
def _compared() -> bool:
    # What is raised is not kept: the next call tries again.
    other = os.getppid() or next(iter(this_system().pids() - {os.getpid()}), 0)
    first, second, again = map(_inode, (os.getpid(), other, os.getpid()))
    return first != second and first == again


def _inode(pid: int) -> int:
    handle = os.pidfd_open(pid)
    try:
        return os.fstat(handle).st_ino
    finally:
        os.close(handle)


def same(one: ProcId, other: ProcId) -> Literal["same", "different", "unproven"]:
    """Are they one process? "different" is proof, and so is "same"; "unproven" where one of them lacks what would tell
    (its start, its boot), or they have their pids from different namespaces."""
    if one.boot and other.boot and one.boot != other.boot:
        return "different"
    if one.namespace != other.namespace or one.boot != other.boot:
        return "unproven"
    if one.pid != other.pid:
        return "different"
    if one.inode and other.inode:
        return "same" if one.inode == other.inode and one.start == other.start else "different"
    if not one.start or not other.start:
        return "unproven"
    return "same" if one.start == other.start else "different"


def liveness(process: ProcId) -> Liveness:
    """Is it still running? "dead" is proof: it exited, its pid belongs to another process, or the system was booted
    since. "unknown" where neither can be shown, as for a process hidden from us or with an unknown start.

    An exited process that its parent has not asked for (a zombie) is dead; one whose first thread ended before
    the others is alive.
    """
    if process.boot and boot_id() and process.boot != boot_id():
        return "dead"
    if not 0 < process.pid < 1 << 31 or (process.namespace and process.namespace != namespace()):
        return "unknown"
    if not own_table():
        return "unknown"
    stat = this_system().stat(process.pid)
    if stat is None:
        return "dead" if _absent(process.pid) else "unknown"
    if process.start and stat.start != process.start:
        return "dead"
    if stat.exited:
        return "dead"
    return "alive" if process.start else "unknown"


def proven_dead(pid: int, start: int = 0) -> bool:
    """Is the process that had this pid certainly gone? False as long as it may be alive. Without its `start` only a
    free pid is proof."""
    return liveness(ProcId(pid, start)) == "dead"


def _absent(pid: int) -> bool:
    # A system that hides other users' processes (hidepid) still answers this call for them.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


@cache
def own_table() -> bool:
    """Does the process table that we read count pids as we do? Not in a PID namespace that was given no /proc of its
    own: there a pid of ours names somebody else."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return not os.path.exists("/proc/self/stat")


@cache
def namespace() -> int:
    """Names our PID namespace; 0 where the system has none."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


@cache
def boot_id() -> str:
    """Names this boot; "" where the system tells none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
