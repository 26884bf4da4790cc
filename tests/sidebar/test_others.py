"""The sections of other multiplexers: what is listed, what leads there, and that nothing else touches them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.sidebar.entries import entries, far_key
from opensessions.sidebar.intents import Go
from opensessions.sidebar.keymap import DEFAULT
from opensessions.sidebar.keys import Key, Mouse
from opensessions.sidebar.motion import settle
from opensessions.sidebar.others import other
from opensessions.sidebar.scene import Scene, Ui, shape
from opensessions.sidebar.text import width
from opensessions.sidebar.ui import press
from opensessions.sidebar.view import ViewOptions, view
from tests.sidebar.scenes import FAR, OTHERS, busy, plain, scenes

API, ODD = far_key("tmux-1", "$1"), far_key("zellij", "it's\nodd")


def there(height: int = 20, columns: int = 26, **more: object) -> Scene:
    return replace(plain("main", "web", own="main", height=height, width=columns), others=OTHERS, **more)


def text(scene: Scene, ui: Ui | None = None, ascii: bool = False) -> list[str]:
    return view(scene, ui or Ui(), ViewOptions(ascii)).text().split("\n")


def listed(ui: Ui, scene: Scene) -> list[str]:
    return [entry.far.name for entry in entries(ui, scene) if entry.far]


def test_they_stand_below_under_their_names_without_hidden_rows() -> None:
    lines = [line.strip(" ─") for line in text(there())]
    at = [
        next(place for place, line in enumerate(lines) if word in line)
        for word in ("web", "tmux work", "api", "docs")
    ]
    assert at == sorted(at)
    assert "zellij" in lines
    assert not any("secret" in line for line in lines)
    row_of_api = text(there())[at[2]]
    assert not any(letter.isdigit() for letter in row_of_api.replace("×2", ""))
    assert "!" in row_of_api


def test_ascii_is_ascii() -> None:
    assert "\n".join(text(there(), ascii=True)).isascii()


def test_enter_and_a_click_lead_there() -> None:
    scene = there()
    for key, wanted in ((API, Go("$1", mux="tmux-1")), (ODD, Go("it's\nodd", mux="zellij"))):
        assert press(Ui(cursor=key), Key("enter"), scene)[1] == (wanted,)
        line = view(scene, Ui(), ViewOptions()).hits.index(key)
        ui, _ = press(Ui(), Mouse("press", 1, 3, line), scene)
        assert press(ui, Mouse("release", 1, 3, line), scene)[1] == (wanted,)


@pytest.mark.parametrize("key", sorted(set(DEFAULT.actions)))
def test_no_key_but_going_there_means_them(key: str) -> None:
    _, wanted = press(Ui(cursor=API), Key(key), there())
    if DEFAULT.actions[key] != "go":
        assert not [each for each in wanted if "$1" in str(each) or "tmux-1" in str(each)]


def test_the_filter_finds_them_by_name_and_agent() -> None:
    scene = there()
    assert listed(Ui(filter="codex"), scene) == ["api"]
    assert listed(Ui(filter="doc"), scene) == ["docs"]
    assert listed(Ui(filter="dcs"), scene) == ["docs"], (
        "letters in their order, where nothing of its own is found"
    )
    assert listed(Ui(filter="wb"), scene) == [], "and nothing far where something of its own is"


def test_the_mode_counts_for_them() -> None:
    assert "docs" not in listed(Ui(), there(mode="agents"))
    assert listed(Ui(), there(mode="active")) == ["api", "it's?odd"]


def test_what_is_not_shown_of_them_makes_no_difference() -> None:
    other_ports = replace(
        FAR, sessions=tuple(replace(each, ports=(8080,), dir="/x") for each in FAR.sessions)
    )
    assert other(other_ports, "/tmp/tmux-0/work") == OTHERS[0]
    seen = replace(FAR, sessions=tuple(replace(each, unseen=False) for each in FAR.sessions))
    assert other(seen, "/tmp/tmux-0/work") != OTHERS[0]


def test_indexes_and_their_keys_stay_its_own() -> None:
    scene = there()
    assert press(Ui(), Key("2"), scene)[1] == (Go("web"),)
    assert press(Ui(), Key("3"), scene)[1] == ()


@settings(max_examples=100, deadline=None)
@given(scenes(), st.sampled_from(["", "a", "zz"]), st.integers(0, 20), st.booleans())
def test_every_picture_is_to_measure_and_the_cursor_is_listed(
    scene: Scene, typed: str, down: int, ascii: bool
) -> None:
    scene = replace(scene, others=OTHERS)
    ui = settle(Ui(filter=typed), scene)
    for _ in range(down):
        ui, _ = press(ui, Key("down"), scene)
    frame = view(scene, ui, ViewOptions(ascii))
    assert len(frame.lines) == len(frame.hits) == scene.height
    assert all(sum(width(span.text) for span in line) == scene.width for line in frame.lines)
    every = entries(ui, scene)
    if every:
        assert ui.cursor in [entry.key for entry in every]
        if shape(ui, scene).rows:
            assert ui.cursor in frame.hits


def test_rows_of_its_own_stay_where_they_are_when_others_come_and_go() -> None:
    scene = replace(there(), mux=busy(), height=8, own="$1", current="$1")
    ui = settle(Ui(cursor="$6"), replace(scene, others=()))
    before = view(replace(scene, others=()), ui, ViewOptions()).hits
    after = view(scene, settle(ui, scene), ViewOptions()).hits
    assert [key for key in after if key in before and key] == [key for key in before if key]
