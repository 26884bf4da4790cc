"""Ending on request, with real processes and a multiplexer that can be made to fail at every step."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.errors import MuxError, Refused
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Agent, Inventory, Link, Pane, Session, Window
from opensessions.processes import identity
from opensessions.processes.audit import Audit, read
from opensessions.processes.source import this_system
from opensessions.provider import Command, KillPane, KillSession, SwitchClient
from opensessions.server import ender
from opensessions.server.bus import Bus
from opensessions.server.ender import Ender
from opensessions.server.endings import CHANGED, Endings
from tests.processes.conftest import until

LEAVES = (
    'import signal, sys; signal.signal(signal.SIGHUP, lambda *_: sys.exit()); print("ready", flush=True); '
    "[signal.pause() for _ in iter(int, 1)]"
)
"""Ends itself when it is hung up."""
STUBBORN = "trap '' HUP; sleep 1000 & echo ready; wait; wait"
MUX = "tmux-0"


NOWHERE = 4_194_303
"""A pid that nobody has here."""


class Program:
    """A shell that leads a session of its own, as a pane's does, and is no child of ours: what is, is protected. It
    ends with the test."""

    def __init__(self, script: str) -> None:
        self.process = subprocess.Popen(
            ["setsid", "--fork", "bash", "-c", f"echo $$; {script}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout
        self.pid = int(self.process.stdout.readline())
        self.id = identity.read(self.pid)
        assert self.process.stdout.readline() == b"ready\n"
        self.process.wait()
        assert self.id

    def lives(self) -> bool:
        assert self.id
        return identity.liveness(self.id) == "alive"

    def members(self) -> list[int]:
        """Whoever is in its session: the number is nobody else's as long as somebody is."""
        system = this_system()
        found = (system.stat(pid) for pid in system.pids())
        return [stat.pid for stat in found if stat and stat.session == self.pid and not stat.exited]

    def close(self) -> None:
        while members := self.members():
            for pid in members:
                with suppress(ProcessLookupError):
                    handle = os.pidfd_open(pid)
                    try:
                        stat = this_system().stat(pid)
                        if stat and stat.session == self.pid:
                            signal.pidfd_send_signal(handle, signal.SIGKILL)
                    finally:
                        os.close(handle)
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[Callable[[str], Program]]:
    begun: list[Program] = []

    def one(script: str = STUBBORN) -> Program:
        begun.append(Program(script))
        return begun[-1]

    yield one
    for program in begun:
        program.close()


class Room:
    """The endings with one multiplexer, which says what `inventory` says, and does what `on` says."""

    def __init__(self, folder: Path) -> None:
        self.bus = Bus("i")
        self.done: list[Command] = []
        self.on: Callable[[Command], None] = lambda command: None
        self.inventory: Inventory | None = None
        self.looks = 0
        self.on_look: Callable[[int], None] = lambda count: None
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        provider = SimpleNamespace(look=self._look, do=self._do, refresh=lambda: None)
        muxes = SimpleNamespace(get=lambda key: SimpleNamespace(provider=provider))
        self.verbs: dict[str, Any] = {}
        verbs = SimpleNamespace(add=self.verbs.__setitem__, pick=lambda arguments: MUX)
        self.tracked: dict[str, Any] = {}
        tracker = SimpleNamespace(get=self.tracked.get)
        attention = SimpleNamespace(meant=lambda arguments: (MUX, self.agents[arguments["target"]]))
        self.agents: dict[str, Agent] = {}
        self.audit = str(folder / "reap.log")
        self.ender = Ender(self.bus, muxes, this_system(), Audit(self.audit), 0.3)  # type: ignore[arg-type]
        self.endings = Endings(
            self.bus, muxes, verbs, attention, tracker, this_system(), self.ender,  # type: ignore[arg-type]
        )  # fmt: skip

    async def _look(self) -> Inventory:
        self.looks += 1
        self.on_look(self.looks)
        if self.inventory is None:
            raise MuxError("tmux does not answer.")
        return self.inventory

    async def _do(self, command: Command) -> str:
        self.done.append(command)
        self.on(command)
        return ""

    def shows(self, server: int = 0, **sessions: str) -> None:
        """Sessions s1, s2 … with the windows of their panes; a pane is `id=pid`."""
        windows: dict[str, Window] = {}
        made = []
        for name, text in sessions.items():
            links = []
            for word in text.split():
                id, _, pid = word.partition("=")
                windows[f"@{id}"] = Window(f"@{id}", panes=(Pane(f"%{id}", f"@{id}", int(pid), True),))
                links.append(Link(f"@{id}", len(links), not links))
            made.append(Session(f"${name[1:]}", name, 7, links=tuple(links)))
        self.inventory = Inventory(server, 1, "3.3a", tuple(made), windows)
        self.bus.dispatch(InventoryRead(MUX, self.inventory))

    def agent(self, name: str, pane: str, pid: int, start: int = 0) -> None:
        found = SimpleNamespace(pid=pid, start=start or identity.read(pid).start)  # type: ignore[union-attr]
        self.agents[name] = Agent(name, "codex", pane, pid)
        self.tracked[name] = SimpleNamespace(found=found)

    async def ask(self, verb: str, target: str, **more: str) -> Any:
        return await self.verbs[verb]({"verb": verb, "target": target, "mux": MUX, **more})

    async def end(self, verb: str, target: str) -> Any:
        preview = await self.ask(verb, target)
        return await self.ask(verb, target, token=preview["token"])


