"""A socket where the server's would be, and what arrives at it."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

from opensessions import wire


class Server:
    """Listens at once. With `deaf` it accepts nothing, so that its queue of `backlog` fills up."""

    def __init__(self, runtime: Path, *, deaf: bool = False, backlog: int = 64) -> None:
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.path = str(runtime / "server.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        self._socket.listen(backlog)
        self.told: list[dict[str, str]] = []
        self.heard = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        if not deaf:
            self._thread.start()

    def wait(self, count: int = 1) -> list[dict[str, str]]:
        """What was told, as soon as it is that much."""
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.told) >= count, 20), self.told
            return list(self.told)

    def close(self) -> None:
        """Listen no more."""
        if self._thread.is_alive():
            self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(20)
        self.die()
        if os.path.lexists(self.path):
            os.unlink(self.path)

    def die(self) -> None:
        """Leave the socket's file behind, as a killed process does."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            frames = wire.Frames()
            with line:
                while data := line.recv(1 << 16):
                    for kind, payload in frames.feed(data):
                        assert kind == b"T"
                        with self.heard:
                            self.told.append(wire.fields(payload))
                            self.heard.notify_all()
