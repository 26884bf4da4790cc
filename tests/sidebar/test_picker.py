"""The list of themes: keys, the mouse, what it looks like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.sidebar.frame import ASCII, UNICODE
from opensessions.sidebar.intents import SetTheme
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.picker import LEAST_ROOM, SAMPLES, Picker, lines, listed, opened, press
from opensessions.sidebar.scene import Scene, Ui, shape
from opensessions.sidebar.text import fit, width
from opensessions.sidebar.theme import ROLES
from opensessions.sidebar.themes import SHIPPED
from opensessions.sidebar.ui import arrive
from opensessions.sidebar.ui import press as ui_press
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import scene

NAMES = tuple(SHIPPED)
FIRST = 2
ACTIONS = {
    "j": "down", "k": "up", "g": "first", "G": "last", "page-down": "page-down", "page-up": "page-up",
    "enter": "go", "escape": "leave", "q": "close", "T": "theme",
}  # fmt: skip


def do(picker: Picker, key: str, room: int = 20) -> tuple[Picker | None, str]:
    return press(picker, Key(key), ACTIONS.get(key, ""), FIRST, room)


def walk(picker: Picker, keys: list[str], room: int = 20) -> Picker:
    for key in keys:
        after, kept = do(picker, key, room)
        assert after is not None
        assert kept == ""
        picker = after
    return picker


def start(before: str = "nord", room: int = 20) -> Picker:
    picker = opened(NAMES, before, room)
    assert picker
    return picker


def test_it_opens_on_the_theme_that_is_worn() -> None:
    assert start("nord").chosen == "nord"
    assert start("gone").chosen == NAMES[0]
    assert opened((), "nord", 20) is None


def test_moving_chooses_at_once_and_stops_at_the_ends() -> None:
    assert walk(start("nord"), ["j"]).chosen == NAMES[NAMES.index("nord") + 1]
    assert walk(start("nord"), ["k", "k"]).chosen == NAMES[NAMES.index("nord") - 2]
    assert walk(start(), ["g", "k"]).chosen == NAMES[0]
    assert walk(start(), ["G", "j"]).chosen == NAMES[-1]
    assert walk(start(NAMES[0]), ["page-down"]).chosen == NAMES[listed(20) - 1]
    assert walk(start(NAMES[0]), ["page-down", "page-up"]).chosen == NAMES[0]


def test_enter_keeps_and_everything_that_closes_does_not() -> None:
    moved = walk(start(), ["j"])
    assert do(moved, "enter") == (None, moved.chosen)
    for key in ("escape", "q", "T"):
        assert do(moved, key) == (None, "")


def test_what_means_nothing_here_changes_nothing() -> None:
    picker = start()
    for event in (
        Key("x", "x"),
        Key("1", "1"),
        Paste("nord"),
        Mouse("release", 1, 1, 4),
        Mouse("press", 3, 1, 4),
    ):
        assert press(picker, event, "hide", FIRST, 20) == (picker, "")


def test_the_wheel_and_clicks() -> None:
    picker = start(NAMES[0])
    down, _ = press(picker, Mouse("wheel-down", 0, 1, 5), "", FIRST, 20)
    assert down
    assert down.chosen == NAMES[1]
    shown, kept = press(picker, Mouse("press", 1, 3, FIRST + 4), "", FIRST, 20)
    assert shown
    assert (shown.chosen, kept) == (NAMES[4], "")
    assert press(shown, Mouse("press", 1, 3, FIRST + 4), "", FIRST, 20) == (None, NAMES[4])
    for line in (0, FIRST - 1, FIRST + listed(20), 25):
        assert press(picker, Mouse("press", 1, 3, line), "", FIRST, 20) == (picker, "")


def test_a_click_below_a_short_list_means_nothing() -> None:
    picker = opened(("a", "b"), "a", 30)
    assert picker
    assert press(picker, Mouse("press", 1, 1, FIRST + 2), "", FIRST, 30) == (picker, "")


def text(picker: Picker, room: int, cells: int = 26, ascii: bool = False) -> list[str]:
    look = ASCII if ascii else UNICODE
    return ["".join(span.text for span in line) for line in lines(picker, room, cells, look, range(0))]


def test_the_worn_theme_and_the_cursor_are_marked_by_more_than_colour() -> None:
    for ascii, look in ((False, UNICODE), (True, ASCII)):
        drawn = text(walk(start(NAMES[1]), ["j"]), 12, ascii=ascii)
        assert drawn[0].startswith("  catppuccin-latte ")
        assert drawn[1].startswith(f"{look.current} {NAMES[1]} ")
        assert drawn[2].startswith(f"{look.cursor} {NAMES[2]} ")
        assert text(start(NAMES[0]), 12, ascii=ascii)[0].startswith(f"{look.both} {NAMES[0]} ")


def test_where_there_is_room_states_are_shown_as_samples() -> None:
    drawn = "\n".join(text(start(), LEAST_ROOM))
    assert "! waiting" in drawn
    assert "✗ error" in drawn
    assert all(state in drawn for pair in SAMPLES for state in pair)
    assert "waiting" not in "\n".join(text(start(), LEAST_ROOM - 1))
    assert len(text(start(), LEAST_ROOM - 1)) == LEAST_ROOM - 1


EVENTS: st.SearchStrategy[Input] = st.one_of(
    st.sampled_from([Key(name) for name in ACTIONS if name not in ("enter", "escape", "q", "T")]),
    st.builds(
        Mouse, st.sampled_from(("wheel-up", "wheel-down")), st.just(0), st.integers(0, 30), st.integers(0, 30)
    ),
)


@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 40)), max_size=12), st.integers(1, 80), st.booleans(),
    st.integers(1, len(NAMES)),
)  # fmt: skip
def test_the_cursor_is_always_on_the_screen_and_every_line_to_measure(
    events: list[tuple[Input, int]], cells: int, ascii: bool, many: int
) -> None:
    picker = opened(NAMES[:many], "nord", 10)
    room = 10
    assert picker
    for event, room in events:
        action = ACTIONS.get(event.name, "") if isinstance(event, Key) else ""
        after, kept = press(picker, event, action, FIRST, room)
        assert after
        assert kept == ""
        picker = after
    if events and listed(room):
        assert picker.top <= picker.place < picker.top + max(1, listed(room))
    drawn = lines(picker, room, cells, ASCII if ascii else UNICODE, range(2))
    assert len(drawn) <= max(room, 0) or not room
    for line in drawn:
        assert sum(width(span.text) for span in line) == cells
        assert all(set(span.style.split()) <= set(ROLES) for span in line)
        assert not ascii or all(span.text.isascii() for span in line)


# --- in a sidebar ----------------------------------------------------------------------------------------------


def there(width: int = 26, height: int = 20) -> Scene:
    return replace(scene(width, height), themes=NAMES, theme="nord")


def typed(ui: Ui, *keys: str) -> tuple[Ui, tuple[object, ...]]:
    asked: tuple[object, ...] = ()
    for key in keys:
        ui, asked = ui_press(ui, Key(key, key if len(key) == 1 else ""), there())
    return ui, asked


def test_t_opens_the_list_over_the_rows() -> None:
    ui, asked = typed(Ui(), "T")
    assert ui.picker
    assert (ui.picker.chosen, asked) == ("nord", ())
    frame = view(there(), ui, ViewOptions())
    assert set(frame.hits) == {""}
    assert not frame.moving
    lines = frame.text().split("\n")
    assert "themes 28" in lines[0]
    assert "keeps this one" in lines[-1]
    assert "catppuccin-mocha" in frame.text()


def test_keys_belong_to_the_list_while_it_is_open() -> None:
    for key in ("x", "d", "D", "1", "/", "tab", "J", "?", "X", ">", "z", "r"):
        ui, asked = typed(Ui(), "T", key)
        assert (ui.picker, asked) == (typed(Ui(), "T")[0].picker, ()), key


def test_enter_asks_for_the_theme_and_escape_for_nothing() -> None:
    ui, asked = typed(Ui(), "T", "j", "enter")
    assert (ui.picker, asked) == (None, (SetTheme("dracula"),))
    ui, asked = typed(Ui(), "T", "j", "escape")
    assert (ui.picker, asked) == (None, ())


def test_a_click_on_the_list_is_none_on_the_rows_behind_it() -> None:
    ui, _ = typed(Ui(), "T", "g")
    first = shape(ui, there()).first
    ui, asked = ui_press(ui, Mouse("press", 1, 3, first + 2), there())
    assert ui.picker
    assert (ui.picker.chosen, asked) == (NAMES[2], ())


def test_who_arrives_finds_the_rows() -> None:
    assert arrive(typed(Ui(), "T")[0], "$2").picker is None


def test_without_themes_nothing_opens() -> None:
    assert ui_press(Ui(), Key("T", "T"), scene(26, 20))[0].picker is None


@given(
    st.integers(1, 80), st.integers(0, 45), st.integers(0, len(NAMES) - 1), st.integers(0, 27), st.booleans()
)
def test_every_picture_of_it_is_to_measure(
    cells: int, height: int, place: int, top: int, ascii: bool
) -> None:
    """Opened at one height and shown at another."""
    ui = Ui(picker=Picker(NAMES, "nord", place, top))
    frame = view(there(cells, height), ui, ViewOptions(ascii))
    assert len(frame.lines) == len(frame.hits) == height
    for line in frame.lines:
        assert sum(width(span.text) for span in line) == cells
    room = shape(ui, there(cells, height)).rows
    if room and cells > 12:
        assert fit(NAMES[place], cells - 3, ASCII.ellipsis if ascii else UNICODE.ellipsis) in frame.text()
