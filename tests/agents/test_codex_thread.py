"""Whose thread is it: what proves it, and that nothing else is taken for a proof."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from opensessions.agents.adapter import Facts
from opensessions.agents.codex import Codex
from opensessions.agents.codex.thread import (
    GLIMPSE,
    POLL,
    SETTLED,
    Finder,
    Thread,
    created,
    directory,
    home,
    survey,
    titled,
)
from tests.agents.codex_samples import NOW, Clock, Home, Machine, event, line, thread

A, B, C = thread(NOW + 0.9, 1), thread(NOW + 1.9, 2), thread(NOW + 60, 3)
STARTUP = "codex_tui::app::startup"
SESSION = "rmcp::transport::streamable_http_server::session::local"
LAYER = "codex_config::loader::layer_io"
SPOKE = "codex_tui::app::agent_message_consolidation"
SERVED = "codex_app_server::message_processor"
DAEMON = 99


class Bench:
    """A finder of one agent at work."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.machine = Machine()
        self.clock = Clock()
        self.finders: dict[int, Finder] = {}

    def find(self, facts: Facts) -> Thread | None:
        finder = self.finders.setdefault(facts.pid, Finder(self.clock))
        return finder.find(facts, self.machine, survey(self.machine, home(facts)))

    def again(self, facts: Facts) -> float | None:
        return self.finders[facts.pid].again(facts, survey(self.machine, home(facts)))

    def settle(self) -> None:
        self.clock.now += SETTLED + 60

    def hold(self, pid: int, *paths: str) -> None:
        self.machine.held[pid] = [str(self.home.path / path) for path in paths]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def found(thread: Thread | None) -> tuple[str, str] | None:
    return (thread.id, thread.proof) if thread else None


def test_where_its_home_is() -> None:
    facts = Facts(1, 1, 1.0, env={"HOME": "/home/u"})
    assert home(facts) == "/home/u/.codex"
    assert home(Facts(1, 1, 1.0, env={"HOME": "/home/u", "CODEX_HOME": "/x/codex"})) == "/x/codex"
    assert home(Facts(1, 1, 1.0, env={"HOME": "/home/u", "CODEX_HOME": "relative"})) == "/home/u/.codex"


@pytest.mark.parametrize(
    ("argv", "where"),
    [
        (("codex",), "/lab"),
        (("codex", "-C", "proj"), "/lab/proj"),
        (("codex", "--cd", "/other/"), "/other"),
        (("codex", "--cd=../x"), "/x"),
        (("codex", "-C"), "/lab"),
    ],
)
def test_where_it_works(argv: tuple[str, ...], where: str) -> None:
    assert directory(Facts(1, 1, 1.0, argv=argv, cwd="/lab")) == where


def test_when_a_thread_was_made() -> None:
    assert created(A) == NOW + 0.9
    assert created("01a1fdfb-2fc5-7d83-9a4a-dcfa105d25d5") == pytest.approx(1795262459.845)
    assert created("5973b6c0-94b8-487b-a530-2aeb6098ae0e") is None


# --- without a daemon -------------------------------------------------------------------------------------------


def test_what_a_process_holds_open_is_its_own_thread(bench: Bench) -> None:
    """Two in one directory stay two, and the program below an npm launcher counts."""
    for id, pid in ((A, 11), (B, 21)):
        bench.home.take_up(id, NOW + 2)
        bench.hold(pid, f"thread-writer-locks/{id}.lock", str(bench.home.rollout(id, NOW)))
    a, b = bench.home.facts(10, below=(11,), rivals=1), bench.home.facts(20, below=(21,), rivals=1)
    assert bench.find(a) == Thread(A, NOW + 2, "file", str(bench.home.rollout(A, NOW)))
    assert found(bench.find(b)) == (B, "file")
    assert bench.again(a) is None


def test_a_lock_that_is_only_tried_is_not_its_own(bench: Bench) -> None:
    """Seen at the start of another one without the daemon; and lists of sessions open rollouts to read them."""
    facts = bench.home.facts(10, started=NOW + 50, rivals=1)
    bench.home.take_up(A, NOW + 1)
    bench.home.take_up(C, NOW + 60)
    for glimpse in (f"thread-writer-locks/{C}.lock", str(bench.home.rollout(C, NOW))):
        bench.hold(10, glimpse)
        assert bench.find(facts) is None
        assert bench.again(facts) == GLIMPSE
        bench.hold(10)
        assert bench.find(facts) is None
    bench.hold(10, f"thread-writer-locks/{A}.lock")
    for _ in range(3):
        assert bench.find(facts) is None  # taken up before this process began
    bench.hold(10, f"thread-writer-locks/{C}.lock")
    taken = bench.home.facts(10, started=NOW + 50, rivals=1, taken=frozenset({C}))
    for _ in range(3):
        assert bench.find(taken) is None
    assert found(bench.find(facts)) == (C, "file")
    assert bench.again(facts) is None


