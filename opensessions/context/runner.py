"""Runs git: nicely, for a short time, with no variable that steers it, and with an end in any case."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from select import POLLHUP, POLLIN, poll

TIME = 2.0
"""Seconds that one may take."""
NICE = 10
EVERYWHERE = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


class Runner:
    """Any thread may call it."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, words: Sequence[str], environment: dict[str, str], enough: int) -> bytes | None:
        """What git prints, and no more than about `enough` bytes of it. None where it fails or takes too long. Of our
        own environment it sees where the user's files are, and no variable that steers git."""
        program = _program()
        if program is None or self._closed:
            return None
        until = time.monotonic() + TIME
        kept = {name: os.environ[name] for name in ("PATH", "XDG_CONFIG_HOME") if name in os.environ}
        try:
            process = subprocess.Popen(
                (program, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                cwd="/", env=kept | {"HOME": self._home} | EVERYWHERE | environment, start_new_session=True,
            )  # fmt: skip
        except OSError:
            return None
        with self._lock:
            self._running.add(process)
        try:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
            if self._closed:
                return None
            said, ended = _read(process, enough, until)
            if not ended:
                return said if len(said) >= enough else None
            return said if process.wait(max(0.0, until - time.monotonic())) == 0 else None
        except subprocess.TimeoutExpired:
            return None
        finally:
            process.kill()  # it has ended, has said enough, or takes too long
            if process.stdout:
                process.stdout.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(TIME)  # what hangs in the kernel is left to it
            with self._lock:
                self._running.discard(process)

    def open(self) -> None:
        """Run what is asked for, again."""
        self._closed = False

    def close(self) -> None:
        """End what runs, and run nothing any more."""
        self._closed = True
        with self._lock:
            running = tuple(self._running)
        for process in running:
            process.kill()


def _read(process: subprocess.Popen[bytes], enough: int, until: float) -> tuple[bytes, bool]:
    """What it prints until then; and whether that is all."""
    assert process.stdout is not None
    handle = process.stdout.fileno()
    waiting = poll()
    waiting.register(handle, POLLIN | POLLHUP)
    said = b""
    while len(said) < enough:
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            return said, False
        piece = os.read(handle, 1 << 16)
        if not piece:
            return said, True
        said += piece
    return said, False


def _program() -> str | None:
    """Git's path. A relative entry of $PATH would be looked up in somebody's folder."""
    absolute = [entry for entry in os.environ.get("PATH", "").split(":") if entry.startswith("/")]
    found = shutil.which("git", path=":".join(absolute)) if absolute else None
    tools = ("/Library/Developer/CommandLineTools/usr/bin/git", "/Applications/Xcode.app")
    if sys.platform == "darwin" and found == "/usr/bin/git" and not any(map(os.path.exists, tools)):
        return None  # a placeholder, which asks the user to install it
    return found
