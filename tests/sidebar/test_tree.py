"""What stands below and above sessions: windows, panes, groups; the cursor among them; what a tree is made of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import Agent, Inventory, Link, Pane, Process, Session, Window
from opensessions.sidebar.entries import (
    entries,
    group_key,
    pane_key,
    pane_of,
    part_of,
    session_of,
    window_key,
    window_of,
)
from opensessions.sidebar.intents import Collapse, Go, Hide, Intent, KillAgent, Move, Say
from opensessions.sidebar.keys import Key
from opensessions.sidebar.motion import arrive, settle
from opensessions.sidebar.mouse import hits
from opensessions.sidebar.scene import Scene, Ui, shape
from opensessions.sidebar.tree import PanePart, WindowPart, programs, tree
from opensessions.sidebar.ui import press
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import REPOSITORY, SAYINGS, WEB, grouped, mux, row, unfolded

HEAD = group_key(REPOSITORY)
EDITOR, AGENTS, EMPTY = (window_key("$1", window) for window in ("@1", "@2", "@3"))
CLAUDE, MAKE = (pane_key("$1", pane) for pane in ("%0", "%4"))
OPEN = Ui(expanded=frozenset({"$1"}))


def keys(ui: Ui, scene: Scene) -> list[str]:
    return [entry.key for entry in entries(ui, scene)]


def typed(scene: Scene, names: str, ui: Ui) -> tuple[str, list[Intent], Ui]:
    """The cursor's key and what came out of pressing these keys."""
    intents: list[Intent] = []
    for name in names.split():
        ui, more = press(ui, Key(name, name if len(name) == 1 else ""), scene)
        intents += more
    return settle(ui, scene).cursor, intents, ui


def test_what_is_listed() -> None:
    assert keys(Ui(), grouped()) == ["$1", HEAD, "$2", "$3", "$4"]
    assert keys(Ui(), grouped(collapsed=True)) == ["$1", HEAD, "$4"]
    below = [EDITOR, AGENTS, CLAUDE, MAKE, EMPTY]
    assert keys(OPEN, unfolded()) == ["$1", *below, HEAD, "$2", "$3", "$4"]
    assert keys(replace(OPEN, filter="web"), unfolded()) == ["$1"]
    assert keys(OPEN, grouped()) == ["$1", HEAD, "$2", "$3", "$4"], "its windows are not known yet"


def test_a_window_that_is_linked_twice_is_listed_once() -> None:
    twice = replace(unfolded(), tree={"$1": (*WEB, replace(WEB[1], index=7))})
    once = replace(unfolded(), tree={"$1": WEB})
    ui = Ui(cursor="$1", expanded=frozenset({"$1"}))
    assert [each.key for each in entries(ui, twice)] == [each.key for each in entries(ui, once)]


def test_keys_tell_what_they_are_of() -> None:
    assert [session_of(key) for key in (HEAD, "$1", EDITOR, CLAUDE)] == ["", "$1", "$1", "$1"]
    assert [pane_of(key) for key in (HEAD, "$1", EDITOR, CLAUDE)] == ["", "", "", "%0"]
    assert [window_of(key) for key in (HEAD, "$1", EDITOR, CLAUDE)] == ["", "", "@1", ""]


