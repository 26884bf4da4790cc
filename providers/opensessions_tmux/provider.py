"""One tmux server as the core sees it: readings out; commands, options and sidebars in."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import assert_never

from msgspec.structs import replace

from opensessions.errors import MuxError, MuxTimeout, Refused
from opensessions.events import Event, InventoryRead, MuxLeft, Unreachable
from opensessions.model import Inventory
from opensessions.paths import tmux_key
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
from opensessions_tmux import commands, crossing, even, hooks, notices, placement
from opensessions_tmux.binary import of_server
from opensessions_tmux.doorbell import Doorbell, Gone, Tick, Trouble
from opensessions_tmux.keeper import Keeper
from opensessions_tmux.options import DRAGGING
from opensessions_tmux.publish import Values, changes, leftover_commands, leftovers
from opensessions_tmux.quote import Words
from opensessions_tmux.reading import Reading
from opensessions_tmux.transport import TIMEOUT, Reply, Tmux

log = logging.getLogger(__name__)

PASSES = 3
"""Readings for closing all sidebars (what a lone one needs is seen only after the one before has gone), and for
finding the one in a window that changes meanwhile."""


class TmuxProvider:
    """See `opensessions.provider.Provider`. Opening it starts nothing: `events` does."""

    kind = "tmux"
    gaps: tuple[Gap, ...] = ()

    def __init__(self, target: str, binary: str, context: Context) -> None:
        self.socket = target
        self.key = tmux_key(target)
        self._context = context
        binary = binary or of_server(0)
        tmux = Tmux(binary, target)
        self._bell = Doorbell(tmux)
        self._tmux = _Watched(tmux, self._bell)
        given = (f"runtime={context.runtime}", f"socket={target}", f"python={context.python}")
        run = (context.interpreter, "-I", "-S")
        sidebar = (*run, f"{context.scripts}/sidebar.py", *given)
        self._keeper = Keeper(self._tmux, context.owner, sidebar, self._bell.ring)
        self._hooks = hooks.wanted((*run, f"{context.scripts}/start.py", *given, f"tmux={tmux.binary}"))
        self._generation = (0, 0)
        self._published: Values | None = None
        """None: not known; what an earlier server left is looked for first."""
        self._publishing = asyncio.Lock()

    # --- readings -------------------------------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[Event, None]:
        """See `Provider.events`. Sidebars are kept in the same task, between two readings."""
        async with aclosing(self._bell.events()) as heard:
            async for thing in heard:
                if isinstance(thing, Gone):
                    yield MuxLeft(self.key)
                elif isinstance(thing, Trouble):
                    yield Unreachable(self.key, thing.reason)
                elif isinstance(thing, Tick):
                    await self._keep()
                else:
                    self._keeper.see(thing)
                    yield InventoryRead(self.key, thing.inventory)
                    await self._begin(thing)
                    await self._keep()

    async def _begin(self, reading: Reading) -> None:
        """At the first reading of a tmux server: install the hooks, then read again what happened meanwhile."""
        generation = (reading.inventory.server_pid, reading.inventory.server_started)
        if generation == self._generation:
            return
        try:
            listing = await self._shown_hooks()
            left_out = hooks.unknown(listing, self._hooks)
            if left_out:
                log.info("%s: this tmux has no hooks %s", self.socket, ", ".join(sorted(left_out)))
            await self._install(hooks.install(listing, self._hooks))
        except MuxError as error:
            log.warning("%s: the hooks were not installed: %s", self.socket, error)
            self._bell.alarm()
            return
        if self._generation != (0, 0):
            self._keeper.forget()
            self._published = None
        self._generation = generation
        self._bell.ring()

    async def _keep(self) -> None:
        try:
            self._bell.due(await self._keeper.act())
        except MuxError as error:
            log.warning("%s: sidebars were not kept: %s", self.socket, error)
            self._bell.alarm()

    def refresh(self) -> None:
        """See `Provider.refresh`."""
        self._bell.ring()

    async def look(self) -> Inventory:
        """See `Provider.look`. A tmux without any session is read by other commands, which list no panes: a session
        that is created in that moment would seem to have none."""
        inventory = (await self._bell.read()).inventory
        if any(not session.links for session in inventory.sessions):
            raise MuxError("tmux's answer is incomplete: it names a session without windows.")
        return inventory

    async def probe(self, timeout: float) -> bool:
        """See `Provider.probe`."""
        try:
            return (await self._tmux.run([("display-message", "-p", "")], timeout)).ok
        except MuxError:
            return False

    async def sweep(self) -> None:
        """See `Provider.sweep`. MuxError where tmux does not answer; `events` tells it too."""
        listing = await self._shown_hooks()
        missing = hooks.missing(listing, self._hooks)
        if missing:
            log.info("%s: putting back the hooks %s", self.socket, ", ".join(sorted(missing)))
            await self._install(hooks.install(listing, missing))
        self._bell.ring()

    async def _shown_hooks(self) -> str:
        reply = await self._tmux.run(hooks.SHOW)
        if not reply.ok:
            raise MuxError(f"tmux does not list its hooks: {reply.err}.")
        return reply.out.decode("utf-8", "replace")

    async def _install(self, commands: Sequence[Words]) -> None:
        """All in one call; where tmux refuses one of them, one by one, so that it alone is left out."""
        if (await self._tmux.run(commands)).ok:
            return
        for words in commands:
            reply = await self._tmux.run([words])
            if not reply.ok:
                log.warning("%s: a hook was not installed: %s", self.socket, reply.err)

    async def way_in(self, session: str, pane: str = "", *, sidebar: bool = False, said: str = "") -> WayIn:
        """See `Provider.way_in`."""
        inventory = (await self._bell.read()).inventory
        found = inventory.session(session)
        if found is None:
            raise Refused(f"There is no session {session} any more.")
        target = commands.destination(SwitchClient("", session, pane), inventory)
        if sidebar and not pane:
            target = await self._with_sidebar(session)
        tmux = of_server(inventory.server_pid) or self._tmux.binary
        return crossing.way_in(tmux, self.socket, self.key, found, target, said)

    async def client_of(self, process: int) -> str:
        """See `Provider.client_of`."""
        viewers = (await self._bell.read()).inventory.viewers()
        return next((client.name for client in viewers if client.pid == process), "")

    async def screens(self, panes: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See `Provider.screens`."""
        if not panes:
            return {}
        nonce = os.urandom(6).hex()
        reply = await self._tmux.run(commands.screens(panes, nonce), each=True)
        return commands.shown_screens(reply.out.decode("utf-8", "replace"), nonce)

    async def _ask(self, words: Iterable[Words]) -> str:
        """Run commands; what they printed. Refused with tmux's words where one fails."""
        reply = await self._tmux.run(words)
        if not reply.ok:
            raise Refused(f"tmux says: {reply.err or 'no, without a reason'}.")
        return reply.out.decode("utf-8", "replace")

    # --- commands -------------------------------------------------------------------------------------------

    async def do(self, command: Command) -> str:
        """See `Provider.do`."""
        match command:
            case SwitchClient():
                await self._switch(command)
            case FocusSidebar():
                await self._focus_sidebar(command)
            case EvenHorizontal():
                await self._even(command)
            case LeaveSidebar():
                await self._leave_sidebar(command)
            case ShowMessage():
                await self._ask([commands.message(command)])
            case Announce():
                await self._tmux.run(notices.announce(command), each=True)
            case DesktopNotice():
                return notices.escape_sequence(command, await self._ask([notices.terminal(command)]))
            case CreateSession():
                return await self._changed([commands.create(command)])
            case RenameSession():
                return await self._changed(commands.rename(command))
            case KillSession():
                await self._kill(command)
            case KillPane():
                await self._changed([commands.kill_pane(command)])
            case TypeLine():
                await self._type(command)
            case PressKey():
                await self._press(command)
            case ReadScreen():
                return await self._read_screen(command)
            case HandOver():
                words = crossing.hand_over(command, (await self._bell.read()).inventory)
                await self._changed([words])
            case ChooseFolder():
                await self._choose_folder(command)
            case _:
                assert_never(command)
        return ""

    async def _changed(self, words: Iterable[Words]) -> str:
        """Run commands and read again, even where a user's hook hides ours."""
        answer = await self._ask(words)
        self._bell.ring()
        return answer.removesuffix("\n")

    async def _switch(self, command: SwitchClient) -> None:
        self._refuse_control(command.client)
        if command.pane:
            reading = await self._bell.read()
            target = commands.destination(command, reading.inventory)
        elif command.keep_sidebar:
            target = await self._with_sidebar(command.session)
        else:
            target = command.session
        await self._changed([commands.switch(command.client, target)])

    def _refuse_control(self, client: str) -> None:
        reading = self._keeper.reading
        known = reading.inventory.clients if reading else ()
        if any(one.control and one.name == client for one in known):
            raise Refused(f"{client} is a control-mode client: it has no screen to show a session on.")

    async def _with_sidebar(self, session: str) -> str:
        """The target of a switch that leads to the session's sidebar; it is started where a viewer would make it
        start. A zoomed pane is left alone."""
        for _ in range(PASSES):
            inventory = (await self._bell.read()).inventory
            found = inventory.session(session)
            window = inventory.windows.get(found.current_window) if found else None
            if window is None or window.zoomed:
                return session
            sidebar = commands.sidebar_of(window, self._context.owner)
            if sidebar:
                return f"{session}:{window.id}.{sidebar.id}"
            if not self._keeper.wish.visible or not placement.fits(window, self._keeper.wish):
                return session
            try:
                pane = await self._keeper.spawn(window)
            except Refused as error:
                log.info("%s", error)
                return session
            if pane:
                return f"{session}:{window.id}.{pane}"
        return session

    async def _focus_sidebar(self, command: FocusSidebar) -> None:
        for _ in range(PASSES):
            reading = await self._bell.read()
            window = commands.shown_window(reading.inventory, command.client)
            sidebar = commands.sidebar_of(window, self._context.owner)
            pane = sidebar.id if sidebar else await self._keeper.spawn(window)
            if pane:
                await self._changed([("select-pane", "-t", pane)])
                return
        raise Refused("The sidebar could not be opened: the window changes all the time.")

    async def _even(self, command: EvenHorizontal) -> None:
        for _ in range(PASSES):
            reading = await self._bell.read()
            window = commands.shown_window(reading.inventory, command.client)
            sidebar = commands.sidebar_of(window, self._context.owner)
            if not await self._changed([even.spread(window, sidebar.id if sidebar else "")]):
                return
        raise Refused("The panes could not be arranged: the window changes all the time.")

    async def _leave_sidebar(self, command: LeaveSidebar) -> None:
        reply = await self._tmux.run([("last-pane", "-t", command.pane)])
        if reply.ok:
            return
        inventory = (await self._bell.read()).inventory
        pane = inventory.pane(command.pane)
        panes = inventory.windows[pane.window].panes if pane else ()
        other = next((one for one in panes if one.mark != self._context.owner), None)
        if other is None:
            raise Refused("There is no other pane in this window.")
        await self._ask([("select-pane", "-t", other.id)])

    async def _kill(self, command: KillSession) -> None:
        for words in commands.evacuation(command, (await self._bell.read()).inventory):
            reply = await self._tmux.run([words])
            if not reply.ok and "can't find client" not in reply.err:
                raise Refused(f"The session was not killed, since its clients cannot leave it: {reply.err}.")
        await self._changed([commands.kill(command)])

    async def _type(self, command: TypeLine) -> None:
        _check_pane(command.pane)
        reason = (await self._ask(commands.typing(command))).strip()
        if reason:
            raise Refused(f"Nothing was typed into {command.pane}: {reason}.")
        await self._ask(commands.type_line(command))

    async def _press(self, command: PressKey) -> None:
        _check_pane(command.pane)
        reason = (await self._ask([commands.press(command)])).strip()
        if reason:
            raise Refused(f"No key was pressed in {command.pane}: {reason}.")

    async def _read_screen(self, command: ReadScreen) -> str:
        _check_pane(command.pane)
        return await self._ask([("capture-pane", "-p", "-e", "-t", command.pane)])

    async def _choose_folder(self, command: ChooseFolder) -> None:
        inventory = (await self._bell.read()).inventory
        client = next((one for one in inventory.viewers() if one.name == command.client), None)
        if client is None:
            raise Refused(f"No client {command.client} with a terminal is attached.")
        window = commands.shown_window(inventory, client.name)
        folder = next((pane.path for pane in window.panes if not pane.mark and pane.path), "/")
        await self._ask([commands.choose_folder(client, folder, self._context.python)])

    # --- options --------------------------------------------------------------------------------------------

    async def publish(self, publication: Publication) -> None:
        """See `Provider.publish`."""
        async with self._publishing:
            old = self._published
            if old is None:
                old = await self._leftovers()
            self._published = None
            reply = await self._tmux.run(changes(old, publication.values))
            if not reply.ok:
                raise MuxError(f"tmux did not take our options: {reply.err}.")
            self._published = dict(publication.values)

    async def _leftovers(self) -> Values:
        """What an earlier server published. Without a session tmux lists the global options only."""
        reply = await self._tmux.run(leftover_commands())
        return leftovers(reply.out.decode("utf-8", "replace"))

    async def withdraw(self, close_sidebars: bool = True) -> None:
        """See `Provider.withdraw`."""
        async with self._publishing:
            self._published = None
            gone = changes(await self._leftovers(), {})
            await self._tmux.run([*gone, ("set-option", "-gqu", DRAGGING)], each=True)
        if close_sidebars:
            await self._close_sidebars()

    async def _close_sidebars(self) -> None:
        self._keeper.wish = replace(self._keeper.wish, visible=False)
        for _ in range(PASSES):
            reading = await self._bell.read()
            windows = reading.inventory.windows.values()
            if all(pane.mark != self._context.owner for window in windows for pane in window.panes):
                return
            self._keeper.see(reading)
            await self._keeper.act()

    # --- sidebars -------------------------------------------------------------------------------------------

    async def sidebars(self, wish: SidebarWish) -> None:
        """See `Provider.sidebars`. Where tmux does not answer now, it is done when it does."""
        self._keeper.wish = wish
        await self._keep()

    async def adopt_width(self, pane: str) -> int | None:
        """See `Provider.adopt_width`. Ends the truce that a drag of a border makes."""
        width = await self._keeper.adopt(pane)
        self._bell.ring()
        return width


def _check_pane(pane: str) -> None:
    """Refused where it is no pane's id: it stands in commands as it is."""
    if not pane.startswith("%") or not pane[1:].isdecimal():
        raise Refused(f"{pane!a} is no pane.")


class _Watched:
    """A transport whose silence the doorbell is told of."""

    def __init__(self, tmux: Tmux, bell: Doorbell) -> None:
        self._tmux = tmux
        self._bell = bell
        self.binary = tmux.binary

    async def run(
        self, commands: Iterable[Words], within: float | None = TIMEOUT, *, each: bool = False
    ) -> Reply:
        """See `Transport.run`."""
        try:
            return await self._tmux.run(commands, within, each=each)
        except MuxTimeout:
            self._bell.alarm()
            raise
