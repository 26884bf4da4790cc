from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.sidebar.entries import entries
from opensessions.sidebar.intents import (
    Attend,
    Back,
    Close,
    Go,
    Hide,
    Intent,
    Leave,
    Move,
    NewSession,
    Refresh,
    Say,
    SetMode,
    ShowDetail,
    Undo,
    Unhide,
    Widen,
)
from opensessions.sidebar.keymap import ACTIONS, BINDINGS, HINTS
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.listing import listing
from opensessions.sidebar.mouse import hits
from opensessions.sidebar.scene import shape
from opensessions.sidebar.ui import MODES, Scene, Ui, arrive, press, settle
from tests.sidebar.scenes import UIS, mux, plain, row, scenes

TEN = tuple("abcdefghij")


def type_keys(scene: Scene, *names: str, ui: Ui | None = None) -> tuple[Ui, list[Intent]]:
    """Press keys one after the other; what came out of all of them."""
    ui = ui or Ui()
    intents: list[Intent] = []
    for name in names:
        ui, more = press(ui, Key(name, name if len(name) == 1 else {"space": " "}.get(name, "")), scene)
        intents += more
    return ui, intents


def lines(ui: Ui, scene: Scene) -> tuple[str, ...]:
    """For each line of the sidebar the key of what it is about."""
    return hits(ui, scene, entries(ui, scene))


def listed(ui: Ui, scene: Scene) -> str:
    return "".join(row.id for row in listing(ui, scene))


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        ("", "c"),
        ("j", "d"),
        ("down", "d"),
        ("ctrl-n", "d"),
        ("k", "b"),
        ("up up up up", "a"),
        ("ctrl-p", "b"),
        ("g", "a"),
        ("home", "a"),
        ("G", "j"),
        ("end j", "j"),
        ("page-down", "h"),
        ("page-down page-up", "c"),
        ("page-down page-down page-down", "j"),
        ("% F5 alt-j", "c"),
    ],
)
def test_the_cursor_starts_at_home_and_moves(keys: str, cursor: str) -> None:
    ui, intents = type_keys(plain(*TEN, height=8, own="c"), *keys.split())
    assert (settle(ui, plain(*TEN, height=8, own="c")).cursor, intents) == (cursor, [])


@pytest.mark.parametrize(
    ("keys", "intents"),
    [
        ("enter", [Go("b")]),
        ("j enter", [Go("c")]),
        ("1", [Go("a")]),
        ("3", [Go("c")]),
        ("9", []),
        ("q", [Close()]),
        ("escape", [Leave()]),
        ("ctrl-c", [Leave()]),
        ("tab", [SetMode("agents")]),
        ("shift-tab", [SetMode("active")]),
        ("r", [Refresh()]),
        ("<", [Widen(-2)]),
        (">", [Widen(2)]),
        ("x", [Hide("b")]),
        ("J", [Move("b", 1)]),
        ("K", [Move("b", -1)]),
        ("shift-up", [Move("b", -1)]),
        ("K k K", [Move("b", -1)]),
        ("G J", []),
        ("% 0 space left", []),
        ("d", [Say("No agent runs in b.")]),
    ],
)
def test_what_keys_ask_for(keys: str, intents: list[Intent]) -> None:
    assert type_keys(plain("a", "b", "c", own="b"), *keys.split())[1] == intents


def test_mode_goes_round() -> None:
    for place, mode in enumerate(MODES):
        there = replace(plain("a"), mode=mode)
        assert press(Ui(), Key("tab"), there)[1] == (SetMode(MODES[(place + 1) % 3]),)
        assert press(Ui(), Key("shift-tab"), there)[1] == (SetMode(MODES[place - 1]),)


HARMLESS = Close | Leave | SetMode | Refresh | Widen | ShowDetail | Attend | Back | Undo | NewSession | Say


def test_without_rows_keys_do_nothing_bad() -> None:
    for key in ACTIONS:
        _, intents = press(Ui(), Key(key, key if len(key) == 1 else ""), plain())
        assert all(isinstance(intent, HARMLESS) for intent in intents), (key, intents)


# --- the filter -------------------------------------------------------------------------------------------------


def test_the_filter_is_typed_and_letters_are_no_commands() -> None:
    there = plain("api", "web", "wiki", "quay", own="api")
    ui, intents = type_keys(there, "/", "q", "u")
    assert (ui.filter, ui.filtering, listed(ui, there), intents) == ("qu", True, "quay", [])
    ui, _ = type_keys(there, "backspace", "backspace", "w", ui=ui)
    assert (ui.filter, listed(ui, there)) == ("w", "webwiki")
    ui, intents = type_keys(there, "down", "enter", ui=ui)
    assert intents == [Go("wiki")]
    assert (ui.filter, ui.filtering, ui.cursor) == ("", False, "wiki")


def test_index_numbers_do_not_change_under_a_filter() -> None:
    there = plain("api", "web", "wiki", own="api")
    ui, _ = type_keys(there, "/", "w", "i")
    assert [(row.id, row.index) for row in listing(ui, there)] == [("wiki", 3)]
    ui = replace(ui, filtering=False)
    assert press(ui, Key("1", "1"), there) == (replace(settle(replace(ui, filter=""), there)), (Go("api"),))


