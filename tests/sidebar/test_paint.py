from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.sidebar.frame import Frame, Span
from opensessions.sidebar.paint import paint
from opensessions.sidebar.text import clean
from opensessions.sidebar.theme import ROLES, Depth, Theme
from opensessions.sidebar.themes import DEFAULT
from opensessions.sidebar.themes import SHIPPED as THEMES
from opensessions.sidebar.ui import Scene, Ui
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import NAMES, UIS, scene, scenes

DEPTHS: tuple[Depth, ...] = (16, 256, "rgb")
NO_WRAP = b"\x1b[?7l"
"""The pump turns wrapping off."""


def screen(frame: Frame) -> pyte.Screen:
    made = pyte.Screen(frame.width, len(frame.lines))
    feed(made, NO_WRAP)
    return made


def feed(screen: pyte.Screen, data: bytes) -> None:
    pyte.ByteStream(screen).feed(data)


def cells(screen: pyte.Screen) -> list[list[object]]:
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


LOOKS = st.tuples(st.sampled_from(list(THEMES.values())), st.sampled_from(DEPTHS))


@settings(max_examples=60, deadline=None)
@given(scenes(), UIS, scenes(), UIS, st.integers(0, 3), LOOKS, st.booleans())
def test_a_difference_on_the_old_picture_is_the_new_picture(
    before: Scene, old_ui: Ui, after: Scene, new_ui: Ui, tick: int, look: tuple[Theme, Depth], resized: bool
) -> None:
    if not resized:
        after = replace(after, width=before.width, height=before.height)
    assume(before.height and after.height)
    old, new = view(before, old_ui, ViewOptions()), view(after, new_ui, ViewOptions(), tick)
    step, full = screen(old), screen(new)
    feed(step, paint(None, old, *look))
    step.resize(full.lines, full.columns)
    feed(step, paint(old, new, *look))
    feed(full, paint(None, new, *look))
    assert cells(step) == cells(full)


@settings(max_examples=60, deadline=None)
@given(scenes(), UIS)
def test_what_is_painted_is_what_was_drawn(there: Scene, ui: Ui) -> None:
    assume(there.height)
    frame = view(there, ui, ViewOptions(ascii=True))
    shown = screen(frame)
    feed(shown, paint(None, frame, DEFAULT, "rgb"))
    assert shown.display == frame.text().split("\n")


def test_nothing_changed_paints_nothing() -> None:
    frame = view(scene(26, 20), Ui(), ViewOptions())
    assert paint(frame, view(scene(26, 20), Ui(), ViewOptions()), DEFAULT, "rgb") == b""


def test_only_changed_lines_are_painted() -> None:
    """A spinner's next frame touches the lines that have one: api, web's is standing, the wide one."""
    old, new = (view(scene(26, 20, focused=False), Ui(), ViewOptions(), tick) for tick in (0, 1))
    data = paint(old, new, DEFAULT, "rgb")
    assert data.count(b"H") == 2
    assert b"\x1b[3H" in data
    assert b"\x1b[9H" in data
    assert "⠙".encode() in data


def test_another_size_or_an_unknown_screen_is_cleared() -> None:
    frame = view(scene(26, 20), Ui(), ViewOptions())
    full = paint(None, frame, DEFAULT, "rgb")
    assert full.count(b"\x1b[2J") == 1
    assert paint(view(scene(27, 20), Ui(), ViewOptions()), frame, DEFAULT, "rgb") == full
    assert paint(view(scene(26, 21), Ui(), ViewOptions()), frame, DEFAULT, "rgb") == full


@settings(deadline=None)
@given(NAMES, st.sampled_from(sorted(ROLES)))
def test_paint_cleans_what_it_is_given(text: str, style: str) -> None:
    """Even a frame that somebody made by hand cannot send the terminal a command or a new line."""
    frame = Frame(80, ((Span(text, style), Span("after", "name")),), ("",))
    data = paint(None, frame, DEFAULT, "rgb").decode()
    assert "\n" not in data
    assert "\r" not in data
    for number, piece in enumerate(data.split("\x1b")):
        assert number == 0 or piece[0] == "["
        assert all(char.isprintable() or char == "\u200d" for char in piece)


def test_each_line_ends_plain_and_begins_at_the_left() -> None:
    frame = view(scene(20, 8), Ui(), ViewOptions())
    data = paint(None, frame, DEFAULT, "rgb").decode()
    lines = data.split("\x1b[2J")[1]
    assert lines.count("\x1b[0m") == len(frame.lines)
    assert [f"\x1b[{number}H" in lines for number in range(1, 9)] == [True] * 8
    assert lines.endswith("\x1b[0m")


def test_after_doubtful_text_the_column_is_set_anew() -> None:
    """tmux 3.5a shows a pointing hand in two cells, wcwidth says one: what follows must not shift, and where it is one
    cell after all, the other one has the row's ground."""
    frame = Frame(20, ((Span("☝ x", "name"), Span(" tail", "count")),), ("",))
    data = paint(None, frame, DEFAULT, "rgb").decode()
    assert "  \x1b[1G☝\x1b[3G x" in data
    simple = paint(None, Frame(20, ((Span("日本 é ✓ ⠋", "name"),),), ("",)), DEFAULT, "rgb").decode()
    assert "G" not in simple


LINKED = re.compile("\x1b\\]8;;(http://localhost:[0-9]+)\x1b\\\\((?:(?!\x1b\\]).)*)\x1b\\]8;;\x1b\\\\")
"""A link with its text: opened and closed, nothing of the kind between."""


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(0, 65535)), min_size=1, max_size=5))
def test_links_are_opened_and_closed_around_their_text_within_the_line(parts: list[tuple[str, int]]) -> None:
    frame = Frame(200, (tuple(Span(clean(text) or "x", "link", port) for text, port in parts),), ("",))
    data = paint(None, frame, DEFAULT, "rgb").decode()
    found = [(address, re.sub("\x1b\\[[0-9;]*[A-Za-z]", "", text)) for address, text in LINKED.findall(data)]
    assert [address for address, _ in found] == [f"http://localhost:{port}" for _, port in parts if port]
    assert "\x1b]" not in LINKED.sub("", data)
    shown = [clean(clean(text) or "x").replace(" ", "") for text, port in parts if port]
    assert [text.replace(" ", "") for _, text in found] == shown


def test_an_address_is_a_ports_number_and_nothing_else() -> None:
    frame = Frame(20, ((Span("http://evil", "link", 80),),), ("",))
    data = paint(None, frame, DEFAULT, "rgb").decode()
    assert "\x1b]8;;http://localhost:80\x1b\\http://evil\x1b]8;;\x1b\\" in data
    with pytest.raises(ValueError, match="format"):
        paint(None, Frame(20, ((Span("x", "link", "evil"),),), ("",)), DEFAULT, "rgb")  # type: ignore[arg-type]


def test_a_terminal_that_knows_no_links_shows_their_text() -> None:
    frame = Frame(20, ((Span(" ", "page"), Span(":3000", "link", 3000), Span(" after", "name")),), ("",))
    shown = screen(frame)
    feed(shown, paint(None, frame, DEFAULT, "rgb"))
    assert shown.display == [" :3000 after".ljust(20)]


@pytest.mark.parametrize("depth", DEPTHS)
def test_seven_bit_pictures_are_seven_bit_bytes(depth: Depth) -> None:
    for columns in (20, 26, 60):
        assert paint(None, view(scene(columns, 20), Ui(), ViewOptions(ascii=True)), DEFAULT, depth).isascii()
