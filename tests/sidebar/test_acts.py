"""Acts by key and by the mouse: what is wanted of the server, the line for a name, the menu, permissions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.model import Row
from opensessions.sidebar.confirm import Question, about_prompt
from opensessions.sidebar.frame import ASCII, UNICODE
from opensessions.sidebar.intents import (
    Answer,
    Attend,
    Back,
    Dismiss,
    Go,
    Hide,
    Intent,
    KillAgent,
    NewSession,
    Rename,
    Reply,
    Say,
    Undo,
)
from opensessions.sidebar.keymap import DEFAULT, keymap
from opensessions.sidebar.keys import Input, Key, Mouse, Paste
from opensessions.sidebar.menu import help_lines, helped_action, hint_line, hinted_action, key_name
from opensessions.sidebar.permission import MOST, folded, permission_lines
from opensessions.sidebar.renaming import LONGEST, Renaming, rename_line
from opensessions.sidebar.scene import Scene, Ui, shape
from opensessions.sidebar.text import clean, unpainted, width
from opensessions.sidebar.ui import press, settle
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import NAMES, mux, row

API = row("$1", "api", 1, [("codex", "waiting")])
WEB = row(
    "$2", "web", 2, [("claude-code", "done"), ("codex", "waiting"), ("amp", "error"), ("codex", "waiting")]
)
DOCS = row("$3", "docs", 3)
HIDDEN = row("$4", "notes", None, hidden=True)


def scene(*rows: Row, at: str = "$1", **more: Any) -> Scene:
    made = {"width": 26, "height": 30, "focused": True, "ripe": True, **more}
    return Scene(mux(*(rows or (API, WEB, DOCS, HIDDEN))), own=at, current=at, **made)


def typed(there: Scene, keys: str, ui: Ui | None = None) -> tuple[Ui, list[Intent]]:
    ui, intents = ui or Ui(), []
    for name in keys.split():
        ui, more = press(ui, Key(name, name if len(name) == 1 else ""), there)
        intents += more
    return ui, intents


def clicked(there: Scene, ui: Ui, x: int, y: int, button: int = 1) -> tuple[Ui, tuple[Intent, ...]]:
    return press(ui, Mouse("press", button, x, y), there)


def footer(ui: Ui, there: Scene) -> str:
    return view(there, ui, ViewOptions()).text().split("\n")[-1]


# --- keys -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "keys", "wanted"),
    [
        ("$1", ")", [Go("$2")]),
        ("$1", "(", [Go("$3")]),
        ("$3", ")", [Go("$1")]),
        ("$4", ")", [Go("$1")]),
        ("$4", "(", [Go("$3")]),
        ("$1", "a", [Attend()]),
        ("$1", "b", [Back()]),
        ("$1", "u", [Undo()]),
        ("$1", "N", [NewSession()]),
        ("$1", "c", [Say("There is nothing to dismiss in api.")]),
        ("$2", "c", [Dismiss(("$2.0", "$2.2"))]),
        ("$1", "y", [Answer("$1.0", True)]),
        ("$1", "n", [Answer("$1.0", False)]),
        ("$3", "y", [Say("No agent in docs waits for you.")]),
        ("$2", "y 2", [Answer("$2.3", True)]),
        ("$2", "n 1", [Answer("$2.1", False)]),
        ("$2", "y escape", []),
        ("$2", "y 3", []),
        ("$1", "$ ctrl-u x y enter", [Rename("$1", "xy")]),
        ("$1", "f2 backspace enter", [Rename("$1", "ap")]),
        ("$1", "$ ctrl-u enter", []),
        ("$1", "$ ctrl-u space enter", []),
        ("$1", "$ q escape", []),
        ("$1", "$ q ctrl-c", []),
    ],
)
def test_a_key_wants_this(at: str, keys: str, wanted: list[Intent]) -> None:
    ui, intents = typed(scene(at=at), keys)
    assert intents == wanted
    assert (ui.question, ui.renaming) == (None, None)


def test_with_the_list_empty_nothing_goes_wrong() -> None:
    there = Scene(mux(), 26, 12, focused=True)
    for key in DEFAULT.actions:
        typed(there, key)


def test_only_one_that_hibernates_alone_is_dismissed() -> None:
    both = row("$1", "api", 1, [("codex", "hibernated"), ("amp", "done")])
    assert typed(scene(both), "c")[1] == [Dismiss(("$1.1",))]
    alone = row("$1", "api", 1, [("codex", "hibernated"), ("amp", "idle")])
    assert typed(scene(alone), "c")[1] == [Dismiss(("$1.0",))]


def test_what_was_not_seen_of_who_waits_can_be_dismissed() -> None:
    agent = replace(API.agents[0], unseen=True)
    assert typed(scene(replace(API, agents=(agent,))), "c")[1] == [Dismiss(("$1.0",))]


def test_the_users_keys_count_everywhere() -> None:
    there = scene(keymap=keymap({"hide": ("w",), "leave": ("f10",), "index": ("7", "8"), "help": ("H",)}))
    assert typed(there, "w")[1] == [Hide("$1")]
    assert typed(there, "x")[1] == []
    assert typed(there, "8")[1] == [Go("$2")]
    assert typed(there, "1")[1] == []
    assert typed(there, "H")[0].help
    assert "f10 closes" in view(there, Ui(help=True), ViewOptions()).text()
    for key in ("escape", "ctrl-c", "f10"):
        ui, intents = typed(there, f"/ w {key}")
        assert (ui.filter, ui.filtering, intents) == ("", False, [])


# --- the line for a name --------------------------------------------------------------------------------------


def test_a_name_begins_as_it_is_and_takes_pastes() -> None:
    there = scene()
    ui, _ = typed(there, "$")
    assert footer(ui, there).startswith(" name api▏")
    ui, _ = press(ui, Paste(" and\nmore\x1b[2J"), there)
    assert ui.renaming
    assert ui.renaming.name == "apiand more[2J"
    ui, _ = press(ui, Key("ctrl-w"), there)
    assert ui.renaming
    assert ui.renaming.name == "apiand "
    assert press(ui, Mouse("press", 1, 3, 3), there) == (replace(ui, renaming=None), ())
    assert press(ui, Mouse("release", 1, 3, 3), there)[0].renaming


TYPED: st.SearchStrategy[list[Input]] = st.lists(
    st.one_of(
        NAMES.filter(bool).map(lambda text: Key(text[0], text[0])),
        NAMES.map(Paste),
        st.sampled_from([Key("backspace"), Key("ctrl-w"), Key("ctrl-u"), Key("up")]),
    ),
    max_size=20,
)


@given(NAMES, TYPED, st.integers(1, 60))
def test_whatever_is_typed_the_line_fits(name: str, events: list[Input], cells: int) -> None:
    there = scene()
    ui = Ui(cursor="$1", renaming=Renaming("$1", unpainted(name)))
    for event in events:
        ui, _ = press(ui, event, there)
        assert ui.renaming
        assert unpainted(ui.renaming.name) == ui.renaming.name
        assert len(ui.renaming.name) <= max(LONGEST, len(name))
        for look in (ASCII, UNICODE):
            line = rename_line(ui.renaming, cells, look)
            assert sum(width(span.text) for span in line) == cells


# --- the menu and the hints -----------------------------------------------------------------------------------


def lines_of(there: Scene, ui: Ui) -> list[str]:
    return view(there, ui, ViewOptions()).text().split("\n")


def test_the_right_button_opens_the_menu_for_a_row_and_a_click_does_what_stands_there() -> None:
    there = scene(height=60)
    first = shape(Ui(), there).first
    ui, intents = clicked(there, Ui(), 5, first + 2, 3)
    assert (ui.help, ui.cursor, intents) == (True, "$3", ())
    assert lines_of(there, ui)[0].startswith(" keys docs")
    y = next(y for y, line in enumerate(lines_of(there, ui)) if "hide, unhide" in line)
    ui, intents = clicked(there, ui, 9, y)
    assert (ui.help, ui.cursor, intents) == (False, "$3", (Hide("$3"),))


def test_a_click_beside_the_menus_lines_closes_it() -> None:
    there = scene(height=60)
    for y in (0, 59):
        ui, intents = clicked(there, Ui(cursor="$1", help=True), 3, y)
        assert (ui.help, intents) == (False, ())
    ui, _ = clicked(there, Ui(), 3, 0, 3)
    assert not ui.help


def test_every_line_of_a_scrolled_menu_is_its_own_action() -> None:
    there = scene(height=14)
    listed = DEFAULT.listed()
    for top in range(len(listed)):
        ui = Ui(help=True, help_top=top)
        form = shape(ui, there)
        for line in range(form.rows):
            shown = lines_of(there, ui)[form.first + line]
            action = helped_action(DEFAULT, top, line)
            words = next((each.help for each in listed if each.action == action), "")
            assert words in shown
            assert bool(words) == bool(shown.strip(" ▐"))
    assert helped_action(DEFAULT, 0, -1) == ""


def test_hints_can_be_clicked_where_they_stand() -> None:
    for look in (UNICODE, ASCII):
        for cells in (20, 26, 60, 100):
            text = "".join(span.text for span in hint_line(DEFAULT, cells, look))
            for binding in (each for each in DEFAULT.bindings if each.hint):
                part = f"{key_name(binding.keys[0], look)} {binding.hint}"
                if part in text:
                    for x in range(text.index(part), text.index(part) + len(part)):
                        assert hinted_action(DEFAULT, cells, look, x) == binding.action
            assert hinted_action(DEFAULT, cells, look, 0) == ""
            assert hinted_action(DEFAULT, cells, look, cells) == ""


@pytest.mark.parametrize("what", ["no focus", "message", "orphans", "filter", "a click elsewhere"])
def test_where_no_hints_stand_none_is_clicked(what: str) -> None:
    there = scene()
    x = footer(settle(Ui(), there), there).index("help")
    assert clicked(there, Ui(), x, 29)[0].help
    changes: dict[str, Any] = {
        "no focus": {"focused": False},
        "message": {"message": "x"},
        "orphans": {"orphans": 1},
    }
    ui = Ui(filter="a") if what == "filter" else Ui()
    y = 28 if what == "a click elsewhere" else 29
    assert not clicked(replace(there, **changes.get(what, {})), ui, x, y)[0].help


def test_long_keys_fit_into_the_help() -> None:
    own = keymap({"hide": ("shift-alt-ctrl-page-down",), "undo": ("ctrl-space",), "go": ("alt-enter",)})
    for look in (ASCII, UNICODE):
        for cells in (20, 26):
            made = help_lines(own, 0, 60, cells, look, range(0))
            assert all(sum(width(span.text) for span in line) == cells for line in made)
    assert [key_name(key, UNICODE) for key in ("ctrl-n", "alt-ctrl-x", "shift-up", "enter", "alt-enter", "é")] == [
        "C-n", "M-C-x", "S-up", "↵", "M-enter", "é",
    ]  # fmt: skip


# --- questions ------------------------------------------------------------------------------------------------

PROMPT = about_prompt(
    "$1.0", True, API, "Bash command rm -rf /home/u/project/build and more of it", "the prompt"
)


@pytest.mark.parametrize(("allow", "act"), [(True, "approve"), (False, "deny")])
def test_a_permissions_question_shows_what_is_asked_for(allow: bool, act: str) -> None:
    there = scene()
    question = about_prompt("$1.0", allow, API, PROMPT.about, PROMPT.text)
    ui = settle(Ui(question=question), there)
    shown = lines_of(there, ui)
    assert shown[-1].strip() == f"{act} codex in api? y/n"
    asked = " ".join("\n".join(shown[-5:-1]).split())
    assert asked.startswith("codex asks: Bash command rm -rf")
    assert "/home/u/project/build" in asked.replace(" ", "")
    assert typed(there, "y", ui)[1] == [Reply("$1.0", allow, "the prompt")]
    assert typed(there, "n", ui)[1] == []
    assert typed(replace(there, ripe=False), "y", ui)[1] == []


def test_it_lapses_when_the_agent_waits_no_more() -> None:
    going = replace(API, agents=(replace(API.agents[0], state="running"),))
    for rows in ((going,), (replace(API, agents=()),), (replace(API, name="other"),), (DOCS,)):
        assert settle(Ui(question=PROMPT), scene(*rows)).question is None
    assert settle(Ui(question=PROMPT), scene(focused=False)).question is None
    assert settle(Ui(question=PROMPT), scene()).question == PROMPT


@given(NAMES, NAMES, st.integers(1, 90), st.integers(0, 40))
def test_whatever_is_asked_for_is_text_that_fits(about: str, who: str, cells: int, room: int) -> None:
    question = replace(PROMPT, about=about * 20)
    for look in (ASCII, UNICODE):
        made = permission_lines(question, who, room, cells, look)
        assert len(made) <= min(room, MOST)
        for line in made:
            assert sum(width(span.text) for span in line) == cells
            assert all(clean(span.text) == span.text for span in line)


def test_nothing_of_a_long_word_is_lost() -> None:
    text = "rm " + "/a/very/long/path" * 5 + " now"
    assert "".join(folded(text, 10)).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= 10 for line in folded("日本語" * 9, 10))
    cut = permission_lines(replace(PROMPT, about="word " * 200), "codex", 20, 26, UNICODE)
    assert len(cut) == MOST
    assert "".join(span.text for span in cut[-1]).rstrip().endswith("…")


@pytest.mark.parametrize("cells", [22, 26, 60])
def test_answers_are_clicked_where_they_stand(cells: int) -> None:
    there = scene(width=cells)
    ui, _ = typed(replace(there, mux=mux(row("$1", "api", 1, [("codex", "idle")]))), "d")
    there = replace(there, mux=mux(row("$1", "api", 1, [("codex", "idle")])))
    line = footer(ui, there)
    x = line.index("y/n")
    assert clicked(there, ui, x, 29)[1] == (KillAgent("$1.0"),)
    for other in (x + 1, x + 2, 0, x - 1):
        after, intents = clicked(there, ui, other, 29)
        assert (after.question, intents) == (None, ())
    assert clicked(there, ui, x, 28) == (replace(ui, question=None), ())
    assert clicked(replace(there, ripe=False), ui, x, 29)[1] == ()


def test_one_of_several_is_chosen_by_a_click() -> None:
    there = scene(at="$2", width=60)
    ui, _ = typed(there, "y")
    line = footer(ui, there)
    assert clicked(there, ui, line.index("2 codex") + 3, 29)[1] == (Answer("$2.3", True),)
    assert clicked(there, ui, line.index("1 codex"), 29)[1] == (Answer("$2.1", True),)


LINES = st.integers(0, 31)
EVENTS = st.lists(
    st.one_of(
        st.sampled_from([Key(key, key if len(key) == 1 else "") for key in DEFAULT.actions]),
        st.builds(
            Mouse, st.sampled_from(("press", "release")), st.sampled_from((1, 3)), st.integers(0, 30), LINES
        ),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=200)
@given(EVENTS, st.integers(1, 60), st.integers(1, 31), st.booleans())
def test_whatever_is_pressed_the_picture_fits(
    events: list[Input], cells: int, height: int, ripe: bool
) -> None:
    there = scene(width=cells, height=height, ripe=ripe)
    ui = Ui(question=PROMPT)
    for event in events:
        before: Question | None = ui.question
        ui, intents = press(ui, event, there)
        assert all(not isinstance(each, Reply) or (before and ripe) for each in intents)
        frame = view(there, ui, ViewOptions())
        assert len(frame.lines) == height
        assert all(sum(width(span.text) for span in line) == cells for line in frame.lines)
