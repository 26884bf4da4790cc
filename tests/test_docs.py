"""Sentences of the documentation that a test can hold to what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from opensessions.__main__ import VERBS
from opensessions.sidebar.keymap import BINDINGS
from opensessions_tmux import bindings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "AGENTS.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_paths_in_the_routing_table_exist() -> None:
    for path in re.findall(r"^\| ((?:`[^`]+`(?:, )?)+)", (ROOT / "AGENTS.md").read_text(), re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", path):
            folder, brace, rest = name.partition("{")
            names = [folder + each + rest.partition("}")[2] for each in rest.partition("}")[0].split(",")]
            for each in names if brace else [name]:
                assert (ROOT / each).exists(), each


def test_every_verb_is_documented_and_every_documented_verb_exists() -> None:
    text = (ROOT / "docs/reference/command-line.md").read_text()
    documented = set()
    for cell in re.findall(r"^\| (`.+?) \|(?! does)", text.replace("\\|", "/"), re.MULTILINE):
        documented |= {re.split(r"[ \[]", code)[0] for code in re.findall(r"`([^`]+)`", cell)}
    documented = {word for word in documented if not word.startswith("-") and word}
    assert documented == set(VERBS)


def test_every_key_of_the_table_is_documented() -> None:
    text = (ROOT / "docs/reference/keys-and-options.md").read_text()
    table = text[: text.index("## Options")]
    keys = {key.key for key in bindings.table_keys()} - {"Any"} - set("2345678")
    assert {key for key in keys if f"`{key}`" not in table} == set()
    for option in bindings.USER_OPTIONS:
        short = option.removeprefix("@opensessions")
        assert f"`{option}`" in text or f"`{short}`" in text, option


def test_every_key_of_the_sidebar_is_documented() -> None:
    text = (ROOT / "docs/reference/keys-and-options.md").read_text()
    part = text[text.index("## In the sidebar") :]
    for binding in BINDINGS:
        keys = {"enter": "Enter", "escape": "Esc", "tab": "Tab", "shift-tab": "Shift-Tab", "page-down": "page keys",
                "page-up": "page keys"}  # fmt: skip
        first = binding.keys[0]
        assert keys.get(first, first) in part, binding.action


def test_the_help_of_every_verb_works() -> None:
    for verb in VERBS:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "opensessions", verb, "--help"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stdout.startswith(f"usage: opensessions {verb}")
