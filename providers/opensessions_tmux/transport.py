"""The way to a tmux server: commands in, what they printed out. One process per call.

Everything else in this package speaks to the `Transport` protocol, so that another way (control mode) can take
the place of processes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from opensessions.errors import MuxError, MuxTimeout
from opensessions_tmux.quote import Words, batches

TIMEOUT = 2.0
"""Seconds after which a call has failed: a stopped tmux server lets its clients hang."""
REAP = 2.0
"""Seconds that a killed client gets to leave the process table."""


class Reply(Struct, frozen=True):
    """What one call brought. `ok` is false as soon as one command failed; `err` is tmux's own words."""

    ok: bool
    out: bytes
    err: str


class Transport(Protocol):
    """A connection to one tmux server."""

    async def run(
        self, commands: Iterable[Words], within: float | None = TIMEOUT, *, each: bool = False
    ) -> Reply:
        """Run the commands in order, in one call if they fit in one, else in as few as possible.

        The first command that fails ends its call, and those that would follow unless `each` is true.
        `within`: seconds for each call, None waits for ever. MuxTimeout if tmux does not answer in time, MuxError
        if it cannot be asked.
        """
        ...


class Tmux:
    """A process per call: `tmux -u -S socket …`. Never starts a tmux server."""

    def __init__(self, binary: str, socket: str) -> None:
        self.socket = socket
        self.binary = binary or shutil.which("tmux") or "tmux"

    async def run(
        self, commands: Iterable[Words], within: float | None = TIMEOUT, *, each: bool = False
    ) -> Reply:
        """See `Transport.run`. When cancelled, the process is killed and reaped first."""
        out, err, ok = [], [], True
        for call in batches(commands):
            reply = await self._call(call, within)
            out.append(reply.out)
            err.append(reply.err)
            ok = ok and reply.ok
            if not ok and not each:
                break
        return Reply(ok, b"".join(out), "\n".join(filter(None, err)))

    async def _call(self, words: Sequence[bytes], within: float | None) -> Reply:
        loop = asyncio.get_running_loop()
        try:
            process, output = await loop.subprocess_exec(
                lambda: _Output(loop),
                self.binary, "-u", "-N", "-S", os.fsencode(self.socket), *words,
                stdin=asyncio.subprocess.DEVNULL,
                env=_environment(),
            )  # fmt: skip
        except OSError as error:
            raise MuxError(f"{self.binary} cannot be started: {error.strerror}.") from error
        try:
            async with asyncio.timeout(within):
                await output.ended.wait()
        except TimeoutError:
            raise MuxTimeout(
                f"The tmux server at {self.socket} did not answer within {within:g} s: it is stopped or very busy."
            ) from None
        finally:
            # A stopped server holds copies of our pipes, so their end is not waited for: only the process's.
            process.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(REAP):
                    await output.exited.wait()
        return Reply(
            process.get_returncode() == 0, bytes(output.out), output.err.decode("utf-8", "replace").strip()
        )


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


def _environment() -> dict[str, str]:
    """Without what would lead tmux to the server that the caller sits in."""
    return {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}
