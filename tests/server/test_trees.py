"""The registry: who asks is answered, who does not ask costs nothing. Processes are a small system in memory, so that
every question that is put to it is counted."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.json import decode
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, MuxLeft, SavedArrangement, Unreachable
from opensessions.model import Agent, Inventory, Link, Pane, Session, Window
from opensessions.processes.identity import ProcId, boot_id, namespace
from opensessions.processes.receipt import Origin, Receipt
from opensessions.processes.receipts import Receipts
from opensessions.processes.source import Stat, this_system
from opensessions.processes.usage import Reading, Sampler, read_linux
from opensessions.server import trees
from opensessions.server.bus import Bus
from opensessions.server.guard import Holder
from opensessions.server.trees import Trees
from opensessions.server.verbs import Verbs
from tests.processes.system import System

PATIENCE = 20.0


class Machine(System):
    """The small system, with users and environments, and what its processes take."""

    def __init__(self) -> None:
        super().__init__(size=5000)
        self.environments: dict[int, dict[str, str]] = {}
        self.cpu: dict[int, float] = {}
        self.clock_of_usage = 0.0
        self.hold: threading.Event | None = None

    def start(self, parent: int, *argv: str, session: bool = False) -> int:
        """At once: a look may be under way in a thread, and there is nothing between fork and exec to be seen here."""
        pid = self._number()
        above = self.stats[parent]
        self.programs[pid] = (argv, f"/bin/{argv[0]}")
        self.stats[pid] = Stat(pid, parent, pid if session else above.session, self.clock, argv[0][:15])
        return pid

    def pids(self) -> set[int]:
        if self.hold:
            assert self.hold.wait(PATIENCE)
        return super().pids()

    def folder(self, pid: int) -> str:
        return ""

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        self.asked["variables"] += 1
        return {"PATH": "/bin"} | self.environments.get(pid, {})

    def environment(self, pid: int) -> tuple[int, int] | None:
        return None

    def users(self, pid: int) -> tuple[int, int, int]:
        self.asked["users"] += 1
        return (os.getuid(),) * 3

    def measure(self, pid: int, memory: bool) -> Reading | None:
        self.asked["measure"] += 1
        self.clock_of_usage += 1.0
        if pid not in self.stats:
            return None
        self.cpu[pid] = self.cpu.get(pid, 0.0) + 0.25
        return Reading(self.stats[pid].start, self.clock_of_usage, self.cpu[pid], 1024 if memory else None)


class Room:
    """Two multiplexers, three sessions. The panes are shells; in %1 of `a` lives an agent with a child."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
        self.machine = Machine()
        monkeypatch.setattr(
            trees, "Sampler", lambda: Sampler(self.machine.measure, lambda: self.machine.clock_of_usage)
        )
        monkeypatch.setattr(trees, "GAP", 0.01)
        self.bus = Bus("i")
        self.tracker = SimpleNamespace(get=lambda id: None)
        self.trees = Trees(self.bus, self.machine, self.tracker, str(state))  # type: ignore[arg-type]
        self.servers = {key: self.machine.start(1, "mux", session=True) for key in "ab"}
        self.shells = {
            (key, pane): self.machine.start(self.servers[key], "bash", session=True)
            for key, pane in (("a", "%1"), ("a", "%2"), ("b", "%1"))
        }
        self.agent = self.machine.start(self.shells["a", "%1"], "claude")
        self.child = self.machine.start(self.agent, "node")
        for key in "ab":
            self.bus.dispatch(MuxJoined(key, "tmux", f"/{key}.sock", SavedArrangement()))
            self.read(key)
        self.id = f"a:%1:{self.agent}.{self.machine.stats[self.agent].start}"
        self.agents()

    def read(self, key: str) -> None:
        panes = [pane for mux, pane in self.shells if mux == key]
        windows = {
            f"@{pane}": Window(f"@{pane}", panes=(Pane(pane, f"@{pane}", self.shells[key, pane]),))
            for pane in panes
        }
        names = {"%1": "api", "%2": "web"} if key == "a" else {"%1": "docs"}
        sessions: tuple[Session, ...] = tuple(
            Session(f"${pane[1:]}", names[pane], links=(Link(f"@{pane}", 0),)) for pane in panes
        )
        if key == "b":  # a session that shares its window with the first one
            sessions += (replace(sessions[0], id="$9", name="docs-too"),)
        inventory = Inventory(self.servers[key], 1, "", sessions, windows)
        self.bus.dispatch(InventoryRead(key, inventory))

    def agents(self, living: bool = True) -> None:
        found = {"%1": (Agent(self.id, "claude-code", "%1", self.agent),)} if living else {}
        self.bus.dispatch(AgentsSeen("a", found))

    async def ps(self, **arguments: str) -> dict[str, Any]:
        answer: dict[str, Any] = decode(await self.trees.ps({"verb": "ps", **arguments}))
        return answer

    async def panes(self, **arguments: str) -> list[tuple[str, str]]:
        found = await self.ps(**arguments)
        return [(mux["key"], pane["pane"]) for mux in found["muxes"] for pane in mux["panes"]]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Room:
    return Room(monkeypatch, tmp_path)


