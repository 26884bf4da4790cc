"""What a Claude Code's registry and transcript say, made to fit.

The registry is right and says too little: at rest it does not tell how the turn ended. The transcript does, later. So
what the transcript can only say because it is behind is widened by what the registry already knows, and each says all
that is possible. The rest is left to `fuse` and to time. Therefore a claim does not change merely because the other
source goes from busy to rest, and what was said once of a `busy` is not taken back later: a hook may have told more.
"""

from __future__ import annotations

from opensessions.agents.claude.registry import Registered
from opensessions.agents.claude.transcript import Transcript
from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, States, only

REGISTRY_LAG = 2.0
"""Measured: at most 0.25 s behind the truth on an idle machine, 0.8 s on one with thrice the work that it can do."""
TRANSCRIPT_LAG = 2.0
"""Measured: at most 0.4 s, and as much longer as hooks take; nothing is gained by less."""
PAUSE, PAUSES = 0.15, 4
"""Seconds between two looks while something is in the balance, and how many without a change settle it. A call stands
in the transcript up to 0.5 s before its permission is asked for; `/clear` is `busy` for as long as hooks take (0.5 s
were seen), and hardly without any."""
REST, RESTS = 2.0, 5
"""The same for a text that old writers left without an end: then it was the last."""


class Fit:
    """Remembers of one agent what the last looks gave."""

    def __init__(self) -> None:
        self._rested = False
        """At the last look the registry said that no turn is under way."""
        self._worked = False
        """It was seen to say the opposite of this conversation."""
        self._shells = False
        """This version tells of shells in the background."""
        self._settled: float | None = None
        """Beginning of what is no longer in the balance."""
        self._doubtful: float | None = None
        """Since when the registry says `busy`, where that was in the balance at first."""
        self._hooked = False
        """There are hooks, whosever."""
        self._first = True
        self._quiet = 0
        """Looks since the last change."""

    def moved(self) -> None:
        """It is another conversation from now on."""
        self._worked = False

    def signals(
        self, entry: Registered | None, talk: Transcript, thread: str, *, written: bool, changed: bool
    ) -> tuple[tuple[Signal, ...], float | None]:
        """The signals, and after how many seconds time will tell more. `written`: the transcript exists; `changed`:
        there is something that the last look did not have."""
        self._quiet = 0 if changed else self._quiet + 1
        self._hooked = self._hooked or talk.hooked
        status = _status(entry, talk) if entry is not None else None
        busy = status is not None and not status & RESTING
        balanced = self._balanced(entry, talk, busy)
        if entry is not None and status is not None:
            self._worked = self._worked or (busy and not (balanced and talk.resting))
            self._rested = not busy
            self._shells = self._shells or entry.status == "shell"
            if entry.status == "busy":
                status = self._working(entry, talk, balanced and talk.resting)
        about = self._about(entry, talk, thread)
        signals = []
        if entry is not None and status is not None:
            detail = f"{entry.status}: {entry.waiting_for}" if entry.waiting_for else entry.status
            signals.append(Signal("registry", status, about, entry.at, lag=REGISTRY_LAG, detail=detail))
        if thread:
            states = self._transcript(entry, talk, status, balanced, written)
            detail = f"open: {', '.join(talk.open.values())}"[:80] if talk.open else talk.standing
            signals.append(Signal("transcript", states, about, talk.at, lag=TRANSCRIPT_LAG, detail=detail))
        self._first = False
        if balanced:
            return tuple(signals), PAUSE
        resting = talk.standing == "loose" and status is None and self._quiet < RESTS
        return tuple(signals), REST if resting else None

    def _working(self, entry: Registered, talk: Transcript, balanced: bool) -> States:
        """What `busy` says."""
        if balanced:
            self._doubtful = entry.at
            return WORKING | RESTING
        if talk.resting and not talk.unsure and _newer(entry, talk) is False:
            return WORKING | RESTING  # the answer is there; it is late, or the user's own hooks run
        if self._doubtful is not None and self._doubtful == entry.at and not (talk.unsure and talk.resting):
            return BUSY  # a hook may have told more than it since
        return WORKING

    def _balanced(self, entry: Registered | None, talk: Transcript, busy: bool) -> bool:
        """Is something in the balance: a tool call that may yet be asked for, or a turn that nothing has asked for?"""
        begun: float | None
        if talk.standing == "called" and talk.question is None:
            begun, pauses = talk.at, PAUSES
            open = entry is None or (busy and entry.status == "busy" and not _newer(entry, talk))
        else:
            begun, pauses = (entry.at if entry is not None else None), PAUSES if self._hooked else PAUSES // 2
            open = bool(entry and entry.status == "busy" and talk.resting)
            open = open and (self._rested or begun == self._doubtful)
            open = open and (talk.at is None or bool(entry and _newer(entry, talk)))
        if not open or (begun is not None and begun == self._settled):
            return False
        if self._first or self._quiet >= pauses:
            self._settled = begun
            return False
        return True

    def _transcript(
        self, entry: Registered | None, talk: Transcript, status: States | None, balanced: bool, written: bool
    ) -> States:
        """What the transcript can say, given what the registry says."""
        states = talk.states
        if talk.standing == "new" and self._worked:
            states = _nothing(talk, written)
        if balanced and talk.standing == "called":
            states |= only("running")
        resumed = entry is not None and not self._worked and _before(talk, entry)
        if resumed and (status is None or status & RESTING):
            return only("idle")  # this process has done nothing yet
        if entry is None or status is None:
            return self._alone(talk, states)
        if talk.standing == "asked":
            states |= only("waiting")  # it is behind: the registry or a hook may have told of a wait already
        if status <= BUSY:
            states = states | BUSY if talk.resting else states
        elif status <= RESTING and not talk.resting and _newer(entry, talk) is False:
            states -= only("interrupted")  # asked since it rested, so it is about to work
        if not states & status and _newer(entry, talk):
            states |= status
        return states

    def _alone(self, talk: Transcript, states: States) -> States:
        """What the transcript can say where the registry says nothing."""
        if talk.standing == "loose" and self._quiet >= RESTS:
            return only("done")
        return states | only("running") if talk.unsure and talk.resting else states

    def _about(self, entry: Registered | None, talk: Transcript, thread: str) -> About:
        """What both know beside the state."""
        title, background = talk.title, talk.background
        if entry is not None:
            title = talk.title if talk.custom else entry.title or talk.title
            if entry.status == "shell":
                background = max(1, background or 0)
            elif entry.status == "idle" and self._shells:
                background = 0
        waiting_for = talk.question
        if entry is not None and waiting_for is None:
            waiting_for = "question" if entry.waiting_for == "input needed" else entry.waiting_for or None
        return About(
            thread=thread or None,
            title=title,
            prompt=talk.prompt,
            waiting_for=waiting_for,
            background=background,
        )


def _status(entry: Registered, talk: Transcript) -> States | None:
    """What the status says; None where it says nothing, or nothing that is known."""
    match entry.status:
        case "busy":
            return WORKING
        case "idle" | "shell":
            return RESTING
        case "waiting":
            menu = entry.waiting_for == "dialog open" and talk.resting  # one that the user has opened
            return RESTING | only("waiting") if menu else only("waiting")
    return None


def _newer(entry: Registered, talk: Transcript) -> bool | None:
    """Did the registry speak after the transcript's last word? None where that is not known."""
    return None if entry.at is None or talk.at is None else entry.at >= talk.at


def _before(talk: Transcript, entry: Registered) -> bool:
    """Was the transcript's last word said before this process began?"""
    return talk.at is not None and entry.started is not None and talk.at < entry.started - 1


def _nothing(talk: Transcript, written: bool) -> States:
    """A turn was seen, and nothing of it was written: it was cancelled, or did nothing that is told of."""
    if not written:
        return BUSY | RESTING - only("idle")
    return BUSY | only("idle" if talk.unsure else "interrupted")
