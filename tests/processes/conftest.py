"""Real processes that end with the test."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

PATIENCE = 20.0


def until(what: Callable[[], Any], why: str = "") -> Any:
    """What `what` says as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (said := what()):
        assert time.monotonic() < deadline, why or "it did not happen"
        time.sleep(0.005)
    return said


class Shell:
    """A bash that leads a session of its own, as in a pane, and takes commands."""

    def __init__(self, folder: str) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
            env={"PATH": f"{folder}:{os.environ['PATH']}", "HOME": folder, "LANG": "C.UTF-8"},
        )
        self.pid = self._process.pid
        self.folder = folder

    def type(self, line: str) -> None:
        """Have it run a line."""
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End everything that it started: without job control all of it is in one group, which dies at once."""
        assert self._process.stdin
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(timeout=PATIENCE)
        self._process.stdin.close()


@pytest.fixture
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """One such shell; its folder is on its PATH."""
    made = Shell(str(tmp_path_factory.mktemp("shell")))
    try:
        yield made
    finally:
        made.close()