async def until(what: Callable[[], Any], why: str = "") -> Any:
    async with asyncio.timeout(PATIENCE):
        while not (value := what()):
            await asyncio.sleep(0.005)
    return value


# --- what is answered ---------------------------------------------------------------------------------------


async def test_the_answer_has_its_documented_keys(room: Room) -> None:
    found = await room.ps()
    stat = room.machine.stats[room.agent]
    shell = room.machine.stats[room.shells["a", "%1"]]
    row = {"via": ["session", "tree"], "cpu": 25.0, "memory": 1024}
    cpu = [process.pop("cpu") for process in found["muxes"][0]["panes"][0]["processes"]]
    del row["cpu"]
    assert all(each > 0 for each in cpu)
    assert found["muxes"][0]["panes"][0].pop("cpu") == pytest.approx(sum(cpu), abs=0.2)
    assert found == {
        "muxes": [
            {
                "key": "a",
                "socket": "/a.sock",
                "panes": [
                    {
                        "pane": "%1", "session": "$1", "session_name": "api",
                        "generation": f"{shell.pid}.{shell.start}", "pid": shell.pid,
                        "confidence": "best-effort", "stale": False,
                        "agents": [{"id": room.id, "agent": "claude-code", "pid": room.agent}],
                        "processes": [
                            {"pid": shell.pid, "ppid": room.servers["a"], "start": shell.start, "comm": "bash",
                             "command": "bash", "agent": None, **row},
                            {"pid": room.agent, "ppid": shell.pid, "start": stat.start, "comm": "claude",
                             "command": "claude", "agent": room.id, **row},
                            {"pid": room.child, "ppid": room.agent, "start": stat.start, "comm": "node",
                             "command": "node", "agent": room.id, **row},
                        ],
                        "memory": 3 * 1024,
                    }
                ],
            },
            {"key": "b", "socket": "/b.sock", "panes": []},
        ],
        "orphans": [],
    }  # fmt: skip


async def test_every_pane_or_those_with_agents(room: Room) -> None:
    assert await room.panes() == [("a", "%1")]
    assert await room.panes(all="1") == [("a", "%1"), ("a", "%2"), ("b", "%1")]
    room.agents(living=False)
    assert await room.panes() == []


@pytest.mark.parametrize(
    ("target", "mux", "panes"),
    [
        ("%2", "", [("a", "%2")]),
        ("%1", "", [("a", "%1"), ("b", "%1")]),
        ("%1", "b", [("b", "%1")]),
        ("%1", "gone", [("a", "%1"), ("b", "%1")]),
        ("$1", "a", [("a", "%1")]),
        ("web", "b", [("a", "%2")]),
        ("=docs", "", [("b", "%1")]),
        ("docs-too", "", [("b", "%1")]),
        ("$9", "", [("b", "%1")]),
    ],
)
async def test_targets(room: Room, target: str, mux: str, panes: list[tuple[str, str]]) -> None:
    assert await room.panes(target=target, mux=mux) == panes


async def test_an_agent_as_target_shows_its_own_processes_alone(room: Room) -> None:
    found = await room.ps(target=room.id)
    pane = found["muxes"][0]["panes"][0]
    assert [each["pid"] for each in pane["processes"]] == [room.agent, room.child]
    assert pane["memory"] == 2 * 1024


