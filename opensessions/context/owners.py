"""Which pane each process belongs to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from opensessions.model import Process


def owners(processes: Mapping[int, Process], roots: Collection[int]) -> dict[int, int]:
    """Process -> the nearest of `roots` (the panes' pids) at or above it, else the one that leads its session or the
    session of one above it; those that belong to none are left out. `processes` are all that are below the roots."""
    chosen = frozenset(roots)
    found: dict[int, int] = {}
    for pid, process in processes.items():
        climbed: list[Process] = []
        at: Process | None = process
        root = 0
        while at is not None:
            if at.pid in found or at.pid in chosen:
                root = found.get(at.pid, at.pid)
                break
            if len(climbed) > len(processes):
                break  # two of them were read at different moments
            climbed.append(at)
            at = processes.get(at.ppid)
        for each in reversed(climbed):
            root = root or (each.session if each.session in chosen else 0)
            if root:
                found[each.pid] = root
        if pid in chosen:
            found[pid] = pid
    return found
