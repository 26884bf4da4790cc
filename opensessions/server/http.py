"""HTTP/1.1 by h11 over asyncio streams: one connection one task, every request bounded in size and time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Protocol

import h11
from msgspec import Struct
from msgspec.json import encode

log = logging.getLogger(__name__)

BODY_LIMIT = 1 << 20
HEAD_LIMIT = 16 << 10
REQUEST_TIME = 5.0
"""Seconds in which a request must be complete."""
JSON = "application/json"


class Fault(Exception):
    """An answer that is an error: status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Request(Struct, frozen=True):
    """A complete request. The target is split at its `?`."""

    method: str
    path: str
    query: str
    body: bytes


class Answer(Struct, frozen=True):
    """What is answered; a stream of server-sent events where `events` is given."""

    status: int = 204
    kind: str = ""
    content: bytes = b""
    events: AsyncGenerator[bytes, None] | None = None


class Site(Protocol):
    """What is served."""

    async def answer(self, request: Request) -> Answer:
        """Fault where it cannot be done."""
        ...


class Door(Protocol):
    """Decides by a request's headers, names in lower case, before its body is read."""

    def __call__(self, headers: Mapping[str, list[str]]) -> None:
        """Fault where the request may not come in."""
        ...


class Http:
    """Serves connections; give `handle` to `asyncio.start_unix_server` or `start_server`."""

    def __init__(self, site: Site, door: Door | None = None, limit: int = 0) -> None:
        """`limit`: connections at a time, more are closed at once; 0 for any number."""
        self._site = site
        self._door = door
        self._limit = limit
        self._open: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side has enough."""
        if self._limit and len(self._open) >= self._limit:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await _Exchange(self._site, self._door, reader, writer).serve()
        except (ConnectionError, h11.RemoteProtocolError) as error:
            log.debug("an API connection ended: %s", error)
        finally:
            self._open.discard(task)
            writer.close()

    def close(self) -> None:
        """End every connection."""
        for task in tuple(self._open):
            task.cancel()


class _Exchange:
    """Requests and answers on one connection."""

    def __init__(
        self, site: Site, door: Door | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._site = site
        self._door = door
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)

    async def serve(self) -> None:
        while True:
            try:
                async with asyncio.timeout(REQUEST_TIME):
                    request = await self._request()
            except TimeoutError:
                return
            except Fault as fault:
                await self._send(_told(fault), close=True)
                await self._discard()
                return
            except h11.RemoteProtocolError as error:
                if self._http.our_state is h11.IDLE or self._http.our_state is h11.SEND_RESPONSE:
                    await self._send(_told(Fault(error.error_status_hint, str(error))), close=True)
                return
            if request is None or not await self._answer(request):
                return

    async def _answer(self, request: Request) -> bool:
        """Answer one request; True if the connection may carry another."""
        try:
            answer = await self._site.answer(request)
        except Fault as fault:
            answer = _told(fault)
        if answer.events:
            await self._stream(answer.events)
            return False
        await self._send(answer, with_body=request.method != "HEAD")
        if self._http.our_state is h11.MUST_CLOSE:
            return False
        self._http.start_next_cycle()
        return True

    async def _request(self) -> Request | None:
        method = path = query = ""
        body = b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._writer.write(
                        self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
                    )
                self._http.receive_data(await self._reader.read(1 << 16))
            elif isinstance(event, h11.Request):
                if self._door:
                    self._door(_headers(event))
                _check_announced(event)
                method = event.method.decode("ascii")
                path, _, query = event.target.decode("latin-1").partition("?")
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    raise Fault(413, f"The body is over {BODY_LIMIT} bytes.")
            elif isinstance(event, h11.EndOfMessage):
                return Request(method, path, query, body)
            else:
                return None

    async def _discard(self) -> None:
        """Read on for a while: whoever is still sending could not read the answer otherwise."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        try:
            async with asyncio.timeout(REQUEST_TIME):
                while await self._reader.read(1 << 16):
                    pass
        except TimeoutError:
            pass

    async def _send(self, answer: Answer, close: bool = False, with_body: bool = True) -> None:
        headers = [("Content-Length", str(len(answer.content)))] if answer.status != 204 else []
        if answer.kind:
            headers.append(("Content-Type", answer.kind))
        if answer.status == 401:
            headers.append(("WWW-Authenticate", "Bearer"))
        if close:
            headers.append(("Connection", "close"))
        for event in (
            h11.Response(status_code=answer.status, headers=headers),
            h11.Data(data=answer.content),
            h11.EndOfMessage(),
        ):
            if not isinstance(event, h11.Data) or (answer.content and with_body):
                self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _stream(self, events: AsyncGenerator[bytes, None]) -> None:
        """Server-sent events until the client goes."""
        headers = [
            ("Content-Type", "text/event-stream"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        self._writer.write(self._http.send(h11.Response(status_code=200, headers=headers)) or b"")
        gone = asyncio.create_task(self._reader.read())
        try:
            async with aclosing(events):
                while True:
                    following = asyncio.ensure_future(anext(events))
                    await asyncio.wait({following, gone}, return_when=asyncio.FIRST_COMPLETED)
                    if gone.done():
                        following.cancel()
                        await asyncio.wait({following})
                        return
                    self._writer.write(self._http.send(h11.Data(data=following.result())) or b"")
                    await self._writer.drain()
        finally:
            gone.cancel()


def _headers(request: h11.Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.decode("ascii"), []).append(value.decode("latin-1"))
    return found


def _check_announced(request: h11.Request) -> None:
    """A body that says itself that it is too long need not be sent. h11 has checked that the length is a number."""
    announced = dict(request.headers).get(b"content-length", b"0")
    if len(announced) > 19 or int(announced) > BODY_LIMIT:
        raise Fault(413, f"The body is over {BODY_LIMIT} bytes.")


def _told(fault: Fault) -> Answer:
    return Answer(fault.status, JSON, encode({"error": str(fault)}))
