"""OpenCode, seen with 1.18.33. Its title tells no state, and its database no permission that is asked for: without our
plugin the screen tells that."""

from __future__ import annotations

from opensessions.agents.kind import RESTING, WAITING, WORKING, Kind, ScreenRule
from opensessions.agents.opencode.events import hear
from opensessions.agents.opencode.reader import Places, Reader
from opensessions.agents.signal import Source, only

PLACES = Places("opencode", database="OPENCODE_DB", hints=True)
SCREENS = (
    # A prompt takes the place of the input box. Its last lines are the choice and what the keys do, on one line or on
    # two; what somebody types into the box stands higher.
    ScreenRule(WAITING, holds=(("allow once", "reject"), ("cancel", "⇆ select"), ("esc dismiss",)), lines=4),
    # In a narrow pane the words are broken apart; the bar stays..
    ScreenRule(
        WORKING,
        holds=(("esc interrupt",), ("esc again to interrupt",), ("■■■",), ("⬝⬝⬝",)),
        lines=3,
    ),
    # What stands below the last answer, above the box, which takes six lines while it is empty.
    ScreenRule(only("interrupted"), holds=(("     ▣", "· interrupted", "ctrl+p commands"),), lines=7),
    ScreenRule(RESTING, holds=(("ctrl+p commands",),), lines=3),
)
"""Seen from 46 to 200 columns."""

TRUST: tuple[Source, ...] = ("hook", "api", "database", "screen", "transcript")
"""What `opencode.turn` gives as `transcript` is a hint."""

KIND = Kind(
    name="opencode",
    executables=frozenset({"opencode", ".opencode"}),
    packages=frozenset({"opencode-ai"}),
    excluded=frozenset({"serve", "web"}),
    screens=SCREENS,
    screen_for=WAITING,
    hears=hear,
    reader=lambda: Reader(PLACES),
    environment=frozenset({"OPENCODE_DB", "XDG_DATA_HOME", "PWD"}),
    trust=TRUST,
)
