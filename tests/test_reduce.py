from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from opensessions.events import (
    AgentsSeen,
    Event,
    InventoryRead,
    ModeChosen,
    MuxJoined,
    MuxLeft,
    OrphansCounted,
    RowHidden,
    RowMoved,
    SavedArrangement,
    StatusSet,
    Unreachable,
)
from opensessions.model import Agent, AgentState, Client, Inventory, Link, Pane, Session, Status, Window
from opensessions.reduce import reduce
from opensessions.snapshot import snapshot
from opensessions.state import State, saved_arrangement

MUX = "tmux-0"


def inventory(*names: str, pid: int = 1, first: int = 0, clients: tuple[Client, ...] = ()) -> Inventory:
    """One window with one pane per session; session `$n` holds window `@n` and pane `%n`."""
    numbers = range(first, first + len(names))
    return Inventory(
        server_pid=pid,
        server_started=1000 + pid,
        version="3.3a",
        sessions=tuple(
            Session(f"${n}", name, links=(Link(f"@{n}", 0, True),))
            for n, name in zip(numbers, names, strict=True)
        ),
        windows={
            f"@{n}": Window(f"@{n}", panes=(Pane(f"%{n}", f"@{n}", 100 + n, active=True, path="/d"),))
            for n in numbers
        },
        clients=clients,
    )


def after(*events: Event, saved: SavedArrangement | None = None) -> State:
    state = reduce(State(), MuxJoined(MUX, "tmux", "/s", saved or SavedArrangement()))
    for event in events:
        state = reduce(state, event)
    return state


def shown(state: State) -> list[tuple[int | None, str]]:
    return [(row.index, row.name) for mux in snapshot(state, "i").muxes for row in mux.sessions]


def agent(pane: str, state: AgentState = "idle") -> Agent:
    return Agent(id=pane, agent="codex", pane=pane, pid=7, state=state)


def test_rows_are_numbered_from_one_without_the_hidden() -> None:
    state = after(InventoryRead(MUX, inventory("a", "b", "c")), RowHidden(MUX, "$1", True))
    assert shown(state) == [(1, "a"), (None, "b"), (2, "c")]
    assert shown(reduce(state, RowHidden(MUX, "$1", False))) == [(1, "a"), (2, "b"), (3, "c")]


def test_new_sessions_go_last_and_renamed_ones_keep_place_and_flags() -> None:
    state = after(
        InventoryRead(MUX, inventory("a", "b", "c")),
        RowMoved(MUX, "$2", -2),
        RowHidden(MUX, "$0", True),
        InventoryRead(MUX, inventory("renamed", "b", "c", "new")),
    )
    assert shown(state) == [(1, "c"), (None, "renamed"), (2, "b"), (3, "new")]


def test_the_saved_order_comes_back_by_name_in_another_server_run() -> None:
    state = after(
        InventoryRead(MUX, inventory("a", "b", "c")), RowMoved(MUX, "$2", -2), RowHidden(MUX, "$1", True)
    )
    saved = saved_arrangement(state.muxes[MUX])
    again = after(InventoryRead(MUX, inventory("b", "c", "a", pid=2)), saved=saved)
    assert shown(again) == [(1, "c"), (2, "a"), (None, "b")]


def test_a_new_server_run_under_the_same_key_keeps_the_order() -> None:
    state = after(
        InventoryRead(MUX, inventory("a", "b")),
        RowMoved(MUX, "$1", -1),
        AgentsSeen(MUX, {"%0": (agent("%0"),)}),
        InventoryRead(MUX, inventory("a", "b", pid=2)),
    )
    assert shown(state) == [(1, "b"), (2, "a")]
    assert state.muxes[MUX].agents == {}


def test_a_server_that_was_never_read_forgets_nothing() -> None:
    saved = SavedArrangement("1.2", (("$0", "a"),), ("a",), "agents")
    assert saved_arrangement(after(saved=saved).muxes[MUX]) == saved


def test_unreachable_keeps_the_rows_and_says_so() -> None:
    state = after(InventoryRead(MUX, inventory("a")), Unreachable(MUX, "stopped"))
    mux = json.loads(snapshot(state, "i").json())["muxes"][0]
    assert mux["reachable"] is False
    assert [row["name"] for row in mux["sessions"]] == ["a"]
    again = reduce(state, InventoryRead(MUX, inventory("a")))
    assert "reachable" not in json.loads(snapshot(again, "i").json())["muxes"][0]


def test_a_mux_that_left_is_gone() -> None:
    assert after(InventoryRead(MUX, inventory("a")), MuxLeft(MUX)).muxes == {}


def test_modes_list_agents_and_the_active() -> None:
    agents = {"%0": (agent("%0", "idle"),), "%1": (agent("%1", "running"),)}
    state = after(InventoryRead(MUX, inventory("a", "b", "c")), AgentsSeen(MUX, agents))
    assert shown(reduce(state, ModeChosen(MUX, "agents"))) == [(1, "a"), (2, "b"), (None, "c")]
    assert shown(reduce(state, ModeChosen(MUX, "active"))) == [(None, "a"), (1, "b"), (None, "c")]


