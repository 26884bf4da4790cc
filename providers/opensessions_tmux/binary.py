"""Which tmux program to speak to a tmux server with. Standard library only.

A client of another version than the server is refused ("protocol version mismatch"), and tmux itself may not be
on the PATH that tmux gives to its jobs.
"""

from __future__ import annotations

import os
import shutil

WELL_KNOWN = (
    "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/opt/local/bin", "/usr/pkg/bin",
    "/home/linuxbrew/.linuxbrew/bin", "~/.nix-profile/bin", "/run/current-system/sw/bin", "~/.local/bin",
)  # fmt: skip


def of_server(pid: int) -> str:
    """The program that the server process runs, where the system tells (Linux) and the file still stands
    (after an upgrade the running server's file is gone); else the first on PATH, then in well-known places.
    "" where there is none."""
    try:
        running = os.readlink(f"/proc/{pid}/exe") if pid > 0 else ""
    except OSError:
        running = ""
    if running and _runs(running):
        return running
    return shutil.which("tmux") or next(
        (path for folder in WELL_KNOWN if _runs(path := os.path.expanduser(f"{folder}/tmux"))), ""
    )


def caller_socket() -> tuple[str, int]:
    """Socket and server pid from `$TMUX` ("socket,pid,session"; the socket's path may hold commas); ("", 0)
    outside of tmux."""
    socket, _, pid = os.environ.get("TMUX", "").rpartition(",")[0].rpartition(",")
    return (socket, int(pid)) if socket and pid.isdigit() else ("", 0)


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
