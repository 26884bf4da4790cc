"""Gemini CLI, and Qwen Code, which grew out of it."""

from __future__ import annotations

from typing import Any

from tests.real.agents.driver import Driver, Site, Untold, hooks, write

QUIET: dict[str, Any] = {
    "general": {
        "enableAutoUpdate": False, "enableAutoUpdateNotification": False, "disableAutoUpdate": True,
        "disableUpdateNag": True,
    },
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "ide": {"hasSeenNudge": True},
}  # fmt: skip


class Gemini(Driver):
    name = "gemini"
    kind = "gemini"
    package = "@google/gemini-cli"
    ready = r"Type your message"
    approval = r"Allow execution|Action Required"
    question = r"Which colour\?"
    launcher = True
    agent_comm = "node"
    lines = (".gemini/tmp/*/chats/*.jsonl",)
    whole = (".gemini/projects.json", ".gemini/tmp/*/.project_root")
    events = (
        "SessionStart", "SessionEnd", "BeforeAgent", "AfterAgent", "BeforeTool", "AfterTool", "Notification",
    )  # fmt: skip
    untold = (
        Untold(
            frozenset({"tool-running"}), frozenset({"running"}),
            "of two that were started at once no file is known to be whose, and the title says no more than busy",
            scenarios=frozenset({"pair"}),
        ),
        Untold(
            frozenset({"interrupted"}), frozenset({"done"}),
            "the same, and until its screen is read the title says no more than at rest",
            scenarios=frozenset({"pair-of-turns"}),
        ),
    )  # fmt: skip
    home = ".gemini"
    auth = "gemini-api-key"
    model = "gemini-2.5-flash"

    def prepare(self, site: Site) -> None:
        settings: dict[str, Any] = {
            **QUIET,
            "security": {"auth": {"selectedType": self.auth}, "folderTrust": {"enabled": False}},
            "model": {"name": self.model},
        }
        if site.hook:
            settings["hooks"] = hooks(site.hook, self.kind, self.events)
        write(site.home / self.home / "settings.json", settings)

    def environment(self, site: Site) -> dict[str, str]:
        return {
            "GEMINI_API_KEY": "x", "GOOGLE_GEMINI_BASE_URL": site.url, "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_SANDBOX": "false",
        }  # fmt: skip

    def command(self, site: Site) -> str:
        return f"gemini -m {self.model}" + (" --yolo" if site.free else "")

    def resume(self, site: Site) -> str:
        return f"gemini -m {self.model} --resume latest"


class Qwen(Gemini):
    name = "qwen"
    kind = "qwen"
    package = "@qwen-code/qwen-code"
    approval = r"Allow execution|Apply this change"
    question = ""
    untold = (
        Untold(
            frozenset({"tool-running"}), frozenset({"running"}),
            "in its file a tool that runs looks like one that waits for a permission, and its screen says only busy",
        ),
    )  # fmt: skip
    lines = (".qwen/projects/*/chats/*.jsonl",)
    whole = (".qwen/projects/*/chats/*.runtime.json",)
    events = (
        "SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse",
        "PostToolUseFailure", "Notification", "Stop", "StopFailure", "SubagentStart", "SubagentStop",
    )  # fmt: skip
    home = ".qwen"
    auth = "openai"
    model = "lab-model"

    def environment(self, site: Site) -> dict[str, str]:
        return {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"{site.url}/v1", "OPENAI_MODEL": self.model}

    def command(self, site: Site) -> str:
        return "qwen --auth-type openai" + (" --yolo" if site.free else "")

    def resume(self, site: Site) -> str:
        return "qwen --auth-type openai --continue"
