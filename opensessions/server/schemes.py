"""Dark or light, as the desktop says it: pushed by the freedesktop portal, asked of macOS when somebody arrives.

Only while the system is followed. The portal is heard through one child, `gdbus monitor` (or `busctl`), which is ended
with the server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from opensessions.sidebar.reports import Scheme

log = logging.getLogger(__name__)

NAME, OBJECT = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SETTINGS = "org.freedesktop.portal.Settings"
WANTED = ("org.freedesktop.appearance", "color-scheme")
CHANGE = re.compile(
    rb"org\.freedesktop\.appearance['\"], ?['\"]color-scheme['\"], ?"
    rb"(?:<(?:uint32 )?([0-9]+)>|\{\"type\":\"u\",\"data\":([0-9]+)\})"
)
"""SettingChanged as `gdbus monitor` and as `busctl --json` print it."""
VALUE = re.compile(rb"<uint32 ([0-9]+)>|\"type\":\"u\",\"data\":([0-9]+)")

ANSWER = 5.0
"""Seconds that a program has to say what it is asked."""
FAREWELL = 1.0
PAUSES = (1.0, 5.0, 30.0, 120.0)
"""Seconds before the portal's child is started again; after the last one it is left."""
STEADY = 60.0
"""Seconds after which a child that ends counts as the first that did."""
LINE = 1 << 16
"""Bytes of a line, at most; settings with longer ones are not ours."""


class Bus(Struct, frozen=True):
    """How a program for D-Bus is called."""

    listen: tuple[str, ...]
    ask: tuple[str, ...]


def session_bus() -> Bus | None:
    """The program that this machine has for it; None where there is no session bus, or no program."""
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if not address:
        return None
    if path := shutil.which("gdbus"):
        place = ("--dest", NAME, "--object-path", OBJECT)
        method = ("--timeout", f"{ANSWER:.0f}", "--method", f"{SETTINGS}.Read")
        return Bus(
            (path, "monitor", "--session", *place), (path, "call", "--session", *place, *method, *WANTED)
        )
    if path := shutil.which("busctl"):
        base = (path, f"--address={address}", "--json=short")
        match = f"type='signal',path='{OBJECT}',interface='{SETTINGS}',member='SettingChanged'"
        ask = ("call", NAME, OBJECT, SETTINGS, "Read", "ss", *WANTED)
        return Bus((*base, f"--match={match}", "monitor"), (*base, *ask))
    return None


def scheme_of(found: re.Match[bytes] | None) -> Scheme | None:
    """1 is dark, 2 is light; 0, no preference, is what desktops say whose only other style is dark."""
    if found is None:
        return None
    return {b"0": "light", b"1": "dark", b"2": "light"}.get(found[1] or found[2])  # type: ignore[return-value]


class Portal:
    """Tells `told` what the portal says, at first and on every change."""

    def __init__(self, told: Callable[[Scheme], None]) -> None:
        self._told = told

    async def run(self) -> None:
        """Until cancelled, or until the child has ended too often. Nothing where there is no session bus."""
        bus = session_bus()
        if bus is None:
            return
        loop = asyncio.get_running_loop()
        failures = 0
        while failures <= len(PAUSES):
            started = loop.time()
            await self._listen(bus)
            failures = 1 if loop.time() - started > STEADY else failures + 1
            if failures <= len(PAUSES):
                await asyncio.sleep(PAUSES[failures - 1])
        log.warning("%s ends again and again; the desktop is not followed any longer", bus.listen[0])

    async def _listen(self, bus: Bus) -> None:
        child = await start(with_us(bus.listen), asyncio.subprocess.STDOUT)
        if child is None or child.stdout is None:
            return
        try:
            asking = True
            while line := await child.stdout.readline():
                scheme = scheme_of(CHANGE.search(line))
                if scheme:
                    self._told(scheme)
                elif asking:
                    # Both say first that they listen: what changes from now on is heard.
                    asking = False
                    await self._ask(bus)
        except ValueError:
            log.warning("%s printed a line of over %d bytes", bus.listen[0], LINE)
        finally:
            await end(child)

    async def _ask(self, bus: Bus) -> None:
        said = scheme_of(VALUE.search(await answer(bus.ask)))
        if said:
            self._told(said)


class Mac:
    """Asks macOS; there is no word of a change that a program without windows of its own could hear."""

    def __init__(self, told: Callable[[Scheme], None]) -> None:
        self._told = told
        self._asking = False

    def arrived(self, spawn: Callable[[Coroutine[Any, Any, None]], Any]) -> None:
        """Somebody begins to look: ask, if that is not being done. Nothing on other systems."""
        if sys.platform == "darwin" and not self._asking:
            spawn(self.ask())

    async def ask(self) -> None:
        """Ask now; only once at a time."""
        if self._asking:
            return
        self._asking = True
        try:
            said = await answer(("defaults", "read", "-g", "AppleInterfaceStyle"))
            self._told("dark" if said.strip() == b"Dark" else "light")
        finally:
            self._asking = False


# --- children --------------------------------------------------------------------------------------------------


def with_us(argv: Sequence[str]) -> Sequence[str]:
    """So that the program ends with the server even if that is killed; where the system can do that."""
    path = shutil.which("setpriv") if sys.platform == "linux" else None
    return (path, "--pdeathsig", "TERM", "--", *argv) if path else argv


async def start(argv: Sequence[str], errors: int) -> asyncio.subprocess.Process | None:
    """The program with its output to be read, in a session of its own; None, and a line in the log, where it cannot be
    started. `errors`: where what it says on standard error goes."""
    nothing = asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(
            *argv, stdin=nothing, stdout=asyncio.subprocess.PIPE, stderr=errors, start_new_session=True, limit=LINE,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except OSError as error:
        log.warning("%s cannot be started: %s", argv[0], error)
        return None


async def end(child: asyncio.subprocess.Process) -> None:
    """End a child of ours, if it has not ended; none of these programs has children of its own."""
    for stop in (child.terminate, child.kill):
        with suppress(ProcessLookupError):
            stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await child.wait()
                while child.stdout and await child.stdout.read(LINE):
                    pass  # to the end of its output, where the pipe is closed
                return


async def answer(argv: Sequence[str]) -> bytes:
    """What the program prints, 64 KiB at most; b"" where it says nothing in time."""
    child = await start(argv, asyncio.subprocess.DEVNULL)
    if child is None or child.stdout is None:
        return b""
    try:
        async with asyncio.timeout(ANSWER + FAREWELL):
            return await child.stdout.read(LINE)
    except TimeoutError:
        return b""
    finally:
        await end(child)
