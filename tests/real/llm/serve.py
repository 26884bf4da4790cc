"""`python -m tests.real.llm.serve GATE`: the server, a process of its own.

Prints JSON lines: first `{"port": N}`, then one per event of a request: `arrived`, `first` (bytes of the answer),
`ended`, `refused` (an HTTP error), `aborted` (the agent hung up). Reads lines from its input: `release TAG` ends the
streams of that agent. Ends with its input. Speaks HTTP with h11, which the project needs anyway.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import json
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import h11

from tests.real.llm.behaviour import Plan, plan
from tests.real.llm.dialects import Dialect, dialect

PACE = 0.15
"""Seconds between two words."""


def raise_loopback() -> None:
    """Bring `lo` up, which is down in a new network namespace. Without the right to, it is up already."""
    SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, suppress(PermissionError):
        answer = fcntl.ioctl(line, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", answer)[1]
        if not flags & IFF_UP:
            fcntl.ioctl(line, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


class Server:
    """Answers each request in a task of its own, and says what happens to it."""

    def __init__(self, gate: str) -> None:
        self.gate = gate
        self._number = 0
        self._released: dict[str, asyncio.Event] = {}

    def say(self, what: str, number: int, given: Plan, **more: object) -> None:
        line = {"at": time.time(), "what": what, "number": number, "tag": given.tag, "keyword": given.keyword}
        print(json.dumps({**line, "side": given.side, "calls": len(given.calls), **more}), flush=True)

    def release(self, tag: str) -> None:
        """End the streams of this agent that are open now."""
        self._released.pop(tag, asyncio.Event()).set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        connection = h11.Connection(h11.SERVER)
        try:
            request, body = await _receive(connection, reader)
            if request is not None:
                answering = asyncio.ensure_future(self._answer(connection, writer, request, body))
                hung_up = asyncio.ensure_future(reader.read(1))
                await asyncio.wait({answering, hung_up}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    answering.cancel()
                hung_up.cancel()
                with suppress(asyncio.CancelledError):
                    await answering
        except (ConnectionError, asyncio.CancelledError, h11.RemoteProtocolError):
            pass  # an agent may go at any moment, and so may we
        finally:
            writer.close()

    async def _answer(
        self, connection: h11.Connection, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
    ) -> None:
        path = request.target.decode("ascii", "replace")
        self._number += 1
        number = self._number
        given = _json(body)
        if request.method == b"HEAD":
            writer.write(
                connection.send(h11.Response(status_code=200, headers=[("connection", "close")])) or b""
            )
            return
        speaks = (
            dialect(path, number, str(given.get("model", "model"))) if request.method == b"POST" else None
        )
        if speaks is None:
            await _send(connection, writer, 200, _smalltalk(path))
            return
        asked = speaks.asked(given, path)
        todo = plan(asked, number, self.gate)
        self.say("arrived", number, todo, dialect=speaks.name, results=asked.results)
        try:
            if todo.silent:
                await asyncio.Event().wait()
            if todo.status != 200:
                await _send(connection, writer, todo.status, speaks.refusal(todo.status))
                self.say("refused", number, todo, status=todo.status)
            elif not asked.stream:
                await _send(connection, writer, 200, speaks.whole("".join(todo.words), todo.calls))
                self.say("ended", number, todo)
            else:
                ending = await self._stream(connection, writer, speaks, todo, number)
                self.say("ended", number, todo, at=ending)
        except (asyncio.CancelledError, ConnectionError):
            self.say("aborted", number, todo)
            raise

    async def _stream(
        self,
        connection: h11.Connection,
        writer: asyncio.StreamWriter,
        speaks: Dialect,
        todo: Plan,
        number: int,
    ) -> float:
        """When the last piece was sent: the agent may know before we hear that it has arrived."""
        headers = [("content-type", "text/event-stream"), ("connection", "close")]
        writer.write(connection.send(h11.Response(status_code=200, headers=headers)) or b"")
        first = True
        sent = time.time()
        async for piece in self._pieces(speaks, todo):
            sent = time.time()
            writer.write(connection.send(h11.Data(data=piece)) or b"")
            await writer.drain()
            if first:
                self.say("first", number, todo)
                first = False
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return sent

    async def _pieces(self, speaks: Dialect, todo: Plan) -> AsyncIterator[bytes]:
        yield speaks.begin()
        kept = todo.endless or todo.held
        released = self._released.setdefault(todo.tag, asyncio.Event()) if kept else asyncio.Event()
        for word in todo.words:
            yield speaks.text(word)
            if not todo.side:
                await asyncio.sleep(PACE)
        numbers = itertools.count(1)  # Gemini CLI stops a model that repeats itself
        while todo.endless and not released.is_set():
            yield speaks.text(f"{todo.words[0]}{next(numbers)} ")
            with suppress(TimeoutError):
                async with asyncio.timeout(PACE):
                    await released.wait()
        if todo.held:
            await released.wait()
        yield speaks.end(todo.calls)


async def _receive(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request | None, bytes]:
    request, body = None, bytearray()
    while True:
        heard = connection.next_event()
        if heard is h11.NEED_DATA:
            connection.receive_data(await reader.read(1 << 16))
        elif isinstance(heard, h11.Request):
            request = heard
        elif isinstance(heard, h11.Data):
            body += heard.data
        else:
            return request, bytes(body)


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, status: int, answer: object
) -> None:
    data = json.dumps(answer).encode()
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(data))),
        ("connection", "close"),
    ]
    for each in (h11.Response(status_code=status, headers=headers), h11.Data(data=data), h11.EndOfMessage()):
        writer.write(connection.send(each) or b"")
    await writer.drain()


def _json(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _smalltalk(path: str) -> object:
    """Token counts and lists of models."""
    if "models" in path and "countTokens" not in path:
        return {
            "object": "list",
            "data": [{"id": "lab-model", "object": "model", "created": 1}],
            "models": [],
        }
    return {"input_tokens": 10, "totalTokens": 10}


async def _read_orders(server: Server) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        order, _, tag = line.decode().strip().partition(" ")
        if order == "release":
            server.release(tag)


async def main(gate: str) -> None:
    """Serve until the input ends."""
    raise_loopback()
    server = Server(gate)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0, limit=1 << 20)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    await _read_orders(server)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
