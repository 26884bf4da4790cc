"""Reads what OpenCode, or a fork of it, keeps of one running program's conversation. Seen with 1.18.33.

The database holds no pid, and all programs of a user share it. Which conversation a program works on is proven by its
lines in the log (`opencode.log`), else said by its arguments, else it is the one of its folder that was worked on last
since it started, if it is alone there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from opensessions.agents.adapter import Facts, Files, Look
from opensessions.agents.opencode.db import Database, Session
from opensessions.agents.opencode.log import Log
from opensessions.agents.opencode.tree import Tree
from opensessions.agents.opencode.turn import Conversation, Message, Tool, said, signals
from opensessions.agents.signal import About

UNNAMED = re.compile(r"(?:New|Child) session - \d{4}-\d\d-\d\dT")
"""Titles that stand until the conversation has a real one."""
HINTING = re.compile(r"[1-9]\d*\.\d+\.\d+")
"""Versions whose shell tells when it begins: 1.18.33 was seen."""
SHOWN_LATE = 1.0
"""Seconds after which to look again while it is not known which lines of the log are the program's."""


class Places(Struct, frozen=True):
    """Where a program of this family keeps its files."""

    name: str
    """Of the folder in the data folder, of the database, and of the log."""
    database: str
    """The variable that names another database."""
    hints: bool = False
    """See `Conversation.hints`."""

    def folder(self, facts: Facts) -> str:
        """The data folder."""
        home = facts.env.get("XDG_DATA_HOME") or f"{facts.env.get('HOME', '')}/.local/share"
        return f"{home}/{self.name}"

    def databases(self, facts: Facts) -> list[str]:
        """Where the database may be, the likeliest first. A release channel other than the main one has its own."""
        folder = self.folder(facts)
        named = facts.env.get(self.database, "")
        if named and named != ":memory:":
            return [named if named.startswith("/") else f"{folder}/{named}"]
        return [f"{folder}/{self.name}.db"]

    def is_database(self, path: str) -> bool:
        """Does an open file with this path look like one?"""
        base = path.rpartition("/")[2]
        return bool(re.fullmatch(rf"{re.escape(self.name)}(-[\w.-]+)?\.db", base))


class Reader:
    """See `adapter.Reader`."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._path = ""
        """The database that the program was seen to hold open."""
        self._log: Log | None = None

    def look(self, facts: Facts, files: Files) -> Look:
        """See `adapter.Reader.look`."""
        path = self._database(facts, files)
        log = self._read_log(facts, files)
        watch = (path, f"{path}-wal", log.path)
        if files.part(path, 0, 1) is None:
            return self._look_at_tree(facts, files, watch)
        database = Database(files, path)
        session = self._mine(facts, database, log)
        again = None if log.known else SHOWN_LATE
        if session is None:
            return Look(watch=watch, again=again if facts.rivals else None)
        user, assistant = database.last(session.id)
        told = said(
            Conversation(
                user, assistant, database.tools(assistant.id) if assistant else (), database.now(), facts.started,
                session.created, self._places.hints and bool(HINTING.match(session.version)),
            )
        )  # fmt: skip
        if told is None:
            return Look(watch=watch)
        prompt = database.prompt(user.id) if user else None
        about = _about(session, prompt, told.waiting_for, database.children(session.id, facts.started))
        return Look(signals(told, about), watch, _soonest(told.again, again if facts.rivals else None))

    def _database(self, facts: Facts, files: Files) -> str:
        if not self._path:
            expected = self._places.databases(facts)
            opened = [path for pid in (facts.pid, *facts.below) for path in files.open_by(pid)]
            self._path = next(
                (path for path in opened if path in expected or self._places.is_database(path)), ""
            )
            return self._path or expected[0]
        return self._path

    def _read_log(self, facts: Facts, files: Files) -> Log:
        path = f"{self._path.rpartition('/')[0] or self._places.folder(facts)}/log/{self._places.name}.log"
        if self._log is None or self._log.path != path:
            self._log = Log(path)
        self._log.read(facts, files)
        return self._log

    def _mine(self, facts: Facts, database: Database, log: Log) -> Session | None:
        """The program's conversation; None where that cannot be told."""
        proven = next((found for id in log.own() if (found := database.session(id))), None)
        resumed = resumed_session(facts.argv)
        if facts.rivals:
            if proven or (log.known and not resumed):
                return proven
            return database.session(resumed) if resumed and resumed not in facts.taken else None
        here = [
            session for session in database.sessions(facts.cwd, facts.env.get("PWD", ""))
            if session.id not in facts.taken and session.id not in log.others()
        ]  # fmt: skip
        newest = here[0] if here and here[0].updated >= facts.started else None
        if proven and newest:
            return max(proven, newest, key=lambda session: session.updated)
        if proven or newest:
            return proven or newest
        if resumed:
            return database.session(resumed)
        return here[0] if here and continued(facts.argv) else None

    def _look_at_tree(self, facts: Facts, files: Files, watch: Sequence[str]) -> Look:
        """The files of versions before the database."""
        tree = Tree(files, f"{self._places.folder(facts)}/storage")
        session = None if facts.rivals else tree.session(facts)
        if session is None:
            return Look(watch=(*watch, f"{tree.path}/message"))
        user, assistant = tree.last(session.id)
        tools: tuple[Tool, ...] = tree.tools(assistant.id) if assistant else ()
        told = said(Conversation(user, assistant, tools, None, facts.started))
        watch = (*watch, *tree.watched(session.id, _ids(user, assistant)))
        if told is None:
            return Look(watch=watch)
        about = _about(session, tree.prompt(user.id) if user else None, told.waiting_for, None)
        return Look(signals(told, about), watch, told.again)


def resumed_session(argv: Sequence[str]) -> str:
    """The conversation in `-s ID`, `--session ID` or `--session=ID`; "" where there is none."""
    for place, word in enumerate(argv):
        if word in ("-s", "--session") and place + 1 < len(argv):
            return argv[place + 1]
        if word.startswith("--session="):
            return word.partition("=")[2]
    return ""


def continued(argv: Iterable[str]) -> bool:
    """Was it started with `-c`: with the last conversation of its folder?"""
    return not {"-c", "--continue"}.isdisjoint(argv)


def _about(session: Session, prompt: str | None, waiting_for: str | None, background: int | None) -> About:
    title = session.title if session.title and not UNNAMED.match(session.title) else None
    return About(session.id, title, prompt, waiting_for, background)


def _ids(*messages: Message | None) -> list[str]:
    return [message.id for message in messages if message]


def _soonest(*moments: float | None) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)
