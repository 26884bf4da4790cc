"""Qwen Code, seen with 0.15.10 (constant title) and 0.24.4. Its ✳ means the opposite of Claude's."""

from __future__ import annotations

from opensessions.agents.kind import HALF_CIRCLES, WAITING, Kind, TitleRule, working

KIND = Kind(
    name="qwen",
    executables=frozenset({"qwen"}),
    packages=frozenset({"@qwen-code/qwen-code"}),
    excluded=frozenset({"mcp"}),
    titles=(TitleRule(WAITING, starts=("✳",)), working(HALF_CIRCLES)),
)
