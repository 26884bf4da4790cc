"""Processes as /proc tells them. Linux only: the agents are driven on Linux."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct


class Stat(Struct, frozen=True):
    """Of /proc/<pid>/stat. `start` in ticks since boot."""

    pid: int
    comm: str
    state: str
    ppid: int
    session: int
    start: int


def stat(pid: int) -> Stat | None:
    """None where there is no such process any more."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            head, _, rest = file.read().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = rest.split()
    return Stat(pid, head.partition("(")[2], words[0], int(words[1]), int(words[3]), int(words[19]))


def everything() -> dict[int, Stat]:
    """Every live process."""
    found = (stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {each.pid: each for each in found if each is not None and each.state not in "ZX"}


def below(root: int, processes: Mapping[int, Stat]) -> list[Stat]:
    """The descendants, nearest first."""
    children: dict[int, list[Stat]] = {}
    for each in processes.values():
        children.setdefault(each.ppid, []).append(each)
    found = list(children.get(root, []))
    for each in found:
        found += children.get(each.pid, [])
    return found


def argv(pid: int) -> list[str]:
    """The command line; [] where the process is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return [word.decode("utf-8", "replace") for word in file.read().split(b"\0")[:-1]]
    except (FileNotFoundError, ProcessLookupError):
        return []


def environment(pid: int) -> dict[str, str]:
    """The environment; {} where the process is gone or another user's."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = (word.decode("utf-8", "replace").partition("=") for word in file.read().split(b"\0"))
            return {name: value for name, _, value in pairs if name}
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}


def link(pid: int, name: str) -> str:
    """Where `/proc/<pid>/<name>` leads; "" where that is not told."""
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""


def open_files(pid: int, within: str) -> list[str]:
    """The files that a process holds open below a folder."""
    try:
        handles = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []
    return sorted({path for each in handles if (path := link(pid, f"fd/{each}")).startswith(within)})


def is_same(known: Stat) -> bool:
    """Does this very process still live?"""
    now = stat(known.pid)
    return now is not None and now.start == known.start and now.state not in "ZX"
