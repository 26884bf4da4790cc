"""Bringing a client's terminal to another multiplexer, and back. What runs on the terminal meanwhile is
`opensessions.crossing`; here it is found, told where to go, and followed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Iterator

from msgspec import Struct, to_builtins

from opensessions import paths
from opensessions.crossing import FRESH, folder_of
from opensessions.errors import MuxError, OpenSessionsError, Refused
from opensessions.model import Client, Inventory
from opensessions.provider import HandOver, WayIn
from opensessions.server.bus import Bus
from opensessions.server.muxes import Muxes

log = logging.getLogger(__name__)

QUIET = ("true",)
"""Takes the place of a client that one of ours waits for."""


class Place(Struct, frozen=True):
    """A session of a multiplexer, and a pane in it; "" where that is left to the session."""

    mux: str
    session: str
    pane: str = ""


class Traveller(Struct, frozen=True):
    """A process of ours that has a terminal."""

    pid: int
    mux: str = ""
    """Where it is; "" between two places, or where it has not said so yet."""
    child: int = 0
    """The client that it waits for."""


class Crossings:
    """For all clients."""

    def __init__(self, bus: Bus, muxes: Muxes, runtime: str, program: tuple[str, ...]) -> None:
        """`program`: the words that run scripts/cross.py."""
        self._bus = bus
        self._muxes = muxes
        self._runtime = runtime
        self._program = program

    async def go(self, mux: str, client: str, to: Place, *, sidebar: bool = False) -> None:
        """Bring the terminal of a client in `mux` to a place in another multiplexer. Refused, with what to type, where
        it cannot be brought there; nothing has changed then."""
        there, here = self._muxes.get(to.mux).provider, self._muxes.get(mux).provider
        try:
            way = await there.way_in(to.session, to.pane, sidebar=sidebar)
        except MuxError as error:
            raise Refused(str(error)) from error  # it is not the one in which the user is told of it
        traveller = await self.traveller(mux, client)
        told = any(gap.name == "crossing" for gap in here.gaps)
        if told and not traveller:
            raise Refused(
                f"opensessions did not bring you here, so go yourself: detach, then type {shown(way.name)}"
            )
        known = await self._client(mux, client)
        process = traveller.pid if traveller else known.pid
        await asyncio.to_thread(_check_inside, process, self._servers(to.mux), way)
        gone = f"That session cannot be attached, so you are where you were: {shown(way.name)}"
        back = await here.way_in(known.session, sidebar=sidebar, said=gone)
        name = str(process)
        folder = self._order(name, way, back)
        try:
            if traveller and told:
                _ring(traveller.pid)
            else:
                program = QUIET if traveller else (*self._program, self._runtime, name)
                await here.do(HandOver(client, program))
        except OpenSessionsError:
            _unlink(f"{folder}/{name}.next")
            raise
        there.refresh()

    async def begin(self, name: str, to: Place) -> None:
        """Say where a process goes that has a terminal and no client yet. Refused where it cannot."""
        if not name.isdecimal():
            raise Refused(f"{name[:100]!r} is no process.")
        provider = self._muxes.get(to.mux).provider
        way = await provider.way_in(to.session, to.pane)
        await asyncio.to_thread(_check_inside, int(name[:10]), self._servers(to.mux), way)
        self._order(name, way, None)
        provider.refresh()

    def _order(self, name: str, way: WayIn, back: WayIn | None) -> str:
        """Write it; the folder."""
        folder = paths.ensure_private(folder_of(self._runtime))
        _write(folder, name, way, back)
        return folder

    async def traveller(self, mux: str, client: str) -> Traveller | None:
        """Our process behind a client; None where its terminal has never crossed, or that is not known for certain."""
        provider = self._muxes.get(mux).provider
        known = await asyncio.to_thread(lambda: list(travellers(self._runtime)))
        for each in known if client else ():
            child = each.child or await asyncio.to_thread(_child, each.pid)
            if child and each.mux in (mux, ""):
                try:
                    if await provider.client_of(child) == client:
                        return each
                except (MuxError, Refused) as error:
                    log.info("%s: whose client a process is: %s", mux, error)
        return None

    def living(self) -> frozenset[int]:
        """Our processes that have a terminal."""
        return frozenset(each.pid for each in travellers(self._runtime))

    def can_leave(self, mux: str, traveller: Traveller | None) -> bool:
        """May a client of this multiplexer be brought elsewhere?"""
        gaps = self._muxes.get(mux).provider.gaps
        return traveller is not None or all(gap.name != "crossing" for gap in gaps)

    def _servers(self, mux: str) -> frozenset[int]:
        known = self._bus.state.muxes.get(mux)
        inventory = known.inventory if known else None
        return frozenset({inventory.server_pid, *inventory.servers} - {0}) if inventory else frozenset()

    async def _client(self, mux: str, client: str) -> Client:
        """The client as it was last read; one that has only just arrived is read now. Refused where there is none."""
        state = self._bus.state.muxes.get(mux)
        found = _named(client, state.inventory if state else None)
        if found is None:
            try:
                found = _named(client, await self._muxes.get(mux).provider.look())
            except MuxError as error:
                raise Refused(str(error)) from error
        if found is None:
            raise Refused(f"No client {client} with a terminal is attached.")
        return found


def _named(client: str, inventory: Inventory | None) -> Client | None:
    viewers = inventory.viewers() if inventory else ()
    return next((one for one in viewers if one.name == client), None)


def travellers(runtime: str) -> Iterator[Traveller]:
    """The living ones. What those have left behind who were killed is removed."""
    folder = folder_of(runtime)
    try:
        names = [name for name in os.listdir(folder) if name.isdecimal()]
    except OSError:
        return
    for name in names:
        try:
            handle = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                yield _read(int(name), os.read(handle, 4096))
            else:
                _unlink(f"{folder}/{name}")
                _unlink(f"{folder}/{name}.next")
        finally:
            os.close(handle)


def _child(pid: int) -> int:
    """What a process of ours has started, where it has not said so yet; 0 for nothing."""
    import psutil  # a MiB of the server's, for terminals that travel

    try:
        return next((each.pid for each in psutil.Process(pid).children()), 0)
    except psutil.Error:
        return 0


def _read(pid: int, said: bytes) -> Traveller:
    try:
        told = json.loads(said)
        return Traveller(pid, str(told["mux"]), int(told["child"]))
    except (ValueError, KeyError, TypeError):
        return Traveller(pid)  # it has only just begun


def _write(folder: str, name: str, way: WayIn, back: WayIn | None) -> None:
    """Say where it is to go, at once and for it alone. Refused where it has not begun to follow the last such word.
    `json` of the standard library writes any path's bytes."""
    order = {"to": to_builtins(way), "back": to_builtins(back) if back else None, "at": time.time()}
    path, temporary = f"{folder}/{name}.next", f"{folder}/{name}.{os.urandom(4).hex()}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            file.write(json.dumps(order).encode())
        if _age(path) > FRESH:
            _unlink(path)
        os.link(temporary, path)
    except FileExistsError as error:
        raise Refused("This terminal is on its way already.") from error
    except OSError as error:
        raise Refused(f"{folder} cannot be written ({error.strerror}): you stay where you are.") from error
    finally:
        _unlink(temporary)


def _age(path: str) -> float:
    """Seconds since a file was written; 0 where there is none."""
    try:
        return abs(time.time() - os.stat(path).st_mtime)
    except OSError:
        return 0.0


def _ring(pid: int) -> None:
    """Tell our process to look. Refused where it has ended."""
    try:
        if hasattr(signal, "pidfd_send_signal"):
            handle = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(handle, signal.SIGUSR1)
            finally:
                os.close(handle)
        else:
            os.kill(pid, signal.SIGUSR1)
    except OSError as error:
        raise Refused("That terminal is gone.") from error


def shown(name: str) -> str:
    """A name for a sentence that may be printed on a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _check_inside(process: int, servers: frozenset[int], way: WayIn) -> None:
    """Refused where the terminal is itself a pane of one of these servers: it would show itself."""
    import psutil

    try:
        above = {each.pid for each in psutil.Process(process).parents()}
    except (psutil.Error, ValueError):
        return
    if above & servers:
        raise Refused(f"Your terminal is a pane there already; go there with its own keys: {shown(way.name)}")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
