"""Droid, Factory's CLI."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="droid",
    executables=frozenset({"droid"}),
    packages=frozenset({"@factory/cli", "droid"}),
)