@pytest.mark.parametrize(
    ("start", "pressed", "cursor", "intents"),
    [
        ("$1", "j", EDITOR, []),
        ("$1", "l", EDITOR, []),
        (EDITOR, "l", EDITOR, []),
        (AGENTS, "j l right", CLAUDE, []),
        (CLAUDE, "h", AGENTS, []),
        (CLAUDE, "left left", "$1", []),
        (EDITOR, "h", "$1", []),
        (MAKE, "space", "$1", []),
        ("$1", "h j", HEAD, []),
        ("$1", "space j", HEAD, []),
        (HEAD, "h", HEAD, [Collapse(REPOSITORY, True)]),
        (HEAD, "space", HEAD, [Collapse(REPOSITORY, True)]),
        (HEAD, "enter", HEAD, [Collapse(REPOSITORY, True)]),
        (HEAD, "l", "$2", []),
        ("$3", "h", HEAD, []),
        ("$4", "h", "$4", []),
        ("$1", "enter", "$1", [Go("$1")]),
        (EDITOR, "enter", EDITOR, [Go("$1", "%1")]),
        (AGENTS, "enter", AGENTS, [Go("$1", "%0")]),
        (MAKE, "enter", MAKE, [Go("$1", "%4")]),
        (EMPTY, "enter", EMPTY, [Go("$1")]),
        (MAKE, "x", MAKE, [Hide("$1")]),
        (MAKE, "J", MAKE, [Move("$1", 1)]),
        (HEAD, "x d D z", HEAD, []),
        ("$1", "G g", "$1", []),
    ],
)
def test_keys_in_the_tree(start: str, pressed: str, cursor: str, intents: list[Intent]) -> None:
    after, wanted, _ = typed(unfolded(), pressed, replace(OPEN, cursor=start))
    assert (after, wanted) == (cursor, intents)


def test_a_collapsed_group_is_opened() -> None:
    for key in ("l", "space", "enter"):
        after, wanted, _ = typed(grouped(collapsed=True), key, Ui(cursor=HEAD))
        assert (after, wanted) == (HEAD, [Collapse(REPOSITORY, False)])
    assert typed(grouped(collapsed=True), "h", Ui(cursor=HEAD))[:2] == (HEAD, [])


def test_folding_is_local_and_remembered_over_an_arrival() -> None:
    _, wanted, ui = typed(unfolded(), "l", Ui(cursor="$1"))
    assert (wanted, ui.expanded) == ([], frozenset({"$1"}))
    assert arrive(ui, "$4").expanded == frozenset({"$1"})
    gone = replace(unfolded(), mux=replace(unfolded().mux, sessions=unfolded().mux.sessions[1:]))
    assert settle(ui, gone).expanded == frozenset()


def test_the_cursor_goes_to_what_is_nearest_to_what_is_gone() -> None:
    there = settle(replace(OPEN, cursor=MAKE), unfolded())
    assert there.place == 4
    closed = replace(unfolded(), tree={"$1": (WEB[0], replace(WEB[1], panes=WEB[1].panes[:1]), WEB[2])})
    assert settle(there, closed).cursor == EMPTY, "what has taken its place"
    assert settle(there, replace(unfolded(), tree={})).cursor == "$1", "its session"
    assert settle(Ui(cursor="$3"), grouped(collapsed=True)).cursor == HEAD, "its group"
    assert (
        settle(Ui(cursor=HEAD, place=1), replace(grouped(), mux=replace(grouped().mux, groups=()))).cursor
        == "$2"
    )


def test_folded_away_rows_are_found_by_the_filter_and_open_no_group() -> None:
    there = grouped(collapsed=True)
    ui = settle(Ui(filter="fix"), there)
    assert keys(ui, there) == ["$3"]
    after, wanted, ui = typed(there, "enter", ui)
    assert (after, wanted, ui.filter) == (HEAD, [Go("$3")], "")


def test_an_act_on_a_pane_means_its_agent() -> None:
    session = row("$1", "web", 1)
    agents = tuple(Agent(f"a{at}", "codex", pane, 1, "idle") for at, pane in enumerate(("%0", "%4", "%1")))
    session = replace(session, agents=agents)
    there = replace(
        unfolded(), mux=replace(unfolded().mux, sessions=(session, *unfolded().mux.sessions[1:])), ripe=True
    )
    for cursor, ids in (("$1", "a0 a1 a2"), (EDITOR, "a2"), (AGENTS, "a0 a1"), (MAKE, "a1"), (EMPTY, "")):
        entry = next(each for each in entries(OPEN, there) if each.key == cursor)
        part = part_of(entry)
        assert part is not None
        assert " ".join(agent.id for agent in part.agents) == ids
    assert typed(there, "d y", replace(OPEN, cursor=MAKE))[1] == [KillAgent("a1")]
    asking = typed(there, "d", replace(OPEN, cursor=MAKE))[2].question
    assert asking is not None
    assert asking.several, "it is named by its pane"
    assert typed(there, "d", replace(OPEN, cursor=EMPTY))[1] == [Say("No agent runs there.")]


