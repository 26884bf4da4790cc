"""Codex CLI, seen with 0.169.0.

The npm launcher (`node …/codex.js`) runs the native `codex`. The first one also starts a daemon, `codex app-server`,
that outlives it and serves every pane: tools and hooks of all of them run below it, with the first one's environment.

Its title tells working and waiting, the latter 0.9 s late; its rollout tells how a turn ended, and knows nothing of
waiting; its hooks tell all but a failed turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opensessions.agents.adapter import FORGET, Facts, Files, Heard, Ignored, Look
from opensessions.agents.codex.rollout import Turn, follow, text
from opensessions.agents.codex.thread import Finder, Home, Thread, days, home, survey, titled
from opensessions.agents.kind import BRAILLE, WAITING, Kind, ScreenRule, TitleRule, working
from opensessions.agents.lines import Lines
from opensessions.agents.signal import BUSY, WORKING, About, Signal, States, only

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""First in the title, unless the user's `tui.terminal_title` puts it elsewhere. Without animations there is none."""
TITLE_LAG = 1.3
"""Seconds. Measured: the spinner turns on for 0.95 s after an approval was asked for; else at most 0.1 s."""
LAG = 0.3
"""Seconds that the rollout may be behind. Measured: at most 0.14."""
ASKING = 1.2
"""Seconds after which a call that may need an approval, and for which the title does not say that it waits, runs."""
UNSEEN = 10.0
"""Seconds after which a rollout is looked for again that did not come up where it was expected."""
SIDE_THREAD = "Generate a concise, single-line task title"
"""How the prompt of the hidden thread begins that makes up a title; it ends at once, while the turn goes on."""

CALLING: States = frozenset({"tool-running", "waiting"})
LEFT_BEHIND: States = BUSY | {"idle", "interrupted"}
"""A turn without an end from before this process: it was killed, or a daemon goes on with it."""
ENDING: States = WORKING | {"done"}
"""A user's own Stop hook may send the agent on."""


