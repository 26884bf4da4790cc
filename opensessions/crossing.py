"""A terminal that goes from one multiplexer to another: what runs on it, and the files by which it is told where to.

The program of a client that leaves becomes this one. It attaches the same terminal elsewhere, waits until that client
ends, and looks whether it was told where to go next; else it ends as the client did. Standard library only; it knows no
multiplexer: what is to be run comes as words (`opensessions.provider.WayIn`), and no shell reads them.

In `<runtime>/cross/`: `PID` is one such process, which holds a lock on it for its life; `PID.next` is where it goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import termios
import time

from opensessions import paths
from opensessions.errors import OpenSessionsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FRESH = 30.0
"""Seconds for which an order to go somewhere holds: a client that ends later has been left by its user."""
CHECK = 5.0
"""Seconds that a multiplexer gets to say whether the session is there."""
READING = 3.0
"""Seconds that a sentence stays where the multiplexer has no place for it; Enter ends them."""
QUICK = 2.0
"""Seconds within which a client that fails never came: it is tried once more."""
FAILED = 1
"""What clients exit with that could not attach."""
RECORD = 256
"""Bytes of a record, always as many: it is written at once."""
LIMIT = 1 << 16
"""Bytes of an order, at most."""
RESTORE = b"\x1b[?2004l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l"
"""For a terminal whose program was killed before it could tidy up."""

Way = dict[str, "Any"]
"""A `WayIn`, as JSON has it."""
Order = dict[str, "Any"]
"""Where to go: `to`, a Way; `back`, the Way to where one came from, or None; `at`, when it was said."""


def folder_of(runtime: str) -> str:
    """The folder of the crossings."""
    return f"{runtime}/cross"


def main(argv: list[str]) -> int:
    """`argv` is the runtime directory and the name of the first order. The exit status is the last client's."""
    runtime, name = argv
    try:
        folder = paths.ensure_private(folder_of(paths.ensure_runtime(runtime)))
        order = take(folder, name)
        if order is None:
            raise OpenSessionsError(
                "This terminal was to go to another session and it is not known to which; attach it again yourself."
            )
        return Crossing(folder).travel(order)
    except (OpenSessionsError, OSError, termios.error) as error:
        print(f"opensessions: {error}", file=sys.stderr)
        return 1


def take(folder: str, name: str) -> Order | None:
    """The order with this name, which is then gone; None where there is none, or it is too old."""
    path = f"{folder}/{name}.next"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        os.unlink(path)
        order: Order = json.loads(os.read(handle, LIMIT))
    except (OSError, ValueError):
        return None
    finally:
        os.close(handle)
    return order if -1 <= time.time() - float(str(order.get("at", 0))) <= FRESH else None


