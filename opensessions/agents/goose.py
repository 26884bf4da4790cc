"""Goose. Its built-in tools run as `goose mcp NAME`."""

from __future__ import annotations

from opensessions.agents.kind import Kind

KIND = Kind(
    name="goose",
    executables=frozenset({"goose"}),
    excluded=frozenset({"mcp"}),
)
