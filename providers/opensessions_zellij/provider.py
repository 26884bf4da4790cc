"""All zellij sessions of a user as the core sees them: readings out; commands and sidebars in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import assert_never

from opensessions.errors import MuxError, Refused
from opensessions.events import Event, InventoryRead, MuxLeft, Unreachable
from opensessions.model import Inventory
from opensessions.provider import (
    Announce,
    ChooseFolder,
    Command,
    Context,
    CreateSession,
    DesktopNotice,
    EvenHorizontal,
    FocusSidebar,
    Gap,
    HandOver,
    KillPane,
    KillSession,
    LeaveSidebar,
    PressKey,
    Publication,
    ReadScreen,
    RenameSession,
    ShowMessage,
    SidebarWish,
    SwitchClient,
    TypeLine,
    WayIn,
)
from opensessions_zellij import binary, commands, crossing, places
from opensessions_zellij.bell import POLL, Bell
from opensessions_zellij.gaps import GAPS, refuse
from opensessions_zellij.keeper import Keeper
from opensessions_zellij.reader import Reader
from opensessions_zellij.reading import split
from opensessions_zellij.sessions import Sessions
from opensessions_zellij.transport import Zellij

log = logging.getLogger(__name__)

FIRST_REST, LONGEST_REST = 1.0, 60.0
"""Seconds between two tries to reach a zellij that does not answer: doubled each time."""
PAUSE, SHARE = 0.1, 4.0
"""Seconds from one reading to the next, at least, and so many times as long as it took."""
ALONE = 5.0
"""Seconds between two readings while nobody looks: an agent's title may turn all the time."""
GONE = 0.5
"""Seconds after which a second reading without any session is believed: between two sessions there may be none."""


