"""Small sidebars and many sessions: what must still be there, and that every key still works."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import URGENCY, MuxView
from opensessions.sidebar.frame import ASCII, UNICODE, Frame
from opensessions.sidebar.keymap import BINDINGS
from opensessions.sidebar.keys import Key
from opensessions.sidebar.scene import Scene, Ui
from opensessions.sidebar.text import width
from opensessions.sidebar.ui import press
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import busy, mux, row

MANY = busy(count=200)
SIZES = [(columns, lines) for columns in (15, 20, 26) for lines in (1, 2, 3, 4, 6, 8)]


def looked_at(columns: int, lines: int, rows: MuxView = MANY, current: str = "$1") -> Scene:
    return Scene(rows, columns, lines, own="$1", current=current, focused=True)


def line_of(frame: Frame, key: str) -> str:
    return "".join(span.text for span in frame.lines[frame.hits.index(key)])


def keys_of(names: list[str]) -> list[Key]:
    return [Key(name) for name in names]


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_the_cursors_row_tells_number_state_and_name(columns: int, lines: int, ascii: bool) -> None:
    """Of 200 sessions, wherever the cursor is: its row is on the screen, and says what a row is for."""
    signs = (ASCII if ascii else UNICODE).states
    for number in (1, 2, 99, 100, 199, 200):
        there = looked_at(columns, lines)
        frame = view(there, Ui(cursor=f"${number}"), ViewOptions(ascii))
        line = line_of(frame, f"${number}")
        named = MANY.sessions[number - 1]
        assert line[1:4].strip() == str(number), line
        assert any(sign in line for sign in signs[named.state or ""]), line
        assert ascii or named.name[:1] in line, line


@pytest.mark.parametrize(("columns", "lines"), [(15, 1), (15, 3), (20, 8), (26, 2)])
def test_every_row_can_be_reached(columns: int, lines: int) -> None:
    """Down to the last of 200 and up again, one key at a time; the cursor never leaves the screen."""
    there = looked_at(columns, lines)
    for key, wanted in (("j", range(2, 201)), ("k", range(199, 0, -1))):
        ui = Ui(cursor="$1" if key == "j" else "$200")
        for number in wanted:
            ui, _ = press(ui, Key(key), there)
            assert ui.cursor == f"${number}"
            assert ui.cursor in view(there, ui, ViewOptions()).hits


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 30),
    st.integers(1, 9),
    st.lists(st.sampled_from(sorted({key for binding in BINDINGS for key in binding.keys})), max_size=12),
    st.booleans(),
)
def test_any_keys_at_any_size_make_pictures_to_measure(
    columns: int, lines: int, names: list[str], ascii: bool
) -> None:
    there = replace(looked_at(columns, lines), themes=("nord", "dracula"), theme="nord")
    ui = Ui()
    for key in keys_of(names):
        ui, _ = press(ui, key, there)
        frame = view(there, ui, ViewOptions(ascii))
        assert len(frame.lines) == len(frame.hits) == lines
        assert {sum(width(span.text) for span in line) for line in frame.lines} == {columns}


@pytest.mark.parametrize(("columns", "lines"), [(15, 2), (20, 2), (15, 8), (26, 3)])
def test_states_can_be_told_apart_at_every_size(columns: int, lines: int) -> None:
    drawn = {}
    for state in URGENCY:
        there = looked_at(columns, lines, mux(row("$1", "a-rather-long-name", 1, [("codex", state)])))
        drawn[state] = line_of(view(there, Ui(), ViewOptions(True)), "$1")
    assert all(drawn[first] != drawn[second] for first, second in itertools.combinations(URGENCY, 2))


def test_what_is_asked_is_seen_or_not_asked() -> None:
    """At two lines a question takes the second; at one there is no room for it, and nothing can be answered."""
    for columns, lines in SIZES:
        there = looked_at(columns, lines)
        ui, intents = press(Ui(cursor="$4"), Key("D"), there)
        assert not [intent for intent in intents if "Kill" in type(intent).__name__]
        if ui.question:
            text = view(there, ui, ViewOptions()).text().split("\n")[-1]
            assert "?" in text, (columns, lines, text)
