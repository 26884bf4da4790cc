"""`server.sock`: one asyncio protocol per connection; the first frame tells whether it is a sidebar or a question."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

from opensessions import wire
from opensessions.errors import OpenSessionsError, WireError
from opensessions.server.peer import peer_pid
from opensessions.server.sidebar import Sidebar, cells
from opensessions.server.sidebars import Sidebars
from opensessions.server.verbs import Verbs

log = logging.getLogger(__name__)


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, sidebars: Sidebars, verbs: Verbs) -> None:
        self._sidebars = sidebars
        self._verbs = verbs
        self._frames = wire.Frames()
        self._sidebar: Sidebar | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        self._verbs.lines.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, payload in self._frames.feed(data):
                self._receive(kind, payload)
        except (WireError, ValueError, KeyError) as error:
            log.warning("a connection was closed: %r", error)
            self._transport.write(wire.frame(b"E", f"The frame was not understood: {error}".encode()))
            self._transport.close()

    def _receive(self, kind: bytes, payload: bytes) -> None:
        if kind == b"H":
            hello = wire.fields(payload)
            self._sidebar = self._sidebars.attach(hello, self._transport)
            self._sidebar.pid = peer_pid(self._transport)
            self._verbs.on_count()
        elif kind == b"K" and self._sidebar:
            self._sidebars.typed(self._sidebar, payload)
        elif kind == b"R" and self._sidebar:
            size = wire.fields(payload)
            self._sidebars.resize(self._sidebar, cells(size, "cols"), cells(size, "rows"))
        elif kind in (b"T", b"A"):
            self._asked(wire.fields(payload), answer=kind == b"A")
        else:
            raise WireError(f"A frame of kind {kind!r} came out of turn.")

    def _asked(self, arguments: dict[str, str], answer: bool) -> None:
        """Answer questions of one connection one after the other, in the order in which they came."""
        self._last = self._verbs.spawn(self._answer(arguments, answer, self._last))
        if answer:
            self._asking.add(self._last)
            self._last.add_done_callback(self._asking.discard)

    async def _answer(
        self, arguments: dict[str, str], answer: bool, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        answered = False
        try:
            async for kind, payload in self._verbs.run(arguments):
                if answer and not self._transport.is_closing():
                    await self._writable.wait()
                    self._transport.write(wire.frame(kind, payload))
            answered = True
        except OpenSessionsError as error:
            answered = True
            if answer:
                self._transport.write(wire.frame(b"E", str(error).encode("utf-8", "replace")))
            else:
                log.info("%s: %s", arguments.get("verb"), error)
                await self._verbs.apologise(arguments, error)
        finally:
            if answer and not answered:
                # Who waits for an answer that will not come is told by the end of the stream.
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._verbs.lines.discard(self)
        if self._sidebar:
            self._sidebars.detach(self._sidebar)
            self._sidebar = None
            self._verbs.on_count()
        for task in self._asking:
            task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()
        if self._sidebar:
            self._sidebar.draining = True

    def resume_writing(self) -> None:
        self._writable.set()
        if self._sidebar:
            self._sidebars.drained(self._sidebar)

    def close(self) -> None:
        """End the connection; what was written still goes out."""
        self._transport.close()
