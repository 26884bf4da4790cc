"""Being told that something has changed in zellij, without asking it.

A session comes, goes or is renamed: its socket does. Something changes in a session: zellij writes its metadata file,
at most a second later (0.45.1), and writes it as well when merely a cursor has moved, which is not told here. A user
may switch that file off (`disable_session_metadata`): such a session is asked every `POLL` seconds, while somebody
looks at one. `zellij subscribe` tells what panes show, not that one has come or another tab is shown: it is of no use
for this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from msgspec import Struct

from opensessions.files.watch import Watch

POLL = 2.0
"""Seconds between two readings of a session that writes nothing."""
LARGEST = 8 << 20
"""Bytes of a metadata file that are looked at."""
RESTLESS = (b"cursor_coordinates_in_pane", b"creation_time")
"""Lines that differ though nothing has happened that anybody sees."""
CLIENTS = b"connected_clients "
SOCKETS = "/"
"""The token for the folder of sockets: no session is called so."""


class Bell:
    """For one zellij. `on_ring` is called in the event loop with the name of the session that has changed, "" where it
    may be any, and whether a client or a session has come or gone; `on_write` with the session whose file was written
    and says what it said before. Must be made in a running loop."""

    def __init__(self, on_ring: Callable[[str, bool], None], on_write: Callable[[str], None]) -> None:
        self._on_ring = on_ring
        self._on_write = on_write
        self._watch = Watch(self._changed)
        self._files: dict[str, str] = {}
        self._digests: dict[str, Digest | None] = {}

    def listen(self, sockets: str, files: Mapping[str, str]) -> None:
        """From now on listen to these: the folder of sockets, and by session the path of its metadata file."""
        self._watch.wish(SOCKETS, [sockets])
        for gone in self._files.keys() - files.keys():
            self._watch.wish(gone, [])
            self._digests.pop(gone, None)
        self._files = dict(files)
        for session, path in files.items():
            self._watch.wish(session, [path])
            self._digests.setdefault(session, digest(path))

    def silent(self) -> frozenset[str]:
        """The sessions that have written nothing yet: those that must be asked."""
        return frozenset(session for session in self._files if not self._digests.get(session))

    def check(self) -> None:
        """Ring for what has changed without our being told."""
        for session in self._files:
            self._changed(session)

    def close(self) -> None:
        """Hear nothing more."""
        self._watch.close()

    def _changed(self, token: str) -> None:
        if token == SOCKETS:
            self._on_ring("", True)
            return
        now, before = digest(self._files[token]), self._digests.get(token)
        if now and now == before:
            self._on_write(token)
        elif now:
            self._digests[token] = now
            self._on_ring(token, before is None or now.clients != before.clients)


class Digest(Struct, frozen=True):
    """What a metadata file says, in short."""

    all: bytes
    clients: bytes


def digest(path: str) -> Digest | None:
    """None where there is no file, or it is just being written: zellij empties it first."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST)
    except (OSError, ValueError):
        return None
    lines = [line for line in data.split(b"\n") if line and not line.lstrip().startswith(RESTLESS)]
    if not lines:
        return None
    clients = next((line for line in lines if line.startswith(CLIENTS)), b"")
    return Digest(hashlib.blake2b(b"\n".join(lines), digest_size=16).digest(), clients)
