"""What the last messages of an OpenCode conversation say of its state. Seen with 1.18.33. Pure; the clock is a field.

Every message is written as it changes, within some hundredths of a second: a user's when it is sent, an assistant's
for each step of the model when it begins, when the model has answered (`finish`), and when the step is over
(`time.completed`). A tool's part is written when the model begins to call it (`pending`), before it runs or asks for a
permission (`running`), and when it is over. Nothing is written while text streams in, and an open permission is
written nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, States, only

ABORTED = "MessageAbortedError"
REFUSED = re.compile(r"user (?:has )?(?:rejected|dismissed)", re.IGNORECASE)
"""In the error of a tool that was denied, and of a question that was dismissed: the turn ends."""
GOES_ON = "feedback"
"""In such an error too where the user said what to do instead: the turn goes on."""
GOING_ON = frozenset({"tool-calls", "unknown"})
"""Finishes after which the model is asked again."""
QUESTIONS = frozenset({"question"})
"""Tools that ask the user and do nothing else."""
SHELLS = frozenset({"bash", "shell"})
"""Tools that show by `metadata` that they have begun, behind any question for a permission."""
SETTLE = 2.0
"""Seconds after which a tool that was going to ask has asked, and the screen was looked at since: it asks after 0.01
to 0.2 on a quiet machine, after 1 on a busy one. As long as a step is over after its tools."""
STUCK = 5.0
"""Seconds after which a shell that has not begun waits for a permission, and a step without a next one has ended."""
QUIET = 60.0
"""Seconds of a turn in which nothing is written, after which it may have ended without a trace."""
LAG = 1.0
"""Seconds by which the database is behind at most; 0.2 was the most that was measured."""


class Message(Struct, frozen=True):
    """A message. Times in seconds since the epoch."""

    id: str
    role: str
    created: float = 0.0
    completed: float | None = None
    finish: str | None = None
    error: str | None = None
    """The error's name; "" where it has none; None where there is no error."""
    parent: str = ""
    """The user's message that it answers."""


class Tool(Struct, frozen=True):
    """A call of a tool. Times in seconds since the epoch."""

    name: str
    status: str = ""
    begun: bool = False
    """It has told something of its work: it is past its own question for a permission."""
    started: float | None = None
    ended: float | None = None
    error: str = ""

    @property
    def open(self) -> bool:
        """It is not over."""
        return self.status in ("pending", "running")


class Conversation(Struct, frozen=True):
    """The end of a conversation, as it is written at the moment `now`."""

    user: Message | None = None
    """The user's last message."""
    assistant: Message | None = None
    """The last step of the model."""
    tools: tuple[Tool, ...] = ()
    """Its tools."""
    now: float | None = None
    """Seconds since the epoch; None where nobody knows."""
    started: float = 0.0
    """When the program that works on it started."""
    created: float | None = None
    """When it was begun."""
    hints: bool = False
    """May a shell that has not begun for long be taken to wait? Known of OpenCode alone."""


class Said(Struct, frozen=True):
    """What it says, and in how many seconds it will say something else though nothing is written; None: never."""

    states: States
    at: float | None = None
    detail: str = ""
    waiting_for: str | None = None
    again: float | None = None
    hint: str = ""
    """What speaks for its waiting, though nobody says so."""


def said(conversation: Conversation) -> Said | None:
    """What the conversation says; None where it says nothing."""
    user, assistant = conversation.user, conversation.assistant
    if assistant is None:
        return _asked(conversation, user) if user else _created(conversation)
    if user and _next(user, assistant):
        return _asked(conversation, user)
    began = min(user.created, assistant.created) if user else assistant.created
    if assistant.error is not None:
        return _ended(conversation, _of_error(assistant.error), assistant, f"error {assistant.error}")
    if assistant.created < conversation.started:
        return _before(assistant)
    if assistant.completed is None:
        return _under_way(conversation, assistant, began)
    return _completed(conversation, assistant, began)


def _next(user: Message, assistant: Message) -> bool:
    """Is the user's message the next one to be worked on? One that was sent meanwhile waits for the end of the step,
    and an abort or an error leaves it lying there."""
    if assistant.error is not None:
        ended = assistant.completed if assistant.completed is not None else assistant.created
        return user.created > ended
    return assistant.completed is not None and user.created > assistant.created


def signals(said: Said, about: About) -> tuple[Signal, ...]:
    """As signals. A hint is one of its own, since the screen may know better; the source `transcript` has no other use
    here, and is the least trusted."""
    written = Signal("database", said.states, about, at=said.at, lag=LAG, detail=said.detail)
    if not said.hint:
        return (written,)
    return written, Signal("transcript", only("waiting"), about, at=said.at, lag=LAG, detail=said.hint)


def _of_error(name: str) -> States:
    return only("interrupted" if name == ABORTED else "error")


def _before(message: Message) -> Said:
    """Nothing has happened since the program started: what stands there is history, finished or not."""
    return Said(RESTING, detail=f"{message.role} message of an earlier run")


def _ended(
    conversation: Conversation, states: States, message: Message, detail: str, at: float | None = None
) -> Said:
    ended = message.completed if message.completed is not None else message.created
    if ended < conversation.started:
        return _before(message)
    return Said(states, at=ended if at is None else at, detail=detail)


