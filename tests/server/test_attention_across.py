"""The attention key over several multiplexers: who is gone to, who stays, and the way back."""

from __future__ import annotations

import pytest

from opensessions.errors import Refused
from opensessions.server.crossing import Place, Traveller
from tests.server.test_attention import ONE, Room, agent


class Bridge:
    """Stands in for `Crossings`: terminals change sides at once."""

    def __init__(self, room: Room, *, open: bool = True) -> None:
        self.room = room
        self.open = open
        self.gone: list[Place] = []
        self.known: Traveller | None = None

    async def traveller(self, mux: str, client: str) -> Traveller | None:
        return self.known

    def can_leave(self, mux: str, traveller: Traveller | None) -> bool:
        return self.open

    def living(self) -> frozenset[int]:
        return frozenset({self.known.pid}) if self.known else frozenset()

    async def go(self, mux: str, client: str, to: Place, *, sidebar: bool = False) -> None:
        if not self.open:
            raise Refused("Type it yourself.")
        self.gone.append(to)
        if self.known is None:  # it takes the client's place, and its number
            (pid,) = (one.pid for one in self.room.inventories[mux].clients if one.name == client)
            self.known = Traveller(pid, to.mux)


@pytest.fixture
async def room() -> Room:
    made = Room("a", "b")
    made.place("a", {"$1": "1", "$2": "2"}, {ONE: "$1"})
    made.place("b", {"$1": "1", "$2": "2"}, {})
    return made


def bridge(room: Room, *, open: bool = True) -> Bridge:
    made = Bridge(room, open=open)
    room.room._crossings = made  # type: ignore[assignment]
    return made


async def test_who_waits_longest_wherever_it_is(room: Room) -> None:
    made = bridge(room)
    room.see("a", agent("a", "%2", since=20.0))
    room.see("b", agent("b", "%2", since=10.0))
    told = await room.attention({"client": ONE})
    assert made.gone == [Place("b", "$2", "%2")]
    assert told == {"pane": "%2", "agent": "b:%2:x", "left": 1}


async def test_what_waits_goes_before_what_is_done_elsewhere(room: Room) -> None:
    made = bridge(room)
    room.see("a", agent("a", "%2", since=20.0))
    room.see("b", agent("b", "%2", "done", since=10.0, unseen=True))
    await room.attention({"client": ONE})
    assert (made.gone, room.at("a", ONE)) == ([], ("$2", "%2"))


async def test_back_leads_to_the_multiplexer_where_the_jump_began(room: Room) -> None:
    made = bridge(room)
    room.see("b", agent("b", "%2"))
    await room.attention({"client": ONE})
    room.place("b", {"$1": "1", "$2": "2"}, {"/dev/pts/9": "$2"})
    assert await room.attention_back({"mux": "b", "client": "/dev/pts/9"}) == {"session": "$1", "pane": "%1"}
    assert made.gone == [Place("b", "$2", "%2"), Place("a", "$1", "%1")]
    with pytest.raises(Refused, match="no place"):
        await room.attention_back({"client": ONE})


async def test_who_cannot_leave_goes_to_those_who_wait_near(room: Room) -> None:
    bridge(room, open=False)
    room.see("a", agent("a", "%2", since=20.0))
    room.see("b", agent("b", "%2", since=10.0))
    await room.attention({"client": ONE})
    assert room.at("a", ONE) == ("$2", "%2")
    with pytest.raises(Refused, match="Type it yourself"):
        await room.attention({"client": ONE})


async def test_without_bridges_the_others_do_not_count(room: Room) -> None:
    room.see("b", agent("b", "%2"))
    with pytest.raises(Refused, match="No agent needs you"):
        await room.attention({"client": ONE})
    with pytest.raises(Refused, match="another multiplexer"):
        await room.room._go("a", ONE, Place("b", "$2"), None, [])
