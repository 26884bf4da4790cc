"""Which repository a folder belongs to, and its branch, from git's own small files. No program is started.

Everything that is read belongs to whoever made the repository: it is short, a regular file, and harmless when shown.
"""

from __future__ import annotations

import os
import re

from msgspec import Struct

from opensessions.fields import clean
from opensessions.files.disk import Disk

HIGHEST = 64
"""Folders above the first one that are tried."""
SHORT = 4096
"""Bytes of HEAD, `.git` and `commondir`: the longest path and a few more."""
LONGEST = 200
"""Characters of a name that is shown."""
HASH = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
REFERENCE = re.compile(rb"ref:\s*(refs/[^\s]+)")
ELSEWHERE = b"refs/heads/.invalid"
"""What HEAD says in a repository that keeps its references as a reftable."""

_disk = Disk()


class Repository(Struct, frozen=True):
    """A working tree and its repository. All paths are absolute."""

    root: str
    """The working tree's topmost folder."""
    own: str
    """What belongs to this working tree alone: its HEAD and its index."""
    common: str
    """What it shares with the repository's other working trees."""

    @property
    def worktree(self) -> str | None:
        """The name of a linked working tree; None for the main one, and for a submodule."""
        return None if self.own == self.common else clean(os.path.basename(self.root), LONGEST) or "?"


class Head(Struct, frozen=True):
    """What HEAD says."""

    branch: str | None = None
    """As it is shown: the branch, or the beginning of the commit's name where none is checked out."""
    text: bytes = b""
    """What a HEAD that means the same would hold; empty where there is nothing that can be understood."""
    elsewhere: bool = False
    """It stands in a reftable: only git can tell."""


def locate(folder: str) -> Repository | None:
    """The repository whose working tree holds `folder`, found as git finds it: the nearest `.git` above, on the same
    file system. Blocks for as long as the disk does; some microseconds for each folder."""
    if not folder.startswith("/"):
        return None
    try:
        at = os.path.realpath(folder)
        device = os.stat(at).st_dev
        for _ in range(HIGHEST):
            found = _here(at)
            if found is not None or at == "/":
                return found
            at = os.path.dirname(at)
            if os.stat(at).st_dev != device:
                return None
    except (OSError, ValueError):
        return None
    return None


def head(repository: Repository) -> Head:
    """What is checked out. Blocks as `locate` does."""
    path = f"{repository.own}/HEAD"
    try:
        text = b"ref: " + os.fsencode(os.readlink(path))  # how old versions of git wrote it
    except (OSError, ValueError):
        text = _disk.read(path, SHORT) or b""
    return told(text)


def told(text: bytes) -> Head:
    """What these contents of HEAD say."""
    text = text.strip()
    if HASH.fullmatch(text):
        return Head(text[:7].decode(), text + b"\n")
    reference = REFERENCE.fullmatch(text)
    if reference is None:
        return Head()
    name = reference[1]
    if name == ELSEWHERE:
        return Head(elsewhere=True)
    shown = clean(name.removeprefix(b"refs/").removeprefix(b"heads/").decode("utf-8", "replace"), LONGEST)
    return Head(shown or None, b"ref: " + name + b"\n")


def _here(root: str) -> Repository | None:
    """The repository whose working tree begins at `root`."""
    entry = f"{root}/.git"
    own = entry
    if not os.path.isdir(entry):
        said = _disk.read(entry, SHORT)
        if said is None or not said.startswith(b"gitdir:"):
            return None
        own = os.path.join(root, os.fsdecode(said[len(b"gitdir:") :].strip()))
    own = os.path.realpath(own)
    said = _disk.read(f"{own}/commondir", SHORT)
    common = own if said is None else os.path.realpath(os.path.join(own, os.fsdecode(said.strip())))
    whole = os.path.lexists(f"{own}/HEAD") and all(
        os.path.isdir(f"{common}/{name}") for name in ("objects", "refs")
    )
    return Repository(root, own, common) if whole else None


def is_ours(repository: Repository, uid: int) -> bool:
    """Does all of it belong to this user? Git refuses another's for a reason: what is in there was made to be read by
    somebody else."""
    try:
        owners = {os.stat(path).st_uid for path in (repository.root, repository.own, repository.common)}
        return owners | {os.lstat(f"{repository.root}/.git").st_uid} == {uid}
    except (OSError, ValueError):
        return False