def test_escape_clears_the_filter_and_then_leaves() -> None:
    there = plain("api", "web")
    ui, intents = type_keys(there, "/", "w", "escape")
    assert (ui.filter, ui.filtering, intents) == ("", False, [])
    assert type_keys(there, "escape", ui=ui)[1] == [Leave()]


@pytest.mark.parametrize(
    ("keys", "rest", "filtering"),
    [
        ("/ a b backspace", "a", True),
        ("/ a backspace backspace", "", False),
        ("/ a b space c ctrl-w", "ab ", True),
        ("/ a b ctrl-w", "", True),
        ("/ a b ctrl-u", "", True),
        ("/ a tab", "a", True),
    ],
)
def test_editing_the_filter(keys: str, rest: str, filtering: bool) -> None:
    ui, _ = type_keys(plain("abc"), *keys.split())
    assert (ui.filter, ui.filtering) == (rest, filtering)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("API", "api"),
        ("a i", "api wiki-a"),
        ("dtf", "dotfiles"),
        ("codex", "wiki-a"),
        ("nothing at all", ""),
        ("  ", "api dotfiles wiki-a"),
    ],
)
def test_what_the_filter_finds(words: str, found: str) -> None:
    there = Scene(
        mux(
            row("api", "api", 1),
            row("dotfiles", "dotfiles", 2),
            row("wiki-a", "wiki-a", 3, [("codex", "idle")]),
        ),
        26,
        9,
    )
    assert " ".join(row.id for row in listing(Ui(filter=words), there)) == found


def test_a_paste_is_typed_into_the_filter_and_does_nothing_elsewhere() -> None:
    there = plain("api", "web")
    assert press(settle(Ui(), there), Paste("jjq\r"), there) == (settle(Ui(), there), ())
    ui, _ = type_keys(there, "/")
    ui, intents = press(ui, Paste("we\nb\x1b[A"), there)
    assert (ui.filter, intents) == ("we b?[A", ())
    assert len(press(ui, Paste("x" * 9000), there)[0].filter) == 64


def test_moving_under_a_filter_goes_past_what_is_not_listed() -> None:
    """With [web, api, db, wiki] and the filter `w`, wiki goes before web: three places up."""
    there = plain("web", "api", "db", "wiki", own="wiki")
    ui, _ = type_keys(there, "/", "w")
    assert type_keys(there, "shift-up", ui=ui)[1] == [Move("wiki", -3)]


# --- hidden rows --------------------------------------------------------------------------------------------------


def test_hidden_rows_are_listed_on_demand_and_brought_back() -> None:
    there = plain("a", "-b", "c", own="a")
    ui, _ = type_keys(there)
    assert listed(ui, there) == "ac"
    ui, _ = type_keys(there, "X", "j", ui=ui)
    assert listed(ui, there) == "abc"
    assert press(ui, Key("x", "x"), there)[1] == (Unhide("b"),)
    assert press(ui, Key("J", "J"), there)[1] == ()
    assert listed(type_keys(there, "X", ui=ui)[0], there) == "ac"


# --- staying put --------------------------------------------------------------------------------------------------


def test_the_cursor_sticks_to_its_session() -> None:
    ui = settle(Ui(cursor="b"), plain("a", "b", "c"))
    assert settle(ui, plain("c", "a", "d", "b")).cursor == "b"


@pytest.mark.parametrize(
    ("cursor", "after", "expected"),
    [("c", "abde", "d"), ("e", "abcd", "d"), ("a", "bcde", "b"), ("c", "a", "a")],
)
def test_the_cursor_of_a_session_that_is_gone_stays_at_its_place(
    cursor: str, after: str, expected: str
) -> None:
    ui = settle(Ui(cursor=cursor), plain(*"abcde"))
    assert settle(ui, plain(*after)).cursor == expected


def test_the_cursor_of_a_hidden_session_goes_to_the_next_row() -> None:
    ui = settle(Ui(cursor="b"), plain("a", "b", "c"))
    assert settle(ui, plain("a", "-b", "c")).cursor == "c"
    assert settle(settle(Ui(cursor="c"), plain("a", "b", "c")), plain("a", "b", "-c")).cursor == "b"


def test_arriving_brings_the_cursor_home_and_drops_the_filter() -> None:
    there = plain(*TEN, height=6)
    ui, _ = type_keys(there, "/", "a", "enter", "/", "j")
    home = settle(arrive(ui, "g"), there)
    assert (home.cursor, home.filter, home.filtering) == ("g", "", False)
    assert "g" in lines(home, there)


def test_rows_on_the_screen_stay_when_rows_above_them_go() -> None:
    there = plain(*TEN, height=6)
    ui = settle(Ui(cursor="h"), there)
    assert lines(ui, there) == ("", "e", "f", "g", "h", "")
    after = plain(*"bcdefghij", height=6)
    ui = settle(ui, after)
    assert lines(ui, after) == ("", "e", "f", "g", "h", "")


