"""Aider."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="aider",
    executables=frozenset({"aider"}),
    modules=frozenset({"aider"}),
)
