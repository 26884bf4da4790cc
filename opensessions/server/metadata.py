"""What scripts may say about a session, by HTTP or from the command line: `set-status` and the like."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from opensessions import metadata
from opensessions.events import LogCleared, Logged, ProgressSet, StatusSet
from opensessions.fields import Body, Invalid
from opensessions.model import Entry
from opensessions.server.bus import Bus
from opensessions.server.whereabouts import Finder, Place

Tell = Callable[[Place, Entry], None]
Call = Callable[[Body], Awaitable[None]]

NAME = 1000
"""Characters of a name that is looked up; none is longer."""


class Remarks:
    """The calls. Each takes a body, checks it whole, finds the session, and only then changes something: Invalid
    where a field is wrong, Refused where there is no such session."""

    def __init__(self, bus: Bus, finder: Finder, tell: Tell) -> None:
        self._bus = bus
        self._finder = finder
        self._tell = tell
        self.calls: Mapping[str, Call] = {
            "set-status": self._status,
            "set-progress": self._progress,
            "log": self._log,
            "notify": self._notify,
            "clear-log": self._clear_log,
        }
        self.paths = {f"/{verb}": call for verb, call in self.calls.items()}

    async def from_text(self, arguments: Mapping[str, str]) -> object:
        """A call from the command line, where every field is text. `verb` names it."""
        await self.calls[arguments["verb"]](typed(arguments))
        return {}

    async def _status(self, body: Body) -> None:
        status = metadata.status(body)
        place = await self._place(body)
        self._bus.dispatch(StatusSet(place.mux, place.session, status))

    async def _progress(self, body: Body) -> None:
        progress = metadata.progress(body)
        place = await self._place(body)
        self._bus.dispatch(ProgressSet(place.mux, place.session, progress))

    async def _log(self, body: Body) -> None:
        entry = metadata.entry(body, time.time())
        place = await self._place(body)
        self._bus.dispatch(Logged(place.mux, place.session, entry))

    async def _notify(self, body: Body) -> None:
        """A line in the log that is also told."""
        entry = metadata.entry(body, time.time())
        place = await self._place(body)
        self._bus.dispatch(Logged(place.mux, place.session, entry))
        self._tell(place, entry)

    async def _clear_log(self, body: Body) -> None:
        place = await self._place(body)
        self._bus.dispatch(LogCleared(place.mux, place.session))

    async def _place(self, body: Body) -> Place:
        key = exact(body, "mux") if "mux" in body else ""
        name = exact(body, "session") if "session" in body or "paneId" not in body else ""
        if "paneId" in body:
            return await self._finder.pane(exact(body, "paneId"), key, name)
        return await self._finder.session(name, key)


def exact(body: Body, name: str, limit: int = NAME) -> str:
    """A name that is looked up: as it is, since nothing of it is kept."""
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise Invalid(name, "must be a name" if name in body else "is missing")
    return value


def typed(arguments: Mapping[str, str]) -> Body:
    """The fields of a frame as JSON would have them. Invalid where a number or a flag is none."""
    body: dict[str, object] = {name: value for name, value in arguments.items() if name != "verb"}
    for name in ("current", "total", "percent"):
        if name in arguments:
            body[name] = _number(name, arguments[name])
    if "clear" in arguments:
        body["clear"] = arguments["clear"] == "1"
    if arguments["verb"] == "set-status" and "text" not in arguments:
        body["text"] = None
    return body


def _number(name: str, text: str) -> int | float:
    """A number as it is typed, `35%` too."""
    try:
        if len(text) > 40 or "_" in text:
            raise ValueError
        if name == "percent" and text.endswith("%"):
            return float(text[:-1]) / 100
        return int(text) if text.isascii() and text.isdigit() else float(text)
    except ValueError:
        raise Invalid(name, "must be a number") from None