@pytest.mark.parametrize("target", ["%9", "nope", "=ap", "$77", "\x1b[31m"])
async def test_a_target_that_means_nothing_is_refused(room: Room, target: str) -> None:
    with pytest.raises(Refused, match=r"There is no pane, agent or session .*ps --all"):
        await room.ps(target=target)
    with pytest.raises(Refused):
        await anext(room.trees.watch({"target": target}))


async def test_orphans_are_the_reapers(room: Room) -> None:
    room.trees.orphans = lambda: [{"pid": 7}]
    assert (await room.ps())["orphans"] == [{"pid": 7}]


async def test_a_daemon_is_found_by_its_environment(room: Room) -> None:
    daemon = room.machine.start(1, "daemon", session=True)
    other = room.machine.start(1, "other", session=True)
    said = {"TMUX": f"/a.sock,{room.servers['a']},0", "TMUX_PANE": "%1"}
    room.machine.environments = {daemon: said, other: said | {"TMUX_PANE": "%8"}}
    processes = (await room.ps())["muxes"][0]["panes"][0]["processes"]
    assert {each["pid"]: each["via"] for each in processes}[daemon] == ["environment"]
    assert other not in [each["pid"] for each in processes]


async def test_a_daemon_of_another_user_is_nobodys(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = room.machine.start(1, "daemon", session=True)
    room.machine.environments = {daemon: {"TMUX": f"/a.sock,{room.servers['a']},0", "TMUX_PANE": "%1"}}
    users = {daemon: (os.getuid(), os.getuid() + 1, os.getuid())}
    monkeypatch.setattr(room.machine, "users", lambda pid: users.get(pid, (os.getuid(),) * 3))
    processes = (await room.ps())["muxes"][0]["panes"][0]["processes"]
    assert daemon not in [each["pid"] for each in processes]


async def test_a_multiplexer_that_does_not_answer_keeps_its_last_list(room: Room) -> None:
    before = (await room.ps())["muxes"][0]["panes"][0]
    room.machine.start(room.agent, "new")
    room.bus.dispatch(Unreachable("a", "it is stopped"))
    after = (await room.ps())["muxes"][0]["panes"][0]
    assert (after["confidence"], after["stale"]) == ("unknown", True)
    assert [each["pid"] for each in after["processes"]] == [each["pid"] for each in before["processes"]]
    room.read("a")
    again = (await room.ps())["muxes"][0]["panes"][0]
    assert (again["confidence"], again["stale"]) == ("best-effort", False)
    assert len(again["processes"]) == len(before["processes"]) + 1


async def test_a_multiplexer_in_a_pane_of_another_one_keeps_its_own(room: Room) -> None:
    room.machine.stats[room.servers["b"]] = replace(
        room.machine.stats[room.servers["b"]], ppid=room.shells["a", "%1"]
    )
    found = await room.ps(all="1")
    outer, inner = found["muxes"][0]["panes"][0], found["muxes"][1]["panes"][0]
    assert not {room.servers["b"], room.shells["b", "%1"]} & {each["pid"] for each in outer["processes"]}
    assert [each["pid"] for each in inner["processes"]] == [room.shells["b", "%1"]]
    unregistered = room.machine.start(room.shells["a", "%2"], "tmux: server")
    room.machine.start(unregistered, "bash", session=True)
    outer = (await room.ps(target="web"))["muxes"][0]["panes"][0]
    assert [each["pid"] for each in outer["processes"]] == [room.shells["a", "%2"]]


async def test_what_was_started_by_run_is_shown_whatever_it_is(room: Room, tmp_path: Path) -> None:
    pid = room.machine.start(room.shells["a", "%2"], "make")
    process = ProcId(pid, room.machine.stats[pid].start, boot_id(), namespace())
    nonces = iter("abcd")

    def write(process: ProcId, origin: Origin) -> None:
        Receipts(str(tmp_path)).write(
            Receipt(
                process=process,
                origin=origin,
                agent="",
                agent_id="",
                uid=os.getuid(),
                group=0,
                session=0,
                comm="make",
                exe="/bin/make",
                argv_hash="",
                place=None,
                instance="",
                nonce=32 * next(nonces),
                created=1.0,
            )
        )

    write(process, "observed")
    write(replace(process, start=process.start + 1), "managed")
    assert await room.panes() == [("a", "%1")]
    write(process, "managed")
    assert await room.panes() == [("a", "%1"), ("a", "%2")]


async def test_a_multiplexer_that_is_gone_is_not_told(room: Room) -> None:
    await room.ps()
    room.bus.dispatch(MuxLeft("a"))
    assert await room.panes(all="1") == [("b", "%1")]


async def test_receipts_that_may_not_be_read_are_no_evidence_and_no_fault(room: Room, tmp_path: Path) -> None:
    (tmp_path / "receipts").symlink_to("/tmp")
    assert await room.panes() == [("a", "%1")]


async def test_a_pane_that_got_another_process_is_read_anew(room: Room) -> None:
    """As by `respawn-pane`, of which no hook tells."""
    asked: list[str] = []

    def reread(key: str) -> None:
        asked.append(key)
        asyncio.get_running_loop().call_soon(room.read, key)

    room.trees.reread = reread
    await room.ps()
    assert asked == []
    room.machine.exit(room.shells["a", "%2"])
    room.shells["a", "%2"] = room.machine.start(room.servers["a"], "bash", session=True)
    pane = (await room.ps(target="%2"))["muxes"][0]["panes"][0]
    assert (pane["pid"], pane["confidence"]) == (room.shells["a", "%2"], "best-effort")
    assert asked == ["a"]


async def test_a_pane_that_stays_in_doubt_is_read_anew_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "REREAD", 0.01)
    asked: list[str] = []
    room.trees.reread = asked.append
    room.machine.exit(room.shells["b", "%1"])
    for _ in range(3):
        found = (await room.ps(all="1"))["muxes"][1]["panes"][0]
        assert found["confidence"] == "unknown"
    assert asked == ["b"]


