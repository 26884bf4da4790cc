"""Making, renaming, leaving and ending sessions, with what zellij's own commands leave out."""

from __future__ import annotations

import asyncio
import os

from opensessions.errors import MuxError, Refused
from opensessions.model import Client
from opensessions.provider import CreateSession, RenameSession
from opensessions_zellij import commands, reading
from opensessions_zellij.reader import Reader
from opensessions_zellij.transport import Zellij

CREATION = 10.0
"""Seconds that a new session gets: its server loads its plugins."""
DEPARTURE = 0.5
"""Seconds for a client to leave its session."""
ARRIVAL = 2.0
"""Seconds for a client to attach to the other session."""
COMING = 0.1
"""Seconds between two looks whether it has."""
ENDING = 3.0
"""Seconds that a killed session gets to go."""
STEP = 0.05


class Sessions:
    """For one zellij."""

    def __init__(self, zellij: Zellij, reader: Reader) -> None:
        self._zellij = zellij
        self._reader = reader

    async def create(self, command: CreateSession) -> str:
        """Make a session in the background; its id. Refused where there is one of that name, living or dead."""
        living, dead = await self._names()
        name = command.name or next(
            name for number in range(1, 1000) if (name := f"session-{number}") not in living | dead
        )
        commands.check_name(name, self._zellij.folder, living, dead)
        folder = _folder(command.directory)
        reply = await self._zellij.create(name, folder, CREATION)
        if not reply.ok or name not in (await self._names())[0]:
            raise Refused(
                f"zellij did not make the session: {reply.err or reply.out or 'it gave no reason'}."
            )
        return name

    async def rename(self, command: RenameSession) -> str:
        """Rename a session; its new name. Refused where another one has that name, living or dead."""
        if command.name == command.session:
            return command.name
        living, dead = await self._names()
        commands.check_name(command.name, self._zellij.folder, living, dead)
        await self._zellij.action(command.session, "rename-session", "--", command.name)
        if command.name not in (await self._names())[0]:
            raise Refused(f"zellij did not rename the session {command.session!r}.")
        return command.name

    async def move(self, client: Client, session: str, pane: str) -> str:
        """Bring a client to another session; the name that it has there, "" where it does not come within ARRIVAL
        seconds. Refused where it stays: zellij moves who typed last."""
        last = self._reader.last
        before = {one.name for one in last.clients} if last else set()
        loop = asyncio.get_running_loop()
        await self._zellij.action(client.session, *commands.switch(session, pane))
        deadline = loop.time() + DEPARTURE
        while client.name in await self._clients(client.session):
            if loop.time() > deadline:
                raise Refused(
                    f"zellij did not bring the client of {client.session!r} to {session!r}: it moves the one that"
                    " typed last. Press any key in it, and try again."
                )
            await asyncio.sleep(STEP)
        deadline, come = loop.time() + ARRIVAL, ""
        while not come and loop.time() < deadline:
            # zellij takes every connection out twice, by its number: a client that comes while a call ends, and gets
            # the call's number, is thrown out (0.45.1). So there is time to come before anything is asked there.
            await asyncio.sleep(COMING)
            come = next((one for one in await self._clients(session) if one not in before), "")
        self._reader.doubt(client.session)
        self._reader.doubt(session)
        await self._reader.read()
        return come

    async def _clients(self, session: str) -> list[str]:
        """The names of a session's clients, those that came last first; none where it is gone. No other session is
        asked."""
        try:
            found = reading.looking(await self._zellij.told(session, "list-clients"))
        except Refused:
            return []
        return [reading.client_id(session, number) for number in sorted(found, reverse=True)]

    async def kill(self, session: str) -> None:
        """End a session and what would bring it back. MuxError where it is still there after ENDING seconds."""
        deadline = asyncio.get_running_loop().time() + ENDING
        while True:
            # It kills too, and says "not found" where there was nothing to bring back yet. The session may write what
            # brings it back once more while it ends.
            await self._zellij.run("delete-session", "--force", session)
            living, dead = await self._names()
            if session not in living | dead:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise MuxError(f"The zellij session {session!r} does not end.")
            await asyncio.sleep(STEP)

    async def _names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names of living and of dead sessions."""
        return reading.living_and_dead(await self._zellij.listing())


def _folder(wished: str) -> str:
    """The folder that a session begins in, the home folder by default. Refused where it is none."""
    folder = wished or os.path.expanduser("~")
    if not os.path.isdir(folder):
        raise Refused(f"{folder} is no folder: no session was made.")
    return folder
