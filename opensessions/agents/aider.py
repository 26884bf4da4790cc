"""Aider, from public documentation; not run here.

It has no title, no hooks and no state file. What it does stands on the screen: `>` alone on the last line, after the
name of a mode perhaps, is its prompt; `(Y)es/(N)o` there is a question; a bar with `Waiting for` turns while the model
is asked. While it prints an answer, and while somebody types, the screen says nothing. How a turn ended is not told:
`.aider.chat.history.md` holds what was said, and neither prompts that were broken off nor questions that are open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from opensessions.agents.kind import RESTING, WAITING, WORKING, Kind, ScreenRule
from opensessions.agents.signal import BUSY

PROMPT = re.compile(r"(?:[a-z][a-z-]{0,19} ?){0,2}>\Z")
"""As `>`, `ask>`, `architect multi>`."""


class PromptRule(ScreenRule, frozen=True):
    """The last line is Aider's prompt, and nothing is typed yet."""

    def fits(self, lines: Sequence[str]) -> bool:
        """Does it say so?"""
        return bool(lines) and PROMPT.match(lines[-1].strip()) is not None


KIND = Kind(
    name="aider",
    executables=frozenset({"aider"}),
    modules=frozenset({"aider"}),
    screens=(
        ScreenRule(WAITING, (("(y)es/(n)o",),), lines=1),
        ScreenRule(WORKING, (("░█", "waiting for "), ("█░", "waiting for ")), lines=2),
        PromptRule(RESTING, ((">",),), lines=1),
    ),
    screen_for=BUSY | RESTING,
)