def test_what_scripts_say_is_a_second_line_of_the_same_entry() -> None:
    there = grouped()
    ui = settle(Ui(cursor="$3"), there)
    assert hits(ui, there, entries(ui, there))[2:10] == ("$1", "$1", HEAD, "$2", "$3", "$3", "$4", "$4")
    for quiet in (replace(there, metadata=False), replace(there, height=9)):
        assert sum(entry.height for entry in entries(ui, quiet)) == 5
    lines = view(there, ui, ViewOptions()).lines
    assert {span.style.split()[0] for span in (*lines[6], *lines[7])} == {"cursor"}


def test_what_is_on_the_screen_stays_when_scripts_speak_above_it() -> None:
    rows = [row(f"${at}", f"s{at}", at) for at in range(1, 31)]
    there = replace(grouped(height=12), mux=replace(grouped().mux, sessions=tuple(rows), groups=()))
    ui = settle(Ui(cursor="$20"), there)
    before = hits(ui, there, entries(ui, there))
    said = replace(rows[4], metadata=grouped().mux.sessions[0].metadata)
    loud = replace(there, mux=replace(there.mux, sessions=(*rows[:4], said, *rows[5:])))
    after = settle(ui, loud)
    assert after.top == ui.top + 1
    assert hits(after, loud, entries(after, loud)) == before


@settings(deadline=None)
@given(st.integers(4, 30), st.integers(10, 24), st.integers(0, 60), st.data())
def test_nothing_that_happens_above_the_screen_moves_it(
    count: int, height: int, top: int, data: st.DataObject
) -> None:
    """Rows go, scripts speak and fall silent, sessions are unfolded: all above the entry that is the first on it."""
    rows = [row(f"${at}", f"s{at}", at, metadata=data.draw(SAYINGS)) for at in range(1, count + 1)]
    there = Scene(mux(*rows), 26, height, tree={"$1": WEB, "$2": WEB})
    ui = settle(Ui(cursor="$1", place=0, top=top, follow=False), there)
    before = hits(ui, there, entries(ui, there))
    if not ui.top:
        return
    first = next(place for place, each in enumerate(rows) if each.id == session_of(ui.anchor))
    above = [
        replace(each, metadata=data.draw(SAYINGS)) for each in rows[:first] if data.draw(st.integers(0, 4))
    ]
    after = replace(there, mux=mux(*above, *rows[first:]))
    moved = settle(replace(ui, expanded=data.draw(st.frozensets(st.sampled_from([each.id for each in above] or ["$1"])))
                           & {each.id for each in above}), after)  # fmt: skip
    total = sum(entry.height for entry in entries(moved, after))
    room = shape(moved, after).rows
    if total >= moved.top + room and moved.top:
        assert hits(moved, after, entries(moved, after)) == before
        assert moved.anchor == ui.anchor


def test_half_an_entry_can_be_above_the_screen() -> None:
    said = grouped().mux.sessions[0].metadata
    rows = tuple(row(f"${at}", f"s{at}", at, metadata=said) for at in range(1, 9))
    there = replace(grouped(height=10), mux=replace(grouped().mux, sessions=rows, groups=()))
    ui = replace(settle(Ui(cursor="$1"), there), follow=False, top=1, anchor="$1", inside=1)
    assert settle(ui, there) == ui
    shown = hits(ui, there, entries(ui, there))
    assert shown == ("", "$1", "$2", "$2", "$3", "$3", "$4", "$4", "$5", "")
    assert view(there, ui, ViewOptions()).hits == shown


