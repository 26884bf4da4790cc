"""Which thread a Codex process shows.

Without a daemon the process holds its threads' files open. With one (0.169.0 starts it by default) the daemon holds
them all, for every pane, and the program in the pane holds none. It gives itself away all the same: when it takes up a
thread it touches `tui-thread-reference-capabilities/<thread id>`, and at that moment it writes rows into
`logs_N.sqlite` that bear its pid; and again when a message of the agent is complete. Where two processes did so at the
same moment, that proves nothing.
"""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from opensessions.agents.adapter import Facts, Files
from opensessions.agents.codex.rollout import Meta, Turn, follow, meta

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
ID = re.compile(UUID)
HELD = re.compile(rf"/(?:thread-writer-locks/({UUID})\.lock|rollout-[^/]*?({UUID})\.jsonl)$")
OPEN = re.compile(rf"/[a-z_]+_\d+\.sqlite$|{HELD.pattern}")
"""What every Codex process has open: databases, locks, rollouts."""
DAEMON_LOG = "/app-server-daemon/daemon.stderr.log"
ROLLOUT = re.compile(rf"rollout-.*?({UUID})\.jsonl$")
OWN = 8
"""Of the processes that belong to an agent only the nearest are looked at: the launcher and the program."""
RECENT = 64
"""Threads that are considered, those that were taken up last."""
CANDIDATES = 8
NEAR = 0.5
"""Seconds between what a process does and its row: measured 0.06, at most 0.09."""
SETTLED = 15.0
"""Seconds after which rows are there: measured up to 10, as they are written 128 at a time or after a while. Before
that, the rows of another process may be the missing ones."""
GLIMPSE = 0.25
"""Seconds until the next look tells whether a file was held for a moment only."""
POLL = 10.0
"""Seconds between looks for rows, while several work in one directory and nothing tells them apart."""
BEFORE = 1.0
"""Seconds that a file's time may lie before the start of the process that made it."""
HEAD = 1 << 18
TAIL = 1 << 16
TAKEN_UP = (
    "codex_tui::app::startup",
    "codex_config::loader::layer_io",
    "rmcp::transport::streamable_http_server::session::local",
)
"""Modules that write when a thread is taken up: at the start, by /new and /clear, by /resume."""
SPOKEN = ("codex_tui::app::agent_message_consolidation",)
DAEMON = "codex_app_server::message_processor"
"""Writes whenever the daemon is asked for anything."""
ROWS = "SELECT process_uuid, target, ts, ts_nanos FROM logs WHERE ts BETWEEN ? AND ? AND target IN ({})"


class Indexed(Struct, frozen=True):
    """A line of `session_index.jsonl`."""

    id: Any = None
    thread_name: Any = None


INDEX = msgspec.json.Decoder(Indexed)

Proof = Literal["file", "log", "argument", "alone"]


class Thread(Struct, frozen=True):
    """The thread that a process shows, and what proves that."""

    id: str
    since: float
    """When the process took it up, in seconds since the epoch."""
    proof: Proof
    rollout: str = ""
    """Its file; "" where it has none yet: it is made with the first prompt."""


class Home(Struct, frozen=True):
    """What lies in CODEX_HOME, as far as it tells of threads."""

    path: str
    up: Mapping[str, float]
    """When threads were last taken up by a program in a terminal, in seconds since the epoch, the last one first."""
    loaded: frozenset[str] | None
    """Threads that some process writes; None where this version does not tell."""


def home(facts: Facts) -> str:
    """CODEX_HOME of this agent; "" where it has no home."""
    own = facts.env.get("CODEX_HOME", "")
    return own if own.startswith("/") else posixpath.join(facts.env.get("HOME", ""), ".codex")


def directory(facts: Facts) -> str:
    """Where the agent works: `--cd` counts before the working directory."""
    for place, word in enumerate(facts.argv):
        for option in ("-C", "--cd"):
            if word == option and place + 1 < len(facts.argv):
                return posixpath.normpath(posixpath.join(facts.cwd, facts.argv[place + 1]))
            if word.startswith(option + "="):
                return posixpath.normpath(posixpath.join(facts.cwd, word.partition("=")[2]))
    return facts.cwd


def survey(files: Files, path: str) -> Home:
    """Look around in CODEX_HOME."""
    taken_up = files.list(f"{path}/tui-thread-reference-capabilities", RECENT)
    locks = files.list(f"{path}/thread-writer-locks", 1000)
    loaded = frozenset(entry.name.removesuffix(".lock") for entry in locks if ID.match(entry.name))
    up = {entry.name: entry.modified for entry in taken_up if ID.fullmatch(entry.name)}
    return Home(path, up, loaded if locks else None)


