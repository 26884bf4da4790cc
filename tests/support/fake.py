"""A multiplexer that exists in memory alone, as a provider: for faults that a real one cannot be brought to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from opensessions.errors import MuxTimeout, Refused
from opensessions.events import Event, InventoryRead, MuxLeft, Unreachable
from opensessions.model import Client, Inventory, Link, Pane, Session, Window
from opensessions.provider import (
    Announce,
    Command,
    CreateSession,
    FocusSidebar,
    Gap,
    HandOver,
    KillPane,
    KillSession,
    LeaveSidebar,
    Publication,
    ReadScreen,
    RenameSession,
    ShowMessage,
    SidebarWish,
    SwitchClient,
    TypeLine,
    WayIn,
)

OWNER = "fake"


class FakeProvider:
    """One window for each session. `hung`: it answers nothing. `ended`: its server is proven dead."""

    kind = "fake"
    key = "fake"
    socket = "/fake"
    gaps: tuple[Gap, ...] = ()

    def __init__(self) -> None:
        self._ids = count()
        self._stir = asyncio.Event()
        self._wish = SidebarWish()
        self.hung = False
        self.ended = False
        self.published: Mapping[tuple[str, str], str] = {}
        self.messages: list[tuple[str, str]] = []
        self.screen: dict[str, list[str]] = {}
        self.inventory = Inventory(1, 1, "fake 1")

    # --- what happens in it ---------------------------------------------------------------------------------

    def new(self, name: str, folder: str = "/") -> str:
        """A session with one pane; its id."""
        if any(session.name == name for session in self.inventory.sessions):
            raise Refused(f"There is a session {name!r} already.")
        id, window, pane = (f"{kind}{next(self._ids)}" for kind in "$@%")
        self.screen[pane] = ["$ "]
        session = Session(id, name, links=(Link(window, 1, True),))
        shown = Window(window, name, 100, 30, panes=(Pane(pane, window, 100, True, width=100, path=folder),))
        self._change(
            sessions=(*self.inventory.sessions, session), windows={**self.inventory.windows, window: shown}
        )
        return id

    def split(self, session: str) -> str:
        """Another pane in the session's window; its id."""
        window, pane = self._window(session), f"%{next(self._ids)}"
        self.screen[pane] = ["$ "]
        self._put(replace(window, panes=(*window.panes, Pane(pane, window.id, 101, width=50))))
        return pane

    def attach(self, session: str) -> str:
        """A client that looks at the session; its name."""
        name = f"/dev/fake{next(self._ids)}"
        self._change(clients=(*self.inventory.clients, Client(name, session, activity=next(self._ids))))
        return name

    def kill(self, session: str) -> None:
        """The session ends, and takes its clients along."""
        window = self._window(session).id
        self._change(
            sessions=tuple(one for one in self.inventory.sessions if one.id != session),
            windows={id: one for id, one in self.inventory.windows.items() if id != window},
            clients=tuple(client for client in self.inventory.clients if client.session != session),
        )

    def stir(self) -> None:
        """Something has happened: whoever waits looks."""
        self._stir.set()

    def _change(self, **changes: object) -> None:
        self.inventory = replace(self.inventory, **changes)
        self._keep()
        self.stir()

    def _put(self, window: Window) -> None:
        self._change(windows={**self.inventory.windows, window.id: window})

    def _window(self, session: str) -> Window:
        found = self.inventory.session(session)
        if found is None:
            raise Refused(f"There is no session {session!r}.")
        return self.inventory.windows[found.current_window]

    def _pane(self, id: str) -> Pane:
        found = self.inventory.pane(id)
        if found is None:
            raise Refused(f"There is no pane {id!r}.")
        return found

    def _keep(self) -> None:
        """Sidebars as they are wished."""
        windows = {}
        for id, window in self.inventory.windows.items():
            others = tuple(pane for pane in window.panes if not pane.mark)
            ours = tuple(pane for pane in window.panes if pane.mark)
            seen = any(
                self.inventory.session(client.session).current_window == id
                for client in self.inventory.clients
            )
            if not self._wish.visible:
                ours = ()
                if others and not any(pane.active for pane in others):
                    others = (replace(others[0], active=True), *others[1:])
            elif not ours and seen:
                ours = (Pane(f"%{next(self._ids)}", id, 102, width=self._wish.width, mark=OWNER),)
            windows[id] = replace(window, panes=(*others, *ours))
        self.inventory = replace(self.inventory, windows=windows)

    # --- the provider ---------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.hung or self.ended:
            raise MuxTimeout("The fake did not answer within 2 s.")

    async def events(self) -> AsyncGenerator[Event, None]:
        while not self.ended:
            yield (
                Unreachable(self.key, "It is hung.") if self.hung else InventoryRead(self.key, self.inventory)
            )
            await self._stir.wait()
            self._stir.clear()
        yield MuxLeft(self.key)

    def refresh(self) -> None:
        self.stir()

    async def look(self) -> Inventory:
        await self._answer()
        return self.inventory

    async def probe(self, timeout: float) -> bool:
        return not (self.hung or self.ended)

    async def do(self, command: Command) -> str:
        await self._answer()
        match command:
            case CreateSession(name=name, directory=folder):
                return self.new(name or f"session-{next(self._ids)}", folder or "/")
            case RenameSession(session=id, name=name):
                self._window(id)
                if not name or any(one.name == name for one in self.inventory.sessions):
                    raise Refused(f"The session cannot be called {name!r}.")
                renamed = (
                    replace(one, name=name) if one.id == id else one for one in self.inventory.sessions
                )
                self._change(sessions=tuple(renamed))
                return name
            case KillSession(session=id, refuge=refuge):
                self._window(id)
                self._move([client.name for client in self.inventory.clients if client.session == id], refuge)
                self.kill(id)
            case KillPane(pane=id):
                window = self.inventory.windows[self._pane(id).window]
                self._put(replace(window, panes=tuple(pane for pane in window.panes if pane.id != id)))
            case SwitchClient(client=name, session=id, pane=pane):
                if pane and all(one.id != pane for one in self._window(id).panes):
                    raise Refused(f"Session {id} has no pane {pane} any more.")
                self._window(id)
                if all(client.name != name for client in self.inventory.clients):
                    raise Refused(f"No client {name} is attached.")
                self._move([name], id)
                if pane:
                    self._focus(pane)
            case HandOver(client=name):
                rest = tuple(client for client in self.inventory.clients if client.name != name)
                if len(rest) == len(self.inventory.clients):
                    raise Refused(f"No client {name} is attached.")
                self._change(clients=rest)
            case FocusSidebar(client=name):
                (client,) = (one for one in self.inventory.clients if one.name == name)
                self._focus(next(pane.id for pane in self._window(client.session).panes if pane.mark))
            case LeaveSidebar(pane=id):
                window = self.inventory.windows[self._pane(id).window]
                self._focus(next(pane.id for pane in window.panes if not pane.mark))
            case ShowMessage(client=name, text=text):
                self.messages.append((name, text))
            case Announce(clients=names, text=text):
                self.messages += [(name, text) for name in names]
            case TypeLine(pane=id, text=text):
                self.screen[self._pane(id).id].append(text)
            case ReadScreen(pane=id):
                return "\n".join(self.screen[self._pane(id).id])
            case _:
                pass
        return ""

    def _move(self, clients: Sequence[str], session: str) -> None:
        self._change(
            clients=tuple(
                replace(client, session=session) if client.name in clients and session else client
                for client in self.inventory.clients
            )
        )

    def _focus(self, id: str) -> None:
        window = self.inventory.windows[self._pane(id).window]
        self._put(replace(window, panes=tuple(replace(pane, active=pane.id == id) for pane in window.panes)))

    async def screens(self, panes: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        await self._answer()
        return {pane: tuple(self.screen[pane]) for pane in panes if self.inventory.pane(pane)}

    async def publish(self, publication: Publication) -> None:
        await self._answer()
        self.published = publication.values

    async def sidebars(self, wish: SidebarWish) -> None:
        self._wish = wish
        self._keep()
        self.stir()

    async def adopt_width(self, pane: str) -> int | None:
        return None

    async def sweep(self) -> None:
        await self._answer()
        self.stir()

    async def withdraw(self, close_sidebars: bool = True) -> None:
        await self._answer()
        self.published = {}
        if close_sidebars:
            await self.sidebars(replace(self._wish, visible=False))

    async def way_in(self, session: str, pane: str = "", *, sidebar: bool = False, said: str = "") -> WayIn:
        if pane and all(one.id != pane for one in self._window(session).panes):
            raise Refused(f"Session {session} has no pane {pane} any more.")
        self._window(session)
        return WayIn(self.key, f"fake {session}", ("/bin/cat",), ("/bin/true",), said=said)

    async def client_of(self, process: int) -> str:
        return next(
            (client.name for client in self.inventory.clients if process and client.pid == process), ""
        )
