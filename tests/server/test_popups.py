"""A sidebar in a popup: it belongs to a client and has no pane."""

from __future__ import annotations

from pathlib import Path

import pytest

from opensessions import wire
from opensessions.provider import ShowMessage, SwitchClient
from opensessions.server import moments
from opensessions.server.sidebar import Sidebar
from tests.server.test_questions import MUX, Room

CLIENT = "/dev/pts/1"


class Transport:
    """What the popup's pump would receive."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bytes]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += wire.Frames().feed(data)

    def close(self) -> None:
        self.closed = True


class PopupRoom(Room):
    """The room with a popup instead of the sidebar's pane; the client looks at the agent's pane."""

    def popup(self, client: str = CLIENT) -> Sidebar:
        self.look(focused=False)
        self.transport = Transport()
        hello = {"socket": "/s", "pane": "", "client": client, "cols": "50", "rows": "12"}
        self.sidebar = self.all.attach(hello, self.transport)  # type: ignore[arg-type]
        return self.sidebar


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PopupRoom:
    monkeypatch.setattr(moments, "READ", 0.0)
    room = PopupRoom(tmp_path)
    room.popup()
    return room


async def test_it_is_painted_for_its_client_with_the_cursor_on_its_session(room: PopupRoom) -> None:
    assert room.sidebar.frame
    assert "api" in room.sidebar.frame.text()
    assert (room.sidebar.own, room.sidebar.looker, room.sidebar.focused) == ("$1", "$1", True)
    assert room.transport.sent[0][0] == b"P"


async def test_a_choice_switches_its_client_and_closes_it(room: PopupRoom) -> None:
    room.type("\r")
    await room.done()
    assert room.told == [SwitchClient(CLIENT, "$1", keep_sidebar=False)]
    assert room.transport.sent[-1] == (b"B", b"")
    assert room.transport.closed


@pytest.mark.parametrize("key", ["q", "\x03"])
async def test_closing_it_changes_nothing_else(room: PopupRoom, key: str) -> None:
    room.type(key)
    await room.done()
    assert room.told == room.asked == []
    assert room.transport.closed


async def test_it_has_a_width_of_its_own(room: PopupRoom) -> None:
    room.type(">")
    await room.done()
    (said,) = room.told
    assert isinstance(said, ShowMessage)
    assert "width of its own" in said.text
    assert not room.transport.closed


async def test_what_is_confirmed_in_it_is_done(room: PopupRoom) -> None:
    room.type("D")
    room.type("y")
    asked = {"verb": "session-kill", "mux": MUX, "target": "$1", "created": "3"}
    assert await room.done() == [asked, {**asked, "token": "t"}]
    assert not room.transport.closed


async def test_a_client_that_is_not_there_sees_nothing_and_does_nothing(room: PopupRoom) -> None:
    room.popup("/dev/pts/99")
    assert room.sidebar.frame is None
    room.type("\r")
    room.look(focused=False)
    assert await room.done() == []
    assert room.told == []
    assert room.transport.sent == []
