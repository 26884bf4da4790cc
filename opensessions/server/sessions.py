"""`session-new`, `session-places`, `session-rename`, `session-hide`, `session-unhide`, `session-move`, `undo`: what is
done to sessions and their rows. Killing one is `endings`'."""

from __future__ import annotations

from opensessions.errors import Refused
from opensessions.events import RowHidden, RowMoved
from opensessions.model import Row
from opensessions.provider import CreateSession, RenameSession, SwitchClient
from opensessions.server.bus import Bus
from opensessions.server.endings import named
from opensessions.server.muxes import Muxes
from opensessions.server.undo import Undo
from opensessions.server.verbs import Arguments, Verbs, needed

FAR = 10_000
"""Places; a row moves no further."""


class Sessions:
    """The verbs."""

    def __init__(self, bus: Bus, muxes: Muxes, verbs: Verbs, undo: Undo) -> None:
        self._bus = bus
        self._undo = undo
        self._muxes = muxes
        self._verbs = verbs
        verbs.add("session-new", self._new)
        verbs.add("session-places", self._places)
        verbs.add("session-rename", self._rename)
        verbs.add("session-hide", self._hide)
        verbs.add("session-unhide", self._unhide)
        verbs.add("session-move", self._move)
        verbs.add("undo", self._take_back)

    async def _new(self, arguments: Arguments) -> object:
        key = self._verbs.pick(arguments)
        provider = self._muxes.get(key).provider
        session = await provider.do(CreateSession(arguments.get("name", ""), arguments.get("directory", "")))
        if client := arguments.get("client"):
            await provider.do(SwitchClient(client, session))
        return {"mux": key, "session": session}

    async def _places(self, arguments: Arguments) -> object:
        """Every session in the order of the rows, with the folders that it began in and that its active pane is in."""
        key = self._verbs.pick(arguments)
        await self._verbs.first_reading(key)
        known, view = self._bus.state.muxes.get(key), self._bus.view(key)
        begun = {each.id: each.path for each in known.inventory.sessions} if known and known.inventory else {}
        sessions = []
        for row in view.sessions if view else ():
            folders = [folder for folder in (begun.get(row.id, ""), row.dir) if folder]
            sessions.append({"id": row.id, "name": row.name, "folders": list(dict.fromkeys(folders))})
        return {"sessions": sessions}

    async def _rename(self, arguments: Arguments) -> object:
        key, id = await self._meant(arguments)
        name = needed(arguments, "name")
        if not name.strip():
            raise Refused("A session's name cannot be empty.")
        return {"session": id, "name": await self._muxes.get(key).provider.do(RenameSession(id, name))}

    async def _hide(self, arguments: Arguments) -> object:
        return await self._show(arguments, hidden=True)

    async def _unhide(self, arguments: Arguments) -> object:
        return await self._show(arguments, hidden=False)

    async def _show(self, arguments: Arguments, hidden: bool) -> object:
        key, id = await self._meant(arguments)
        self._undo.do(RowHidden(key, id, hidden))
        return {"session": id, "hidden": hidden}

    async def _move(self, arguments: Arguments) -> object:
        """`by` places down (negative: up), among the rows that have an index. It stops at the ends."""
        key, id = await self._meant(arguments)
        try:
            by = max(-FAR, min(FAR, int(needed(arguments, "by"))))
        except ValueError:
            raise Refused(f"{arguments['by'][:20]!a} is no number of places.") from None
        if self._row(key, id).index is None:
            raise Refused("That session's row is not listed, so it has no place to move from.")
        self._undo.do(RowMoved(key, id, by))
        return {"session": id, "index": self._row(key, id).index}

    async def _take_back(self, arguments: Arguments) -> object:
        """What was done last to the multiplexer's rows, in words, once it is undone."""
        key = self._verbs.pick(arguments)
        await self._verbs.first_reading(key)
        return {"mux": key, "said": self._undo.undo(key)}

    async def _meant(self, arguments: Arguments) -> tuple[str, str]:
        """The multiplexer and the id of the session that `target` means."""
        key = self._verbs.pick(arguments)
        await self._verbs.first_reading(key)
        mux = self._bus.state.muxes.get(key)
        sessions = mux.inventory.sessions if mux and mux.inventory else ()
        return key, named(needed(arguments, "target"), sessions).id

    def _row(self, key: str, id: str) -> Row:
        view = self._bus.view(key)
        row = view.row(id) if view else None
        if row is None:
            raise Refused("That session is gone.")
        return row