def test_at_the_top_new_rows_above_are_seen() -> None:
    ui = settle(Ui(cursor="b"), plain(*"bcdef", height=6))
    after = plain(*"abcdef", height=6)
    assert lines(settle(ui, after), after) == ("", "a", "b", "c", "d", "")


def test_the_cursor_stays_in_sight_when_the_terminal_shrinks() -> None:
    ui = settle(Ui(cursor="j"), plain(*TEN, height=20))
    small = plain(*TEN, height=6)
    assert "j" in lines(settle(ui, small), small)


# --- the mouse ----------------------------------------------------------------------------------------------------


def test_a_click_goes_to_the_row() -> None:
    there = plain(*TEN, height=8, own="a")
    ui, intents = press(Ui(), Mouse("press", 1, 3, 3), there)
    assert (ui.cursor, intents) == ("c", ())
    ui, intents = press(ui, Mouse("release", 1, 3, 3), there)
    assert (ui.cursor, ui.drag, intents) == ("c", None, (Go("c"),))


@pytest.mark.parametrize(
    "event",
    [
        Mouse("press", 1, 3, 0), Mouse("press", 1, 0, 7), Mouse("press", 1, 3, 99), Mouse("press", 2, 3, 3),
        Mouse("press", 3, 3, 0),
        Mouse("release", 1, 3, 3), Mouse("drag", 1, 3, 3),
    ],
)  # fmt: skip
def test_other_clicks_do_nothing(event: Mouse) -> None:
    there = plain(*TEN, height=8, own="a")
    assert press(Ui(), event, there) == (settle(Ui(), there), ())


def test_the_wheel_scrolls_and_the_cursor_stays() -> None:
    there = plain(*TEN, height=6, own="a")
    ui, intents = press(Ui(), Mouse("wheel-down", 0, 3, 3), there)
    assert (ui.cursor, ui.top, intents) == ("a", 3, ())
    assert settle(ui, there) == ui
    down, _ = press(ui, Mouse("wheel-down", 0, 3, 3), there)
    down, _ = press(down, Mouse("wheel-down", 0, 3, 3), there)
    assert down.top == 6
    moved, _ = type_keys(there, "j", ui=down)
    assert (moved.cursor, moved.top, moved.follow) == ("b", 1, True)
    back, _ = press(ui, Mouse("wheel-up", 0, 3, 3), there)
    assert (back.top, back.follow) == (0, True)


# --- help ---------------------------------------------------------------------------------------------------------


def test_the_help_screen_scrolls_and_any_other_key_closes_it() -> None:
    there = plain("a", "b", height=10)
    ui, _ = type_keys(there, "?", "j", "j")
    assert (ui.help, ui.help_top) == (True, 2)
    assert type_keys(there, "G", ui=ui)[0].help_top == len(BINDINGS) - shape(ui, there).rows
    assert press(ui, Mouse("wheel-down", 0, 0, 0), there)[0].help_top == 5
    assert press(ui, Mouse("press", 1, 0, 0), there) == (replace(ui, help=False), ())
    for key in ("q", "escape", "?", "enter", "z"):
        closed, intents = type_keys(there, key, ui=ui)
        assert (closed.help, intents) == (False, [])


def test_no_key_is_bound_twice_and_every_hint_exists() -> None:
    keys = [key for binding in BINDINGS for key in binding.keys]
    assert len(keys) == len(set(keys))
    assert {binding.action for binding in BINDINGS if binding.hint} == set(HINTS)


# --- whatever happens -----------------------------------------------------------------------------------------------

EVENTS = st.one_of(
    st.sampled_from([Key(key, key if len(key) == 1 else "") for key in ACTIONS]),
    st.text(max_size=1).map(lambda char: Key(char or "space", char or " ")),
    st.sampled_from([Key("backspace"), Key("ctrl-u"), Key("ctrl-w"), Key("alt-x")]),
    st.builds(
        Mouse, st.sampled_from(("press", "release", "drag", "wheel-up", "wheel-down")), st.integers(0, 3),
        st.integers(0, 100), st.integers(0, 60),
    ),
    st.builds(Paste, st.text(max_size=20)),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    UIS,
    st.lists(st.tuples(EVENTS, st.integers(0, 2)), max_size=15),
    st.lists(scenes(), min_size=3, max_size=3),
)
def test_whatever_happens_the_sidebar_stays_sane(
    ui: Ui, events: list[tuple[Input, int]], there: list[Scene]
) -> None:
    for event, at in events:
        now = there[at]
        ui, intents = press(ui, event, now)
        ids = {row.id for row in now.mux.sessions}
        for intent in intents:
            assert getattr(intent, "session", None) is None or getattr(intent, "session", "") in ids
        settled = settle(ui, now)
        assert settle(settled, now) == settled
        every = entries(settled, now)
        if every:
            assert every[settled.place].key == settled.cursor
            assert 0 <= settled.top < sum(entry.height for entry in every)
            if settled.follow and not settled.help and shape(settled, now).rows:
                assert settled.cursor in lines(settled, replace(now, message=""))  # that may cover it
        assert len(lines(settled, now)) == now.height
