"""What was done to rows is taken back: in order, what was done at once at once, and only what still means something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.attend import Nap, asleep
from opensessions.errors import Refused
from opensessions.events import (
    AgentDismissed,
    AgentHibernated,
    AgentsSeen,
    BelongingsSeen,
    GroupCollapsed,
    GroupMoved,
    InventoryRead,
    MuxJoined,
    RowHidden,
    RowMoved,
    SavedArrangement,
)
from opensessions.model import Agent, AgentState, Belonging, Inventory, Link, Pane, Session, Window
from opensessions.server.bus import Bus
from opensessions.server.undo import DEPTH, Undo
from opensessions.state import Mux, remembered

MUX = "tmux-0"
NAMES = ("api", "web", "docs", "ops")


IDS = {name: at for at, name in enumerate((*NAMES, "new"), 1)}


def inventory(*names: str, pid: int = 1) -> Inventory:
    """Sessions of one window with one pane each; nobody looks."""
    ids = [IDS[name] for name in names]
    sessions = tuple(
        Session(f"${IDS[name]}", name, links=(Link(f"@{IDS[name]}", 0, True),)) for name in names
    )
    windows = {f"@{id}": Window(f"@{id}", panes=(Pane(f"%{id}", f"@{id}", 9, True),)) for id in ids}
    return Inventory(pid, 1, "3.5a", sessions, windows)


def agent(state: AgentState = "idle", since: float = 1.0, pane: str = "%1") -> Agent:
    return Agent(f"agent-{pane}", "codex", pane, 7, state, since=since)


class Room:
    def __init__(self) -> None:
        self.bus = Bus("i")
        self.undo = Undo(self.bus)
        self.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement()))
        self.bus.dispatch(InventoryRead(MUX, inventory(*NAMES)))

    @property
    def mux(self) -> Mux:
        return self.bus.state.muxes[MUX]

    def rows(self) -> str:
        """The names of the listed rows, in order."""
        view = self.bus.view(MUX)
        assert view
        return " ".join(row.name for row in view.visible())

    def agents(self, *agents: Agent) -> None:
        self.bus.dispatch(AgentsSeen(MUX, {each.pane: (each,) for each in agents}))

    def shown(self) -> list[tuple[str, bool, str]]:
        view = self.bus.view(MUX)
        assert view
        return [(each.state, each.unseen, each.liveness) for row in view.sessions for each in row.agents]


@pytest.fixture
def room() -> Room:
    return Room()


def nothing_left(room: Room) -> None:
    with pytest.raises(Refused, match="nothing to undo"):
        room.undo.undo(MUX)


# --- rows -----------------------------------------------------------------------------------------------------


def test_hiding_and_moving_are_undone_the_last_first(room: Room) -> None:
    room.undo.do(RowMoved(MUX, "$4", -2))
    room.undo.do(RowHidden(MUX, "$1", hidden=True))
    room.undo.do(RowHidden(MUX, "$1", hidden=False))
    assert room.rows() == "api ops web docs"
    assert room.undo.undo(MUX) == "api is hidden again"
    assert room.rows() == "ops web docs"
    assert room.undo.undo(MUX) == "api is back in the list"
    assert room.undo.undo(MUX) == "ops is where it was"
    assert room.rows() == "api web docs ops"
    nothing_left(room)


def test_what_changes_nothing_is_no_step(room: Room) -> None:
    room.undo.do(RowHidden(MUX, "$1", hidden=False))
    room.undo.do(RowMoved(MUX, "$1", -1))
    room.undo.do(AgentDismissed(MUX, "nobody"))
    room.undo.do(RowHidden("tmux-9", "$1", hidden=True))
    nothing_left(room)


def test_a_group_is_moved_and_folded_back(room: Room) -> None:
    there = {"$1": Belonging("/p/.git"), "$2": Belonging("/p/.git", linked=True)}
    room.bus.dispatch(BelongingsSeen(MUX, there))
    room.undo.do(GroupMoved(MUX, "/p/.git", 2))
    room.undo.do(GroupCollapsed(MUX, "/p/.git", collapsed=True))
    assert room.rows() == "docs ops"
    assert room.undo.undo(MUX) == "p is open again"
    assert room.rows() == "docs ops api web"
    assert room.undo.undo(MUX) == "the group is where it was"
    assert room.rows() == "api web docs ops"


def test_a_group_that_is_gone_is_not_opened_again(room: Room) -> None:
    there = {"$1": Belonging("/p/.git"), "$2": Belonging("/p/.git", linked=True)}
    room.bus.dispatch(BelongingsSeen(MUX, there))
    room.undo.do(RowHidden(MUX, "$3", hidden=True))
    room.undo.do(GroupCollapsed(MUX, "/p/.git", collapsed=True))
    room.bus.dispatch(InventoryRead(MUX, inventory("api", "docs", "ops")))
    assert room.undo.undo(MUX) == "docs is back in the list"


def test_who_came_meanwhile_stays_and_who_went_is_not_missed(room: Room) -> None:
    room.undo.do(RowMoved(MUX, "$1", 3))
    room.undo.do(RowHidden(MUX, "$4", hidden=True))
    room.bus.dispatch(InventoryRead(MUX, inventory("api", "web", "docs")))
    room.bus.dispatch(InventoryRead(MUX, inventory("api", "web", "docs", "new")))
    assert room.rows() == "web docs api new"
    assert room.undo.undo(MUX) == "api is where it was"
    assert room.rows() == "api web docs new"
    nothing_left(room)


def test_another_run_of_the_multiplexer_has_nothing_to_undo(room: Room) -> None:
    room.undo.do(RowHidden(MUX, "$1", hidden=True))
    room.bus.dispatch(InventoryRead(MUX, inventory(*NAMES, pid=2)))
    nothing_left(room)
    assert room.rows() == "web docs ops"


def test_only_so_many_steps_are_kept(room: Room) -> None:
    for at in range(DEPTH + 10):
        room.undo.do(RowMoved(MUX, "$1", 1 if at % 2 == 0 else -1))
    for _ in range(DEPTH):
        room.undo.undo(MUX)
    nothing_left(room)


ACTS = st.lists(
    st.one_of(
        st.builds(RowHidden, st.just(MUX), st.sampled_from(["$1", "$2", "$3", "$4"]), st.booleans()),
        st.builds(RowMoved, st.just(MUX), st.sampled_from(["$1", "$2", "$3", "$4"]), st.integers(-4, 4)),
        st.builds(AgentDismissed, st.just(MUX), st.sampled_from(["agent-%1", "agent-%2"])),
    ),
    max_size=12,
)


@given(ACTS)
def test_whatever_was_done_undoing_all_of_it_brings_everything_back(acts: list[RowHidden]) -> None:
    room = Room()
    room.agents(agent("running", pane="%1"), agent("running", pane="%2"))
    room.agents(agent("done", 2.0, pane="%1"), agent("error", 2.0, pane="%2"))
    before = (room.bus.view(MUX), room.mux.order, room.mux.hidden, room.mux.dismissed)
    for act in acts:
        room.undo.do(act)
    for _ in acts:
        try:
            room.undo.undo(MUX)
        except Refused:
            break
    nothing_left(room)
    assert (room.bus.view(MUX), room.mux.order, room.mux.hidden, room.mux.dismissed) == before


# --- agents ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["done", "error", "interrupted"])
def test_how_a_turn_ended_is_dismissed_until_the_next_one(room: Room, state: AgentState) -> None:
    room.agents(agent("running"))
    room.agents(agent(state, 2.0))
    assert room.shown() == [(state, True, "alive")]
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    assert room.shown() == [("idle", False, "alive")]
    room.agents(agent(state, 2.0))
    assert room.shown() == [("idle", False, "alive")]
    assert room.undo.undo(MUX) == "codex is back"
    assert room.shown() == [(state, True, "alive")]
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    room.agents(agent("running", 3.0))
    room.agents(agent(state, 4.0))
    assert room.shown() == [(state, True, "alive")]
    nothing_left(room)


def test_who_waits_goes_on_waiting(room: Room) -> None:
    room.agents(agent("running"))
    room.agents(agent("waiting", 2.0))
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    assert room.shown() == [("waiting", False, "alive")]
    room.undo.undo(MUX)
    assert room.shown() == [("waiting", True, "alive")]


def test_a_row_that_went_comes_back_unless_its_place_is_taken(room: Room) -> None:
    room.agents(agent("running"))
    room.agents()
    assert room.shown() == [("interrupted", True, "exited")]
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    assert room.shown() == []
    room.undo.undo(MUX)
    assert room.shown() == [("interrupted", True, "exited")]
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    room.bus.dispatch(InventoryRead(MUX, inventory()))
    nothing_left(room)


def test_one_that_hibernates_comes_back_while_its_pane_is_free(room: Room) -> None:
    nap = Nap(asleep(agent(), 3.0), ("codex", "resume", "t"), "/", room.mux.generation)
    room.bus.dispatch(AgentHibernated(MUX, nap))
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    assert room.shown() == []
    room.undo.undo(MUX)
    assert room.shown() == [("hibernated", False, "exited")]
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    room.bus.dispatch(AgentsSeen(MUX, {"%1": (Agent("other", "codex", "%1", 8),)}))
    nothing_left(room)


def test_several_are_one_step(room: Room) -> None:
    room.agents(agent("running", pane="%1"), agent("running", pane="%2"), agent(pane="%3"))
    room.agents(agent("done", 2.0, "%1"), agent("error", 2.0, "%2"), agent(pane="%3"))
    room.undo.do(*(AgentDismissed(MUX, f"agent-%{at}") for at in (1, 2, 3)))
    assert [state for state, _, _ in room.shown()] == ["idle", "idle", "idle"]
    assert room.undo.undo(MUX) == "codex is back, and 1 more"
    assert [state for state, _, _ in room.shown()] == ["done", "error", "idle"]
    nothing_left(room)


def test_a_dismissal_outlives_a_restart(room: Room) -> None:
    room.agents(agent("running"))
    room.agents(agent("done", 2.0))
    room.undo.do(AgentDismissed(MUX, "agent-%1"))
    kept = remembered(room.mux)
    assert (kept["agent-%1"].state, kept["agent-%1"].dismissed) == ("done", True)
    again = Room()
    again.bus = Bus("i")
    again.bus.dispatch(MuxJoined(MUX, "tmux", "/s", SavedArrangement(), kept))
    again.bus.dispatch(InventoryRead(MUX, inventory(*NAMES)))
    again.agents()  # it was not found yet
    again.agents(agent("done", 2.0))
    assert again.shown() == [("idle", False, "alive")]
    again.agents(agent("done", 5.0))
    assert [state for state, _, _ in again.shown()] == ["done"]