def test_a_session_shows_its_most_urgent_agent() -> None:
    state = after(
        InventoryRead(MUX, inventory("a")),
        AgentsSeen(MUX, {"%0": (agent("%0", "done"), agent("%0", "waiting"))}),
    )
    assert snapshot(state, "i").muxes[0].sessions[0].state == "waiting"


def test_control_clients_do_not_count_as_attached() -> None:
    clients = (Client("/dev/pts/1", "$0"), Client("", "$0", control=True))
    assert (
        snapshot(after(InventoryRead(MUX, inventory("a", clients=clients))), "i")
        .muxes[0]
        .sessions[0]
        .attached
        == 1
    )


def test_sidebar_panes_are_not_counted_and_never_give_the_directory() -> None:
    read = inventory("a")
    panes = (Pane("%8", "@0", 5, active=True, path="/sidebar", mark="me"), Pane("%9", "@0", 6, path="/work"))
    state = after(
        InventoryRead(MUX, Inventory(1, 1, "3.3a", read.sessions, {"@0": Window("@0", panes=panes)}))
    )
    row = snapshot(state, "i").muxes[0].sessions[0]
    assert (row.panes, row.dir) == (1, "/work")


EVENTS = st.one_of(
    st.lists(st.sampled_from("abcdef"), unique=True).map(lambda names: InventoryRead(MUX, inventory(*names))),
    st.builds(RowMoved, st.just(MUX), st.from_regex(r"\$[0-5]", fullmatch=True), st.integers(-3, 3)),
    st.builds(RowHidden, st.just(MUX), st.from_regex(r"\$[0-5]", fullmatch=True), st.booleans()),
    st.builds(ModeChosen, st.just(MUX), st.sampled_from(["all", "agents", "active"])),
    st.just(Unreachable(MUX, "x")),
    st.sampled_from(["idle", "running"]).map(lambda state: AgentsSeen(MUX, {"%0": (agent("%0", state),)})),
)


@given(st.lists(EVENTS, max_size=12))
def test_whatever_happens_rows_are_the_sessions_and_indexes_count_up(events: list[Event]) -> None:
    state = after(*events)
    mux = state.muxes[MUX]
    rows = snapshot(state, "i").muxes[0].sessions
    live = [session.id for session in mux.inventory.sessions] if mux.inventory else []
    assert sorted(row.id for row in rows) == sorted(live)
    indexes = [row.index for row in rows if row.index is not None]
    assert indexes == list(range(1, len(indexes) + 1))
    assert reduce(state, events[-1]) == state if events and not isinstance(events[-1], RowMoved) else True


def test_two_equal_readings_encode_to_equal_bytes() -> None:
    once = after(InventoryRead(MUX, inventory("a", "b")))
    assert (
        snapshot(once, "i").json()
        == snapshot(reduce(once, InventoryRead(MUX, inventory("a", "b"))), "i").json()
    )


def test_orphans_are_counted_whatever_becomes_of_multiplexers() -> None:
    counted = after(InventoryRead(MUX, inventory("a")), OrphansCounted(2))
    assert counted.orphans == 2
    assert reduce(counted, OrphansCounted(2)) is counted
    gone = reduce(reduce(counted, InventoryRead(MUX, inventory("b"))), MuxLeft(MUX))
    assert (gone.orphans, gone.muxes) == (2, {})


def named(*names: str) -> Inventory:
    """Sessions whose ids are their names, as zellij has them."""
    return Inventory(
        0,
        0,
        "0.45.1",
        tuple(Session(name, name, links=(Link(f"{name}/tab_0", 1, True),)) for name in names),
        {
            f"{name}/tab_0": Window(
                f"{name}/tab_0", panes=(Pane(f"{name}/terminal_0", f"{name}/tab_0", 9, active=True),)
            )
            for name in names
        },
    )


def test_a_session_whose_id_is_its_name_keeps_place_flags_and_agents_when_renamed() -> None:
    state = after(
        InventoryRead(MUX, named("a", "b", "c")),
        RowMoved(MUX, "b", -1),
        RowHidden(MUX, "b", True),
        StatusSet(MUX, "b", Status("busy")),
        AgentsSeen(MUX, {"b/terminal_0": (agent("b/terminal_0", "waiting"),)}),
        InventoryRead(MUX, named("a", "new", "c"), {"b": "new"}),
    )
    assert shown(state) == [(None, "new"), (1, "a"), (2, "c")]
    row = snapshot(state, "i").muxes[0].sessions[0]
    assert row.metadata.status == Status("busy")
    assert [(one.pane, one.state, one.liveness) for one in row.agents] == [
        ("new/terminal_0", "waiting", "alive")
    ]
    found = Agent(id="other", agent="codex", pane="new/terminal_0", pid=7, state="waiting")
    (row, *_) = snapshot(reduce(state, AgentsSeen(MUX, {"new/terminal_0": (found,)})), "i").muxes[0].sessions
    assert [one.id for one in row.agents] == ["other"], "what was found under the new name is the same agent"
