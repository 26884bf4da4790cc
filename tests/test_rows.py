"""In whose row an agent stands, and the row that it leaves: panes that move, windows with several sessions, clocks."""

from __future__ import annotations

from opensessions.events import (
    AgentDismissed,
    AgentsSeen,
    ContextSeen,
    InventoryRead,
    MuxJoined,
    PortsSeen,
    SavedArrangement,
    TimePassed,
)
from opensessions.model import Agent, AgentState, Context, Inventory, Link, Pane, Session, Window
from opensessions.reduce import reduce
from opensessions.snapshot import view
from opensessions.state import State


def agent(pane: str = "%1", state: AgentState = "running", pid: int = 1) -> Agent:
    return Agent(id=f"m:{pane}:{pid}.1", agent="x", pane=pane, pid=pid, state=state)


def inventory(
    sessions: dict[str, tuple[str, ...]], windows: dict[str, tuple[str, ...]], started: int = 1
) -> Inventory:
    """Sessions with their windows, windows with their panes."""
    return Inventory(
        1, started, "3.3a",
        tuple(
            Session(id, f"s{id}", links=tuple(Link(window, at, at == 0) for at, window in enumerate(own)))
            for id, own in sessions.items()
        ),
        {
            id: Window(id, panes=tuple(Pane(pane, id, 5, active=at == 0) for at, pane in enumerate(panes)))
            for id, panes in windows.items()
        },
    )  # fmt: skip


def after(*events: object, state: State | None = None) -> State:
    state = state or reduce(State(), MuxJoined("m", "tmux", "/s", SavedArrangement()))
    for event in events:
        state = reduce(state, event)  # type: ignore[arg-type]
    return state


def shown(state: State) -> dict[str, list[tuple[str, str]]]:
    """Session -> (pane, liveness) of each agent in its row; rows without agents are left out."""
    rows = view(state.muxes["m"]).sessions
    return {row.id: [(each.pane, each.liveness) for each in row.agents] for row in rows if row.agents}


APART = inventory({"$1": ("@1",), "$2": ("@2",)}, {"@1": ("%1", "%2"), "@2": ("%3",)})
SEEN, GONE = AgentsSeen("m", {"%1": (agent(),)}, 10.0), AgentsSeen("m", {}, 20.0)


def test_a_pane_that_was_moved_takes_the_exited_agents_row_along() -> None:
    joined = inventory({"$1": ("@1",), "$2": ("@2",)}, {"@1": ("%2",), "@2": ("%3", "%1")})
    assert shown(after(InventoryRead("m", APART), SEEN, InventoryRead("m", joined))) == {
        "$2": [("%1", "alive")]
    }
    ended = after(InventoryRead("m", APART), SEEN, InventoryRead("m", joined), GONE)
    assert shown(ended) == {"$2": [("%1", "exited")]}
    moved_after_its_end = after(InventoryRead("m", APART), SEEN, GONE, InventoryRead("m", joined))
    assert shown(moved_after_its_end) == {"$2": [("%1", "exited")]}


def test_a_window_of_several_sessions_shows_it_in_each() -> None:
    group = inventory({"$1": ("@1",), "$2": ("@1",)}, {"@1": ("%1", "%2")})
    both = after(InventoryRead("m", group), SEEN, GONE)
    assert shown(both) == {"$1": [("%1", "exited")], "$2": [("%1", "exited")]}
    one = inventory({"$2": ("@1",)}, {"@1": ("%1", "%2")})
    assert shown(after(InventoryRead("m", one), state=both)) == {"$2": [("%1", "exited")]}
    first_left = after(InventoryRead("m", group), SEEN, InventoryRead("m", one), GONE)
    assert shown(first_left) == {"$2": [("%1", "exited")]}
    closed = inventory({"$2": ("@1",)}, {"@1": ("%2",)})
    assert shown(after(InventoryRead("m", closed), state=first_left)) == {"$2": [("%1", "exited")]}


def test_a_session_that_was_killed_leaves_nothing() -> None:
    left = inventory({"$2": ("@2",)}, {"@2": ("%3",)})
    for events in ((GONE, InventoryRead("m", left)), (InventoryRead("m", left), GONE)):
        state = after(InventoryRead("m", APART), SEEN, *events)
        assert shown(state) == {}
        assert not state.muxes["m"].gone


def test_the_next_tmux_server_inherits_no_rows() -> None:
    again = inventory({"$1": ("@1",)}, {"@1": ("%1",)}, started=2)
    state = after(InventoryRead("m", APART), SEEN, InventoryRead("m", again), GONE)
    assert shown(state) == {}


def test_an_agent_leaves_one_row_however_often_it_is_said() -> None:
    state = after(InventoryRead("m", APART), SEEN, GONE, GONE, AgentsSeen("m", {}, 21.0))
    assert shown(state) == {"$1": [("%1", "exited")]}
    assert shown(after(SEEN, state=state)) == {"$1": [("%1", "alive")]}, "it was not gone"
    assert shown(after(AgentDismissed("m", agent().id), state=state)) == {}


def test_rows_end_by_a_clock_that_nobody_sets() -> None:
    """`at` is no time of day."""
    state = after(InventoryRead("m", APART), SEEN, GONE)
    assert shown(after(TimePassed("m", 20.0 + 899), state=state)) == {"$1": [("%1", "exited")]}
    assert shown(after(TimePassed("m", 20.0 + 900), state=state)) == {}


def test_a_row_tells_where_its_session_works() -> None:
    context = Context("main", True, "beside", "/r/.git")
    known = after(
        InventoryRead("m", APART), ContextSeen("m", {"$1": context}), PortsSeen("m", {"$2": (80, 3000)})
    )
    first, second = view(known.muxes["m"]).sessions
    assert (first.branch, first.dirty, first.worktree, first.ports) == ("main", True, "beside", ())
    assert (second.branch, second.dirty, second.worktree, second.ports) == (None, None, None, (80, 3000))
    same = after(ContextSeen("m", {"$1": context}), PortsSeen("m", {"$2": (80, 3000)}), state=known)
    assert same is known
    again = after(InventoryRead("m", inventory({"$1": ("@1",)}, {"@1": ("%1",)}, started=2)), state=known)
    (fresh,) = view(again.muxes["m"]).sessions  # another server, whose sessions have the same names
    assert (fresh.branch, fresh.ports) == (None, ())
