"""What every kind of agent must hold to, known ones and those that are added.

Files are given in four ways: none at all, an imaginary disk on which whatever is asked for exists and holds nonsense, a
real one with sparse files of 500 MB, and one that refuses everything.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opensessions.agents
from opensessions.agents.adapter import Entry, Facts, Files, Heard, Ignored, Look, Part
from opensessions.agents.detect import recognise
from opensessions.agents.kind import Kind
from opensessions.agents.known import KINDS, kinds
from opensessions.agents.signal import Signal
from opensessions.config import rules
from opensessions.files.disk import Disk
from opensessions.model import URGENCY, Process
from tests.agents.replay import DATA

EVERY = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
READING = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.reader], ids=[kind.name for kind in KINDS if kind.reader]
)
HEARING = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.hears], ids=[kind.name for kind in KINDS if kind.hears]
)
READ = {"registry", "transcript", "database"}
"""What a reader may speak as; hooks, titles and screens are heard elsewhere."""
MUCH = 48 << 20
"""Bytes that one look may read or hold."""


# --- names ------------------------------------------------------------------------------------------------------


def test_names_are_unique() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for names in (
        [name for kind in KINDS for name in kind.executables | kind.needing],
        [name for kind in KINDS for name in kind.packages],
        [name for kind in KINDS for name in kind.modules],
    ):
        assert sorted(names) == sorted(set(names))


def test_the_configuration_knows_the_same_names() -> None:
    assert tuple(sorted(kind.name for kind in KINDS)) == rules.SHIPPED


def test_every_file_with_a_kind_is_among_the_known_ones() -> None:
    modules = [
        importlib.import_module(f"opensessions.agents.{each.name}")
        for each in pkgutil.iter_modules(opensessions.agents.__path__)
    ]
    found = {module.__name__: module.KIND for module in modules if hasattr(module, "KIND")}
    assert sorted(kind.name for kind in found.values()) == sorted(kind.name for kind in KINDS)


@EVERY
def test_names_are_whole_base_names_in_lower_case(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*", kind.name)
    assert kind.executables or kind.needing
    for name in kind.executables | kind.needing | kind.modules:
        assert re.fullmatch(r"\.?[a-z0-9][a-z0-9._-]*", name)
    for package in kind.packages:
        assert re.fullmatch(r"(?:@[a-z0-9-]+/)?[a-z0-9._-]+", package)


@EVERY
def test_it_is_recognised_by_its_names_and_a_file_of_that_name_in_an_editor_is_not(kind: Kind) -> None:
    table = kinds()
    for name in kind.executables:
        assert _recognised(table, [f"/usr/bin/{name}"], name) is kind
        assert _recognised(table, ["/usr/bin/vim", name], "vim") is None
        assert _recognised(table, ["/bin/bash", "-c", f"{name}; true"], "bash") is None
        assert _recognised(table, [f"/home/{name}/bin/make"], "make") is None
    for package in kind.packages:
        path = f"/usr/lib/node_modules/{package}/dist/start-of-it.js"
        assert _recognised(table, ["/usr/bin/node", path], "node") is kind


def _recognised(table: Any, argv: list[str], comm: str) -> Kind | None:
    match = recognise(Process(pid=5, ppid=1, start=9, comm=comm[:15], exe=comm, argv=tuple(argv)), table)
    return match.kind if match else None


@EVERY
def test_its_page_says_which_versions_were_seen(kind: Kind) -> None:
    page = _module(kind).__doc__ or ""
    assert re.search(r"\d\.\d|not run here|not seen running|public documentation", page), page


def _module(kind: Kind) -> Any:
    for each in pkgutil.iter_modules(opensessions.agents.__path__):
        module = importlib.import_module(f"opensessions.agents.{each.name}")
        if getattr(module, "KIND", None) is kind:
            return module
    raise AssertionError(kind.name)


# --- titles and screens -----------------------------------------------------------------------------------------

ORDINARY_TITLES = (
    "", "vm", "bash", "root@vm: ~/proj", "~/proj", "proj", "vim README.md", "npm run dev", "htop", "make: *** waiting",
    "ready", "working", "agent", "- -", "(1) inbox",
)  # fmt: skip
ORDINARY_SCREENS = (
    "$ ls\nREADME.md  src  tests\n$ ",
    "commit 1f3b2c4\nAuthor: A <a@b.c>\n\n    Allow once, deny later\n\n$ ",
    "Proceed with installation? [Y/n] ",
    "Do you want to continue? (yes/no)",
    "Password: ",
    "collected 3 items\n\ntests/test_x.py ...   [100%]\n3 passed in 0.12s\nuser@vm:~/proj$ ",
    "  PID USER  CPU%\n 4242 root  99.0\n",
    "Waiting for the server to start...\nListening on port 3000\n",
    "~\n~\n-- INSERT --                 1,1  All",
)
ALIKE = ({"gemini", "qwen"}, {"opencode", "kilo"}, {"claude-code", "codex"}, {"copilot", "codex"})
"""They use the same words: forks, or nearly so. Which of them a pane runs is told by its processes."""


@EVERY
def test_no_title_rule_hides_another(kind: Kind) -> None:
    for rule in kind.titles:
        assert rule.states
        for text in (*rule.starts, *(f"a {text} b" for text in rule.holds)):
            signal = kind.title(text)
            assert signal is not None
            assert signal.states == rule.states


@EVERY
def test_no_screen_rule_hides_another(kind: Kind) -> None:
    for rule in kind.screens:
        assert rule.states
        assert rule.lines <= 40
        for texts in rule.holds:
            assert all(text == text.lower() for text in texts)
            signal = kind.screen("\n".join(texts).splitlines())
            assert signal is not None
            assert signal.states == rule.states, texts


@EVERY
def test_an_ordinary_title_says_nothing(kind: Kind) -> None:
    assert [title for title in ORDINARY_TITLES if kind.title(title)] == []


@EVERY
def test_an_ordinary_screen_says_nothing(kind: Kind) -> None:
    assert [screen for screen in ORDINARY_SCREENS if kind.screen(screen.splitlines())] == []


@EVERY
def test_the_screens_of_other_agents_say_nothing(kind: Kind) -> None:
    taken = []
    for path in sorted(DATA.glob("*/screens/*.txt")):
        agent = path.parents[1].name.partition("-")[0].replace("claude", "claude-code")
        related = agent == kind.name or any({agent, kind.name} <= pair for pair in ALIKE)
        signal = None if related else kind.screen(path.read_text().splitlines())
        if signal:
            taken.append((str(path.relative_to(DATA)), signal.detail))
    assert taken == []


@EVERY
def test_what_somebody_typed_further_up_is_not_taken_for_a_prompt(kind: Kind) -> None:
    for rule in kind.screens:
        for texts in rule.holds:
            lines = ["\n".join(texts), *(f"line {number} of an answer" for number in range(rule.lines))]
            assert kind.screen("\n".join(lines).splitlines()) is None


@EVERY
@given(st.text(max_size=100), st.lists(st.text(max_size=60), max_size=30))
def test_no_title_and_no_screen_whatever_fails(kind: Kind, title: str, lines: list[str]) -> None:
    for signal in (kind.title(title), kind.screen(lines)):
        _check(signal)


@EVERY
def test_it_can_be_told_apart_what_is_asked_of_the_screen_and_what_it_trusts(kind: Kind) -> None:
    assert kind.screen_for <= set(URGENCY)
    assert not kind.screen_for or kind.screens
    assert len(set(kind.trust)) == len(kind.trust)
    assert kind.title_lag >= 0
    assert not kind.resume or "{thread}" in kind.resume
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in kind.environment)


def _check(signal: Signal | Ignored | None) -> None:
    """Is it well-formed?"""
    if not isinstance(signal, Signal):
        return
    assert signal.states
    assert signal.states <= set(URGENCY) - {"hibernated"}
    assert signal.lag >= 0
    assert signal.good_for is None or signal.good_for > 0
    assert signal.at is None or isinstance(signal.at, float | int)
    assert isinstance(signal.detail, str)
    about = signal.about
    for text in (about.thread, about.title, about.prompt, about.waiting_for):
        assert text is None or isinstance(text, str)
    assert about.background is None or isinstance(about.background, int)


# --- hooks ------------------------------------------------------------------------------------------------------

WORDS = (
    "type", "message", "payload", "role", "content", "text", "timestamp", "id", "sessionId", "session_id", "cwd",
    "status", "stopReason", "stop_reason", "state", "source", "reason", "notification_type", "tool_name", "details",
    "properties", "info", "time", "parts", "toolCalls", "$set", "messages", "startTime", "projectHash", "subtype",
    "event", "error", "pid", "procStart", "kind", "updatedAt", "statusUpdatedAt", "waitingFor", "background_tasks",
)  # fmt: skip
PLAIN = (
    "user", "assistant", "gemini", "message", "busy", "idle", "error", "done", "2026-11-21T12:00:00Z", "ToolPermission",
    "2026-11-21T12:00:00", "text", "tool_use", "tool_result", "toolUse", "response_item", "event_msg", "task_started",
)  # fmt: skip
EVENTS = (
    "SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "Stop",
    "StopFailure", "Notification", "PermissionRequest", "PermissionDenied", "Interrupt", "SubagentStart",
    "SubagentStop", "BeforeAgent", "AfterAgent", "BeforeTool", "AfterTool", "agent_start", "agent_end", "turn_start",
    "message_start", "message_end", "tool_execution_start", "tool_execution_end", "session_start", "session_shutdown",
    "agent.start", "agent.end", "session.start", "session.status", "session.idle", "session.error", "session.created",
    "permission.asked", "permission.replied", "question.asked", "message.updated", "message.part.updated",
    "agent-turn-complete", "userPromptSubmitted", "agentStop", "errorOccurred", "beforeSubmitPrompt", "stop",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(PLAIN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=10)


@HEARING
@settings(max_examples=100, deadline=None)
@given(event=st.sampled_from(EVENTS) | st.text(max_size=20), payload=OBJECTS)
def test_no_hook_whatever_fails(kind: Kind, event: str, payload: dict[str, Any]) -> None:
    assert kind.hears is not None
    said = kind.hears(Heard(event, payload))
    assert said is None or isinstance(said, Signal | Ignored)
    _check(said)
    if isinstance(said, Signal):
        assert said.source == "hook"
        assert said.event, "a hook tells of a moment"


# --- readers ----------------------------------------------------------------------------------------------------

HOME = "/home/somebody"


def facts(home: str = HOME, **other: Any) -> Facts:
    settings = {"pid": 42, "start": 4711, "started": time.time() - 60, "cwd": f"{home}/proj", **other}
    return Facts(env={"HOME": home}, below=(43,), **settings)


def look(kind: Kind, files: Files, times: int = 1, **other: Any) -> Look:
    assert kind.reader is not None
    reader = kind.reader()
    last = Look()
    for _ in range(times):
        last = reader.look(facts(**other), files)
        assert len(last.watch) <= 16
        assert all(path.startswith("/") and "\0" not in path for path in last.watch)
        assert last.again is None or last.again > 0
        assert len({signal.source for signal in last.signals}) == len(last.signals)
        for signal in last.signals:
            assert signal.source in READ
            assert not signal.event, "what a file says, it still says"
            _check(signal)
    return last


class Nothing:
    """A disk on which there is nothing, or nothing that may be read."""

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        return ()

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        return None

    def part(self, path: str, start: int, length: int) -> Part | None:
        return None

    def open_by(self, pid: int) -> Sequence[str]:
        return ()

    def stat_start(self, pid: int) -> int | None:
        return None

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        return None


NAMES = (
    "42.json", "43.json", "session-2026-11-21T12-00-abcdef12.jsonl", "session-2026-11-21T12-00-abcdef12.json",
    "2026-11-21T12-00-00-000Z_01a1fdfc-4697-725f-ab32-abc89577bf9e.jsonl",
    "rollout-2026-11-21T12-00-00-01a1fdfc-4697-725f-ab32-abc89577bf9e.jsonl",
    "01a1fdfc-4697-725f-ab32-abc89577bf9e.jsonl", "T-01a1fdfc-4697-725f-ab32-abc89577bf9e.json",
    "01a1fdfc-4697-725f-ab32-abc89577bf9e", "2026", "11", "21", "events.jsonl", "inuse.42.lock", "odd\nname", "….jsonl",
)  # fmt: skip
FOLDERS = {"2026", "11", "21", "01a1fdfc-4697-725f-ab32-abc89577bf9e"}


class Nonsense(Nothing):
    """A disk on which everything exists, holds nonsense and changes with each look."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._inode = 0

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        if folder.count("/") > 12:
            return ()
        now = time.time()
        names = self._dice.sample(NAMES, self._dice.randrange(6))
        return [
            Entry(name, 500, self._dice.choice([0.0, now, now - 30, 1e12]), name in FOLDERS) for name in names
        ][:limit]

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        return self._contents()[:limit]

    def part(self, path: str, start: int, length: int) -> Part | None:
        data = self._contents()
        self._inode += self._dice.randrange(2)
        begin = max(0, len(data) + start) if start < 0 else start
        return Part(data[begin : begin + length], begin, len(data), self._inode)

    def open_by(self, pid: int) -> Sequence[str]:
        return [f"/somewhere/{name}" for name in NAMES[:8]]

    def stat_start(self, pid: int) -> int | None:
        return self._dice.choice([None, 4711, 5])

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        columns = _columns(sql)
        return self._dice.choice(
            [None, [[self._cell() for _ in range(columns)] for _ in range(self._dice.randrange(4))]]
        )

    def _cell(self) -> object:
        return self._dice.choice(
            [None, 5, -1, 0.5, 1e300, "", "done", b"\xff", json.dumps(self._value(3)), json.dumps({})]
        )

    def _value(self, depth: int) -> object:
        choice = self._dice.randrange(12 if depth else 8)
        if choice < 8:
            plain = (None, True, 7, -1, 1e300, "", self._dice.choice(PLAIN), "\ud800\n\x1b[31m")
            return plain[choice]
        inside = [self._value(depth - 1) for _ in range(self._dice.randrange(5))]
        return (
            inside if choice == 8 else dict(zip(self._dice.sample(WORDS, len(inside)), inside, strict=True))
        )

    def _contents(self) -> bytes:
        lines = []
        for _ in range(self._dice.randrange(8)):
            inside = [self._value(4) for _ in range(self._dice.randrange(8))]
            whole = json.dumps(dict(zip(self._dice.sample(WORDS, len(inside)), inside, strict=True))).encode()
            lines.append(self._dice.choice([whole, whole, whole, self._dice.randbytes(30), b"[" * 3000]))
        return b"\n".join(lines) + self._dice.choice([b"", b"\n", b"\r\n", b'{"type":'])


