"""OpenCode, seen with 1.18.33. Its title tells no state, and its database no permission that is asked for: without our
plugin the screen tells that."""

from __future__ import annotations

from opensessions.agents.kind import RESTING, WAITING, WORKING, Kind, ScreenRule
from opensessions.agents.opencode_events import hear
from opensessions.agents.opencode_reader import Places, Reader

PLACES = Places("opencode", database="OPENCODE_DB", hints=True)
SCREENS = (
    # The prompt takes the place of the input box: its last lines are the choice, then what the keys do.
    ScreenRule(WAITING, holds=(("allow once", "reject"), ("esc dismiss",)), lines=4),
    ScreenRule(WORKING, holds=(("esc interrupt",), ("esc again to interrupt",)), lines=2),
    ScreenRule(RESTING, holds=(("ctrl+p commands",),), lines=2),
)

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
)
