"""What was not seen, what has ended, and where to look next."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from opensessions.attend import (
    KEPT_SEEN,
    KEPT_UNSEEN,
    Call,
    Past,
    Remembered,
    calls,
    following,
    mark,
    notice,
    part,
    remaining,
    see,
)
from opensessions.events import (
    AgentDismissed,
    AgentsSeen,
    InventoryRead,
    MuxJoined,
    SavedArrangement,
    TimePassed,
)
from opensessions.model import Agent, AgentState, Client, Inventory, Link, Pane, Session, Window
from opensessions.reduce import reduce
from opensessions.snapshot import view
from opensessions.state import State, remembered


def agent(pane: str = "%1", state: AgentState = "idle", **more: object) -> Agent:
    return Agent(id=f"m:{pane}:1.1", agent="x", pane=pane, pid=1, state=state, **more)  # type: ignore[arg-type]


def group(*agents: Agent) -> dict[str, tuple[Agent, ...]]:
    return {each.pane: (each,) for each in agents}


def marked(
    now: Agent, before: Agent | None = None, watched: str = "", kept: Remembered | None = None
) -> bool:
    found = mark(
        group(now), group(before) if before else {}, frozenset({watched}), {now.id: kept} if kept else {}
    )
    return found[now.pane][0].unseen


@pytest.mark.parametrize("state", ["waiting", "done", "error", "interrupted"])
def test_a_turn_that_ends_or_waits_is_unseen_unless_somebody_looks(state: AgentState) -> None:
    running = agent(state="running", since=1.0)
    ended = agent(state=state, since=2.0)
    assert marked(ended, running)
    assert not marked(ended, running, watched="%1")
    assert marked(replace(ended, title="t"), replace(ended, unseen=True))
    assert not marked(replace(ended, title="t"), ended)
    assert marked(replace(ended, since=3.0), ended), "another turn has ended meanwhile"


@pytest.mark.parametrize("state", ["running", "tool-running", "idle", "stale"])
def test_an_agent_that_goes_on_is_seen(state: AgentState) -> None:
    assert not marked(agent(state=state), agent(state="waiting", unseen=True))


def test_what_was_so_at_the_first_look_is_no_news() -> None:
    assert not marked(agent(state="done"))


@pytest.mark.parametrize(
    ("kept", "unseen"),
    [
        (Remembered("done", 1.0, True), True),
        (Remembered("done", 1.0, False), False),
        (Remembered("running", 1.0, False), True),
        (Remembered("idle", 1.0, False), False),
    ],
)
def test_a_restart_of_the_server_forgets_nothing(kept: Remembered, unseen: bool) -> None:
    assert marked(agent(state="done", since=1.0), kept=kept) == unseen


def test_seeing_changes_nothing_but_unseen() -> None:
    agents = group(agent("%1", "done", unseen=True), agent("%2", "done", unseen=True))
    seen = see(agents, frozenset({"%1", "%9"}))
    assert seen == {**agents, "%1": (agent("%1", "done"),)}
    assert see(seen, frozenset({"%1"})) is seen


# --- what has ended ---------------------------------------------------------------------------------------------


def ended(*before: Agent, now: tuple[Agent, ...] = (), watched: str = "") -> Mapping[str, Past]:
    homes = {each.id: "$1" for each in before}
    return part({}, group(*before), group(*now), homes, frozenset({watched}), 50.0)


def test_an_agent_that_exited_stays_a_while() -> None:
    (past,) = ended(agent(state="done")).values()
    assert (past.agent.liveness, past.agent.state, past.agent.unseen, past.session) == (
        "exited",
        "done",
        False,
        "$1",
    )
    assert past.due() == 50 + KEPT_SEEN
    (past,) = ended(agent(state="done", unseen=True)).values()
    assert past.due() == 50 + KEPT_UNSEEN


def test_one_that_died_at_work_was_interrupted() -> None:
    (past,) = ended(agent(state="tool-running", background=2)).values()
    assert (past.agent.state, past.agent.unseen, past.agent.background) == ("interrupted", True, 0)
    (past,) = ended(agent(state="waiting", waiting_for="x"), watched="%1").values()
    assert (past.agent.state, past.agent.unseen, past.agent.waiting_for) == ("interrupted", False, None)


def test_the_next_one_in_its_pane_takes_its_place() -> None:
    successor = replace(agent(), id="m:%1:2.2", pid=2)
    assert ended(agent(state="done"), now=(successor,)) == {}
    gone = ended(agent(state="done"))
    assert part(gone, {}, group(successor), {}, frozenset(), 60.0) == {}
    assert part(gone, {}, {}, {}, frozenset(), 60.0) is gone


def test_looking_at_its_pane_and_the_end_of_its_session() -> None:
    gone = ended(agent(state="done", unseen=True))
    assert notice(gone, frozenset(), ["$1"]) is gone
    assert not notice(gone, frozenset({"%1"}), ["$1"])["m:%1:1.1"].agent.unseen
    assert notice(gone, frozenset(), ["$2"]) == {}
    assert remaining(gone, 50 + KEPT_UNSEEN - 1) is gone
    assert remaining(gone, 50 + KEPT_UNSEEN) == {}


# --- where to look next -----------------------------------------------------------------------------------------


def test_who_waits_longest_then_failures_then_what_is_done_unseen() -> None:
    agents = [
        agent("%1", "done", since=1, unseen=True), agent("%2", "done", since=1),
        agent("%3", "error", since=3, unseen=True), agent("%4", "waiting", since=9),
        agent("%5", "waiting", since=8, unseen=True), agent("%6", "running", since=1),
        agent("%7", "error", since=1), agent("%8", "waiting", since=1, liveness="exited"),
    ]  # fmt: skip
    assert [call.pane for call in calls(("m", each) for each in agents)] == ["%5", "%4", "%3", "%1"]


def test_pressed_again_it_goes_round() -> None:
    wanting = [Call("m", "%1", "a"), Call("m", "%2", "b")]
    assert following(wanting, None) == wanting[0]
    assert following(wanting, ("m", "%9")) == wanting[0]
    assert following(wanting, ("m", "%1")) == wanting[1]
    assert following(wanting, ("m", "%2")) == wanting[0]
    assert following(wanting[:1], ("m", "%1")) is None
    assert following([], None) is None


# --- in the state -----------------------------------------------------------------------------------------------


def inventory(*, panes: tuple[str, ...] = ("%1",), looking: bool = False, focused: bool = True) -> Inventory:
    window = Window("@1", panes=tuple(Pane(id, "@1", 5, active=place == 0) for place, id in enumerate(panes)))
    clients = (Client("/dev/pts/1", "$1", focused=focused),) if looking else ()
    return Inventory(
        1, 1, "3.3a", (Session("$1", "s", links=(Link("@1", 0, True),)),), {"@1": window}, clients
    )


def after(*events: object) -> State:
    state = reduce(State(), MuxJoined("m", "tmux", "/s", SavedArrangement()))
    for event in events:
        state = reduce(state, event)  # type: ignore[arg-type]
    return state


def shown(state: State) -> list[tuple[str, bool, str]]:
    (row,) = view(state.muxes["m"]).sessions
    return [(each.state, each.unseen, each.liveness) for each in row.agents]


RUNNING, DONE = AgentsSeen("m", group(agent(state="running"))), AgentsSeen("m", group(agent(state="done")))


def test_looking_at_the_pane_makes_it_seen() -> None:
    apart = after(InventoryRead("m", inventory()), RUNNING, DONE)
    assert shown(apart) == [("done", True, "alive")]
    assert shown(reduce(apart, InventoryRead("m", inventory(looking=True)))) == [("done", False, "alive")]
    blurred = reduce(apart, InventoryRead("m", inventory(looking=True, focused=False)))
    assert shown(blurred) == [("done", True, "alive")], "its terminal has not the focus"
    beside = reduce(apart, InventoryRead("m", inventory(panes=("%2", "%1"), looking=True)))
    assert shown(beside) == [("done", True, "alive")], "another pane is the active one"
    assert shown(after(InventoryRead("m", inventory(looking=True)), RUNNING, DONE)) == [
        ("done", False, "alive")
    ]


def test_an_agent_whose_pane_went_with_it_stays_in_its_session() -> None:
    state = after(InventoryRead("m", inventory(panes=("%2", "%1"))), RUNNING, DONE)
    state = reduce(state, InventoryRead("m", inventory(panes=("%2",))))
    state = reduce(state, AgentsSeen("m", {}, 100.0))
    assert shown(state) == [("done", True, "exited")]
    assert shown(reduce(state, TimePassed("m", 100.0 + KEPT_UNSEEN))) == []
    assert shown(reduce(state, AgentDismissed("m", "m:%1:1.1"))) == []
    assert reduce(state, TimePassed("m", 101.0)) is state


def test_dismissing_a_living_agent_makes_it_quiet() -> None:
    state = after(InventoryRead("m", inventory()), RUNNING, DONE)
    assert shown(reduce(state, AgentDismissed("m", "m:%1:1.1"))) == [("idle", False, "alive")]
    assert reduce(state, AgentDismissed("m", "nobody")) is state


def test_what_is_kept_brings_back_what_was_unseen() -> None:
    first = after(InventoryRead("m", inventory()), RUNNING, DONE)
    kept = remembered(first.muxes["m"])
    again = reduce(State(), MuxJoined("m", "tmux", "/s", SavedArrangement(), kept))
    again = reduce(reduce(again, InventoryRead("m", inventory())), DONE)
    assert shown(again) == [("done", True, "alive")]
