"""Amp's thread files as they were until spring 2026, from public files: `~/.local/share/amp/threads/T-<id>.json`.

One JSON object each: `id`, `title`, `created` (ms), `env.initial.trees[].uri` (the directory) and `messages`. An
assistant message has `state.type` (streaming, complete with `stopReason`, cancelled); a tool's result stands in the
user message after it and has `run.status`. Later versions keep threads on the server and leave old files behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.records import Record, part, parts, record, spoken, text
from opensessions.agents.signal import About, Signal, States, only
from opensessions.agents.whose import Candidate, Whose

MOST = 4 << 20
"""Bytes of a thread that is read; a larger one says nothing."""
SHOWN = 20
"""How many of the newest files are looked into."""
OPEN = {"blocked-on-user": "waiting", "in-progress": "tool-running", "queued": "tool-running"}
STOPPED = frozenset({"cancelled", "rejected-by-user", "rejected"})


def states_of(messages: Sequence[Record]) -> States | None:
    """What a thread's messages say; None where they say nothing."""
    if not messages:
        return only("idle")
    last = messages[-1]
    if text(last, "role") == "assistant":
        return _answer(part(last, "state"))
    runs = [
        text(part(each, "run"), "status")
        for each in parts(last, "content")
        if text(each, "type") == "tool_result"
    ]
    for status in OPEN:  # one that waits for the user comes first
        if status in runs:
            return only("waiting" if OPEN[status] == "waiting" else "tool-running")
    if runs and all(status in STOPPED for status in runs):
        return only("interrupted")
    return only("running") if text(last, "role") == "user" else None


def _answer(state: Record) -> States | None:
    match text(state, "type"), text(state, "stopReason"):
        case "streaming", _:
            return only("running")
        case "cancelled", _:
            return only("interrupted")
        case "error", _:
            return only("error")
        case "complete", "tool_use":
            return frozenset({"tool-running", "waiting"})
        case "complete", _:
            return only("done")
    return None


class AmpThread:
    """Reads the thread of one Amp. See `Reader`."""

    def __init__(self) -> None:
        self._whose = Whose()
        self._known: dict[str, tuple[float, int, Record]] = {}
        """Path -> when it was written, its size, and what it holds."""

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        home = facts.env.get("HOME", "")
        data = facts.env.get("XDG_DATA_HOME") or f"{home}/.local/share"
        folder = f"{data}/amp/threads"
        if not folder.startswith("/") or not facts.cwd:
            return Look()
        found = self._whose.choose(self._candidates(folder, facts, files), facts)
        if found is None:
            return Look(watch=(folder,))
        thread = self._known[found.path][2]
        messages = parts(thread, "messages")
        states = states_of(messages)
        prompts = [spoken(each, "content") for each in messages if text(each, "role") == "user"]
        prompt = next((each for each in reversed(prompts) if each), None)
        about = About(thread=found.thread, title=text(thread, "title") or None, prompt=prompt)
        signals = (Signal("transcript", states, about, lag=0.5, detail="thread file"),) if states else ()
        return Look(signals, (folder,))

    def _candidates(self, folder: str, facts: Facts, files: Files) -> Sequence[Candidate]:
        found = []
        seen = {}
        for entry in files.list(folder, SHOWN):
            path = f"{folder}/{entry.name}"
            if entry.folder or not entry.name.startswith("T-") or entry.modified < facts.started - 1:
                continue
            known = self._known.get(path)
            if known is None or known[:2] != (entry.modified, entry.size):
                known = entry.modified, entry.size, record(files.read(path, MOST) or b"") or {}
            seen[path] = known
            if _in_directory(known[2], facts.cwd):
                created = known[2].get("created")
                began = created / 1000 if isinstance(created, int | float) and abs(created) < 1e15 else None
                found.append(Candidate(path, text(known[2], "id") or entry.name, entry.modified, began))
        self._known = seen
        return found


def _in_directory(thread: Record, cwd: str) -> bool:
    trees = parts(part(part(thread, "env"), "initial"), "trees")
    return any(
        unquote(text(tree, "uri")).removeprefix("file://").rstrip("/") == cwd.rstrip("/") for tree in trees
    )
