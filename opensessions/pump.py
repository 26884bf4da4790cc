"""A sidebar's process: carries bytes between its terminal and the server, and understands neither.

Standard library only, and little of it: one such process runs in every window. It blocks in `select` without
a timeout while it is connected. It never asks the terminal anything, so no answer can end up in a shell.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import termios
import time
import tty

try:  # The C halves alone: `signal` and `socket` bring enum and selectors, 8 ms and 1 MiB for each sidebar.
    import _signal as signal  # type: ignore[import-not-found,unused-ignore]
    import _socket as socket
except ImportError:
    import signal  # type: ignore[no-redef,unused-ignore]
    import socket  # type: ignore[no-redef,unused-ignore]

from opensessions import paths, wire
from opensessions.errors import OpenSessionsError, WireError
from opensessions.lock import lock_free

ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?2004h"
"""Alternate screen, no cursor, no wrapping; mouse: press, drag, SGR coordinates; bracketed paste."""
LEAVE = b"\x1b[?2031l\x1b[?2004l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l"

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between two tries to connect; doubled each time."""
START_AFTER = 1.0
"""Seconds for which nobody may hold the server's lock before the server is started."""
START_AGAIN = 5.0
"""Seconds between two starts."""
PATIENCE = 60.0
"""Seconds without a server after which the sidebar ends."""
STEADY = 1.0
"""Seconds after which a connection without a picture counts as good."""
UNSENT = 1 << 16
"""Bytes of keys kept for a server that does not read; more are dropped."""


def main(arguments: list[str]) -> int:
    """Run until the server says bye, the terminal hangs up, or a signal comes. The exit status.

    `arguments` are `runtime=…`, `socket=…` (the multiplexer's), `python=…`, in a popup `client=…`, over which it lies,
    and in zellij `provider=zellij`; unknown ones are ignored.
    """
    told = dict(argument.partition("=")[::2] for argument in arguments)
    if not os.isatty(0):
        print("A sidebar needs a terminal; the server opens one in a pane of its own.", file=sys.stderr)
        return 2
    terminal = Terminal()
    try:
        status, reason = Pump(told, terminal).run()
    finally:
        terminal.close()
    if reason:
        print(f"opensessions: {reason}", file=sys.stderr)
    return status


