"""What a connected sidebar says after an act, for how long, and what it asks when an agent is to be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.events import AgentsSeen
from opensessions.model import Agent
from opensessions.provider import ChooseFolder, ShowMessage
from opensessions.server import moments
from opensessions.server.approve import Seat
from opensessions.server.sidebar import Sidebar
from opensessions.sidebar.confirm import Question, about_prompt
from opensessions.sidebar.renaming import Renaming
from tests.server.test_questions import MUX, Room


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(moments, "READ", 0.0)
    return Room(tmp_path)


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.005)


async def test_what_was_undone_stands_in_the_footer_until_the_next_key(room: Room) -> None:
    room.type("x")
    await room.done()
    room.type("Xu")
    await room.done()
    assert room.footer == "api is back in the list"
    room.type("j")
    assert "is back" not in room.footer


async def test_it_fades_by_itself(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "FADE", 0.0)
    monkeypatch.setattr(moments, "SPEED", 1e6)
    shown: list[str] = []
    paint = room.all._painter.paint

    def painted(sidebar: Sidebar) -> None:
        paint(sidebar)
        shown.append(room.footer)

    monkeypatch.setattr(room.all._painter, "paint", painted)
    room.type("x")
    await room.done()
    room.type("Xu")
    await room.done()
    await until(lambda: shown and "is back" not in shown[-1])
    assert "api is back in the list" in shown
    assert room.sidebar.fade is None


async def test_a_mouse_that_moves_is_no_key(room: Room) -> None:
    room.type("x")
    await room.done()
    room.type("Xu")
    await room.done()
    room.type("\x1b[<0;3;3m")
    assert "is back" in room.footer
    room.type("\x1b[<0;3;1M")
    assert "is back" not in room.footer


async def test_a_sidebar_that_goes_leaves_no_timer(room: Room) -> None:
    room.type("x")
    await room.done()
    room.type("Xu")
    await room.done()
    fade = room.sidebar.fade
    assert fade
    room.all.detach(room.sidebar)
    assert fade.cancelled()


async def test_the_client_is_named_to_who_carries_it_out(room: Room) -> None:
    room.type("a")
    room.type("b")
    room.type("N")
    assert await room.done() == [
        {"verb": "attention", "mux": MUX, "client": "/dev/pts/1"},
        {"verb": "attention-back", "mux": MUX, "client": "/dev/pts/1"},
    ]
    assert room.told == [ChooseFolder("/dev/pts/1")]


async def test_a_name_is_given(room: Room) -> None:
    room.answers["session-rename"] = {"session": "$1", "name": "a_b"}
    room.type("$\x15a.b\r")
    assert await room.done() == [{"verb": "session-rename", "mux": MUX, "target": "$1", "name": "a.b"}]
    assert room.footer == "its name is a_b"


async def test_a_session_that_went_while_its_name_was_typed_is_named_by_no_id(room: Room) -> None:
    room.sidebar.ui = replace(room.sidebar.ui, renaming=Renaming("$7", "gone"))
    room.type("\r")
    assert await room.done() == []
    assert room.told == [ShowMessage("/dev/pts/1", "The session that was to have this name is gone.")]


async def test_a_sidebar_that_went_meanwhile_is_told_nothing(room: Room) -> None:
    room.answers["session-rename"] = {"session": "$1", "name": "b"}
    room.type("$\x15b\r")
    room.all.detach(room.sidebar)
    assert len(await room.done()) == 1
    assert (room.sidebar.message, room.sidebar.fade) == ("", None)


class Approving:
    """Asks about whatever it is asked for."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.said: list[tuple[Seat, str, bool, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def question(self, seat: Seat, agent: str, allow: bool) -> Question:
        await self.gate.wait()
        view = self.room.bus.view(MUX)
        assert view
        return about_prompt(agent, allow, view.sessions[0], "make clean", "text")

    async def reply(self, seat: Seat, agent: str, allow: bool, text: str) -> str:
        self.said.append((seat, agent, allow, text))
        return "done"


@pytest.fixture
async def approving(room: Room) -> Approving:
    room.bus.dispatch(AgentsSeen(MUX, {"%1": (Agent("a", "codex", "%1", 7, "waiting"),)}))
    room.sidebar.pid = 6
    made = Approving(room)
    room.all.deeds.approval = made  # type: ignore[assignment]
    return made


async def test_a_permission_is_asked_about_and_the_seat_is_told(room: Room, approving: Approving) -> None:
    room.type("y")
    await room.done()
    assert room.footer == "approve codex in api? y/n"
    room.type("n")
    room.type("n")
    await room.done()
    assert room.footer == "deny codex in api? y/n"
    room.type("y")
    await room.done()
    assert approving.said == [(Seat(MUX, "%9", 6), "a", False, "text")]
    assert room.footer == "done"


async def test_who_is_at_something_else_by_then_is_not_asked(room: Room, approving: Approving) -> None:
    for keys, still in (("/", "/"), ("D", "kill"), ("?", ""), ("$", "name")):
        approving.gate.clear()
        room.type("y")
        room.type(keys)
        approving.gate.set()
        await room.done()
        assert "approve" not in room.footer
        assert still in room.footer
        room.type("\x03")
    assert approving.said == []


async def test_a_sidebar_without_the_focus_is_not_asked(room: Room, approving: Approving) -> None:
    approving.gate.clear()
    room.type("y")
    room.look(focused=False)
    approving.gate.set()
    await room.done()
    assert "approve" not in room.footer


async def test_why_nothing_is_answered_is_told(room: Room, approving: Approving) -> None:
    async def no(seat: Seat, agent: str, allow: bool) -> Question:
        raise Refused("Because.")

    approving.question = no  # type: ignore[method-assign]
    room.type("y")
    await room.done()
    assert room.told == [ShowMessage("/dev/pts/1", "Because.")]


async def test_keys_that_come_in_one_go_are_about_the_rows_as_they_are_then(room: Room) -> None:
    room.type("xXxu")
    await room.done()
    assert room.footer == "api is hidden again"
    mode = [room.bus.state.muxes[MUX].mode]
    for keys in ("\t\t", "\t\t\t", "\x1b[Z\x1b[Z"):
        room.type(keys)
        await room.done()
        mode.append(room.bus.state.muxes[MUX].mode)
    assert mode == ["all", "active", "active", "all"]