def _columns(sql: str) -> int:
    """How many values a row of this query has."""
    depth, count = 0, 1
    for place, sign in enumerate(sql):
        depth += (sign == "(") - (sign == ")")
        count += sign == "," and not depth
        if not depth and re.match(r"\sfrom\s", sql[place : place + 6], re.IGNORECASE):
            break
    return count


@READING
@pytest.mark.parametrize("rivals", [0, 1])
def test_where_there_is_no_file_nothing_is_said(kind: Kind, rivals: int) -> None:
    assert look(kind, Nothing(), rivals=rivals).signals == ()


@READING
@pytest.mark.parametrize(
    "odd", [{"cwd": ""}, {"cwd": "/"}, {"cwd": "/gone (deleted)"}, {"argv": ("x", "-y", "")}]
)
def test_odd_facts_are_borne(kind: Kind, odd: dict[str, Any]) -> None:
    assert look(kind, Nothing(), **odd).signals == ()


@READING
def test_no_content_whatever_fails(kind: Kind) -> None:
    for seed in range(60):
        look(kind, Nonsense(seed), times=3, rivals=seed % 2)


@READING
def test_it_survives_that_its_files_vanish(kind: Kind, tmp_path: Path) -> None:
    assert kind.reader is not None
    reader = kind.reader()
    grown = _grow(kind, tmp_path, lambda path: path.write_bytes(b'{"type":"user"}\n'))
    for files in (grown, Nothing(), grown, Nothing()):
        reader.look(facts(str(tmp_path)), files)


