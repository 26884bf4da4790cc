"""A program on a pseudo-terminal, with a screen that can be looked at (pyte)."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

PATIENCE = 20.0
"""Seconds after which a condition that should come true has failed."""
CONTROL = re.compile(rb"\x1b[P_][^\x1b]*\x1b\\")
"""A string for the terminal alone (DCS, APC): zellij sends some, and pyte would print them."""


class Screen(pyte.Screen):
    """pyte's, which does not know that some of a terminal's questions have a private form (zellij asks `CSI ? 6 n`)."""

    def report_device_status(self, mode: int = 0, **how: bool) -> None:
        """Nobody answers here."""

    def report_device_attributes(self, mode: int = 0, **how: bool) -> None:
        """Nor here."""


class Terminal:
    """Runs `argv` on a terminal of its own. Nothing is read in the background: `wait` and `pump` read."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cols: int = 100, rows: int = 30) -> None:
        self._start(argv, env, cols, rows)

    def restart(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Another program on another terminal of this size, once the first has ended."""
        self.close()
        self._start(argv, env, self.screen.columns, self.screen.lines)

    def _start(self, argv: Sequence[str], env: Mapping[str, str], cols: int, rows: int) -> None:
        self.screen = Screen(cols, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._begun = b""
        self.handle, tty = os.openpty()
        self.tty = os.ttyname(tty)
        self.resize(cols, rows)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.login_tty(tty)
                os.execvpe(argv[0], list(argv), dict(env))
            finally:
                os._exit(127)  # never the tests a second time
        os.close(tty)
        os.set_blocking(self.handle, False)
        self.ended = False

    def resize(self, cols: int, rows: int) -> None:
        """Another size, as a window manager would give it."""
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.screen.resize(rows, cols)

    def type(self, keys: bytes) -> None:
        """Keys, one write for all: tmux's `assume-paste-time` must be 0."""
        os.write(self.handle, keys)

    def pump(self, seconds: float = 0.0) -> bool:
        """Read what has come within `seconds`; True if anything did."""
        ready, _, _ = select.select([self.handle], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.handle, 1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return False
        data = CONTROL.sub(b"", self._begun + data)
        begun = max(data.rfind(b"\x1bP"), data.rfind(b"\x1b_"))
        begun = begun if begun >= 0 else len(data) - data.endswith(b"\x1b")
        self._begun = data[begun:]
        self._stream.feed(data[:begun])
        return True

    @property
    def text(self) -> str:
        """The screen as lines."""
        return "\n".join(self.screen.display)

    def wait(self, what: Callable[[], object], why: str = "", patience: float = PATIENCE) -> None:
        """Read until `what()` is true."""
        deadline = time.monotonic() + patience
        while not what():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {patience:g} s in vain for: {why or what}\n{self.text}")
            self.pump(0.02)

    def see(self, text: str) -> None:
        """Wait until the screen holds `text`."""
        self.wait(lambda: text in self.text, f"{text!r} on the screen")

    def close(self) -> bool:
        """Hang up, and wait for the program's end; one that does not end is killed. Did it end by itself?"""
        os.close(self.handle)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return True
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return False
