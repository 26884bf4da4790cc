from __future__ import annotations

import pytest

from opensessions.sidebar.contrast import rgb
from opensessions.sidebar.theme import (
    ANSI,
    COLOURS,
    MONOCHROME,
    ROLES,
    STEPS,
    Depth,
    Theme,
    depth_of,
    in_256,
    sequence,
    to_256,
)
from opensessions.sidebar.themes import DEFAULT, SHIPPED

DEPTHS: tuple[Depth, ...] = (16, 256, "rgb")


@pytest.mark.parametrize(
    ("term", "colorterm", "depth"),
    [
        ("tmux-256color", "truecolor", "rgb"),
        ("tmux-256color", "24bit", "rgb"),
        ("xterm-direct", "", "rgb"),
        ("tmux-256color", "", 256),
        ("screen-256color-bce", "", 256),
        ("screen", "", 16),
        ("linux", "", 16),
        ("", "", 16),
        ("xterm-256color", "no", 256),
    ],
)
def test_depth_of(term: str, colorterm: str, depth: Depth) -> None:
    assert depth_of(term, colorterm) == depth


def test_256_colours_hit_the_cube_and_the_greys_exactly() -> None:
    for red, r in enumerate(STEPS):
        for green, g in enumerate(STEPS):
            for blue, b in enumerate(STEPS):
                assert to_256((r, g, b)) == 16 + 36 * red + 6 * green + blue
    for step in range(24):
        level = 8 + 10 * step
        assert to_256((level, level, level)) == (232 + step if level not in STEPS else to_256((level,) * 3))
    assert to_256((255, 255, 255)) == 231


def test_what_256_colours_look_like() -> None:
    for number in (16, 21, 46, 196, 231, 137, 232, 244, 255):
        shown = in_256(in_256(f"#{number:06x}"))
        assert shown == in_256(f"#{number:06x}")
    assert [in_256(colour) for colour in ("#181825", "#cdd6f4", "#000000", "#ff8700")] == [
        "#1c1c1c", "#d7d7ff", "#000000", "#ff8700"]  # fmt: skip
    assert all(to_256(rgb(in_256(f"#{level:02x}{level:02x}40"))) >= 16 for level in range(0, 256, 5))


def test_every_theme_names_every_colour() -> None:
    assert SHIPPED["catppuccin-mocha"] is DEFAULT
    for theme in SHIPPED.values():
        assert set(theme.colours) == set(COLOURS)
        assert set(theme.roles) <= set(ROLES)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", SHIPPED.values(), ids=list(SHIPPED))
def test_every_role_makes_a_sequence_of_its_depth(theme: Theme, depth: Depth) -> None:
    for role in ROLES:
        made = sequence(theme, depth, role)
        assert made.startswith("\x1b[0")
        assert made.endswith("m")
        assert ("38;2;" in made or "48;2;" in made) == (depth == "rgb" and theme not in (ANSI, MONOCHROME))
        assert ("38;5;" in made or "48;5;" in made) == (depth == 256 and theme not in (ANSI, MONOCHROME))


def test_a_style_is_a_list_of_roles() -> None:
    ground = sequence(DEFAULT, "rgb", "cursor")
    assert "48;2;49;50;68" in ground
    assert sequence(DEFAULT, "rgb", "cursor waiting") == "\x1b[0;1;38;2;249;226;175;48;2;49;50;68m"
    assert sequence(DEFAULT, 256, "waiting") == "\x1b[0;1;38;5;223;48;5;234m"
    assert sequence(DEFAULT, "rgb", "no-such-role") == sequence(DEFAULT, "rgb", "page")


def test_sixteen_colours_are_the_terminals_own() -> None:
    assert sequence(DEFAULT, 16, "waiting") == sequence(ANSI, "rgb", "waiting") == "\x1b[0;1;33m"
    assert sequence(ANSI, 16, "cursor waiting") == "\x1b[0;7;1m"
    assert sequence(Theme("bright", dict(ANSI.colours, bad="bright-red")), 16, "error") == "\x1b[0;1;91m"


def test_without_colours_nothing_is_coloured() -> None:
    for role in ROLES:
        codes = sequence(MONOCHROME, "rgb", f"cursor {role}")[2:-1].split(";")
        assert set(codes) <= {"0", "1", "2", "4", "7"}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", SHIPPED.values(), ids=list(SHIPPED))
def test_the_cursors_row_can_be_told_apart(theme: Theme, depth: Depth) -> None:
    assert sequence(theme, depth, "cursor name") != sequence(theme, depth, "name")
