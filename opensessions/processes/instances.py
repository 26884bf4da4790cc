"""Which server of this program lives: each holds a lock of its own for its life, `<state>/instances/<id>.lock`.

A receipt names the server that it belongs to. Another server may end that receipt's process only if the first is
proven dead: a name in a command line, a pid in a file or silence at a socket prove nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Collection

import msgspec

from opensessions import paths
from opensessions.errors import AlreadyRunning, OpenSessionsError, Refused, UnsafePath
from opensessions.processes.identity import Liveness, ProcId, liveness, pinned
from opensessions.processes.receipt import UUID

PATIENCE = 0.5
"""Seconds for which a held lock is tried again: somebody may only be asking whether we live."""
LARGEST = 4096
_held: dict[str, tuple[int, int]] = {}
"""Locks of this process by their paths, with device and inode. They are not asked for at the file: where locks are
emulated (NFS), closing any handle of the file would let go of the lock."""


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a lock's file says; it counts only when nobody holds the lock."""

    process: ProcId
    host: str
    """A folder that several machines share shows us locks of processes that we cannot see."""


class Instance:
    """The held lock of this process."""

    def __init__(self, path: str, handle: int) -> None:
        self._path = path
        self._handle = handle
        _held[path] = _inode(os.fstat(handle))

    @classmethod
    def claim(cls, state: str, id: str) -> Instance:
        """Take the lock of the instance `id`, a UUID that nobody had before. AlreadyRunning where somebody holds it,
        UnsafePath where the folder is not ours alone, OpenSessionsError where the file system has no locks."""
        path = _path(state, id)
        if path is None:
            raise Refused(f"{id!r} is no id of a server.")
        paths.ensure_private(state)
        paths.ensure_private(f"{state}/instances")
        me = pinned(os.getpid())
        if me is None:
            raise Refused("The process table does not show this process; is /proc of another PID namespace?")
        handle = _take(path)
        try:
            data = msgspec.json.encode(Holder(me, _host()))
            os.ftruncate(handle, 0)
            os.pwrite(handle, data, 0)
        except OSError as error:
            os.close(handle)
            raise Refused(f"{path} cannot be written ({error.strerror}).") from error
        return cls(path, handle)

    def release(self) -> None:
        """Let go of it. The file stays, and proves that this process is dead once it is."""
        _held.pop(self._path, None)
        os.close(self._handle)


def instance_liveness(state: str, id: str) -> Liveness:
    """Does that server live? "alive": its lock is held. "dead" is proof: nobody holds the lock and the process that did
    is gone, or the id is "", which is nobody's. Else "unknown", as for a lost file. 20 µs."""
    if not id:
        return "dead"
    path = _path(state, id)
    if path is None:
        return "unknown"
    try:
        if path in _held and _inode(os.lstat(path)) == _held[path]:
            return "alive"
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return "unknown"
    try:
        return _judge(path, handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def living(state: str) -> frozenset[int]:
    """The pids of the other servers that hold a lock here now."""
    found = set()
    for id, path in _files(state):
        if path in _held or instance_liveness(state, id) != "alive":
            continue
        try:
            with open(path, "rb") as file:
                found.add(msgspec.json.decode(file.read(LARGEST), type=Holder).process.pid)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return frozenset(found)


def tidy(state: str, wanted: Collection[str]) -> None:
    """Remove the files of dead servers, except `wanted`: the instances that receipts still name, which would be
    "unknown" without theirs."""
    for id, path in _files(state):
        if path in _held or id in wanted:
            continue
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            if _judge(path, handle, fcntl.LOCK_EX) == "dead":
                os.unlink(path)
        except FileNotFoundError:
            pass
        finally:
            os.close(handle)


def _files(state: str) -> list[tuple[str, str]]:
    """The id and the path of every lock file."""
    try:
        names = os.listdir(f"{state}/instances")
    except OSError:
        return []
    ids = [name.removesuffix(".lock") for name in names if name.endswith(".lock")]
    return [(id, path) for id in ids if (path := _path(state, id))]


def _path(state: str, id: str) -> str | None:
    """None for what is no id: it might lead out of the folder."""
    return f"{state}/instances/{id}.lock" if UUID.fullmatch(id) else None


def _judge(path: str, handle: int, kind: int) -> Liveness:
    """Of an open lock file; on "dead" the lock of this kind is held."""
    found = os.fstat(handle)
    if found.st_mode & 0o170000 != 0o100000 or found.st_uid != os.geteuid() or found.st_nlink != 1:
        return "unknown"
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError as error:
        return "alive" if error.errno == errno.EWOULDBLOCK else "unknown"
    try:
        if _inode(os.lstat(path)) != _inode(found):
            return "unknown"
        holder = msgspec.json.decode(os.pread(handle, LARGEST, 0), type=Holder)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "unknown"
    if holder.host != _host():
        return "unknown"
    return "dead" if liveness(holder.process) == "dead" else "unknown"


def _take(path: str) -> int:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise UnsafePath(f"{path} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(handle)
            if (
                found.st_uid == os.geteuid()
                and found.st_nlink == 1
                and _inode(found) == _inode(os.lstat(path))
            ):
                return handle
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                os.close(handle)
                raise OpenSessionsError(
                    f"{path} cannot be locked ({error.strerror});"
                    " set OPENSESSIONS_STATE_DIR to a directory on a local file system."
                ) from error
        os.close(handle)
        if time.monotonic() >= deadline:
            raise AlreadyRunning(f"Another process holds {path}.")
        time.sleep(0.01)


def _inode(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _host() -> str:
    return os.uname().nodename.encode("utf-8", "replace").decode("utf-8")
