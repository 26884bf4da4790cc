"""Amp."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="amp",
    executables=frozenset({"amp"}),
    packages=frozenset({"@ampcode/cli", "@sourcegraph/amp"}),
)
