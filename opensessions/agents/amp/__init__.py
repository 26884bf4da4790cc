"""Amp, from public documentation and files; not run here.

Its title has a spinner while it works and is `<thread> - amp - <dir>` else. Its plugin tells when a turn begins and how
it ended; of the approvals in between only the screen tells. Until spring 2026 threads were files (see `amp.thread`);
now they are kept on the server.
"""

from __future__ import annotations

from opensessions.agents.adapter import Heard, Ignored
from opensessions.agents.amp.thread import AmpThread
from opensessions.agents.kind import (
    BRAILLE,
    BUSY,
    RESTING,
    WAITING,
    WORKING,
    Kind,
    ScreenRule,
    TitleRule,
    working,
)
from opensessions.agents.records import text
from opensessions.agents.signal import About, Signal, States, only

ENDS: dict[str, States] = {
    "done": only("done"),
    "error": only("error"),
    "cancelled": only("interrupted"),
    "interrupted": only("interrupted"),
}


def hears(heard: Heard) -> Signal | Ignored | None:
    """What an event of our Amp plugin says."""
    about = About(thread=text(heard.payload, "thread") or None)
    match heard.event:
        case "session.start":
            states = RESTING
        case "agent.start":
            states = BUSY
        case "agent.end":
            states = ENDS.get(text(heard.payload, "status"), RESTING - {"idle"})
        case _:
            return None
    return Signal("hook", states, about, event=True, detail=heard.event)


KIND = Kind(
    name="amp",
    executables=frozenset({"amp"}),
    packages=frozenset({"@ampcode/cli", "@sourcegraph/amp"}),
    titles=(
        TitleRule(WAITING, starts=("Plugin confirmation needed",)),
        working(BRAILLE),
        TitleRule(RESTING, holds=(" - amp - ",)),
    ),
    screens=(
        ScreenRule(WAITING, (("waiting for approval",), ("run this command?",)), lines=14),
        ScreenRule(
            WORKING,
            tuple(("╰", f"{doing} ─") for doing in ("thinking", "streaming", "running tools")),
            lines=8,
        ),
    ),
    screen_for=BUSY,
    hears=hears,
    reader=AmpThread,
    environment=frozenset({"XDG_DATA_HOME"}),
    resume=("amp", "threads", "continue", "{thread}"),
)
