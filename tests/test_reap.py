"""`opensessions reap`: who is asked."""

from __future__ import annotations

import argparse
import socket
from contextlib import closing
from pathlib import Path

import pytest

from opensessions import paths, start
from opensessions.cli import reap
from opensessions.errors import ServerNotRunning


def test_a_server_that_is_stopped_keeps_nobody_waiting(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A logout script must not hang. The kernel accepts for whoever listens, as it does for a stopped process."""
    monkeypatch.setenv("OPENSESSIONS_RUNTIME_DIR", str(short))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(paths.server_socket(str(short)))
        listener.listen()
        line = start.connect(str(short), 0.05)
        assert line
        monkeypatch.setattr(start, "connect", lambda runtime, timeout: line if timeout <= 10 else None)
        with closing(line), pytest.raises(ServerNotRunning, match="does not answer"):
            reap.asker(argparse.Namespace(cleanup=True, json=True, now=True))
