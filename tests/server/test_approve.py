"""Who may answer an agent from a sidebar, when, and with which key: in doubt nothing is pressed."""

from __future__ import annotations

import asyncio
import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from opensessions.errors import Refused
from opensessions.events import AgentsSeen, InventoryRead, MuxJoined, SavedArrangement
from opensessions.model import Agent, Client, Inventory, Link, Pane, Session, Window
from opensessions.provider import Command, PressKey, ReadScreen
from opensessions.server.approve import Approval, Seat
from opensessions.server.bus import Bus
from opensessions.server.peer import peer_pid
from tests.agents.test_prompts import CODEX

MUX, OWNER = "tmux-0", "0" * 32
SEAT = Seat(MUX, "%9", 6)
ASKER = Agent("a", "codex", "%1", 7, "waiting", since=1.0)


def inventory(
    *, active: bool = True, mark: str = OWNER, dead: bool = False, looking: bool = True
) -> Inventory:
    """Session `api`: the agent's pane %1, and the sidebar %9, which process 6 is."""
    panes = (Pane("%1", "@1", 5, not active), Pane("%9", "@1", 6, active, dead, mark=mark))
    clients = (Client("/dev/pts/1", "$1"),) if looking else ()
    session = Session("$1", "api", 3, links=(Link("@1", 0, True),))
    return Inventory(1, 1, "3.5a", (session,), {"@1": Window("@1", panes=panes)}, clients)


class Room:
    def __init__(self, on: bool = True) -> None:
        self.bus = Bus("i")
        self.pressed: list[PressKey] = []
        self.now = inventory()
        self.screen = CODEX
        self.when_read: Any = lambda: None
        provider = SimpleNamespace(do=self._do, look=self._look)
        muxes: Any = SimpleNamespace(get=lambda key: SimpleNamespace(provider=provider))
        self.approval = Approval(self.bus, muxes, OWNER, on, "/home/u/config.yaml")
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        self.bus.dispatch(InventoryRead(MUX, self.now))
        self.agents(ASKER)

    def agents(self, *agents: Agent) -> None:
        self.bus.dispatch(AgentsSeen(MUX, {"%1": agents}))

    async def _look(self) -> Inventory:
        return self.now

    async def _do(self, command: Command) -> str:
        if isinstance(command, ReadScreen):
            assert command.pane == "%1"
            self.when_read()
            return self.screen
        assert isinstance(command, PressKey)
        self.pressed.append(command)
        return ""


@pytest.fixture
def room() -> Room:
    return Room()


async def refused(room: Room, words: str, seat: Seat = SEAT, agent: str = "a") -> None:
    """Neither is it asked nor answered."""
    with pytest.raises(Refused, match=words):
        await room.approval.question(seat, agent, True)
    with pytest.raises(Refused, match=words):
        await room.approval.reply(seat, agent, True, "")
    assert room.pressed == []


@pytest.mark.parametrize(("allow", "act", "key"), [(True, "approve", "y"), (False, "deny", "escape")])
async def test_the_question_names_what_is_asked_for_and_a_yes_presses_one_key(
    room: Room, allow: bool, act: str, key: str
) -> None:
    question = await room.approval.question(SEAT, "a", allow)
    assert (question.act, question.session, question.agents) == (act, "$1", ("a",))
    assert question.about == "$ make clean"
    assert await room.approval.reply(SEAT, "a", allow, question.text)
    assert room.pressed == [PressKey("%1", key)]


async def test_it_is_off_unless_the_user_wants_it() -> None:
    room = Room(on=False)
    await refused(room, r"approve: \{from_sidebar: true\}. in /home/u/config.yaml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"active": False}, "with the focus in it"),
        ({"looking": False}, "that you look at"),
        ({"mark": ""}, "from a sidebar of this"),
        ({"mark": "1" * 32}, "from a sidebar of this"),
        ({"dead": True}, "from a sidebar of this"),
    ],
)
async def test_only_a_sidebar_of_ours_that_is_looked_at_counts(
    room: Room, changes: dict[str, Any], words: str
) -> None:
    room.now = inventory(**changes)
    await refused(room, words)


@pytest.mark.parametrize(
    ("seat", "words"),
    [
        (Seat(MUX, ""), "not from a popup"),
        (Seat(MUX, "%9", 0), "not opened by the server"),
        (Seat(MUX, "%9", 5), "not opened by the server"),
        (Seat(MUX, "%1", 5), "from a sidebar of this"),
        (Seat(MUX, "%7", 6), "from a sidebar of this"),
    ],
)
async def test_only_the_process_of_that_sidebar_counts(room: Room, seat: Seat, words: str) -> None:
    await refused(room, words, seat)


@pytest.mark.parametrize(
    ("agents", "words"),
    [
        ((), "does not wait"),
        ((replace(ASKER, state="running"),), "does not wait"),
        ((ASKER, Agent("b", "codex", "%1", 8)), "several agents"),
        ((replace(ASKER, agent="aider"),), "aider cannot be answered"),
        ((replace(ASKER, agent="claude-code"),), "cannot be answered from here"),
    ],
)
async def test_only_an_agent_that_waits_and_is_known_counts(
    room: Room, agents: tuple[Agent, ...], words: str
) -> None:
    room.agents(*agents)
    await refused(room, words)


async def test_nobody_is_not_answered(room: Room) -> None:
    await refused(room, "gone", agent="nobody")


async def test_what_is_not_on_the_screen_is_not_answered(room: Room) -> None:
    room.screen = "$ "
    await refused(room, "What codex in api asks cannot be answered")


async def test_another_prompt_is_not_answered(room: Room) -> None:
    question = await room.approval.question(SEAT, "a", True)
    room.screen = CODEX.replace("make clean", "make all")
    with pytest.raises(Refused, match="something else by now"):
        await room.approval.reply(SEAT, "a", True, question.text)
    assert room.pressed == []


async def test_who_was_answered_while_the_screen_was_read_is_left_alone(room: Room) -> None:
    room.when_read = lambda: room.agents(replace(ASKER, state="running", since=2.0))
    await refused(room, "does not wait")


async def test_the_pid_at_the_other_end() -> None:
    ours, its = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
    assert peer_pid(transport) == os.getpid()
    transport.close()
    its.close()
    assert peer_pid(SimpleNamespace(get_extra_info=lambda name: None)) == 0  # type: ignore[arg-type]
