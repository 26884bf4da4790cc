"""The verb that brings a client to another multiplexer."""

from __future__ import annotations

import os

from opensessions.errors import Refused
from opensessions.provider import SwitchClient
from opensessions.server.bus import Bus
from opensessions.server.crossing import Crossings, Place
from opensessions.server.muxes import Muxes
from opensessions.server.verbs import Arguments, Verbs, meant, needed


class CrossVerb:
    """`cross`: bring a client to the row `where` (an index, an id or a name; else the first one) of the multiplexer
    `to`, which is its key, its kind or its socket's name. With `process`, that process is about to become
    scripts/cross.py with this name for its order."""

    def __init__(self, bus: Bus, muxes: Muxes, verbs: Verbs, crossings: Crossings) -> None:
        self._bus = bus
        self._muxes = muxes
        self._verbs = verbs
        self._crossings = crossings

    async def __call__(self, arguments: Arguments) -> object:
        """See above. Refused where there is no such row."""
        to = self._called(needed(arguments, "to"))
        await self._verbs.first_reading(to)
        view = self._bus.view(to)
        rows = view.sessions if view else ()
        where = arguments.get("where", "")
        row = meant(where, rows) if where else next((each for each in rows if each.index == 1), None)
        if row is None:
            raise Refused(f"There is no session {where} there." if where else "There is no session there.")
        if process := arguments.get("process", ""):
            await self._crossings.begin(process, Place(to, row.id, arguments.get("pane", "")))
            return {"mux": to, "session": row.id}
        key = self._verbs.pick(arguments)
        client = self._verbs.client(key, arguments)
        if to == key:
            await self._muxes.get(key).provider.do(SwitchClient(client, row.id, arguments.get("pane", "")))
        else:
            await self._crossings.go(key, client, Place(to, row.id, arguments.get("pane", "")))
        return {"mux": to, "session": row.id}

    def _called(self, name: str) -> str:
        """The key of the multiplexer that is called so. Refused where none is, or several are."""
        muxes = {key: mux.provider for key, mux in self._muxes.muxes.items()}
        for names in (
            {key: (key, each.socket) for key, each in muxes.items()},
            {key: (os.path.basename(each.socket), f"{each.kind} {os.path.basename(each.socket)}")
             for key, each in muxes.items()},
            {key: (each.kind,) for key, each in muxes.items()},
        ):  # fmt: skip
            found = [key for key, known in names.items() if name in known]
            if len(found) == 1:
                return found[0]
        known = ", ".join(sorted(f"{each.kind} {each.socket}" for each in muxes.values()))
        raise Refused(f"{name[:100]!r} is not one of the multiplexers that are served: {known or 'none'}.")
