"""The lane above the rows: who is in it, in which order, and that it moves nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from opensessions.model import Agent, AgentState, MuxView
from opensessions.sidebar.intents import Go
from opensessions.sidebar.keys import Mouse
from opensessions.sidebar.lane import lane, lane_key
from opensessions.sidebar.scene import Scene, Ui, shape
from opensessions.sidebar.ui import press
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import mux, row


def agent(
    id: str, state: AgentState, since: float = 1.0, unseen: bool = True, waiting_for: str | None = None
) -> Agent:
    return Agent(id, "codex", f"%{id}", 1, state, unseen=unseen, since=since, waiting_for=waiting_for)


def rows(*groups: tuple[Agent, ...]) -> MuxView:
    """Sessions `s1`, `s2` … with these agents."""
    made = [replace(row(f"${at}", f"s{at}", at), agents=agents) for at, agents in enumerate(groups, 1)]
    return mux(*made)


CALLING = rows(
    (agent("1", "done"),),
    (agent("2", "waiting", 9.0, waiting_for="permission"), agent("3", "error")),
    (agent("4", "error"),),
    (agent("5", "waiting", 5.0, unseen=False),),
    (agent("6", "error", unseen=False), agent("7", "done", unseen=False), agent("8", "running")),
)


def scene(view: MuxView = CALLING, height: int = 24, width: int = 26) -> Scene:
    return Scene(view, width, height, own="$1", current="$1", focused=True, attention=True)


def test_who_waits_longest_comes_first_then_failures_then_what_has_ended_unseen() -> None:
    assert [called.row.name for called in lane(scene(), 9)] == ["s4", "s2", "s3", "s1"]
    assert [called.row.name for called in lane(scene(), 3)] == ["s4", "s2", "s3"]
    assert [called.agent.id for called in lane(scene(), 2)] == ["5", "2"]


@pytest.mark.parametrize(("height", "room"), [(24, 3), (20, 3), (19, 1), (12, 1), (11, 0), (3, 0)])
def test_its_room_depends_on_the_height_alone(height: int, room: int) -> None:
    quiet = scene(rows((), ()), height)
    assert shape(Ui(), scene(height=height)).lane == shape(Ui(), quiet).lane == room
    first = [view(there, Ui(), ViewOptions()).hits.index("$1") for there in (scene(height=height), quiet)]
    assert first[0] == first[1]
    assert shape(Ui(), replace(quiet, attention=False)).lane == 0


def test_what_it_says() -> None:
    lines = view(scene(), Ui(), ViewOptions()).text().split("\n")
    assert [line.rstrip() for line in lines[1:5]] == [
        " ! s4               codex", " ! s2          permission", " ✗ s3               codex", "",
    ]  # fmt: skip
    long = rows((agent("1", "waiting", waiting_for="may I remove everything"),))
    for columns in (15, 20, 26, 100):
        line = view(scene(long, width=columns), Ui(), ViewOptions(ascii=True)).text().split("\n")[1]
        assert len(line) == columns
        assert line.startswith(" ! s1 ")
        assert "may" in line[:40]


def test_a_click_in_it_goes_to_the_agents_pane_and_moves_no_cursor() -> None:
    there = scene()
    line = view(there, Ui(), ViewOptions()).hits.index(lane_key("$2"))
    ui, none = press(Ui(), Mouse("press", 1, 3, line), there)
    assert (ui.cursor, none) == ("$1", ())
    ui, wanted = press(ui, Mouse("release", 1, 3, line), there)
    assert (ui.cursor, wanted) == ("$1", (Go("$2", "%2"),))
