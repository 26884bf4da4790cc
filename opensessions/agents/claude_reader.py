"""One Claude Code process: its entry in the registry and its transcript, read together.

The registry is right and says too little: at rest it does not tell how the turn ended. The transcript does, later.
So each look makes them fit: what the transcript can only say because it is behind is widened by what the registry
already knows, and whichever says less than it might says all that is possible. What is left to time is left to `fuse`,
and therefore a claim never changes merely because the other source has changed from busy to rest.
"""

from __future__ import annotations

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.claude_places import candidates, config, folder, search, told
from opensessions.agents.claude_registry import Registered, entries, is_thread, places
from opensessions.agents.claude_transcript import Transcript, enough
from opensessions.agents.lines import Lines
from opensessions.agents.signal import BUSY, RESTING, WORKING, About, Signal, States, only

REGISTRY_LAG = 0.5
"""Measured: at most 0.25 s behind the truth on an idle machine, 0.8 s on one with twice the work that it can do."""
TRANSCRIPT_LAG = 2.0
"""Measured: at most 0.4 s, and as much longer as hooks take; nothing is gained by less."""
PAUSE, PAUSES = 0.1, 3
"""Seconds between two looks while something is in the balance, and how many without a change settle it. A call stands
in the transcript up to 0.25 s before its permission is asked for; `/clear` is `busy` for as long as hooks take."""
HEAD = 64 << 10
"""Bytes at the beginning of a long file that are looked at for its title."""
SEARCHES = 3
"""How often a conversation that does not lie where it should is searched for."""


