"""Where the attention key leads, and back: grouped sessions, clients that are gone, targets that mean several."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.attend import Call, following
from opensessions.errors import Refused
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Agent, Client, Inventory, Link, Pane, Session, Window
from opensessions.processes.source import this_system
from opensessions.provider import SwitchClient
from opensessions.server.attention import Attention
from opensessions.server.bus import Bus
from opensessions.server.tracking import Tracker

ONE, TWO = "/dev/pts/1", "/dev/pts/2"


def agent(mux: str, pane: str, state: str = "waiting", kind: str = "x", **more: Any) -> Agent:
    return Agent(f"{mux}:{pane}:{kind}", kind, pane, 1, state, **more)  # type: ignore[arg-type]


class Room:
    """A multiplexer that does what it is told: a switch changes what its client shows."""

    def __init__(self, *keys: str) -> None:
        self.bus = Bus("i")
        self.done: list[SwitchClient] = []
        self.current: dict[str, str] = {}
        verbs = SimpleNamespace(
            add=lambda name, verb: setattr(self, name.replace("-", "_"), verb),
            pick=lambda arguments: arguments.get("mux") or keys[0],
            client=lambda key, arguments: arguments["client"],
        )
        muxes = SimpleNamespace(
            muxes=dict.fromkeys(keys),
            get=lambda key: SimpleNamespace(provider=SimpleNamespace(do=self._do(key))),
        )
        self.attention: Any = None
        self.attention_back: Any = None
        self.agent_focus: Any = None
        self.room = Attention(self.bus, muxes, verbs, Tracker(self.bus, this_system()))  # type: ignore[arg-type]
        self.inventories: dict[str, Inventory] = {}
        for key in keys:
            self.bus.dispatch(MuxJoined(key, "tmux", f"/{key}", SavedArrangement()))

    def _do(self, key: str) -> Any:
        async def do(command: SwitchClient) -> str:
            self.done.append(command)
            old = self.inventories[key]
            window = next(
                (
                    each.id
                    for each in old.windows.values()
                    if any(pane.id == command.pane for pane in each.panes)
                ),
                "",
            )
            sessions = tuple(
                replace(
                    each, links=tuple(replace(link, current=link.window == window) for link in each.links)
                )
                if each.id == command.session and window
                else each
                for each in old.sessions
            )
            windows = {
                id: replace(
                    each, panes=tuple(replace(pane, active=pane.id == command.pane) for pane in each.panes)
                )
                if id == window
                else each
                for id, each in old.windows.items()
            }
            clients = tuple(
                replace(each, session=command.session) if each.name == command.client else each
                for each in old.clients
            )
            self.read(key, replace(old, sessions=sessions, windows=windows, clients=clients))
            return ""

        return do

    def read(self, key: str, inventory: Inventory) -> None:
        self.inventories[key] = inventory
        self.bus.dispatch(InventoryRead(key, inventory))

    def place(self, key: str, sessions: dict[str, str], clients: dict[str, str], panes: int = 1) -> None:
        """Sessions with the numbers of their windows (the first is the current one), clients with their sessions.
        Window @3 holds the panes %3, %30, %31 …"""
        made = tuple(
            Session(
                id, f"s{id[1:]}", links=tuple(Link(f"@{n}", at, at == 0) for at, n in enumerate(own.split()))
            )
            for id, own in sessions.items()
        )
        windows = {}
        for number in {n for own in sessions.values() for n in own.split()}:
            names = [f"%{number}", *(f"%{number}{at}" for at in range(panes - 1))]
            held = tuple(Pane(name, f"@{number}", 1, active=at == 0) for at, name in enumerate(names))
            windows[f"@{number}"] = Window(f"@{number}", panes=held)
        named = tuple(Client(name, session, pid=at) for at, (name, session) in enumerate(clients.items(), 10))
        self.read(key, Inventory(1, 1, "3.3a", made, windows, named))

    def see(self, key: str, *agents: Agent) -> None:
        group: dict[str, tuple[Agent, ...]] = {}
        for each in agents:
            group[each.pane] = (*group.get(each.pane, ()), each)
        self.bus.dispatch(AgentsSeen(key, group, 5.0))

    def at(self, key: str, client: str) -> tuple[str, str] | None:
        place = self.room._place(key, client)
        return (place.session, place.pane) if place else None


@pytest.fixture
async def room() -> Room:
    return Room("a", "b")


async def test_a_window_of_several_sessions_is_shown_in_the_clients_own(room: Room) -> None:
    room.place("a", {"$1": "1 2", "$2": "1 2"}, {ONE: "$2"})
    room.see("a", agent("a", "%2"))
    await room.attention({"client": ONE})
    assert room.at("a", ONE) == ("$2", "%2"), "it stays in its session"


async def test_a_pane_that_moved_or_whose_session_went_is_found(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2", "$3": "3"}, {ONE: "$1"})
    room.see("a", agent("a", "%2"))
    room.place("a", {"$1": "1", "$3": "3 2"}, {ONE: "$1"})
    await room.attention({"client": ONE})
    assert room.at("a", ONE) == ("$3", "%2")
    room.place("a", {"$1": "1"}, {ONE: "$1"})
    with pytest.raises(Refused, match="gone"):
        await room.attention({"client": ONE})


async def test_back_is_where_each_client_was(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2", "$3": "3"}, {ONE: "$1", TWO: "$2"})
    room.see("a", agent("a", "%3"))
    await room.attention({"client": ONE})
    await room.attention({"client": TWO})
    await room.attention_back({"client": ONE})
    assert (room.at("a", ONE), room.at("a", TWO)) == (("$1", "%1"), ("$3", "%3"))
    await room.attention_back({"client": TWO})
    assert room.at("a", TWO) == ("$2", "%2")
    with pytest.raises(Refused):
        await room.attention_back({"client": TWO})


async def test_back_passes_over_what_is_gone_and_where_one_is(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2", "$3": "3", "$4": "4"}, {ONE: "$1"})
    for pane in ("%2", "%3", "%4"):
        room.see("a", agent("a", pane))
        await room.attention({"client": ONE})
    room.place("a", {"$1": "1", "$2": "2", "$4": "4"}, {ONE: "$2"})
    await room.attention_back({"client": ONE})
    assert room.at("a", ONE) == ("$1", "%1"), "session 3 is gone, and it is in 2 already"


async def test_back_to_a_session_whose_pane_went_elsewhere(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2"}, {ONE: "$1"})
    room.see("a", agent("a", "%2"))
    await room.attention({"client": ONE})
    room.place("a", {"$1": "5", "$2": "2 1"}, {ONE: "$2"})
    assert await room.attention_back({"client": ONE}) == {"session": "$1", "pane": None}


async def test_the_next_client_on_a_terminal_inherits_no_way_back(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2"}, {ONE: "$1"})
    room.see("a", agent("a", "%2"))
    await room.attention({"client": ONE})
    room.place("a", {"$1": "1", "$2": "2"}, {TWO: "$1", ONE: "$2"})
    with pytest.raises(Refused, match="no place"):
        await room.attention_back({"client": ONE})


async def test_clients_that_are_gone_are_forgotten(room: Room) -> None:
    for number in range(100):
        client = f"/dev/pts/{number}"
        room.place("a", {"$1": "1", "$2": "2"}, {client: "$1"})
        room.see("a", agent("a", "%2"))
        await room.attention({"client": client})
    assert len(room.room._back) <= 2


async def test_where_one_is_already_no_jump_is_remembered(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2"}, {ONE: "$1"})
    room.see("a", agent("a", "%2"))
    await room.agent_focus({"client": ONE, "target": "%2"})
    await room.agent_focus({"client": ONE, "target": "%2"})
    await room.attention_back({"client": ONE})
    assert room.at("a", ONE) == ("$1", "%1")


async def test_two_agents_in_a_pane_hide_no_third(room: Room) -> None:
    calls = [Call("a", "%1", "x"), Call("a", "%2", "y"), Call("a", "%1", "z")]
    assert following(calls, ("a", "%1")) == calls[1]
    assert following(calls, ("a", "%2")) == calls[2]
    assert following([calls[0], calls[2]], ("a", "%1")) is None


async def test_the_pane_of_an_agent_that_has_exited_can_be_shown(room: Room) -> None:
    room.place("a", {"$1": "1", "$2": "2"}, {ONE: "$1"})
    room.see("a", agent("a", "%2", "running"))
    room.see("a")
    await room.agent_focus({"client": ONE, "target": "%2"})
    assert room.at("a", ONE) == ("$2", "%2")


async def test_a_name_in_two_multiplexers_means_the_callers(room: Room) -> None:
    for key in ("a", "b"):
        room.place(key, {"$1": "1"}, {})
        room.see(key, agent(key, "%1"))
    for key in ("a", "b"):
        for target in ("%1", "$1", "s1", "=s1"):
            assert room.room.meant({"target": target, "mux": key})[0] == key
    assert room.room.meant({"target": "b:%1:x", "mux": "a"})[0] == "b", "an id means one in all the world"
    with pytest.raises(Refused, match="a:%1:x"):
        room.room.meant({"target": "%1", "mux": ""})


@pytest.mark.parametrize(
    "target", ["", "%", "$", "=", "%99", "\udcff", "x" * 100_000, "a\nb\x1b[31m", "#(touch x)"]
)
async def test_odd_targets_mean_nobody(room: Room, target: str) -> None:
    room.place("a", {"$1": "1"}, {})
    room.see("a", agent("a", "%1"), agent("a", "%1", kind="y"))
    with pytest.raises(Refused) as refused:
        room.room.meant({"target": target})
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()
    with pytest.raises(Refused):
        room.room.meant({})
    with pytest.raises(Refused, match="a:%1:x"):
        room.room.meant({"target": "%1"})
