"""Pi. It never asks for a permission."""

from __future__ import annotations

from tests.real.agents.driver import Driver, Site, Untold, write

EXTENSION = """
import { appendFileSync } from "node:fs";
const EVENTS = [
  "session_start", "session_shutdown", "input", "agent_start", "agent_end", "agent_settled", "turn_start", "turn_end",
  "message_end", "tool_execution_start", "tool_execution_end",
];
export default function (pi: any) {
  for (const event of EVENTS)
    pi.on(event, async (said: any, context: any) => {
      const { role, stopReason, errorMessage } = said.message ?? {};
      const payload = {
        type: event, role, stopReason, errorMessage, reason: said.reason, toolName: said.toolName,
        toolCallId: said.toolCallId, isError: said.isError, idle: context.isIdle(),
        session: context.sessionManager.getSessionId(), file: context.sessionManager.getSessionFile(),
      };
      appendFileSync(process.env.HOME + "/heard.jsonl", JSON.stringify({
        at: (performance.timeOrigin + performance.now()) / 1000, agent: "pi", event, pane: process.env.TMUX_PANE ?? "",
        ppid: process.pid, cwd: process.cwd(), payload: JSON.stringify(payload),
      }) + "\\n");
    });
}
"""
"""Writes down what `heard.py` would; in the agent's own process, since it waits for its extensions."""


class Pi(Driver):
    name = "pi"
    kind = "pi"
    package = "@mariozechner/pi-coding-agent"
    ready = r"lab-model"
    clear = "/new"
    lines = (".pi/agent/sessions/*/*.jsonl",)
    untold = (
        Untold(
            frozenset({"tool-running"}),
            frozenset({"running"}),
            "its session file names no process and is made with the first answer, so while only one of two in a "
            "directory has one it may be anybody's; the screen shows one spinner for both states",
            frozenset({"pair"}),
        ),
    )

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
            write(home / "extensions/heard.ts", EXTENSION)

    def environment(self, site: Site) -> dict[str, str]:
        return {"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0", "LAB_KEY": "x"}

    def command(self, site: Site) -> str:
        return "pi"

    def resume(self, site: Site) -> str:
        return "pi --continue"