def created(id: str) -> float | None:
    """When a thread was made, in seconds since the epoch; None where its id does not tell."""
    return int(id[:8] + id[9:13], 16) / 1000 if id[14:15] == "7" else None


class Finder:
    """Finds the thread of one agent, and remembers what was proved."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.thread: Thread | None = None
        self._clock = clock or time.time
        self._strange: set[str] = set()
        """Threads that came up while others worked in the same directory, so that being alone later proves nothing."""
        self._held_before: set[str] = set()
        self._glimpsed = False
        """Something was held that may have been held for a moment only."""
        self._others: set[tuple[str, float]] = set()
        """When threads were taken up, and not by this process, or nobody knows by which."""
        self._metas: dict[str, Meta] = {}

    def find(self, facts: Facts, files: Files, place: Home) -> Thread | None:
        """The thread, with its rollout if there is one."""
        found = self._held(facts, files, place)
        if found is None:
            found = self._proved(facts, files, place) or self._still(facts) or self._asked_for(facts)
            if found is None or found.proof in ("argument", "alone"):
                alone = self._alone(facts, files, place)
                found = alone if alone and (found is None or _follows(alone, found)) else found
        if found is not None:
            found = self._with_rollout(found, files, place)
        self.thread = found
        return found

    def folders(self, files: Files, place: Home) -> tuple[str, ...]:
        """Where a rollout may come up: in the last day's folder, or in one that is made for it. The folders of a year,
        a month and a day are made one by one, and a look may fall between two of them."""
        return tuple(level[-1] for level in _levels(files, place) if level)

    def again(self, facts: Facts, place: Home) -> float | None:
        """Seconds after which there may be more that proves it; None where nothing more is to be proved."""
        if self._glimpsed:
            return GLIMPSE
        if self.thread and self.thread.proof == "file":
            return None
        newest = next(iter(place.up.items()), None)
        if newest and newest[1] >= facts.started - BEFORE:
            left = newest[1] + SETTLED - self._clock()
            if 0 < left <= SETTLED:
                return left + 0.1
        proved = self.thread is not None and self.thread.proof == "log"
        return POLL if facts.rivals and not proved else None

    def _held(self, facts: Facts, files: Files, place: Home) -> Thread | None:
        """By the files that the process itself holds open.

        Others' locks are tried and others' rollouts are listed at times, for a moment each: what is held counts with
        lock and rollout together, or when it is still held at the next look.
        """
        locked: set[str] = set()
        opened: dict[str, str] = {}
        for path in self._open(facts, files):
            if match := HELD.search(path):
                if match[1]:
                    locked.add(match[1])
                else:
                    opened[match[3]] = path
        held = locked | opened.keys()
        both = locked & opened.keys() if place.loaded is not None else opened.keys()
        own = {self.thread.id} if self.thread else set()
        lasting = {id for id in held & self._held_before if self._taken_up_by(id, facts, place)}
        self._held_before, self._glimpsed = held, not held <= both | lasting | own
        mine = [id for id in held & (both | lasting | own) if not self._child(files, opened.get(id, ""))]
        if not mine:
            return None
        # A former thread is held for a minute after /new.
        id = max(mine, key=lambda id: (place.up.get(id, 0.0), created(id) or 0.0, id))
        known = self.thread if self.thread and self.thread.id == id and self.thread.proof == "file" else None
        since = known.since if known else place.up.get(id) or facts.started
        return Thread(id, since, "file", opened.get(id, ""))

    @staticmethod
    def _open(facts: Facts, files: Files) -> Sequence[str]:
        """What the program holds open: the nearest process with anything of Codex. The daemon may lie below it."""
        for pid in (facts.pid, *facts.below[: OWN - 1]):
            paths = files.open_by(pid)
            if any(OPEN.search(path) for path in paths):
                return () if any(path.endswith(DAEMON_LOG) for path in paths) else paths
        return ()

    @staticmethod
    def _taken_up_by(id: str, facts: Facts, place: Home) -> bool:
        """May it be this process that has taken up the thread?"""
        return id not in facts.taken and place.up.get(id, facts.started) >= facts.started - BEFORE

    def _proved(self, facts: Facts, files: Files, place: Home) -> Thread | None:
        """By the rows that bear the process's pid: of the threads that it took up the last one."""
        pids = {facts.pid, *facts.below}
        since = self.thread.since if self.thread and self.thread.proof == "log" else 0.0
        after = max(since, facts.started - BEFORE)
        later = [
            each
            for each in place.up.items()
            if each[1] > after and self._settled(each[1]) and each not in self._others
        ]
        database = _newest(files, place.path, "logs_") if later or facts.rivals else ""
        for id, up in later[:CANDIDATES]:
            if _only(files, database, up, TAKEN_UP, pids):
                return Thread(id, up, "log")
            if len(self._others) >= 4 * RECENT:
                self._others.clear()
            self._others.add((id, up))
        if self.thread and self.thread.proof == "log":
            return self.thread
        if not database or not facts.rivals:
            return None
        for id, path, up in self._candidates(facts, files, place)[:4]:
            spoke = _tail(files, path).spoke or 0.0
            if (
                id not in facts.taken
                and spoke >= facts.started
                and self._settled(spoke)
                and _only(files, database, spoke, SPOKEN, pids)
            ):
                return Thread(id, max(up, facts.started), "log", path)
        return None

    def _settled(self, moment: float) -> bool:
        """Are all the rows of that moment there?"""
        return self._clock() >= moment + SETTLED

    def _still(self, facts: Facts) -> Thread | None:
        """What was found before, unless somebody else has better reasons."""
        before = self.thread
        if before is None or (before.proof in ("argument", "alone") and before.id in facts.taken):
            return None
        return before

    def _asked_for(self, facts: Facts) -> Thread | None:
        """By `codex resume ID`."""
        for word, following in zip(facts.argv, facts.argv[1:], strict=False):
            if word == "resume" and ID.fullmatch(following.lower()) and following.lower() not in facts.taken:
                return Thread(following.lower(), facts.started, "argument")
        return None

    def _alone(self, facts: Facts, files: Files, place: Home) -> Thread | None:
        """By being the only one who can have it."""
        found = [each for each in self._candidates(facts, files, place) if each[0] not in facts.taken]
        if facts.rivals:
            self._strange.update(id for id, _, _ in found if self.thread is None or id != self.thread.id)
            return None
        mine = [each for each in found if each[0] not in self._strange]
        known = self.thread is not None and self.thread.id in {id for id, _, _ in mine}
        if len(mine) == 1 or (mine and known):  # what came up since then is ours too
            id, path, up = max(mine, key=lambda each: each[2])
            return Thread(id, up, "alone", path)
        return None

    def _candidates(self, facts: Facts, files: Files, place: Home) -> list[tuple[str, str, float]]:
        """Threads in the agent's directory that were taken up, made or written in its time: id, rollout, and when."""
        found = []
        where = directory(facts)
        for id, path, modified in _rollouts(files, place):
            up = place.up.get(id)
            if up is None:
                up = created(id) or modified
            if up < facts.started - BEFORE or (place.loaded is not None and id not in place.loaded):
                continue
            told = self._meta(files, path)
            if told and told.person and told.cwd == where:
                found.append((id, path, up))
        return found

    def _child(self, files: Files, path: str) -> bool:
        """Does the thread belong to another one? Where nobody has said anything yet it has no rollout, and does not."""
        told = self._meta(files, path) if path else None
        return told is not None and told.child

    def _meta(self, files: Files, path: str) -> Meta | None:
        if path not in self._metas:
            part = files.part(path, 0, HEAD)
            told = meta(part.data) if part else None
            if told is None:
                return None
            if len(self._metas) >= RECENT:
                self._metas.clear()
            self._metas[path] = told
        return self._metas[path]

    def _with_rollout(self, thread: Thread, files: Files, place: Home) -> Thread:
        if thread.rollout and files.part(thread.rollout, 0, 0) is not None:
            return thread
        path = rollout(files, place, thread.id)
        return Thread(thread.id, thread.since, thread.proof, path)


