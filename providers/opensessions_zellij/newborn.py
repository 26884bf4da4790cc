"""What `births` is to the server, for scripts: no session that begins is disturbed. Standard library only."""

from __future__ import annotations

import os
import time

from opensessions_zellij.places import CONTRACT, contract

GROWN = 1.0
"""Seconds that a session is given to begin: who asks zellij anything meanwhile can end it (see `births`)."""


def wait_for_births(folder: str) -> None:
    """Until no session is in its first second; at most that long for each that begins meanwhile."""
    while (age := _youngest(folder)) < GROWN:
        time.sleep(GROWN - age)


def _youngest(folder: str) -> float:
    """Seconds since the last session's socket was made; of one from the future nothing is known."""
    now, ages = time.time(), [GROWN]
    try:
        for entry in os.scandir(f"{folder}/{contract(folder) or CONTRACT + '1'}"):
            ages.append(now - entry.stat(follow_symlinks=False).st_mtime)
    except OSError:
        pass
    return min((age for age in ages if age >= 0), default=GROWN)
