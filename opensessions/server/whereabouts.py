"""Which session and pane a script means that names one: pure lookups in the State, and the patience around them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from msgspec import Struct

from opensessions.errors import Refused
from opensessions.model import Inventory, Pane, Session
from opensessions.server.bus import Bus
from opensessions.server.muxes import Muxes
from opensessions.state import Mux, State

PATIENCE = 1.0
"""Seconds for a new reading, where somebody names a session that was not there at the last one."""
FIRST_READING = 2.5
"""Seconds for a multiplexer's first reading."""


class Place(Struct, frozen=True):
    """A session, and the pane in it where that is known."""

    mux: str
    session: str
    pane: str = ""


class Ambiguous(Struct, frozen=True):
    """It may be any of several; the text names them."""

    which: str


Look = Callable[[State], Place | Ambiguous | None]


# --- lookups ----------------------------------------------------------------------------------------------


def by_name(state: State, name: str, key: str = "") -> Place | None:
    """The session with this name, `=NAME` or id, in the multiplexer `key`, else in the one used last that has it."""
    found = [
        Place(mux.key, session.id)
        for mux in _muxes(state, key)
        if mux.inventory and (session := named(mux.inventory, name))
    ]
    return found[0] if found else None


def named(inventory: Inventory, name: str) -> Session | None:
    """A session by its id, its name, or `=` and its name."""
    for fits in (
        lambda session: session.id == name,
        lambda session: session.name == name,
        lambda session: f"={session.name}" == name,
    ):
        for session in inventory.sessions:
            if fits(session):
                return session
    return None


def by_pane(state: State, id: str, key: str = "", name: str = "") -> Place | None:
    """The pane with this id. Every tmux has a `%0`: without a key, one whose session is called `name` goes before
    the one of the multiplexer that was used last. Our own sidebars are no such pane."""
    found = []
    for mux in _muxes(state, key):
        inventory = mux.inventory
        pane = inventory.pane(id) if inventory else None
        if inventory is None or pane is None or pane.mark:
            continue
        holders = [session for session in inventory.sessions if _holds(session, pane)]
        wanted = named(inventory, name) if name else None
        if wanted in holders:
            return Place(mux.key, wanted.id, id)
        found += [Place(mux.key, session.id, id) for session in holders[:1]]
    return found[0] if found else None


def by_folder(
    state: State, names: tuple[str, ...], agent: str, key: str = "", home: str = ""
) -> Place | Ambiguous | None:
    """The pane that works in the folder with one of these paths or, the nearest first, above it, else below it. Of
    several the one that runs `agent`. A pane in the root or the home folder stands for nothing but itself."""
    folders = {os.path.normpath(name) for name in names}
    known: list[tuple[int, Mux, Session, Pane]] = []
    for mux in _muxes(state, key):
        for session, pane in _panes(mux):
            near = max(_nearness(pane.path, folder, home) for folder in folders)
            if near:
                known.append((near, mux, session, pane))
    best = max((near for near, *_ in known), default=0)
    found = {(mux.key, pane.id): (mux, session, pane) for near, mux, session, pane in known if near == best}
    running = {
        place: each
        for place, each in found.items()
        if any(one.agent == agent for one in each[0].agents.get(each[2].id, ()))
    }
    return _only((running or found).values())


def in_session(state: State, place: Place, agent: str) -> Place:
    """The place with its pane, where exactly one pane of the session runs `agent`."""
    mux = state.muxes[place.mux]
    panes = {
        pane.id
        for session, pane in _panes(mux)
        if session.id == place.session and any(one.agent == agent for one in mux.agents.get(pane.id, ()))
    }
    return Place(place.mux, place.session, panes.pop()) if len(panes) == 1 else place


def _only(found: Iterable[tuple[Mux, Session, Pane]]) -> Place | Ambiguous | None:
    places = [(mux, session, pane) for mux, session, pane in found]
    sessions = {(mux.key, session.id): session.name for mux, session, _ in places}
    if not sessions:
        return None
    if len(sessions) > 1:
        several = len({key for key, _ in sessions}) > 1
        names = {f"{name} in {key}" if several else name for (key, _), name in sessions.items()}
        return Ambiguous(", ".join(sorted(names)))
    mux, session, pane = places[0]
    return Place(mux.key, session.id, pane.id if len(places) == 1 else "")