def test_spinners_turn_in_windows_panes_and_collapsed_headings_and_only_there() -> None:
    inside = replace(OPEN, cursor="$1", expanded=frozenset({"$2"}))
    turning = {"$2", window_key("$2", "@9")}
    first, second = (view(unfolded(), inside, ViewOptions(), tick) for tick in (0, 1))
    assert first.moving
    changed = {key for key, one, two in zip(first.hits, first.lines, second.lines, strict=True) if one != two}
    assert changed == turning
    folded = [view(grouped(collapsed=True), Ui(cursor="$1"), ViewOptions(), tick) for tick in (0, 1)]
    lines = [frame.text().split("\n")[frame.hits.index(HEAD)] for frame in folded]
    assert lines[0] != lines[1]
    quiet = grouped(collapsed=True)
    still = tuple(
        replace(each, state="idle") if each.state == "running" else each for each in quiet.mux.sessions
    )
    assert not view(replace(quiet, mux=replace(quiet.mux, sessions=still)), Ui(), ViewOptions()).moving


def test_what_was_not_seen_and_who_waits_are_told_in_every_line() -> None:
    frame = view(unfolded(), replace(OPEN, cursor="$4"), ViewOptions())
    claude = frame.lines[frame.hits.index(CLAUDE)]
    assert any(span.style == "waiting" and span.text == "!" for span in claude)
    assert any(span.style == "unseen" for span in claude)
    folded = view(grouped(collapsed=True), Ui(cursor="$1"), ViewOptions())
    heading = folded.lines[folded.hits.index(HEAD)]
    assert any(span.style == "unseen" for span in heading)
    assert any(span.style == "running" for span in heading), "the most urgent state"
    assert heading[0].text[0] == "▌", "the session on the screen is in it"


# --- where it comes from ------------------------------------------------------------------------------------------


def pane(id: str, window: str, pid: int, title: str = "box", mark: str = "", active: bool = False) -> Pane:
    return Pane(id, window, pid, active, title=title, mark=mark)


INVENTORY = Inventory(
    1, 1, "3.5a",
    (Session("$1", "web", links=(Link("@2", 4), Link("@1", 1, True))), Session("$2", "x", links=(Link("@1", 0),))),
    {
        "@1": Window("@1", "edit", panes=(
            pane("%9", "@1", 90, mark="owner", active=True), pane("%1", "@1", 10), pane("%2", "@1", 20, "README.md"),
        )),
        "@2": Window("@2", "agents", panes=(pane("%3", "@2", 30, "✳ Fix it", active=True), pane("%4", "@2", 40))),
    },
)  # fmt: skip


def test_the_windows_of_a_session_come_in_their_order_without_sidebars() -> None:
    session = replace(row("$1", "web", 1), agents=(
        Agent("a", "claude-code", "%3", 31, "waiting", unseen=True, title="Fix it", waiting_for="permission"),
        Agent("b", "codex", "%3", 32, "done"),
        Agent("c", "codex", "%4", 41, "interrupted", liveness="exited"),
    ))  # fmt: skip
    found = tree(INVENTORY, session, {10: "bash", 20: "vim", 30: "node"}, "box")
    assert found == (
        WindowPart("@1", 1, "edit", True, (PanePart("%1", "bash"), PanePart("%2", "vim", "README.md"))),
        WindowPart("@2", 4, "agents", False, (
            PanePart("%3", "claude-code", "permission", "waiting", True, False, True),
            PanePart("%4", "codex", "", "interrupted", False, True),
        )),
    )  # fmt: skip
    assert [window.pane for window in found] == ["%1", "%3"]
    assert tree(INVENTORY, replace(session, id="$7"), {}) == ()
    assert [part.name for part in tree(INVENTORY, row("$1", "web", 1), {}, "box")[0].panes] == [
        "%1",
        "README.md",
    ]


def test_the_program_in_a_pane_is_the_youngest_that_its_shell_runs() -> None:
    processes = {
        each.pid: each
        for each in (
            Process(10, 1, 100, "bash"), Process(11, 10, 200, "vim"), Process(12, 10, 300, "make"),
            Process(13, 12, 400, "cc"), Process(20, 1, 100, "zsh"), Process(30, 10, 900, "ssh"),
        )
    }  # fmt: skip
    assert programs(processes, frozenset({10, 20, 30, 99})) == {10: "make", 20: "zsh", 30: "ssh"}
