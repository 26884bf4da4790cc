"""Into which agents' hooks or plugins we install, where, and what goes there.

Seen firing with the real programs: Claude Code 2.1.197, Codex 0.169.0, OpenCode 1.18.33, Gemini CLI 0.61.0, Qwen Code
0.15.10, Pi 0.73.1. From public documentation alone: Amp, Copilot CLI, Cursor, Droid, Kilo.
"""

from __future__ import annotations

import os
from typing import Any

from msgspec import Struct

from opensessions.hooks.command import command
from opensessions.hooks.entries import Entries, Layout
from opensessions.hooks.plugin import plugin


class Settings(Struct, frozen=True):
    """Hooks that stand in a file of the user's."""

    agent: str
    file: str
    entries: Entries
    layout: Layout = Layout()
    advice: str = ""
    """What the user must know or do after it was installed."""


class Own(Struct, frozen=True):
    """A file that is ours alone, in a folder that the agent loads."""

    agent: str
    file: str
    text: str
    advice: str = ""


Place = Settings | Own

CLAUDE = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "PostToolUseFailure",
    "Notification", "Stop", "StopFailure", "SubagentStart", "SubagentStop", "SessionEnd",
)  # fmt: skip
CODEX = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop", "Interrupt",
    "SubagentStart", "SubagentStop", "SessionEnd",
)  # fmt: skip
GEMINI = (
    "SessionStart", "BeforeAgent", "BeforeTool", "Notification", "AfterTool", "AfterAgent", "SessionEnd",
)  # fmt: skip
CURSOR = (
    "sessionStart", "beforeSubmitPrompt", "preToolUse", "postToolUse", "postToolUseFailure", "stop", "sessionEnd",
)  # fmt: skip
COPILOT = (
    "sessionStart", "userPromptSubmitted", "preToolUse", "postToolUse", "permissionRequest", "notification",
    "agentStop", "errorOccurred", "sessionEnd",
)  # fmt: skip
DROID = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Notification", "Stop", "SubagentStop",
    "SessionEnd",
)  # fmt: skip

SECONDS = 5
"""After which the agent gives a hook up. Ours ends by itself in a hundredth of that."""

WITHOUT = {
    "aider": "it has no hooks; it runs one command when it waits, `--notifications-command`, which is yours",
    "crush": "its hooks differ from version to version, and a version that does not know one refuses its settings",
    "goose": "its hooks are plugins of several files, which we do not write",
}
"""Agents that we install nothing into, and why."""

ALIASES = {"claude": "claude-code", "cursor-agent": "cursor"}


def names() -> list[str]:
    """Every agent that we install into, in the order of their names."""
    return sorted(FOLDERS)


def folder(agent: str) -> str:
    """The agent's own folder of settings: it exists where the agent was used."""
    variable, path = FOLDERS[agent]
    told = os.environ.get(variable, "") if variable else ""
    if path.startswith("~/.config/"):
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        path = f"{base}/{path.removeprefix('~/.config/')}"
    return os.path.abspath(told or os.path.expanduser(path))


FOLDERS = {
    "amp": ("", "~/.config/amp"),
    "claude-code": ("CLAUDE_CONFIG_DIR", "~/.claude"),
    "codex": ("CODEX_HOME", "~/.codex"),
    "copilot": ("COPILOT_HOME", "~/.copilot"),
    "cursor": ("", "~/.cursor"),
    "droid": ("", "~/.factory"),
    "gemini": ("", "~/.gemini"),
    "kilo": ("", "~/.config/kilo"),
    "opencode": ("", "~/.config/opencode"),
    "pi": ("PI_CODING_AGENT_DIR", "~/.pi/agent"),
    "qwen": ("", "~/.qwen"),
}
"""Agent -> (the variable that names its folder, the folder)."""


def places(agent: str) -> tuple[Place, ...]:
    """Every place where we may ever have put something: `place`, and where that depends, the other ones."""
    if agent == "droid":
        return (_droid("settings.json"), _droid("hooks.json"))
    return (place(agent),)


def place(agent: str) -> Place:
    """What belongs where for this agent. OpenSessionsError where our own installation is incomplete."""
    at = folder(agent)
    if agent == "amp":
        return Own(agent, f"{at}/plugins/opensessions.ts", plugin(agent))
    if agent == "claude-code":
        entries = _groups(agent, CLAUDE, {"timeout": SECONDS, "async": True})
        # In the background it would outlive the agent, which then never hands over the JSON.
        entries |= _groups(agent, ("SessionEnd",), {"timeout": SECONDS})
        return Settings(agent, f"{at}/settings.json", entries)
    if agent == "codex":
        return Settings(
            agent, f"{at}/hooks.json", _groups(agent, CODEX, {"timeout": SECONDS}),
            advice="Codex runs them once you trust them: it asks at its next start.",
        )  # fmt: skip
    if agent == "copilot":
        return Own(agent, f"{at}/hooks/opensessions.json", _copilot())
    if agent == "cursor":
        entries = {event: {"command": command(agent, event, "{}")} for event in CURSOR}
        return Settings(agent, f"{at}/hooks.json", entries, Layout(beside=(("version", 1),)))
    if agent == "droid":
        # Where there is a hooks.json, the settings' hooks are not read.
        return _droid("hooks.json" if os.path.exists(f"{at}/hooks.json") else "settings.json")
    if agent == "gemini":
        # Milliseconds here.
        return Settings(
            agent, f"{at}/settings.json", _groups(agent, GEMINI, {"timeout": SECONDS * 1000}, "{}")
        )
    if agent == "qwen":
        return Settings(agent, f"{at}/settings.json", _groups(agent, CLAUDE, {}))
    if agent == "pi":
        return Own(agent, f"{at}/extensions/opensessions.ts", plugin(agent))
    subfolder = "plugins" if agent == "kilo" else "plugin"
    return Own(agent, f"{at}/{subfolder}/opensessions.js", plugin("opencode", agent))


def _groups(agent: str, events: tuple[str, ...], extra: dict[str, Any], answer: str = "") -> dict[str, Any]:
    return {
        event: {
            "hooks": [
                {"type": "command", "command": command(agent, event, answer, "async" in extra), **extra}
            ]
        }
        for event in events
    }


def _droid(name: str) -> Settings:
    layout = Layout(under="hooks" if name == "settings.json" else "")
    groups = _groups("droid", DROID, {"timeout": SECONDS})
    return Settings("droid", f"{folder('droid')}/{name}", groups, layout)


def _copilot() -> str:
    import json

    hooks = {
        event: [{"type": "command", "bash": command("copilot", event), "timeoutSec": SECONDS}]
        for event in COPILOT
    }
    return json.dumps({"version": 1, "hooks": hooks}, indent=2) + "\n"
