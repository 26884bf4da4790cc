"""Claude Code, seen with 2.1.197 and 2.1.329.

The native program is a file named by its version, started through a link `claude`; the npm package before it ran
`cli.js`. Inside tmux, versions since 2.1.236 keep a constant title; before, and outside, a spinner turns in it.
"""

from __future__ import annotations

from opensessions.agents.kind import BRAILLE, HALF_CIRCLES, Kind, working

KIND = Kind(
    name="claude-code",
    executables=frozenset({"claude"}),
    packages=frozenset({"@anthropic-ai/claude-code"}),
    excluded=frozenset({"mcp"}),
    titles=(working(BRAILLE, HALF_CIRCLES),),
)
