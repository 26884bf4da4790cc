"""How a test drives one agent: what its home must hold, how it is started, its keys, what its screens say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct

HERE = Path(__file__).resolve().parents[1]
VERSIONS: Mapping[str, str] = json.loads((HERE / "package.json").read_text())["dependencies"]

State = str
"""A state of the contract, or "gone"."""


def folder() -> Path:
    """Where `tests/real/install` puts the agents."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("OPENSESSIONS_TEST_AGENTS") or f"{cache}/opensessions-ci/agents")


@cache
def installed() -> bool:
    """Are they there, in the versions of package.json?"""
    mark = folder() / "installed"
    return mark.exists() and mark.read_bytes() == (HERE / "package.json").read_bytes()


class Site(Struct, frozen=True):
    """Where an agent is to run: a home of its own, a project folder, the model's address."""

    home: Path
    project: Path
    url: str
    free: bool = False
    """Tools run without asking."""
    hook: str = ""
    """A command that hears hooks: `<hook> AGENT EVENT`, its payload on standard input. "": no hooks."""


class Untold(Struct, frozen=True):
    """Something that the agent's interface does not tell in some scenarios: what may be shown instead, and why."""

    states: frozenset[State]
    instead: frozenset[State]
    why: str
    scenarios: frozenset[str] = frozenset()
    """Empty: in all of them."""
    even_with_hooks: bool = False

    def fits(self, scenario: str, hooks: bool) -> bool:
        """Is it so here?"""
        return (not self.scenarios or scenario in self.scenarios) and (self.even_with_hooks or not hooks)


RUNNING = frozenset({"running", "tool-running"})
RESTING = frozenset({"idle", "done", "interrupted", "error"})


class Driver:
    """One agent. Patterns are looked for on the screen of its pane, keys are tmux's names."""

    name: ClassVar[str]
    """Of its tests and recordings."""
    kind: ClassVar[str]
    """As opensessions calls it."""
    package: ClassVar[str]

    ready: ClassVar[str]
    approval: ClassVar[str] = ""
    """"": it never asks for a permission."""
    question: ClassVar[str] = ""
    """"": it has no tool for questions, or not in its usual mode."""
    approve: ClassVar[tuple[str, ...]] = ("Enter",)
    answer: ClassVar[tuple[str, ...]] = ("Enter",)
    deny: ClassVar[tuple[str, ...]] = ("Escape",)
    interrupt: ClassVar[tuple[str, ...]] = ("Escape",)
    quit: ClassVar[str] = "/quit"
    clear: ClassVar[str] = "/clear"
    launcher: ClassVar[bool] = False
    """An npm launcher stands above the agent itself."""
    agent_comm: ClassVar[str] = ""
    """The kernel's name of the agent's own process below the launcher."""

    lines: ClassVar[tuple[str, ...]] = ()
    """What the recorder keeps of the home: files that grow."""
    whole: ClassVar[tuple[str, ...]] = ()
    """Small files that are written anew."""
    databases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """SQLite files, and the tables of interest."""

    untold: ClassVar[tuple[Untold, ...]] = ()

    @property
    def version(self) -> str:
        """As pinned in package.json."""
        return VERSIONS[self.package]

    def instead(self, scenario: str, hooks: bool) -> dict[State, frozenset[State]]:
        """What may be shown instead of which state in a scenario."""
        found: dict[State, frozenset[State]] = {}
        for untold in self.untold:
            if untold.fits(scenario, hooks):
                found |= {state: found.get(state, frozenset()) | untold.instead for state in untold.states}
        return found

    def prepare(self, site: Site) -> None:
        """Write what a user would have by now: no first-run questions, the model's address, no updates."""

    def environment(self, site: Site) -> dict[str, str]:
        """What it needs beside the home's environment."""
        return {}

    def command(self, site: Site) -> str:
        """What a user types to start it."""
        raise NotImplementedError

    def resume(self, site: Site) -> str:
        """What a user types to go on with the last conversation of this folder."""
        raise NotImplementedError

    def greeting(self, site: Site) -> tuple[str, tuple[str, ...]]:
        """What it will ask at its next start, and the keys that answer; ("", ()) where it asks nothing."""
        return "", ()

    def is_ready(self, screen: str) -> bool:
        """Does it take a prompt?"""
        return re.search(self.ready, screen) is not None


def write(path: Path, content: object) -> None:
    """A file with its folders; anything but text as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))


def hooks(command: str, agent: str, events: tuple[str, ...]) -> dict[str, Any]:
    """Hooks in the form that Claude Code, Codex, Gemini CLI and Qwen Code share."""
    return {
        event: [{"hooks": [{"type": "command", "command": f"{command} {agent} {event}"}]}] for event in events
    }