# --- what it costs ------------------------------------------------------------------------------------------


async def test_nobody_asks_and_nothing_is_read(room: Room) -> None:
    running = asyncio.create_task(room.trees.run())
    for _ in range(5):
        room.agents(living=False)
        room.agents()
        room.read("a")
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    running.cancel()
    assert dict(room.machine.asked) == {}


async def test_whoever_asks_meanwhile_shares_the_look(room: Room) -> None:
    room.machine.hold = threading.Event()
    asking = [asyncio.create_task(room.ps(all="1")) for _ in range(5)]
    await asyncio.sleep(0.02)
    asking[0].cancel()
    room.machine.hold.set()
    answers = await asyncio.gather(*asking[1:])
    assert room.machine.asked["pids"] == 1
    assert {len(each["muxes"][0]["panes"]) for each in answers} == {2}
    await room.ps()
    assert room.machine.asked["pids"] == 2


async def test_a_look_that_failed_is_no_fault_of_the_next(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.machine, "now", lambda: 1 // 0)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, fault: faults.append(fault))
    with pytest.raises(ZeroDivisionError):
        await room.ps()
    monkeypatch.undo()
    assert faults == []
    assert (await room.ps(target="%2"))["muxes"][0]["panes"][0]["pane"] == "%2"


async def test_only_what_is_shown_is_measured_and_named(room: Room) -> None:
    await room.ps(target="%2")
    assert room.machine.asked["measure"] == 2  # one process, twice
    assert room.machine.asked["program"] == 1
    await room.ps(target="%2")
    assert room.machine.asked["measure"] == 3  # the last reading is not old


async def test_many_who_ask_at_once_do_not_wait_for_each_other(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "GAP", 0.5)
    sleep, both, sleepers = asyncio.sleep, asyncio.Event(), []

    async def with_another(seconds: float) -> None:
        """The gap between two readings ends here when a second one has begun."""
        if seconds != 0.5:
            await sleep(seconds)
            return
        sleepers.append(seconds)
        if len(sleepers) > 1:
            both.set()
        await both.wait()

    monkeypatch.setattr(asyncio, "sleep", with_another)
    targets = ["%1", "%2", "docs", "web", "api", room.id, "$1", "$2"]
    async with asyncio.timeout(PATIENCE):
        answers = await asyncio.gather(*(room.ps(target=target) for target in targets))
    assert all(any(mux["panes"] for mux in each["muxes"]) for each in answers)


# --- the stream ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def watching(room: Room, **arguments: str) -> AsyncIterator[list[dict[str, Any]]]:
    """The lines as they come."""
    lines: list[dict[str, Any]] = []

    async def follow() -> None:
        async with aclosing(room.trees.watch(arguments)) as stream:
            async for line in stream:
                lines.append(decode(line))

    task = asyncio.create_task(follow())
    await until(lambda: lines or task.done(), "the first line")
    try:
        yield lines
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "RHYTHM", 0.03)


