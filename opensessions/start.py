"""Find the server's socket, start the server if nobody answers there, and talk one frame to it.

Standard library only; used by hot scripts, the pump and the command line. The server's own lock decides who
serves: starting one too many is harmless, the loser leaves at once.
"""

from __future__ import annotations

import _socket as socket  # `socket` brings enum and selectors: 9 ms on a key press
import os
import time

from opensessions import paths, wire
from opensessions.errors import OpenSessionsError, ServerNotRunning, WireError
from opensessions.lock import lock_held

TYPE_CHECKING = False  # importing typing costs a hot script 4 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

Line = socket.socket
"""A connection."""

STEP = 0.01
"""Seconds between two tries to connect while a server starts."""
AGAIN = 1.0
"""Seconds until one more is started where none has taken its lock; doubled each time: on a busy machine many who start
servers all the time keep the first from coming up."""


def connect(runtime: str, timeout: float = 2.0) -> Line | None:
    """A connection to the server of this runtime directory, or None where nobody listens.

    UnsafePath if the directory is not private: then whoever listens there is not to be trusted.
    """
    try:
        paths.check_private(runtime)
    except (FileNotFoundError, NotADirectoryError):
        return None
    line = Line(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(timeout)
    try:
        line.connect(paths.server_socket(runtime))
    except OSError:
        line.close()
        return None
    return line


def start_server(runtime: str, python: str) -> None:
    """Start a server detached, in a session of its own, and return at once.

    `python` is one in which `opensessions` can be imported. What it says before its log is open goes to
    `<runtime>/server.err`. OpenSessionsError where the process cannot be started.
    """
    paths.ensure_runtime(runtime)
    environment = dict(os.environ, OPENSESSIONS_RUNTIME_DIR=runtime)
    for name in ("TMUX", "TMUX_PANE", "ZELLIJ", "ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID"):
        environment.pop(name, None)
    argv = [python, "-P", "-m", "opensessions", "server", "run"]  # -P: never a module of the current folder
    try:
        os.posix_spawn(
            python,
            argv,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (
                    os.POSIX_SPAWN_OPEN,
                    1,
                    f"{runtime}/server.err",
                    os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                    0o600,
                ),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise OpenSessionsError(
            f"The server could not be started with {python}: {error.strerror}."
        ) from error


def ensure(runtime: str, python: str, timeout: float = 3.0) -> Line:
    """A connection to the server, which is started if nobody answers.

    A server that is just coming or leaving holds its lock: it is waited for, and followed by a new one if it leaves.
    ServerNotRunning after `timeout` seconds, with the reason if the server gave one.
    """
    lock = paths.pid_file(runtime)
    deadline = time.monotonic() + timeout
    next_start, pause = 0.0, AGAIN
    while True:
        line = connect(runtime)
        if line is not None:
            return line
        now = time.monotonic()
        if now >= deadline:
            raise ServerNotRunning(
                f"The server is there and did not answer within {timeout:g} s; see: opensessions doctor"
                if lock_held(lock)
                else f"The server did not start within {timeout:g} s{_last_words(runtime)}"
            )
        if now >= next_start and not lock_held(lock):
            start_server(runtime, python)
            next_start, pause = now + pause, 2 * pause
        time.sleep(STEP)


def _last_words(runtime: str) -> str:
    try:
        with open(f"{runtime}/server.err", "rb") as file:
            lines = file.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return f": {lines[-1]}" if lines else "; see its log with: opensessions doctor"


def tell(line: Line, verb: str, **arguments: str) -> None:
    """Tell the server one thing; no answer."""
    line.sendall(wire.frame(b"T", wire.pack_fields(verb=verb, **arguments)))


def ask(line: Line, verb: str, **arguments: str) -> bytes:
    """Ask the server one thing and return the answer's payload.

    OpenSessionsError with the server's sentence if it refuses, ServerNotRunning if it goes away or is silent
    for longer than the connection's timeout.
    """
    line.sendall(wire.frame(b"A", wire.pack_fields(verb=verb, **arguments)))
    for kind, payload in answers(line):
        if kind == b"E":
            raise OpenSessionsError(payload.decode("utf-8", "replace"))
        return payload
    raise ServerNotRunning("The server closed the connection before it answered; try again.")


def answers(line: Line) -> Iterator[tuple[bytes, bytes]]:
    """The frames that arrive, as (kind, payload), until the server closes the connection."""
    frames = wire.Frames()
    while True:
        try:
            data = line.recv(1 << 16)
        except TimeoutError:
            raise ServerNotRunning(
                "The server does not answer; it may be stopped. See: opensessions doctor"
            ) from None
        except OSError as error:
            raise ServerNotRunning(f"The connection to the server broke: {error.strerror}.") from error
        if not data:
            return
        try:
            yield from frames.feed(data)
        except WireError as error:
            raise ServerNotRunning(str(error)) from error
