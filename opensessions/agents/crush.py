"""Crush."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="crush",
    executables=frozenset({"crush"}),
    packages=frozenset({"@charmland/crush"}),
)
