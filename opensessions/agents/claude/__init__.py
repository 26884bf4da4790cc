"""Claude Code, seen with 2.1.197 and 2.1.329.

The native program is a file named by its version, started through a link `claude`; the npm package before it ran
`cli.js`. Inside tmux, versions since 2.1.236 keep a constant title, `✳ name`; before, a spinner turns in it. Where
the registry speaks the title is not listened to: it turns during `/clear`, it says the same at rest as while a
permission is asked for, and each of the two is late at times.
"""

from __future__ import annotations

from opensessions.agents.claude.hooks import hears
from opensessions.agents.claude.reader import ClaudeReader
from opensessions.agents.kind import (
    BRAILLE,
    BUSY,
    HALF_CIRCLES,
    RESTING,
    WAITING,
    WORKING,
    Kind,
    ScreenRule,
    working,
)
from opensessions.agents.signal import only

KIND = Kind(
    name="claude-code",
    executables=frozenset({"claude"}),
    packages=frozenset({"@anthropic-ai/claude-code"}),
    excluded=frozenset({"mcp"}),
    titles=(working(BRAILLE, HALF_CIRCLES),),
    screens=(
        ScreenRule(
            WAITING, (("do you want to ", "esc to cancel"), ("would you like to proceed?", "1. yes")), lines=9
        ),
        ScreenRule(WAITING, (("enter to select", "esc to cancel"),), lines=2),
        ScreenRule(WORKING, (("esc to interrupt",),), lines=3),
        ScreenRule(
            only("interrupted"),
            (("interrupted · what should claude do instead?", "? for shortcuts"),),
            lines=5,
        ),
        ScreenRule(RESTING, (("? for shortcuts",),), lines=2),
    ),
    screen_for=BUSY,
    exact=frozenset({"registry"}),
    hears=hears,
    reader=ClaudeReader,
    environment=frozenset({"CLAUDE_CONFIG_DIR", "CLAUDE_CODE_PROJECT_DIR_NAME"}),
    resume=("claude", "--resume", "{thread}"),
)
