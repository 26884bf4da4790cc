"""Codex CLI, seen with 0.169.0.

The npm launcher (`node …/codex.js`) runs the native `codex`. The first one also starts a daemon, `codex app-server`,
that outlives it and serves every pane.
"""

from __future__ import annotations

from opensessions.agents.kind import BRAILLE, WAITING, Kind, TitleRule, working

KIND = Kind(
    name="codex",
    executables=frozenset({"codex"}),
    packages=frozenset({"@openai/codex"}),
    excluded=frozenset({"app-server", "exec-server", "mcp-server", "mcp"}),
    titles=(
        TitleRule(WAITING, starts=("[ ! ] Action Required", "[ . ] Action Required")),
        working(BRAILLE),
    ),
    title_lag=1.3,
)
