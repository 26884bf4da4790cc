"""The server's log: `<state>/server.log`, 1 MiB, three kept."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler

from opensessions.paths import ensure_private


class _Private(RotatingFileHandler):
    """A rotating file that nobody else may read."""

    def _open(self):  # type: ignore[no-untyped-def]  # typeshed names a private wrapper class
        return os.fdopen(
            os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "a"
        )


def open_log(state: str, level: str, to_terminal: bool) -> str:
    """Send the program's log to its file, and to stderr too where a person watches. Answers the file's path."""
    path = os.path.join(ensure_private(state), "server.log")
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handlers: list[logging.Handler] = [_Private(path, maxBytes=1 << 20, backupCount=2, encoding="utf-8")]
    if to_terminal:
        handlers.append(logging.StreamHandler())
    root = logging.getLogger()
    root.setLevel(level.upper())
    for handler in handlers:
        handler.setFormatter(form)
        root.addHandler(handler)
    return path
