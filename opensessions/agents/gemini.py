"""Gemini CLI, seen with 0.61.0. One agent is two nested `node` processes; its title is exact."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="gemini",
    executables=frozenset({"gemini"}),
    packages=frozenset({"@google/gemini-cli"}),
    excluded=frozenset({"mcp"}),
    working=frozenset({"✦", "⏲"}),
    waiting=("✋",),
)
