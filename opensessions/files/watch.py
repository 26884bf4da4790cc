"""Being told when one of many paths changes, whether it exists already or not."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping

from opensessions.files.inotify import (
    ATTRIB,
    COMING,
    EVERYTHING,
    IGNORED,
    ITSELF,
    MODIFY,
    OVERFLOW,
    Inotify,
    Notice,
)

log = logging.getLogger(__name__)

POLL = 0.25
"""Seconds between two looks at the paths where the system does not tell of changes."""
TRIES = 100
"""Folders above a path that are tried."""
LISTED = 500
"""Entries of a folder that are compared in such a look."""


class Watch:
    """Paths, each wanted by somebody (a token); `on_change(token)` is called in the event loop.

    A folder tells of what is made, renamed, removed or written directly in it. A path that does not exist is waited
    for by watching the folder above it that does. What cannot be watched (no inotify, or no more of it) is looked at
    every POLL seconds, and a tenth of the time at most.
    """

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._wanted: dict[str, frozenset[str]] = {}
        """Path -> tokens."""
        self._paths: dict[str, frozenset[str]] = {}
        """Token -> paths."""
        self._watches: dict[int, set[tuple[str, str]]] = {}
        """Watch -> (path that is wanted, name in the watched folder that leads to it; "" if it is the path itself)."""
        self._armed: dict[str, int] = {}
        """Path -> its watch."""
        self._inodes: dict[str, int] = {}
        """Of what stood at each path when it was armed."""
        self._polled: dict[str, object] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._inotify: Inotify | None = None
        try:
            self._inotify = Inotify()
        except OSError as error:
            log.info("files are looked at every %g s: %s", POLL, error)
        else:
            asyncio.get_running_loop().add_reader(self._inotify.handle, self._read)

    @property
    def told(self) -> bool:
        """Does the system tell of changes? Else the paths are looked at, and folders cost more than files."""
        return self._inotify is not None

    def wish(self, token: str, paths: Collection[str]) -> None:
        """From now on this token wants exactly these paths."""
        wished = frozenset(paths)
        before = self._paths.get(token, frozenset())
        if wished == before:
            return
        self._paths[token] = wished
        if not wished:
            del self._paths[token]
        for path in before - wished:
            tokens = self._wanted[path] - {token}
            if tokens:
                self._wanted[path] = tokens
            else:
                del self._wanted[path]
                self._disarm(path)
        for path in wished - before:
            known = path in self._wanted
            self._wanted[path] = self._wanted.get(path, frozenset()) | {token}
            if not known:
                self._arm(path)

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer:
            self._timer.cancel()
        if self._inotify:
            asyncio.get_running_loop().remove_reader(self._inotify.handle)
            self._inotify.close()
            self._inotify = None

    # --- inotify --------------------------------------------------------------------------------------------

    def _arm(self, path: str) -> None:
        """Watch the path, or what is above it."""
        if self._inotify is None:
            self._poll(path)
            return
        at, name = path, ""
        for _ in range(TRIES):
            try:
                watch = self._inotify.add(at, COMING if name else EVERYTHING)
            except (FileNotFoundError, NotADirectoryError):
                above, _, name = at.rpartition("/")
                at = above or "/"
                continue
            except (OSError, ValueError) as error:
                log.info("%s is looked at every %g s, since it cannot be watched: %s", path, POLL, error)
                break
            self._watches.setdefault(watch, set()).add((path, name))
            self._armed[path] = watch
            self._inodes[path] = _inode(path)
            if not name or not os.path.exists(f"{at.rstrip('/')}/{name}"):
                return
            self._disarm(path)  # it came between the two calls
            at, name = path, ""
        self._poll(path)

    def _disarm(self, path: str) -> None:
        self._polled.pop(path, None)
        self._inodes.pop(path, None)
        watch = self._armed.pop(path, None)
        if watch is None:
            return
        left = {pair for pair in self._watches.get(watch, ()) if pair[0] != path}
        if left:
            self._watches[watch] = left
        elif self._watches.pop(watch, None) is not None and self._inotify:
            self._inotify.remove(watch)

    def _read(self) -> None:
        if self._inotify is None:
            return
        told: set[str] = set()
        rearmed: set[str] = set()
        for notice in self._inotify.read():
            if notice.mask & OVERFLOW:
                told |= set(self._paths)
                rearmed |= set(self._wanted)
                continue
            if notice.mask & EVERYTHING == ATTRIB:
                replaced = {
                    path for path, name in self._watches.get(notice.watch, ()) if self._replaced(path, notice)
                }
                told |= {token for path in replaced for token in self._wanted.get(path, ())}
                rearmed |= replaced
                continue
            for path, name in tuple(self._watches.get(notice.watch, ())):
                if name and notice.name != name and not notice.mask & (IGNORED | ITSELF):
                    continue  # something else in a folder that only leads to it
                told |= self._wanted.get(path, frozenset())
                if name or (not notice.name and not notice.mask & MODIFY):
                    rearmed.add(path)  # it has come, gone, or become another one
            if notice.mask & IGNORED:
                rearmed |= {path for path, _ in self._watches.pop(notice.watch, ())}
        for path in rearmed & self._wanted.keys():
            self._disarm(path)
            self._arm(path)
        for token in sorted(told):
            self._on_change(token)

    def _replaced(self, path: str, notice: Notice) -> bool:
        """Is another file there now? What was replaced while somebody holds it open tells of nothing but one link less.
        Else a change of owner, mode or time tells nothing: SQLite makes one at each reading by the superuser."""
        return not notice.name and self._inodes.get(path) != _inode(path)

    # --- looking --------------------------------------------------------------------------------------------

    def _poll(self, path: str) -> None:
        self._polled[path] = _looks(path)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(POLL, self._compare)

    def _compare(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._timer = None
        told: set[str] = set()
        for path, before in tuple(self._polled.items()):
            now = _looks(path)
            if now != before:
                self._polled[path] = now
                told |= self._wanted.get(path, frozenset())
        if self._polled:
            self._timer = loop.call_later(max(POLL, 9 * (loop.time() - began)), self._compare)
        for token in sorted(told):
            self._on_change(token)


def _inode(path: str) -> int:
    """0 where there is none."""
    try:
        return os.stat(path).st_ino
    except (OSError, ValueError):
        return 0


def _looks(path: str) -> object:
    """What differs when a file, or what a folder holds, has changed."""
    try:
        stat = os.stat(path)
        own = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if not os.path.isdir(path):
            return own
        with os.scandir(path) as entries:
            return own, _stats(entry for _, entry in zip(range(LISTED), entries, strict=False))
    except (OSError, ValueError):
        return None


def _stats(entries: Iterable[os.DirEntry[str]]) -> Mapping[str, tuple[int, int]]:
    found = {}
    for entry in entries:
        try:
            stat = entry.stat()
        except OSError:
            continue
        found[entry.name] = (stat.st_size, stat.st_mtime_ns)
    return found
