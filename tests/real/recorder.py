"""Writes down everything that opensessions could see of the agents in a world, and what was true meanwhile.

A recording is JSON lines: the first says what was run, each further one is `[seconds, what, details]`:

  file     `path`, and `add` (lines appended), `set` (the whole file, written anew) or `gone`
  rows     `path`, `table`, `columns`, `put` (rows that are new or changed), `cut` (keys of rows that went); a row's
           first value is its rowid, or 0. `schema` precedes the first rows of a file
  title, screen  `pane`; of a screen only the rows that changed
  began, changed, ended  a process: `pid`, `ppid`, `start` (ticks), `comm`, `exe`, `argv`, `cwd`, `env` (some names)
  open     `pid`, and the files of the home that it now holds open
  written  `pid`, `path`, `lines`: it appends to this file of lines, and its own last one is the one with this number;
           from /proc/PID/fdinfo
  heard    what a hook was told: `event`, `payload`, `pane` (of its environment), `ppid`
  truth    `of` (an instance), `state`, `earliest`, `why`, `alike`, `optional`: see `truth.Span`

Homes, machines and folders of this machine are replaced; long texts are cut.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.real import system
from tests.real.agents.driver import Driver, folder
from tests.real.llm.served import ROOT
from tests.real.truth import Span

HOME = "/home/user"
"""Stands for the world's home in a recording."""
LONGEST = 300
"""Characters of a text; of a longer one the beginning is kept."""
ENVIRONMENT = frozenset({
    "HOME", "TMUX_PANE", "PWD", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "OPENCODE_DB",
    "PI_CODING_AGENT_DIR", "GEMINI_CLI_HOME", "QWEN_HOME",
})  # fmt: skip


class Database:
    """One SQLite file: what changed in the tables of interest since the last look."""

    def __init__(self, path: Path, tables: tuple[str, ...]) -> None:
        self._tables = tables
        self._line = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, timeout=0.1, isolation_level=None, check_same_thread=False
        )
        self._version: int | None = None
        self._known: dict[str, dict[Any, tuple[Any, ...]] | None] = dict.fromkeys(tables)

    def changes(self) -> list[dict[str, Any]]:
        """Details of `rows`; [] where nothing changed, or it cannot be read at this moment."""
        try:
            version = self._line.execute("pragma data_version").fetchone()[0]
            if version == self._version:
                return []
            found = [each for table in self._tables for each in self._table(table)]
        except sqlite3.OperationalError:
            return []  # being made, or locked
        self._version = version
        return found

    def _table(self, table: str) -> list[dict[str, Any]]:
        sql = self._line.execute("select sql from sqlite_master where name = ?", (table,)).fetchone()
        if sql is None:
            return []
        rowid = "0" if "WITHOUT ROWID" in sql[0].upper() else "rowid"
        cursor = self._line.execute(f'select {rowid}, * from "{table}"')
        columns = [each[0] for each in cursor.description[1:]]
        rows = {row[0] or row[1]: tuple(_value(value) for value in row) for row in cursor.fetchall()}
        first = {"schema": sql[0]} if self._known[table] is None else {}
        known = self._known[table] or {}
        put = [row for key, row in rows.items() if known.get(key) != row]
        cut = [key for key in known if key not in rows]
        self._known[table] = rows
        details = {"table": table, "columns": columns, "put": put, "cut": cut}
        return [{**first, **details}] if first or put or cut else []

    def close(self) -> None:
        """Let go of the file."""
        self._line.close()


def _value(value: object) -> object:
    if isinstance(value, bytes):
        return None
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.dumps(cut(json.loads(value)), separators=(",", ":"), ensure_ascii=False)
        except ValueError:
            pass
    return cut(value)


