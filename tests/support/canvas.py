"""A pane of a real tmux that shows bytes: what tmux itself makes of a picture, cell by cell."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

NO_WRAP = b"\x1b[?7l"
"""The pump turns wrapping off."""


class Canvas:
    """A private tmux server with one pane at a time, of the size that each picture asks for."""

    def __init__(self, tmux: str, folder: Path) -> None:
        self._tmux = tmux
        self._folder = folder
        self._socket = str(folder / "canvas")
        self(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "keep",
            "cat",
            ";",
            "set-option",
            "-g",
            "status",
            "off",
        )

    def __call__(self, *words: str) -> str:
        """tmux commands; what they print."""
        return subprocess.run(
            [self._tmux, "-u", "-S", self._socket, *words],
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(self._folder), "TERM": "xterm-256color"},
            capture_output=True, text=True, timeout=30, check=True,
        ).stdout  # fmt: skip

    def show(self, data: bytes, width: int, height: int) -> list[str]:
        """The lines of a pane of this size after it got the bytes, with the spaces at their ends."""
        picture = self._folder / "picture"
        picture.write_bytes(NO_WRAP + data)
        tmux, socket = shlex.quote(self._tmux), shlex.quote(self._socket)
        self(
            "new-session", "-d", "-s", "picture", "-x", str(width), "-y", str(height),
            f"cat {shlex.quote(str(picture))}; {tmux} -S {socket} wait-for -S shown; exec cat",
        )  # fmt: skip
        self("wait-for", "shown")
        try:
            size = self("display-message", "-p", "-t", "=picture:", "#{pane_width} #{pane_height}").split()
            assert size == [str(width), str(height)]
            # `-p` appends one newline; `-N` keeps what a line ends with.
            return self("capture-pane", "-p", "-N", "-t", "=picture:").split("\n")[:height]
        finally:
            self("kill-session", "-t", "=picture")

    def close(self) -> None:
        """End it."""
        self("kill-server")
