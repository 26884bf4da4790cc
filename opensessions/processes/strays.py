"""Processes of this program that nothing needs any more: servers and sidebars that an older version or a crash left.

They are told by their command line and their owner, which is enough to name them to the user and never to end them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from opensessions import paths
from opensessions.lock import lock_free
from opensessions.processes.source import ProcessSource

Role = Literal["server", "sidebar"]

YOUNGEST = 120.0
"""Seconds. A sidebar looks for a new server for 60 s, and a server may be just beginning or leaving."""


class Stray(Struct, frozen=True):
    """One of them."""

    pid: int
    role: Role
    path: str
    """What it was started from, for people."""
    runtime: str
    """Its runtime directory; "" where that is not known."""


def role_of(argv: Sequence[str]) -> Role | None:
    """What part of this program has such a command line; None for all else, such as an editor with that file."""
    words = [word.rpartition("/")[2] for word in argv]
    if words[-2:] == ["server", "run"]:
        program = argv[:-2]
        by_name = words[len(program) - 1 : len(program)] == ["opensessions"]
        if by_name and (len(program) == 1 or argv[-4] == "-m" or words[0].startswith("python")):
            return "server"
    for place, word in enumerate(argv[:8]):
        if word.endswith("/scripts/sidebar.py") and words[0].startswith("python") and place > 0:
            return "sidebar" if all(each.startswith("-") for each in argv[1:place]) else None
    return None


def find(source: ProcessSource, youngest: float = YOUNGEST) -> tuple[Stray, ...]:
    """All of this user's, by pid. `youngest`: seconds since its start. Blocks for 30 µs a process."""
    found = []
    for pid in sorted(source.pids() - {os.getpid()}):
        stat = source.stat(pid)
        if stat is None or stat.exited or stat.kernel or source.now() - stat.start < youngest * 100:
            continue
        argv, _ = source.program(pid)
        role = role_of(argv)
        if role is None or source.users(pid) != (os.getuid(),) * 3:
            continue
        runtime = _runtime(source, pid, argv)
        if not _needed(role, pid, runtime):
            script = next((word for word in argv if word.endswith("/scripts/sidebar.py")), argv[0])
            found.append(Stray(pid, role, script, runtime))
    return tuple(found)


def _runtime(source: ProcessSource, pid: int, argv: Sequence[str]) -> str:
    """As the process itself found it out: see `paths.runtime_dir`."""
    for word in argv:
        if word.startswith("runtime="):
            return word.removeprefix("runtime=")
    said = source.variables(pid, ("OPENSESSIONS_RUNTIME_DIR", "XDG_RUNTIME_DIR", "TMPDIR"))
    if said.get("OPENSESSIONS_RUNTIME_DIR"):
        return said["OPENSESSIONS_RUNTIME_DIR"]
    base = said.get("XDG_RUNTIME_DIR")
    if base and os.path.isdir(f"{base}/opensessions"):
        return f"{base}/opensessions"
    return f"{said.get('TMPDIR') or '/tmp'}/opensessions-{os.getuid()}"


def _needed(role: Role, pid: int, runtime: str) -> bool:
    """Is there a server in its runtime directory, and, if it is a server, is it that one?"""
    path = paths.pid_file(runtime)
    if not os.path.exists(path) or lock_free(path):
        return False
    if role == "sidebar":
        return True
    try:
        with open(path, "rb") as file:
            return file.read(32).split(b"\n")[0] == str(pid).encode()
    except OSError:
        return True
