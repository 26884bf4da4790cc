"""Changing one key of config.yaml: what is written, and what is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions.config import Config, load
from opensessions.config.edit import changed, save, scalar
from opensessions.errors import Refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "config.yaml"


def given_file(file: Path, text: str) -> str:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "theme: nord\n"),
        ("# mine\n", "# mine\ntheme: nord\n"),
        ("ascii: true", "ascii: true\ntheme: nord\n"),
        ("theme: dracula\n", "theme: nord\n"),
        ("theme:   dracula   # dark\nascii: true # no é\n", "theme:   nord   # dark\nascii: true # no é\n"),
        ("# é日本\ntheme: 'dracula'\n", "# é日本\ntheme: nord\n"),
        ('a: 1\n"theme": "dracula"\nb: 2\n', 'a: 1\n"theme": nord\nb: 2\n'),
        ("theme:\nascii: true\n", "theme: nord\nascii: true\n"),
        ("theme: # none\nascii: true\n", "theme: nord # none\nascii: true\n"),
        ("theme: a\ntheme: b\n", "theme: a\ntheme: nord\n"),
        ("themes: {x: {extends: nord}}\n", "themes: {x: {extends: nord}}\ntheme: nord\n"),
        ("{ascii: true, theme: dracula}\n", "{ascii: true, theme: nord}\n"),
        ("  ascii: true\n  sidebar:\n    width: 30\n",
         "  ascii: true\n  sidebar:\n    width: 30\n  theme: nord\n"),
        ("\ufefftheme: dracula\n", "theme: nord\n"),
        ("ascii: true\r\ntheme: dracula\r\n", "ascii: true\r\ntheme: nord\r\n"),
    ],
)  # fmt: skip
def test_only_the_value_changes(file: Path, before: str, after: str) -> None:
    path = given_file(file, "")
    file.write_bytes(before.encode())
    was = load(path)
    save(path, "theme", "nord")
    assert file.read_bytes() == after.encode()
    assert load(path).config.theme == "nord"
    assert load(path).config.ascii == was.config.ascii
    assert os.listdir(file.parent) == ["config.yaml"]


def test_a_missing_file_and_folder_are_made(file: Path) -> None:
    save(str(file), "theme_dark", "nord")
    assert file.read_text() == "theme_dark: nord\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_one_and_the_file_keeps_its_mode(file: Path, tmp_path: Path) -> None:
    dotfile = tmp_path / "dotfiles.yaml"
    dotfile.write_text("theme: dracula\n")
    dotfile.chmod(0o644)
    file.parent.mkdir()
    file.symlink_to(dotfile)
    save(str(file), "theme", "nord")
    assert file.is_symlink()
    assert dotfile.read_text() == "theme: nord\n"
    assert dotfile.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("theme: 'open\n", "cannot be changed, since this is not YAML"),
        ("- a\n- b\n", "cannot be changed safely"),
        ("{ascii: true}\n", "cannot be changed safely"),
        ("ascii: true\n...\n", "cannot be changed"),
        ("x: &x dracula\ntheme: *x\n", "cannot be changed safely"),
    ],
)
def test_what_cannot_be_changed_safely_stays_and_the_line_is_told(file: Path, text: str, why: str) -> None:
    path = given_file(file, text)
    with pytest.raises(Refused) as refusal:
        save(path, "theme", "nord")
    assert why in str(refusal.value)
    assert str(refusal.value).endswith(": theme: nord")
    assert file.read_text() == text
    assert os.listdir(file.parent) == ["config.yaml"]


def test_a_full_disk_changes_nothing(small_disk: Path) -> None:
    file = small_disk / "config.yaml"
    file.write_text("theme: dracula\n# " + "x" * 20_000 + "\n")
    (small_disk / "ballast").write_bytes(b"x" * 36_000)
    with pytest.raises(Refused, match="cannot be written"):
        save(str(file), "theme", "nord")
    assert file.read_text().startswith("theme: dracula\n")
    assert sorted(os.listdir(small_disk)) == ["ballast", "config.yaml"]


def test_names_that_yaml_would_take_for_something_else_are_quoted() -> None:
    assert [scalar(name) for name in ("nord", "1.5", "null", "yes", "my-theme")] == [
        "nord", "'1.5'", "'null'", "'yes'", "my-theme"]  # fmt: skip
    assert changed("", "theme", "1.5") == "theme: '1.5'\n"


LINES = st.sampled_from((
    "ascii: true", "# theme: x", "theme: dracula", "theme: 'gruvbox' # yes", "sidebar: {width: 30}", "", "keys:",
    "  next: n", "  theme: t", "theme: |", "  nord", "theme: >-", "themes:", "  x: {extends: nord}", "- a", "é: 1",
    "---", "...", "theme:", "\ttheme: a", "? theme", ": nord", "{", "}", "theme: [a]", "theme: !!str nord",
))  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(LINES, max_size=7))
def test_it_means_what_it_should_or_nothing_has_changed(file: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    path = given_file(file, text)
    before = load(path)
    try:
        save(path, "theme", "one-dark")
    except Refused:
        assert file.read_text() == text
        return
    after = load(path)
    assert after.config.theme == "one-dark"
    for name in Config.__struct_fields__:
        assert name == "theme" or getattr(after.config, name) == getattr(before.config, name)
    kept = [line for line in text.split("\n") if line.strip().startswith("#")]
    assert all(line in file.read_text() for line in kept)
