"""OpenCode's database, log, plugin events and screens, one by one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions.agents.adapter import Entry, Facts, Heard, Look
from opensessions.agents.fuse import Claim, fuse
from opensessions.agents.opencode import KIND, PLACES
from opensessions.agents.opencode.events import hear
from opensessions.agents.opencode.reader import Reader
from opensessions.agents.signal import RESTING, Signal
from tests.agents.opencode_samples import DATA, Clocked, Store, facts

MADE = 1795231396.0
"""Shortly before the last rows of the samples were written."""
LATE = MADE + 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def look(home: Path, now: float = LATE, **told: Any) -> Look:
    return Reader(PLACES).look(facts(home, **told), Clocked(now))


def database(look: Look) -> Signal:
    """What the database said; it must have said something."""
    return next(signal for signal in look.signals if signal.source == "database")


def state(look: Look) -> str:
    """What is believed when only this is known, and a turn was seen."""
    claims = {signal.source: Claim(signal) for signal in look.signals}
    return fuse(claims, KIND.trust, 0.0, "running").state


# --- what was really written --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["done", "running", "waiting", "interrupted", "error"])
def test_a_sample_of_the_database_is_read_as_what_it_was(tmp_path: Path, store: Store, name: str) -> None:
    store.fill(name)
    found = look(tmp_path)
    assert state(found) == name
    said = database(found)
    assert said.about.thread == "ses_e03df9410ffeK5ONMYDBGXFpCp"
    assert said.about.title == "mock final answer"
    assert said.about.background == 0
    assert said.about.prompt


def test_only_a_shell_that_has_long_not_begun_is_taken_to_wait(tmp_path: Path, store: Store) -> None:
    store.fill("waiting")
    called = 1795231378.786
    sets = {}
    for after in (0.1, 1.0, 6.0):
        found = look(tmp_path, called + after)
        sets[after] = [(signal.source, set(signal.states)) for signal in found.signals]
        assert after == 6.0 or (found.again and 0 < found.again <= 5)
    assert sets[0.1] == [("database", {"running", "tool-running", "waiting"})]
    assert sets[1.0] == sets[0.1]
    assert sets[6.0] == [("database", {"tool-running", "waiting"}), ("transcript", {"waiting"})]


def test_a_turn_of_an_earlier_run_is_not_one_of_this(tmp_path: Path, store: Store) -> None:
    for name in ("running", "waiting", "error"):
        store.fill(name)
        found = look(tmp_path, started=LATE - 1, argv=("opencode", "--continue"))
        said = database(found)
        assert said.states == RESTING
        assert said.about.thread


def test_a_turn_that_writes_nothing_for_long_may_be_anything(tmp_path: Path, store: Store) -> None:
    store.fill("running")
    soon = database(look(tmp_path, MADE))
    later = database(look(tmp_path, MADE + 3600))
    assert soon.states == {"running"}
    assert later.states > {"running", "waiting"} | RESTING


# --- single rows --------------------------------------------------------------------------------------------


def conversation(store: Store, *messages: Mapping[str, Any], **session: Any) -> None:
    """A session of these messages' `data`; `tools` in one are its tools' states."""
    store.put("session", {"id": "ses_1", "time_updated": 5_000_000, **session})
    for number, data in enumerate(messages):
        tools = data.get("tools", [])
        kept = {key: value for key, value in data.items() if key != "tools"}
        created = kept.get("time", {}).get("created", number * 1000 + 1_000_000)
        kept["time"] = {"created": created, **kept.get("time", {})}
        store.put(
            "message",
            {"id": f"msg_{number}", "session_id": "ses_1", "time_created": created, "data": kept},
        )
        for place, tool in enumerate(tools):
            part = {"type": "tool", "tool": tool.get("tool", "bash"), "state": tool}
            row = {"id": f"prt_{number}_{place}", "message_id": f"msg_{number}", "session_id": "ses_1"}
            store.put("part", {**row, "data": part})


def step(finish: str | None = None, completed: int | None = None, **more: Any) -> dict[str, Any]:
    time = {"completed": completed} if completed else {}
    return {"role": "assistant", "time": time, **({"finish": finish} if finish else {}), **more}


def tool(status: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "time": {"start": 1_001_500}, **more}


USER = {"role": "user"}
DENIED = tool("error", error="The user rejected permission to use this specific tool call.")
NOW = 1010.0
WORDS = {
    "user": ([USER], {"running"}),
    "step": ([USER, step()], {"running"}),
    "answered": ([USER, step("stop")], {"done"}),
    "stop": ([USER, step("stop", 1_002_000)], {"done"}),
    "length": ([USER, step("length", 1_002_000)], {"done"}),
    "error": ([USER, step(None, 1_002_000, error={"name": "APIError"})], {"error"}),
    "error without a name": ([USER, step(None, 1_002_000, error={"x": 1})], {"error"}),
    "no error": ([USER, step("stop", 1_002_000, error=None)], {"done"}),
    "aborted": ([USER, step(None, 1_002_000, error={"name": "MessageAbortedError"})], {"interrupted"}),
    "aborted between two tries": ([USER, step(None, 1_002_000)], {"interrupted"}),
    "shell of the user's": ([USER, step(None, 1_002_000, tools=[tool("completed")])], {"done"}),
    "next step to come": ([USER, step("tool-calls", 1_009_500)], {"running"}),
    "no next step": ([USER, step("tool-calls", 1_002_000)], {"running", "tool-running", "waiting", "interrupted"}),
    "pending": ([USER, step(tools=[tool("pending")])], {"running", "tool-running", "waiting"}),
    "bash runs": ([USER, step(tools=[tool("running", metadata={"output": ""})])], {"tool-running"}),
    "edit runs": ([USER, step(tools=[tool("running", tool="edit")])], {"tool-running", "waiting"}),
    "subagent": ([USER, step(tools=[tool("running", tool="task", metadata={"s": 1})])], {"tool-running", "waiting"}),
    "one runs, one may wait": (
        [USER, step(tools=[tool("running", metadata={"output": ""}), tool("running", tool="edit")])],
        {"tool-running", "waiting"},
    ),
    "question": ([USER, step(tools=[tool("running", tool="question")])], {"waiting"}),
    "denied": ([USER, step(tools=[DENIED])], {"interrupted"}),
    "denied, over": ([USER, step("tool-calls", 1_002_000, tools=[DENIED])], {"interrupted"}),
    "denied with words": (
        [USER, step("tool-calls", 1_009_500, tools=[tool("error", error=f"{DENIED['error']} feedback: no")])],
        {"running"},
    ),
    "said meanwhile": ([USER, step(tools=[tool("running", tool="question")]), USER], {"waiting"}),
    "said meanwhile, answered": ([USER, step("stop", 1_003_000), USER], {"running"}),
    "said meanwhile, aborted": (
        [USER, step(None, 1_003_000, error={"name": "MessageAbortedError"}), USER],
        {"interrupted"},
    ),
    "said after an abort": (
        [USER, step(None, 1_001_900, error={"name": "MessageAbortedError"}), USER],
        {"running"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_what_the_last_messages_say(tmp_path: Path, store: Store, name: str) -> None:
    messages, states = WORDS[name]
    conversation(store, *messages)
    said = database(look(tmp_path, NOW))
    assert said.states == states


def test_a_subagent_counts_and_says_no_state(tmp_path: Path, store: Store) -> None:
    conversation(store, USER, step("stop", 1_002_000))
    store.put("session", {"id": "ses_2", "parent_id": "ses_1", "time_updated": 6_000_000})
    row = {"id": "msg_9", "session_id": "ses_2", "time_created": 1_003_000, "time_updated": 1_003_000}
    store.put("message", {**row, "data": step()})
    said = database(look(tmp_path, NOW))
    assert said.states == {"done"}
    assert said.about.thread == "ses_1"
    assert said.about.background == 1
    store.put("message", {**row, "data": step("stop", 1_004_000)})
    said = database(look(tmp_path, NOW))
    assert said.about.background == 0


def test_a_value_that_is_too_large_hides_itself_only(tmp_path: Path, store: Store) -> None:
    large = "x" * 2_000_000
    finished = tool("completed", output=large)
    conversation(
        store, {**USER, "summary": large}, step(tools=[finished, tool("running", metadata={"a": 1})])
    )
    said = database(look(tmp_path, NOW))
    assert said.states == {"tool-running"}


def test_a_conversation_is_begun_for_a_prompt(tmp_path: Path, store: Store) -> None:
    conversation(store, time_created=1_009_000)
    assert database(look(tmp_path, NOW)).states == {"running"}
    assert not look(tmp_path, NOW + 60).signals


def test_a_name_that_has_not_been_given_is_none(tmp_path: Path, store: Store) -> None:
    conversation(store, USER, title="New session - 2026-11-21T03:22:25.647Z")
    said = database(look(tmp_path, NOW))
    assert said.about.title is None


# --- whose conversation -------------------------------------------------------------------------------------


def two(store: Store) -> None:
    """Two conversations in one folder, the second the newer one, both begun after second 1000."""
    for number, status in (("1", {"finish": "stop", "time": {"completed": 1_003_000}}), ("2", {})):
        row = {"time_created": 1_001_000, "time_updated": 1_001_000 + int(number)}
        store.put("session", {"id": f"ses_{number}", **row})
        store.put(
            "message", {"id": f"msg_{number}", "session_id": f"ses_{number}", **row, "data": step() | status}
        )


def thread(found: Look) -> str | None:
    return database(found).about.thread if found.signals else None


def test_alone_in_its_folder_the_newest_conversation_is_its_own(tmp_path: Path, store: Store) -> None:
    two(store)
    assert thread(look(tmp_path, NOW)) == "ses_2"
    assert thread(look(tmp_path, NOW, cwd="/elsewhere")) is None
    assert thread(look(tmp_path, NOW, cwd="/elsewhere", env={"PWD": "/lab/proj"})) == "ses_2"
    assert thread(look(tmp_path, NOW, taken=frozenset({"ses_2"}))) == "ses_1"
    assert thread(look(tmp_path, NOW, started=NOW)) is None


def test_with_another_one_in_its_folder_it_says_nothing(tmp_path: Path, store: Store) -> None:
    two(store)
    found = look(tmp_path, NOW, rivals=1)
    assert not found.signals
    assert found.watch


def test_its_arguments_prove_which_one_it_resumed(tmp_path: Path, store: Store) -> None:
    two(store)
    for argv in (("opencode", "-s", "ses_1"), ("opencode", "--session=ses_1")):
        assert thread(look(tmp_path, NOW, rivals=1, argv=argv)) == "ses_1"


class Proc(Clocked):
    """The real files, and a /proc in which some processes have appended to the log up to a place."""

    def __init__(self, now: float, log: Path, positions: Mapping[int, int]) -> None:
        super().__init__(now)
        self._log = log
        self._positions = positions

    def list(self, folder: str, limit: int = 2000) -> Sequence[Entry]:
        pid = folder.removeprefix("/proc/").removesuffix("/fdinfo")
        if pid.isdigit():
            return [Entry("19", 0, 0.0), Entry("23", 0, 0.0)] if int(pid) in self._positions else []
        return super().list(folder, limit)

    def read(self, path: str, limit: int = 1 << 18) -> bytes | None:
        if not path.startswith("/proc/"):
            return super().read(path, limit)
        _, _, pid, _, handle = path.split("/")
        position = self._positions[int(pid)] if handle == "23" else 0
        node = os.stat(self._log).st_ino
        return f"pos:\t{position}\nflags:\t0102001\nmnt_id:\t29\nino:\t{node}\n".encode()


def log_line(run: str, rest: str) -> str:
    return f"timestamp=1970-01-01T00:16:{41 + 2:02d}.978Z level=INFO run={run} {rest}\n"


def test_its_lines_in_the_log_prove_which_one_is_its_own(tmp_path: Path, store: Store) -> None:
    two(store)
    log = store.path.parent / "log" / "opencode.log"
    log.parent.mkdir()
    first = log_line("aaaa1111", 'message="creating instance" directory=/lab/proj')
    second = log_line("bbbb2222", 'message="creating instance" directory=/lab/proj')
    log.write_text(first + second)
    files = Proc(NOW, log, {11: len(first), 12: len(first + second), 13: 7})
    readers = {pid: Reader(PLACES) for pid in (11, 12, 13)}

    def threads() -> dict[int, str | None]:
        return {
            pid: thread(reader.look(facts(tmp_path, pid=pid, started=1000.0, rivals=1), files))
            for pid, reader in readers.items()
        }

    assert threads() == {11: None, 12: None, 13: None}
    with log.open("a") as end:
        end.write(log_line("bbbb2222", "message=loop session.id=ses_2 step=0"))
        end.write(log_line("aaaa1111", "message=created id=ses_1 slug=x title=run=bbbb2222"))
        end.write(log_line("aaaa1111", 'message=stream title="message=loop session.id=ses_2"'))
    assert threads() == {11: "ses_1", 12: "ses_2", 13: None}
    # Alone in its folder, what only another program has worked on is still not its own.
    assert thread(readers[11].look(facts(tmp_path, pid=11, started=1000.0), files)) == "ses_1"


def test_the_real_position_of_a_process_in_a_file_is_found(tmp_path: Path, store: Store) -> None:
    two(store)
    log = store.path.parent / "log" / "opencode.log"
    log.parent.mkdir()
    log.write_text(log_line("aaaa1111", "message=loop session.id=ses_1 step=0"))
    with log.open("a") as end:
        end.write(log_line("bbbb2222", "message=loop session.id=ses_2 step=0"))
        end.flush()
        if not Path(f"/proc/{os.getpid()}/fdinfo").exists():
            pytest.skip("this system does not tell how far a process has written")
        told = facts(tmp_path, pid=os.getpid(), started=1000.0, rivals=1)
        assert thread(Reader(PLACES).look(told, Clocked(NOW))) == "ses_2"


def test_the_database_is_where_its_environment_says(tmp_path: Path) -> None:
    for env, path in (
        ({}, f"{tmp_path}/.local/share/opencode/opencode.db"),
        ({"XDG_DATA_HOME": "/x"}, "/x/opencode/opencode.db"),
        ({"XDG_DATA_HOME": "/x", "OPENCODE_DB": "other.db"}, "/x/opencode/other.db"),
        ({"OPENCODE_DB": "/y/z.db"}, "/y/z.db"),
    ):
        assert path in look(tmp_path, env=env).watch
        assert f"{path}-wal" in look(tmp_path, env=env).watch


def test_another_channels_database_is_known_by_its_being_open(tmp_path: Path) -> None:
    made = Store(tmp_path)
    conversation(made, USER, step())
    made.close()
    other = made.path.with_name("opencode-beta.db")
    made.path.rename(other)
    with other.open("rb"):
        assert thread(look(tmp_path, NOW, pid=os.getpid())) == "ses_1"


# --- versions before the database ---------------------------------------------------------------------------


def test_the_files_of_older_versions_are_read(tmp_path: Path) -> None:
    storage = tmp_path / ".local/share/opencode/storage"
    rows = {
        "session/global/ses_1": {"id": "ses_1", "directory": "/lab/proj", "title": "T", "time": {"updated": 9_000_000}},
        "session/global/ses_2": {"id": "ses_2", "directory": "/lab/proj", "parentID": "ses_1"},
        "message/ses_1/msg_1": {"id": "msg_1", "role": "user", "time": {"created": 1_000_000}},
        "message/ses_1/msg_2": {"id": "msg_2", "role": "assistant", "time": {"created": 1_001_000}},
        "part/msg_1/prt_1": {"type": "text", "text": "hello"},
        "part/msg_2/prt_2": {"type": "tool", "tool": "bash", "state": tool("running", metadata={"output": ""})},
    }  # fmt: skip
    for name, row in rows.items():
        file = storage / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(row))
    said = database(look(tmp_path))
    assert said.states == {"tool-running"}
    assert (said.about.thread, said.about.title, said.about.prompt) == ("ses_1", "T", "hello")
    assert not look(tmp_path, rivals=1).signals
    (storage / "message/ses_1/msg_2.json").write_text(
        json.dumps(
            {"id": "msg_2", "role": "assistant", "time": {"created": 1_001_000, "completed": 1_002_000}}
        )
    )
    said = database(look(tmp_path))
    assert said.states == {"done"}


# --- what must not crash it ---------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = (
    "role", "time", "created", "completed", "finish", "error", "name", "type", "tool", "state", "status", "metadata",
    "start", "end", "text", "parentID", "sessionID", "info", "part", "properties",
)  # fmt: skip
words = st.sampled_from(
    ["assistant", "user", "tool", "running", "pending", "stop", "tool-calls", "text", "MessageAbortedError"]
)
columns = st.text(max_size=9) | st.integers(-9, 2**62) | st.binary(max_size=9)
events = (
    "session.status", "session.idle", "session.error", "permission.asked", "permission.replied", "question.rejected",
    "message.updated", "message.part.updated", "x",
)  # fmt: skip
shaped = st.recursive(
    anything | words, lambda inner: st.dictionaries(st.sampled_from(names), inner, max_size=5), max_leaves=12
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    session=st.dictionaries(st.sampled_from(["title", "version", "time_created"]), columns),
    message=shaped,
    part=shaped | st.binary(max_size=40),
)
def test_no_row_crashes_it(
    tmp_path_factory: pytest.TempPathFactory, session: Any, message: Any, part: Any
) -> None:
    home = tmp_path_factory.mktemp("home")
    made = Store(home)
    try:
        made.put("session", {"id": "ses_1", "time_updated": 9_000_000, **session})
        data = json.dumps(message) if not isinstance(message, bytes) else message
        made.put("message", {"id": "m", "session_id": "ses_1", "data": data})
        made.put("message", {"id": "l", "session_id": "ses_1", "data": {"role": "assistant"}})
        made.put(
            "part",
            {
                "id": "p",
                "message_id": "l",
                "session_id": "ses_1",
                "data": part if isinstance(part, bytes) else json.dumps(part),
            },
        )
        for found in (look(home, NOW), look(home, NOW, rivals=1)):
            assert all(signal.states for signal in found.signals)
    finally:
        made.close()


@pytest.mark.parametrize("schema", ["", "CREATE TABLE session (id, other)", "CREATE TABLE message (x)"])
def test_another_schema_says_nothing(tmp_path: Path, schema: str) -> None:
    made = Store(tmp_path, schema=schema)
    assert not look(tmp_path).signals
    made.close()


def test_what_is_no_database_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    for data in (b"", b"\0" * 4096, b"SQLite format 3\0" + b"\xff" * 5000):
        path.write_bytes(data)
        assert not look(tmp_path).signals


@settings(max_examples=150, deadline=None)
@given(event=st.sampled_from(events), payload=shaped)
def test_no_event_crashes_it(event: str, payload: Any) -> None:
    signal = hear(Heard(event, payload if isinstance(payload, dict) else {"properties": payload}))
    assert signal is None or (isinstance(signal, Signal) and signal.states and signal.event)


# --- what the plugin tells ----------------------------------------------------------------------------------

SESSION = {"sessionID": "ses_1"}
TOLD = {
    "idle": ("session.idle", SESSION, RESTING),
    "status idle": ("session.status", {**SESSION, "status": {"type": "idle"}}, RESTING),
    "status busy": ("session.status", {**SESSION, "status": {"type": "busy"}}, None),
    "status retry": ("session.status", {**SESSION, "status": {"type": "retry", "attempt": 2}}, {"running"}),
    "aborted": ("session.error", {**SESSION, "error": {"name": "MessageAbortedError"}}, {"interrupted"}),
    "failed": ("session.error", {**SESSION, "error": {"name": "APIError"}}, {"error"}),
    "too long": ("session.error", {**SESSION, "error": {"name": "ContextOverflowError"}}, None),
    "of no session": ("session.error", {"error": {"name": "UnknownError"}}, None),
    "asked": ("permission.asked", {**SESSION, "id": "per_1"}, {"waiting"}),
    "question": ("question.asked", {**SESSION, "id": "que_1"}, {"waiting"}),
    "once": ("permission.replied", {**SESSION, "reply": "once"}, {"tool-running"}),
    "once, of two": ("permission.replied", {**SESSION, "reply": "once", "open": 1}, None),
    "reject": ("permission.replied", {**SESSION, "reply": "reject"}, {"interrupted"}),
    "reject a subagent": ("permission.replied", {**SESSION, "reply": "reject", "child": True}, None),
    "answered": ("question.replied", SESSION, {"running"}),
    "dismissed": ("question.rejected", SESSION, {"interrupted"}),
    "step": ("message.updated", {"info": {"role": "assistant", "time": {"created": 1}}}, {"running"}),
    "answer": ("message.updated", {"info": {"role": "assistant", "finish": "stop"}}, None),
    "user": ("message.updated", {"info": {"role": "user"}}, None),
    "a subagent is idle": ("session.idle", {**SESSION, "child": True}, None),
    "a subagent asks": ("permission.asked", {**SESSION, "child": True}, {"waiting"}),
    "a tool": ("message.part.updated", {"part": {"type": "tool", "state": {"status": "running"}}}, None),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_an_event_says(name: str) -> None:
    event, properties, states = TOLD[name]
    for payload in ({"properties": properties}, properties):
        signal = hear(Heard(event, payload))
        assert (set(signal.states) if isinstance(signal, Signal) else signal) == states


# --- screens ------------------------------------------------------------------------------------------------

SHOWN = {
    "running": "running",
    "toolrunning": "running",
    "waiting": "waiting",
    "done": "done",
    "interrupted": "interrupted",
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_screen_says(name: str) -> None:
    lines = (DATA / "screens" / f"{name}.txt").read_text().splitlines()
    signal = KIND.screen(lines)
    assert signal
    assert SHOWN[name] in signal.states
    assert (signal.states == {SHOWN[name]}) == (name in ("waiting", "interrupted"))


def box(typed: str, footer: Sequence[str]) -> list[str]:
    return [f"  ┃  {typed}", "  ┃", "  ┃  Build · Lab model Lab", f"  ╹{'▀' * 40}", *footer]


def test_what_somebody_typed_is_no_prompt() -> None:
    typed = (
        "△ Permission required Allow once Allow always Reject esc dismiss esc interrupt ■■■ ▣ · interrupted"
    )
    for footer in (
        (" /lab/proj   tab agents  ctrl+p commands",),
        (" /lab/     ab   ctrl+p commands", "  proj"),
    ):
        signal = KIND.screen(box(typed, footer))
        assert signal
        assert signal.states == RESTING


def test_in_a_narrow_pane_the_bar_tells_that_it_works() -> None:
    footer = ("   ⬝⬝⬝⬝⬝⬝⬝⬝  esc      tab       ctrl+p", "             interruptagents    commands")
    signal = KIND.screen(box("", footer))
    assert signal
    assert "running" in signal.states
    assert "waiting" not in signal.states
    assert (
        KIND.screen(box("", ("   /lab/proj-15 (0 ctrl+p", "   resize/proj                   commands")))
        is None
    )


def test_a_prompt_on_two_lines_is_one() -> None:
    keys = (
        "  ┃   Allow once   Allow always   Reject",
        "  ┃",
        "  ┃  ctrl+f fullscreen  ⇆ select  enter confir",
        "  ┃",
    )
    for lines in (keys, ("  ┃   Confirm   Cancel", "  ┃", "  ┃  ⇆ select  enter confirm", "  ┃")):
        signal = KIND.screen(lines)
        assert signal
        assert signal.states == {"waiting"}


def test_facts_are_enough_for_a_look() -> None:
    assert not Reader(PLACES).look(Facts(pid=1, start=1, started=1.0), Clocked(1.0)).signals
