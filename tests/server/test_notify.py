"""The notifier between the State and the ways of telling, and the programs that it starts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from opensessions import notify
from opensessions.config import Notify
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Agent, AgentState, Client, Entry, Inventory, Link, Pane, Session, Window
from opensessions.provider import Announce
from opensessions.server import children
from opensessions.server.bus import Bus
from opensessions.server.children import AT_ONCE, Children
from opensessions.server.notify import Notifier
from opensessions.server.whereabouts import Place
from tests.support.terminal import PATIENCE
from tests.support.world import is_alive

MUX = "tmux-0"
ALL = Notify(bell=False, desktop=False)


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not what():
            await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def spawn() -> AsyncIterator[Callable[..., Any]]:
    """Starts tasks, and sees to it that none of them failed or stays."""
    tasks: list[asyncio.Task[None]] = []

    def start(work: Any) -> asyncio.Task[None]:
        tasks.append(asyncio.get_running_loop().create_task(work))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


# --- the notifier -----------------------------------------------------------------------------------------


class Room:
    """A multiplexer with two clients: `c1` looks at pane %1, `c2` at %2; nobody at the others. What would have been
    shown is kept in `shown`."""

    def __init__(self, spawn: Callable[..., Any], settings: Notify = ALL) -> None:
        self.shown: list[tuple[tuple[str, ...], str]] = []
        self.bus = Bus("i")
        muxes = SimpleNamespace(muxes={MUX: None}, get=lambda key: SimpleNamespace(provider=self))
        sidebars = SimpleNamespace(connected=set())
        self.notifier = Notifier(self.bus, muxes, sidebars, settings, spawn)  # type: ignore[arg-type]
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        numbers = range(1, 12)
        sessions = tuple(Session(f"${n}", f"s{n}", links=(Link(f"@{n}", 0, True),)) for n in numbers)
        windows = {
            f"@{n}": Window(f"@{n}", panes=(Pane(f"%{n}", f"@{n}", n, active=True, path=f"/p{n}"),))
            for n in numbers
        }
        clients = (Client("c1", "$1"), Client("c2", "$2"))
        self.bus.dispatch(InventoryRead(MUX, Inventory(1, 1, "3.3a", sessions, windows, clients)))
        self.agents: dict[str, Agent] = {}

    async def do(self, command: Announce) -> str:
        self.shown.append((command.clients, command.text))
        return ""

    def see(self, number: int, state: AgentState, since: float = 4e9) -> None:
        """The agent in this pane is in this state now."""
        pane = f"%{number}"
        old = self.agents.get(pane, Agent(f"a{number}", "codex", pane, number))
        self.agents[pane] = replace(old, state=state, since=since)
        self.bus.dispatch(AgentsSeen(MUX, {pane: (agent,) for pane, agent in self.agents.items()}))


async def test_every_client_hears_of_what_nobody_looks_at(spawn: Callable[..., Any]) -> None:
    room = Room(spawn)
    room.see(3, "running")
    room.see(3, "waiting")
    await until(lambda: room.shown)
    assert room.shown == [(("c1", "c2"), "codex in s3 waits for you")]


async def test_what_is_looked_at_is_not_told(spawn: Callable[..., Any]) -> None:
    room = Room(spawn)
    for state in ("running", "waiting", "running", "done"):
        room.see(1, state)
    room.see(4, "running")
    room.see(4, "done")
    await until(lambda: room.shown)
    assert room.shown == [(("c1", "c2"), "codex in s4 has finished")]


async def test_what_was_so_when_the_server_began_is_not_told(spawn: Callable[..., Any]) -> None:
    room = Room(spawn)
    room.see(3, "waiting", since=1000.0)  # it was found so
    room.see(4, "idle", since=1000.0)  # its process was found first
    room.see(4, "waiting", since=1000.0)  # then what its files say of an hour ago
    room.see(5, "running")
    room.see(5, "error")
    await until(lambda: room.shown)
    assert [text for _, text in room.shown] == ["codex in s5 has failed"]


async def test_each_state_has_its_switch(spawn: Callable[..., Any]) -> None:
    room = Room(spawn, replace(ALL, waiting=False, error=False))
    for state in ("running", "waiting", "running", "error", "running", "done"):
        room.see(3, state)
    await until(lambda: room.shown)
    assert [text for _, text in room.shown] == ["codex in s3 has finished"]


async def test_too_many_come_as_one_without_those_that_were_seen(
    spawn: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "WINDOW", 1000.0)
    room = Room(spawn)
    for number in range(3, 12):
        room.see(number, "running")
    for number in range(3, 12):
        room.see(number, "done")
    room.see(11, "running")
    await until(lambda: len(room.shown) == 5)
    timer = room.notifier._releasing
    assert timer
    assert timer.when() > asyncio.get_running_loop().time() + 500
    monkeypatch.setattr(notify, "WINDOW", 0.0)  # it is over
    timer.cancel()
    room.notifier._release()
    await until(lambda: len(room.shown) == 6)
    assert [text for _, text in room.shown] == [
        *(f"codex in s{number} has finished" for number in range(3, 8)),
        "3 more: 3 have finished",
    ]


async def test_a_message_of_a_script_is_told_to_everybody(spawn: Callable[..., Any]) -> None:
    room = Room(spawn, replace(ALL, waiting=False, error=False, done=False))
    room.notifier.tell(Place(MUX, "$1"), Entry("built", "success", "make", 1.0))
    await until(lambda: room.shown)
    room.notifier.tell(Place(MUX, "$2", "%2"), Entry("in view", "info", None, 1.0))
    await until(lambda: len(room.shown) == 2)
    assert room.shown == [(("c1", "c2"), "make in s1: built"), (("c1",), "s2: in view")]


async def test_the_command_is_told_the_facts(spawn: Callable[..., Any], tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = (
        "import json, os, sys; open(sys.argv[1] + '.new', 'w').write(json.dumps([sys.argv[2:], dict(os.environ)]));"
        "os.rename(sys.argv[1] + '.new', sys.argv[1])"
    )
    room = Room(spawn, replace(ALL, command=(sys.executable, "-c", program, str(said), "{text}")))
    room.see(3, "running")
    room.see(3, "waiting")
    await until(said.exists)
    argv, environment = json.loads(said.read_text())
    assert argv == ["codex in s3 waits for you"]
    facts = {
        name: environment[f"OPENSESSIONS_{name}"]
        for name in ("AGENT", "STATE", "SESSION", "PANE", "DIRECTORY")
    }
    assert facts == {"AGENT": "codex", "STATE": "waiting", "SESSION": "s3", "PANE": "%3", "DIRECTORY": "/p3"}


# --- programs ---------------------------------------------------------------------------------------------

WAITS = ': > "$0/$$"; exec sleep 600'
DEAF = f"trap '' TERM; {WAITS}"


def living(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if is_alive(int(path.name))]


async def test_a_program_that_does_not_end_is_ended_and_reaped(
    spawn: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(children, "FAREWELL", 0.3)
    some = Children(spawn, time=5.0)
    some.start(["sh", "-c", WAITS, str(tmp_path)], {})
    some.start(["sh", "-c", DEAF, str(tmp_path)], {})
    await until(lambda: not some._count)
    assert len(list(tmp_path.iterdir())) == 2
    await until(lambda: not any(Path(f"/proc/{path.name}").exists() for path in tmp_path.iterdir()))
    assert caplog.text.count("was ended") == 2


async def test_few_run_at_once_and_all_are_ended_with_the_server(
    spawn: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tasks: list[asyncio.Task[None]] = []
    some = Children(lambda work: tasks.append(spawn(work)), time=60)
    for _ in range(30):
        some.start(["sh", "-c", WAITS, str(tmp_path)], {})
    await until(lambda: len(living(tmp_path)) == AT_ONCE)
    assert "others have not ended yet" in caplog.text
    os.kill(living(tmp_path)[0], signal.SIGKILL)
    await until(lambda: len(list(tmp_path.iterdir())) == AT_ONCE + 1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert not living(tmp_path)


async def test_a_program_that_is_not_there_or_fails_is_a_line_in_the_log(
    spawn: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    some = Children(spawn)
    some.start([str(tmp_path / "nothing")], {})
    some.start([sys.executable, "-c", "raise SystemExit(3)"], {})
    await until(lambda: not some._count)
    assert "cannot be started" in caplog.text
    assert "ended with status 3" in caplog.text
