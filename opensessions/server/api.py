"""The HTTP API: which path does what. How requests come and go is in `http`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from urllib.parse import parse_qs

from msgspec import DecodeError
from msgspec.json import decode

from opensessions import __version__
from opensessions.errors import OpenSessionsError
from opensessions.fields import Body, Invalid
from opensessions.server.http import JSON, Answer, Fault, Request
from opensessions.server.verbs import Verbs

Get = Callable[[], Awaitable[Answer]]
Post = Callable[[Request], Awaitable[None]]
Call = Callable[[Body], Awaitable[None]]

CONTEXT = {
    "/focus": "sidebar-focus",
    "/toggle": "sidebar-toggle",
    "/refresh": "refresh",
    "/quit": "stop",
    "/switch-index": "switch",
}
"""Paths whose body is only a context, `{mux?, client?}`, and their verbs."""


class Api:
    """The site. `calls` are the paths of other rooms, each with what takes its JSON object."""

    def __init__(self, verbs: Verbs, calls: Mapping[str, Call]) -> None:
        self._verbs = verbs
        self._calls = calls
        self._gets: dict[str, Get] = {"/": self._hello, "/v1/state": self._state, "/v1/events": self._events}
        self._posts: dict[str, Post] = {
            **dict.fromkeys(CONTEXT, self._in_context),
            **dict.fromkeys(calls, self._call),
        }

    async def answer(self, request: Request) -> Answer:
        """See `http.Site`."""
        if request.path in self._gets:
            _only(request.method, "GET")
            return await self._gets[request.path]()
        if request.path in self._posts:
            _only(request.method, "POST")
            try:
                await self._posts[request.path](request)
            except Invalid as error:
                raise Fault(400, str(error)) from error
            except OpenSessionsError as error:
                raise Fault(404, str(error)) from error
            return Answer()
        raise Fault(404, f"There is no {request.path}.")

    async def _hello(self) -> Answer:
        return Answer(200, "text/plain; charset=utf-8", f"opensessions {__version__}\n".encode())

    async def _state(self) -> Answer:
        async for _, payload in self._verbs.run({"verb": "state"}):
            return Answer(200, JSON, payload)
        raise AssertionError("state always answers")

    async def _events(self) -> Answer:
        return Answer(200, events=self._changes())

    async def _changes(self) -> AsyncGenerator[bytes, None]:
        """The snapshot as server-sent events."""
        async with aclosing(self._verbs.watch()) as payloads:
            async for payload in payloads:
                yield b"data: " + payload + b"\n\n"

    async def _in_context(self, request: Request) -> None:
        arguments = {"verb": CONTEXT[request.path], **_context(request.body)}
        if request.path == "/switch-index":
            arguments["where"] = _index(request.query)
        async for _ in self._verbs.run(arguments):
            pass

    async def _call(self, request: Request) -> None:
        await self._calls[request.path](_object(request.body))


def _only(method: str, allowed: str) -> None:
    if method != allowed:
        raise Fault(405, f"Use {allowed} here, not {method}.")


def _object(body: bytes) -> dict[str, object]:
    try:
        return decode(body or b"{}", type=dict[str, object])
    except (DecodeError, RecursionError) as error:
        raise Fault(400, f"The body is no JSON object: {error}") from error


def _context(body: bytes) -> dict[str, str]:
    """The optional context of a request: which mux, which client."""
    given = _object(body)
    for name in ("mux", "client"):
        if not isinstance(given.get(name, ""), str):
            raise Fault(400, f"{name} must be a string.")
    return {name: str(given[name]) for name in ("mux", "client") if name in given}


def _index(query: str) -> str:
    values = parse_qs(query).get("index", [])
    if len(values) != 1 or not values[0].isascii() or not values[0].isdigit():
        raise Fault(400, "index must be a number: /switch-index?index=N.")
    return values[0]