def test_after_new_the_thread_that_was_taken_up_last_counts(bench: Bench) -> None:
    """The former one is held for a minute."""
    facts = bench.home.facts(10)
    bench.home.take_up(A, NOW + 1)
    bench.hold(10, f"thread-writer-locks/{A}.lock")
    bench.find(facts)
    assert found(bench.find(facts)) == (A, "file")
    bench.home.take_up(C, NOW + 60)
    bench.hold(10, f"thread-writer-locks/{A}.lock", f"thread-writer-locks/{C}.lock")
    assert found(bench.find(facts)) == (A, "file")
    assert bench.again(facts) == GLIMPSE
    assert found(bench.find(facts)) == (C, "file")
    bench.home.take_up(A, NOW + 90)  # /resume
    assert found(bench.find(facts)) == (A, "file")


def test_before_there_were_locks_the_rollout_alone_counts(bench: Bench) -> None:
    path = bench.home.rollout(A, NOW)
    bench.hold(10, str(path))
    assert bench.find(bench.home.facts(10, rivals=1)) == Thread(A, NOW, "file", str(path))


def test_threads_of_subagents_and_reviews_are_not_the_agents(bench: Bench) -> None:
    own = bench.home.rollout(A, NOW)
    below = bench.home.rollout(C, NOW, source={"subagent": "review"})
    bench.hold(10, *(str(path) for path in (own, below)))
    assert found(bench.find(bench.home.facts(10))) == (A, "file")


def test_a_scripts_thread_is_its_own_too(bench: Bench) -> None:
    own = bench.home.rollout(A, NOW, source="exec", originator="codex_exec")
    bench.hold(10, str(own))
    assert found(bench.find(bench.home.facts(10, argv=("codex", "exec", "do it")))) == (A, "file")


def test_a_daemon_is_never_the_program(bench: Bench) -> None:
    bench.hold(10, "state_5.sqlite", "app-server-daemon/daemon.stderr.log", str(bench.home.rollout(A, NOW)))
    assert bench.find(bench.home.facts(10, rivals=1)) is None


# --- with the daemon --------------------------------------------------------------------------------------------


def two_with_a_daemon(bench: Bench) -> tuple[Facts, Facts]:
    """As measured: the daemon below the first one holds everything, and rows bear the pids."""
    bench.home.take_up(A, NOW + 0.901)
    bench.home.take_up(B, NOW + 5.493)
    held = [f"thread-writer-locks/{id}.lock" for id in (A, B)]
    bench.hold(11, "state_5.sqlite")
    bench.hold(21, "state_5.sqlite")
    bench.hold(DAEMON, "state_5.sqlite", *held)
    bench.home.log(
        (11, STARTUP, NOW + 0.816), (11, STARTUP, NOW + 0.854), (DAEMON, SERVED, NOW + 0.9), (11, SESSION, NOW + 0.93),
        (DAEMON, LAYER, NOW + 0.91),
        (21, STARTUP, NOW + 5.438), (21, STARTUP, NOW + 5.466), (DAEMON, SERVED, NOW + 5.47),
        (DAEMON, LAYER, NOW + 5.48), (21, SESSION, NOW + 5.514),
    )  # fmt: skip
    a = bench.home.facts(10, below=(11, DAEMON, 98), rivals=1)
    return a, bench.home.facts(20, started=NOW + 5, below=(21,), rivals=1)


def test_rows_that_bear_its_pid_prove_which_thread_it_took_up(bench: Bench) -> None:
    a, b = two_with_a_daemon(bench)
    bench.settle()
    assert found(bench.find(a)) == (A, "log")
    assert found(bench.find(b)) == (B, "log")
    assert bench.again(a) is None


def test_nothing_is_proved_before_all_rows_are_written(bench: Bench) -> None:
    """The rows of the other one may be the missing ones."""
    a, b = two_with_a_daemon(bench)
    bench.clock.now = NOW + 10
    assert bench.find(a) is None
    again = bench.again(a)
    assert again is not None
    bench.clock.now += again
    assert bench.find(b) is not None


def test_two_that_took_up_a_thread_at_once_are_not_told_apart_by_that(bench: Bench) -> None:
    bench.home.take_up(A, NOW + 0.9)
    bench.home.take_up(B, NOW + 1.0)
    bench.home.log((11, STARTUP, NOW + 0.9), (21, STARTUP, NOW + 1.0))
    bench.settle()
    a = bench.home.facts(10, below=(11,), rivals=1)
    assert bench.find(a) is None
    assert bench.again(a) == POLL


