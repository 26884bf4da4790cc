"""Rows and groups are moved by keys and by dragging; what a sidebar expects of that is what the server does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions import arrange
from opensessions.model import MuxView
from opensessions.sidebar.entries import Entry, entries, group_key
from opensessions.sidebar.intents import Collapse, Go, Intent, Move, MoveGroup
from opensessions.sidebar.keys import Key, Mouse
from opensessions.sidebar.motion import settle
from opensessions.sidebar.mouse import hits, landed
from opensessions.sidebar.moving import by_key, landing
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.ui import press
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import REPOSITORY, grouped, plain, unfolded, views

HEAD = group_key(REPOSITORY)


def after(mux: MuxView, intent: Intent) -> list[str]:
    """The places of the multiplexer's rows once the server has done it."""
    order = [row.id for row in mux.sessions]
    groups = {id: group.id for id, group in mux.grouped().items()}
    visible = {row.id for row in mux.visible()} | groups.keys()
    collapsed = {group.id for group in mux.groups or () if group.collapsed}
    assert isinstance(intent, Move | MoveGroup)
    what = intent.session if isinstance(intent, Move) else intent.group
    moved = arrange.move(order, visible, what, intent.by, groups, collapsed)
    return arrange.places(arrange.blocks(moved, groups), visible, groups, collapsed)


def mouse(ui: Ui, scene: Scene, *events: tuple[str, int]) -> tuple[Ui, list[Intent]]:
    """(kind, line of the list) of the left button, one after the other."""
    intents: list[Intent] = []
    for kind, line in events:
        ui, more = press(ui, Mouse(kind, 1, 3, line), scene)  # type: ignore[arg-type]
        intents += more
    return ui, intents


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cursor", "key", "intent"),
    [
        ("$1", "J", Move("$1", 1)),
        ("$1", "K", None),
        ("$2", "J", Move("$2", 1)),
        ("$2", "K", Move("$2", -1)),
        ("$3", "J", Move("$3", 1)),
        ("$4", "J", None),
        (HEAD, "J", MoveGroup(REPOSITORY, 1)),
        (HEAD, "K", MoveGroup(REPOSITORY, -1)),
    ],
)
def test_keys_move_one_place(cursor: str, key: str, intent: Intent | None) -> None:
    for there in (grouped(), replace(grouped(), height=9)):
        ui, wanted = press(Ui(cursor=cursor), Key(key, key), there)
        assert (ui.cursor, wanted) == (cursor, (intent,) if intent else ())


def test_what_keys_move_among_groups() -> None:
    mux = grouped().mux
    assert after(mux, Move("$1", 1)) == ["$2", "$3", "$1", "$4"]
    assert after(mux, Move("$2", 1)) == ["$1", "$3", "$2", "$4"]
    assert after(mux, Move("$3", 1)) == ["$1", "$4", "$2", "$3"]
    folded = grouped(collapsed=True).mux
    assert after(folded, Move("$1", 1)) == [REPOSITORY, "$1", "$4"]
    assert after(folded, MoveGroup(REPOSITORY, 1)) == ["$1", "$4", REPOSITORY]


@settings(deadline=None)
@given(views(), st.data())
def test_a_key_asks_only_for_what_changes_something(mux: MuxView, data: st.DataObject) -> None:
    there = Scene(mux, 26, 20)
    ui = settle(Ui(reveal=data.draw(st.booleans()), filter=data.draw(st.sampled_from(("", "a")))), there)
    every = entries(ui, there)
    for place in range(len(every)):
        for step in (-1, 1):
            intent = by_key(every, place, step, mux, bool(ui.filter))
            if intent is not None:
                now = arrange.places(
                    arrange.blocks(
                        [row.id for row in mux.sessions], {id: g.id for id, g in mux.grouped().items()}
                    ),
                    {row.id for row in mux.visible()} | mux.grouped().keys(),
                    {id: g.id for id, g in mux.grouped().items()},
                    {group.id for group in mux.groups or () if group.collapsed},
                )
                assert after(mux, intent) != now


# --- dragging -------------------------------------------------------------------------------------------------------


