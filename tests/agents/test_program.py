"""What a command line runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensessions.agents.program import Program, commands, executable, interpreted


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("claude", "claude"),
        ("/usr/local/bin/claude", "claude"),
        ("/home/me/my tools/claude", "claude"),
        ("-bash", "bash"),
        ("Claude.EXE", "claude"),
        ("pi" + " " * 60, "pi"),
        ("npm exec @openai/codex", "npm"),
        ("claude-monitor", "claude-monitor"),
        ("", ""),
    ],
)
def test_an_executable_is_named_by_its_last_part(word: str, name: str) -> None:
    assert executable(word) == name


SCRIPTS = [
    ("node /usr/bin/codex", "codex", ""),
    ("node ./codex.js --full-auto", "codex", ""),
    ("node --max-old-space-size=8192 /opt/bin/gemini", "gemini", ""),
    ("node -r ./hook.js --import tsx --enable-source-maps cli.mjs", "cli", ""),
    ("node -- -odd.js", "-odd", ""),
    ("nodejs /usr/lib/node_modules/@openai/codex/bin/codex.js", "codex", "@openai/codex"),
    ("node /a/node_modules/x/node_modules/@google/gemini-cli/dist/index.js", "index", "@google/gemini-cli"),
    ("node /a/node_modules/@google/gemini-cli/node_modules/yargs/index.js", "index", "yargs"),
    ("node /a/node_modules/codex.js", "codex", ""),
    ("node node_modules/@openai/codex/bin/codex.js", "codex", "@openai/codex"),
    ("node ../my_node_modules/codex/run.js", "run", ""),
    ("bun run --bun /x/opencode.ts", "opencode", ""),
    ("bun /x/opencode.ts", "opencode", ""),
    ("deno run -A -c deno.json amp.ts", "amp", ""),
    ("python3 /home/me/.venv/bin/aider --model x", "aider", ""),
    ("python3.13t -Xdev -W error aider.py", "aider", ""),
    ("python -I -S aider", "aider", ""),
    ("/usr/bin/env-less/python aider", "aider", ""),
    ("ruby3.2 -I lib goose.rb", "goose", ""),
    ("perl -Ilib amp.pl", "amp", ""),
    ("bash ./codex.sh", "codex", ""),
    ("bash -eu -o pipefail claude", "claude", ""),
    ("bash -euo pipefail claude", "claude", ""),
    ("bash +x --rcfile rc claude", "claude", ""),
    ("zsh claude.zsh", "claude", ""),
    ("fish -C claude other", "other", ""),
    ("sh claude.md", "claude.md", ""),
    ("sh claude.sh.bak", "claude.sh.bak", ""),
]


@pytest.mark.parametrize(("line", "script", "package"), SCRIPTS)
def test_the_script_of_an_interpreter(line: str, script: str, package: str) -> None:
    argv = line.split()
    found = interpreted(executable(argv[0]), argv)
    assert found
    assert (found.script, found.package, found.module) == (script, package, "")


NO_SCRIPT = [
    "bash -c claude", "bash -lc claude x", "sh -ec claude", "bash -s claude", "bash", "-bash", "zsh -ic claude",
    "node -e claude", "node -pe claude", "node --eval claude", "node -", "node", "bun --eval claude",
    "python -c claude", "python -Ic claude", "python -", "python", "python -W", "ruby -e claude", "perl -ne claude x",
    "vim claude", "cat codex", "grep claude", "ssh host claude", "man codex", "fish -c claude", "python -m",
]  # fmt: skip


@pytest.mark.parametrize("line", NO_SCRIPT)
def test_no_script_is_run(line: str) -> None:
    argv = line.split()
    assert interpreted(executable(argv[0]), argv) is None


@pytest.mark.parametrize(
    ("line", "module", "arguments"),
    [
        ("python -m aider --model x", "aider", ("--model", "x")),
        ("python3 -Im aider", "aider", ()),
        ("python3 -maider.main a", "aider.main", ("a",)),
        ("python3 -W error -m pip install aider", "pip", ("install", "aider")),
    ],
)
def test_the_module_of_python(line: str, module: str, arguments: tuple[str, ...]) -> None:
    assert interpreted("python3", line.split()) == Program(module=module, arguments=arguments)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("mcp serve", ["mcp"]),
        ("exec fix the mcp server", ["exec"]),
        ("-c model=x app-server --listen unix://", ["model=x", "app-server"]),
        ("--full-auto app-server", ["app-server"]),
        ("-- mcp", []),
        ("--flag=mcp", []),
        ("", []),
    ],
)
def test_the_words_that_may_be_a_subcommand(line: str, found: list[str]) -> None:
    assert commands(line.split()) == found


WORD = st.text(alphabet="abcmWX-+/. @'\n\udcff", max_size=8) | st.sampled_from(
    ["-c", "-m", "--", "-", "run", "--eval", "/node_modules/", "/node_modules/@a", "node_modules/@a/b/c"]
)


@given(
    st.sampled_from(["python3", "bash", "node", "bun", "deno", "ruby", "fish", "vim"]),
    st.lists(WORD, max_size=6),
)
def test_any_command_line_is_read_and_no_name_keeps_a_folder(name: str, rest: list[str]) -> None:
    found = interpreted(name, [name, *rest])
    assert "/" not in executable(rest[0] if rest else "")
    if found:
        assert "/" not in found.script
        assert list(found.arguments) == rest[len(rest) - len(found.arguments) :]