def _nearness(path: str, folder: str, home: str) -> int:
    """How well a pane in `path` fits: 0 not at all; below the folder less than above it, and there the longer."""
    if path == folder:
        return len(path) + 2
    if path in ("", "/", home):
        return 0
    if folder.startswith(f"{path}/"):
        return len(path) + 1
    return int(path.startswith(f"{folder}/") and folder not in ("/", home))


def _panes(mux: Mux) -> Iterable[tuple[Session, Pane]]:
    """Every pane that is not ours, with the first session that holds it."""
    inventory = mux.inventory
    seen = set()
    for session in inventory.sessions if inventory else ():
        for link in session.links:
            window = inventory.windows.get(link.window) if inventory else None
            for pane in window.panes if window else ():
                if pane.id not in seen and not pane.mark:
                    seen.add(pane.id)
                    yield session, pane


def _holds(session: Session, pane: Pane) -> bool:
    return any(link.window == pane.window for link in session.links)


def _muxes(state: State, key: str) -> list[Mux]:
    """The one with this key; without a key all, the one used last first."""
    if key:
        return [state.muxes[key]] if key in state.muxes else []
    return sorted(state.muxes.values(), key=lambda mux: (-last_use(mux), mux.key))


def last_use(mux: Mux) -> int:
    """When somebody last used it, in seconds since the epoch; 0 where nobody does, -1 where it was never read."""
    if mux.inventory is None:
        return -1
    return max((client.activity for client in mux.inventory.viewers()), default=0)


# --- patience ---------------------------------------------------------------------------------------------


class Finder:
    """Looks again after a new reading before it says no: who has just made a session names it at once."""

    def __init__(self, bus: Bus, muxes: Muxes) -> None:
        self._bus = bus
        self._muxes = muxes

    async def session(self, name: str, key: str = "") -> Place:
        """`by_name`. Refused where there is none."""
        return await self.find(lambda state: by_name(state, name, key), f"session {name!r}", key)

    async def pane(self, id: str, key: str = "", name: str = "") -> Place:
        """`by_pane`. Refused where there is none."""
        return await self.find(lambda state: by_pane(state, id, key, name), f"pane {id!r}", key)

    async def find(self, look: Look, what: str, key: str = "") -> Place:
        """What `look` finds, now or after a new reading. Refused where that is nothing, or more than one."""
        if key:
            self._muxes.get(key)
        found = look(self._bus.state)
        if found is None:
            found = await self._later(look, key)
        if isinstance(found, Ambiguous):
            raise Refused(
                f"{what[0].upper()}{what[1:]} may mean any of {found.which}; name the session or the pane."
            )
        if found is None:
            raise Refused(f"There is no {what}.")
        return found

    async def _later(self, look: Look, key: str) -> Place | Ambiguous | None:
        asked = [mux for each, mux in self._muxes.muxes.items() if key in ("", each)]
        unread = [mux.read.wait() for mux in asked if not mux.read.is_set()]
        if unread:
            # A multiplexer that does not answer has no sessions to offer.
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_READING):
                    await asyncio.gather(*unread)
        before = {each: mux.inventory for each, mux in self._bus.state.muxes.items()}
        changed = asyncio.Event()
        end = self._bus.observe(lambda new, old: changed.set())
        try:
            for mux in asked:
                mux.provider.refresh()
            async with asyncio.timeout(PATIENCE):
                while (found := look(self._bus.state)) is None and not self._all_read(before, key):
                    await changed.wait()
                    changed.clear()
                return found
        except TimeoutError:
            return look(self._bus.state)
        finally:
            end()

    def _all_read(self, before: dict[str, Inventory | None], key: str) -> bool:
        return all(
            mux.inventory is not before.get(each) or not mux.reachable
            for each, mux in self._bus.state.muxes.items()
            if key in ("", each)
        )
