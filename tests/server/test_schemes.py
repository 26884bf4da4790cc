"""Dark or light as the desktop says it: a real session bus with a portal of our own on it, and what listens to it."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from opensessions.processes.source import this_system
from opensessions.server import schemes
from opensessions.server.schemes import CHANGE, VALUE, Mac, Portal, answer, scheme_of, session_bus


async def until(what: Callable[[], object]) -> None:
    """Until it is true; the loop runs meanwhile."""
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.01)


PORTAL = Path(__file__).with_name("portal.py")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A session bus of our own, its address in the environment."""
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("there is no dbus-daemon here")
    config = tmp_path / "bus.conf"
    config.write_text(
        f"<busconfig><type>session</type><listen>unix:path={tmp_path}/bus</listen>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
        '<allow own="*"/></policy></busconfig>'
    )
    daemon = subprocess.Popen(
        [program, f"--config-file={config}", "--print-address", "--nofork", "--nopidfile"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert daemon.stdout
    with daemon:
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        try:
            yield address
        finally:
            daemon.kill()


class Desktop:
    """The stand-in for the portal."""

    def __init__(self, number: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PORTAL), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def say(self, number: int) -> None:
        assert self.process.stdin
        print(number, file=self.process.stdin, flush=True)

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture
def desktop(bus: str) -> Iterator[Callable[[int], Desktop]]:
    made: list[Desktop] = []

    def make(number: int) -> Desktop:
        made.append(Desktop(number))
        return made[-1]

    yield make
    for each in made:
        each.close()


def only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *programs: str) -> None:
    """A PATH with nothing but these programs."""
    folder = tmp_path / "path"
    folder.mkdir()
    for name in programs:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"there is no {name} here")
        (folder / name).symlink_to(path)
    monkeypatch.setenv("PATH", str(folder))


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def children() -> set[int]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return set(map(int, file.read().split()))


async def none_but(before: set[int]) -> None:
    """Wait until no other child is left, none that has ended and was not reaped either."""
    await until(lambda: not children() - before)


