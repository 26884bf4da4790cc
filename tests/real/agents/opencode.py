"""OpenCode."""

from __future__ import annotations

from tests.real.agents.driver import Driver, Site, folder, write

PLUGIN = """
import { appendFileSync } from "node:fs"
const NOISE =
  /^(message\\.part\\.delta|file\\.|lsp\\.|plugin\\.|catalog\\.|integration\\.|reference\\.)/
const tell = (event, payload) =>
  appendFileSync(process.env.HOME + "/heard.jsonl", JSON.stringify({
    at: (performance.timeOrigin + performance.now()) / 1000, agent: "opencode", event,
    pane: process.env.TMUX_PANE ?? "",
    ppid: process.pid, cwd: process.cwd(), payload: JSON.stringify(payload ?? {}),
  }) + "\\n")
export const Heard = async () => ({
  event: async ({ event }) => { if (!NOISE.test(event.type)) tell(event.type, event.properties) },
  dispose: async () => tell("dispose", {}),
})
"""
"""Writes down what `heard.py` would; in the agent's own process, since it waits for its plugins."""


class OpenCode(Driver):
    name = "opencode"
    kind = "opencode"
    package = "opencode-ai"
    ready = r"Ask anything|ctrl\+p"
    approval = r"Permission required"
    question = r"Which colour\?"
    interrupt = ("Escape", "Escape")
    quit = "/exit"
    clear = "/new"
    lines = (".local/share/opencode/log/opencode.log",)
    databases = {".local/share/opencode/opencode.db": ("session", "message", "part")}  # noqa: RUF012

    def prepare(self, site: Site) -> None:
        config = site.home / ".config/opencode"
        rule = "allow" if site.free else "ask"
        model = {"name": "Lab", "tool_call": True, "limit": {"context": 200000, "output": 8000}}
        write(
            config / "opencode.json",
            {
                "autoupdate": False, "share": "disabled", "model": "lab/lab-model", "small_model": "lab/lab-model",
                "enabled_providers": ["lab"], "permission": {"bash": rule, "edit": rule, "external_directory": "allow"},
                "provider": {
                    "lab": {
                        "npm": "@ai-sdk/openai-compatible", "name": "Lab", "models": {"lab-model": model},
                        "options": {"baseURL": f"{site.url}/v1", "apiKey": "x"},
                    }
                },
            },
        )  # fmt: skip
        # It would install this itself, and wait for it.
        (config / "package.json").write_bytes((folder() / "opencode/package.json").read_bytes())
        (config / "node_modules").symlink_to((folder() / "opencode/node_modules").resolve())
        if site.hook:
            write(config / "plugin/heard.js", PLUGIN)

    def environment(self, site: Site) -> dict[str, str]:
        return {
            "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1", "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
            "npm_config_fetch_retries": "0",
        }  # fmt: skip

    def command(self, site: Site) -> str:
        return "opencode"

    def resume(self, site: Site) -> str:
        return "opencode --continue"
