"""Pi. It never asks for a permission."""

from __future__ import annotations

from tests.real.agents.driver import Driver, Site, write

EXTENSION = """
import { spawnSync } from "node:child_process";
const [program, ...words] = "@HOOK@".split(" ");
const EVENTS = ["session_start", "session_shutdown", "agent_start", "agent_end", "message_end", "tool_execution_start", "tool_execution_end", "input"];
export default function (pi: any) {
  for (const event of EVENTS)
    pi.on(event, async (said: any) => {
      const payload = { toolName: said.toolName, reason: said.reason, message: said.message && { role: said.message.role, stopReason: said.message.stopReason, errorMessage: said.message.errorMessage } };
      spawnSync(program, [...words, "pi", event], { input: JSON.stringify(payload), stdio: ["pipe", "ignore", "ignore"] });
    });
}
"""


class Pi(Driver):
    name = "pi"
    kind = "pi"
    package = "@mariozechner/pi-coding-agent"
    ready = r"lab-model"
    clear = "/new"
    lines = (".pi/agent/sessions/*/*.jsonl",)

    def prepare(self, site: Site) -> None:
        home = site.home / ".pi/agent"
        provider = {
            "baseUrl": f"{site.url}/v1", "api": "openai-completions", "apiKey": "LAB_KEY",
            "compat": {"supportsDeveloperRole": False, "supportsReasoningEffort": False},
            "models": [{"id": "lab-model", "contextWindow": 128000, "maxTokens": 8000}],
        }  # fmt: skip
        write(home / "models.json", {"providers": {"lab": provider}})
        write(
            home / "settings.json",
            {"defaultProvider": "lab", "defaultModel": "lab-model", "lastChangelogVersion": self.version},
        )
        if site.hook:
            write(home / "extensions/heard.ts", EXTENSION.replace("@HOOK@", site.hook))

    def environment(self, site: Site) -> dict[str, str]:
        return {"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0", "LAB_KEY": "x"}

    def command(self, site: Site) -> str:
        return "pi"

    def resume(self, site: Site) -> str:
        return "pi --continue"