def _follows(alone: Thread, found: Thread) -> bool:
    """Did it come up after the one that was found, which is not proved any better?"""
    return alone.since > found.since and alone.id != found.id


def days(id: str) -> tuple[str, ...]:
    """The folders below `sessions` that may hold a thread's rollout: it is named by the local day it was made on."""
    made = created(id)
    if made is None:
        return ()
    try:
        local = datetime.fromtimestamp(made)
        day = datetime.fromtimestamp(made, UTC)
    except (ValueError, OverflowError, OSError):
        return ()
    return tuple(dict.fromkeys(each.strftime("%Y/%m/%d") for each in (local, day)))


def rollout(files: Files, place: Home, id: str) -> str:
    """The rollout of a thread; "" where there is none."""
    folders = (f"{place.path}/sessions/{day}" for day in days(id))
    for folder in (*folders, *_last_days(files, place), f"{place.path}/archived_sessions"):
        for entry in files.list(folder):
            match = ROLLOUT.fullmatch(entry.name)
            if match and match[1] == id and not entry.folder:
                return f"{folder}/{entry.name}"
    told = files.query(
        _newest(files, place.path, "state_"), "SELECT rollout_path FROM threads WHERE id = ?", (id,)
    )
    path = told[0][0] if told else ""  # made in another time zone than ours
    return path if isinstance(path, str) and files.part(path, 0, 0) is not None else ""


