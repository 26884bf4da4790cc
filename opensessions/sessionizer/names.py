"""Names of sessions from folders, and folders from what is typed. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from msgspec import Struct

LONGEST = 64
"""Characters of a session's name that is made of a folder's."""


class Asked(Struct, frozen=True):
    """A path that is being typed."""

    path: str
    """All of it, absolute."""
    folder: str
    """The folder in which its last part is looked for."""
    part: str
    """That last part, as far as it is typed."""


def session_name(path: str) -> str:
    """The name of a session in this folder: the folder's, without what multiplexers replace (`.` and `:`) and without
    what could not be typed."""
    name = posixpath.basename(path.rstrip("/")) or "root"
    name = "".join(_kept(char) for char in name[:LONGEST]).strip()
    return name or "session"


def _kept(char: str) -> str:
    if char in ".:":
        return "_"
    return char if char.isprintable() else "?"


def unique(name: str, taken: Collection[str]) -> str:
    """`name`, or `name-2` and so on where sessions have it already."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def asked(query: str, home: str, here: str) -> Asked | None:
    """The path that is being typed: one that begins with `/`, `~/` or `./`; None for other words. `here` is `.`."""
    if query == "~" or query.startswith("~/"):
        text = home + query[1:]
    elif query.startswith("/"):
        text = query
    elif query in (".", "..") or query.startswith(("./", "../")):
        text = f"{here}/{query}"
    else:
        return None
    text = text.replace("\0", "")
    path = _normal(text)
    if text.endswith("/") or query in ("~", ".", ".."):
        return Asked(path, path, "")
    around, _, part = text.rpartition("/")
    return Asked(path, _normal(around), part)


def _normal(path: str) -> str:
    return posixpath.normpath("/" + path.strip("/"))


def short(path: str, home: str) -> str:
    """The path as people write it, with `~` for their home."""
    if path == home:
        return "~"
    return "~" + path[len(home) :] if home not in ("", "/") and path.startswith(home + "/") else path
