"""Keys and the mouse on the screen, and what it looks like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.sessionizer.chooser import (
    Cancel,
    Chooser,
    Stage,
    listing,
    path_asked,
    place_of,
    press,
    settle,
)
from opensessions.sessionizer.names import asked
from opensessions.sessionizer.places import Found, Place, Seen, Session, gathered
from opensessions.sessionizer.view import view
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.text import width

HOME = "/home/u"
SESSIONS = (Session("$0", "main", (HOME,)), Session("$3", "backend", (f"{HOME}/src/api",)))
FOUND = (
    Found(f"{HOME}/src/engine", "/g", branch="trunk"),
    Found(f"{HOME}/trees/fixed", "/g", linked=True, branch="fix"),
    *(
        Found(f"{HOME}/code/{name}")
        for name in ("one", "two", "three", "four", "five", "six", "seven", "eight")
    ),
)
STAGE = Stage(gathered(SESSIONS, FOUND, (), HOME), 60, 12, HOME, "/here")
CURSOR = tuple(
    Key(name) for name in ("up", "down", "home", "end", "page-up", "page-down", "ctrl-n", "ctrl-p")
)


def keys(text: str) -> list[Input]:
    return [Key(char, char) for char in text]


def after(events: list[Input], stage: Stage = STAGE) -> tuple[Chooser, Place | Cancel | None]:
    chooser, chosen = Chooser(), None
    for event in events:
        chooser, chosen = press(chooser, event, stage)
    return chooser, chosen


def names(chooser: Chooser, stage: Stage = STAGE) -> list[str]:
    return [place.name for place in listing(chooser, stage)]


def at(chooser: Chooser, stage: Stage = STAGE) -> str:
    rows = listing(chooser, stage)
    return rows[place_of(chooser, rows)].name


def test_typing_filters_and_enter_chooses() -> None:
    chooser, chosen = after([*keys("engi"), Key("enter")])
    assert names(chooser) == ["engine"]
    assert isinstance(chosen, Place)
    assert (chosen.kind, chosen.path) == ("repository", f"{HOME}/src/engine")


@pytest.mark.parametrize("name", ["escape", "ctrl-c", "ctrl-g"])
def test_it_can_be_left(name: str) -> None:
    assert isinstance(after([*keys("eng"), Key(name)])[1], Cancel)


def test_nothing_is_chosen_where_nothing_matches() -> None:
    assert after([*keys("qqq"), Key("enter")]) == (Chooser("qqq"), None)


def test_the_cursor_moves_and_stays_on_its_row() -> None:
    chooser, _ = after([Key("down"), Key("ctrl-n")])
    assert at(chooser) == "engine"
    assert at(after([Key("up")])[0]) == "main"
    assert at(after([Key("end")])[0]) == names(Chooser())[-1]
    assert at(after([Key("end"), Key("home")])[0]) == "main"
    more = replace(STAGE, places=gathered(SESSIONS, (*FOUND, Found(f"{HOME}/a", "/a")), (), HOME))
    assert names(chooser, more).index("engine") != 2
    assert at(chooser, more) == "engine"
    assert at(Chooser(), more) == "main"


def test_editing() -> None:
    assert after([*keys("abc"), Key("backspace")])[0].query == "ab"
    assert after([*keys("ab cd"), Key("ctrl-w")])[0].query == "ab "
    assert after([*keys("~/ab/cd"), Key("ctrl-w")])[0].query == "~/ab/"
    assert after([*keys("ab"), Key("ctrl-u")])[0].query == ""
    assert after([Key("backspace")])[0].query == ""
    assert after([Paste("a\tb\nc")])[0].query == "a b c"
    assert after([Paste("x" * 5000)])[0].query == "x" * 1024
    assert after([*keys("e"), Key("right"), Key("f5")])[0].query == "e"


def test_what_is_typed_moves_the_cursor_to_the_likeliest_row() -> None:
    assert after([Key("down"), Key("down"), *keys("t")])[0] == Chooser("t")


def test_tab_goes_on_from_the_rows_path() -> None:
    assert after([*keys("engi"), Key("tab")])[0].query == "~/src/engine/"
    assert after([Key("tab")])[0].query == "~/"
    assert after([*keys("qqq"), Key("tab")])[0].query == "qqq"


def typing(query: str, seen: Seen | None) -> tuple[Chooser, Stage]:
    return Chooser(query), replace(STAGE, seen=seen)


def test_a_typed_path_that_the_disk_knows() -> None:
    meant = asked("~/co", HOME, "/here")
    assert meant
    chooser, stage = typing("~/co", Seen(meant, "nothing", ("code",)))
    assert path_asked(chooser, stage) == meant
    assert names(chooser, stage) == ["code", "co"]
    assert press(chooser, Key("tab"), stage)[0].query == "~/code/"
    _, chosen = press(press(chooser, Key("down"), stage)[0], Key("enter"), stage)
    assert isinstance(chosen, Place)
    assert (chosen.kind, chosen.path) == ("new", f"{HOME}/co")
    assert press(press(chooser, Key("down"), stage)[0], Key("tab"), stage)[0].query == "~/co"


def test_an_answer_about_another_path_does_not_count() -> None:
    meant = asked("~/c", HOME, "/here")
    assert meant
    chooser, stage = typing("~/co", Seen(meant, "nothing", ("code",)))
    assert listing(chooser, stage) == ()
    assert press(chooser, Key("enter"), stage) == (chooser, None)
    assert "Reading" in view(stage, chooser).text()


def test_a_click_chooses_and_the_wheel_moves() -> None:
    frame = view(STAGE, Chooser())
    line = next(n for n, text in enumerate(frame.text().splitlines()) if "engine" in text)
    _, chosen = press(Chooser(), Mouse("press", 1, 3, line), STAGE)
    assert isinstance(chosen, Place)
    assert chosen.name == "engine"
    for event in (Mouse("release", 1, 3, line), Mouse("press", 3, 3, line), Mouse("press", 1, 3, 0)):
        assert press(Chooser(), event, STAGE) == (Chooser(), None)
    assert at(press(Chooser(), Mouse("wheel-down", 0, 3, 3), STAGE)[0]) == "fixed"
    few = replace(STAGE, places=STAGE.places[:1])
    assert press(Chooser(), Mouse("press", 1, 3, line), few) == (Chooser(), None)


# --- the picture ----------------------------------------------------------------------------------------------


def test_the_picture() -> None:
    assert [line.rstrip() for line in view(STAGE, Chooser()).text().splitlines()] == [
        " new session 12",
        " > ▏",
        "",
        "█ main  ~                                           session",
        "▌ backend  ~/src/api                                session",
        "  engine  ~/src                                       trunk",
        "  fixed  ~/trees                                        fix",
        "  eight  ~/code",
        "  five  ~/code",
        "  four  ~/code",
        "  one  ~/code",
        " ↵ go  tab complete  ~/ a path  esc close",
    ]


def test_the_picture_while_it_searches_and_when_something_failed() -> None:
    searching = replace(STAGE, places=(), searching=True)
    assert "searching" in view(searching, Chooser()).text()
    assert "Searching" in view(searching, Chooser()).text()
    assert "No folder was found." in view(replace(searching, searching=False), Chooser()).text()
    assert "Nothing matches" in view(STAGE, Chooser("qqq")).text()
    assert "tmux says no" in view(STAGE, Chooser(said="tmux says no")).text()


def test_seven_bits() -> None:
    odd = replace(STAGE, places=(Place("session", "/é", "日本 é", "/", "$1"), *STAGE.places))
    assert view(odd, Chooser("é"), ascii=True).text().isascii()


TEXTS = st.text(st.sampled_from(list("ab/~. é日🙂\x1b\n\t\u202e\udcff-")), max_size=12)
PLACES = st.lists(
    st.builds(
        Place, st.sampled_from(("session", "repository", "folder", "known")), TEXTS, TEXTS, TEXTS,
        st.sampled_from(("", "$1", "$2")), TEXTS,
    ),
    max_size=12,
).map(tuple)  # fmt: skip
EVENTS = st.one_of(
    TEXTS.filter(bool).map(lambda text: Key(text[0], text[0])),
    st.sampled_from((*CURSOR, Key("tab"), Key("backspace"), Key("ctrl-w"), Key("enter"))),
    st.builds(Paste, TEXTS),
    st.builds(
        Mouse,
        st.sampled_from(("press", "wheel-up", "wheel-down")),
        st.just(1),
        st.just(1),
        st.integers(0, 20),
    ),
)


@settings(max_examples=200)
@given(
    PLACES,
    st.lists(EVENTS, max_size=12),
    st.integers(1, 90),
    st.integers(1, 20),
    st.booleans(),
    st.booleans(),
)
def test_any_state_in_any_size(
    places: tuple[Place, ...], events: list[Input], cells: int, lines: int, ascii: bool, searching: bool
) -> None:
    stage = Stage(places, cells, lines, HOME, "/here", searching=searching)
    chooser = Chooser()
    for event in events:
        meant = path_asked(chooser, stage)
        stage = replace(stage, seen=Seen(meant, "nothing", ("ab", "a")) if meant else None)
        chooser, chosen = press(chooser, event, stage)
        assert chosen is None or (isinstance(chosen, Place) and chosen in listing(chooser, stage))
        frame = view(stage, chooser, ascii)
        assert len(frame.lines) == len(frame.hits) == lines
        for line in frame.lines:
            assert sum(width(span.text) for span in line) == cells
            assert all(span.text.isprintable() for span in line)
        chooser = settle(chooser, stage)
        rows = listing(chooser, stage)
        if rows and lines > 4:
            shown = [hit for hit in frame.hits if hit]
            assert rows[place_of(chooser, rows)].key in shown
