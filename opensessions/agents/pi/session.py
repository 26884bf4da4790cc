"""Pi's session files, seen with 0.73.1 and 0.87.1.

`~/.pi/agent/sessions/--<directory, / and : as ->--/<when>_<id>.jsonl`. `PI_CODING_AGENT_DIR` replaces `~/.pi/agent`;
`PI_CODING_AGENT_SESSION_DIR`, or `sessionDir` in settings.json, names another folder with the files of every directory
(`--session-dir` does so too, but cannot be seen from outside). The file is made with the first answer; before that
nothing is written. Lines are a header `session` (id, timestamp, cwd) and entries, of which `message` counts: role user,
assistant (with `stopReason`) or toolResult. A failed answer may be followed by a retry 2, 4 and 8 seconds later, of
which nothing is written before its answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.lines import Lines
from opensessions.agents.records import Record, moment, part, parts, record, spoken, text
from opensessions.agents.signal import RESTING, About, Signal, States, only
from opensessions.agents.whose import Candidate, Whose

HEAD = 4096
"""Bytes in which a header stands."""
SHOWN = 40
"""How many of the newest files are looked into."""
LAG = 0.4
"""Seconds that the file may be behind; measured 0.04 on a quiet machine."""
RETRY = 60.0
"""Seconds after which a failed answer without another one was the last; until then the screen tells a retry."""
SETTLE = 2.0
"""Seconds after the end of a turn from which on the screen is asked: the next one may be the first of a new session, of
which nothing is written before it is over."""
UNWRITTEN: States = frozenset({"running", "done", "interrupted"})
"""What such a turn may be in."""
NOTHING_KNOWN: States = frozenset()

PASSING = re.compile(
    r"overloaded|provider.?returned.?error|rate.?limit|too many requests|429|50[0234]|service.?unavailable"
    r"|server.?error|internal.?error|network.?error|connection.?(error|refused|lost)|websocket.?(closed|error)"
    r"|other side closed|fetch failed|upstream.?connect|reset before headers|socket hang up|ended without"
    r"|http2 request did not get|timed? ?out|terminated|retry delay",
    re.IGNORECASE,
)
"""Errors after which Pi tries again by itself."""


def ended(reason: str, error: str) -> States:
    """What an answer with this `stopReason` leaves the agent in; empty for a reason of another version."""
    match reason:
        case "toolUse":
            return only("tool-running")
        case "stop" | "length":
            return only("done")
        case "aborted":
            return only("interrupted")
        case "error":
            return frozenset({"error", "running"}) if PASSING.search(error[:2000]) else only("error")
    return NOTHING_KNOWN


def thread_of(path: str) -> str:
    """The session's id in the name of its file; "" where it is no such name."""
    name = path.rpartition("/")[2]
    return name.removesuffix(".jsonl").rpartition("_")[2] if name.endswith(".jsonl") and "_" in name else ""


class Told(Struct, frozen=True):
    """What the entries up to here say."""

    states: States = NOTHING_KNOWN
    at: float | None = None
    prompt: str | None = None
    title: str | None = None
    calls: frozenset[str] = frozenset()
    """The tool calls that are not over."""


def read_on(told: Told, entry: Record) -> Told:
    """What is known after one more entry."""
    if text(entry, "type") == "session_info":
        return replace(told, title=text(entry, "name") or None)
    if text(entry, "type") != "message":
        return told
    message, at = part(entry, "message"), moment(text(entry, "timestamp"))
    match text(message, "role"):
        case "user":
            prompt = spoken(message, "content").strip() or told.prompt
            return replace(told, states=only("running"), at=at, prompt=prompt, calls=frozenset())
        case "toolResult":
            calls = told.calls - {text(message, "toolCallId")}
            return replace(told, states=only("tool-running" if calls else "running"), at=at, calls=calls)
        case "assistant":
            states = ended(text(message, "stopReason"), text(message, "errorMessage"))
            content = parts(message, "content")
            calls = frozenset(text(call, "id") for call in content if text(call, "type") == "toolCall")
            calls = calls if states == {"tool-running"} else frozenset()
            return replace(told, states=states, at=at, calls=calls) if states else told
    return told


