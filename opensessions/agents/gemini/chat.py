"""Gemini CLI's session files, seen with 0.61.0.

`~/.gemini/tmp/<slug>/chats/session-<minute>-<first 8 of the id>.jsonl`; the slug of a directory stands in
`~/.gemini/projects.json` and, the other way round, in `<slug>/.project_root`. Before, the folder was the SHA-256 of the
directory and the file one JSON object. The first line is a header with `sessionId` and `startTime`; then come messages
(`id`, `timestamp`, `type` of user, gemini, info, warning or error), each once more when it changes, and patches `$set`
and `$rewindTo`. After an interrupt the history is written anew: in `$set.messages`, and as copies of old messages that
all bear the interrupt's time.

A tool call is written when it is over. While it waits for approval, and while it runs, there is a gemini message
without text; with text it cannot be told from the end of the turn. That the two differ is left to the title.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.lines import Lines
from opensessions.agents.records import Record, moment, part, parts, record, spoken, text
from opensessions.agents.signal import BUSY, RESTING, About, Signal, States, only
from opensessions.agents.whose import Candidate, Whose

NAME = re.compile(r"session-.*\.jsonl?$")
HEADER = re.compile(rb'"(sessionId|startTime|kind)"\s*:\s*"([^"\\]{1,100})"')
HEAD = 4096
"""Bytes in which a header stands."""
SHOWN = 40
"""How many of the newest files are looked into."""
COPIED = 0.05
"""Seconds after an interrupt in which messages are copies of old ones. Measured: all bear the interrupt's own time."""
TOOL = 2.0
"""Seconds after which a message without text is a tool call that waits or runs, and no longer one that is being
prepared. Measured from the message to the title that an approval is asked for: 0.3 s, on a busy machine 1.8."""
LAG = 0.4
"""Seconds that the file is behind; measured 0.15, at most 0.3."""
IGNORED = ("<session_context>", "<hook_context>", "/", "?")
"""Beginnings of user messages that begin no turn."""

ASKED: States = frozenset({"running", "waiting"})
"""The model is asked. A dialog may come in between, a full quota's for one."""
PENDING: States = BUSY - {"running"}
ANSWERED: States = BUSY | {"done"}


class Told(Struct, frozen=True):
    """What the messages up to here say."""

    states: States = RESTING
    at: float | None = None
    prompt: str | None = None
    thread: str | None = None
    title: str | None = None
    called: bool = False
    """The last message calls a tool, and the call is not over."""
    begun: bool = False
    """The header was read, so the messages are all there are."""
    turn: bool = False
    """There was a prompt."""


def read_on(told: Told, entry: Record) -> Told:
    """What is known after one more record."""
    if "$rewindTo" in entry:
        return replace(told, states=RESTING, called=False)
    patch = part(entry, "$set") or (entry if "projectHash" in entry else {})
    if patch:
        return replace(
            told,
            thread=text(patch, "sessionId") or told.thread,
            title=text(patch, "summary") or told.title,
            begun=told.begun or patch is entry,
        )
    at = moment(text(entry, "timestamp"))
    match text(entry, "type"):
        case "user":
            return _user(told, entry, at)
        case "gemini" if told.states & BUSY:
            return _gemini(told, entry, at)
        case "info" if text(entry, "content") == "Request cancelled.":
            return replace(told, states=only("interrupted"), at=at, called=False)
        case "error" if told.states & BUSY:
            if text(entry, "content").startswith("[API Error"):
                return replace(told, states=only("error"), at=at, called=False)
            return replace(told, states=told.states | {"error"}, at=at)
    return told


def _user(told: Told, entry: Record, at: float | None) -> Told:
    prompt = spoken(entry, "content").strip()
    if not prompt:  # the results of tools
        if not told.states & BUSY or not parts(entry, "content"):
            return told
        return replace(told, states=ASKED, at=at, called=False)
    if prompt.startswith(IGNORED) or _copied(told, at):
        return told
    typed = spoken(entry, "displayContent").strip()  # what Gemini itself added is left out
    return replace(told, states=ASKED, at=at, prompt=typed or prompt, called=False, turn=True)


def _copied(told: Told, at: float | None) -> bool:
    return told.states == {"interrupted"} and told.at is not None and at is not None and at - told.at < COPIED


def _gemini(told: Told, entry: Record, at: float | None) -> Told:
    if parts(entry, "toolCalls"):
        return replace(told, states=ASKED, at=at, called=False)
    if spoken(entry, "content").strip():
        return replace(told, states=ANSWERED, at=at, called=False)
    return replace(told, states=BUSY, at=at, called=True)