@pytest.fixture
async def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


Start = Callable[..., Program]


async def test_a_preview_does_nothing_and_tells_everything(room: Room, start: Start) -> None:
    program = start()
    words = ("sleep", "1000")
    until(lambda: words in [this_system().program(pid)[0] for pid in program.members()], "its child")
    room.shows(s1=f"1={program.pid}", s2=f"2={NOWHERE}")
    preview = await room.ask("session-kill", "s1")
    assert next(each["pid"] for each in preview["processes"]) == program.pid
    assert any(each["command"] == "sleep 1000" for each in preview["processes"])
    assert (preview["session"], preview["panes"], preview["refuge"]) == ("$1", ["%1"], "$2")
    assert program.lives()
    assert room.done == []
    assert read(room.audit) == ()


async def test_what_ignores_its_end_is_ended(room: Room, start: Start) -> None:
    program, other = start(), start()
    room.shows(s1=f"1={program.pid}", s2=f"2={other.pid}")
    room.on = lambda command: room.shows(s2=f"2={other.pid}")
    done = await room.end("session-kill", "$1")
    assert (done["failed"], done["ended"]) == ("", 2)
    assert room.done == [KillSession("$1", "$2")]
    assert not program.lives()
    assert other.lives()
    assert {entry["asked"] for entry in read(room.audit)} == {"the session s1"}


async def test_who_goes_by_himself_is_not_asked(
    room: Room, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ender, "HANGUP", 60.0)
    program = start(f"exec '{sys.executable}' -I -S -c '{LEAVES}'")
    room.shows(s1=f"1={program.pid}", s2=f"2={NOWHERE}")

    def hang_up(command: Command) -> None:
        room.shows(s2=f"2={NOWHERE}")
        handle = os.pidfd_open(program.pid)
        assert program.lives()
        signal.pidfd_send_signal(handle, signal.SIGHUP)
        os.close(handle)

    room.on = hang_up
    assert (await room.end("session-kill", "s1"))["failed"] == ""
    assert not program.lives()
    assert [entry for entry in read(room.audit) if entry["kind"] == "signal"] == []


@pytest.mark.parametrize("verb", ["session-kill", "pane-kill"])
async def test_a_pane_that_is_moved_away_in_the_last_moment_lives_on(
    room: Room, start: Start, verb: str
) -> None:
    program, other = start(), start()
    room.shows(s1=f"1={program.pid} 3={other.pid}", s2=f"2={NOWHERE}")
    room.on = lambda command: room.shows(s2=f"2={NOWHERE} 1={program.pid}")
    if verb == "session-kill":
        done = await room.end(verb, "s1")
        assert not other.lives()
    else:
        done = await room.end(verb, "%1")
    assert "live pane %1" in done["failed"]
    assert program.lives()


@pytest.mark.parametrize("changed", ["3={other} 1={pid}", "1={other}", ""])
async def test_what_was_confirmed_must_still_be_so(room: Room, start: Start, changed: str) -> None:
    program, other = start(), start()
    room.shows(s1=f"1={program.pid}", s2=f"2={NOWHERE}")
    preview = await room.ask("session-kill", "s1")
    room.shows(s1=changed.format(pid=program.pid, other=other.pid), s2=f"2={NOWHERE}")
    with pytest.raises(Refused, match="not what you confirmed"):
        await room.ask("session-kill", "s1", token=preview["token"])
    with pytest.raises(Refused, match="not what you confirmed"):
        await room.ask("session-kill", "s1", created="8")
    assert room.done == []
    assert program.lives()


