"""Asks git whether a working tree differs from its last commit, without letting the repository run anything.

A repository's configuration can name programs for git to run: a file system monitor, hooks, a filter for each kind of
file, something that fetches what is missing. So git never obeys it. It is given a *stand-in*: a folder of ours with a
configuration of ours, and links to the objects, the references and the index.
"""

from __future__ import annotations

import os
import queue
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from opensessions import paths
from opensessions.context import settings
from opensessions.context.runner import Runner
from opensessions.context.worktrees import Head, Repository, head, is_ours, told
from opensessions.errors import UnsafePath

AT_ONCE = 2
"""Gits that run at the same time."""
LISTING = 1 << 20
"""Bytes of a configuration, and of what git prints of one."""
KEPT = 500
"""Configurations that are remembered."""
ALONE: dict[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
}  # fmt: skip
"""What makes git read the stand-in's configuration and no other, and stay off the network."""
QUIET = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
STATUS = ("status", "--porcelain=v2", "-z", "--ignore-submodules=all", "--no-renames")


class Answer(Struct, frozen=True):
    """Whether a working tree is dirty, and what it took to find out."""

    dirty: bool | None
    """None where git refused, or had not ended in time."""
    took: float
    """Seconds."""


class Git:
    """Each call blocks for at most a few seconds and may be made by any thread; AT_ONCE are carried out at a time."""

    def __init__(self, folder: str, home: str) -> None:
        self._folder = folder
        """Where stand-ins are made: private to this user."""
        self._home = home
        self._slots: queue.SimpleQueue[str] = queue.SimpleQueue()
        for number in range(AT_ONCE):
            self._slots.put(f"{folder}/{number}")
        self._known: dict[str, tuple[object, dict[str, str]]] = {}
        """Configuration file -> how it looked, and what it said."""
        self._runner = Runner(home)

    def dirty(self, repository: Repository) -> Answer:
        """Is anything there that is not committed, untracked files included? The first byte that git prints tells."""
        began = time.monotonic()
        found = None
        if is_ours(repository, os.geteuid()):
            found = self._dirty(repository, head(repository))
        return Answer(found, time.monotonic() - began)

    def branch(self, repository: Repository) -> str | None:
        """The branch of a repository whose HEAD stands in a reftable. None where this git does not know of them."""
        own = self._settings(repository)
        if own is None or not is_ours(repository, os.geteuid()):
            return None
        for words in (("symbolic-ref", "-q", "HEAD"), ("rev-parse", "--verify", "-q", "HEAD")):
            said = self._ask(repository, Head(elsewhere=True), own, words, 4096)
            if said:
                return told(b"ref: " + said if said.startswith(b"refs/") else said).branch
        return None

    def open(self) -> None:
        """Answer again after `close`."""
        self._runner.open()

    def close(self) -> None:
        """End what runs, answer nothing any more, and leave nothing behind that is not in use."""
        self._runner.close()
        with suppress(OSError):
            os.rmdir(self._folder)

    # --- a question -----------------------------------------------------------------------------------------

    def _dirty(self, repository: Repository, now: Head) -> bool | None:
        linked = repository.own != repository.common
        own = self._settings(repository)
        if own is None or (not linked and not _is_its_tree(repository, own)):
            return None
        if (linked and now.elsewhere) or not (now.text or now.elsewhere):
            return None
        untracked = own.get("status.showuntrackedfiles") or self._user().get("status.showuntrackedfiles", "")
        every = "no" if untracked.lower() in ("no", "false") else "normal"
        said = self._ask(repository, now, own, (*STATUS, f"--untracked-files={every}"), 1)
        return None if said is None else bool(said)

    def _ask(
        self, repository: Repository, now: Head, own: Mapping[str, str], words: Sequence[str], enough: int
    ) -> bytes | None:
        """What git says through a stand-in."""
        configuration = settings.stand_in(self._user(), own, self._home)
        if configuration is None:
            return None
        slot = self._slots.get()
        try:
            _make(slot, repository, now, configuration)
            environment = ALONE | {
                "GIT_DIR": slot,
                "GIT_WORK_TREE": repository.root,
                "GIT_INDEX_FILE": f"{repository.own}/index",
            }
            return self._runner.run((*QUIET, *words), environment, enough)
        except (OSError, UnsafePath):
            return None
        finally:
            shutil.rmtree(slot, ignore_errors=True)
            self._slots.put(slot)

    # --- configurations -------------------------------------------------------------------------------------

    def _settings(self, repository: Repository) -> dict[str, str] | None:
        """What the repository's configuration says. None where it cannot be read."""
        path = f"{repository.common}/config"
        seen = _looks(path)
        if seen is None:
            return None
        words = ("config", "--file", path, "--no-includes", "-z", "--list")
        return self._listed(path, seen, words)

    def _user(self) -> dict[str, str]:
        """What the user's and the system's say."""
        folder = os.environ.get("XDG_CONFIG_HOME") or f"{self._home}/.config"
        seen = [
            _looks(path) for path in (f"{self._home}/.gitconfig", f"{folder}/git/config", "/etc/gitconfig")
        ]
        return self._listed("", seen, ("config", "-z", "--list")) or {}

    def _listed(self, path: str, seen: object, words: Sequence[str]) -> dict[str, str] | None:
        known = self._known.get(path)
        if known is not None and known[0] == seen:
            return known[1]
        said = self._runner.run(words, {"GIT_DIR": os.devnull} | (ALONE if path else {}), LISTING)
        if said is None or len(said) >= LISTING:
            return None
        found = settings.read(said)
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[path] = seen, found
        return found


def _make(slot: str, repository: Repository, now: Head, configuration: str) -> None:
    """A stand-in for the repository's folder. Objects and references are never written through it."""
    folder = os.path.dirname(slot)
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    paths.check_private(folder)
    shutil.rmtree(slot, ignore_errors=True)
    os.mkdir(slot, 0o700)
    _write(f"{slot}/HEAD", now.text or b"ref: refs/heads/.invalid\n")
    _write(f"{slot}/config", os.fsencode(configuration))
    for name in ("objects", "refs", "packed-refs", "info", "shallow", "reftable"):
        if os.path.lexists(f"{repository.common}/{name}"):
            os.symlink(f"{repository.common}/{name}", f"{slot}/{name}")
    if repository.own != repository.common and now.elsewhere:
        os.unlink(f"{slot}/reftable")
        os.symlink(f"{repository.own}/reftable", f"{slot}/reftable")
    with os.scandir(repository.own) as entries:
        for entry in entries:
            if entry.name.startswith("sharedindex."):
                os.symlink(entry.path, f"{slot}/{entry.name}")


def _write(path: str, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)


def _is_its_tree(repository: Repository, own: Mapping[str, str]) -> bool:
    """Is the folder that holds `.git` the working tree? A configuration may name another, or say that there is none."""
    if own.get("core.bare", "").lower() in ("true", "yes", "on", "1"):
        return False
    elsewhere = own.get("core.worktree")
    return elsewhere is None or os.path.realpath(os.path.join(repository.own, elsewhere)) == repository.root


def _looks(path: str) -> object:
    """What differs when the file has changed; None where there is none that can be read."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > LISTING:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
