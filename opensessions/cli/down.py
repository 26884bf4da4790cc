"""`opensessions down`"""

from __future__ import annotations

import argparse
import fcntl
import os
import time

from opensessions import caller, paths, start
from opensessions.cli.talk import NONE_RUNS, running
from opensessions.errors import ServerNotRunning

PATIENCE = 10.0
"""Seconds in which the server must be gone; it ends itself after 5."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Stop the server and wait until it has gone. Without one: nothing to do, 0."""
    who = caller.find()
    try:
        line = running(who)
    except ServerNotRunning:
        print(NONE_RUNS)
        return 0
    start.ask(line, "stop")
    wait_until_free(paths.pid_file(caller.runtime(who)))
    print("The server has stopped.")
    return 0


def wait_until_free(pid_file: str) -> None:
    """Wait for the lock. ServerNotRunning never: a server that stays is a fault of its own."""
    deadline = time.monotonic() + PATIENCE
    handle = os.open(pid_file, os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise ServerNotRunning(
                        "The server was asked to stop and is still there; see its log."
                    ) from None
                time.sleep(0.02)
    finally:
        os.close(handle)
