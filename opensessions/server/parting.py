"""Ends the rows of agents that exited long enough ago."""

from __future__ import annotations

import asyncio

from opensessions.events import TimePassed
from opensessions.server.bus import Bus
from opensessions.state import State


class Parting:
    """One timer, set only while there is such a row."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        bus.observe(self._on_change)

    def close(self) -> None:
        """Set no timer any more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _on_change(self, new: State, old: State) -> None:
        if all(
            mux.gone is (old.muxes[key].gone if key in old.muxes else None) for key, mux in new.muxes.items()
        ):
            return
        due = min((past.due() for mux in new.muxes.values() for past in mux.gone.values()), default=0.0)
        if due == self._due and self._timer:
            return
        self.close()
        self._due = due
        if due:
            self._timer = asyncio.get_running_loop().call_at(due + 0.1, self._expire)

    def _expire(self) -> None:
        self._timer = None
        for key in tuple(self._bus.state.muxes):
            self._bus.dispatch(TimePassed(key, asyncio.get_running_loop().time()))
        self._on_change(self._bus.state, State())
