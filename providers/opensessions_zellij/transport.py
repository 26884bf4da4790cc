"""The way to zellij: one process of its command line per question, each with an end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct

from opensessions.errors import MuxError, MuxTimeout, Refused
from opensessions_zellij import reading
from opensessions_zellij.births import Births
from opensessions_zellij.places import session_socket
from opensessions_zellij.views import NAME, Views

TIMEOUT = 2.0
"""Seconds after which a call has failed. One session whose server is stopped holds up every call: zellij asks all of
them whether they live before it does anything (0.45.1)."""
REAP = 2.0
"""Seconds that a killed process gets to leave the process table."""
AT_ONCE = 4
"""Processes that run at the same time."""
NOT_FOUND = ("not found. The following sessions are active", "There is no active session")
NO_SESSIONS = "No active zellij sessions found"
TRIES = 4
"""Times that zellij is asked for a session that it says it does not have, though its socket is there: under load it
says so of one that lives, about once in a thousand calls (0.45.1). Nothing was done then."""
AGAIN = 0.05
"""Seconds between two such tries, at first; doubled each time."""


class Reply(Struct, frozen=True):
    """What one call brought; `err` is zellij's own words."""

    ok: bool
    out: str
    err: str


class Zellij:
    """Runs `binary` for the sessions whose sockets are in `folder`."""

    def __init__(self, binary: str, folder: str, ours: str) -> None:
        """`ours`: a private folder for what is shown to zellij."""
        self.binary = binary or "zellij"
        self.folder = folder
        self.births = Births(folder)
        self.views = Views(ours, folder)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._creating = asyncio.Lock()

    async def action(self, session: str, *words: str, pane: str = "", within: float = TIMEOUT) -> str:
        """What `zellij action` printed. `pane`: the number of the terminal pane that it is to be taken for coming from.
        Refused with zellij's words where it says no, or the session is gone; MuxError where it does not answer."""
        path = session_socket(self.folder, session)
        for attempt in range(TRIES):
            socket = await self.births.grows(path)
            if socket is None or attempt == TRIES - 1:
                raise Refused(f"There is no zellij session {session!r} any more.")
            view, name = self.views.one(path, socket), NAME
            if not view:
                view, name = self.folder, session
                await self.births.over()
            reply = await self._call(("--session", name, "action", *words), view, pane=pane, within=within)
            if not any(words in reply.err for words in NOT_FOUND):  # with the exit status 0 (0.45.1)
                break
            await asyncio.sleep(AGAIN * 2**attempt)
        if not reply.ok:
            raise Refused(f"zellij says: {(reply.err or reply.out).rstrip('. ') or 'no, without a reason'}.")
        return reply.out

    async def told(self, session: str, *words: str) -> str:
        """`action`, of one that always prints something. zellij takes every connection out twice, by a number that it
        uses again: a call that comes in between is thrown out, and prints nothing (0.45.1; of an empty screen it prints
        a line). It is asked again; "" where that does not help."""
        for attempt in range(TRIES):
            said = await self.action(session, *words)
            if said:
                return said
            await asyncio.sleep(AGAIN * 2**attempt)
        return ""

    async def listing(self) -> str:
        """What `list-sessions --no-formatting` prints of sessions that live or are dead. MuxError where zellij does not
        answer."""
        for attempt in range(TRIES):
            living = await self.births.living()
            reply = await self.run("list-sessions", "--no-formatting")
            if not reply.ok and NO_SESSIONS not in reply.err:
                reason = reply.err or reply.out or "it gave no reason"
                raise MuxError(f"zellij does not tell its sessions: {reason}.")
            if self.views.listed(living) <= reading.living_and_dead(reply.out)[0]:
                break
            await asyncio.sleep(AGAIN * 2**attempt)
        return reply.out

    def stands(self, session: str) -> bool:
        """Is the session's socket there, whether or not somebody listens?"""
        return os.path.lexists(session_socket(self.folder, session))

    async def create(self, session: str, folder: str, within: float) -> Reply:
        """Make a session in the background, in this folder."""
        async with self._creating:
            await self.births.over()
            words = ("attach", "--create-background", session)
            reply = await self._call(words, self.folder, folder=folder, within=within)
            await self.births.over()
            return reply

    async def run(self, *words: str, within: float = TIMEOUT) -> Reply:
        """One call about any sessions that live. MuxTimeout if zellij does not answer in time, MuxError if it cannot be
        started."""
        view = self.views.all(await self.births.living())
        if not view:
            await self.births.over()
        return await self._call(words, view or self.folder, within=within)

    async def _call(
        self, words: Sequence[str], view: str, *, pane: str = "", folder: str = "/", within: float = TIMEOUT
    ) -> Reply:
        async with self._slots:
            return await self._run(words, self._environment(view, pane), folder, within)

    async def _run(
        self, words: Sequence[str], environment: dict[str, str], folder: str, within: float
    ) -> Reply:
        loop = asyncio.get_running_loop()
        try:
            process, output = await loop.subprocess_exec(
                lambda: _Output(loop),
                self.binary, *words,
                stdin=asyncio.subprocess.DEVNULL, env=environment, cwd=folder,
                # A session that it starts must not end with us, nor get our terminal's signals.
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise MuxError(f"{self.binary} cannot be started: {error.strerror}.") from error
        except ValueError as error:
            raise Refused(f"zellij cannot be told that: {error}.") from error
        try:
            async with asyncio.timeout(within):
                # A server that it has started holds copies of the pipes: their end is not waited for.
                await output.exited.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await output.ended.wait()
        except TimeoutError:
            raise MuxTimeout(
                f"zellij did not answer within {within:g} s: one of its sessions is stopped or very busy."
            ) from None
        finally:
            process.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(REAP):
                    await output.exited.wait()
        return Reply(process.get_returncode() == 0, _text(output.out), _text(output.err).strip())

    def _environment(self, view: str, pane: str) -> dict[str, str]:
        """Without what would lead zellij to the session that the caller sits in. `view`: where it looks for sockets."""
        found = {
            name: value
            for name, value in os.environ.items()
            if name not in ("ZELLIJ", "ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID", "TMUX", "TMUX_PANE")
        }
        found["ZELLIJ_SOCKET_DIR"] = view
        if pane:
            found["ZELLIJ_PANE_ID"] = pane
        return found


class _Output(asyncio.SubprocessProtocol):
    """Collects what a process prints."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.exited = asyncio.Event()
        self.ended = asyncio.Event()
        """Exited, and everything that it printed was read."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        (self.out if fd == 1 else self.err).extend(data)

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "replace")
