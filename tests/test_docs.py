"""Sentences of the documentation that a test can hold to what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from opensessions.__main__ import VERBS
from opensessions.agents.prompts import PROMPTS
from opensessions.config.reader import understand
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


def test_the_table_of_the_sidebars_keys_is_the_key_map() -> None:
    text = (ROOT / "docs/reference/keys-and-options.md").read_text()
    part = text[text.index("## In the sidebar") :]
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| .+ \|$", part[: part.index("###")], re.MULTILINE)
    told = {action: tuple(re.findall(r"`([^`]+)`", keys)) for action, keys in rows}
    assert told.pop("index") == ("1", "9")
    assert told == {binding.action: binding.keys for binding in BINDINGS if binding.action != "index"}


def test_the_example_of_keys_is_understood_as_the_page_says() -> None:
    text = (ROOT / "docs/reference/keys-and-options.md").read_text()
    example = text[text.index("### Your own keys") :].partition("```yaml\n")[2].partition("```")[0]
    (problem,) = understand("config.yaml", example).problems
    assert problem.message.startswith("h is a key of collapse as well, which keeps left;")


def test_every_agent_that_can_be_answered_is_named() -> None:
    text = (ROOT / "docs/how-to/answer-agents.md").read_text()
    keys = {"enter": "Enter", "escape": "Esc"}
    names = {"claude-code": "Claude Code", "codex": "Codex", "opencode": "OpenCode", "gemini": "Gemini CLI",
             "qwen": "Qwen Code"}  # fmt: skip
    assert set(PROMPTS) == set(names)
    for agent, prompts in PROMPTS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {names[agent]} |"))
        for prompt in prompts:
            assert keys.get(prompt.allow, f"`{prompt.allow}`") in row
            assert row.endswith(f"| {keys[prompt.deny]} |")


def test_the_help_of_every_verb_works() -> None:
    for verb in VERBS:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "opensessions", verb, "--help"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stdout.startswith(f"usage: opensessions {verb}")


def test_every_room_of_the_sidebar_is_on_its_map() -> None:
    from opensessions import sidebar

    assert sidebar.__doc__ is not None
    named = re.findall(r"`(\w+)`", sidebar.__doc__)
    rooms = {path.stem for path in (ROOT / "opensessions" / "sidebar").glob("*.py")} - {"__init__"}
    assert sorted(named) == sorted(rooms)