@pytest.mark.usefixtures("quick")
async def test_a_watcher_hears_all_then_what_changes(room: Room) -> None:
    async with watching(room) as lines:
        first = lines[0]
        assert first.pop("event") == "trees"
        assert set(first) == {"muxes", "orphans"}
        tool = room.machine.start(room.agent, "git", "status")
        added = await until(lambda: len(lines) > 1 and lines[1])
        shell = room.machine.stats[room.shells["a", "%1"]]
        where = {"mux": "a", "pane": "%1", "generation": f"{shell.pid}.{shell.start}"}
        assert {key: added[key] for key in ("event", *where)} == {"event": "process-added", **where}
        assert added["process"] == {
            "pid": tool, "ppid": room.agent, "start": room.machine.stats[tool].start, "comm": "git",
            "command": "git status", "agent": room.id, "via": ["session", "tree"], "cpu": None, "memory": None,
        }  # fmt: skip
        start = room.machine.stats[tool].start
        room.machine.exit(tool)
        gone = await until(lambda: len(lines) > 2 and lines[2])
        assert gone == {"event": "process-exited", **where, "pid": tool, "start": start, "left": False}
        room.bus.dispatch(Unreachable("a", "it is stopped"))
        unsure = await until(lambda: len(lines) > 3 and lines[3])
        assert unsure == {"event": "confidence-changed", **where, "before": "best-effort", "after": "unknown"}


@pytest.mark.usefixtures("quick")
async def test_a_watcher_of_one_agent_hears_of_no_other_process(room: Room) -> None:
    async with watching(room, target=room.id) as lines:
        room.machine.start(room.shells["a", "%1"], "make")
        tool = room.machine.start(room.agent, "git")
        await until(lambda: len(lines) > 1)
        assert [line["process"]["pid"] for line in lines[1:]] == [tool]


@pytest.mark.usefixtures("quick")
async def test_a_pane_that_goes_takes_its_tracker_with_it(room: Room) -> None:
    async with watching(room, target="web") as lines:
        del room.shells["a", "%2"]
        room.read("a")
        await until(lambda: len(lines) > 2)
        assert [line["event"] for line in lines[1:]] == ["process-exited", "confidence-changed"]
        assert lines[1]["left"]
        assert lines[2]["after"] == "none"


@pytest.mark.usefixtures("quick")
async def test_with_the_last_watcher_the_looking_ends(room: Room) -> None:
    async with watching(room) as first, watching(room) as second:
        room.machine.start(room.agent, "git")
        await until(lambda: len(first) > 1 and len(second) > 1)
    await until(lambda: room.trees._looking is None)
    before = dict(room.machine.asked)
    await asyncio.sleep(0.15)
    assert dict(room.machine.asked) == before


async def test_watchers_look_together(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "RHYTHM", 0.2)
    loop = asyncio.get_running_loop()
    async with (
        watching(room, all="1") as one,
        watching(room, all="1") as two,
        watching(room, all="1") as three,
    ):
        began, before = loop.time(), room.machine.asked["pids"]
        for count in range(2, 6):
            room.machine.start(room.agent, "git")
            await until(lambda count=count: min(len(one), len(two), len(three)) >= count)  # type: ignore[misc]
        beats = int((loop.time() - began) / 0.2) + 2  # one may have been under way
        assert room.machine.asked["pids"] - before <= beats


async def test_a_slow_reader_is_told_the_difference_not_the_history(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "RHYTHM", 0.01)
    stream = room.trees.watch({})
    await anext(stream)
    passing = room.machine.start(room.agent, "git")
    room.machine.exit(passing)
    stays = room.machine.start(room.agent, "node")
    line = decode(await anext(stream))
    assert line["process"]["pid"] == stays
    await stream.aclose()


# --- a verb that goes on ------------------------------------------------------------------------------------