class Crossing:
    """This process, for as long as it has the terminal."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._name = str(os.getpid())
        self._child = 0
        self._leave = False
        """The client that runs now is told to go by us."""
        self._ended: int | None = None
        """How it has ended, as `waitpid` has it."""
        self._over = 0
        """The signal that ends all."""
        self._modes = termios.tcgetattr(0)
        self._wake = _signals()
        self._record = self._open()

    def travel(self, order: Order) -> int:
        """Go there, and wherever one is sent from there."""
        try:
            return self._travel(order)
        finally:
            for path in (f"{self._folder}/{self._name}", f"{self._folder}/{self._name}.next"):
                _unlink(path)

    def _travel(self, order: Order) -> int:
        while True:
            way, back = order["to"], order.get("back")
            status = self._stay(way)
            if self._over:
                return status or 128 + self._over
            following = take(self._folder, self._name)
            if following is not None:
                order = following
            elif status and back:
                order = {"to": back}
            else:
                return status

    # --- one place ------------------------------------------------------------------------------------------

    def _stay(self, way: Way) -> int:
        """Attach the terminal there until its client ends; its exit status."""
        environment = dict(os.environ)
        for name, value in way["environment"].items():
            environment.pop(name, None)
            if value:
                environment[name] = value
        if not self._is_there(way["check"], environment) or self._over:
            return 1
        if way["said"]:
            self._say(way["said"])
        if self._over:
            return 1
        began = time.monotonic()
        status = self._client(way, environment)
        if status == FAILED and time.monotonic() - began < QUICK and not (self._over or self._awaited()):
            # A multiplexer under load may deny a session that lives: zellij does, once in some hundred times (0.45.1).
            status = self._client(way, environment) if self._is_there(way["check"], environment) else status
        return status

    def _client(self, way: Way, environment: dict[str, str]) -> int:
        """The multiplexer's client on the terminal, to its end; its exit status."""
        self._leave = bool(way["leave"])
        status = self._run(way["argv"], environment, None, way["mux"])
        self._tidy()
        return status

    def _is_there(self, argv: list[str], environment: dict[str, str]) -> bool:
        """Does the multiplexer say that it has the session? One that does not answer has not."""
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            return self._run(argv, environment, null) == 0
        finally:
            os.close(null)

    def _run(self, argv: list[str], environment: dict[str, str], null: int | None, mux: str = "") -> int:
        """Run a program to its end: on the terminal, or with `null` as its standard streams and little time."""
        streams = [(os.POSIX_SPAWN_DUP2, null, number) for number in range(3)] if null is not None else []
        try:
            self._child = os.posix_spawnp(argv[0], argv, environment, file_actions=streams)
        except (OSError, ValueError) as error:
            print(f"opensessions: {argv[0]} cannot be started: {error}", file=sys.stderr)
            return 127
        if mux:
            self._note(mux)
        self._ended = None
        until = time.monotonic() + CHECK if null is not None else None
        while self._ended is None:
            if until is not None and time.monotonic() > until:
                os.kill(self._child, signal.SIGKILL)
                until = None
            self._hear(None if until is None else max(0.0, until - time.monotonic()))
        status = self._ended
        self._child, self._leave = 0, False
        if mux:
            self._note("")
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    def _say(self, sentence: str) -> None:
        """A sentence on the terminal, and time to read it. Whoever made it has taken the control characters out."""
        os.write(2, f"opensessions: {sentence}\r\n".encode())
        until = time.monotonic() + READING
        while not self._over and (left := until - time.monotonic()) > 0:
            if self._hear(left, keys=True):
                return

    def _tidy(self) -> None:
        """Leave the terminal as it was found."""
        try:
            if self._ended is not None and os.WIFSIGNALED(self._ended):
                os.write(1, RESTORE)
            termios.tcsetattr(0, termios.TCSANOW, self._modes)
        except (OSError, termios.error):
            pass  # it hung up

    # --- what happens meanwhile -----------------------------------------------------------------------------

    def _hear(self, timeout: float | None, keys: bool = False) -> bool:
        """Wait for signals, and act on them; whether Enter was pressed, where `keys` are asked for."""
        ready, _, _ = select.select([self._wake, *([0] if keys else [])], [], [], timeout)
        if self._wake in ready:
            for number in os.read(self._wake, 64):
                self._signalled(number)
        return keys and 0 in ready and b"\n" in (os.read(0, 64) or b"\n")

    def _signalled(self, number: int) -> None:
        if number in (signal.SIGHUP, signal.SIGTERM):
            self._over = number
            self._tell(number)
        elif number == signal.SIGUSR1 and self._leave and self._awaited():
            self._tell(signal.SIGTERM)
        elif number == signal.SIGCHLD and self._child and self._ended is None:
            child, status = os.waitpid(self._child, os.WNOHANG | os.WUNTRACED)
            if child and os.WIFSTOPPED(status):
                # Who waits for us, a shell, sees this process alone: it is to have the terminal now.
                os.kill(os.getpid(), signal.SIGTSTP)
            elif child:
                self._ended = status

    def _tell(self, number: int) -> None:
        """Send our own child a signal, as long as it is not waited for."""
        if self._child and self._ended is None:
            os.kill(self._child, number)

    def _awaited(self) -> bool:
        return os.path.exists(f"{self._folder}/{self._name}.next")

    # --- the record -----------------------------------------------------------------------------------------

    def _open(self) -> int:
        """Make the record: locked before it has its name, so that who finds it free may remove it."""
        path = f"{self._folder}/{self._name}"
        handle = os.open(
            f"{path}.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_TRUNC, 0o600
        )
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(f"{path}.new", path)
        return handle

    def _note(self, mux: str) -> None:
        """Say where this terminal is, and which process has it; "" is between two places."""
        said = json.dumps({"mux": mux, "child": self._child})
        try:
            os.pwrite(self._record, said.encode().ljust(RECORD), 0)
        except OSError:
            pass  # the disk is full: then nobody can send it on


def _signals() -> int:
    """Let signals wake `select`: the handle that their numbers can be read from. A program that is started gets them as
    they were."""
    wake, ring = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
    for number in (
        signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1,
    ):  # fmt: skip
        signal.signal(number, lambda *_: None)
    return wake


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
