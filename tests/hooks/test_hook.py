"""The thin script, run as an agent runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensessions import hook, installation
from tests.hooks.server import Server

SCRIPT = f"{installation.plugin_folder()}/scripts/hook.py"
ROOM = 4096
"""Bytes that any pipe takes though nobody reads."""


@pytest.fixture
def runtime(short: Path) -> Path:
    return short / "run"


@pytest.fixture
def server(runtime: Path) -> Iterator[Server]:
    server = Server(runtime)
    yield server
    server.close()


def run(
    runtime: Path,
    *words: str,
    given: bytes | None = b"",
    env: dict[str, str] | None = None,
    cwd: str | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run it; standard input stays open and empty where nothing is `given`."""
    argv = [installation.interpreter(), "-I", "-S", SCRIPT, *words]
    environment = {"OPENSESSIONS_RUNTIME_DIR": str(runtime)} | (env or {})
    if given is not None and len(given) > ROOM:
        return subprocess.run(
            argv, input=given, env=environment, capture_output=True, timeout=60, check=False, cwd=cwd
        )
    ours, theirs = os.pipe()
    try:
        if given is not None:  # all of it is there before the script begins: nobody is late
            os.write(theirs, given)
            os.close(theirs)
        return subprocess.run(
            argv, stdin=ours, env=environment, capture_output=True, timeout=60, check=False, cwd=cwd
        )
    finally:
        os.close(ours)
        if given is None:
            os.close(theirs)


def quiet(done: subprocess.CompletedProcess[bytes]) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_tells_what_the_agent_said_and_where(runtime: Path, server: Server, tmp_path: Path) -> None:
    payload = json.dumps({"session_id": "s", "hook_event_name": "Stop", "text": "ä\n=\t"}).encode()
    env = {"TMUX": "/tmp/a,b/default,123,0", "TMUX_PANE": "%7", "CLAUDE_PID": "4242", "SECRET": "x"}
    # `patient`: on a loaded machine the script itself may be late.
    assert quiet(run(runtime, "claude-code", "Stop", "patient", given=payload, env=env, cwd=str(tmp_path)))
    told = server.wait()[0]
    assert 0 <= time.time() - float(told.pop("at")) < 60
    assert int(told.pop("order")) > 0 or not os.path.exists("/proc/self/stat")
    assert told.pop("pid").split(",")[0] == str(os.getpid())
    assert told == {
        "verb": "agent-hook",
        "agent": "claude-code",
        "event": "Stop",
        "payload": payload.decode(),
        "pane": "%7",
        "tmux": "/tmp/a,b/default",
        "cwd": str(tmp_path),
        "agentpid": "4242",
    }


def test_names_the_zellij_pane(runtime: Path, server: Server) -> None:
    run(runtime, "codex", "Stop", env={"ZELLIJ_SESSION_NAME": "main", "ZELLIJ_PANE_ID": "3"})
    assert server.wait()[0]["zellij"] == "main/3"


def test_takes_the_json_as_an_argument(runtime: Path, server: Server) -> None:
    for words in (("codex", '{"type":"x"}'), ("codex", "notify", '{"type":"x"}')):
        assert quiet(run(runtime, *words, given=None))
    told = server.wait(2)
    assert [each["payload"] for each in told] == ['{"type":"x"}'] * 2
    assert {each["event"] for each in told} == {"", "notify"}


def test_an_open_standard_input_does_not_keep_it(runtime: Path, server: Server) -> None:
    assert quiet(run(runtime, "claude-code", "Stop", given=None))
    assert server.wait()[0]["payload"] == ""


