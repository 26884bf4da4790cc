"""What can be chosen: sessions that there are, and folders in which one may begin; in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from opensessions.sessionizer.names import Asked, short

Kind = Literal["session", "repository", "worktree", "known", "folder", "typed", "new"]
"""`known`: zoxide knows it. `typed`: the folder that was typed. `new`: the same, where it is still to be made."""


class Session(Struct, frozen=True):
    """A session that there is. `folders`: where it began, and where its active pane is."""

    id: str
    name: str
    folders: tuple[str, ...] = ()


class Found(Struct, frozen=True):
    """A folder on the disk. `group` is the same for all working trees of a repository, "" for other folders."""

    path: str
    group: str = ""
    linked: bool = False
    """A linked working tree."""
    branch: str = ""


class Place(Struct, frozen=True):
    """One row."""

    kind: Kind
    path: str
    name: str
    """The session's, else the folder's."""
    where: str = ""
    """The folder around it, as people write it; of a session its own folder."""
    session: str = ""
    branch: str = ""

    @property
    def key(self) -> str:
        """Which row it is, whatever becomes of the list."""
        return self.session or f"{self.kind == 'typed' or self.kind == 'new'}{self.path}"


class Seen(Struct, frozen=True):
    """What the disk says of a path that is being typed."""

    asked: Asked
    kind: Literal["folder", "nothing", "other"]
    children: tuple[str, ...] = ()
    """Names of the folders in which it can go on."""


def gathered(
    sessions: Sequence[Session], found: Iterable[Found], known: Sequence[str], home: str
) -> tuple[Place, ...]:
    """Everything to choose from: sessions in their order, repositories with their linked working trees, what zoxide
    knows, other folders. What is used much according to zoxide comes first in each part. A folder that a session began
    in is that session's row."""
    rank = {path: place for place, path in enumerate(known)}
    rows = [Place("session", each.folders[0] if each.folders else "", each.name,
                  short(each.folders[0], home) if each.folders else "", each.id) for each in sessions]  # fmt: skip
    taken = {folder for each in sessions for folder in each.folders}
    folders = {each.path: each for each in found if each.path not in taken}
    last = len(known)
    best: dict[str, int] = {}
    for each in folders.values():
        if each.group:
            best[each.group] = min(best.get(each.group, last), rank.get(each.path, last))
    order = sorted(
        folders.values(),
        key=lambda each: (
            (0, best[each.group], each.group, each.linked, each.path) if each.group
            else (1, rank.get(each.path, last), "", False, each.path)
        ),
    )  # fmt: skip
    return (*rows, *(_place(each, rank, home) for each in order))


def _place(each: Found, rank: dict[str, int], home: str) -> Place:
    kind: Kind = "known" if each.path in rank else "folder"
    if each.group:
        kind = "worktree" if each.linked else "repository"
    return of_folder(kind, each.path, home, each.branch)


def of_folder(kind: Kind, path: str, home: str, branch: str = "") -> Place:
    """The row of a folder."""
    around, _, name = short(path, home).rpartition("/")
    return Place(kind, path, name or "/", around or ("/" if path != "/" and name != "~" else ""), "", branch)


def typed(seen: Seen, places: Iterable[Place], home: str) -> tuple[Place, ...]:
    """The rows while a path is typed: the path itself, sessions in it, and the folders in which it can go on. A folder
    that is still to be made comes last: what is typed may be half of another one's name."""
    at = seen.asked
    base = at.folder.rstrip("/")
    paths = [f"{base}/{name}" for name in seen.children]
    rows = [place for place in places if place.kind == "session" and place.path == at.path]
    rows += [of_folder("folder", path, home) for path in paths if path != at.path]
    if seen.kind == "folder":
        return (of_folder("typed", at.path, home), *rows)
    return (*rows, of_folder("new", at.path, home)) if seen.kind == "nothing" else tuple(rows)
