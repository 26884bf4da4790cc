from __future__ import annotations

import pytest

from opensessions.sidebar.theme import (
    ANSI,
    CATPPUCCIN_MOCHA,
    COLOURS,
    DEFAULT,
    MONOCHROME,
    ROLES,
    STEPS,
    THEMES,
    Depth,
    Theme,
    depth_of,
    rgb,
    sequence,
    to_256,
)

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


def test_every_theme_names_every_colour() -> None:
    assert THEMES[DEFAULT.name] is CATPPUCCIN_MOCHA
    for theme in THEMES.values():
        assert set(theme.colours) == set(COLOURS)
        assert set(theme.roles) <= set(ROLES)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_every_role_makes_a_sequence_of_its_depth(theme: Theme, depth: Depth) -> None:
    for role in ROLES:
        made = sequence(theme, depth, role)
        assert made.startswith("\x1b[0")
        assert made.endswith("m")
        assert ("38;2;" in made or "48;2;" in made) == (depth == "rgb" and theme is CATPPUCCIN_MOCHA)
        assert ("38;5;" in made or "48;5;" in made) == (depth == 256 and theme is CATPPUCCIN_MOCHA)


def test_a_style_is_a_list_of_roles() -> None:
    ground = sequence(CATPPUCCIN_MOCHA, "rgb", "cursor")
    assert "48;2;54;58;79" in ground
    assert sequence(CATPPUCCIN_MOCHA, "rgb", "cursor waiting") == "\x1b[0;1;38;2;249;226;175;48;2;54;58;79m"
    assert sequence(CATPPUCCIN_MOCHA, 256, "waiting") == "\x1b[0;1;38;5;223;48;5;234m"
    assert sequence(CATPPUCCIN_MOCHA, "rgb", "no-such-role") == sequence(CATPPUCCIN_MOCHA, "rgb", "page")


def test_sixteen_colours_are_the_terminals_own() -> None:
    assert sequence(CATPPUCCIN_MOCHA, 16, "waiting") == sequence(ANSI, "rgb", "waiting") == "\x1b[0;1;33m"
    assert sequence(ANSI, 16, "cursor waiting") == "\x1b[0;7;1m"
    assert sequence(Theme("bright", dict(ANSI.colours, bad="bright-red")), 16, "error") == "\x1b[0;1;91m"


def test_without_colours_nothing_is_coloured() -> None:
    for role in ROLES:
        codes = sequence(MONOCHROME, "rgb", f"cursor {role}")[2:-1].split(";")
        assert set(codes) <= {"0", "1", "2", "4", "7"}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_the_cursors_row_can_be_told_apart(theme: Theme, depth: Depth) -> None:
    assert sequence(theme, depth, "cursor name") != sequence(theme, depth, "name")


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (level / 255 for level in rgb(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    "theme", [theme for theme in THEMES.values() if theme.colours["page"].startswith("#")]
)
def test_everything_can_be_read(theme: Theme) -> None:
    grounds = [theme.colours[name] for name in ("page", "lifted", "raised")]
    for name in COLOURS[3:]:
        for ground in grounds:
            least = 3.0 if name == "faint" else 4.5
            assert contrast(theme.colours[name], ground) >= least, (name, ground)
