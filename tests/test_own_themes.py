"""Themes in config.yaml: names that there are, palettes of the user's own, and what is said of all others."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions.config import Loaded, UserTheme, load, show
from opensessions.config.own_themes import COLOURS, FAMILIES, SHIPPED, meant, read_colour, unknown
from opensessions.sidebar.theme import COLOURS as WORN
from opensessions.sidebar.themes import collection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def reading(file: Path, text: str) -> Loaded:
    file.write_text(text)
    return load(str(file))


def said(loaded: Loaded) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.key, problem.message) for problem in loaded.problems]


# --- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_theme_can_be_chosen(file: Path, name: str) -> None:
    loaded = reading(file, f"theme: {name}\ntheme_dark: {name}\ntheme_light: {name}\n")
    assert loaded.problems == ()
    config = loaded.config
    assert (config.theme, config.theme_dark, config.theme_light) == (name, name, name)


@pytest.mark.parametrize(("name", "theme"), FAMILIES.items())
def test_a_familys_name_means_one_of_it(file: Path, name: str, theme: str) -> None:
    loaded = reading(file, f"theme: {name}\n")
    assert loaded.problems == ()
    assert loaded.config.theme == theme


def test_an_unknown_theme_is_reported_and_the_default_counts(file: Path) -> None:
    loaded = reading(file, "ascii: true\ntheme: catpuccin-mocca\ntheme_light: latte\n")
    assert said(loaded) == [
        (2, "theme", "there is no theme 'catpuccin-mocca'; the nearest is catppuccin-mocha;"
         " the default catppuccin-mocha counts."),
        (3, "theme_light", "there is no theme 'latte'; the nearest is catppuccin-latte; the default null counts."),
    ]  # fmt: skip
    assert (loaded.config.theme, loaded.config.theme_light) == ("catppuccin-mocha", None)


def test_the_nearest_name_may_be_one_of_the_users(file: Path) -> None:
    loaded = reading(file, "theme: my-evenin\nthemes: {my-evening: {extends: nord}}\n")
    assert "the nearest is my-evening;" in loaded.problems[0].message
    assert unknown("", ()).startswith("there is no theme ''; the nearest is ")


def test_a_theme_of_the_users_may_be_chosen_above_the_lines_that_define_it(file: Path) -> None:
    loaded = reading(file, "theme: mine\nthemes:\n  mine: {accent: '#ff00ff'}\n")
    assert loaded.problems == ()
    assert loaded.config.theme == "mine"


# --- palettes --------------------------------------------------------------------------------------------------


def test_a_palette_is_read(file: Path) -> None:
    loaded = reading(
        file,
        "themes:\n"
        "  mine:\n    extends: nord\n    background: '#101018'\n    accent: '#F0F'\n    red: bright-red\n"
        "    green: default\n    text: 1e1e2e\n"
        "  nord: {accent: \"#123456\"}\n"
        "  plain:\n",
    )  # fmt: skip
    assert loaded.problems == ()
    assert loaded.config.themes == {
        "mine": UserTheme("nord", {
            "background": "#101018", "accent": "#ff00ff", "red": "bright-red", "green": "default", "text": "#1e1e2e",
        }),
        "nord": UserTheme("nord", {"accent": "#123456"}),
        "plain": UserTheme("catppuccin-mocha"),
    }  # fmt: skip


def test_what_is_shown_reads_back(file: Path) -> None:
    config = reading(file, "theme: mine\nthemes: {mine: {extends: gruvbox, red: '#f00'}}\n").config
    assert reading(file, show(config)) == Loaded(config)
    assert yaml.safe_load(show(config))["themes"] == {"mine": {"extends": "gruvbox-dark", "red": "#ff0000"}}


def test_each_fault_has_its_line_and_the_rest_counts(file: Path) -> None:
    loaded = reading(
        file,
        "themes:\n  mine:\n    extends: nrod\n    acent: '#ff00ff'\n    red: '#ff00f'\n    blue: #0000ff\n"
        "    cyan: [a]\n    green: '#00ff00'\n  'a b': {}\n  worse: blue\n",
    )  # fmt: skip
    expected = "expected a colour such as '#1e1e2e' (in quotes), red, bright-red or default"
    assert said(loaded) == [
        (3, "themes.mine.extends", "there is no theme 'nrod'; the nearest is nord; catppuccin-mocha counts."),
        (4, "themes.mine.acent", "is no known key; the nearest is themes.mine.accent. It is ignored."),
        (5, "themes.mine.red", f"{expected}, not '#ff00f'; that of catppuccin-mocha counts."),
        (6, "themes.mine.blue", f"{expected}, not nothing; that of catppuccin-mocha counts."),
        (7, "themes.mine.cyan", f"{expected}, not a list; that of catppuccin-mocha counts."),
        (9, "themes.a b", "a theme's name is made of letters, digits, '-', '_' and '.'; it is ignored."),
        (10, "themes.worse", "expected {background: '#…', text: '#…', extends: THEME}, not blue; the defaults count."),
    ]  # fmt: skip
    assert loaded.config.themes["mine"] == UserTheme("catppuccin-mocha", {"green": "#00ff00"})
    assert "a b" not in loaded.config.themes


def test_the_theme_that_counts_is_named_wherever_extends_stands(file: Path) -> None:
    loaded = reading(file, "themes: {mine: {red: reddish, extends: nord}}\n")
    assert loaded.problems[0].message.endswith("that of nord counts.")


@pytest.mark.parametrize(
    ("written", "colour"),
    [("#1E1e2e", "#1e1e2e"), ("1e1e2e", "#1e1e2e"), ("#abc", "#aabbcc"), ("abc", ""), ("red", "red"), ("", ""),
     ("bright-white", "bright-white"), ("default", "default"), ("bright-default", ""), ("bright-bright-red", ""),
     ("#1e1e2e ", ""), ("#1e1e2eff", ""), ("#gggggg", ""), ("#١٢٣", ""), ("dim", ""), ("reverse", "")],
)  # fmt: skip
def test_colours(written: str, colour: str) -> None:
    assert read_colour(written) == colour


def test_names_of_themes() -> None:
    assert [meant(name) for name in ("nord", "gruvbox", "mine")] == ["nord", "gruvbox-dark", ""]


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=12), st.sampled_from(("#fff", "#101018", "red", "nord")),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(("mine", "nord", "a b", "")), st.text(max_size=5)),
        st.one_of(
            ANYTHING,
            st.dictionaries(st.sampled_from((*COLOURS, "extends", "x")), ANYTHING, max_size=5),
        ),
        max_size=3,
    ),
    ANYTHING,
)
def test_whatever_stands_there_themes_can_be_made_of_it(file: Path, themes: object, theme: object) -> None:
    loaded = reading(file, yaml.safe_dump({"themes": themes, "theme": theme}, allow_unicode=True))
    made = collection(loaded.config.themes)
    assert loaded.config.theme in made
    assert all(set(each.colours) == set(WORN) for each in made.values())
