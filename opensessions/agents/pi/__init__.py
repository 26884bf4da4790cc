"""Pi, seen with 0.73.1 and 0.87.1, under both names of its package.

It rewrites its command line to `pi` about a second after its start, so no option of it can be seen. Its title,
`π - dir`, says nothing. It never asks for an approval. An extension hears everything at once; without one the session
file says everything but the first turn, since it is made with the first answer (see `pi.session`), and the screen shows
a spinner while a turn is under way.
"""

from __future__ import annotations

from opensessions.agents.adapter import FORGET, Heard, Ignored
from opensessions.agents.kind import RESTING, WORKING, Kind, ScreenRule
from opensessions.agents.pi.session import PiSession, ended, thread_of
from opensessions.agents.records import text
from opensessions.agents.signal import About, Signal, States, only

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FILE_BEHIND = 0.3
"""Seconds in which a session file that contradicts an event may be the one of before."""
DOING = ("working", "retrying", "compacting", "auto-compacting", "summarizing")


def hears(heard: Heard) -> Signal | Ignored | None:
    """What an extension event of Pi says."""
    payload = heard.payload
    reason = text(payload, "stopReason")
    match heard.event:
        case "session_start":
            return _told(heard, only("idle") if text(payload, "reason") in ("startup", "new") else RESTING)
        case "agent_start":
            return _told(heard, only("running"))
        case "tool_execution_start":
            return _told(heard, only("tool-running"))
        case "tool_execution_end":  # another one may still run, or the turn may have been interrupted
            return _told(heard, WORKING)
        case "turn_start":  # the model is asked, once more after each tool, and after Esc in a tool, too
            return _told(heard, WORKING)
        case "message_start" if text(payload, "role") == "assistant" and reason not in ("aborted", "error"):
            return _told(heard, only("running"))
        case "message_end" if text(payload, "role") == "user":
            return _told(heard, only("running"))
        case "message_end" if text(payload, "role") == "assistant":
            states = ended(reason, text(payload, "errorMessage"))
            return _told(heard, states) if states else None
        case "session_shutdown":
            return FORGET
    return None


def _told(heard: Heard, states: States) -> Signal:
    thread = text(heard.payload, "session") or thread_of(text(heard.payload, "file"))
    about = About(thread=thread or None)
    return Signal("hook", states, about, event=True, lag=FILE_BEHIND, detail=heard.event)


KIND = Kind(
    name="pi",
    executables=frozenset({"pi"}),
    packages=frozenset({"@earendil-works/pi-coding-agent", "@mariozechner/pi-coding-agent"}),
    screens=(
        ScreenRule(WORKING, tuple((f"{frame} {doing}",) for frame in FRAMES for doing in DOING), lines=12),
        # Two lines frame what is typed; the directory and the numbers stand below.
        ScreenRule(only("interrupted"), (("operation aborted\n──────", "%/"),), lines=6),
        ScreenRule(RESTING, (("──────", "%/"),), lines=6),
    ),
    screen_for=frozenset({"idle", "running"}),
    hears=hears,
    reader=PiSession,
    environment=frozenset({"PI_CODING_AGENT_DIR", "PI_CODING_AGENT_SESSION_DIR"}),
    resume=("pi", "--session", "{thread}"),
)
