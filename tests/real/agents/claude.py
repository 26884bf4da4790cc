"""Claude Code."""

from __future__ import annotations

from tests.real.agents.driver import Driver, Site, hooks, write

KEY = "sk-ant-test"
EVENTS = (
    "SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PermissionDenied",
    "PostToolUse", "PostToolUseFailure", "Notification", "Stop", "StopFailure", "SubagentStart", "SubagentStop",
)  # fmt: skip


class Claude(Driver):
    name = "claude"
    kind = "claude-code"
    package = "@anthropic-ai/claude-code"
    ready = r"\? for shortcuts|❯"
    approval = r"Do you want to proceed\?"
    question = r"Which colour\?[\s\S]*Enter to select"
    quit = "/exit"
    lines = (".claude/projects/*/*.jsonl", ".claude/projects/*/*/subagents/*.jsonl")
    whole = (".claude/sessions/*.json",)

    def prepare(self, site: Site) -> None:
        trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}
        write(
            site.home / ".claude.json",
            {
                "hasCompletedOnboarding": True, "theme": "dark", "numStartups": 3,
                "lastReleaseNotesSeen": self.version, "officialMarketplaceAutoInstallAttempted": True,
                "customApiKeyResponses": {"approved": [KEY], "rejected": []},
                "projects": {str(site.project): trusted},
            },
        )  # fmt: skip
        # Without a rule it would run what it takes for harmless.
        rules = {"allow": ["Bash"]} if site.free else {"ask": ["Bash"]}
        settings: dict[str, object] = {"cleanupPeriodDays": 9999, "permissions": rules}
        if site.hook:
            settings["hooks"] = hooks(site.hook, self.kind, EVENTS)
        write(site.home / ".claude/settings.json", settings)

    def environment(self, site: Site) -> dict[str, str]:
        return {
            "ANTHROPIC_BASE_URL": site.url, "ANTHROPIC_API_KEY": KEY, "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
        }  # fmt: skip

    def command(self, site: Site) -> str:
        return "claude"

    def resume(self, site: Site) -> str:
        return "claude --continue"