def _rollouts(files: Files, place: Home) -> list[tuple[str, str, float]]:
    """Rollouts that may be in use: of the days of the loaded threads and of the last days. Id, path, last change."""
    folders: Iterable[str] = _last_days(files, place)
    wanted = place.loaded or frozenset(place.up)
    if wanted:
        made = {f"{place.path}/sessions/{day}" for id in sorted(wanted)[-RECENT:] for day in days(id)}
        folders = dict.fromkeys([*sorted(made, reverse=True)[:RECENT], *folders])
    found = []
    for folder in folders:
        for entry in files.list(folder, RECENT):
            if (match := ROLLOUT.fullmatch(entry.name)) and not entry.folder:
                found.append((match[1], f"{folder}/{entry.name}", entry.modified))
    return found


def _last_days(files: Files, place: Home) -> Sequence[str]:
    """The last two folders of rollouts."""
    return _levels(files, place)[-1]


def _levels(files: Files, place: Home) -> Sequence[Sequence[str]]:
    """The folder of all rollouts, then the last two of years, of months, and of days."""
    levels = [[f"{place.path}/sessions"]]
    for _ in ("year", "month", "day"):
        below = [
            f"{folder}/{entry.name}"
            for folder in levels[-1]
            for entry in files.list(folder)
            if entry.folder and entry.name.isdecimal()
        ]
        levels.append(sorted(below)[-2:])
    return levels


def _newest(files: Files, path: str, prefix: str) -> str:
    """The database with this name and the highest number, which grows with the versions."""
    numbered = re.compile(rf"{prefix}(\d{{1,6}})\.sqlite$")
    found = [
        (int(match[1]), entry.name) for entry in files.list(path) if (match := numbered.fullmatch(entry.name))
    ]
    return f"{path}/{max(found)[1]}" if found else ""


def _only(files: Files, database: str, moment: float, targets: Sequence[str], pids: set[int]) -> bool:
    """Did these processes, and no other one but the daemon, write such rows at that moment?"""
    asked = (*targets, DAEMON)
    rows = files.query(
        database,
        ROWS.format(",".join("?" * len(asked))),
        (int(moment - NEAR), int(moment + NEAR), *asked),
    )
    daemons, near = set(), set()
    for process, target, seconds, nanos in rows or ():
        match = re.match(r"pid:(\d{1,10}):", process) if isinstance(process, str) else None
        if match is None or not isinstance(seconds, int) or not isinstance(nanos, int):
            continue
        if target == DAEMON:
            daemons.add(int(match[1]))
        elif abs(seconds + nanos / 1e9 - moment) <= NEAR:
            near.add(int(match[1]))
    near -= daemons
    return bool(near) and near <= pids


def _tail(files: Files, path: str) -> Turn:
    part = files.part(path, -TAIL, TAIL)
    return follow(Turn(modern=True), part.data.split(b"\n")[1:] if part else ())


def titled(files: Files, place: Home, id: str) -> str | None:
    """The name of a thread: the one that the user or a model gave it; None where it has none but its first prompt."""
    database = _newest(files, place.path, "state_")
    rows = files.query(database, "SELECT name, title, first_user_message FROM threads WHERE id = ?", (id,))
    if rows is None:
        rows = files.query(
            database, "SELECT NULL, title, first_user_message FROM threads WHERE id = ?", (id,)
        )
    name, title, first = rows[0] if rows else (None, None, None)
    for told in (name, _indexed(files, place, id), title if title != first else None):
        if isinstance(told, str) and told.strip():
            return told
    return None


def _indexed(files: Files, place: Home, id: str) -> str | None:
    """The name in `session_index.jsonl`, where versions before the database wrote it: the last one counts."""
    part = files.part(f"{place.path}/session_index.jsonl", -TAIL, TAIL)
    for line in reversed(part.data.split(b"\n") if part else ()):
        try:
            named = INDEX.decode(line)
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        if named.id == id and isinstance(named.thread_name, str):
            return named.thread_name
    return None