async def test_a_multiplexer_that_falls_silent_stops_everything(room: Room, start: Start) -> None:
    program = start()
    room.shows(server=os.getpid(), s1=f"1={program.pid}", s2=f"2={NOWHERE}")

    def silence(command: Command) -> None:
        room.inventory = None

    room.on = silence
    with pytest.raises(MuxError):
        await room.end("session-kill", "s1")
    assert program.lives()
    assert not [entry for entry in read(room.audit) if entry["kind"] == "signal"]


async def test_a_multiplexer_that_falls_silent_between_two_rounds_stops_the_rest(
    room: Room, start: Start
) -> None:
    program = start("trap '' HUP TERM; echo ready; while :; do sleep 1000; done")
    room.shows(server=os.getpid(), s1=f"1={program.pid}", s2=f"2={NOWHERE}")
    before = room.inventory
    room.on = lambda command: room.shows(server=os.getpid(), s2=f"2={NOWHERE}")

    def silent_after_the_first_round(count: int) -> None:
        assert before
        if count >= 5:  # preview, act, survivors, first round
            room.inventory = None

    room.on_look = silent_after_the_first_round
    done = await room.end("session-kill", "s1")
    assert "does not answer" in done["failed"]
    assert program.lives()


async def test_with_the_last_session_the_server_may_go(room: Room, start: Start) -> None:
    program, server = start(), start("echo ready; sleep 1000")
    room.shows(server=server.pid, s1=f"1={program.pid}")

    def end(command: Command) -> None:
        assert command == KillSession("$1", "")
        server.close()
        room.inventory = None

    room.on = end
    done = await room.end("session-kill", "s1")
    assert done["failed"] == ""
    assert not program.lives()


async def test_with_an_agent_that_was_the_last_pane_the_server_may_go(room: Room, start: Start) -> None:
    program, server = (
        start("trap '' TERM; echo ready; while :; do sleep 1000; done"),
        start("echo ready; sleep 1000"),
    )
    room.shows(server=server.pid, s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)

    def gone_after_the_first_signal(count: int) -> None:
        if any(entry["kind"] == "signal" for entry in read(room.audit)):
            server.close()
            room.inventory = None

    room.on_look = gone_after_the_first_signal
    assert (await room.end("agent-kill", "a"))["failed"] == ""
    assert room.inventory is None
    assert not program.lives()


# --- panes ------------------------------------------------------------------------------------------------------


async def test_the_last_pane_of_a_session_is_left_by_its_clients_first(room: Room, start: Start) -> None:
    program = start()
    room.shows(s1=f"1={NOWHERE}", s2=f"2={program.pid}")
    assert room.inventory
    from opensessions.model import Client

    clients = (Client("/dev/pts/1", "$2"), Client("control", "$2", control=True), Client("/dev/pts/2", "$1"))
    room.inventory = replace(room.inventory, clients=clients)
    room.on = lambda command: room.shows(s1=f"1={NOWHERE}") if isinstance(command, KillPane) else None
    assert (await room.end("pane-kill", "%2"))["failed"] == ""
    assert room.done == [SwitchClient("/dev/pts/1", "$1"), KillPane("%2")]
    assert not program.lives()


async def test_a_sidebar_and_what_is_no_pane_are_refused(room: Room) -> None:
    room.shows(s1=f"1={NOWHERE}")
    assert room.inventory
    marked = Pane("%1", "@1", NOWHERE, True, mark="0" * 32)
    room.inventory = replace(room.inventory, windows={"@1": Window("@1", panes=(marked,))})
    for target, why in (("%1", "sidebar"), ("%9", "no pane"), ("s1", "no pane"), ("\x1b[31m", "no pane")):
        with pytest.raises(Refused, match=why) as refused:
            await room.ask("pane-kill", target)
        assert str(refused.value).isprintable()


async def test_a_dead_pane_has_no_process(room: Room, start: Start) -> None:
    """Its pid is an old one, which somebody else may have by now."""
    innocent = start()
    room.shows(s1=f"1={NOWHERE} 2={NOWHERE}")
    assert room.inventory
    dead = Pane("%2", "@2", innocent.pid, dead=True)
    room.inventory = replace(
        room.inventory, windows={**room.inventory.windows, "@2": Window("@2", panes=(dead,))}
    )
    for verb, target in (("pane-kill", "%2"), ("session-kill", "s1")):
        before = room.inventory
        preview = await room.ask(verb, target)
        assert innocent.pid not in [each["pid"] for each in preview["processes"]]
        room.on = lambda command: room.shows(s9=f"9={NOWHERE}")
        await room.ask(verb, target, token=preview["token"])
        room.inventory = before
        assert innocent.lives()


# --- agents -----------------------------------------------------------------------------------------------------