class ZellijProvider:
    """See `opensessions.provider.Provider`. Opening it starts nothing: `events` does."""

    kind = "zellij"
    key = places.KEY
    gaps: tuple[Gap, ...] = GAPS

    def __init__(self, target: str, program: str, context: Context) -> None:
        self.socket = target
        self._context = context
        self._zellij = Zellij(binary.find(program), target, context.runtime)
        self._stir = asyncio.Event()
        """There is something to read."""
        self._reader = Reader(self._zellij, context.owner, self._stir.set)
        self._sessions = Sessions(self._zellij, self._reader)
        argv = (
            context.interpreter, "-I", "-S", f"{context.scripts}/sidebar.py", f"runtime={context.runtime}",
            f"socket={target}", f"python={context.python}", "provider=zellij", f"owner={context.owner}",
        )  # fmt: skip
        self._keeper = Keeper(self._zellij, self._reader, self._sessions, context.owner, argv)
        self._bell: Bell | None = None
        self._asked = asyncio.Event()
        """It is to be read soon, whether or not somebody looks."""
        self._left: dict[str, str] = {}
        """By tab, the pane that had the focus before our sidebar got it."""

    # --- readings -------------------------------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[Event, None]:
        """See `Provider.events`. Sidebars are kept in the same task, between two readings."""
        self._bell = bell = Bell(self._rang, self._reader.written)
        try:
            async for event in self._follow(bell):
                yield event
        finally:
            self._bell = None
            bell.close()

    async def _follow(self, bell: Bell) -> AsyncGenerator[Event, None]:
        loop = asyncio.get_running_loop()
        rest, told, absent = FIRST_REST, "", False
        while True:
            began = loop.time()
            self._stir.clear()
            self._asked.clear()
            try:
                reading = await self._reader.read()
            except (MuxError, Refused) as error:
                self._reader.doubt("")
                if str(error) != told:
                    yield Unreachable(self.key, str(error))
                told = str(error)
                await self._stirred(rest)
                rest = min(LONGEST_REST, 2 * rest)
                continue
            took = loop.time() - began
            rest, told = FIRST_REST, ""
            inventory = reading.inventory
            self._listen(bell, inventory)
            if not inventory.sessions:
                if absent and not self._reader.unborn:
                    self._zellij.views.close()
                    yield MuxLeft(self.key)
                    return
                absent = True
                await self._stirred(GONE)
                continue
            absent = False
            self._note(inventory)
            yield InventoryRead(self.key, inventory, reading.renamed)
            due = await self._keep()
            await asyncio.sleep(max(PAUSE, SHARE * took))
            if self._reader.unborn:
                continue
            if not inventory.viewers():
                await _within(self._asked, ALONE)
            await self._next(bell, inventory, due)

    def _listen(self, bell: Bell, inventory: Inventory) -> None:
        folder = self.socket
        cache = places.cache_folder()
        files = {one.id: places.metadata_file(cache, folder, one.id) for one in inventory.sessions}
        bell.listen(f"{folder}/{places.contract(folder) or places.CONTRACT + '1'}", files)

    def _rang(self, session: str, urgent: bool) -> None:
        """Something has changed in a session; "": one may have come or gone."""
        if session:
            self._reader.rang(session)
        self._stir.set()
        if urgent:
            self._asked.set()

    def _ask(self) -> None:
        self._stir.set()
        self._asked.set()

    async def _next(self, bell: Bell, inventory: Inventory, due: float | None) -> None:
        """Until there is something to read, or `due`. What writes nothing is asked now and then while somebody looks at
        it."""
        loop = asyncio.get_running_loop()
        looked = {client.session for client in inventory.viewers()}
        while not self._stir.is_set() and (due is None or loop.time() < due):
            silent = bell.silent() & looked
            rest = None if due is None else due - loop.time()
            await self._stirred(min(POLL, rest or POLL) if silent else rest)
            if silent:
                break
        if due is not None and loop.time() >= due:
            self._doubt_looked_at()
        for session in bell.silent() & looked:
            self._reader.doubt(session)

    async def _stirred(self, seconds: float | None) -> None:
        await _within(self._stir, seconds)

    def _note(self, inventory: Inventory) -> None:
        """Which pane had the focus in each tab, our sidebars left out."""
        windows = inventory.windows
        active = {
            id: pane.id for id, window in windows.items() if (pane := window.active_pane) and not pane.mark
        }
        self._left = {id: pane for id, pane in self._left.items() if id in windows} | active

    async def _keep(self) -> float | None:
        """When (the loop's time) sidebars are to be looked after again, whatever rings."""
        try:
            return await self._keeper.act()
        except (MuxError, Refused) as error:
            log.warning("sidebars were not kept: %s", error)
            return asyncio.get_running_loop().time() + FIRST_REST

    def refresh(self) -> None:
        """See `Provider.refresh`. Only sessions that somebody looks at are asked again: of the others their files
        tell."""
        self._reader.must_list = True
        self._doubt_looked_at()
        self._ask()

    def _doubt_looked_at(self) -> None:
        last = self._reader.last
        for client in last.viewers() if last else ():
            self._reader.doubt(client.session)

    async def look(self) -> Inventory:
        """See `Provider.look`."""
        self._reader.doubt("")
        try:
            return (await self._reader.read()).inventory
        except Refused as error:
            raise MuxError(str(error)) from error
        finally:
            self._ask()

    async def probe(self, timeout: float) -> bool:
        """See `Provider.probe`."""
        try:
            async with asyncio.timeout(timeout):
                return (await self._zellij.run("list-sessions", "--short", within=timeout)).ok
        except (MuxError, TimeoutError):
            return False

    async def sweep(self) -> None:
        """See `Provider.sweep`. zellij has no hooks that somebody could have wiped; files whose change was not told are
        compared, and sessions that write none are asked."""
        if self._bell is not None:
            self._bell.check()
            for session in self._bell.silent():
                self._reader.doubt(session)
        self._ask()

    async def way_in(self, session: str, pane: str = "", *, sidebar: bool = False, said: str = "") -> WayIn:
        """See `Provider.way_in`. zellij leads nobody to a pane who comes: where nobody is, the pane gets the focus
        before; somebody who is there would be moved by that."""
        inventory = await self._fresh(session)
        switch = SwitchClient("", session, pane, keep_sidebar=sidebar)
        there = commands.destination(switch, inventory, self._context.owner)
        if there and all(client.session != session for client in inventory.clients):
            await crossing.lead(self._zellij, session, commands.focus(there))
        found = next(filter(None, map(binary.of_process, inventory.servers)), "")
        return crossing.way_in(found or self._zellij.binary, self.socket, session, said)

    async def client_of(self, process: int) -> str:
        """See `Provider.client_of`."""
        self._reader.doubt("")
        return crossing.client_of(process, self.socket, (await self._reader.read()).inventory)

    async def screens(self, panes: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See `Provider.screens`. A process for each: zellij prints one at a time."""
        last = self._reader.last
        asked = [pane for pane in panes if last is None or last.pane(pane) is not None]
        shown = await asyncio.gather(*(self._screen(pane) for pane in asked))
        return {pane: lines for pane, lines in zip(asked, shown, strict=True) if lines is not None}

    async def _screen(self, pane: str) -> tuple[str, ...] | None:
        session, name = split(pane)
        try:
            said = await self._zellij.told(session, "dump-screen", "--pane-id", name)
        except Refused:
            return None
        return commands.lines(said) if said else None

    # --- commands -------------------------------------------------------------------------------------------

    async def do(self, command: Command) -> str:
        """See `Provider.do`."""
        match command:
            case ShowMessage() | Announce():
                raise refuse("messages")
            case EvenHorizontal():
                raise refuse("even-horizontal")
            case HandOver():
                raise refuse("crossing")
            case DesktopNotice():
                return ""
            case SwitchClient():
                return await self._switch(command)
            case FocusSidebar():
                await self._focus_sidebar(command)
            case LeaveSidebar():
                await self._leave_sidebar(command)
            case CreateSession():
                name = await self._sessions.create(command)
                self._changed(name)
                return name
            case RenameSession():
                name = await self._sessions.rename(command)
                self._changed(name)
                return name
            case KillSession():
                await self._kill(command)
            case KillPane():
                await self._act(command.pane, commands.close(command.pane))
            case TypeLine():
                await self._type(command)
            case ChooseFolder():
                raise Refused("zellij has no popups: run `opensessions session new` in a pane.")
            case PressKey():
                await self._press(command)
            case ReadScreen():
                session, name = split(command.pane)
                commands.pane(await self._fresh(session), command.pane)
                return await self._zellij.told(session, "dump-screen", "--ansi", "--pane-id", name)
            case _:
                assert_never(command)
        return ""

    def _changed(self, *sessions: str) -> None:
        """Read these again: what we did ourselves is not waited for."""
        for session in sessions:
            self._reader.doubt(session)
        self._ask()

    async def _act(self, pane: str, *acts: commands.Words) -> None:
        """Do something in a pane's session, if the pane is there."""
        commands.pane(await self._fresh(split(pane)[0]), pane)
        for words in acts:
            await self._zellij.action(split(pane)[0], *words)
        self._changed(split(pane)[0])

    async def _fresh(self, *sessions: str) -> Inventory:
        """A reading in which these sessions were asked anew."""
        for session in sessions:
            self._reader.doubt(session)
        return (await self._reader.read()).inventory

    async def _switch(self, command: SwitchClient) -> str:
        inventory = await self._fresh(split(command.client)[0], command.session)
        client = commands.client(inventory, command.client)
        pane = commands.destination(command, inventory, self._context.owner)
        if client.session != command.session:
            if command.keep_sidebar and not (pane or command.pane):
                pane = await self._sidebar_there(inventory, command.session)
            name = await self._sessions.move(client, command.session, pane)
            self._changed(client.session, command.session)
            return name
        if pane:
            await self._zellij.action(client.session, *commands.focus(pane))
        self._changed(client.session, command.session)
        return ""

    async def _sidebar_there(self, inventory: Inventory, session: str) -> str:
        """Open a sidebar where a client is about to come, if one is wished there: zellij gives it the focus only while
        it moves the client. "" where there is none."""
        window = inventory.windows.get(commands.session(inventory, session).current_window)
        if not self._keeper.wish.visible or window is None or window.zoomed:
            return ""
        try:
            return await self._keeper.spawn(window)
        except Refused as error:
            log.info("%s", error)
            return ""

    async def _focus_sidebar(self, command: FocusSidebar) -> None:
        inventory = await self._fresh(split(command.client)[0])
        self._note(inventory)
        window = commands.shown_window(inventory, command.client)
        sidebar = commands.sidebar_of(window, self._context.owner)
        pane = sidebar.id if sidebar else await self._keeper.spawn(window)
        await self._zellij.action(split(pane)[0], *commands.focus(pane))
        self._changed(split(pane)[0])

    async def _leave_sidebar(self, command: LeaveSidebar) -> None:
        inventory = await self._fresh(split(command.pane)[0])
        window = inventory.windows[commands.pane(inventory, command.pane).window]
        others = [pane.id for pane in window.panes if pane.mark != self._context.owner]
        if not others:
            raise Refused("There is no other pane in this tab.")
        last = self._left.get(window.id, "")
        await self._zellij.action(
            split(command.pane)[0], *commands.focus(last if last in others else others[0])
        )
        self._changed(split(command.pane)[0])

    async def _kill(self, command: KillSession) -> None:
        inventory = await self._fresh(command.session)
        commands.session(inventory, command.session)
        if command.refuge:
            refuge = commands.session(inventory, command.refuge)
            for client in inventory.viewers():
                if client.session == command.session:
                    await self._sessions.move(client, refuge.id, "")
        await self._sessions.kill(command.session)
        self._changed(*filter(None, [command.refuge]))

    async def _type(self, command: TypeLine) -> None:
        await self._alive(command.pane)
        await self._act(command.pane, *commands.typing(command.pane, command.text))

    async def _press(self, command: PressKey) -> None:
        await self._alive(command.pane)
        await self._act(command.pane, commands.press(command))

    async def _alive(self, pane: str) -> None:
        if commands.pane(await self._fresh(split(pane)[0]), pane).dead:
            raise Refused(f"Nothing was typed into {pane}: its program has ended.")

    # --- what zellij has no place for -----------------------------------------------------------------------

    async def publish(self, publication: Publication) -> None:
        """See `Provider.publish`. Nothing: the gap `publication` says so."""

    async def withdraw(self, close_sidebars: bool = True) -> None:
        """See `Provider.withdraw`."""
        if close_sidebars:
            self._reader.doubt("")
            with suppress(Refused):
                await self._reader.read()
                await self._keeper.close_all()
        self._zellij.views.close()

    # --- sidebars -------------------------------------------------------------------------------------------

    async def sidebars(self, wish: SidebarWish) -> None:
        """See `Provider.sidebars`. What is to be done for it is done after the reading that this asks for."""
        self._keeper.wish = wish
        self.refresh()

    async def adopt_width(self, pane: str) -> int | None:
        """See `Provider.adopt_width`. zellij tells nobody that a border was dragged: None."""
        return None


async def _within(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
