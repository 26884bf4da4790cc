"""Which zellij program to run, and whether it is new enough."""

from __future__ import annotations

import os
import re
import shutil

from opensessions.errors import Refused

OLDEST = (0, 44)
"""Older ones have no `list-panes --json`."""
WELL_KNOWN = (
    "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/opt/local/bin", "/home/linuxbrew/.linuxbrew/bin",
    "~/.cargo/bin", "~/.nix-profile/bin", "/run/current-system/sw/bin", "~/.local/bin",
)  # fmt: skip


def find(named: str = "") -> str:
    """The program that was named; else the first on PATH, then in well-known places; "" where there is none."""
    if named:
        return named
    return shutil.which("zellij") or next(
        (path for folder in WELL_KNOWN if _runs(path := os.path.expanduser(f"{folder}/zellij"))), ""
    )


def of_process(pid: int) -> str:
    """The program that a running zellij is (Linux); "" where it is not told, or its file is gone (an upgrade)."""
    try:
        path = os.readlink(f"/proc/{pid}/exe") if pid > 0 else ""
    except OSError:
        return ""
    return path if os.path.basename(path).startswith("zellij") and _runs(path) else ""


def version(text: str) -> str:
    """The version in what `zellij --version` prints; "" where there is none."""
    found = re.search(r"\d+\.\d+(?:\.\d+)?\S*", text)
    return found[0] if found else ""


def check_version(version: str) -> None:
    """Refused, in one sentence, where it is older than `OLDEST` or cannot be told."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if len(numbers) < 2 or numbers < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise Refused(
            f"This is zellij {version or 'of a version that it does not tell'}; opensessions needs {wanted} or later,"
            " which tells other programs what it shows: install a newer zellij."
        )


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
