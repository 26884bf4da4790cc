"""Pi, seen with 0.73.1 and 0.87.1. It rewrites its command line to `pi` about a second after its start."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="pi",
    executables=frozenset({"pi"}),
    packages=frozenset({"@earendil-works/pi-coding-agent", "@mariozechner/pi-coding-agent"}),
)