class ClaudeReader:
    """See `Reader`."""

    def __init__(self) -> None:
        self._entry: Registered | None = None
        self._thread = ""
        self._path = ""
        self._lines = Lines("")
        self._talk = Transcript()
        self._read = False
        """The transcript exists."""
        self._searches = 0
        self._rested = False
        """The registry was seen to say that no turn is under way."""
        self._worked = False
        """It was seen to say the opposite of this conversation."""
        self._shells = False
        self._settled: set[float | None] = set()
        """Beginnings of what is no longer in the balance."""
        self._first = True
        self._quiet = 0

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        registry = f"{config(facts)}/sessions"
        found = entries(registry, facts, files)
        entry = found.entry or (self._entry if found.torn else None)
        if entry is not None and not entry.here:
            return Look(watch=(entry.path,))
        thread, path = self._whose(entry, facts, files)
        fresh = self._follow(thread, path, files)
        later = entries(registry, facts, files).entry if entry is not None else None
        entry = (
            later if later is not None and later.thread == thread else entry
        )  # the transcript is the slower one
        changed = fresh or entry != self._entry
        self._quiet = 0 if changed else self._quiet + 1
        self._entry = entry
        signals, waiting = self._signals(entry)
        self._first = False
        watch = [entry.path] if entry else list(places(registry, facts))
        watch += [self._path] if self._path else []
        if not self._read:
            watch.append(folder(facts, entry.cwd if entry and entry.cwd else facts.cwd))
        if entry is None:
            watch += [registry, folder(facts, facts.cwd)]
        again = PAUSE if waiting or found.torn else None
        return Look(signals, tuple(dict.fromkeys(watch))[:16], again)

    # --- which conversation --------------------------------------------------------------------------------

    def _whose(self, entry: Registered | None, facts: Facts, files: Files) -> tuple[str, str]:
        """The conversation's id and path; "" where they are not known."""
        if entry is not None:
            path = f"{folder(facts, entry.cwd or facts.cwd)}/{entry.thread}.jsonl"
            if entry.thread == self._thread and self._path and self._read:
                return entry.thread, self._path
            if files.part(path, 0, 1) is None and self._missed(entry):
                path = search(facts, entry.thread, files) or path
            return entry.thread, path
        if self._entry is not None and self._thread:
            return self._thread, self._path  # its entry was taken away
        if not facts.cwd:
            return "", ""
        place = folder(facts, facts.cwd)
        fixed = told(facts.argv)
        if fixed is not None and is_thread(fixed):
            return fixed, f"{place}/{fixed}.jsonl"
        if facts.rivals:  # one that it had while it was alone it keeps
            return ("", "") if self._thread in facts.taken else (self._thread, self._path)
        for each in candidates(facts, files):
            thread = each.name[:-6]
            path = f"{place}/{each.name}"
            if thread == self._thread or not _headless(path, files):
                return thread, path
        return ("", "") if self._thread in facts.taken else (self._thread, self._path)

    def _missed(self, entry: Registered) -> bool:
        """Is it time to search? A conversation in which nothing was asked has no file."""
        if entry.thread != self._thread:
            self._searches = 0
        elif self._first or self._searches >= SEARCHES or entry.status in ("", "idle"):
            return False
        self._searches += 1
        return True

    def _follow(self, thread: str, path: str, files: Files) -> bool:
        """Read on in the transcript. Is there anything new?"""
        moved = thread != self._thread or path != self._path
        if moved:
            if thread != self._thread:
                self._worked = False
            self._thread, self._path = thread, path
            self._lines, self._talk, self._read = Lines(path), Transcript(), False
        if not path:
            return moved
        fresh = self._lines.read(files, enough)
        if fresh.anew:
            self._talk = Transcript()
            probe = files.part(path, 0, HEAD)
            self._read = probe is not None
            if probe is not None and probe.size > HEAD:
                self._talk.learn(probe.data.split(b"\n")[:-1])
        self._talk.add(fresh.lines)
        return moved or fresh.modified

    # --- what it says --------------------------------------------------------------------------------------

    def _signals(self, entry: Registered | None) -> tuple[tuple[Signal, ...], bool]:
        """The signals, and whether time will tell more."""
        talk = self._talk
        status = _statuses(entry, talk) if entry is not None else None
        busy = status is not None and not status & RESTING
        balanced = self._balanced(entry, busy)
        if entry is not None and status is not None:
            if balanced and talk.resting:
                status = WORKING | RESTING
            elif busy:
                self._worked = True
                if (
                    entry.status == "busy"
                    and talk.resting
                    and not talk.unsure
                    and _newer(entry, talk) is False
                ):
                    status = WORKING | RESTING  # the answer is there; it is late, or the user's own hooks run
            else:
                self._rested = True
                self._shells = self._shells or entry.status == "shell"
        about = self._about(entry)
        signals = []
        if entry is not None and status is not None:
            detail = f"{entry.status}: {entry.waiting_for}" if entry.waiting_for else entry.status
            signals.append(Signal("registry", status, about, entry.at, lag=REGISTRY_LAG, detail=detail))
        if self._thread:
            states = self._transcript(entry, status, balanced)
            signals.append(
                Signal("transcript", states, about, talk.at, lag=TRANSCRIPT_LAG, detail=_detail(talk))
            )
        return tuple(signals), balanced

    def _balanced(self, entry: Registered | None, busy: bool) -> bool:
        """Is something in the balance: a tool call that may yet be asked for, or a turn that nothing has asked for?"""
        talk = self._talk
        begun: float | None
        if talk.standing == "called" and talk.question is None:
            begun = talk.at
            open = entry is None or (busy and entry.status == "busy" and not _newer(entry, talk))
        else:
            begun = entry.at if entry is not None else None
            open = entry is not None and entry.status == "busy" and talk.resting and self._rested
            open = open and entry is not None and (talk.at is None or _newer(entry, talk))
        if not open or begun in self._settled:
            return False
        if self._first or self._quiet >= PAUSES:
            self._settled = {begun}
            return False
        return True

    def _transcript(self, entry: Registered | None, status: States | None, balanced: bool) -> States:
        """What the transcript can say, given what the registry says."""
        talk = self._talk
        states = talk.states
        if talk.standing == "new" and self._worked:
            states = self._nothing()
        if balanced and talk.standing == "called":
            states |= only("running")
        if entry is None or status is None:
            return states | only("running") if talk.unsure and talk.resting else states
        if not self._worked and status & RESTING and _before(talk, entry):
            return only("idle")  # resumed: this process has done nothing yet
        if status <= BUSY:
            states = states | BUSY if talk.resting else states
        elif status <= RESTING and not talk.resting and _newer(entry, talk) is False:
            states -= only("interrupted")  # asked since it rested, so it is about to work
        if not states & status and _newer(entry, talk):
            states |= status
        return states

    def _nothing(self) -> States:
        """A turn was seen, and nothing of it was written: it was cancelled, or did nothing that is told of."""
        if not self._read:
            return BUSY | RESTING - only("idle")
        return BUSY | only("idle" if self._talk.unsure else "interrupted")

    def _about(self, entry: Registered | None) -> About:
        talk = self._talk
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
            thread=self._thread or None,
            title=title,
            prompt=talk.prompt,
            waiting_for=waiting_for,
            background=background,
        )


def _statuses(entry: Registered, talk: Transcript) -> States | None:
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


def _headless(path: str, files: Files) -> bool:
    """Is it a conversation of `claude -p` or the SDK? Such a one may run in the same directory."""
    part = files.part(path, -HEAD, HEAD)
    return part is not None and Transcript(part.data.split(b"\n")).headless


def _detail(talk: Transcript) -> str:
    if talk.standing == "called":
        return f"open: {', '.join(talk.open.values())}"[:80]
    return talk.standing
