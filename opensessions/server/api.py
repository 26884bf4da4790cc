"""The HTTP API on `api.sock`: HTTP/1.1 by h11, one connection one task, every request bounded in size and time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from urllib.parse import parse_qs

import h11
from msgspec import DecodeError
from msgspec.json import decode, encode

from opensessions import __version__
from opensessions.errors import OpenSessionsError
from opensessions.server.verbs import Verbs

log = logging.getLogger(__name__)

BODY_LIMIT = 1 << 20
EVENTS = "/v1/events"
REQUEST_TIME = 5.0
"""Seconds in which a request must be complete."""


class Fault(Exception):
    """An answer that is an error: status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Api:
    """Serves connections; give `handle` to `asyncio.start_unix_server`."""

    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs
        self._open: set[asyncio.Task[None]] = set()
        self._gets: dict[str, Callable[[], Awaitable[tuple[str, bytes]]]] = {
            "/": self._hello,
            "/v1/state": self._state,
        }
        self._posts: dict[str, str] = {
            "/focus": "sidebar-focus",
            "/toggle": "sidebar-toggle",
            "/refresh": "refresh",
            "/quit": "stop",
            "/switch-index": "switch",
        }

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side has enough."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await _Exchange(self, reader, writer).serve()
        except (ConnectionError, h11.RemoteProtocolError) as error:
            log.debug("an API connection ended: %s", error)
        finally:
            self._open.discard(task)
            writer.close()

    def close(self) -> None:
        """End every connection."""
        for task in tuple(self._open):
            task.cancel()

    async def answer(self, method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body for one complete request. Fault where it cannot be done."""
        path, _, query = target.partition("?")
        if path in self._gets:
            _only(method, "GET")
            return 200, *(await self._gets[path]())
        if path == EVENTS:
            _only(method, "GET")
        if path in self._posts:
            _only(method, "POST")
            await self._post(path, query, body)
            return 204, "", b""
        raise Fault(404, f"There is no {path}.")

    async def _hello(self) -> tuple[str, bytes]:
        return "text/plain; charset=utf-8", f"opensessions {__version__}\n".encode()

    async def _state(self) -> tuple[str, bytes]:
        async for _, payload in self._verbs.run({"verb": "state"}):
            return "application/json", payload
        raise AssertionError("state always answers")

    async def _post(self, path: str, query: str, body: bytes) -> None:
        arguments = {"verb": self._posts[path], **_context(body)}
        if path == "/switch-index":
            arguments["where"] = _index(query)
        try:
            async for _ in self._verbs.run(arguments):
                pass
        except OpenSessionsError as error:
            raise Fault(404, str(error)) from error

    async def events(self) -> AsyncGenerator[bytes, None]:
        """The snapshot as server-sent events."""
        async with aclosing(self._verbs.watch()) as payloads:
            async for payload in payloads:
                yield b"data: " + payload + b"\n\n"


class _Exchange:
    """Requests and answers on one connection."""

    def __init__(self, api: Api, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._api = api
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=16 << 10)

    async def serve(self) -> None:
        while True:
            try:
                async with asyncio.timeout(REQUEST_TIME):
                    request, body = await self._request()
            except TimeoutError:
                return
            except Fault as fault:
                await self._send(fault.status, "application/json", _fault(fault), close=True)
                await self._discard()
                return
            except h11.RemoteProtocolError as error:
                if self._http.our_state is h11.IDLE or self._http.our_state is h11.SEND_RESPONSE:
                    await self._send(
                        error.error_status_hint,
                        "application/json",
                        _fault(Fault(400, str(error))),
                        close=True,
                    )
                return
            if request is None:
                return
            if not await self._answer(request, body):
                return

    async def _answer(self, request: h11.Request, body: bytes) -> bool:
        """Answer one request; True if the connection may carry another."""
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        if target.partition("?")[0] == EVENTS and method == "GET":
            await self._stream()
            return False
        try:
            status, kind, content = await self._api.answer(method, target, body)
        except Fault as fault:
            status, kind, content = fault.status, "application/json", _fault(fault)
        await self._send(status, kind, content, with_body=method != "HEAD")
        if self._http.our_state is h11.MUST_CLOSE:
            return False
        self._http.start_next_cycle()
        return True

    async def _request(self) -> tuple[h11.Request | None, bytes]:
        request: h11.Request | None = None
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
                request = event
                _check_announced(request)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    raise Fault(413, f"The body is over {BODY_LIMIT} bytes.")
            elif isinstance(event, h11.EndOfMessage):
                return request, body
            else:
                return None, b""

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

    async def _send(
        self, status: int, kind: str, content: bytes, close: bool = False, with_body: bool = True
    ) -> None:
        headers = [("Content-Length", str(len(content)))] if status != 204 else []
        if kind:
            headers.append(("Content-Type", kind))
        if close:
            headers.append(("Connection", "close"))
        for event in (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ):
            if not isinstance(event, h11.Data) or (content and with_body):
                self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _stream(self) -> None:
        """Server-sent events until the client goes."""
        headers = [
            ("Content-Type", "text/event-stream"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        self._writer.write(self._http.send(h11.Response(status_code=200, headers=headers)) or b"")
        gone = asyncio.create_task(self._reader.read())
        try:
            async with aclosing(self._api.events()) as events:
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


def _only(method: str, allowed: str) -> None:
    if method != allowed:
        raise Fault(405, f"Use {allowed} here, not {method}.")


def _check_announced(request: h11.Request) -> None:
    """A body that says itself that it is too long need not be sent. h11 has checked that the length is a number."""
    announced = dict(request.headers).get(b"content-length", b"0")
    if len(announced) > 19 or int(announced) > BODY_LIMIT:
        raise Fault(413, f"The body is over {BODY_LIMIT} bytes.")


def _fault(fault: Fault) -> bytes:
    return encode({"error": str(fault)})


def _context(body: bytes) -> dict[str, str]:
    """The optional context of a request: which mux, which client."""
    if not body:
        return {}
    try:
        given = decode(body, type=dict[str, object])
    except (DecodeError, RecursionError) as error:
        raise Fault(400, f"The body is no JSON object: {error}") from error
    for name in ("mux", "client"):
        if not isinstance(given.get(name, ""), str):
            raise Fault(400, f"{name} must be a string.")
    return {name: str(given[name]) for name in ("mux", "client") if name in given}


def _index(query: str) -> str:
    values = parse_qs(query).get("index", [])
    if len(values) != 1 or not values[0].isascii() or not values[0].isdigit():
        raise Fault(400, "index must be a number: /switch-index?index=N.")
    return values[0]