def test_a_click_is_a_press_and_a_release() -> None:
    there = plain(*"abcde", height=8, own="a")
    ui, wanted = mouse(Ui(), there, ("press", 3))
    assert (ui.cursor, wanted) == ("c", [])
    assert mouse(ui, there, ("release", 3)) == (replace(ui, drag=None, follow=True), [Go("c")])
    trembling, wanted = mouse(ui, there, ("drag", 3), ("release", 3))
    assert (trembling.drag, wanted) == (None, [Go("c")])


def test_a_click_on_a_heading_folds_it() -> None:
    there = grouped()
    line = hits(settle(Ui(), there), there, entries(Ui(), there)).index(HEAD)
    assert mouse(Ui(), there, ("press", line), ("release", line))[1] == [Collapse(REPOSITORY, True)]


@pytest.mark.parametrize(
    ("lines", "intents"),
    [
        ((3, 5), [Move("c", 2)]),
        ((3, 1), [Move("c", -2)]),
        ((5, 4, 3, 2), [Move("e", -3)]),
        ((3, 5, 3), []),
        ((3, 6), []),
        ((3, 0), []),
        ((3, 5, 99), []),
        ((3, 5, 0, 4), [Move("c", 1)]),
    ],
)
def test_a_row_lands_where_it_is_let_go(lines: tuple[int, ...], intents: list[Intent]) -> None:
    """Lines 1 to 5 show the rows a to e."""
    there = plain(*"abcde", height=8, own="a")
    start, *way = lines
    ui, wanted = mouse(Ui(), there, ("press", start), *(("drag", line) for line in way), ("release", way[-1]))
    assert (ui.drag, wanted) == (None, intents)


def test_a_release_on_another_row_is_no_click() -> None:
    """Whether or not it was told that the mouse had moved."""
    there = plain(*"abcde", height=8, own="a")
    assert mouse(Ui(), there, ("press", 3), ("release", 5))[1] == [Move("c", 2)]
    assert mouse(Ui(), there, ("press", 3), ("drag", 5), ("release", 4))[1] == [Move("c", 1)]
    assert mouse(Ui(), there, ("press", 3), ("release", 0))[1] == []


def test_a_message_covers_rows_that_a_click_on_it_does_not_mean() -> None:
    there = replace(plain(*"abcde", height=8, own="a"), message="one two three " * 5, width=26)
    above = [
        line for line, text in enumerate(view(there, Ui(), ViewOptions()).text().split("\n")) if "one" in text
    ]
    assert len(above) > 2
    for line in above:
        assert view(there, Ui(), ViewOptions()).hits[line] == ""
        for button in (1, 3):
            ui, wanted = press(Ui(), Mouse("press", button, 3, line), there)
            assert (ui.drag, ui.help, wanted) == (None, False, ())
            assert press(ui, Mouse("release", button, 3, line), replace(there, message=""))[1] == ()
    assert mouse(Ui(), there, ("press", above[0] - 1), ("release", above[0] - 1))[1] != []


def test_other_buttons_keys_and_what_ends_let_go() -> None:
    there = plain(*"abcde", height=8, own="a")
    dragging, _ = mouse(Ui(), there, ("press", 3), ("drag", 5))
    assert landed(dragging, there, entries(dragging, there)) is not None
    assert press(dragging, Key("escape"), there) == (replace(dragging, drag=None), ())
    assert press(dragging, Mouse("press", 3, 1, 2), there)[0].drag is None
    gone = plain(*"abde", height=8, own="a")
    assert mouse(dragging, gone, ("release", 4))[1] == []
    assert mouse(Ui(), there, ("drag", 3), ("release", 3))[1] == []


def test_outside_of_the_list_a_drag_scrolls() -> None:
    """Lines 1 to 6 show six of ten rows."""
    there = plain(*"abcdefghij", height=8, own="a")
    ui, _ = mouse(Ui(), there, ("press", 1), ("drag", 6), ("drag", 7), ("drag", 7))
    assert (ui.top, landed(ui, there, entries(ui, there))) == (2, None)
    back, _ = mouse(ui, there, ("drag", 0))
    assert back.top == 1
    assert mouse(ui, there, ("release", 7))[1] == []
    assert mouse(ui, there, ("drag", 6), ("release", 6))[1] == [Move("a", 7)]