def test_what_it_said_proves_it_as_well(bench: Bench) -> None:
    """They started at once; now one of them has answered."""
    test_two_that_took_up_a_thread_at_once_are_not_told_apart_by_that(bench)
    spoken = line("session_meta", {"id": A, "cwd": "/lab/proj"}) + event(
        "item_completed", NOW + 30, item={"type": "AgentMessage"}
    )
    bench.home.rollout(A, NOW, spoken)
    bench.home.rollout(B, NOW)
    bench.home.log((11, SPOKE, NOW + 30.005), (21, SPOKE, NOW + 44))
    assert found(bench.find(bench.home.facts(10, below=(11,), rivals=1))) == (A, "log")
    assert bench.find(bench.home.facts(20, below=(21,), rivals=1, taken=frozenset({A}))) is None


def test_clear_new_and_resume_within_a_process(bench: Bench) -> None:
    a, b = two_with_a_daemon(bench)
    bench.settle()
    assert found(bench.find(b)) == (B, "log")
    at = bench.clock.now
    bench.home.take_up(C, at)
    bench.home.log((21, LAYER, at - 0.038), (DAEMON, SERVED, at), (21, SESSION, at + 0.02))
    assert found(bench.find(b)) == (B, "log")  # not sure yet
    assert bench.again(b) == pytest.approx(SETTLED, abs=1)
    bench.settle()
    assert found(bench.find(b)) == (C, "log")
    bench.home.take_up(B, bench.clock.now)  # /resume: no new session, only a look at the configuration
    bench.home.log((21, LAYER, bench.clock.now - 0.029), (DAEMON, SERVED, bench.clock.now))
    bench.settle()
    assert found(bench.find(b)) == (B, "log")
    assert found(bench.find(a)) == (A, "log")


def test_another_ones_new_thread_is_not_mine(bench: Bench) -> None:
    a, b = two_with_a_daemon(bench)
    bench.settle()
    assert found(bench.find(a)) == (A, "log")
    bench.home.take_up(C, bench.clock.now)
    bench.home.log((21, SESSION, bench.clock.now))
    bench.settle()
    assert found(bench.find(a)) == (A, "log")
    assert found(bench.find(b)) == (C, "log")


def test_a_resumed_thread_is_named_on_the_command_line(bench: Bench) -> None:
    facts = bench.home.facts(10, argv=("node", "/x/codex.js", "resume", A), rivals=1)
    assert found(bench.find(facts)) == (A, "argument")
    assert bench.find(bench.home.facts(20, argv=("codex", "resume", A), taken=frozenset({A}))) is None
    assert bench.find(bench.home.facts(30, argv=("codex", "resume", "--last"))) is None


# --- nothing to go by but the directory -------------------------------------------------------------------------


def test_alone_in_a_directory_its_only_thread_is_its_own(bench: Bench) -> None:
    bench.home.rollout(thread(NOW - 500), NOW - 500)  # somebody's from before
    bench.home.rollout(B, NOW, cwd="/lab/other")
    bench.home.rollout(C, NOW, source="exec")
    path = bench.home.rollout(A, NOW)
    assert bench.find(bench.home.facts(10)) == Thread(A, NOW + 0.9, "alone", str(path))


def test_with_a_rival_in_the_directory_nothing_is_guessed(bench: Bench) -> None:
    """And what came up meanwhile is not taken for its own when the rival has gone."""
    bench.home.rollout(A, NOW)
    assert bench.find(bench.home.facts(10, rivals=1)) is None
    assert bench.find(bench.home.facts(10)) is None
    bench.home.rollout(C, NOW)
    assert found(bench.find(bench.home.facts(10))) == (C, "alone")


def test_several_threads_of_one_directory_prove_nothing(bench: Bench) -> None:
    bench.home.rollout(A, NOW)
    bench.home.rollout(B, NOW)
    assert bench.find(bench.home.facts(10)) is None


def test_a_thread_that_comes_up_while_it_is_alone_is_its_new_one(bench: Bench) -> None:
    bench.home.rollout(A, NOW)
    assert found(bench.find(bench.home.facts(10))) == (A, "alone")
    bench.home.rollout(C, NOW)
    assert found(bench.find(bench.home.facts(10))) == (C, "alone")
    assert found(bench.find(bench.home.facts(10, rivals=1))) == (C, "alone")
    assert bench.find(bench.home.facts(10, rivals=1, taken=frozenset({C}))) is None