@READING
def test_folders_pipes_and_links_to_themselves_in_place_of_files(kind: Kind, tmp_path: Path) -> None:
    kinds_of_thing = iter(range(10_000))

    def odd(path: Path) -> None:
        match next(kinds_of_thing) % 3:
            case 0:
                path.mkdir()
            case 1:
                os.mkfifo(path)
            case _:
                path.symlink_to(path)

    files = _grow(kind, tmp_path, odd)
    said = look(kind, files, times=2, home=str(tmp_path)).signals
    assert [signal for signal in said if signal.states != {"idle"}] == [], (
        "at most that nothing was written yet"
    )


@READING
def test_files_of_500_mb_are_read_in_bounded_pieces(kind: Kind, tmp_path: Path) -> None:
    def huge(path: Path) -> None:
        with path.open("wb") as file:
            file.write(b'{"type":"user","message":{"content":"hi"}}\n')
            file.truncate(500 << 20)
            file.seek(0, 2)
            file.write(b'\n{"type":"user","message":{"content":"hi"}}\n')

    files = _grow(kind, tmp_path, huge)
    assert kind.reader is not None
    reader = kind.reader()
    for _ in range(3):
        files.bytes = files.largest = 0
        tracemalloc.start()
        try:
            reader.look(facts(str(tmp_path)), files)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert files.bytes <= MUCH
        assert files.largest <= 5 << 20
        assert peak <= MUCH


