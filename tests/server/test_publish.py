from __future__ import annotations

from opensessions.events import AgentsSeen, InventoryRead, RowHidden
from opensessions.model import Agent, Inventory, Link, Pane, Session, Window
from opensessions.server.idle import looked_at, reasons
from opensessions.server.publish import ASCII_ICONS, ICONS, ordering, publication
from opensessions.snapshot import view
from tests.test_reduce import MUX, after, agent, inventory


def test_the_first_nine_visible_rows_have_slots() -> None:
    names = [f"s{n}" for n in range(11)]
    mux = after(InventoryRead(MUX, inventory(*names)), RowHidden(MUX, "$0", True)).muxes[MUX]
    values = publication(mux, view(mux), {"pid": "7"}, ascii=False).values
    assert values["", "opensessions-pid"] == "7"
    assert [values["", f"opensessions-slot-{n}"] for n in range(1, 10)] == [f"${n}" for n in range(1, 10)]
    assert ("", "opensessions-slot-10") not in values
    assert ordering(view(mux))[0] == ("$1", "s1")


def test_states_are_published_per_session_window_and_pane() -> None:
    waiting = Agent(id="x", agent="codex", pane="%0", pid=1, state="waiting", since=5.0)
    mux = after(
        InventoryRead(MUX, inventory("a", "b")),
        AgentsSeen(MUX, {"%0": (agent("%0"), waiting), "%1": (agent("%1"),)}),
    ).muxes[MUX]
    values = publication(mux, view(mux), {}, ascii=False).values
    assert values["$0", "opensessions-session-state"] == "waiting"
    assert values["@0", "opensessions-window-icon"] == ICONS["waiting"]
    assert values["%1", "opensessions-pane-agent"] == "codex"
    assert values["", "opensessions-attention"] == "%0"
    assert values["", "opensessions-status"] == f"{ICONS['waiting']} 1 {ICONS['idle']} 2"


def test_every_state_has_an_icon_of_its_own_and_ascii_means_ascii() -> None:
    assert len(set(ICONS.values())) == len(ICONS) == len(ASCII_ICONS) == len(set(ASCII_ICONS.values()))
    assert all(icon.isascii() for icon in ASCII_ICONS.values())


def test_a_server_stays_for_clients_sidebars_watchers_and_live_agents() -> None:
    from opensessions.model import Client

    nobody = after(InventoryRead(MUX, inventory("a")))
    assert reasons(nobody, 0, 0) == ()
    assert len(reasons(nobody, 1, 1)) == 2
    assert not looked_at(nobody)
    seen = after(InventoryRead(MUX, inventory("a", clients=(Client("/dev/pts/1", "$0"),))))
    assert looked_at(seen)
    assert len(reasons(seen, 0, 0)) == 1
    working = after(InventoryRead(MUX, inventory("a")), AgentsSeen(MUX, {"%0": (agent("%0", "running"),)}))
    assert len(reasons(working, 0, 0)) == 1


def test_a_linked_window_gives_its_state_to_both_sessions() -> None:
    pane = Pane("%0", "@0", 1, active=True)
    sessions = tuple(Session(f"${n}", f"s{n}", links=(Link("@0", 0, True),)) for n in range(2))
    both = Inventory(1, 1, "3.3a", sessions, {"@0": Window("@0", panes=(pane,))})
    mux = after(InventoryRead(MUX, both), AgentsSeen(MUX, {"%0": (agent("%0", "running"),)})).muxes[MUX]
    values = publication(mux, view(mux), {}, ascii=True).values
    assert values["$0", "opensessions-session-icon"] == values["$1", "opensessions-session-icon"]
    assert values["$0", "opensessions-session-icon"] == ASCII_ICONS["running"]