async def test_a_stream_counts_as_a_watcher_until_it_ends() -> None:
    ended: list[bool] = []

    async def answers(arguments: dict[str, str]) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield arguments["word"].encode()
        finally:
            ended.append(True)

    counted: list[int] = []
    verbs = Verbs(Holder(1, "", "", "", 0.0), *[None] * 5)  # type: ignore[arg-type]
    verbs.on_count = lambda: counted.append(verbs.watchers)
    verbs.add_stream("flow", answers)
    async with aclosing(verbs.run({"verb": "flow", "word": "x"})) as run:  # type: ignore[type-var]
        assert [await anext(run), await anext(run)] == [(b"J", b"x"), (b"J", b"x")]
        assert verbs.watchers == 1
    await until(lambda: ended)
    assert counted == [1, 0]


# --- what agents take ---------------------------------------------------------------------------------------


@pytest.fixture
def spinning() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield process
    process.kill()
    process.wait()


def found(pid: int, *below: int) -> SimpleNamespace:
    return SimpleNamespace(found=SimpleNamespace(pid=pid, below=below))


async def test_what_is_wanted_is_measured_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spinning: subprocess.Popen[bytes]
) -> None:
    read: list[int] = []

    def look(pid: int, memory: bool) -> Reading | None:
        read.append(pid)
        return read_linux(pid, memory)

    monkeypatch.setattr(trees, "Sampler", lambda: Sampler(look))
    monkeypatch.setattr(trees, "RHYTHM", 0.05)
    monkeypatch.setattr(trees, "GAP", 0.05)
    agents = {"mine": found(os.getpid(), spinning.pid), "other": found(1), "gone": None}
    bus = Bus("i")
    told = []
    room = Trees(bus, this_system(), SimpleNamespace(get=agents.get), str(tmp_path))  # type: ignore[arg-type]
    room.on_usage = lambda: told.append(room.usage_of(["mine", "other"]))
    running = asyncio.create_task(room.run())
    await asyncio.sleep(0.02)
    assert read == []
    room.want({"mine", "gone"})
    use = await until(lambda: (found := room.usage_of(["mine"])) and found["mine"].cpu and found["mine"])
    assert use.cpu > 0
    assert use.memory > 1 << 20
    assert set(read) == {os.getpid(), spinning.pid}
    assert told
    assert set(told[-1]) == {"mine"}
    assert room.usage_of(["other", "gone", "nobody"]).keys() <= {"gone"}
    room.want(())
    assert room.usage_of(["mine"]) == {}
    await until(lambda: not room._wanting.is_set())
    count = len(read)
    await asyncio.sleep(0.2)
    assert len(read) <= count + 2  # the one that was under way
    room.want({"mine"})
    await until(lambda: room.usage_of(["mine"]))
    running.cancel()
    await asyncio.wait([running])


async def test_who_wants_the_same_again_does_not_hurry_anybody(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "RHYTHM", 1000.0)
    monkeypatch.setattr(trees, "SLOWEST", 1000.0)
    agents: dict[str, Any] = {room.id: found(room.agent)}
    room.tracker.get = agents.get
    running = asyncio.create_task(room.trees.run())
    room.trees.want([room.id])
    await until(lambda: (use := room.trees.usage_of([room.id])) and use[room.id].cpu is not None)
    count = room.machine.asked["measure"]
    for _ in range(5):
        room.trees.want([room.id])
        await asyncio.sleep(0.01)
    assert room.machine.asked["measure"] == count
    running.cancel()
    await asyncio.wait([running])


async def test_an_agent_that_is_gone_takes_nothing(room: Room) -> None:
    agents: dict[str, Any] = {room.id: found(room.agent, room.child)}
    room.tracker.get = agents.get
    running = asyncio.create_task(room.trees.run())
    room.trees.want([room.id])
    assert (await until(lambda: room.trees.usage_of([room.id])))[room.id].memory == 2048
    agents.clear()
    room.trees.want([room.id, "x"])
    await until(lambda: not room.trees.usage_of([room.id]))
    running.cancel()
    await asyncio.wait([running])


def test_agents_are_measured_the_less_often_the_less_changes() -> None:
    pauses = [trees.GAP]
    for _ in range(10):
        pauses.append(trees.next_pause(pauses[-1], changed=False))
    assert pauses[1] == trees.RHYTHM
    assert pauses == sorted(pauses)
    assert pauses[-1] == trees.SLOWEST
    assert trees.next_pause(pauses[-1], changed=True) == trees.RHYTHM
