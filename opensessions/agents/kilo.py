"""Kilo, a fork of OpenCode."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="kilo",
    executables=frozenset({"kilo", ".kilo", "kilocode"}),
    packages=frozenset({"@kilocode/cli"}),
    excluded=frozenset({"serve", "web"}),
)
