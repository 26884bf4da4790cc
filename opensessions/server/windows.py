"""`even-horizontal`: what is done to the window that a client shows."""

from __future__ import annotations

from opensessions.provider import EvenHorizontal
from opensessions.server.muxes import Muxes
from opensessions.server.verbs import Arguments, Verbs


class Windows:
    """The verb."""

    def __init__(self, muxes: Muxes, verbs: Verbs) -> None:
        self._muxes = muxes
        self._verbs = verbs
        verbs.add("even-horizontal", self._even)

    async def _even(self, arguments: Arguments) -> object:
        key = self._verbs.pick(arguments)
        await self._verbs.first_reading(key)
        client = self._verbs.client(key, arguments)
        await self._muxes.get(key).provider.do(EvenHorizontal(client))
        return {"client": client}