class Terminal:
    """The terminal of standard input, raw, through a file description of its own: non-blocking for us alone."""

    __slots__ = ("_saved", "handle", "unwritten")

    def __init__(self) -> None:
        try:
            path = os.ttyname(0)
        except OSError:
            path = "/dev/tty"  # Its name can be outside of our mount namespace.
        self.handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._saved = termios.tcgetattr(self.handle)
        tty.setraw(self.handle, termios.TCSANOW)
        self.unwritten = bytearray(ENTER)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        size = os.get_terminal_size(self.handle)
        return size.columns, size.lines

    def write(self) -> None:
        """Write what it takes now. OSError where it is gone."""
        try:
            while self.unwritten:
                del self.unwritten[: os.write(self.handle, self.unwritten[:65536])]
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Leave it as it was found. A terminal that takes nothing for half a second is left."""
        self.unwritten[:] = LEAVE
        try:
            while self.unwritten and select.select([], [self.handle], [], 0.5)[1]:
                self.write()
            termios.tcsetattr(self.handle, termios.TCSANOW, self._saved)
        except (OSError, termios.error):
            pass  # It hung up: there is nothing to restore.
        os.close(self.handle)


class Pump:
    """The connection, and what happens while there is none."""

    def __init__(self, told: dict[str, str], terminal: Terminal) -> None:
        self._runtime = told.get("runtime", "")
        self._socket = told.get("socket", "")
        self._python = told.get("python", "") or sys.executable
        self._client = told.get("client", "")
        self._provider = told.get("provider", "")
        self._terminal = terminal
        self._size = terminal.size()
        self._line: socket.socket | None = None
        self._frames = wire.Frames()
        self._unsent = bytearray()
        self._end: tuple[int, str] | None = None
        self._said = ""
        now = time.monotonic()
        self._down_since = now
        self._connected = 0.0
        self._good = False  # a picture came through this connection
        self._pause = FIRST_PAUSE
        self._next_try = now
        self._free_since = 0.0
        self._started = now - START_AGAIN

    def run(self) -> tuple[int, str]:
        """The exit status and, for people, why it ended early."""
        wake = _signals()
        self._connect("starting the server...")
        while self._end is None:
            try:
                self._turn(wake)
            except BlockingIOError:
                continue
            except OSError as error:
                # The connection's own errors are handled where they come up: this is the terminal's.
                self._end = (0, "") if error.errno in (errno.EIO, errno.ENXIO) else (1, str(error))
        return self._end

    def _turn(self, wake: int) -> None:
        """Wait for one thing to happen, and do it."""
        handle = self._terminal.handle
        reading: list[int | socket.socket] = [handle, wake]
        writing: list[int | socket.socket] = [handle] if self._terminal.unwritten else []
        timeout = None
        if self._line is None:
            timeout = max(0.0, self._next_try - time.monotonic())
        else:
            if not writing:  # A slow terminal slows the server down; nothing piles up here.
                reading.append(self._line)
            if self._unsent:
                writing.append(self._line)
        ready, writable, _ = select.select(reading, writing, [], timeout)
        if wake in ready:
            self._signalled(os.read(wake, 64))
        if handle in writable:
            self._terminal.write()
        if handle in ready:
            self._typed(os.read(handle, 65536))
        if self._line in writable:
            self._send()
        if self._line is not None and self._line in ready:
            self._receive()
        if self._line is None and time.monotonic() >= self._next_try:
            self._connect("")

    # --- the terminal ---------------------------------------------------------------------------------------

    def _signalled(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                _reap()
            elif number != signal.SIGWINCH:
                self._end = (128 + number, "")
        size = self._terminal.size()
        if size == self._size:
            return
        self._size = size
        if self._line is not None:
            self._queue(b"R", wire.pack_fields(cols=size[0], rows=size[1]))
        else:
            self._terminal.unwritten += b"\x1b[0m\x1b[2J"
            self._say(self._said)

    def _typed(self, data: bytes) -> None:
        if not data:
            self._end = (0, "")  # It hung up.
        elif self._line is not None:
            self._queue(b"K", data)
        elif data == b"\x03" or (self._client and data[-1:] in (b"\x03", b"\x1b", b"q")):
            self._end = (130, "")

    def _say(self, text: str) -> None:
        """One line at the bottom; the rest of the last picture stays. Seven-bit: nobody told us more here."""
        self._said = text
        cols, rows = self._size
        line = f" {_plain(text)}"[:cols].ljust(cols)
        self._terminal.unwritten += f"\x1b[{rows};1H\x1b[0;7m{line}\x1b[0m".encode()

    # --- the server -----------------------------------------------------------------------------------------

    def _connect(self, said: str) -> None:
        """Try once; if it fails, say `said` (unless "") and plan the next try."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            paths.check_private(self._runtime)
            line.connect(paths.server_socket(self._runtime))
        except (OSError, OpenSessionsError) as error:
            line.close()
            self._missed(str(error) if isinstance(error, OpenSessionsError) else said)
            return
        line.setblocking(False)
        self._line = line
        self._frames = wire.Frames()
        self._connected, self._good = time.monotonic(), False
        self._size = self._terminal.size()
        self._unsent = bytearray()
        self._queue(
            b"H",
            wire.pack_fields(
                pane="" if self._client else own_pane(self._provider), socket=self._socket,
                cols=self._size[0], rows=self._size[1], pid=os.getpid(),
                term=os.environ.get("TERM", ""), colorterm=os.environ.get("COLORTERM", ""),
                **({"client": self._client} if self._client else {}),
                **({"provider": self._provider} if self._provider else {}),
            ),
        )  # fmt: skip

    def _missed(self, said: str) -> None:
        now = time.monotonic()
        if said and said != self._said:
            self._say(said)
        self._start_if_free(now)
        self._wait(now)

    def _wait(self, now: float) -> None:
        """Plan the next try, or give up."""
        if now - self._down_since > PATIENCE:
            self._end = (1, f"no server for {PATIENCE:g} seconds; start one with: opensessions up")
        self._next_try = now + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _start_if_free(self, now: float) -> None:
        """Start the server once its lock has been free for a while. All sidebars lose it in the same moment: the
        process ids spread their starts, and whoever comes second finds the lock taken."""
        if not lock_free(paths.pid_file(self._runtime)):
            self._free_since = 0.0
            return
        self._free_since = self._free_since or now
        if now - self._free_since < START_AFTER + os.getpid() % 16 / 16 or now - self._started < START_AGAIN:
            return
        from opensessions.start import start_server

        self._started = now
        self._pause = FIRST_PAUSE
        try:
            start_server(self._runtime, self._python)
        except (OSError, OpenSessionsError) as error:
            self._say(str(error))

    def _lost(self, said: str = "server restarting...") -> None:
        """The connection ended. One that was good is followed by a new one soon."""
        assert self._line is not None
        self._line.close()
        self._line = None
        now = time.monotonic()
        self._free_since = 0.0
        if self._good or now - self._connected > STEADY:
            self._down_since = now
            self._pause = FIRST_PAUSE
        self._say(said)
        self._wait(now)

    def _queue(self, kind: bytes, payload: bytes) -> None:
        if kind != b"K" or len(self._unsent) + len(payload) < UNSENT:
            self._unsent += wire.frame(kind, payload)
            self._send()

    def _send(self) -> None:
        assert self._line is not None
        try:
            while self._unsent:
                del self._unsent[: self._line.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._lost()

    def _receive(self) -> None:
        assert self._line is not None
        try:
            data = self._line.recv(65536)
            frames = self._frames.feed(data)
        except BlockingIOError:
            return
        except (OSError, WireError):
            self._lost()
            return
        for kind, payload in frames:
            if kind == b"P":
                self._good = True
                self._said = ""
                self._terminal.unwritten += payload
            elif kind == b"B":
                self._end = (0, _plain(payload.decode("utf-8", "replace")))
                return
            elif kind == b"E":
                self._lost(payload.decode("utf-8", "replace"))
                return
        if not data:
            self._lost()


def own_pane(provider: str) -> str:
    """The pane that this runs in, as the provider calls it. A tmux in zellij, or the other way round, leaves the names
    of both in the environment."""
    if provider == "zellij":
        return f"{os.environ.get('ZELLIJ_SESSION_NAME', '')}/terminal_{os.environ.get('ZELLIJ_PANE_ID', '')}"
    return os.environ.get("TMUX_PANE", "")


def _signals() -> int:
    """Let signals wake `select`: the handle that their numbers can be read from."""
    wake, ring = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
    for number in (signal.SIGWINCH, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return wake


def _reap() -> None:
    """A server that we started is our child, and no zombie of ours when it ends."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _plain(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)
