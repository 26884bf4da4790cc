"""Sleeping by the clock: who is put to sleep when, what happens where it fails, when rows go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.attend import KEPT_ASLEEP, Nap, asleep
from opensessions.errors import MuxError, Refused
from opensessions.events import AgentHibernated, AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Agent, Client, Inventory, Link, Pane, Session, Window
from opensessions.processes.identity import ProcId
from opensessions.processes.killer import Outcome
from opensessions.processes.source import this_system
from opensessions.provider import Announce, Command, TypeLine
from opensessions.server import hibernate
from opensessions.server.bus import Bus
from opensessions.server.hibernate import Hibernation

MUX = "tmux-0"
PANES = ("%1", "%2", "%3")


def agent(pane: str, state: str = "done", rested: float = 100.0, **more: Any) -> Agent:
    """`rested`: for so many seconds."""
    return Agent(
        f"{MUX}:{pane}", "codex", pane, int(pane[1:]), state=state, thread="t", since=time.time() - rested,
        confidence="high", **more,
    )  # type: ignore[arg-type] # fmt: skip


class Room:
    """Hibernation with a multiplexer that only listens, and endings that only pretend."""

    def __init__(self, after: float) -> None:
        self.bus = Bus("i")
        self.tasks: set[asyncio.Task[None]] = set()
        self.ended: list[str] = []
        self.told: list[Command] = []
        self.fails: Exception | str = ""
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        self.verbs: dict[str, Any] = {}
        provider = SimpleNamespace(do=self._do, look=self._look)
        muxes = SimpleNamespace(get=lambda key: SimpleNamespace(provider=provider))
        tracked = SimpleNamespace(
            cwd="/src", found=SimpleNamespace(kind=SimpleNamespace(resume=("codex", "resume", "{thread}")))
        )
        self.room = Hibernation(
            self.bus,
            muxes,  # type: ignore[arg-type]
            SimpleNamespace(add=self.verbs.__setitem__),  # type: ignore[arg-type]
            SimpleNamespace(meant=lambda arguments: (MUX, self.found(arguments["target"]))),  # type: ignore[arg-type]
            SimpleNamespace(get=lambda id: tracked),  # type: ignore[arg-type]
            SimpleNamespace(agent=self._target, end_agent=self._end),  # type: ignore[arg-type]
            this_system(),
            after,
            self._spawn,
        )
        self.looks_at("")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _do(self, command: Command) -> str:
        self.told.append(command)
        return ""

    async def _look(self) -> Inventory:
        inventory = self.bus.state.muxes[MUX].inventory
        if inventory is None:
            raise MuxError("tmux does not answer.")
        return inventory

    async def _target(self, mux: str, one: Agent, *_: object) -> str:
        return one.id

    async def _end(self, target: str, why: str, bar: Callable[[], str]) -> tuple[Outcome, ...]:
        reason = bar() or self.fails
        if isinstance(reason, Exception):
            raise reason
        if not reason:
            self.ended.append(target)
        return (Outcome(ProcId(7, 1), "refused" if reason else "exited_on_term", reason),)

    def found(self, id: str) -> Agent:
        living = [each for group in self.bus.state.muxes[MUX].agents.values() for each in group]
        return next(each for each in living if each.id == id)

    def looks_at(self, pane: str) -> None:
        """A client whose current window holds this pane; "": one that looks at none of them."""
        windows = {
            f"@{id}": Window(f"@{id}", panes=(Pane(id, f"@{id}", 500, True),)) for id in (*PANES, "%9")
        }
        links = tuple(Link(f"@{id}", at, id == (pane or "%9")) for at, id in enumerate((*PANES, "%9")))
        session = Session("$1", "s", links=links)
        inventory = Inventory(1, 1, "3.3a", (session,), windows, (Client("/dev/pts/1", "$1"),))
        self.bus.dispatch(InventoryRead(MUX, inventory))

    def see(self, *agents: Agent) -> None:
        self.bus.dispatch(AgentsSeen(MUX, {each.pane: (each,) for each in agents}))

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not what():
                await asyncio.sleep(0.005)

    @property
    def waits(self) -> float | None:
        """Seconds until the timer, None where there is none."""
        timer = self.room._timer
        return timer.when() - asyncio.get_running_loop().time() if timer else None

    def asleep(self) -> list[str]:
        return [nap.agent.pane for nap in self.bus.state.muxes[MUX].asleep.values()]


async def test_one_timer_for_whoever_is_due_next() -> None:
    room = Room(1000.0)
    assert room.waits is None
    room.see(agent("%1", rested=100), agent("%2", rested=400), agent("%3", "running"))
    assert room.waits == pytest.approx(600, abs=60)
    room.see(agent("%1", rested=100))
    assert room.waits == pytest.approx(900, abs=60)
    room.see(agent("%1", "waiting"))
    assert room.waits is None
    room.room.close()


async def test_where_it_is_off_no_timer_is_ever_set() -> None:
    room = Room(0.0)
    room.see(agent("%1", rested=1e9))
    assert room.waits is None


async def test_who_has_rested_for_long_is_put_to_sleep() -> None:
    room, began = Room(60.0), time.time()
    room.see(agent("%1", rested=100), agent("%2", rested=0), agent("%3", "running", rested=1000))
    await room.until(lambda: room.asleep() == ["%1"])
    assert room.ended == [f"{MUX}:%1"]
    nap = room.bus.state.muxes[MUX].asleep[f"{MUX}:%1"]
    assert (nap.resume, nap.folder, nap.generation) == (("codex", "resume", "t"), "/src", "1.1")
    assert began - 0.1 <= nap.agent.since <= time.time() + 0.1
    room.room.close()


async def test_rest_begins_when_nobody_looks_any_more() -> None:
    room = Room(50.0)
    room.looks_at("%1")
    room.see(agent("%1", rested=1000))
    assert room.waits is None
    room.looks_at("%2")
    assert room.waits == pytest.approx(50, abs=40)
    assert room.ended == []
    room.room.close()


async def test_what_does_not_end_is_told_once_for_each_rest() -> None:
    room = Room(50.0)
    room.fails = "It belongs to another user."
    rests = agent("%1", rested=100)
    room.see(rests)
    await room.until(lambda: room.told)
    (told,) = room.told
    assert isinstance(told, Announce)
    assert told.clients == ("/dev/pts/1",)
    assert "does not hibernate" in told.text
    assert "another user" in told.text
    assert room.asleep() == []
    assert room.found(rests.id) == rests, "its row is as before"
    assert room.waits is None, "not again in this rest"
    room.see(agent("%1", "running", rested=0))
    room.fails = ""
    room.see(agent("%1", rested=60))
    await room.until(lambda: room.asleep() == ["%1"])
    room.room.close()


@pytest.mark.parametrize(
    "fault", [Refused("The audit log cannot be written."), MuxError("tmux does not answer.")]
)
async def test_a_fault_puts_nobody_to_sleep(fault: Exception) -> None:
    room = Room(50.0)
    room.fails = fault
    room.see(agent("%1", rested=100), agent("%2", rested=200))
    await room.until(lambda: len(room.told) == 2)
    assert room.asleep() == room.ended == []
    with pytest.raises(type(fault)):
        await room.verbs["agent-hibernate"]({"target": f"{MUX}:%1"})


async def test_who_begins_to_work_in_the_last_moment_goes_on() -> None:
    room = Room(50.0)
    before = room.room._endings.agent

    async def slow(mux: str, one: Agent, *_: object) -> Any:
        room.see(agent("%1", "running", rested=0))
        return await before(mux, one)

    room.room._endings.agent = slow  # type: ignore[method-assign]
    room.see(agent("%1", rested=100))
    await room.until(lambda: room.told)
    assert room.ended == room.asleep() == []


async def test_rows_go_after_a_week() -> None:
    room = Room(0.0)
    one = agent("%1")
    for slept, pane in ((KEPT_ASLEEP + 1, "%1"), (KEPT_ASLEEP - 100, "%2"), (5, "%3")):
        nap = Nap(asleep(replace(one, id=pane, pane=pane), time.time() - slept), ("x",), "/", "1.1")
        room.bus.dispatch(AgentHibernated(MUX, nap))
    assert room.asleep() == list(PANES)
    await room.until(lambda: room.asleep() == ["%2", "%3"])
    await room.until(lambda: room.waits)
    assert room.waits == pytest.approx(100, abs=60)
    room.room.close()
    assert room.waits is None


# --- waking -----------------------------------------------------------------------------------------------------


async def test_whom_a_target_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(0.0)
    monkeypatch.setattr(room.room, "_typed", lambda nap, shell: "codex resume t")
    for pane in ("%1", "%2"):
        one = replace(agent(pane), id=f"id{pane}")
        room.bus.dispatch(
            AgentHibernated(MUX, Nap(asleep(one, time.time()), ("codex", "resume", "t"), "/", "1.1"))
        )
    for target in ("%1", "id%1"):
        told = await room.verbs["agent-resume"]({"target": target, "mux": MUX})
        assert (told["pane"], told["typed"], told["command"]) == ("%1", True, "codex resume t")
    assert room.told == [TypeLine("%1", "codex resume t")] * 2
    for target, why in (
        ("s", "%1, %2"),
        ("$1", "%1, %2"),
        ("=s", "several"),
        ("%9", "No agent"),
        ("", "No agent"),
    ):
        with pytest.raises(Refused, match=why):
            await room.verbs["agent-resume"]({"target": target})
    with pytest.raises(Refused) as refused:
        await room.verbs["agent-resume"]({"target": "\x1b[2J\udc80"})
    assert str(refused.value).isprintable()


async def test_what_cannot_be_typed_is_told() -> None:
    room = Room(0.0)
    nap = Nap(asleep(agent("%1"), time.time()), ("codex", "resume", "t"), "/", "1.1")
    room.bus.dispatch(AgentHibernated(MUX, nap))
    told = await room.verbs["agent-resume"]({"target": "%1"})  # the pane's pid is nobody's
    assert (told["typed"], told["command"]) == (False, "codex resume t")
    assert "No shell waits" in told["why"]
    assert room.told == []


async def test_a_timer_further_away_than_a_day_is_set_again() -> None:
    room = Room(10 * hibernate.LONGEST)
    room.see(agent("%1", rested=0))
    assert room.waits == pytest.approx(hibernate.LONGEST, abs=60)
    room.room._due()
    await room.until(lambda: room.waits)
    assert room.waits == pytest.approx(hibernate.LONGEST, abs=60)
    assert room.ended == []
    room.room.close()
