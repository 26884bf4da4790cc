"""Which theme is worn: the user's last choice, the configuration, dark and light; and what of it survives."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from opensessions.config import Config, UserTheme
from opensessions.errors import OpenSessionsError, Refused
from opensessions.server.appearance import Appearance
from opensessions.sidebar.themes import SHIPPED

PLAIN = Config()
FOLLOWING = Config(theme="nord", theme_dark="dracula", theme_light="github-light", follow_system=True)


@pytest.fixture
def state(tmp_path: Path) -> str:
    folder = tmp_path / "state"
    folder.mkdir(0o700)
    return str(folder)


def changes(appearance: Appearance) -> list[str]:
    worn: list[str] = []
    appearance.on_change = lambda: worn.append(appearance.name)
    return worn


def test_the_configuration_counts_at_first(state: str) -> None:
    assert Appearance(PLAIN, state).theme() is SHIPPED["catppuccin-mocha"]
    assert Appearance(replace(PLAIN, theme="nord"), state).theme() is SHIPPED["nord"]
    assert os.listdir(state) == []


def test_a_choice_is_worn_told_and_remembered(state: str) -> None:
    appearance = Appearance(PLAIN, state)
    worn = changes(appearance)
    assert appearance.choose("nord") == "nord"
    assert appearance.choose("gruvbox") == "gruvbox-dark"
    appearance.choose("gruvbox-dark")
    assert worn == ["nord", "gruvbox-dark"]
    assert Appearance(PLAIN, state).name == "gruvbox-dark"
    file = Path(state, "theme.json")
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(state) == ["theme.json"]


def test_a_preview_is_worn_by_who_looks_and_by_nobody_else(state: str) -> None:
    appearance = Appearance(PLAIN, state)
    assert appearance.theme("nord") is SHIPPED["nord"]
    assert appearance.theme("no such theme") is appearance.theme("") is SHIPPED["catppuccin-mocha"]


def test_who_edits_the_configuration_later_wants_it_to_count(state: str) -> None:
    Appearance(PLAIN, state).choose("nord")
    assert Appearance(replace(PLAIN, theme="dracula"), state).name == "dracula"
    assert Appearance(PLAIN, state).name == "nord"


def test_a_choice_that_has_gone_from_the_configuration_does_not_count(state: str) -> None:
    mine = replace(PLAIN, themes={"mine": UserTheme("nord", {"text": "#ffffff"})})
    Appearance(mine, state).choose("mine")
    assert Appearance(mine, state).theme().colours["text"] == "#ffffff"
    assert Appearance(PLAIN, state).name == "catppuccin-mocha"


def test_an_unknown_theme_is_refused_with_the_nearest(state: str) -> None:
    appearance = Appearance(replace(PLAIN, themes={"midnight": UserTheme("nord")}), state)
    worn = changes(appearance)
    for wrong, near in (("nrod", "nord"), ("midnigt", "midnight"), ("", "")):
        with pytest.raises(Refused, match=f"There is no theme '{wrong}'; the nearest is {near}"):
            appearance.choose(wrong)
    assert worn == []
    assert os.listdir(state) == []


# --- dark and light --------------------------------------------------------------------------------------------


def test_nobody_is_followed_unless_the_configuration_says_so(state: str) -> None:
    appearance = Appearance(replace(FOLLOWING, follow_system=False), state)
    worn = changes(appearance)
    appearance.told("dark")
    assert (appearance.scheme, appearance.name, worn) == (None, "nord", [])


def test_dark_and_light_have_a_theme_each(state: str) -> None:
    appearance = Appearance(FOLLOWING, state)
    worn = changes(appearance)
    assert appearance.name == "nord"
    for scheme in ("dark", "dark", "light", "dark"):
        appearance.told(scheme)  # type: ignore[arg-type]
    assert worn == ["dracula", "github-light", "dracula"]


def test_without_a_theme_for_it_that_of_theme_is_worn(state: str) -> None:
    appearance = Appearance(replace(FOLLOWING, theme_light=None), state)
    worn = changes(appearance)
    appearance.told("light")
    assert (appearance.name, worn) == ("nord", [])
    appearance.told("dark")
    assert appearance.name == "dracula"


def test_a_choice_in_the_dark_is_one_for_the_dark(state: str) -> None:
    appearance = Appearance(FOLLOWING, state)
    appearance.told("dark")
    appearance.choose("monochrome")
    appearance.told("light")
    assert appearance.name == "github-light"
    appearance.choose("solarized-light")
    again = Appearance(FOLLOWING, state)
    assert again.name == "nord"
    again.told("dark")
    assert again.name == "monochrome"
    again.told("light")
    assert again.name == "solarized-light"
    changed = Appearance(replace(FOLLOWING, theme_dark="everforest-dark"), state)
    changed.told("dark")
    assert changed.name == "everforest-dark"
    changed.told("light")
    assert changed.name == "solarized-light"


# --- the file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"version":2,"value":{}}', b'{"version":1,"value":{"x":{"chosen":"a","configured":"b"}}}',
     b'{"version":1,"value":{"theme":{"chosen":1,"configured":"b"}}}', b"\xff\xfe", b"[" * 100_000],
    ids=range(8),
)  # fmt: skip
def test_a_file_that_cannot_be_understood_is_set_aside(state: str, data: bytes) -> None:
    path = Path(state, "theme.json")
    path.write_bytes(data)
    path.chmod(0o600)
    appearance = Appearance(PLAIN, state)
    assert appearance.name == "catppuccin-mocha"
    assert os.listdir(state) == ["theme.json.corrupt-1"]
    assert Path(state, "theme.json.corrupt-1").read_bytes() == data
    appearance.choose("nord")
    assert Appearance(PLAIN, state).name == "nord"


def test_a_link_in_its_place_is_neither_read_nor_replaced(state: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text('{"version":1,"value":{"theme":{"chosen":"nord","configured":"catppuccin-mocha"}}}')
    Path(state, "theme.json").symlink_to(other)
    appearance = Appearance(PLAIN, state)
    assert appearance.name == "catppuccin-mocha"
    with pytest.raises(OpenSessionsError, match="symbolic link"):
        appearance.choose("dracula")
    assert appearance.name == "dracula"
    assert "nord" in other.read_text()


async def test_what_cannot_be_remembered_is_worn_and_said(small_disk: Path) -> None:
    small_disk.chmod(0o700)
    appearance = Appearance(PLAIN, str(small_disk))
    with (small_disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(Refused, match=r"will not be remembered: .*theme\.json cannot be saved"):
        await appearance.verb({"act": "set", "name": "nord"})
    assert appearance.name == "nord"


# --- the verb --------------------------------------------------------------------------------------------------


async def test_the_verb(state: str) -> None:
    appearance = Appearance(FOLLOWING, state)
    shown = json.loads(json.dumps(await appearance.verb({})))
    assert {name: shown[name] for name in ("theme", "key", "follows", "scheme")} == {
        "theme": "nord", "key": "theme", "follows": True, "scheme": None}  # fmt: skip
    assert [theme["name"] for theme in shown["themes"]] == list(SHIPPED)
    assert {theme["dark"] for theme in shown["themes"]} == {True, False, None}
    appearance.told("light")
    answer = await appearance.verb({"act": "set", "name": "rose-pine-dawn"})
    assert isinstance(answer, dict)
    assert (answer["theme"], answer["key"], answer["scheme"]) == ("rose-pine-dawn", "theme_light", "light")
    with pytest.raises(Refused, match="There is no theme 'x'"):
        await appearance.verb({"act": "set", "name": "x"})
