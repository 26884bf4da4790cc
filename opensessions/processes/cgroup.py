"""Control groups: a folder of the kernel's that holds exactly one agent's processes, wherever they fork to.

Nothing is required of the system: where no folder can be made, an agent has none. Linux with cgroup v2 only.
"""

from __future__ import annotations

import os
import re
import time
from functools import cache

PREFIX = "opensessions-"
NAME = re.compile(r"opensessions-[0-9a-f]{32}")
PROCS = "cgroup.procs"
DEEPEST = 8
"""Levels of groups below an agent's that are looked into."""
LEFT = 60.0
"""Seconds after which an empty folder is nobody's who is just about to enter it."""


def make(nonce: str) -> str:
    """Make a group below our own and move this process into it, so that its children are born there. The folder's path,
    or "" where the system does not allow it: then nothing has changed."""
    parent = own()
    if not parent:
        return ""
    _tidy(parent)
    path = f"{parent}/{PREFIX}{nonce}"
    try:
        os.mkdir(path, 0o755)
    except OSError:
        return ""
    if _enter(path):
        return path
    remove(path)
    return ""


def leave(path: str) -> None:
    """Undo `make`: this process goes back, and the group goes if nobody else is in it."""
    if _inside(path) and own() == path:
        _enter(os.path.dirname(path))
    remove(path)


def members(path: str) -> frozenset[int] | None:
    """The pids in this group and in those that its members made below it. None where that cannot be read to its end, or
    where a member has no pid in our namespace. One moment's answer: members fork."""
    return _members(path, DEEPEST) if _inside(path) else None


def remove(path: str) -> bool:
    """Remove the group if it is one of ours and empty; is it gone?"""
    if not _inside(path):
        return False
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def own() -> str:
    """The folder of the group that this process is in; "" where there is none to be seen."""
    root, mount = _mount()
    for line in _read("/proc/self/cgroup").splitlines():
        if mount and line.startswith("0::/"):
            return _folder(line.removeprefix("0::"), root, mount)
    return ""


def _folder(group: str, root: str, mount: str) -> str:
    """Where the kernel shows this group; "" where it lies outside of what is mounted."""
    below = "" if root == "/" else root
    if ".." in group.split("/") or not f"{group}/".startswith(f"{below}/"):
        return ""
    return f"{mount}{group.removeprefix(below)}".rstrip("/")


@cache
def _mount() -> tuple[str, str]:
    """The group that cgroup v2 is mounted from, and where; ("", "") where it is not."""
    for line in _read("/proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        if "-" in fields[6:] and fields[fields.index("-", 6) + 1] == "cgroup2" and "\\" not in line:
            return fields[3], fields[4]
    return "", ""


def _inside(path: str) -> bool:
    """Is it a folder such as `make` makes? Anywhere else a file called cgroup.procs may say what it likes."""
    _, mount = _mount()
    name = os.path.basename(path)
    return bool(
        mount and path.startswith(f"{mount}/") and NAME.fullmatch(name) and os.path.realpath(path) == path
    )


def _members(path: str, depth: int) -> frozenset[int] | None:
    try:
        with open(f"{path}/{PROCS}", encoding="ascii") as file:
            found = {int(line) for line in file}
        below = [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except (OSError, ValueError):
        return None
    for folder in below:
        more = _members(folder, depth - 1) if depth else None
        if more is None:
            return None
        found |= more
    return None if 0 in found else frozenset(found)


def _enter(path: str) -> bool:
    try:
        with open(f"{path}/{PROCS}", "w", encoding="ascii") as file:
            file.write("0")  # the process that writes
    except OSError:
        return False
    return own() == path


def _tidy(parent: str) -> None:
    """Remove the groups that ended agents have left here. The kernel keeps those that hold a process."""
    try:
        for name in filter(NAME.fullmatch, os.listdir(parent)):
            found = os.lstat(f"{parent}/{name}")
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > LEFT:
                remove(f"{parent}/{name}")
    except OSError:
        pass


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
