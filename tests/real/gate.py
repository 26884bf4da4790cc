"""A gate at which a tool waits: a named pipe that `cat` reads until the test opens it.

It tells exactly when the tool's process begins to wait and when it goes, without looking at processes: a pipe can be
opened for writing only while somebody reads it.
"""

from __future__ import annotations

import os
import select
import threading
import time
from pathlib import Path

STEP = 0.01


def program(bin: Path, gates: Path) -> Path:
    """Write the program that waits at the gate named by its argument. An agent might take `cat FILE` for harmless, or
    open the file itself."""
    path = bin / "gate"
    path.write_text(f'#!/bin/sh\nexec cat "{gates}/$1"\n')
    path.chmod(0o755)
    return path


class Gate:
    """One agent's gate. Armed from the start; `open` lets the tool go, `arm` closes it for the next one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self.entered: float | None = None
        """When a tool began to wait, in seconds since the epoch."""
        self.left: float | None = None
        """When it went, or was let go."""
        self._armed = True
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._handle = -1
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        while not self._ended.wait(STEP):
            with self._lock:
                self._look()

    def _look(self) -> None:
        if self._handle >= 0:
            poll = select.poll()
            poll.register(self._handle, select.POLLERR)
            if poll.poll(0):
                self.left = time.time()
                self._close()
                self._armed = True  # it was stopped, or only looked
        elif self._armed:
            try:
                self._handle = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return  # nobody reads
            self.entered, self._armed = time.time(), False

    def _close(self) -> None:
        os.close(self._handle)
        self._handle = -1

    def open(self) -> None:
        """Let the tool go."""
        with self._lock:
            if self._handle >= 0:
                self.left = time.time()
                self._close()

    def arm(self) -> None:
        """Be ready for another tool."""
        with self._lock:
            self.entered = self.left = None
            self._armed = True

    def end(self) -> None:
        """Let everybody go, for ever."""
        self._ended.set()
        self._watcher.join()
        self.open()
