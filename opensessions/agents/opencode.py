"""OpenCode, seen with 1.18.33. Its title tells no state."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="opencode",
    executables=frozenset({"opencode", ".opencode"}),
    packages=frozenset({"opencode-ai"}),
    excluded=frozenset({"serve", "web"}),
)
