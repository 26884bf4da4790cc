"""One Claude Code process: its entry in the registry and its transcript.

Where there is no entry (before 2.1.139) its transcript is the one of its directory that was written last, unless
another Claude Code works there. Wrong is worse than silent.
"""

from __future__ import annotations

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.claude.fit import PAUSE, Fit
from opensessions.agents.claude.places import candidates, config, folder, search, told
from opensessions.agents.claude.registry import Registered, entries, places
from opensessions.agents.claude.transcript import Transcript, enough
from opensessions.agents.lines import Lines

HEAD = 64 << 10
"""Bytes at the beginning of a long file that are looked at for its title."""
SEARCHES = 3
"""How often a conversation that does not lie where it should is searched for."""


LEAVING, PARTING = 4, 0.5
"""Looks, and seconds between them, in which an agent whose entry was taken away is taken to be about to exit."""


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
        self._first = True
        self._fit = Fit()
        self._look = Look()
        self._leaving = 0
        """Looks since its entry was taken away."""

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        registry = f"{config(facts)}/sessions"
        found = entries(registry, facts, files)
        entry = found.entry or (self._entry if found.torn else None)
        if entry is None and self._entry is not None and self._leaving < LEAVING:
            self._leaving += 1  # it takes its entry away when it exits, and exits a moment later
            return Look(self._look.signals, (self._entry.path,), PARTING)
        if entry is not None and not entry.here:
            return Look(watch=(entry.path,))
        thread, path = self._whose(entry, facts, files)
        fresh = self._follow(thread, path, files)
        later = entries(registry, facts, files).entry if entry is not None else None
        if later is not None and later.thread == thread:
            entry = later  # it may have been written while the transcript was read
        changed = fresh or entry != self._entry
        self._entry, self._first = entry, False
        signals, again = self._fit.signals(entry, self._talk, thread, written=self._read, changed=changed)
        watch = [entry.path] if entry else list(places(registry, facts))
        watch += [self._path] if self._path else []
        if not self._read:
            watch.append(folder(facts, entry.cwd if entry and entry.cwd else facts.cwd))
        if entry is None:
            watch += [registry, folder(facts, facts.cwd)]
        again = PAUSE if found.torn else again
        self._leaving = 0 if entry is not None else self._leaving
        self._look = Look(signals, tuple(dict.fromkeys(watch))[:16], again)
        return self._look

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
        if fixed is not None:
            return fixed, f"{place}/{fixed}.jsonl"
        if facts.rivals:  # one that it had while it was alone it keeps
            return ("", "") if self._thread in facts.taken else (self._thread, self._path)
        for each in candidates(place, facts, files):
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
                self._fit.moved()
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


def _headless(path: str, files: Files) -> bool:
    """Is it a conversation of `claude -p` or the SDK? Such a one may run in the same directory."""
    part = files.part(path, -HEAD, HEAD)
    return part is not None and Transcript(part.data.split(b"\n")).headless
