"""From real processes to agents: scripts and programs named like agents, run as shells run them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opensessions.agents.detect import detect, recognise_all
from opensessions.agents.known import kinds
from opensessions.processes import scan
from opensessions.processes.linux import LinuxSource
from opensessions.processes.portable import PortableSource
from opensessions.processes.scan import Scanner
from opensessions.processes.source import ProcessSource
from tests.processes.conftest import Shell, until

KNOWN = kinds()
NODE = shutil.which("node")


@pytest.fixture(params=[LinuxSource, PortableSource])
def source(request: pytest.FixtureRequest) -> ProcessSource:
    made: ProcessSource = request.param()
    return made


def put(shell: Shell, name: str, text: str) -> None:
    """A program in the folder that is on the shell's PATH."""
    path = Path(shell.folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def looking(source: ProcessSource, shell: Shell) -> Callable[[], list[str]]:
    """Scans, and says which kinds of agents are in the shell's pane."""
    scanner = Scanner(source)

    def look() -> list[str]:
        matches = recognise_all(scanner.scan([shell.pid], near=[shell.pid]), KNOWN)
        agents = detect("tmux-1", {"%1": shell.pid}, matches)
        return sorted(agent.kind.name for agent in agents.get("%1", ()))

    return look


BASH = "#!/bin/bash\nsleep 600; :\n"
PYTHON = f"#!{sys.executable}\nimport time\ntime.sleep(600)\n"
JAVASCRIPT = "#!/usr/bin/env node\nsetInterval(() => {}, 100000)\n"


@pytest.mark.parametrize(
    ("file", "text", "line", "kind"),
    [
        ("claude", BASH, "claude --resume", "claude-code"),
        ("codex.sh", BASH, "bash ./codex.sh", "codex"),
        ("aider", PYTHON, "aider", "aider"),
        ("aider/__main__.py", PYTHON, f"{sys.executable} -m aider", "aider"),
        ("x", BASH, "(exec -a /opt/bin/opencode sleep 600)", "opencode"),
        ("x", BASH, "bash -c 'exec -a goose sleep 600'", "goose"),
        ("x", BASH, "env -i FOO=bar bash -c 'exec -a droid sleep 600'", "droid"),
    ],
)
def test_an_agent_is_found(
    source: ProcessSource, shell: Shell, file: str, text: str, line: str, kind: str
) -> None:
    put(shell, file, text)
    look = looking(source, shell)
    assert look() == []
    shell.type(f"{line} &")
    until(lambda: look() == [kind])


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("file", "line", "kind"),
    [
        ("gemini", "gemini", "gemini"),
        ("codex.js", "node --max-old-space-size=64 ./codex.js --full-auto", "codex"),
        ("node_modules/@qwen-code/qwen-code/cli.js", "node node_modules/@qwen-code/qwen-code/cli.js", "qwen"),
        ("dist/cli.js", "node -r ./dist/cli.js", None),
    ],
)
def test_an_agent_of_node_is_found(
    source: ProcessSource, shell: Shell, file: str, line: str, kind: str | None
) -> None:
    put(shell, file, JAVASCRIPT)
    put(shell, "pi.js", "process.title = 'pi'; setInterval(() => {}, 100000)\n")
    look = looking(source, shell)
    shell.type(f"{line} &")
    shell.type("node -e \"process.title = 'amp'; setInterval(() => {}, 100000)\" &")
    until(lambda: look() == sorted(["amp", *([kind] if kind else [])]))


def test_names_elsewhere_are_no_agents(source: ProcessSource, shell: Shell) -> None:
    put(shell, "claude.log", "")
    put(shell, "codex/run.sh", BASH)
    put(shell, "server.py", PYTHON)
    look = looking(source, shell)
    lines = [
        "tail -f claude.log",
        "bash -c 'sleep 600; :' claude",
        "bash ./codex/run.sh claude",
        f"{sys.executable} server.py claude codex",
        f"{sys.executable} -c 'import time; time.sleep(600)' aider",
        "(exec -a claude-monitor sleep 600)",
    ]
    for line in lines:
        shell.type(f"{line} &")
    shell.type("(exec -a amp sleep 600) &")
    until(look, "the last line is an agent, so that all others were run before")
    until(lambda: len(Scanner(source).scan([shell.pid])) >= 1 + len(lines))
    assert look() == ["amp"]


def test_a_launcher_and_its_program_are_one_and_the_orphan_goes_on(
    source: ProcessSource, shell: Shell
) -> None:
    put(shell, "codex", "#!/bin/bash\n(exec -a /vendor/codex sleep 600)\n:\n")
    scanner = Scanner(source)

    def agents(full: bool = False) -> list[int]:
        matches = recognise_all(scanner.scan([shell.pid], full=full), KNOWN)
        assert len(matches.found) <= 3
        found = detect("tmux-1", {"%1": shell.pid}, matches).get("%1", ())
        return [agent.pid for agent in found] if len(matches.found) == expected else []

    expected = 2
    shell.type("codex & echo")
    (launcher,) = until(agents)
    expected = 1
    subprocess.run(["kill", "-9", str(launcher)], check=True)
    (orphan,) = until(lambda: agents(full=True))
    assert orphan != launcher


def test_an_exec_in_an_old_shell_is_found(
    source: ProcessSource, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "YOUNG", 0)
    put(shell, "claude", PYTHON)
    look = looking(source, shell)
    assert look() == []
    shell.type("exec claude")
    until(lambda: look() == ["claude-code"])


def test_an_agent_that_exits_is_gone_with_the_hint(source: ProcessSource, shell: Shell) -> None:
    scanner = Scanner(source)

    def agents() -> list[int]:
        return list(recognise_all(scanner.scan([shell.pid]), KNOWN).found)

    shell.type("(exec -a claude sleep 600) &")
    (agent,) = until(agents)
    subprocess.run(["kill", "-9", str(agent)], check=True)

    def gone() -> bool:
        scanner.recheck([agent])
        return agents() == []

    until(gone)


def test_inside_a_nested_tmux_the_agent_is_the_inner_panes(shell: Shell, short: Path) -> None:
    tmux = ["tmux", "-S", str(short / "s"), "-f", "/dev/null"]
    scanner = Scanner(LinuxSource())
    try:
        shell.type(f"{' '.join(tmux)} new-session -d 'exec -a claude sleep 600'; (exec -a codex sleep 600) &")
        asked = [*tmux, "list-panes", "-a", "-F", "#{pane_pid}"]
        said = until(
            lambda: subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        )
        panes = {"%1": shell.pid, "%0": int(said)}

        def kinds_in() -> dict[str, list[str]]:
            found = detect("m", panes, recognise_all(scanner.scan(panes.values()), KNOWN))
            return {pane: [agent.kind.name for agent in agents] for pane, agents in found.items()}

        until(lambda: kinds_in() == {"%0": ["claude-code"], "%1": ["codex"]})
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