class Codex:
    """Reads one agent's rollout."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.time
        self._finder = Finder(clock)
        self._lines = Lines("")
        self._turn = Turn()
        self._title: str | None = None

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        place = survey(files, home(facts))
        thread = self._finder.find(facts, files, place)
        watch = [f"{place.path}/tui-thread-reference-capabilities", f"{place.path}/thread-writer-locks"]
        again = self._finder.again(facts, place)
        if thread is None:
            return Look(watch=(*watch, *self._finder.folders(files, place)), again=again)
        if not thread.rollout:
            self._lines, self._turn, self._title = Lines(""), Turn(), None
            watch += [f"{place.path}/sessions/{day}" for day in days(thread.id)]
            return Look(
                (_fresh(thread),) if _sure(thread) else (), tuple(watch), min(again or UNSEEN, UNSEEN)
            )
        signal = self._read(thread, facts, files, place)
        left = self._asking()
        soon = min((each for each in (again, left) if each is not None), default=None)
        return Look((signal,), (thread.rollout, *watch), soon)

    def _read(self, thread: Thread, facts: Facts, files: Files, place: Home) -> Signal:
        if self._lines.path != thread.rollout:
            self._lines, self._turn, self._title = Lines(thread.rollout), Turn(), None
        fresh = self._lines.read(files, _holds_start)
        before = Turn() if fresh.anew else self._turn
        self._turn = follow(before, fresh.lines)
        if fresh.anew or self._turn.phase != before.phase:
            self._title = titled(files, place, thread.id)
        return told(self._turn, thread, facts.started, self._title, asking=self._asking() is not None)

    def _asking(self) -> float | None:
        """Seconds that are left until a call that may have asked for an approval either runs or is seen to wait."""
        begun = [call.at for call in self._turn.calls.values() if call.ask == "approval" and call.at]
        left = max(begun, default=0.0) + ASKING - self._clock()
        return left if begun and 0 < left <= ASKING else None


def _holds_start(lines: Sequence[bytes]) -> bool:
    """Do these lines hold the beginning of the last turn?"""
    return any(b"task_started" in line or b"user_message" in line for line in lines)


def _sure(thread: Thread) -> bool:
    return thread.proof in ("file", "log")


def _fresh(thread: Thread) -> Signal:
    """A thread in which nobody has said anything: its rollout is made with the first prompt. Ranks above the title,
    whose spinner also turns while MCP servers start."""
    return Signal(
        "database", only("idle"), About(thread=thread.id), at=thread.since, detail="a thread without a prompt"
    )


def told(turn: Turn, thread: Thread, started: float, title: str | None, *, asking: bool) -> Signal:
    """What a rollout says of the process that was `started` then. `asking`: an approval may just have been asked for,
    which the title does not show yet."""
    since = max(started, thread.since if _sure(thread) else started)
    earlier = turn.at is not None and turn.at < since
    states: States
    if turn.under_way:
        detail = f"turn under way, {len(turn.calls)} open calls"
        if turn.at is not None and turn.at < started:
            states = LEFT_BEHIND
        elif turn.ask == "question":
            states = WAITING
        elif turn.calls:
            states = CALLING | {"running"} if asking else CALLING
        else:
            states = only("running")
    elif turn.phase == "none" or earlier:
        states, detail = (
            only("idle"),
            "no turn yet" if turn.phase == "none" else f"resumed after {turn.phase}",
        )
    else:
        states, detail = only(turn.phase if turn.phase != "open" else "running"), f"turn {turn.phase}"
    began = max((call.at for call in turn.calls.values() if call.at), default=turn.at)
    alive = sum(1 for begun in turn.background.values() if begun is not None and begun >= started)
    about = About(
        thread=thread.id,
        title=title,
        prompt=turn.prompt,
        waiting_for="question" if turn.ask == "question" else "permission prompt" if turn.calls else None,
        background=alive,
    )
    return Signal(
        "transcript", states, about, at=began, lag=LAG, detail=f"{detail}, thread by {thread.proof}"
    )


def hook_thread(payload: Mapping[str, Any]) -> str | None:
    """The thread of which a hook (`session_id`) or the notify program (`thread-id`) tells. None for the hidden thread
    that makes up a title: only its first prompt gives it away, and that it has no rollout."""
    messages = payload.get("input-messages")
    if isinstance(messages, list) and messages and text(messages[0]).lstrip().startswith(SIDE_THREAD):
        return None
    return text(payload.get("session_id")) or text(payload.get("thread-id")) or None


def hears(heard: Heard) -> Signal | Ignored | None:
    """What a hook says. None fires for an API error, for which only the rollout has a word."""
    payload = heard.payload
    thread = hook_thread(payload)
    if thread is None or payload.get("agent_id") or payload.get("agent_type"):
        return None  # a subagent, or the hidden thread
    match heard.event:
        case "UserPromptSubmit":
            about = About(thread=thread, prompt=text(payload.get("prompt")) or None)
            return Signal("hook", WORKING, about, event=True, detail=heard.event)
        case "PreToolUse":  # before the approval is asked for
            return Signal("hook", BUSY, About(thread=thread), event=True, detail=heard.event)
        case "PermissionRequest":
            about = About(thread=thread, waiting_for="permission prompt")
            return Signal("hook", WAITING, about, event=True, detail=heard.event)
        case "PostToolUse":
            return Signal("hook", WORKING, About(thread=thread), event=True, detail=heard.event)
        case "Stop" | "agent-turn-complete":
            return Signal("hook", ENDING, About(thread=thread), event=True, detail=heard.event)
        case "Interrupt":
            return Signal("hook", only("interrupted"), About(thread=thread), event=True, detail=heard.event)
        case "SessionEnd":
            return FORGET
    return None


KIND = Kind(
    name="codex",
    executables=frozenset({"codex"}),
    packages=frozenset({"@openai/codex"}),
    excluded=frozenset({"app-server", "exec-server", "mcp-server", "mcp"}),
    titles=(
        TitleRule(WAITING, holds=("[ ! ] Action Required", "[ . ] Action Required")),
        working(BRAILLE),
        TitleRule(WORKING, holds=tuple(f" {dots}" for dots in SPINNER)),
    ),
    title_lag=TITLE_LAG,
    title_rests=True,
    title_flash=0.25,
    screens=(
        ScreenRule(
            WAITING,
            (("press enter to confirm or esc to cancel",), ("enter to submit answer",)),
            lines=4,
        ),
        ScreenRule(WORKING, (("• working (", "esc to interrupt"),), lines=10),
    ),
    screen_for=WAITING,
    hears=hears,
    reader=Codex,
    thread_of=hook_thread,
    environment=frozenset({"CODEX_HOME"}),
    trust=("registry", "hook", "api", "database", "title", "transcript", "screen"),
    resume=("codex", "resume", "{thread}"),
)
