"""One Qwen Code process: which conversation it holds, and how that stands.

0.24.4 tells its conversation by pid: `<home>/sessions/<pid>.json`. Of 0.15.10 only its hooks and its command line tell.
Else it is the file of the directory that was written last, unless another Qwen Code works there.
"""

from __future__ import annotations

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.claude.places import PLAIN, candidates, told
from opensessions.agents.claude.registry import Registered, entries, places
from opensessions.agents.lines import Lines
from opensessions.agents.qwen.chat import Chat, enough
from opensessions.agents.signal import About, Signal, States, only
from opensessions.agents.whose import Candidate, Whose

LAG = 2.0
"""Measured: at most 0.4 s; nothing is gained by less."""
PAUSE, PAUSES = 0.5, 2
"""Seconds between two looks while a call may be about to be asked for, and how many without a change settle it.
Measured with 0.24.4: that takes 0.2 s. With 0.15.10 it took up to 11 s, so its file never tells that a tool runs."""
HEAD = 64 << 10


class QwenReader:
    """See `Reader`."""

    def __init__(self) -> None:
        self._entry: Registered | None = None
        self._files = Whose()
        self._own = ""
        """The conversation that it held when nobody else worked in its directory."""
        self._thread = ""
        self._path = ""
        self._lines = Lines("")
        self._chat = Chat()
        self._read = False
        self._quiet = 0
        self._settled: float | None = None
        self._first = True

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        home = facts.env.get("QWEN_HOME") or f"{facts.env.get('HOME', '')}/.qwen"
        runtime = facts.env.get("QWEN_RUNTIME_DIR") or home
        found = entries(f"{home}/sessions", facts, files)
        entry = found.entry or self._entry
        if entry is not None and not entry.here:
            return Look(watch=(entry.path,))
        cwd = entry.cwd if entry is not None and entry.cwd else facts.cwd
        place = f"{runtime}/projects/{''.join(each if each in PLAIN else '-' for each in cwd)}/chats"
        thread = entry.thread if entry is not None else self._whose(place, facts, files)
        path = f"{place}/{thread}.jsonl" if thread else ""
        changed = self._follow(thread, path, files)
        self._quiet = 0 if changed else self._quiet + 1
        self._entry = entry
        balanced = self._balanced()
        self._first = False
        watch = [entry.path] if entry is not None else list(places(f"{home}/sessions", facts))
        watch += [path] if path else []
        watch += [place] if entry is None or not self._read else []
        if not self._thread or (entry is None and not self._read):
            return Look(
                watch=tuple(watch)[:16]
            )  # 0.15.10 makes the file with the first prompt, up to 4 s late
        states = self._chat.states | only("running") if balanced else self._chat.states
        return Look(
            (self._signal(states),),
            tuple(watch)[:16],
            PAUSE if (balanced and self._chat.newer) or found.torn else None,
        )

    def _whose(self, place: str, facts: Facts, files: Files) -> str:
        """The conversation, where no entry tells; "" where it is not known."""
        fixed = facts.thread or told(facts.argv)
        if fixed:
            return fixed
        found = [
            Candidate(f"{place}/{each.name}", each.name[:-6], each.modified)
            for each in candidates(place, facts, files)
        ]
        chosen = self._files.choose(found, facts)
        if self._own in facts.taken:
            self._own = ""
        if not facts.rivals:
            self._own = chosen.thread if chosen else self._own
        elif found and max(found, key=lambda each: each.modified).thread != self._own:
            return ""  # it may have begun another one since
        return self._own

    def _follow(self, thread: str, path: str, files: Files) -> bool:
        """Read on. Is there anything new?"""
        moved = (thread, path) != (self._thread, self._path)
        if moved:
            self._thread, self._path = thread, path
            self._lines, self._chat, self._read = Lines(path), Chat(), False
        if not path:
            return moved
        fresh = self._lines.read(files, enough)
        if fresh.anew:
            self._chat = Chat()
            probe = files.part(path, 0, HEAD)
            self._read = probe is not None
            if probe is not None and probe.size > HEAD:
                self._chat.learn(probe.data.split(b"\n")[:-1])
        self._chat.add(fresh.lines)
        return moved or fresh.modified

    def _balanced(self) -> bool:
        """May the call that is open yet be asked for?"""
        chat = self._chat
        if chat.standing != "called" or chat.question is not None or chat.at == self._settled:
            return False
        if self._first or (chat.newer and self._quiet >= PAUSES):
            self._settled = chat.at
            return False
        return True

    def _signal(self, states: States) -> Signal:
        chat = self._chat
        about = About(thread=self._thread, title=chat.title, prompt=chat.prompt, waiting_for=chat.question)
        detail = f"open: {', '.join(chat.open.values())}"[:80] if chat.standing == "called" else chat.standing
        return Signal("transcript", states, about, chat.at, lag=LAG, detail=detail)