def _denied(tools: Sequence[Tool]) -> bool:
    """Did the user deny one of them, and say no more? Nearly always the turn ends at once."""
    refused = [tool.error for tool in tools if REFUSED.search(tool.error)]
    return bool(refused) and not any(GOES_ON in error for error in refused)


def _over(tools: Sequence[Tool]) -> float | None:
    """When the last of them ended."""
    return max((tool.ended for tool in tools if tool.ended is not None), default=None)


def _created(conversation: Conversation) -> Said | None:
    """Nothing stands in it yet. It is made for the first prompt, which follows in some hundredths of a second."""
    created = conversation.created
    if created is None or created < conversation.started or _age(conversation, created) >= STUCK:
        return None
    return Said(only("running"), at=created, detail="just begun")


def _asked(conversation: Conversation, user: Message) -> Said:
    """The user has spoken last."""
    if user.created < conversation.started:
        return _before(user)
    return _unless_quiet(conversation, only("running"), user.created, user.created, "user message")


def _unless_quiet(conversation: Conversation, states: States, at: float, written: float, detail: str) -> Said:
    """`states`, but anything once nothing was written for long: some aborts leave no trace."""
    age = _age(conversation, written)
    if age >= QUIET:
        return Said(BUSY | RESTING, at=at, detail=f"{detail}, nothing written since")
    return Said(states, at=at, detail=detail, again=QUIET - age)


def _age(conversation: Conversation, moment: float) -> float:
    """Seconds since that moment. Without a clock, or with one that was set back, it is past."""
    if conversation.now is None or conversation.now < moment - 1:
        return STUCK
    return max(0.0, conversation.now - moment)


def _under_way(conversation: Conversation, assistant: Message, began: float) -> Said:
    """A step that is not over."""
    tools = conversation.tools
    opened = [tool for tool in tools if tool.open]
    if opened:
        return _with_tools(conversation, opened, began)
    if _denied(tools):
        return Said(only("interrupted"), at=_over(tools), detail="a tool was denied")
    if assistant.finish is not None and assistant.finish not in GOING_ON:
        # The model has answered; what changed in the files is still being noted.
        states = only("error" if assistant.finish == "error" else "done")
        return Said(states, detail=f"finish {assistant.finish}")
    over = _over(tools)
    if over is not None:
        # The step ends a moment after its tools, and only its end tells whether they were aborted.
        age = _age(conversation, over)
        if age < SETTLE:
            states = WORKING | {"interrupted"}
            return Said(states, at=began, detail="a tool has ended", again=SETTLE - age)
        if age < QUIET:
            states = frozenset({"running", "interrupted"})
            return Said(states, at=began, detail="a tool has ended", again=QUIET - age)
    written = max(assistant.created, over or 0.0)
    return _unless_quiet(conversation, only("running"), began, written, "assistant message not completed")


def _with_tools(conversation: Conversation, opened: list[Tool], began: float) -> Said:
    """Some tools are not over. They may be running, or one of them may be waiting."""
    names = ", ".join(sorted({tool.name for tool in opened}))
    running = [tool for tool in opened if tool.status == "running"]
    if not running:
        return Said(BUSY, at=began, detail=f"{names} pending", waiting_for="permission prompt")
    at = min((tool.started for tool in running if tool.started is not None), default=began)
    if any(tool.name in QUESTIONS for tool in running):
        return Said(only("waiting"), at=at, detail="question running", waiting_for="question")
    unproven = [tool for tool in running if not tool.begun]
    if not unproven:
        if all(tool.name in SHELLS for tool in opened):
            return Said(only("tool-running"), at=at, detail=f"{names} running")
        return _may_wait(at, f"{names} running")
    newest = max((tool.started for tool in unproven if tool.started is not None), default=at)
    # A shell that has not begun does not run, where that is known to be told; whether it waits the screen may tell.
    shells = conversation.hints and all(tool.name in SHELLS for tool in unproven)
    limit = STUCK if shells else SETTLE
    age = _age(conversation, newest)
    if age < limit:
        detail = f"{names} just called"
        return Said(BUSY, at=at, detail=detail, waiting_for="permission prompt", again=limit - age)
    return _may_wait(at, f"{names} running", "the shell has not begun" if shells else "")


def _may_wait(at: float, detail: str, hint: str = "") -> Said:
    return Said(frozenset({"tool-running", "waiting"}), at, detail, "permission prompt", hint=hint)


def _completed(conversation: Conversation, assistant: Message, began: float) -> Said:
    """A step that is over."""
    ended = assistant.completed or assistant.created
    finish = assistant.finish
    if finish in GOING_ON:
        if _denied(conversation.tools):
            over = _over(conversation.tools)
            return _ended(conversation, only("interrupted"), assistant, "a tool was denied", over)
        age = _age(conversation, ended)
        if age < STUCK:
            return Said(only("running"), at=began, detail=f"finish {finish}", again=STUCK - age)
        return Said(BUSY | {"interrupted"}, at=began, detail=f"finish {finish}, and no next step")
    if finish == "error":
        return _ended(conversation, only("error"), assistant, "finish error")
    if finish is None and not conversation.tools:
        return _ended(conversation, only("interrupted"), assistant, "completed without a finish")
    return _ended(conversation, only("done"), assistant, f"finish {finish or 'none'}")
