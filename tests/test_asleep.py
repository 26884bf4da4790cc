"""The rows of hibernated agents: when they appear, what they outlive, when they go."""

from __future__ import annotations

from msgspec.structs import replace

from opensessions.attend import KEPT_ASLEEP, Nap, asleep
from opensessions.events import (
    AgentDismissed,
    AgentHibernated,
    AgentsSeen,
    Event,
    InventoryRead,
    ModeChosen,
    MuxJoined,
    SavedArrangement,
)
from opensessions.model import Agent, Inventory, Link, Pane, Session, Window
from opensessions.reduce import reduce
from opensessions.snapshot import view
from opensessions.state import State, remembered

AT = 1795230503.61


def agent(pane: str = "%1", pid: int = 7, **more: object) -> Agent:
    return Agent(f"m:{pane}:{pid}.1", "codex", pane, pid, thread="t", state="done", since=5.0, **more)  # type: ignore[arg-type]


def inventory(*panes: str, started: int = 1) -> Inventory:
    window = Window("@1", panes=tuple(Pane(id, "@1", 5, active=place == 0) for place, id in enumerate(panes)))
    return Inventory(1, started, "3.3a", (Session("$1", "s", links=(Link("@1", 0, True),)),), {"@1": window})


def seen(*agents: Agent) -> AgentsSeen:
    return AgentsSeen("m", {each.pane: (each,) for each in agents}, 10.0)


def nap(one: Agent, generation: str = "1.1") -> Nap:
    return Nap(asleep(one, AT), ("codex", "resume", "t"), "/src", generation)


def after(*events: Event, state: State | None = None) -> State:
    state = state or reduce(State(), MuxJoined("m", "tmux", "/s", SavedArrangement()))
    for event in (InventoryRead("m", inventory("%1", "%2")), *events):
        state = reduce(state, event)
    return state


def shown(state: State) -> list[tuple[str, str, str]]:
    (row,) = view(state.muxes["m"]).sessions
    return [(each.pane, each.state, each.liveness) for each in row.agents]


ASLEEP = [("%1", "hibernated", "exited")]
ONE = agent()
SLEEP = AgentHibernated("m", nap(ONE))


def test_what_the_row_of_a_sleeper_tells() -> None:
    slept = asleep(agent(background=2, unseen=True, title="a title", waiting_for="x"), AT)
    assert slept == replace(
        ONE, state="hibernated", liveness="exited", title="a title", since=1795230503.6, source="process",
        confidence="high",
    )  # fmt: skip
    assert nap(ONE).due() == 1795230503.6 + KEPT_ASLEEP


def test_whichever_is_noticed_first_the_exit_or_the_sleep() -> None:
    for events in ((SLEEP, seen()), (seen(), SLEEP)):
        state = after(seen(ONE), *events)
        assert shown(state) == ASLEEP
        assert state.muxes["m"].gone == {}
        (row,) = view(state.muxes["m"]).sessions
        assert row.state == "hibernated"
    assert shown(after(seen(ONE), SLEEP)) == [("%1", "done", "alive")], "it is still dying"


def test_the_row_stays_through_readings_and_goes_with_its_pane() -> None:
    state = after(seen(ONE), SLEEP, seen(), InventoryRead("m", inventory("%2", "%1")))
    assert shown(state) == ASLEEP
    assert shown(reduce(state, InventoryRead("m", inventory("%2")))) == []
    assert shown(reduce(state, InventoryRead("m", inventory("%1", started=2)))) == [], "another tmux's %1"


def test_an_agent_that_starts_in_the_pane_takes_its_place() -> None:
    state = after(seen(ONE), SLEEP, seen())
    assert shown(reduce(state, seen(agent("%2", 8)))) == [("%2", "done", "alive"), *ASLEEP]
    state = reduce(state, seen(agent("%1", 9)))
    assert shown(state) == [("%1", "done", "alive")]
    assert shown(reduce(state, seen()))[0][1:] == ("done", "exited")


def test_dismissing_it_ends_its_row() -> None:
    state = after(seen(ONE), SLEEP, seen(), AgentDismissed("m", ONE.id))
    assert shown(state) == []
    assert remembered(state.muxes["m"]) == {}


def test_a_sleeper_without_a_pane_has_no_row() -> None:
    assert shown(after(AgentHibernated("m", nap(agent("%9"))))) == []
    assert shown(after(AgentHibernated("m", nap(ONE, "1.2")))) == []


def test_it_outlives_the_server() -> None:
    kept = remembered(after(seen(ONE), SLEEP, seen()).muxes["m"])
    again = reduce(State(), MuxJoined("m", "tmux", "/s", SavedArrangement(), kept))
    assert shown(after(state=again)) == ASLEEP
    assert remembered(after(state=again).muxes["m"]) == kept
    assert shown(after(seen(agent("%1", 9)), state=again)) == [("%1", "done", "alive")]
    other = reduce(again, InventoryRead("m", inventory("%1", started=2)))
    assert shown(other) == [], "tmux was restarted meanwhile"


def test_what_is_equal_is_the_same_object() -> None:
    state = after(seen(ONE), SLEEP, seen())
    mux = state.muxes["m"]
    assert reduce(state, seen()) is state
    assert reduce(state, InventoryRead("m", inventory("%1", "%2"))).muxes["m"].asleep is mux.asleep


def test_a_sleeper_is_not_at_work() -> None:
    state = reduce(after(seen(ONE), SLEEP, seen()), ModeChosen("m", "active"))
    (row,) = view(state.muxes["m"]).sessions
    assert row.index is None
    (row,) = view(reduce(state, ModeChosen("m", "agents")).muxes["m"]).sessions
    assert row.index == 1
