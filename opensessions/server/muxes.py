"""The registered multiplexers: each with its provider, its reading task and its publishing task."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from opensessions import order, paths
from opensessions.attend import Remembered
from opensessions.errors import MuxError, OpenSessionsError, Refused
from opensessions.events import MuxJoined, MuxLeft, SavedArrangement
from opensessions.model import Mode
from opensessions.openers import kinds, opener
from opensessions.processes.identity import proven_dead
from opensessions.provider import Context, Provider, SidebarWish
from opensessions.server.bus import Bus
from opensessions.server.publish import ordering, publication
from opensessions.server.store import Registration, Store
from opensessions.server.supervise import supervise
from opensessions.state import State, remembered, saved_arrangement

log = logging.getLogger(__name__)

SAVE_GAP = 0.5
"""Seconds from a change of an agent to its saving: states come in bursts."""
PUBLISH_GAP = 0.03
"""Seconds between two write batches, at least; and nine times as long as the last one took."""


class Mux:
    """One registered multiplexer: its provider and what was last written for it."""

    def __init__(self, provider: Provider, wish: SidebarWish, registration: Registration) -> None:
        self.provider = provider
        self.registration = registration
        self.wish = wish
        self.saving = asyncio.Lock()
        """Held while the wish is saved: an older one must not be written over a newer one."""
        self.changed = asyncio.Event()
        self.unsaved = asyncio.Event()
        self.read = asyncio.Event()
        """Set once the first event has come: a reading, or the knowledge that there is none."""
        self.generation = ""
        self.rows = b""
        self.tasks: list[asyncio.Task[None]] = []


class Muxes:
    """All of them. `register` may be called at any time, from anywhere in the loop."""

    def __init__(
        self, bus: Bus, store: Store, runtime: str, context: Context, wish: SidebarWish, published: dict[str, str],
        mode: Mode, ascii: bool,
    ) -> None:  # fmt: skip
        self._bus = bus
        self._store = store
        self._runtime = runtime
        self._context = context
        self._wish = wish
        self._published = published
        self._mode = mode
        self.groups = True
        """Sessions in the working trees of one repository stand together. To be said before anything registers."""
        self._ascii = ascii
        self._group: asyncio.TaskGroup | None = None
        self._on_gone: Callable[[], None] = lambda: None
        self.muxes: dict[str, Mux] = {}
        bus.observe(self._on_change)

    def start(self, group: asyncio.TaskGroup, on_last_gone: Callable[[], None]) -> None:
        """Register again what a predecessor had registered, except what has died since."""
        self._group = group
        self._on_gone = on_last_gone
        for known in self._store.remembered(self._runtime):
            self.register(known.provider, known.target, known.binary, known.pid)

    def register(self, kind: str, target: str, binary: str = "", pid: str = "") -> str:
        """Serve the multiplexer at `target` from now on, if it is not served yet. Answers its key. One that had
        the process `pid` and has died since is forgotten."""
        open_provider = opener(kind)
        if open_provider is None:
            raise Refused(f"There is no provider for {kind!r}; installed: {', '.join(kinds())}.")
        provider = open_provider(target, binary, self._context)
        if provider.key in self.muxes:
            return provider.key
        if died(pid, provider.socket):
            log.info("%s died while no server ran", provider.socket)
            self._store.forget(self._runtime, provider.key)
            _unlink(paths.ordering_file(self._runtime, provider.key))
            return provider.key
        mux = self.muxes[provider.key] = Mux(
            provider, self._store.sidebars(provider.key, self._wish), Registration(kind, target, binary, pid)
        )
        paths.ensure_private(os.path.dirname(paths.mux_dir(self._runtime, provider.key)))
        _clear(paths.ensure_private(paths.mux_dir(self._runtime, provider.key)))
        self._store.remember(self._runtime, provider.key, mux.registration)
        self._bus.dispatch(
            MuxJoined(
                provider.key,
                kind,
                provider.socket,
                self._arrangement(provider.key),
                self._store.agents(provider.key),
            )
        )
        log.info("serving %s %s as %s", kind, target, provider.key)
        assert self._group is not None
        mux.tasks = [
            self._group.create_task(supervise(f"reading {provider.key}", lambda: self._follow(mux))),
            self._group.create_task(supervise(f"publishing {provider.key}", lambda: self._publish(mux))),
            self._group.create_task(supervise(f"saving {provider.key}", lambda: self._save(mux))),
        ]
        return provider.key

    def _arrangement(self, key: str) -> SavedArrangement:
        """What was saved; the configured mode where nothing was."""
        saved = self._store.arrangement(key)
        if saved == SavedArrangement():
            return SavedArrangement(mode=self._mode)
        return saved if self.groups else replace(saved, belongings={})

    def key_of(self, socket: str) -> str:
        """The key of the multiplexer with this socket; "" where it is not registered (yet)."""
        return next((key for key, mux in self.muxes.items() if mux.provider.socket == socket), "")

    def get(self, key: str) -> Mux:
        """The multiplexer with this key. Refused where it is not registered."""
        if key not in self.muxes:
            raise Refused(f"No multiplexer {key!r} is registered; run `opensessions up` inside it.")
        return self.muxes[key]

    async def wish(self, key: str, **changes: object) -> SidebarWish:
        """Change how this multiplexer's sidebars should be, and remember it."""
        mux = self.get(key)
        mux.wish = replace(mux.wish, **changes)
        await asyncio.gather(mux.provider.sidebars(mux.wish), self._save_wish(key, mux))
        return mux.wish

    async def _save_wish(self, key: str, mux: Mux) -> None:
        async with mux.saving:
            await asyncio.to_thread(self._store.save_sidebars, key, mux.wish)

    async def withdraw(self, close_sidebars: bool) -> None:
        """A clean stop: take back what is published, in every multiplexer at once, each for at most 2 s."""
        for key, mux in self.muxes.items():
            for task in mux.tasks:
                task.cancel()
            self._save_now(key)
            _unlink(paths.ordering_file(self._runtime, key))
        outcomes = await asyncio.gather(
            *(_withdrawn(mux.provider, close_sidebars) for mux in self.muxes.values()),
            return_exceptions=True,
        )
        for key, outcome in zip(self.muxes, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                log.warning("%s: what was published could not be taken back: %r", key, outcome)

    # --- one multiplexer's tasks ----------------------------------------------------------------------------

    async def _follow(self, mux: Mux) -> None:
        await mux.provider.sidebars(mux.wish)
        async for event in mux.provider.events():
            self._bus.dispatch(event)
            mux.read.set()
            if isinstance(event, MuxLeft):
                self._drop(mux)
                return
            self._remember_process(mux)

    def _remember_process(self, mux: Mux) -> None:
        """So that a server that follows a crash can tell a dead multiplexer from one that does not answer."""
        inventory = self._bus.state.muxes[mux.provider.key].inventory
        if inventory is None or str(inventory.server_pid or "") == mux.registration.pid:
            return
        mux.registration = replace(mux.registration, pid=str(inventory.server_pid or ""))
        try:
            self._store.remember(self._runtime, mux.provider.key, mux.registration)
        except (OSError, OpenSessionsError) as error:
            log.warning("%s: its process was not remembered: %s", mux.provider.key, error)

    def _drop(self, mux: Mux) -> None:
        key = mux.provider.key
        log.info("%s is gone", key)
        del self.muxes[key]
        self._store.forget(self._runtime, key)
        _unlink(paths.ordering_file(self._runtime, key))
        for task in mux.tasks[1:]:
            task.cancel()
        if not self.muxes:
            self._on_gone()

    def _on_change(self, new: State, old: State) -> None:
        for key, mux in self.muxes.items():
            if key in new.muxes and new.muxes[key] is not old.muxes.get(key):
                self._write_order(key, mux)
                mux.changed.set()
                mux.unsaved.set()

    def _write_order(self, key: str, mux: Mux) -> None:
        """Write the ordering file if its bytes differ. A file that cannot be written is removed rather than left
        to lie: a key press then asks the server."""
        known = self._bus.state.muxes[key]
        view = self._bus.view(key)
        if view is None or known.inventory is None:
            return
        data = order.encode(ordering(view))
        if data == mux.rows and mux.generation == known.generation:
            return
        path = paths.ordering_file(self._runtime, key)
        try:
            if mux.generation != known.generation:
                _unlink(path)
            order.write(path, data)
        except OSError as error:
            log.error(
                "%s cannot be written: %s; switching by key asks the server meanwhile", path, error.strerror
            )
            _unlink(path)
        else:
            mux.generation, mux.rows = known.generation, data

    async def _publish(self, mux: Mux) -> None:
        """Write options whenever they differ, in batches with pauses between them."""
        loop = asyncio.get_running_loop()
        key = mux.provider.key
        while True:
            await mux.changed.wait()
            mux.changed.clear()
            known, view = self._bus.state.muxes.get(key), self._bus.view(key)
            if known is None or view is None or known.inventory is None or not known.reachable:
                continue
            started = loop.time()
            try:
                await mux.provider.publish(publication(known, view, self._published, self._ascii))
            except MuxError as error:
                log.warning("%s: options were not written: %s", key, error)
            await asyncio.sleep(max(PUBLISH_GAP, 9 * (loop.time() - started)))

    def _save_now(self, key: str) -> None:
        """What was not saved yet, when the server stops."""
        known = self._bus.state.muxes.get(key)
        if known is None or known.inventory is None:
            return
        try:
            self._store.save_arrangement(key, saved_arrangement(known))
            if known.agents or known.asleep:
                self._store.save_agents(key, remembered(known))
        except (OSError, OpenSessionsError) as error:
            log.error("%s: order and agents were not saved: %s", key, error)

    async def _save(self, mux: Mux) -> None:
        """Save order, hidden rows and mode at once, and what is known of agents soon, whenever they differ."""
        loop = asyncio.get_running_loop()
        key = mux.provider.key
        saved = None
        kept: dict[str, Remembered] = self._store.agents(key)
        due = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due or None):
                    await mux.unsaved.wait()
            mux.unsaved.clear()
            known = self._bus.state.muxes.get(key)
            if known is None or known.inventory is None:
                continue
            try:
                if saved_arrangement(known) != saved:
                    saved = saved_arrangement(known)
                    await asyncio.to_thread(self._store.save_arrangement, key, saved)
                if remembered(known) == kept:
                    due = 0.0
                elif due and loop.time() >= due:
                    kept, due = remembered(known), 0.0
                    await asyncio.to_thread(self._store.save_agents, key, kept)
                elif not due:
                    due = loop.time() + SAVE_GAP
            except (OSError, OpenSessionsError) as error:
                log.error("%s: order and agents were not saved: %s", key, error)


async def _withdrawn(provider: Provider, close_sidebars: bool) -> None:
    async with asyncio.timeout(2):
        await provider.withdraw(close_sidebars)


def died(pid: str, address: str) -> bool:
    """Is the process gone, and does nobody listen at the socket that it had? Doubt means no."""
    if not pid.isascii() or not pid.isdigit() or not proven_dead(int(pid[:10])):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1.0)
        try:
            line.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
    return False


def _clear(folder: str) -> None:
    """Remove what a server that was killed while it wrote has left; only the lock's holder comes here."""
    for name in os.listdir(folder):
        if name.startswith("ordering."):
            _unlink(f"{folder}/{name}")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("%s cannot be removed: %s", path, error.strerror)