async def test_an_agent_is_ended_and_its_shell_stays(room: Room, start: Start) -> None:
    pane = start("bash -c 'sleep 1000 & echo ready; wait; :' & wait; echo still; wait; sleep 1000")
    agent = int(until(lambda: Path(f"/proc/{pane.pid}/task/{pane.pid}/children").read_text()).split()[0])
    room.shows(s1=f"1={pane.pid}")
    room.agent("a", "%1", agent)
    done = await room.end("agent-kill", "a")
    assert done["failed"] == ""
    assert identity.proven_dead(agent)
    assert pane.process.stdout
    assert pane.process.stdout.readline() == b"still\n"
    assert pane.lives()


async def test_the_pid_of_an_agent_that_is_another_process_now(room: Room, start: Start) -> None:
    innocent = start()
    room.shows(s1=f"1={innocent.pid}")
    room.agent("a", "%1", innocent.pid, start=5)
    with pytest.raises(Refused, match="just exited"):
        await room.ask("agent-kill", "a")
    del room.tracked["a"]
    with pytest.raises(Refused, match="does not run"):
        await room.ask("agent-kill", "a")
    assert innocent.lives()


async def test_an_agent_that_holds_what_others_live_in_is_refused_whole(
    room: Room, start: Start, tmp_path: Path
) -> None:
    host = tmp_path / "tmux"
    shutil.copy("/bin/sleep", host)
    program = start(f"{host} 1000 & sleep 1000 & echo ready; wait; wait")
    until(
        lambda: b"tmux" in subprocess.check_output(["ps", "-o", "comm", "-s", str(program.pid)]), "the host"
    )
    room.shows(s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)
    with pytest.raises(Refused, match=r"cannot be ended: .*tmux"):
        await room.ask("agent-kill", "a")
    assert program.lives()


async def test_our_own_ancestors_are_no_agents(room: Room) -> None:
    room.shows(s1=f"1={os.getppid()}")
    for pid in (os.getpid(), os.getppid()):
        room.agent("a", "%1", pid)
        with pytest.raises(Refused, match="cannot be ended"):
            await room.ask("agent-kill", "a")


async def test_what_another_multiplexer_shows_too_is_protected(room: Room, start: Start) -> None:
    program = start()
    room.shows(s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)
    assert room.inventory
    other = replace(room.inventory, server_pid=NOWHERE)
    room.bus.dispatch(MuxJoined("tmux-1", "tmux", "/o", SavedArrangement()))
    room.bus.dispatch(InventoryRead("tmux-1", other))
    with pytest.raises(Refused, match="live pane"):
        await room.ask("agent-kill", "a")
    assert program.lives()


async def test_a_last_word_is_heard_before_the_first_signal(room: Room, start: Start) -> None:
    program = start()
    room.shows(s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)
    target = await room.endings.agent(MUX, room.agents["a"])
    outcomes = await room.endings.end_agent(target, "why", lambda: "It works again.")
    assert {(each.result, each.why) for each in outcomes} == {("refused", "It works again.")}
    assert program.lives()
    assert not [entry for entry in read(room.audit) if entry["kind"] == "signal"]


async def test_nothing_is_ended_without_a_log(room: Room, start: Start, tmp_path: Path) -> None:
    program = start()
    room.shows(s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)
    preview = await room.ask("agent-kill", "a")
    (tmp_path / "reap.log").mkdir()
    with pytest.raises(Refused, match="audit log"):
        await room.ask("agent-kill", "a", token=preview["token"])
    assert program.lives()


async def test_who_waits_for_the_end_of_it_all(room: Room, start: Start) -> None:
    program = start("trap '' TERM; echo ready; while :; do sleep 1000; done")
    room.shows(s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)
    async with asyncio.timeout(5):
        await room.ender.settled()
    preview = await room.ask("agent-kill", "a")
    ending = asyncio.create_task(room.ask("agent-kill", "a", token=preview["token"]))
    waiting = asyncio.create_task(room.ender.settled())
    await asyncio.wait([ending, waiting], return_when=asyncio.FIRST_COMPLETED)
    await waiting
    assert (await ending)["failed"] == ""
    assert CHANGED.endswith(".")


async def test_agents_seen_change_nothing_here(room: Room, start: Start) -> None:
    """What is known of agents comes from the tracker; a row that lags behind ends nobody."""
    program = start()
    room.shows(s1=f"1={program.pid}")
    room.agent("a", "%1", program.pid)
    room.bus.dispatch(AgentsSeen(MUX, {"%1": (replace(room.agents["a"], pid=1),)}))
    done = await room.end("agent-kill", "a")
    assert done["failed"] == ""
    assert not program.lives()
