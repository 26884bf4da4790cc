from __future__ import annotations

import subprocess
from pathlib import Path

import pyte
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.sidebar.frame import Frame, Span
from opensessions.sidebar.paint import paint
from opensessions.sidebar.text import width
from opensessions.sidebar.theme import ROLES, Depth, Theme
from opensessions.sidebar.themes import DEFAULT
from opensessions.sidebar.themes import SHIPPED as THEMES
from opensessions.sidebar.ui import Scene, Ui
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import NAMES, UIS, scene, scenes
from tests.support.world import tmux_versions

VERSIONS = tmux_versions()

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
    """tmux 3.3a shows a thumb with a skin tone in four cells, we count two: what follows must not shift."""
    frame = Frame(20, ((Span("👍🏽 x", "name"), Span(" tail", "count")),), ("",))
    data = paint(None, frame, DEFAULT, "rgb").decode()
    assert "👍🏽\x1b[3G x" in data
    assert data.index("\x1b[2K") < data.index("👍")
    simple = paint(None, Frame(20, ((Span("日本 é", "name"),),), ("",)), DEFAULT, "rgb").decode()
    assert "\x1b[2K" not in simple
    assert "G" not in simple


@pytest.mark.parametrize("depth", DEPTHS)
def test_seven_bit_pictures_are_seven_bit_bytes(depth: Depth) -> None:
    for columns in (20, 26, 60):
        assert paint(None, view(scene(columns, 20), Ui(), ViewOptions(ascii=True)), DEFAULT, depth).isascii()


DOUBTFUL = ("👍🏽", "❤️", "👨‍👩‍👧‍👦", "1️⃣", "🇩🇪", "👩‍💻", "e\u0301\u0302", "日本", "नि", "🫨")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_tmux_puts_every_column_where_it_belongs(version: str, short: Path) -> None:
    """Whatever tmux thinks of the width of a name, what comes after it stands in its column."""
    frame = Frame(
        30,
        tuple(
            (Span(f"{name} after", "name"), Span(f"Q{number}", "count"))
            for number, name in enumerate(DOUBTFUL)
        ),
        ("",) * len(DOUBTFUL),
    )
    picture = short / "picture"
    picture.write_bytes(NO_WRAP + paint(None, frame, DEFAULT, "rgb"))

    def tmux(*words: str) -> str:
        return subprocess.run(
            [VERSIONS[version], "-u", "-f", "/dev/null", "-S", str(short / "tmux"), *words],
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(short)},
            capture_output=True, text=True, timeout=20, check=True,
        ).stdout.strip()  # fmt: skip

    try:
        tmux(
            "new-session",
            "-d",
            "-x",
            "30",
            "-y",
            "20",
            f"cat '{picture}'; echo; tmux -S '{short}/tmux' wait-for -S shown; cat",
        )
        tmux("wait-for", "shown")
        for number, name in enumerate(DOUBTFUL):
            tmux("copy-mode")
            tmux("send-keys", "-X", "search-backward", f"Q{number}")
            column, line = tmux("display-message", "-p", "#{copy_cursor_x} #{copy_cursor_y}").split()
            assert (int(line), int(column)) == (number, width(f"{name} after")), name
            tmux("send-keys", "-X", "cancel")
    finally:
        tmux("kill-server")