def test_windows_panes_and_the_lane_are_not_dragged() -> None:
    there = replace(unfolded(height=24), attention=True)
    ui = settle(Ui(expanded=frozenset({"$1"})), there)
    found = hits(ui, there, entries(ui, there))
    for key in ("$1\nw@1", "$1\np%0", "$1\n!"):
        line, target = found.index(key), found.index("$4")
        assert mouse(ui, there, ("press", line), ("drag", target), ("release", target))[1] == [], key


def test_the_mark_shows_where_it_lands() -> None:
    there = grouped()
    every = entries(Ui(), there)
    by_id = {entry.key: entry for entry in every}

    def lands(dragged: str, over: str) -> tuple[str, bool] | None:
        found = landing(every, by_id[dragged], by_id[over], there.mux)
        return (found.key, found.below) if found else None

    assert lands("$1", "$4") == ("$4", True)
    assert lands("$1", "$2") == ("$3", True), "past all of the group"
    assert lands("$1", HEAD) == ("$3", True)
    assert lands("$4", "$3") == ("$1", True), "above all of the group"
    assert lands("$4", "$1") == ("$1", False)
    assert lands("$3", "$2") == (HEAD, True), "first in its group"
    assert lands("$2", "$3") == ("$3", True)
    assert lands("$2", "$4") == ("$3", True), "no further than its group's edge"
    assert lands("$3", "$4") == ("$4", True), "at the edge it takes the group along"
    assert lands(HEAD, "$4") == ("$4", True)
    assert lands(HEAD, "$2") is None
    assert lands("$1", "$1") is None


@settings(deadline=None)
@given(views(most=12), st.data())
def test_what_is_marked_is_what_the_server_does(mux: MuxView, data: st.DataObject) -> None:
    there = Scene(mux, 26, 40)
    every = entries(Ui(), there)
    if not every:
        return
    dragged, over = data.draw(st.sampled_from(every)), data.draw(st.sampled_from(every))
    found = landing(every, dragged, over, mux)
    if found is None:
        return
    places = after(mux, found.intent)
    what = _id(dragged)
    if what in mux.grouped() and _inner(mux, places, what) == _inner(mux, _order(mux), what):
        what = _group(mux, what)  # at the edge a row takes its group along
    own = [at for at, place in enumerate(places) if what in (place, _group(mux, place))]
    marked = next(entry for entry in every if entry.key == found.key)
    if not found.below:
        assert own[0] == 0
    elif marked.kind == "group" and what in (mux.grouped() or {}):
        assert _group(mux, places[own[0]]) == _id(marked)
    else:
        assert places[own[0] - 1] == _id(marked)


def _order(mux: MuxView) -> list[str]:
    return after(mux, Move("", 1))


def _inner(mux: MuxView, places: list[str], what: str) -> list[str]:
    """The places of the group that it is in."""
    return [place for place in places if _group(mux, place) == _group(mux, what)]


def _id(entry: Entry) -> str:
    return entry.row.id if entry.row else entry.group.id if entry.group else ""


def _group(mux: MuxView, id: str) -> str:
    group = mux.grouped().get(id)
    return group.id if group else ""


def test_the_mark_is_drawn_in_signs_and_moves_no_line() -> None:
    there = plain(*"abcde", height=8, own="a")
    still = view(there, settle(Ui(cursor="c"), there), ViewOptions())
    for ascii, below, above in ((False, "↓", "↑"), (True, "v", "^")):
        down, _ = mouse(Ui(), there, ("press", 3), ("drag", 5))
        up, _ = mouse(Ui(), there, ("press", 3), ("drag", 1))
        for ui, line, sign in ((down, 5, below), (up, 1, above)):
            frame = view(there, ui, ViewOptions(ascii))
            assert [at for at, text in enumerate(frame.text().split("\n")) if text[0] == sign] == [line]
            assert frame.hits == still.hits