def read_whole(data: bytes) -> Told:
    """What a session file of before says: one JSON object with `messages`."""
    whole = record(data) or {}
    told = read_on(
        Told(), {"projectHash": "", "sessionId": text(whole, "sessionId"), "summary": text(whole, "summary")}
    )
    for entry in parts(whole, "messages"):
        told = read_on(told, entry)
    return told


class GeminiChat:
    """Reads the session file of one Gemini CLI. See `Reader`; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.time
        self._whose = Whose()
        self._heads: dict[str, tuple[str, float | None, bool]] = {}
        """Path -> thread, when it began, whether a person talks in it."""
        self._lines = Lines("")
        self._told = Told()
        self._changed = 0.0

    def look(self, facts: Facts, files: Files) -> Look:
        """See `Reader.look`."""
        home = facts.env.get("GEMINI_CLI_HOME") or facts.env.get("HOME", "")
        if not home.startswith("/"):
            return Look()
        base = f"{home}/.gemini"
        folder = _folder(base, facts.cwd, files)
        if folder is None:
            return Look(watch=(f"{base}/projects.json", f"{base}/tmp"))
        found = self._whose.choose(self._candidates(folder, facts, files), facts)
        if found is None:
            self._lines, self._told = Lines(""), Told()
            return Look(watch=(folder,))
        self._read(found.path, files)
        told = replace(self._told, thread=self._told.thread or found.thread)
        age = self._clock() - self._changed
        preparing = told.called and 0 <= age < TOOL  # a clock that was set back makes nothing last
        if told.called and not preparing:
            told = replace(told, states=PENDING)
        signal = _signal(told)
        return Look((signal,) if signal else (), (folder,), again=TOOL - age if preparing else None)

    def _candidates(self, folder: str, facts: Facts, files: Files) -> Sequence[Candidate]:
        entries = [
            entry
            for entry in files.list(folder)
            if not entry.folder and entry.modified >= facts.started - 1 and NAME.match(entry.name)
        ]
        found = []
        for entry in entries[:SHOWN]:
            path = f"{folder}/{entry.name}"
            thread, began, main = self._head(path, files)
            if thread and main:
                found.append(Candidate(path, thread, entry.modified, began))
        return found

    def _head(self, path: str, files: Files) -> tuple[str, float | None, bool]:
        if path not in self._heads:
            start = files.part(path, 0, HEAD)
            fields = dict(reversed(HEADER.findall(start.data))) if start else {}
            thread = fields.get(b"sessionId", b"").decode(errors="replace")
            began = moment(fields.get(b"startTime", b"").decode(errors="replace"))
            if not thread:
                return "", None, False  # not written yet
            self._heads[path] = thread, began, fields.get(b"kind") != b"subagent"
        return self._heads[path]

    def _read(self, path: str, files: Files) -> None:
        if path != self._lines.path:
            self._lines, self._told = Lines(path), Told()
        if path.endswith(".json"):
            whole = files.part(path, 0, 4 << 20)
            told = read_whole(whole.data) if whole else Told()
        else:
            fresh = self._lines.read(files, _holds_a_prompt)
            told = Told() if fresh.anew else self._told
            for line in fresh.lines:
                told = read_on(told, record(line) or {})
        if told != self._told:
            self._told, self._changed = told, self._clock()


def _holds_a_prompt(lines: Sequence[bytes]) -> bool:
    told = Told()
    for line in lines:
        told = read_on(told, record(line) or {})
    return told.turn


def _signal(told: Told) -> Signal | None:
    if not told.turn and not told.begun:
        return None  # a part of a huge answer: how the turn began lies out of reach
    about = About(thread=told.thread, title=told.title, prompt=told.prompt)
    states = told.states if told.turn else only("idle")
    detail = "a tool call" if told.called else f"ends with {', '.join(sorted(states))}"
    return Signal("transcript", states, about, at=told.at, lag=LAG, detail=detail)


def _folder(base: str, cwd: str, files: Files) -> str | None:
    """Where the sessions of a directory are; None where there are none."""
    if not cwd:
        return None
    slugs = part(record(files.read(f"{base}/projects.json", 1 << 20) or b"") or {}, "projects")
    slug = slugs.get(cwd)
    names = [slug] if isinstance(slug, str) else []
    names.append(sha256(cwd.encode(errors="surrogateescape")).hexdigest())
    for name in names:
        if "/" in name or name.startswith("."):
            continue
        owner = files.read(f"{base}/tmp/{name}/.project_root", 1 << 14)
        if owner is not None and owner.decode(errors="surrogateescape").strip() != cwd:
            continue
        folder = f"{base}/tmp/{name}/chats"
        if files.list(folder, 1):
            return folder
    return None
