"""Cursor's agent. The editor's own `cursor` is one only as `cursor agent`."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="cursor",
    executables=frozenset({"cursor-agent"}),
    needing=frozenset({"cursor"}),
    subcommands=frozenset({"agent"}),
)
