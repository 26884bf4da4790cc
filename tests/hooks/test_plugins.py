"""The plugin files, loaded by node as their agents load them, against a real socket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensessions.hooks.plugin import plugin
from tests.hooks.server import Server

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no node here")

OPENCODE = """
const { event } = await module.OpenSessions({})
for (const each of events) await event({ event: each })
"""
PI = """
const handlers = {}
module.default({ on: (name, handler) => (handlers[name] = handler) })
const context = { isIdle: () => true, sessionManager: { getSessionId: () => "s1", getSessionFile: () => "/f" } }
for (const each of events) await handlers[each.type](each, context)
"""
AMP = """
const handlers = {}
module.default({ on: (name, handler) => (handlers[name] = handler) })
for (const each of events) if (await handlers[each.type](each, {}) !== undefined) throw new Error("it decides")
"""


@pytest.fixture
def server(short: Path) -> Iterator[Server]:
    server = Server(short / "run")
    yield server
    server.close()


STAY = "await new Promise((done) => process.stdin.on('close', done).resume())"
"""An agent lives on, until its standard input is closed."""


def start(
    folder: Path, text: str, drive: str, events: list[Any], runtime: Path, then: str = ""
) -> subprocess.Popen[str]:
    """Load the plugin and send it these events."""
    (folder / "plugin.mjs").write_text(text)
    (folder / "drive.mjs").write_text(
        f'import * as module from "{folder}/plugin.mjs"\nconst events = {json.dumps(events)}\n{drive}\n{then}'
    )
    env = {
        "OPENSESSIONS_RUNTIME_DIR": str(runtime), "TMUX": "/tmp/a,b/x,1,0", "TMUX_PANE": "%9", "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    return subprocess.Popen(
        [str(NODE), str(folder / "drive.mjs")], env=env, cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def quiet(process: subprocess.Popen[str]) -> bool:
    """It ends well, with nothing said."""
    said = process.communicate(timeout=60)
    return (process.returncode, *said) == (0, "", "")


def hear(
    folder: Path,
    text: str,
    drive: str,
    events: list[Any],
    server: Server,
    count: int,
    *,
    cwd: str | None = None,
) -> list[dict[str, str]]:
    """What arrives of these events, from an agent that lives on until then, and on a busy machine as well."""
    patient = text.replace("const PATIENCE = 1000 ", "const PATIENCE = 60000 ")
    assert patient != text
    text = patient
    process = start(folder, text, drive, events, Path(server.path).parent, STAY)
    try:
        told = server.wait(count)
    finally:
        assert quiet(process)
    for each in told:
        assert each["pid"].split(",")[:2] == [str(process.pid), str(os.getpid())]
        assert (each["pane"], each["tmux"]) == ("%9", "/tmp/a,b/x")
        assert each["cwd"] == (str(folder) if cwd is None else cwd)
    return told


def test_opencode_tells_what_changes_the_state(tmp_path: Path, server: Server) -> None:
    def part(status: str, kind: str = "tool") -> dict[str, Any]:
        return {"type": "message.part.updated", "properties": {"part": {"type": kind, "callID": "c", "state": {"status": status}}}}  # fmt: skip # noqa: E501

    def message(**more: Any) -> dict[str, Any]:
        return {"type": "message.updated", "properties": {"info": {"id": "m", **more}}}

    events = [
        {"type": "session.status", "properties": {"sessionID": "s", "status": {"type": "busy"}}},
        message(), message(), part("running", "text"), part("pending"), part("running"), part("running"),
        {"type": "file.edited", "properties": {}},
        {"type": "permission.asked", "properties": {"id": "p", "long": "ä" * 5000}},
        message(finish="stop"), message(finish="stop"),
        {"type": "session.idle", "properties": {"sessionID": "s"}},
    ]  # fmt: skip
    told = hear(tmp_path, plugin("opencode", "kilo"), OPENCODE, events, server, 8)
    assert [each["event"] for each in told] == [
        "plugin.start", "session.status", "message.updated", "message.part.updated", "message.part.updated",
        "permission.asked", "message.updated", "session.idle",
    ]  # fmt: skip
    assert {each["agent"] for each in told} == {"kilo"}
    assert json.loads(told[1]["payload"]) == {**events[0], "open": 0}
    assert json.loads(told[5]["payload"])["open"] == 1
    assert json.loads(told[5]["payload"])["properties"]["long"] == "ä" * 2000


def test_opencode_tells_whose_conversation_a_subagents_is(tmp_path: Path, server: Server) -> None:
    def created(id: str, **more: Any) -> dict[str, Any]:
        return {"type": "session.created", "properties": {"info": {"id": id, **more}}}

    def asked(type: str, session: str, **more: str) -> dict[str, Any]:
        return {"type": f"permission.{type}", "properties": {"sessionID": session, **more}}

    idle = {"type": "session.idle", "properties": {"sessionID": "grandchild"}}
    events = [
        created("main"), created("child", parentID="main"), created("grandchild", parentID="child"),
        asked("asked", "main", id="one"), asked("asked", "child", id="two"), asked("replied", "main", requestID="one"),
        idle, {"type": "session.idle", "properties": {"sessionID": "main"}},
    ]  # fmt: skip
    told = [
        json.loads(each["payload"])
        for each in hear(tmp_path, plugin("opencode"), OPENCODE, events, server, 9)
    ]
    assert [each["open"] for each in told[1:]] == [0, 0, 0, 1, 2, 1, 1, 1]
    assert (told[7]["child"], told[7]["root"]) == (True, "main")
    assert "child" not in told[8]


def test_pi_tells_what_changes_the_state(tmp_path: Path, server: Server) -> None:
    events = [{"type": "agent_start"}, {"type": "message_end", "message": {"role": "assistant", "stopReason": "stop", "content": "x"}}]  # fmt: skip # noqa: E501
    told = hear(tmp_path, plugin("pi"), PI, events, server, 2)
    assert [json.loads(each["payload"]) for each in told] == [
        {"type": "agent_start", "session": "s1", "file": "/f", "idle": True},
        {
            "type": "message_end",
            "session": "s1",
            "file": "/f",
            "idle": True,
            "role": "assistant",
            "stopReason": "stop",
        },
    ]


def test_amp_tells_and_decides_nothing(tmp_path: Path, server: Server) -> None:
    events = [{"type": "agent.start", "thread": {"id": "T-1"}}, {"type": "agent.end", "status": "done"}]
    told = hear(tmp_path, plugin("amp"), AMP, events, server, 2)
    assert [json.loads(each["payload"]) for each in told] == [
        {"type": "agent.start", "thread": "T-1"},
        {"type": "agent.end", "status": "done"},
    ]


def test_a_long_payload_is_cut(tmp_path: Path, server: Server) -> None:
    events = [{"type": "session.idle", "properties": {str(number): "x" * 2000 for number in range(60)}}]
    told = hear(tmp_path, plugin("opencode"), OPENCODE, events, server, 2)
    assert told[1]["cut"] == "1"
    assert len(told[1]["payload"].encode()) == 48 << 10


@pytest.mark.parametrize("drive", [OPENCODE, PI, AMP], ids=["opencode", "pi", "amp"])
def test_nothing_happens_without_a_server(tmp_path: Path, drive: str) -> None:
    which = {OPENCODE: "opencode", PI: "pi", AMP: "amp"}[drive]
    events = [{"type": {OPENCODE: "session.idle", PI: "agent_start", AMP: "agent.start"}[drive]}] * 3
    assert quiet(start(tmp_path, plugin(which), drive, events, tmp_path / "none"))


def test_odd_events_do_not_reach_the_agent_as_errors(tmp_path: Path) -> None:
    part = {"type": "message.part.updated", "properties": {"part": 3}}
    events: list[Any] = [{}, {"type": "message.updated"}, part, {"type": 3}, None]
    then = (
        "const loop = { type: 'session.idle' }; loop.properties = loop; await event({ event: loop });"
        "await event({ event: { type: 'session.idle', properties: { big: 3n } } })"
    )
    assert quiet(start(tmp_path, plugin("opencode"), OPENCODE, events, tmp_path / "none", then))


@pytest.mark.parametrize("way", ["died", "deaf", "open to others", "no socket"])
def test_a_server_that_does_not_take_it(tmp_path: Path, short: Path, way: str) -> None:
    """The agent ends when it wants to, with nothing said."""
    runtime = short / "run"
    server = Server(runtime, deaf=True, backlog=1)
    if way == "died":
        server.die()
    elif way == "open to others":
        runtime.chmod(0o755)
    elif way == "no socket":
        os.unlink(server.path)
        Path(server.path).write_text("")
    events = [{"type": "session.idle", "properties": {"x": "y" * 2000}}] * 300
    assert quiet(start(tmp_path, plugin("opencode"), OPENCODE, events, runtime))
    server.close()


def test_a_working_directory_that_was_removed(tmp_path: Path, server: Server) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    drive = f"process.chdir('{gone}'); (await import('node:fs')).rmdirSync('{gone}')\n{OPENCODE}"
    assert hear(tmp_path, plugin("opencode"), drive, [], server, 1, cwd="")[0]["event"] == "plugin.start"


def test_what_is_sent_needs_no_package() -> None:
    for which in ("opencode", "pi", "amp"):
        lines = [line for line in plugin(which).splitlines() if line.startswith("import ")]
        assert lines
        assert all('from "node:' in line for line in lines)