@pytest.mark.parametrize("programs", [("gdbus", "setpriv"), ("gdbus",), ("busctl", "setpriv"), ("busctl",)])
async def test_the_portal_is_asked_once_and_then_heard(
    programs: tuple[str, ...],
    desktop: Callable[[int], Desktop],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    portal = desktop(1)
    before = children()
    only(monkeypatch, tmp_path, *programs)
    said: list[str] = []
    task = asyncio.create_task(Portal(said.append).run())
    try:
        await until(lambda: said == ["dark"])
        await until(lambda: len(children() - before) == 1)
        for number, scheme in ((2, "light"), (1, "dark"), (0, "light")):
            portal.say(number)
            await until(lambda scheme=scheme: said[-1] == scheme)  # type: ignore[misc]
        assert said == ["dark", "light", "dark", "light"]
    finally:
        await stopped(task)
    await none_but(before)


async def test_a_portal_that_comes_later_is_heard(
    desktop: Callable[[int], Desktop], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path, "gdbus")
    asked: list[bytes] = []

    async def noted(argv: Sequence[str]) -> bytes:
        asked.append(await answer(argv))
        return asked[-1]

    monkeypatch.setattr(schemes, "answer", noted)
    said: list[str] = []
    task = asyncio.create_task(Portal(said.append).run())
    try:
        await until(lambda: asked)
        portal = desktop(2)
        # Only what is said after the listener has seen the name's owner reaches it.
        async with asyncio.timeout(20):
            while not said:
                portal.say(1)
                await asyncio.sleep(0.05)
        assert set(said) == {"dark"}
    finally:
        await stopped(task)


async def test_a_child_that_is_killed_is_started_again(
    desktop: Callable[[int], Desktop], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desktop(1)
    only(monkeypatch, tmp_path, "gdbus")
    monkeypatch.setattr(schemes, "PAUSES", (0.0, 60.0))
    before = children()
    said: list[str] = []
    task = asyncio.create_task(Portal(said.append).run())
    try:
        await until(lambda: said == ["dark"])
        await until(lambda: len(children() - before) == 1)
        (child,) = children() - before  # who was asked has gone before his answer was told
        os.kill(child, signal.SIGKILL)
        await until(lambda: said == ["dark", "dark"])
    finally:
        await stopped(task)
    await none_but(before)


def script(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


async def test_a_program_that_ends_at_once_is_left_alone_after_a_few_times(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script(tmp_path / "gdbus", f'echo "$1" >> {tmp_path}/calls\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setattr(schemes, "PAUSES", (0.0, 0.0, 0.0))
    async with asyncio.timeout(20):
        await Portal(lambda said: None).run()
    assert (tmp_path / "calls").read_text().split() == ["monitor"] * 4


async def test_nonsense_does_not_end_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(
        tmp_path / "gdbus",
        '[ "$1" = call ] && { echo "(<<uint32 7>>,)"; exit; }\n'
        "echo listening; printf '\\377\\0\\n'\n"
        "echo \"x: S ('org.freedesktop.appearance', 'color-scheme', <uint32 9>)\"\n"
        "echo \"x: S ('org.freedesktop.appearance', 'contrast', <uint32 1>)\"\n"
        "echo \"x: S ('org.freedesktop.appearance', 'color-scheme', <uint32 1>)\"\n"
        "head -c 200000 /dev/zero; exec sleep 60\n",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setattr(schemes, "PAUSES", ())
    said: list[str] = []
    before = children()
    async with asyncio.timeout(20):
        await Portal(said.append).run()
    assert said == ["dark"]
    await none_but(before)


async def test_without_a_session_bus_or_a_program_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert session_bus() is None
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert session_bus() is None
    before = children()
    await Portal(lambda said: None).run()
    assert not children() - before


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
async def test_a_server_that_is_killed_leaves_no_child(bus: str, tmp_path: Path) -> None:
    for name in ("gdbus", "setpriv"):
        if shutil.which(name) is None:
            pytest.skip(f"there is no {name} here")
    code = (
        "import asyncio\nfrom opensessions.server.schemes import Portal\n"
        "asyncio.run(Portal(lambda said: None).run())\n"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    handle = -1
    try:
        listing = Path(f"/proc/{server.pid}/task/{server.pid}/children")

        def listens(pid: int) -> bool:
            """It has become gdbus: before that its end is not yet bound to the server's."""
            words = this_system().program(pid)[0]
            return len(words) > 1 and words[0].endswith("gdbus") and words[1] == "monitor"

        def listeners() -> list[int]:
            return [pid for pid in map(int, listing.read_text().split()) if listens(pid)]

        await until(listeners)
        handle = os.pidfd_open(listeners()[0])
        server.kill()
        await server.wait()
        await until(lambda: gone(handle))
    finally:
        with suppress(ProcessLookupError):
            server.kill()
        if handle >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)


def gone(handle: int) -> bool:
    """Has it ended, whether or not whoever is its parent now has asked for it?"""
    return bool(select.select([handle], [], [], 0)[0])


@pytest.mark.parametrize(
    ("line", "scheme"),
    [
        (b"/o: org.freedesktop.portal.Settings.SettingChanged"
         b" ('org.freedesktop.appearance', 'color-scheme', <uint32 1>)", "dark"),
        (b"/o: org.freedesktop.portal.Settings.SettingChanged"
         b" ('org.freedesktop.appearance', 'color-scheme', <uint32 2>)", "light"),
        (b'{"payload":{"type":"ssv","data":["org.freedesktop.appearance","color-scheme",{"type":"u","data":0}]}}',
         "light"),
        (b"/o: S ('org.freedesktop.appearance', 'color-scheme', <uint32 11>)", None),
        (b"/o: S ('org.gnome.desktop.interface', 'color-scheme', <'prefer-dark'>)", None),
        (b"The name org.freedesktop.portal.Desktop is owned by :1.4", None),
    ],
)  # fmt: skip
def test_lines(line: bytes, scheme: str | None) -> None:
    assert scheme_of(CHANGE.search(line)) == scheme


def test_answers() -> None:
    assert scheme_of(VALUE.search(b"(<<uint32 1>>,)\n")) == "dark"
    assert scheme_of(VALUE.search(b"(<uint32 2>,)\n")) == "light"
    assert (
        scheme_of(VALUE.search(b'{"type":"v","data":[{"type":"v","data":{"type":"u","data":1}}]}')) == "dark"
    )
    assert scheme_of(VALUE.search(b"Error: GDBus.Error")) is None


# --- macOS -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "scheme"), [("echo Dark", "dark"), ("echo no such key >&2; exit 1", "light")]
)
async def test_macos_is_asked(
    program: str, scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script(tmp_path / "defaults", f'[ "$*" = "read -g AppleInterfaceStyle" ] && {{ {program}; }}\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said: list[str] = []
    mac = Mac(said.append)
    asked: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        asked.append(asyncio.create_task(work))

    monkeypatch.setattr(sys, "platform", "linux")
    mac.arrived(spawn)
    assert asked == []
    monkeypatch.setattr(sys, "platform", "darwin")
    mac.arrived(spawn)
    mac.arrived(spawn)
    await asyncio.gather(*asked)
    assert said == [scheme]
    mac.arrived(spawn)
    await asyncio.gather(*asked)
    assert said == [scheme, scheme]


async def test_a_program_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemes, "ANSWER", 0.1)
    monkeypatch.setattr(schemes, "FAREWELL", 0.1)
    before = children()
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    assert await answer((sys.executable, "-c", deaf)) == b""
    await none_but(before)
    assert await answer(("/nowhere/program",)) == b""
