"""Whose hook it is: processes, conversations, panes; what is forged, late, or of an agent in no pane."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opensessions.agents.adapter import Heard, Ignored
from opensessions.agents.detect import Found
from opensessions.agents.kind import Kind
from opensessions.agents.signal import About, Signal, only
from opensessions.events import AgentEvent, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Inventory, Link, Pane, Session, Window
from opensessions.processes.source import this_system
from opensessions.server.bus import Bus
from opensessions.server.hearing import Hearing
from opensessions.server.tracking import Tracker

STATES = {"Ask": "waiting", "Begin": "running", "End": "done", "SessionStart": "idle"}


def hears(heard: Heard) -> Signal | Ignored | None:
    state = STATES.get(heard.event)
    return Signal("hook", only(state), event=True, detail=heard.event) if state else None  # type: ignore[arg-type]


KIND = Kind("x", frozenset({"x"}), hears=hears)
HELPER, STRANGER = 900, 901


class Room:
    """Two multiplexers, `a` and `b`, each with the panes %1 and %2; agents by (mux, pane)."""

    def __init__(self) -> None:
        self.bus = Bus("i")
        self.tracker = Tracker(self.bus, this_system())
        self.hearing = Hearing(
            self.bus, self.tracker, lambda pid: pid == HELPER, lambda pid: pid in (STRANGER, 100, 200)
        )
        for mux in "ab":
            self.bus.dispatch(MuxJoined(mux, "tmux", f"/{mux}", SavedArrangement()))
            windows = {f"@{n}": Window(f"@{n}", panes=(Pane(f"%{n}", f"@{n}", n),)) for n in (1, 2)}
            sessions = (
                Session("$1", "one", links=(Link("@1", 0), Link("@2", 1))),
                Session("$2", "two", links=(Link("@2", 0),)),
            )
            self.bus.dispatch(InventoryRead(mux, Inventory(1, 1, "3.3a", sessions, windows)))

    def agents(self, mux: str, **pids: int) -> None:
        """`p1=100`: an agent with this pid in pane %1, and one of the next pid below it."""
        found = {
            f"%{name[1:]}": [
                Found(
                    f"{mux}:%{name[1:]}:{pid}.1", KIND, f"%{name[1:]}", pid, this_system().now(), (pid + 1,)
                )
            ]
            for name, pid in pids.items()
        }
        self.tracker.update(mux, found)

    async def hook(self, event: str = "Ask", thread: str = "", **arguments: Any) -> str | None:
        """The pane of the agent that took it."""
        payload = json.dumps({"hook_event_name": event} | ({"session_id": thread} if thread else {}))
        answer: Any = await self.hearing.hook({"agent": "x", "payload": payload, **arguments})
        id: str | None = answer["agent"]
        return id and id.rpartition(":")[0]

    def state(self, mux: str = "a", pane: str = "%1") -> str:
        self.tracker._settle()
        agents = self.bus.state.muxes[mux].agents.get(pane, ())
        return agents[0].state if agents else "none"


@pytest.fixture
async def room() -> Room:
    found = Room()
    found.agents("a", p1=100, p2=200)
    return found


async def test_its_processes_tell(room: Room) -> None:
    assert await room.hook(pid="777,201,200,5", pane="%1", tmux="/a") == "a:%2"
    assert (room.state(pane="%1"), room.state(pane="%2")) == ("idle", "waiting")


async def test_an_agent_in_no_pane_is_nobody(room: Room) -> None:
    for tracked in room.tracker.living():
        tracked.facts = room.tracker._looker.facts(tracked.id, tracked.found, None, "/project", (), "")
    room.agents("a", p1=100)
    outside = {"pid": f"777,{STRANGER},1", "cwd": "/project"}
    assert await room.hook(**outside) is None
    assert await room.hook(**outside, pane="%1", tmux="/a") is None, "a terminal that was started from a pane"
    assert await room.hook(pid="777,778", cwd="/project") is None
    assert room.state() == "idle"


async def test_a_hook_that_was_cut_off_from_its_agent_goes_by_its_pane(room: Room) -> None:
    assert await room.hook(pid="777,1", pane="%2", tmux="/a") == "a:%2"
    assert await room.hook(pid="", pane="%2", tmux="/a") == "a:%2"
    assert await room.hook(pid="", pane="%2", tmux="/b") is None
    assert await room.hook(pid="", pane="%2", tmux="") is None


async def test_zellij_names_a_session_and_a_number(room: Room) -> None:
    room.bus.dispatch(MuxJoined("zellij", "zellij", "/run/zellij", SavedArrangement()))
    window = Window("a b/tab_0", panes=(Pane("a b/terminal_3", "a b/tab_0", 400),))
    session = Session("a b", "a b", links=(Link(window.id, 1, True),))
    room.bus.dispatch(
        InventoryRead("zellij", Inventory(0, 0, "0.45.1", (session,), {window.id: window}, servers=(1,)))
    )
    pane = "a b/terminal_3"
    found = Found(f"zellij:{pane}:400.1", KIND, pane, 400, this_system().now(), ())
    room.tracker.update("zellij", {pane: [found]})
    assert await room.hook(pid="", pane="", zellij="a b/3") == f"zellij:{pane}"
    assert await room.hook(pid="", pane="", zellij="a b/4") is None
    assert await room.hook(pid="", pane="%2", tmux="/a", zellij="a b/3") == "a:%2", "tmux in zellij"


async def test_two_servers_have_panes_of_one_name(room: Room) -> None:
    room.agents("b", p1=300)
    assert await room.hook(pid="301", pane="%1", tmux="/a") == "b:%1"
    assert await room.hook(pid="", pane="%1", tmux="/b") == "b:%1"


async def test_a_server_of_every_pane_goes_by_conversation_and_else_by_folder(room: Room) -> None:
    for tracked in room.tracker.living():
        folder = f"/project/{tracked.found.pane[1:]}"
        tracked.facts = room.tracker._looker.facts(tracked.id, tracked.found, None, folder, (), "")
    daemon = {"pid": f"777,{HELPER},100", "pane": "%1", "tmux": "/a"}
    assert await room.hook("Begin", "t-2", **daemon, cwd="/project/2") == "a:%2"
    room.state()
    assert await room.hook("Ask", "t-2", **daemon, cwd="/elsewhere") == "a:%2"
    room.tracker.told("a:%2:200.1", [Signal("transcript", only("waiting"), About(thread="t-2"))])
    room.state()
    assert await room.hook("Ask", "t-3", **daemon, cwd="/project/2") is None, (
        "another conversation in that folder"
    )


async def test_an_older_hook_that_comes_later_is_not_the_newer_word(room: Room) -> None:
    where = {"pid": "100"}
    now = this_system().now() * 10_000
    assert await room.hook("Begin", order=str(now - 300_000), **where) == "a:%1"
    assert await room.hook("End", order=str(now - 100_000), **where) == "a:%1"
    assert await room.hook("Begin", order=str(now - 200_000), **where) == "a:%1"
    assert room.state() == "done"
    assert await room.hook("Ask", order="0", **where) == "a:%1"
    assert room.state() == "waiting", "where the system tells no order the last one counts"
    assert await room.hook("End", order="9" * 40, **where) == "a:%1"
    assert await room.hook("Begin", order=str(now), **where) == "a:%1"
    assert room.state() == "running", "a number from nowhere closes no ears"


@pytest.mark.parametrize(
    "odd",
    [
        {"pid": "9" * 10_000}, {"pid": "-5"}, {"pid": ",,,"}, {"pid": "1" + ",1" * 100_000}, {"pid": "٣"},
        {"agentpid": "9" * 10_000, "pid": ""}, {"agentpid": "0", "pid": "0"}, {"order": "x" * 10_000}, {"order": "-1"},
        {"event": "x" * 5_000_000}, {"pane": "\udcff"}, {"tmux": "\udcff,\0"}, {"cwd": "\udcff" * 100},
        {"payload": "\udcff\x00{"}, {"payload": "[" * 100_000}, {"payload": '{"session_id":"\\ud800"}'},
        {"payload": '{"session_id":["a"],"properties":"b"}'}, {"payload": '{"hook_event_name":5,"type":{}}'},
        {"agent": ""}, {"agent": "nobody's" * 1000}, {"payload": "{}" + " " * 5_000_000},
    ],
)  # fmt: skip
async def test_odd_frames(room: Room, odd: dict[str, str]) -> None:
    arguments = {"agent": "x", "payload": '{"hook_event_name":"Ask"}', "pid": "100", **odd}
    answer = await room.hearing.hook(arguments)
    assert answer in ({"agent": None}, {"agent": "a:%1:100.1"})
    (tracked,) = (each for each in room.tracker.living() if each.found.pane == "%1")
    for claim in tracked.track.claims.values():
        assert len(claim.signal.detail) <= 200
    assert room.state() in ("idle", "waiting")


async def test_no_arguments_at_all(room: Room) -> None:
    assert await room.hearing.hook({}) == {"agent": None}


async def test_a_new_conversation_is_followed_and_a_nested_ones_is_not(room: Room) -> None:
    assert await room.hook("SessionStart", "t-1", pid="100") == "a:%1"
    room.state()
    assert await room.hook("SessionStart", "t-2", pid="100") == "a:%1", "only hooks ever said which one"
    room.tracker.told("a:%1:100.1", [Signal("registry", only("running"), About(thread="t-2"))])
    room.state()
    assert await room.hook("SessionStart", "t-9", pid="777,101,100") is None, "its files know better"
    assert await room.hook("End", "t-9", pid="777,101,100") is None
    assert room.state() == "running"


# --- the API ------------------------------------------------------------------------------------------------------


async def test_an_event_finds_its_agent_by_pane_session_or_conversation(room: Room) -> None:
    room.state()
    assert room.hearing.event(AgentEvent("a", "%1", "", "x", "waiting"))
    assert (room.state(pane="%1"), room.state(pane="%2")) == ("waiting", "idle")
    assert room.hearing.event(AgentEvent("a", "", "$2", "x", "error")), "its window is in two sessions"
    assert room.state(pane="%2") == "error"
    assert not room.hearing.event(AgentEvent("a", "", "$1", "x", "done")), "which of the two?"
    assert not room.hearing.event(AgentEvent("a", "%9", "", "x", "done"))
    assert not room.hearing.event(AgentEvent("b", "%1", "", "x", "done"))
    assert not room.hearing.event(AgentEvent("a", "%1", "", "y", "done"))


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1e300, 1e300, 0.0])
async def test_an_event_of_an_impossible_time(room: Room, at: float) -> None:
    room.state()
    assert room.hearing.event(AgentEvent("a", "%1", "", "x", "waiting", at=at))
    assert room.state() == "waiting"
    (agent,) = room.bus.state.muxes["a"].agents["%1"]
    assert 1e9 < agent.since < 1e11
