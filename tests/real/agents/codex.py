"""Codex CLI, as its users get it (with its daemon) and without the daemon."""

from __future__ import annotations

from tests.real.agents.driver import Driver, Site, Untold, hooks, write

EVENTS = (
    "SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop",
    "Interrupt", "SubagentStart", "SubagentStop",
)  # fmt: skip


class Codex(Driver):
    """With the daemon, which the first one starts."""

    name = "codex"
    kind = "codex"
    package = "@openai/codex"
    ready = r"›"
    approval = r"Would you like to run|Press enter to confirm"
    approve = ("y",)
    launcher = True
    agent_comm = "codex"
    lines = (".codex/sessions/*/*/*/rollout-*.jsonl", ".codex/session_index.jsonl")
    databases = {  # noqa: RUF012
        ".codex/thread_history_*.sqlite": ("thread_turns",),
        ".codex/state_*.sqlite": ("threads",),
    }
    flags = ""
    untold = (
        Untold(
            frozenset({"done", "interrupted", "error"}), frozenset({"idle", "done"}),
            "with the daemon nothing tells which of two conversations in one directory is in which pane",
            frozenset({"pair", "pair-of-turns"}), even_with_hooks=True,
        ),
        Untold(
            frozenset({"tool-running"}), frozenset({"running"}),
            "with the daemon the tools of all panes run below one process, and the title says no more than busy",
            frozenset({"pair", "pair-of-turns"}), even_with_hooks=True,
        ),
    )  # fmt: skip

    def prepare(self, site: Site) -> None:
        (site.home / "tmp").mkdir(exist_ok=True)
        # The sandbox keeps a tool from opening the gate, which lies outside the project.
        asking = ("never", "danger-full-access") if site.free else ("on-request", "workspace-write")
        write(
            site.home / ".codex/config.toml",
            f'''model = "lab-model"
model_provider = "lab"
approval_policy = "{asking[0]}"
sandbox_mode = "{asking[1]}"
check_for_update_on_startup = false
[model_providers.lab]
name = "lab"
base_url = "{site.url}/v1"
wire_api = "responses"
env_key = "LAB_KEY"
[projects."{site.project}"]
trust_level = "trusted"
[analytics]
enabled = false
[feedback]
enabled = false
''',
        )
        if site.hook:
            write(site.home / ".codex/hooks.json", {"hooks": hooks(site.hook, self.kind, EVENTS)})

    def environment(self, site: Site) -> dict[str, str]:
        # It refuses to put its helpers below the folder for temporary files.
        return {"LAB_KEY": "x", "TMPDIR": str(site.home / "tmp")}

    def command(self, site: Site) -> str:
        return f"codex{self.flags}"

    def resume(self, site: Site) -> str:
        return f"codex{self.flags} resume --last"

    def greeting(self, site: Site) -> tuple[str, tuple[str, ...]]:
        home = site.home / ".codex"
        if not (home / "hooks.json").exists() or "trusted_hash" in (home / "config.toml").read_text():
            return "", ()
        return "Hooks need review", ("Down", "Enter")  # trust all and continue


class CodexAlone(Codex):
    """Without the daemon: each one is a process of its own."""

    name = "codex-no-daemon"
    flags = " --no-daemon"
    untold = ()