def test_a_closed_standard_input_is_no_reason_to_be_silent(runtime: Path, server: Server) -> None:
    argv = f"exec '{installation.interpreter()}' -I -S '{SCRIPT}' codex Stop <&-"
    done = subprocess.run(
        ["/bin/sh", "-c", argv],
        env={"OPENSESSIONS_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        timeout=60,
    )
    assert quiet(done)
    assert server.wait()[0]["event"] == "Stop"


def test_a_long_payload_is_cut_and_read_to_its_end(runtime: Path, server: Server) -> None:
    payload = b'{"session_id":"s","x":"' + "ä".encode() * (1 << 20) + b'"}'
    assert quiet(
        run(runtime, "claude-code", "Stop", "patient", given=payload)
    )  # no broken pipe for the agent
    told = server.wait()[0]
    assert told["cut"] == "1"
    assert told["payload"].encode()[: hook.SENT - 4] == payload[: hook.SENT - 4]
    assert len(told["payload"].encode()) <= hook.SENT + 3


def test_odd_bytes_arrive_as_text(runtime: Path, server: Server) -> None:
    assert quiet(run(runtime, "claude-code", "Stop", "patient", given=b'{"a":"\xff\0\xf0"}'))
    assert server.wait()[0]["payload"] == '{"a":"\ufffd\ufffd"}'


@pytest.mark.parametrize(("agent", "answer"), [("gemini", b"{}\n"), ("cursor", b"{}\n"), ("qwen", b"")])
def test_answers_where_the_protocol_demands_it(runtime: Path, agent: str, answer: bytes) -> None:
    done = run(runtime, agent, "BeforeTool", given=b"{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, answer, b"")


@pytest.mark.parametrize("words", [(), ("",), ("claude-code",), ("claude-code", "Stop", "x", "y", "z")])
def test_without_a_server_it_does_nothing(runtime: Path, words: tuple[str, ...]) -> None:
    assert quiet(run(runtime, *words, given=b"{}"))
    assert not runtime.exists()


def test_a_socket_of_a_server_that_died(runtime: Path) -> None:
    Server(runtime, deaf=True).die()
    assert quiet(run(runtime, "claude-code", "Stop", given=b"{}"))


def test_a_folder_that_others_may_enter_is_not_trusted(runtime: Path, server: Server) -> None:
    runtime.chmod(0o755)
    assert quiet(run(runtime, "claude-code", "Stop", given=b"{}"))
    runtime.chmod(0o700)
    assert quiet(run(runtime, "claude-code", "SessionEnd", given=b"{}"))
    assert [told["event"] for told in server.wait()] == ["SessionEnd"]


def test_a_server_that_never_reads_does_not_keep_it(runtime: Path) -> None:
    server = Server(runtime, deaf=True, backlog=1)
    # The first ones fit into the queue of connections, with what they say; the others find it full.
    for _ in range(5):
        assert quiet(run(runtime, "claude-code", "Stop", given=b'{"x":"' + b"y" * 60_000 + b'"}'))
    server.close()


def test_every_wait_has_an_end_before_the_budget(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By construction: no call in it can block for longer than what is left."""
    server = Server(runtime, deaf=True, backlog=0)
    waits: list[float] = []
    clock = [1000.0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    monkeypatch.setenv("OPENSESSIONS_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr(hook.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(hook.time, "sleep", sleep)
    assert hook.ALL_UNTIL <= 0.05
    lines = []
    while (line := hook._connect(clock[0] + hook.ALL_UNTIL)) is not None:
        lines.append(line)
        assert line.gettimeout() == 0
    assert 0 < sum(waits) <= hook.ALL_UNTIL
    for line in lines:
        line.close()
    server.close()


def test_where_a_server_may_listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENSESSIONS_RUNTIME_DIR", str(tmp_path))
    assert hook.runtime_dirs() == [str(tmp_path)]
    monkeypatch.delenv("OPENSESSIONS_RUNTIME_DIR")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    user = os.geteuid()
    assert hook.runtime_dirs() == [
        f"{tmp_path}/opensessions", f"/run/user/{user}/opensessions", f"/tmp/opensessions-{user}"
    ]  # fmt: skip


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")
def test_a_number_puts_hooks_into_the_order_in_which_the_agent_started_them(
    runtime: Path, server: Server
) -> None:
    """Each waits in its shell until the one after it has told: they arrive the wrong way round."""
    # However long that takes on a busy machine, their shells are still taken for those that the agent started.
    code = (
        f"import sys; sys.path.insert(0, {installation.root()!r}); from opensessions import hook; "
        "hook.RECENT = 1000.0; hook.main(sys.argv[1:])"
    )
    python = shlex.join([installation.interpreter(), "-I", "-S", "-c", code, "codex"])
    argv = f"read go; {python} $0; :"
    env = {"OPENSESSIONS_RUNTIME_DIR": str(runtime)}
    started = [
        subprocess.Popen(["/bin/sh", "-c", argv, str(number)], stdin=subprocess.PIPE, env=env)
        for number in range(4)
    ]
    for number, process in enumerate(reversed(started)):
        process.communicate(b"\n")
        server.wait(number + 1)
    told = server.wait(4)
    assert [each["event"] for each in told] == ["3", "2", "1", "0"]
    pids = [process.pid for process in started]
    assert all(str(pid) in each["pid"].split(",") for pid, each in zip(reversed(pids), told, strict=True))
    if pids[0] // 10_000 == pids[3] // 10_000:  # else their number began anew between them
        assert [each["event"] for each in sorted(told, key=lambda each: int(each["order"]))] == list("0123")


def test_the_verb_is_the_script(runtime: Path, server: Server) -> None:
    code = (
        "import argparse, sys; from opensessions.cli import hook; parser = argparse.ArgumentParser();"
        "hook.add_arguments(parser); sys.exit(hook.run(parser.parse_args(sys.argv[1:])))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "codex", "Stop", '{"a":1}'],
        env={"OPENSESSIONS_RUNTIME_DIR": str(runtime)}, capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert quiet(done)
    assert server.wait()[0]["payload"] == '{"a":1}'


def test_what_it_imports_is_little() -> None:
    code = f"import sys; sys.path.insert(0, {installation.root()!r}); from opensessions import hook"
    done = subprocess.run(
        [installation.interpreter(), "-I", "-S", "-c", f"{code}; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    assert not loaded & {
        "json",
        "re",
        "subprocess",
        "pathlib",
        "dataclasses",
        "logging",
        "typing",
        "asyncio",
        "socket",
    }
