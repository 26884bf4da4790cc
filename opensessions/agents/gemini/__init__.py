"""Gemini CLI, seen with 0.61.0: nested `node` processes.

Its title is exact: `◇  Ready (dir)`, `✦  Working… (dir)`, `⏲  Working…` after a minute of silence and
`✋  Action Required (dir)`, padded to 80 columns. There is none with `ui.hideWindowTitle`, and it says nothing with
`ui.dynamicWindowTitle` off. How a turn ended stands in the session file (see `gemini.chat`), and on the screen.

`✋` has a second meaning, and the title does not tell which: a shell command has printed something and then nothing for
30 seconds, so Gemini takes it to wait for input.

Its hooks say when a turn begins and when an approval is asked for. None of them says how a turn ended: AfterAgent comes
after a success, after an error and after Esc while text streams, and none comes after Esc in a tool or at an approval,
nor when an approval is given.
"""

from __future__ import annotations

from opensessions.agents.adapter import FORGET, Heard, Ignored
from opensessions.agents.gemini.chat import GeminiChat
from opensessions.agents.kind import RESTING, WAITING, WORKING, Kind, ScreenRule, TitleRule
from opensessions.agents.records import text
from opensessions.agents.signal import BUSY, About, Signal, States, only

ENDED: States = RESTING - {"idle"}
TITLE_BEHIND = 0.3
"""Seconds in which a title that contradicts an approval may be the one of before."""
TITLE_LAG = 2.0
"""Measured on a busy machine: 1.0 s behind the hook and 1.6 s behind the file that tell of the end; else 0.1 to 0.5."""
TITLE_AHEAD = 0.3
"""When a question is answered the title says so 0.2 s before the file: until then it looks like a tool that runs."""
READY = "type your message or @path"
CANCELLED = "ℹ request cancelled."
FAILED = "✕ [api error"
FRAME = "▄▄▄▄"


def hears(heard: Heard) -> Signal | Ignored | None:
    """What a hook of Gemini CLI says."""
    payload = heard.payload
    thread = text(payload, "session_id") or None
    match heard.event:
        case "SessionStart":
            states = RESTING if text(payload, "source") == "resume" else only("idle")
            return _told(heard, states, About(thread=thread))
        case "BeforeAgent":
            about = About(thread=thread, prompt=text(payload, "prompt") or None)
            return _told(heard, only("running"), about)
        case "BeforeTool":  # it comes before the approval
            return _told(heard, BUSY, About(thread=thread))
        case "Notification" if text(payload, "notification_type") == "ToolPermission":
            kind = text(payload.get("details"), "type")
            about = About(
                thread=thread, waiting_for="question" if kind == "ask_user" else "permission prompt"
            )
            return _told(heard, WAITING, about, TITLE_BEHIND)
        case "AfterAgent":
            return _told(heard, ENDED, About(thread=thread))
        case "AfterTool" if text(payload, "tool_name") == "ask_user":  # answered: no tool runs
            return _told(heard, only("running") | ENDED, About(thread=thread))
        case "AfterTool":  # it comes after Esc, too, when the turn is over already
            return _told(heard, WORKING | ENDED, About(thread=thread))
        case "SessionEnd":
            return FORGET
    return None


def _told(heard: Heard, states: States, about: About, lag: float = 0.0) -> Signal:
    return Signal("hook", states, about, event=True, lag=lag, detail=heard.event)


KIND = Kind(
    name="gemini",
    executables=frozenset({"gemini"}),
    packages=frozenset({"@google/gemini-cli"}),
    excluded=frozenset({"mcp", "extensions", "skills", "hooks"}),
    titles=(
        TitleRule(WAITING, starts=("✋  Action Required",)),
        TitleRule(WORKING, starts=("✦  ", "⏲  ")),
        TitleRule(RESTING, starts=("◇  Ready",)),
    ),
    title_lag=TITLE_LAG,
    title_flash=TITLE_AHEAD,
    screens=(
        ScreenRule(
            WAITING,
            (
                ("allow execution of", "1. allow once"),
                ("apply this change?", "1. allow once"),
                ("1. allow once", "(esc)"),
                ("answer questions", "enter to select", "esc to cancel"),
            ),
            lines=20,
        ),
        ScreenRule(WORKING, (("(esc to cancel, ",),), lines=10),
        # The input box takes six lines, or eight where the terminal draws its frame; an older notice is further up.
        ScreenRule(only("interrupted"), ((CANCELLED, READY),), lines=7),
        ScreenRule(only("interrupted"), ((CANCELLED, READY, FRAME),), lines=9),
        ScreenRule(only("error"), ((FAILED, READY),), lines=9),
        ScreenRule(only("error"), ((FAILED, READY, FRAME),), lines=11),
        ScreenRule(RESTING, (("? for shortcuts", READY),), lines=8),
    ),
    screen_for=BUSY | {"interrupted", "error"},
    hears=hears,
    reader=GeminiChat,
    environment=frozenset({"GEMINI_CLI_HOME"}),
    resume=("gemini", "--resume", "{thread}"),
)
