"""GitHub Copilot CLI."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="copilot",
    executables=frozenset({"copilot"}),
    packages=frozenset({"@github/copilot"}),
)
