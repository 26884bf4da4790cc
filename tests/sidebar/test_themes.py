"""The themes: what is painted can be read on every terminal, and none of it is told by colour alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from opensessions.config import own_themes
from opensessions.model import URGENCY
from opensessions.sidebar.contrast import apart, contrast, is_dark, legible, luminance, mix, rgb
from opensessions.sidebar.frame import ASCII, UNICODE, Glyphs
from opensessions.sidebar.paint import paint
from opensessions.sidebar.palettes import COLUMNS, PALETTES
from opensessions.sidebar.rows import ViewOptions
from opensessions.sidebar.theme import ANSI, COLOURS, MONOCHROME, ROLES, STEPS, Depth, Theme, sequence
from opensessions.sidebar.themes import FROM_PALETTE, GROUNDS, SHIPPED, collection, dark, made, own
from opensessions.sidebar.ui import Ui
from opensessions.sidebar.view import view
from tests.sidebar.scenes import mux, row, scene

EXACT = [theme for theme in SHIPPED.values() if theme.colours["page"].startswith("#")]
PLACES = ("", "cursor", "cursor-away")


def test_the_configuration_knows_the_names_that_there_are() -> None:
    assert tuple(SHIPPED) == own_themes.SHIPPED
    assert set(own_themes.FAMILIES.values()) <= set(SHIPPED)
    assert not set(own_themes.FAMILIES) & set(SHIPPED)
    assert own_themes.COLOURS == COLUMNS
    assert all(theme.name == name for name, theme in SHIPPED.items())


def test_the_palettes_are_the_published_ones() -> None:
    assert set(FROM_PALETTE) == set(COLOURS) - {"lifted"}
    assert set(FROM_PALETTE.values()) == set(COLUMNS)
    for name, palette in PALETTES.items():
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in palette.values()), name
        for ours, theirs in FROM_PALETTE.items():
            if ours != "raised":
                assert SHIPPED[name].colours[ours] == palette[theirs]


def test_no_two_themes_look_alike() -> None:
    looks = [sequence(theme, "rgb", role) for theme in SHIPPED.values() for role in ("title", "name")]
    assert len({tuple(looks[at : at + 2]) for at in range(0, len(looks), 2)}) == len(SHIPPED)


def test_dark_and_light_are_told_apart() -> None:
    light = {name for name, theme in SHIPPED.items() if dark(theme) is False}
    assert light == {
        "catppuccin-latte", "tokyo-night-day", "gruvbox-light", "rose-pine-dawn", "everforest-light",
        "kanagawa-lotus", "solarized-light", "github-light", "high-contrast-light",
    }  # fmt: skip
    assert {name for name, theme in SHIPPED.items() if dark(theme) is None} == {"ansi", "monochrome"}


# --- what can be read ----------------------------------------------------------------------------------------


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ff0000", "#ffffff") == contrast("#ffffff", "#ff0000") == pytest.approx(3.998, abs=0.001)
    assert luminance("#808080") == pytest.approx(0.2159, abs=0.0001)


def shown(theme: Theme, depth: Depth, style: str) -> tuple[str, str]:
    """Text and ground as a terminal shows them, from the sequence that is sent to it; "" for its own colours."""
    codes = sequence(theme, depth, style)[2:-1].split(";")
    found: dict[str, str] = {}
    while codes:
        code = codes.pop(0)
        if code in ("38", "48"):
            kind = codes.pop(0)
            if kind == "2":
                found[code] = "#{:02x}{:02x}{:02x}".format(*(int(codes.pop(0)) for _ in range(3)))
            else:
                found[code] = cell(int(codes.pop(0)))
    return found.get("38", ""), found.get("48", "")


def cell(number: int) -> str:
    """xterm's colours, after its documentation."""
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    number -= 16
    return f"#{STEPS[number // 36]:02x}{STEPS[number // 6 % 6]:02x}{STEPS[number % 6]:02x}"


SLIGHT = {"mark-away", "index", "detail", "scroll", "hint"}
"""All that is neither a name nor a state."""


@pytest.mark.parametrize("depth", ["rgb", 256])
@pytest.mark.parametrize("theme", EXACT, ids=lambda theme: theme.name)
def test_everything_can_be_read_on_every_ground(theme: Theme, depth: Depth) -> None:
    for place in PLACES:
        for role in ROLES:
            text, ground = shown(theme, depth, f"{place} {role}".strip())
            strict = theme.name.startswith("high-contrast")
            least = (4.5 if strict else 3.0) if role in SLIGHT else (7.0 if strict else 4.5)
            assert contrast(text, ground) >= least, (place, role, text, ground)


@pytest.mark.parametrize("depth", ["rgb", 256])
@pytest.mark.parametrize("theme", EXACT, ids=lambda theme: theme.name)
def test_the_cursors_ground_is_told_from_the_page(theme: Theme, depth: Depth) -> None:
    page, raised = (shown(theme, depth, style)[1] for style in ("name", "cursor name"))
    assert contrast(page, raised) >= (GROUNDS if depth == "rgb" else 1.05)


def test_a_colour_that_can_be_read_stays_as_it_was_published() -> None:
    assert legible("#cdd6f4", "#181825", 4.5) == "#cdd6f4"
    assert shown(SHIPPED["catppuccin-mocha"], "rgb", "error")[0] == "#f38ba8"
    assert shown(SHIPPED["dracula"], "rgb", "error")[0] == "#ff5555"
    kept = [
        shown(theme, "rgb", role)[0] == theme.colours[colour]
        for theme in EXACT
        if dark(theme)
        for role, colour in (("name", "text"), ("error", "bad"), ("done", "good"), ("waiting", "notice"))
    ]
    assert sum(kept) >= len(kept) * 0.9


COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOUR, COLOUR, st.sampled_from((3.0, 4.5)))
def test_any_colour_becomes_readable_on_any_ground(colour: str, ground: str, least: float) -> None:
    """White or black has 4.58 on the worst ground that there is."""
    found = legible(colour, ground, least)
    assert contrast(found, ground) >= least
    if contrast(colour, ground) >= least:
        assert found == colour


@given(COLOUR, COLOUR)
def test_any_two_grounds_can_be_told_apart(ground: str, base: str) -> None:
    assert contrast(apart(ground, base, GROUNDS), base) >= GROUNDS


def test_mixing() -> None:
    assert (mix("#000000", "#ffffff", 0.5), mix("#102030", "#ffffff", 0), mix("#102030", "#ffffff", 1)) == (
        "#808080", "#102030", "#ffffff")  # fmt: skip
    assert is_dark("#002b36")
    assert not is_dark("#fdf6e3")
    assert rgb("#0a10ff") == (10, 16, 255)


# --- the user's own --------------------------------------------------------------------------------------------


class Mine(Struct, frozen=True):
    extends: str
    colours: dict[str, str]


def test_an_own_theme_changes_what_it_names_and_keeps_the_rest() -> None:
    mine = own("mine", Mine("nord", {"accent": "#ff00ff", "background": "#101010"}))
    assert (mine.name, mine.colours["accent"], mine.colours["page"]) == ("mine", "#ff00ff", "#101010")
    assert mine.colours["text"] == SHIPPED["nord"].colours["text"]
    assert own("same", Mine("nord", {})).colours == SHIPPED["nord"].colours
    assert own("strict", Mine("high-contrast-dark", {"red": "#ff0000"})).least == 7.0


@given(
    st.sampled_from(tuple(SHIPPED)),
    st.dictionaries(st.sampled_from(COLUMNS), st.one_of(COLOUR, st.sampled_from(("red", "default")))),
    st.sampled_from(("rgb", 256, 16)),
)
def test_every_own_theme_can_be_painted_and_read(base: str, colours: dict[str, str], depth: Depth) -> None:
    mine = own("mine", Mine(base, colours))
    assert set(mine.colours) == set(COLOURS)
    for role in ROLES:
        for place in PLACES:
            made = sequence(mine, depth, f"{place} {role}")
            assert re.fullmatch(r"\x1b\[[0-9;]+m", made)
            text, ground = shown(mine, depth, f"{place} {role}")
            assert not (text and ground) or contrast(text, ground) >= 3.0


def test_own_themes_stand_after_the_shipped_ones_or_in_their_place() -> None:
    themes = collection({"mine": Mine("ansi", {"red": "magenta"}), "nord": Mine("nord", {"red": "#ff0000"})})
    assert list(themes) == [*SHIPPED, "mine"]
    assert themes["nord"].colours["bad"] == "#ff0000"
    assert themes["mine"].colours["bad"] == "magenta"
    assert sequence(themes["mine"], "rgb", "error") == "\x1b[0;1;35m"
    assert sequence(themes["mine"], "rgb", "index") == sequence(ANSI, "rgb", "index")


def test_an_own_ground_on_the_terminals_colours() -> None:
    theme = made("x", {**dict.fromkeys(COLUMNS, "default"), "background": "#101010"}, "ansi")
    assert theme.colours["raised"] != "#101010"
    assert sequence(theme, "rgb", "cursor name") != sequence(theme, "rgb", "name")


# --- without colours -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [UNICODE, ASCII])
def test_every_state_has_a_sign_of_its_own(look: Glyphs) -> None:
    signs = {state: set(look.states[state]) for state in URGENCY}
    for state, own_signs in signs.items():
        others = set().union(*(each for other, each in signs.items() if other != state))
        assert own_signs
        assert not own_signs & (others | {" "}), state
    assert all(sign.isascii() for state in signs for sign in ASCII.states[state])


def pictures(ascii: bool) -> Iterator[tuple[str, str]]:
    """(what differs, the characters on the screen) of one row in each condition that colours tell."""
    for state in URGENCY:
        frame = view(scene(26, 8, mux(row("$1", "a", 1, [("codex", state)]))), Ui(), ViewOptions(ascii))
        yield f"state {state}", frame.text()
    unseen = mux(row("$1", "a", 1, [("codex", "done")], unseen=True))
    yield "unseen", view(scene(26, 8, unseen), Ui(), ViewOptions(ascii)).text()
    two = mux(row("$1", "a", 1), row("$2", "b", 2))
    for cursor in ("$1", "$2"):
        for focused in (True, False):
            frame = view(scene(26, 8, two, focused=focused), Ui(cursor=cursor), ViewOptions(ascii))
            yield f"cursor {cursor} {focused}", frame.text()


@pytest.mark.parametrize("ascii", [True, False])
def test_nothing_is_told_by_colour_alone(ascii: bool) -> None:
    drawn = dict(pictures(ascii))
    assert len(set(drawn.values())) == len(drawn)


def test_a_theme_without_colours_paints_none() -> None:
    frame = view(scene(60, 16), Ui(cursor="$3"), ViewOptions())
    painted = paint(None, frame, MONOCHROME, "rgb").decode()
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", painted) for code in found.split(";")}
    assert codes <= {"0", "1", "2", "4", "7"}
    assert "7" in codes