class Counting(Disk):
    """The real disk, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.bytes = 0
        self.largest = 0
        self.asked: set[str] = set()
        self.listed: set[str] = set()

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        self.listed.add(folder)
        return super().list(folder, limit)

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        self.asked.add(path)
        return self._counted(super().read(path, limit))

    def part(self, path: str, start: int, length: int) -> Part | None:
        self.asked.add(path)
        part = super().part(path, start, length)
        self._counted(part.data if part else None)
        return part

    def open_by(self, pid: int) -> Sequence[str]:
        return ()

    def stat_start(self, pid: int) -> int | None:
        return 4711

    def query(self, path: str, sql: str, values: Sequence[object] = ()) -> Sequence[Sequence[Any]] | None:
        self.asked.add(path)
        return super().query(path, sql, values)

    def _counted(self, data: bytes | None) -> bytes | None:
        self.bytes += len(data or b"")
        self.largest = max(self.largest, len(data or b""))
        return data


def _grow(kind: Kind, home: Path, make: Callable[[Path], object]) -> Counting:
    """A home with everything that the reader asks for, step by step as empty files, which `make` then replaces."""
    assert kind.reader is not None
    files = Counting()
    made: set[Path] = set()
    for _ in range(5):
        kind.reader().look(facts(str(home)), files)
        for folder in _inside(files.listed, home):
            if not folder.exists() and made.isdisjoint(folder.parents):
                folder.mkdir(parents=True)
                for name in NAMES:
                    if name in FOLDERS:
                        (folder / name).mkdir()
                    else:
                        (folder / name).touch()
                        made.add(folder / name)
        for path in _inside(files.asked, home):
            if not path.exists() and made.isdisjoint(path.parents):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
                made.add(path)
    assert made, "it reads nothing"
    for path in made:
        path.unlink()
        make(path)
    return files


def _inside(paths: set[str], home: Path) -> Iterator[Path]:
    """Those below `home`, the shorter ones first."""
    yield from (Path(path) for path in sorted(paths) if path.startswith(f"{home}/") and "\0" not in path)