class PiSession:
    """Reads the session file of one Pi. See `Reader`; `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._whose = Whose()
        self._began: dict[str, float | None] = {}
        self._elsewhere: dict[str, bool] = {}
        self._lines = Lines("")
        self._told = Told()
        self._changed = 0.0

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        folder = _folder(facts, files)
        if folder is None:
            return Look()
        found = self._whose.choose(self._candidates(folder, facts, files), facts)
        if found is None:
            self._lines, self._told = Lines(""), Told()
            return Look(watch=(folder,))
        if found.path != self._lines.path:
            self._lines, self._told = Lines(found.path), Told()
        fresh = self._lines.read(files, _holds_a_prompt)
        told = Told() if fresh.anew else self._told
        for line in fresh.lines:
            told = read_on(told, record(line) or {})
        if told != self._told:
            self._told, self._changed = told, self._clock()
        if not told.states:
            return Look(watch=(folder,))
        states, again = _aged(told.states, self._clock() - self._changed)
        about = About(thread=found.thread, title=told.title, prompt=told.prompt)
        detail = f"ends with {', '.join(sorted(told.states))}"
        return Look(
            (Signal("transcript", states, about, at=told.at, lag=LAG, detail=detail),), (folder,), again
        )

    def _candidates(self, folder: str, facts: Facts, files: Files) -> Sequence[Candidate]:
        found = []
        for entry in files.list(folder)[:SHOWN]:
            thread = thread_of(entry.name)
            path = f"{folder}/{entry.name}"
            if not thread or entry.folder or entry.modified < facts.started - 1:
                continue
            if path not in self._began:
                start = files.part(path, 0, HEAD)
                head = record((start.data if start else b"").partition(b"\n")[0]) or {}
                if text(head, "type") != "session":
                    continue
                self._began[path] = moment(text(head, "timestamp"))
                self._elsewhere[path] = text(head, "cwd") not in ("", facts.cwd)
            if not self._elsewhere[path] or _of_its_own(folder):
                found.append(Candidate(path, thread, entry.modified, self._began[path]))
        return found


def _aged(states: States, age: float) -> tuple[States, float | None]:
    """What the file's last word means after `age` seconds, and in how many it means something else."""
    if states == {"error", "running"}:
        return (states, RETRY - age) if age < RETRY else (UNWRITTEN | {"error"}, None)
    if states <= RESTING:
        return (states, SETTLE - age) if age < SETTLE else (states | UNWRITTEN, None)
    return states, None


def _holds_a_prompt(lines: Sequence[bytes]) -> bool:
    told = Told()
    for line in lines:
        told = read_on(told, record(line) or {})
    return told.prompt is not None


def _of_its_own(folder: str) -> bool:
    """Does the folder hold the sessions of one directory only?"""
    name = folder.rpartition("/")[2]
    return name.startswith("--") and name.endswith("--")


def _folder(facts: Facts, files: Files) -> str | None:
    """Where the sessions of the agent's directory are."""
    home = facts.env.get("HOME", "")
    agent = _expanded(facts.env.get("PI_CODING_AGENT_DIR", ""), home) or f"{home}/.pi/agent"
    chosen = facts.env.get("PI_CODING_AGENT_SESSION_DIR", "")
    if not chosen:
        for settings in (f"{facts.cwd}/.pi/settings.json", f"{agent}/settings.json"):
            chosen = chosen or text(record(files.read(settings) or b""), "sessionDir")
    if chosen:
        folder = _expanded(chosen, home)
        folder = folder if folder.startswith("/") else f"{facts.cwd}/{folder}"
    else:
        safe = re.sub(r"[/\\:]", "-", re.sub(r"^[/\\]", "", facts.cwd))
        folder = f"{agent}/sessions/--{safe}--"
    return folder if folder.startswith("/") and facts.cwd else None


def _expanded(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path
