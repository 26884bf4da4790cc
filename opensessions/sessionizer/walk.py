"""Folders below the configured roots, repositories and their working trees; what zoxide knows; what a path holds.

Everything here blocks for as long as the disk does, and is bounded in time and number.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from opensessions.context import worktrees
from opensessions.files.disk import Disk
from opensessions.sessionizer.names import Asked
from opensessions.sessionizer.places import Found, Seen

MOST = 5000
"""Folders that are offered."""
READ = 50_000
"""Entries of folders that are read for them."""
SECONDS = 2.0
"""That the whole search may take."""
WORKTREES = 64
"""Of one repository."""
CHILDREN = 200
"""Folders in which a typed path can go on."""
KNOWN = 200
"""Folders that zoxide is asked for, the best ones."""
ZOXIDE_SECONDS = 2.0
PLACES = (".local/bin", ".cargo/bin")
"""Where zoxide is found as well, below the home: a multiplexer's PATH may be short."""
PATHS = ("/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin")

_disk = Disk()


class Root(Struct, frozen=True):
    """A folder to look in, and how many folders deep."""

    path: str
    depth: int


def walk(roots: Sequence[Root], also: Iterable[str] = ()) -> Iterator[Found]:
    """The folders in the roots and `also`, each once, the shallow ones first. Hidden folders are left out, and nothing
    is looked for inside of repositories and behind symbolic links."""
    deadline = time.monotonic() + SECONDS
    seen: set[str] = set()
    offered = read = 0
    for each in _first(roots, also, seen):
        offered += 1
        yield each
    waiting = deque((root.path, root.depth) for root in roots)
    while waiting:
        folder, depth = waiting.popleft()
        for name, link in _folders(folder, deadline):
            read += 1
            path = os.path.join(folder, name)
            if read > READ or offered >= MOST or time.monotonic() > deadline:
                return
            found = list(_found(path, seen, link))
            offered += len(found)
            yield from found
            if depth > 1 and not link and found and not found[0].group:
                waiting.append((path, depth - 1))


def _first(roots: Iterable[Root], also: Iterable[str], seen: set[str]) -> Iterator[Found]:
    """What zoxide knows, and the roots that are repositories."""
    for path in also:
        if path.startswith("/") and os.path.isdir(path):
            yield from _found(os.path.normpath(path), seen, link=False)
    for root in roots:
        if os.path.lexists(f"{root.path}/.git"):
            yield from _found(root.path, seen, link=False)


def _folders(folder: str, deadline: float) -> list[tuple[str, bool]]:
    """The names of the folders that are not hidden, in order, and whether each is a symbolic link."""
    names: list[tuple[str, bool]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(names) >= MOST or time.monotonic() > deadline:
                    break
                if not entry.name.startswith(".") and _is_folder(entry):
                    names.append((entry.name, entry.is_symlink()))
    except OSError:
        return []
    return sorted(names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _found(path: str, seen: set[str], link: bool) -> Iterator[Found]:
    """The folder, and if it is a repository its linked working trees."""
    real = os.path.realpath(path) if link else path
    if real in seen:
        return
    seen.add(real)
    repository = worktrees.locate(path) if os.path.lexists(f"{path}/.git") else None
    if repository is None or repository.root != os.path.realpath(path):
        yield Found(path)
        return
    yield _of(path, repository)
    for other in _linked(repository.common):
        if other not in seen and other != repository.root:
            seen.add(other)
            linked = worktrees.locate(other)
            if linked is not None and linked.root == os.path.realpath(other):
                yield _of(other, linked)


def _of(path: str, repository: worktrees.Repository) -> Found:
    branch = worktrees.head(repository).branch or ""
    return Found(path, repository.common, repository.worktree is not None, branch)


def _linked(common: str) -> Iterator[str]:
    """The folders of a repository's linked working trees, from git's own files."""
    folder = f"{common}/worktrees"
    try:
        names = sorted(os.listdir(folder))[:WORKTREES]
    except OSError:
        return
    for name in names:
        said = _disk.read(f"{folder}/{name}/gitdir", worktrees.SHORT)
        if said and said.strip():
            path = os.path.normpath(os.path.join(folder, name, os.fsdecode(said.strip())))
            yield os.path.dirname(path)


def known(home: str) -> tuple[str, ...]:
    """The folders that zoxide knows, the best first; none where it is not installed or does not answer."""
    folders = [os.environ.get("PATH", os.defpath), *(f"{home}/{place}" for place in PLACES), *PATHS]
    program = shutil.which("zoxide", path=os.pathsep.join(folders))
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, "query", "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=ZOXIDE_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.splitlines()[:KNOWN]
    return tuple(os.path.normpath(os.fsdecode(line)) for line in lines if line.startswith(b"/"))


def look(asked: Asked) -> Seen:
    """What the disk says of a path that is being typed."""
    children = tuple(_begun(asked))
    if os.path.isdir(asked.path):
        return Seen(asked, "folder", children)
    return Seen(asked, "other" if os.path.lexists(asked.path) else "nothing", children)


def _begun(asked: Asked) -> Sequence[str]:
    """Names in the folder that begin as the last part does, hidden ones only where that begins with a dot."""
    names: list[str] = []
    part = asked.part.casefold()
    read = 0
    try:
        with os.scandir(asked.folder) as entries:
            for entry in entries:
                read += 1
                if read > READ or len(names) >= CHILDREN:
                    break
                if entry.name.casefold().startswith(part) and entry.name.startswith(".") <= part.startswith(
                    "."
                ):
                    names += [entry.name] if _is_folder(entry) else []
    except (OSError, ValueError):
        return []
    return sorted(names)
