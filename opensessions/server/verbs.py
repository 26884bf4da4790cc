"""What can be asked or told on the server's socket, one method per verb."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from msgspec.json import encode

from opensessions import order
from opensessions.errors import OpenSessionsError, Refused
from opensessions.model import Row
from opensessions.provider import FocusSidebar, ShowMessage, SwitchClient
from opensessions.server.bus import Bus
from opensessions.server.deeds import WIDTHS
from opensessions.server.guard import Holder
from opensessions.server.idle import reasons
from opensessions.server.muxes import Muxes
from opensessions.server.publish import ordering
from opensessions.server.sidebars import Sidebars

if TYPE_CHECKING:
    from opensessions.server.listen import Line

log = logging.getLogger(__name__)

Answers = AsyncIterator[tuple[bytes, bytes]]
Arguments = dict[str, str]

FIRST_READING = 2.5
"""Seconds that a question waits for a multiplexer's first reading."""
ABOUT_AGENTS = ("state", "explain", "attention", "agent-")
"""How the verbs begin before which agents are looked for."""
PROBE = 1.0
"""Seconds that `status` gives a multiplexer to answer."""


class Verbs:
    """The verbs, and what they need."""

    def __init__(
        self, holder: Holder, bus: Bus, muxes: Muxes, sidebars: Sidebars,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]], stop: Callable[[str, bool], None],
    ) -> None:  # fmt: skip
        self._holder = holder
        self._bus = bus
        self._muxes = muxes
        self._sidebars = sidebars
        self._stop = stop
        self.spawn = spawn
        self.lines: set[Line] = set()
        self.watchers = 0
        self.on_count: Callable[[], None] = lambda: None
        """Called when the number of watchers or sidebars has changed."""
        self.look: Callable[[], Coroutine[Any, Any, None]] = _nothing
        """Awaited before a question about agents is answered."""
        self.pending: Callable[[], int] = lambda: 0
        """How many orphans are to be ended."""
        self._added: dict[str, Callable[[Arguments], Coroutine[Any, Any, object]]] = {}

        self._streams: dict[str, Callable[[Arguments], AsyncGenerator[bytes, None]]] = {}

    def add(self, verb: str, handler: Callable[[Arguments], Coroutine[Any, Any, object]]) -> None:
        """A verb of another room. The handler answers bytes or what can be JSON."""
        self._added[verb] = handler

    def add_stream(self, verb: str, handler: Callable[[Arguments], AsyncGenerator[bytes, None]]) -> None:
        """A verb of another room that goes on answering, with JSON, until who asked goes: somebody who watches."""
        self._streams[verb] = handler

    async def run(self, arguments: Arguments) -> Answers:
        """The answers to one question, as (kind, payload). OpenSessionsError where it cannot be done."""
        verb = arguments.get("verb", "")
        if verb == "watch":
            async for payload in self.watch():
                yield b"J", payload
            return
        if verb in self._streams:
            async for payload in self._stream(self._streams[verb](arguments)):
                yield b"J", payload
            return
        if verb == "order":
            yield b"O", await self._order(arguments)
            return
        answer = await self.call(arguments)
        yield b"J", answer if isinstance(answer, bytes) else encode(answer)

    async def call(self, arguments: Arguments) -> Any:
        """The answer to a question that has one: bytes of JSON, or what can be JSON. OpenSessionsError where it cannot
        be done."""
        verb = arguments.get("verb", "")
        known: dict[str, Callable[[Arguments], Coroutine[Any, Any, object]]] = {
            "register": self._register,
            "status": self._status,
            "state": self._state,
            "stop": self._leave,
            "switch": self._switch,
            "refresh": self._refresh,
            "adopt-width": self._adopt_width,
            "sidebar-toggle": self._sidebar_toggle,
            "sidebar-show": self._sidebar_show,
            "sidebar-hide": self._sidebar_hide,
            "sidebar-focus": self._sidebar_focus,
            **self._added,
        }
        if verb not in known:
            raise Refused(
                f"This server does not know {verb!r}; it may be of another version: run `opensessions up`."
            )
        if verb.startswith(ABOUT_AGENTS) and verb != "agent-hook":
            await self.look()
        return await known[verb](arguments)

    async def apologise(self, arguments: Arguments, error: OpenSessionsError) -> None:
        """Say on the client that pressed the key why nothing happened."""
        client, key = arguments.get("client"), arguments.get("mux", "")
        if client and key in self._muxes.muxes:
            try:
                await self._muxes.get(key).provider.do(ShowMessage(client, str(error)))
            except OpenSessionsError as second:
                log.info("%s", second)

    # --- which multiplexer ----------------------------------------------------------------------------------

    def pick(self, arguments: Arguments) -> str:
        """The mux that is meant: the one named, else the one whose client was used last, else the first."""
        if arguments.get("mux"):
            return arguments["mux"]
        if not self._muxes.muxes:
            raise Refused("No multiplexer is registered; run `opensessions up` inside one.")
        return max(self._muxes.muxes, key=self._last_use)

    def _last_use(self, key: str) -> int:
        inventory = self._bus.state.muxes[key].inventory
        return max((client.activity for client in inventory.viewers()), default=0) if inventory else -1

    async def first_reading(self, key: str) -> None:
        try:
            async with asyncio.timeout(FIRST_READING):
                await self._muxes.get(key).read.wait()
        except TimeoutError:
            raise Refused(
                f"{self._muxes.get(key).provider.socket} does not answer; it may be stopped."
            ) from None

    # --- the verbs ------------------------------------------------------------------------------------------

    async def _register(self, arguments: Arguments) -> object:
        key = self._muxes.register(
            needed(arguments, "provider"), needed(arguments, "target"), arguments.get("binary", "")
        )
        await self.first_reading(key)
        return {
            "mux": key,
            "pid": self._holder.pid,
            "version": self._holder.version,
            "root": self._holder.root,
        }

    async def _order(self, arguments: Arguments) -> bytes:
        key = needed(arguments, "mux")
        await self._register(arguments)
        view = self._bus.view(key)
        return order.encode(ordering(view)) if view else b""

    async def _status(self, arguments: Arguments) -> object:
        answers = await asyncio.gather(*(mux.provider.probe(PROBE) for mux in self._muxes.muxes.values()))
        answering = dict(zip(self._muxes.muxes, answers, strict=True))
        return {
            "running": True,
            "pid": self._holder.pid,
            "version": self._holder.version,
            "root": self._holder.root,
            "instance": self._holder.instance,
            "uptime_s": round(time.time() - self._holder.started, 3),
            "muxes": [self._mux_status(key, answering.get(key, False)) for key in self._bus.state.muxes],
            "sidebars": len(self._sidebars.connected),
            "clients": sum(
                len(mux.inventory.viewers())
                for mux in self._bus.state.muxes.values()
                if mux.inventory is not None
            ),
            "stays": list(
                reasons(self._bus.state, len(self._sidebars.connected), self.watchers, self.pending())
            ),
        }

    def _mux_status(self, key: str, answers: bool) -> object:
        mux = self._bus.state.muxes[key]
        view = self._bus.view(key)
        return {
            "provider": mux.provider,
            "key": key,
            "socket": mux.socket,
            "sessions": len(view.sessions) if view else 0,
            "panes": sum(len(window.panes) for window in mux.inventory.windows.values())
            if mux.inventory
            else 0,
            "clients": len(mux.inventory.viewers()) if mux.inventory else 0,
            "reachable": answers and mux.reachable,
        }

    async def _state(self, arguments: Arguments) -> object:
        return self._bus.snapshot().json()

    async def watch(self) -> AsyncGenerator[bytes, None]:
        """The snapshot's JSON at once, then again whenever its bytes differ."""
        changed = asyncio.Event()
        changed.set()
        end = self._bus.observe(lambda new, old: changed.set())
        self.watchers += 1
        self.on_count()
        last = b""
        try:
            while True:
                await changed.wait()
                changed.clear()
                now = self._bus.snapshot().json()
                if now != last:
                    last = now
                    yield now
        finally:
            self.watchers -= 1
            self.on_count()
            end()

    async def _stream(self, answers: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        self.watchers += 1
        self.on_count()
        try:
            async with aclosing(answers):
                async for payload in answers:
                    yield payload
        finally:
            self.watchers -= 1
            self.on_count()

    async def _leave(self, arguments: Arguments) -> object:
        self._stop("asked to", arguments.get("restart") == "1")
        return {"pid": self._holder.pid}

    async def _switch(self, arguments: Arguments) -> object:
        """`where` is an index (out of range: nothing happens), an id or a name, with `=` or without; the client is
        `client` or the one used last."""
        where = needed(arguments, "where")
        key = self.pick(arguments)
        await self.first_reading(key)
        view = self._bus.view(key)
        row = meant(where, view.sessions if view else ())
        if row is None:
            if is_index(where):
                return {"session": None}
            raise Refused(f"There is no session {where}.")
        await self._muxes.get(key).provider.do(SwitchClient(self.client(key, arguments), row.id))
        return {"session": row.id}

    def client(self, key: str, arguments: Arguments) -> str:
        """The client that is meant: the one named, else the one used last."""
        inventory = self._bus.state.muxes[key].inventory
        if named := arguments.get("client"):
            if inventory and any(client.name == named for client in inventory.clients if client.control):
                raise Refused(f"{named} is a client without a terminal; name another one with --client.")
            return named
        viewer = max(
            inventory.viewers() if inventory else (), key=lambda client: client.activity, default=None
        )
        if viewer is None:
            raise Refused("No client is attached; name one with --client.")
        return viewer.name

    async def _refresh(self, arguments: Arguments) -> object:
        for mux in self._muxes.muxes.values():
            mux.provider.refresh()
        return {}

    async def _adopt_width(self, arguments: Arguments) -> object:
        key = self.pick(arguments)
        width = await self._muxes.get(key).provider.adopt_width(needed(arguments, "pane"))
        if width is not None:
            await self._muxes.wish(key, width=min(max(width, WIDTHS.start), WIDTHS.stop - 1))
        return {"width": width}

    async def _sidebar_toggle(self, arguments: Arguments) -> object:
        key = self.pick(arguments)
        wish = await self._muxes.wish(key, visible=not self._muxes.get(key).wish.visible)
        return {"visible": wish.visible}

    async def _sidebar_show(self, arguments: Arguments) -> object:
        await self._muxes.wish(self.pick(arguments), visible=True)
        return {"visible": True}

    async def _sidebar_hide(self, arguments: Arguments) -> object:
        await self._muxes.wish(self.pick(arguments), visible=False)
        return {"visible": False}

    async def _sidebar_focus(self, arguments: Arguments) -> object:
        key = self.pick(arguments)
        client, shown = self.client(key, arguments), self._muxes.get(key).wish.visible
        if not shown:
            await self._muxes.wish(key, visible=True)
        try:
            await self._muxes.get(key).provider.do(FocusSidebar(client))
        except Refused:
            if not shown:  # what cannot be done changes nothing
                await self._muxes.wish(key, visible=False)
            raise
        return {"visible": True}


def needed(arguments: Arguments, name: str) -> str:
    """The argument with this name. Refused where it is missing."""
    value = arguments.get(name)
    if value is None:
        raise Refused(f"{arguments.get('verb')!r} needs {name!r}.")
    return value


def is_index(where: str) -> bool:
    """Is it a number, and not a name that looks like one elsewhere in the world?"""
    return where.isascii() and where.isdigit()


def meant(where: str, rows: Sequence[Row]) -> Row | None:
    """The row that an index, an id, `=NAME` or a name means: a session that is called like the id of another one
    does not hide that one."""
    if is_index(where):
        return next((row for row in rows if str(row.index) == where.lstrip("0")), None)
    for wanted in ("id", "=name", "name"):
        for row in rows:
            if where == {"id": row.id, "=name": f"={row.name}", "name": row.name}[wanted]:
                return row
    return None


async def _nothing() -> None:
    """Nothing is looked for."""
