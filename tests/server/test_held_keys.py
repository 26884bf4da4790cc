"""Keys that come before the server knows that their sidebar has the focus."""

from __future__ import annotations

import pytest

from opensessions.events import AgentsSeen
from opensessions.model import Agent
from tests.server.test_questions import MUX, Room, room  # noqa: F401


@pytest.fixture
async def elsewhere(room: Room) -> Room:  # noqa: F811
    """The other pane has the focus, as far as was read."""
    room.look(focused=False)
    room.type("?")
    return room


async def test_they_wait_for_a_reading_that_was_begun_after_them(elsewhere: Room) -> None:
    elsewhere.look(focused=False)  # it was under way when the key came
    assert not elsewhere.sidebar.ui.help
    elsewhere.look(focused=True)
    assert elsewhere.sidebar.ui.help


async def test_nothing_but_a_reading_decides(elsewhere: Room) -> None:
    for pid in range(5):
        elsewhere.bus.dispatch(AgentsSeen(MUX, {"%1": (Agent(str(pid), "codex", "%1", 7 + pid),)}))
    elsewhere.look(focused=True)
    assert elsewhere.sidebar.ui.help


async def test_where_the_focus_is_elsewhere_they_do_nothing(elsewhere: Room) -> None:
    elsewhere.look(focused=False)
    elsewhere.look(focused=False)
    elsewhere.look(focused=True)
    assert not elsewhere.sidebar.ui.help
