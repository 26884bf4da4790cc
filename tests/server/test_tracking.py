"""The clockwork around agents: readers that raise, hang or talk nonsense, titles, timers, ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.agents.adapter import Facts, Files, Heard, Ignored, Look
from opensessions.agents.detect import Found
from opensessions.agents.kind import Kind, TitleRule
from opensessions.agents.signal import WORKING, About, Signal, only
from opensessions.events import InventoryRead, MuxJoined, MuxLeft, SavedArrangement
from opensessions.model import Agent, Inventory, Link, Pane, Session, Window
from opensessions.processes.source import this_system
from opensessions.server import tracking
from opensessions.server.bus import Bus
from opensessions.server.tracked import Tracked
from opensessions.server.tracking import Tracker

MUX = "m"


class Scripted:
    """A reader that does what the test says. `looks` counts."""

    def __init__(self) -> None:
        self.looks = 0
        self.facts: list[Facts] = []
        self.says: Callable[[Facts, Files], Look] = lambda facts, files: Look()

    def look(self, facts: Facts, files: Files) -> Look:
        self.looks += 1
        self.facts.append(facts)
        return self.says(facts, files)


def hears(heard: Heard) -> Signal | Ignored | None:
    return Signal("hook", only("waiting"), event=True) if heard.event == "Ask" else None


TITLES = (TitleRule(WORKING, starts=("* ",)), TitleRule(only("waiting"), starts=("! ",)))


class Room:
    """One multiplexer of three panes, and agents in them."""

    def __init__(self, titles: tuple[TitleRule, ...] = TITLES) -> None:
        self.bus = Bus("i")
        self.tracker = Tracker(self.bus, this_system())
        self.readers: list[Scripted] = []
        self.kind = Kind("x", frozenset({"x"}), titles=titles, hears=hears, reader=self._reader)
        self.says: Callable[[Facts, Files], Look] = lambda facts, files: Look()
        self.found: dict[str, list[Found]] = {}
        self.titles = {"%1": "", "%2": "", "%3": ""}
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        self.read()

    def _reader(self) -> Scripted:
        self.readers.append(Scripted())
        self.readers[-1].says = self.says
        return self.readers[-1]

    def read(self, started: int = 1, **titles: str) -> None:
        """A reading of the multiplexer; `p1="title"`."""
        self.titles |= {f"%{name[1:]}": title for name, title in titles.items()}
        windows = {
            f"@{id}": Window(f"@{id}", panes=(Pane(id, f"@{id}", 1, active=True, title=title),))
            for id, title in self.titles.items()
        }
        sessions = (Session("$1", "s", links=tuple(Link(id, at) for at, id in enumerate(windows))),)
        self.bus.dispatch(InventoryRead(MUX, Inventory(1, started, "3.3a", sessions, windows)))

    def agent(self, pane: str = "%1", pid: int = 0, kind: Kind | None = None, **more: Any) -> Found:
        """One that has just started, as a look at the processes finds it. Our own process stands for it."""
        found = Found(
            f"{MUX}:{pane}:{pid or os.getpid()}.1",
            kind or self.kind,
            pane,
            pid or os.getpid(),
            this_system().now(),
            (),
        )
        return replace(found, **more)

    def update(self, *found: Found) -> None:
        group: dict[str, list[Found]] = {}
        for each in found:
            group.setdefault(each.pane, []).append(each)
        self.tracker.update(MUX, group)

    def shown(self, pane: str = "%1") -> Agent | None:
        agents = self.bus.state.muxes[MUX].agents.get(pane, ())
        return agents[-1] if agents else None

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not what():
                await asyncio.sleep(0.002)

    async def becomes(self, state: str, pane: str = "%1") -> Agent:
        await self.until(lambda: (agent := self.shown(pane)) is not None and agent.state == state)
        found = self.shown(pane)
        assert found is not None
        return found


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    found = Room()
    task = asyncio.create_task(found.tracker.run())
    yield found
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
    assert not left, "no task outlives the tracker"


def says(*states: str, **more: Any) -> Callable[[Facts, Files], Look]:
    look = Look((Signal("registry", frozenset(states), **more),))  # type: ignore[arg-type]
    return lambda facts, files: look


# --- readers ----------------------------------------------------------------------------------------------------


async def test_a_reader_that_raises_harms_nobody(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    def fails(facts: Facts, files: Files) -> Look:
        raise KeyError("odd")

    caplog.set_level(logging.ERROR)
    room.says = fails
    broken = room.agent("%1", 1)
    room.update(broken)
    await room.becomes("idle")
    room.says = says("waiting")
    room.update(broken, room.agent("%2"))
    await room.becomes("waiting", "%2")
    room.read(p1="* works")
    await room.becomes("running")
    assert "failed" in caplog.text


@pytest.mark.parametrize("other", ["x", "y"], ids=["of its kind", "of another kind"])
async def test_a_reader_that_hangs_delays_nobody(
    room: Room, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setattr(tracking, "PATIENCE", 0.05)
    free = threading.Event()

    def hangs(facts: Facts, files: Files) -> Look:
        assert free.wait(20)
        return Look((Signal("registry", only("error")),))

    try:
        room.says = hangs
        stuck = room.agent("%1", 1)
        room.update(stuck)
        room.read(p1="! asks")
        await room.becomes("waiting")  # its title is heard though its files are not
        room.says = says("done")
        kind = room.kind if other == room.kind.name else replace(room.kind, name=other)
        room.update(stuck, room.agent("%2", kind=kind))
        await room.becomes("done", "%2")
        room.readers[1].says = says("waiting")
        room.tracker._want(room.agent("%2").id)
        await room.becomes("waiting", "%2")
        assert room.readers[0].looks == 1
    finally:
        free.set()
    await room.becomes("error")


async def test_a_look_that_ends_after_its_agent_counts_for_nobody(room: Room) -> None:
    free, begun = threading.Event(), threading.Event()

    def slow(facts: Facts, files: Files) -> Look:
        begun.set()
        assert free.wait(20)
        return Look((Signal("registry", only("error")),), watch=("/tmp",))

    try:
        room.says = slow
        room.update(room.agent("%1", 1))
        await room.until(begun.is_set)
        room.says = says("running")
        room.update(room.agent("%1", 2))
        await room.becomes("running")
    finally:
        free.set()
    room.update(room.agent("%1", 2), room.agent("%2", 3))
    await room.becomes("running", "%2")
    assert room.shown() is not None
    assert room.shown().state == "running"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "nonsense",
    [
        Look((Signal("registry", frozenset()),)),
        Look((Signal("registry", frozenset({"flying"})),)),  # type: ignore[arg-type]
        Look(
            (Signal("registry", WORKING, at=float("nan"), lag=float("inf"), good_for=-1.0),),
            again=float("nan"),
        ),
        Look(watch=tuple(f"/nowhere/{number}" for number in range(500)), again=-5.0),
        Look(watch=("relative", "", "a\0b", "/" + "x" * 5000, "\udcff\ud800")),
        Look((None,)),  # type: ignore[arg-type]
    ],
)
async def test_nonsense_harms_nobody(room: Room, nonsense: Look) -> None:
    room.says = lambda facts, files: nonsense
    odd = room.agent("%1", 1)
    room.update(odd)
    await room.until(lambda: room.readers[0].looks)
    room.says = says("waiting")
    room.update(odd, room.agent("%2"))
    await room.becomes("waiting", "%2")
    room.read(p1="* works")
    await room.becomes("running")
    loop = asyncio.get_running_loop()
    looks, began = room.readers[0].looks, loop.time()
    await asyncio.sleep(0.3)
    assert room.readers[0].looks <= looks + 2 + (loop.time() - began) / tracking.OVERDUE, (
        "odd wishes to look again are not granted twenty times a second"
    )


async def test_two_in_one_folder_know_of_each_other_at_their_first_look(room: Room) -> None:
    room.update(room.agent("%1"), room.agent("%2"))
    await room.until(lambda: len(room.readers) == 2 and all(each.looks for each in room.readers))
    assert [each.facts[0].rivals for each in room.readers] == [1, 1]
    room.update(room.agent("%2"))
    await room.until(lambda: room.readers[1].facts[-1].rivals == 0)


async def test_one_conversation_belongs_to_one(room: Room) -> None:
    room.says = says("idle", about=About(thread="t-1"))
    first = room.agent("%1")
    room.update(first)
    await room.becomes("idle")
    room.says = says("idle")
    room.update(first, room.agent("%2"))
    await room.until(lambda: len(room.readers) == 2 and room.readers[1].looks)
    assert room.readers[1].facts[0].taken == {"t-1"}
    assert room.readers[0].facts[-1].taken == frozenset()


async def test_a_changed_file_is_read_soon_and_a_storm_of_changes_is_one(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("idle")
    room.says = lambda facts, files: Look(
        (Signal("registry", frozenset({(files.read(str(file)) or b"error").decode()})),),
        (str(file),),  # type: ignore[arg-type]
    )
    room.update(room.agent())
    await room.becomes("idle")
    for number in range(50):
        other = tmp_path / f"other{number}"
        other.write_text("running" if number % 2 else "waiting")
        other.replace(file)
    await room.becomes("running")
    file.write_text("waiting")
    await room.becomes("waiting")
    assert room.readers[0].looks < 50


# --- what comes, goes and becomes another one ---------------------------------------------------------------------


async def test_a_program_that_becomes_another_agent_is_read_as_that(room: Room) -> None:
    other = Kind("y", frozenset({"y"}))
    one = room.agent()
    room.says = says("error")
    room.update(one)
    await room.until(lambda: room.shown())
    room.update(replace(one, kind=other))
    await room.until(
        lambda: (agent := room.shown()) is not None and agent.agent == "y" and agent.state == "idle"
    )


async def test_a_launcher_that_dies_leaves_its_identity_to_one_heir(room: Room) -> None:
    launcher = room.agent(pid=1, below=(2, 3))
    room.update(launcher)
    await room.becomes("idle")
    second, third = room.agent(pid=2), room.agent(pid=3)
    room.update(second, third)
    await room.until(lambda: len(room.bus.state.muxes[MUX].agents.get("%1", ())) == 2)
    ids = {(agent.id, agent.pid) for agent in room.bus.state.muxes[MUX].agents["%1"]}
    assert ids == {(launcher.id, 2), (third.id, 3)}


async def test_the_next_tmux_server_has_none_of_the_last_ones_agents(room: Room) -> None:
    room.update(room.agent())
    room.read(p1="* works")
    await room.becomes("running")
    room.read(started=2)
    room.update()
    await asyncio.sleep(0.05)
    mux = room.bus.state.muxes[MUX]
    assert (dict(mux.agents), dict(mux.gone), room.tracker.living()) == ({}, {}, ())


def tracked_ones() -> list[Tracked]:
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, Tracked)]


async def test_ends_leave_nothing_behind(room: Room) -> None:
    room.says = lambda facts, files: Look((Signal("registry", WORKING),), ("/tmp",), again=3000.0)
    loop = asyncio.get_running_loop()
    others = tracked_ones()  # what tests before this one have not let go
    for turn in range(30):
        room.update(*(room.agent(f"%{number}", 100 * turn + number) for number in (1, 2, 3)))
        await room.until(lambda: sum(each.looks for each in room.readers[-3:]) >= 3)
        for id in [tracked.id for tracked in room.tracker.living()]:
            room.tracker._want(id)
    room.update()
    await room.until(lambda: not room.bus.state.muxes[MUX].agents)
    watch = room.tracker._watch
    assert watch is not None
    room.readers.clear()

    def left() -> object:
        """What an end has left behind; a look that was under way holds what it looks for until its end."""
        timers = [each for each in loop._scheduled if not each.cancelled() and each.when() > loop.time() + 1]  # type: ignore[attr-defined]
        paths = watch._wanted or watch._watches or watch._polled
        return timers or paths or room.tracker._dirty or len(tracked_ones()) > len(others)

    deadline = loop.time() + 20
    while (found := left()) and loop.time() < deadline:  # without a timer of its own
        await asyncio.sleep(0.05)
    assert not found


async def test_ten_thousand_changes_take_no_more_room_than_ten(room: Room) -> None:
    room.update(room.agent())
    await room.becomes("idle")
    id = room.agent().id
    for number in range(10_000):
        room.tracker.told(id, [Signal("hook", only("waiting" if number % 2 else "running"), event=True)])
        if number % 100 == 0:
            room.read(p2=f"title {number}", p3="* x")
            await asyncio.sleep(0)
    await room.becomes("waiting")
    assert len(room.tracker._titles) <= 3
    assert len(room.bus.state.muxes[MUX].agents) == 1
    assert len(asyncio.get_running_loop()._scheduled) < 50  # type: ignore[attr-defined]


async def test_panes_that_are_gone_are_forgotten(room: Room) -> None:
    for number in range(1000):
        room.titles = {f"%{number}": "t"}
        room.read()
    assert len(room.tracker._titles) == 1
    room.bus.dispatch(MuxLeft(MUX))
    assert len(room.tracker._titles) == 0


# --- titles -----------------------------------------------------------------------------------------------------


async def test_what_worked_in_a_pane_that_is_killed_was_interrupted(room: Room) -> None:
    """The pane is missed before its process is: the title that went with it has not said that all is quiet."""
    agent = room.agent()
    room.update(agent)
    room.read(p1="* works")
    await room.becomes("running")
    del room.titles["%1"]
    room.read(p2="something else")
    await room.until(lambda: room.tracker._settling is None)
    room.update()
    await room.until(lambda: not room.tracker.living() and room.tracker._settling is None)
    assert [past.agent.state for past in room.bus.state.muxes[MUX].gone.values()] == ["interrupted"]


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
async def test_a_clock_that_is_set_makes_no_title_anothers(
    room: Room, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    room.update(room.agent())
    await room.becomes("idle")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    room.read(p1="* works")
    since = (await room.becomes("running")).since
    assert abs(since - real() - jump) < 30
    monkeypatch.setattr(time, "time", lambda: real() - jump)
    room.read(p1="! asks")
    await room.becomes("waiting")


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
async def test_nor_is_a_left_over_title_its_own(
    room: Room, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    room.read(p1="plain")
    room.read(p1="* works")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    room.update(room.agent(start=this_system().now() + 1000))
    await room.becomes("idle")
    room.update(room.agent(start=this_system().now() + 1000), room.agent("%2"))
    await room.becomes("idle", "%2")
    assert room.shown().state == "idle"  # type: ignore[union-attr]


async def test_what_is_heard_before_the_first_look_is_not_lost(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "PATIENCE", 0.05)
    free = threading.Event()

    def hangs(facts: Facts, files: Files) -> Look:
        assert free.wait(20)
        return Look()

    room.says = hangs
    try:
        room.update(room.agent())
        (tracked,) = room.tracker.living()
        room.tracker.heard(tracked, Heard("Ask", {}), None)
        await room.becomes("waiting")
    finally:
        free.set()


async def test_the_title_of_a_pane_with_two_agents_is_nobodys(room: Room) -> None:
    first = room.agent("%1", 1)
    room.update(first)
    room.read(p1="* works")
    await room.becomes("running")
    room.update(first, room.agent("%1", 2))
    await room.until(
        lambda: [each.source for each in room.bus.state.muxes[MUX].agents["%1"]] == ["process", "process"]
    )


async def test_a_thousand_agents_cost_no_square(room: Room) -> None:
    """No wall clock: what is counted is how often readers look."""
    found = [room.agent(f"%{number}", 1000 + number) for number in range(1000)]
    room.update(*found)
    await room.until(lambda: len(room.bus.state.muxes[MUX].agents) == 1000)
    await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    looks, began, dirty = sum(each.looks for each in room.readers), loop.time(), set(room.tracker._dirty)
    assert looks <= 4000
    room.tracker.told(found[5].id, [Signal("hook", only("waiting"), event=True)])
    await room.becomes("waiting", "%5")
    assert set(room.tracker._dirty) <= {found[5].id} | dirty, "nobody else is to be looked at for it"
    # Those whose turn had not come yet look one after the other.
    assert sum(each.looks for each in room.readers) <= looks + 4 + (loop.time() - began) / tracking.GAP


async def test_who_waits_for_what_never_comes_waits_ever_longer(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "SLOW", 0.05)
    moments: list[float] = []

    def says(facts: Facts, files: Files) -> Look:
        moments.append(time.monotonic())
        return Look(again=0.05)

    room.says = says
    room.update(room.agent())
    await room.until(lambda: len(moments) >= 5)
    gaps = [later - sooner for sooner, later in pairwise(moments[1:])]
    assert all(gap >= 0.05 * 2**place for place, gap in enumerate(gaps))