def test_a_thread_that_nobody_writes_is_nobodys(bench: Bench) -> None:
    bench.home.rollout(A, NOW)
    bench.home.take_up(B, NOW)
    assert bench.find(bench.home.facts(10)) is None


@pytest.mark.parametrize("made", ["", "2026", "2026/07", "2026/07/09", "2025/12/31"])
def test_every_folder_that_leads_to_a_rollout_is_watched(bench: Bench, made: str) -> None:
    """They are made one by one: a look between two of them must not be the last one."""
    facts = Facts(10, 1, NOW, cwd="/lab", env={"CODEX_HOME": str(bench.home.path)})
    folder = bench.home.path / "sessions" / made
    folder.mkdir(parents=True)
    watched = Codex(bench.clock).look(facts, bench.machine).watch
    while folder != bench.home.path:
        assert str(folder) in watched
        folder = folder.parent


def test_old_ids_and_compressed_files(bench: Bench) -> None:
    old = "5973b6c0-94b8-487b-a530-2aeb6098ae0e"
    path = bench.home.rollout(old, NOW)
    path.with_name(path.name.replace(old, A) + ".zst").write_bytes(b"x")
    assert found(bench.find(bench.home.facts(10))) == (old, "alone")


# --- broken homes -----------------------------------------------------------------------------------------------


def test_no_home_at_all(bench: Bench) -> None:
    assert bench.find(Facts(1, 1, NOW)) is None
    assert bench.find(bench.home.facts(10, env={"HOME": "/nowhere"})) is None


def test_databases_of_another_version_or_none(bench: Bench) -> None:
    bench.home.take_up(A, NOW + 1)
    bench.settle()
    (bench.home.path / "logs_x.sqlite").write_bytes(b"")
    assert bench.find(bench.home.facts(10)) is None
    (bench.home.path / "logs_9.sqlite").write_bytes(b"not a database" * 99)
    assert bench.find(bench.home.facts(10)) is None
    bench.home.log((10, STARTUP, NOW + 1))
    assert bench.find(bench.home.facts(10)) is None  # 9 is the newer one


def test_rows_of_odd_shapes(bench: Bench) -> None:
    bench.home.take_up(A, NOW + 1)
    bench.home.log((10, STARTUP, NOW + 1))
    with sqlite3.connect(bench.home.path / "logs_2.sqlite") as database:
        for process, at, nanos in (
            (None, NOW, 0),
            ("pid:x:", NOW, 0),
            ("pid:77:", NOW, "x"),
            (b"\xff", NOW, 0),
        ):
            database.execute(
                "INSERT INTO logs (process_uuid, target, ts, ts_nanos, level) VALUES (?, ?, ?, ?, 'INFO')",
                (process, STARTUP, int(at), nanos),
            )
    database.close()
    bench.settle()
    assert found(bench.find(bench.home.facts(10))) == (A, "log")


def test_a_rollout_that_moves_is_found_again(bench: Bench) -> None:
    old = thread(NOW - 500)
    path = bench.home.rollout(old, NOW - 500)
    facts = bench.home.facts(10, argv=("codex", "resume", old))
    assert bench.find(facts) == Thread(old, NOW, "argument", str(path))
    archived = bench.home.path / "archived_sessions"
    archived.mkdir()
    path.rename(archived / path.name)
    assert bench.find(facts) == Thread(old, NOW, "argument", str(archived / path.name))
    (archived / path.name).unlink()
    assert bench.find(facts) == Thread(old, NOW, "argument", "")


def test_its_name(bench: Bench) -> None:
    place = survey(bench.machine, str(bench.home.path))
    assert titled(bench.machine, place, A) is None
    bench.home.name(A, "do it", "do it")
    assert titled(bench.machine, place, A) is None  # only the first prompt
    bench.home.name(A, "Doing it", "do it")
    assert titled(bench.machine, place, A) == "Doing it"
    bench.home.name(A, "Doing it", "do it", "mine")
    assert titled(bench.machine, place, A) == "mine"
    assert titled(bench.machine, place, B) is None


def test_its_name_in_the_index(bench: Bench) -> None:
    place = survey(bench.machine, str(bench.home.path))
    names = [
        {"id": A, "thread_name": "first"},
        {"id": B, "thread_name": "other"},
        {"id": A, "thread_name": "renamed"},
    ]
    lines = [json.dumps(each) for each in names]
    index = bench.home.path / "session_index.jsonl"
    index.write_text("\n".join([*lines, "[]", "{", '{"id": 5, "thread_name": 7}', ""]))
    assert titled(bench.machine, place, A) == "renamed"
    assert titled(bench.machine, place, B) == "other"
    bench.home.name(A, "do it", "do it", "mine")
    assert titled(bench.machine, place, A) == "mine"