def cut(value: Any) -> Any:
    """The value with long texts shortened."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:80] + "…"
    if isinstance(value, list):
        return [cut(each) for each in value]
    if isinstance(value, dict):
        return {name: cut(each) for name, each in value.items()}
    return value


class Growing:
    """A file of lines: what was appended since the last look."""

    def __init__(self) -> None:
        self._inode = -1
        self._offset = 0

    def changes(self, path: Path) -> dict[str, str] | None:
        """`add` or `set`; None where no complete line is new."""
        try:
            with path.open("rb") as file:
                about = system.os.fstat(file.fileno())
                anew = about.st_ino != self._inode or about.st_size < self._offset
                file.seek(0 if anew else self._offset)
                data = file.read()
        except FileNotFoundError:
            return None
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return None
        known = self._inode != -1
        self._inode, self._offset = about.st_ino, len(whole) if anew else self._offset + len(whole)
        text = "".join(f"{_line(line)}\n" for line in whole.decode("utf-8", "replace").splitlines())
        return {"set" if anew and known else "add": text}


def _appended(pid: int, path: Path) -> int:
    """How many bytes there were after the last line that the process appended to this file; 0 where it has not, or the
    system does not tell."""
    found = 0
    try:
        inode = path.stat().st_ino
        for each in Path(f"/proc/{pid}/fdinfo").iterdir():
            told = dict(line.partition(":")[::2] for line in each.read_text().splitlines())
            if int(told.get("ino", "0")) == inode and int(told["flags"], 8) & system.os.O_APPEND:
                found = max(found, int(told["pos"]))
    except OSError:
        pass  # the process, the file or a handle has just gone
    return found


def elsewhere(text: str) -> str:
    """The text without the names of hosts: what an agent wanted there is of no interest, and it did not get it."""
    return re.sub(
        r"\b(https?|ssh)://(?!127\.0\.0\.1)(?:[\w.-]+@)?[\w.-]+\.[a-z]{2,}", r"\1://elsewhere", text
    )


def _line(line: str) -> str:
    try:
        return json.dumps(cut(json.loads(line)), separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        return line[: 2 * LONGEST]


class Recorder:
    """Looks when it is told to; everything from one thread but `truth`."""

    def __init__(self, driver: Driver, home: Path, project: Path) -> None:
        self.driver, self.home, self.project = driver, home, project
        self.begun = time.time()
        self.events: list[tuple[float, str, dict[str, Any]]] = []
        self.panes: dict[str, tuple[str, int]] = {}
        self._looks = 0
        self._growing: dict[Path, Growing] = {}
        self._whole: dict[Path, tuple[int, int]] = {}
        self._databases: dict[Path, Database] = {}
        self._processes: dict[int, system.Stat] = {}
        self._foreign: set[tuple[int, int]] = set()
        self._argv: dict[int, list[str]] = {}
        self._open: dict[int, list[str]] = {}
        self._written: dict[tuple[int, Path], int] = {}
        """Pid and file -> how many bytes."""
        self._titles: dict[str, str] = {}
        self._screens: dict[str, list[str]] = {}
        self._heard = 0

    def _say(self, what: str, at: float | None = None, **details: Any) -> None:
        self.events.append(((at or time.time()) - self.begun, what, details))

    def truth(self, name: str, span: Span) -> None:
        """A fact."""
        self._say("truth", span.start, of=name, state=span.state, earliest=round(span.earliest - self.begun, 3),
                  why=span.why, alike=sorted(span.alike), optional=span.optional)  # fmt: skip

    def pane(self, name: str, title: str, screen: str) -> None:
        """What a pane shows."""
        title = (
            "host" if title == socket.gethostname() else title
        )  # what tmux calls a pane before anybody else does
        if self._titles.get(name) != title:
            self._titles[name] = title
            self._say("title", pane=name, text=title)
        rows = [line.rstrip() for line in screen.split("\n")]
        known = self._screens.get(name, [])
        rows += [""] * (len(known) - len(rows))  # tmux's empty last lines are cut off: they are empty now
        rows += [""] * (len(known) - len(rows))
        if rows != known:
            self._screens[name] = rows
            known = known + [""] * (len(rows) - len(known))
            changed = {str(place): row for place, row in enumerate(rows) if row != known[place]}
            self._say("screen", pane=name, rows=changed)

    def sample(self, panes: Mapping[str, tuple[str, int]]) -> None:
        """Look at files and processes. `panes`: an instance's pane and its shell."""
        self.panes.update(panes)
        self._look_at_files()
        self._look_at_processes()
        if self._looks % 2 == 0:
            self._look_at_databases()
        if self._looks % 6 == 0:
            self._look_at_open_files()
            self._look_at_positions()
        self._look_at_hooks()
        self._looks += 1

    def _name(self, path: Path) -> str:
        return f"{HOME}/{path.relative_to(self.home)}"

    def _look_at_files(self) -> None:
        for pattern in self.driver.lines:
            for path in self.home.glob(pattern):
                change = self._growing.setdefault(path, Growing()).changes(path)
                if change:
                    self._say("file", path=self._name(path), **change)
        found = {path for pattern in self.driver.whole for path in self.home.glob(pattern)}
        for path in found:
            try:
                about = path.stat()
                mark = (about.st_mtime_ns, about.st_ino)
                if self._whole.get(path) != mark:
                    text = path.read_text(errors="replace")
                    self._whole[path] = mark
                    self._say("file", path=self._name(path), set=_line(text) if text[:1] == "{" else text)
            except FileNotFoundError:
                continue
        for path in self._whole.keys() - found:
            del self._whole[path]
            self._say("file", path=self._name(path), gone=True)

    def _look_at_databases(self) -> None:
        for pattern, tables in self.driver.databases.items():
            for path in self.home.glob(pattern):
                if path not in self._databases:
                    self._databases[path] = Database(path, tables)
                for change in self._databases[path].changes():
                    self._say("rows", path=self._name(path), **change)

    def _look_at_processes(self) -> None:
        now = system.everything()
        for pid, known in list(self._processes.items()):
            if pid not in now or now[pid].start != known.start:
                del self._processes[pid]
                self._open.pop(pid, None)
                self._say("ended", pid=pid)
        for pid, each in now.items():
            if (pid, each.start) in self._foreign:
                continue
            new = pid not in self._processes
            if new and not self._belongs(each):
                self._foreign.add((pid, each.start))
                continue
            words = self._argv.get(pid, [])
            if new or self._looks % 5 == 0 or self._processes[pid].comm != each.comm:
                words = [word[:200] for word in system.argv(pid)[:12]]
            if new or words != self._argv[pid] or self._processes[pid].comm != each.comm:
                self._processes[pid], self._argv[pid] = each, words
                self._say("began" if new else "changed", **self._process(each, words))

    def _belongs(self, each: system.Stat) -> bool:
        environment = system.environment(each.pid)
        if environment.get("HOME") != str(self.home):
            return False
        words = system.argv(each.pid)
        return "tmux" not in each.comm and not ("-m" in words and "opensessions" in words)

    def _process(self, each: system.Stat, words: list[str]) -> dict[str, Any]:
        environment = system.environment(each.pid)
        return {
            "pid": each.pid, "ppid": each.ppid, "start": each.start, "session": each.session, "comm": each.comm,
            "exe": system.link(each.pid, "exe").rpartition("/")[2], "argv": words, "cwd": system.link(each.pid, "cwd"),
            "env": {name: value for name, value in environment.items() if name in ENVIRONMENT},
        }  # fmt: skip

    def _look_at_open_files(self) -> None:
        for pid in self._agents():
            paths = [path for path in system.open_files(pid, str(self.home)) if not path.endswith(".log")]
            if paths != self._open.get(pid, []):
                self._open[pid] = paths
                self._say("open", pid=pid, paths=paths)

    def _agents(self) -> list[int]:
        """The pids of the agent's own programs."""
        names = (self.driver.package.split("/")[-1], self.driver.kind.split("-")[0])
        programs = {pid: " ".join(words[:2]) for pid, words in self._argv.items() if pid in self._processes}
        return [pid for pid, program in programs.items() if any(name in program for name in names)]

    def _look_at_positions(self) -> None:
        for path in self._growing:
            for pid in self._agents():
                written = _appended(pid, path)
                if written and written != self._written.get((pid, path)):
                    self._written[pid, path] = written
                    with path.open("rb") as file:
                        data = file.read(written)
                    if data.endswith(b"\n"):
                        self._say("written", pid=pid, path=self._name(path), lines=data.count(b"\n"))

    def _look_at_hooks(self) -> None:
        path = self.home / "heard.jsonl"
        if not path.exists():
            return
        with path.open() as file:
            file.seek(self._heard)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._heard += len(whole.encode())
        for line in whole.splitlines():
            heard = json.loads(line)
            try:
                payload = cut(json.loads(heard["payload"] or "{}"))
            except ValueError:
                payload = {}
            self._say("heard", heard["at"], event=heard["event"], payload=payload, pane=heard["pane"],
                      ppid=heard["ppid"], cwd=heard["cwd"])  # fmt: skip

    # --- the end ----------------------------------------------------------------------------------------------

    def save(self, path: Path, end: float, **about: Any) -> None:
        """Write the recording, compressed. `end`: when what was true then ceases to count."""
        for each in self._databases.values():
            each.close()
        head = {
            **about, "agent": self.driver.kind, "version": self.driver.version, "home": HOME, "begun": self.begun,
            "end": round(end - self.begun, 3),
            "panes": {name: {"pane": pane, "shell": shell} for name, (pane, shell) in self.panes.items()},
        }  # fmt: skip
        scrub = self._scrubber()
        lines = [
            head,
            *(
                [round(at, 3), what, details]
                for at, what, details in sorted(self.events, key=lambda each: each[0])
                if at <= end - self.begun
            ),
        ]
        text = "".join(
            scrub(json.dumps(line, separators=(",", ":"), ensure_ascii=False)) + "\n" for line in lines
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a name and a time in it, the same content gives the same bytes.
        path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))

    def _scrubber(self) -> Callable[[str], str]:
        home, project = str(self.home), str(self.project)
        pairs = [
            (str(folder().resolve()), "/agents"), (str((folder() / "node_modules").resolve()), "/agents/node_modules"),
            (str((folder() / "opencode").resolve()), "/agents/opencode"),
            (str(folder()), "/agents"), (str(ROOT), "/src"), (sys.executable, "/usr/bin/python3"),
            (str(Path(sys.executable).resolve()), "/usr/bin/python3"),
            (hashlib.sha256(project.encode()).hexdigest(), hashlib.sha256(f"{HOME}/project".encode()).hexdigest()),
            (home, HOME), (re.sub(r"[^A-Za-z0-9]", "-", home), "-home-user"), (home[1:].replace("/", "-"), "home-user"),
        ]  # fmt: skip
        host = socket.gethostname()
        if len(host) > 3:
            pairs.append((host, "host"))
        pairs.sort(key=lambda pair: -len(pair[0]))

        def scrub(text: str) -> str:
            for found, stands in pairs:
                text = text.replace(found, stands)
            return elsewhere(text)

        return scrub
