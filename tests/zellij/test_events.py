"""When the provider reads, and what it says where it cannot."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from opensessions.errors import MuxError, MuxTimeout
from opensessions.events import MuxLeft, Unreachable
from opensessions.provider import Context
from opensessions_zellij.bell import digest
from opensessions_zellij.provider import ZellijProvider
from tests.support.terminal import Terminal
from tests.support.zellij import SETTINGS, Zellij
from tests.zellij.conftest import Follower


async def test_nothing_is_read_because_a_program_prints(zellij: Zellij, follower: Follower) -> None:
    zellij.attach("main")
    zellij.action("main", "new-tab")
    await follower.until(lambda: follower.last.seen_windows() == {"main/tab_1"}, "the tab")
    line = "touch begun; while [ ! -e go ]; do sleep 0.05; done; "
    line += "for n in 1 2 3 4 5 6 7 8 9 10; do printf x; sleep 0.2; done; touch done; while :; do sleep 0.05; done"
    zellij.action("main", "write-chars", "--pane-id", "terminal_1", line)
    zellij.action("main", "send-keys", "--pane-id", "terminal_1", "Enter")
    home = zellij.world.home
    await follower.until((home / "begun").exists, "the beginning")
    await silent(follower)
    calls: list[tuple[str, ...]] = []
    run = follower.provider._zellij._run

    async def counted(words, *rest):  # type: ignore[no-untyped-def]
        calls.append(words)
        return await run(words, *rest)

    follower.provider._zellij._run = counted  # type: ignore[method-assign]
    (home / "go").touch()
    await follower.until((home / "done").exists, "the end of what prints")
    assert calls == []


async def silent(follower: Follower) -> None:
    """Wait until nothing has been read for three seconds: zellij tells of a change within one."""
    loop = asyncio.get_running_loop()
    count, since = 0, loop.time()

    def still() -> bool:
        nonlocal count, since
        if len(follower.readings) != count:
            count, since = len(follower.readings), loop.time()
        return loop.time() > since + 3

    await follower.until(still, "silence")


def metadata(zellij: Zellij, session: str) -> Path:
    cache = zellij.world.home / ".cache" / "zellij"
    return cache / "contract_version_1" / "session_info" / session / "session-metadata.kdl"


def test_what_moves_all_the_time_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "session-metadata.kdl"
    text = (
        'name "x"\npanes {\n    pane {\n        title "a"\n        cursor_coordinates_in_pane 2 0\n    }\n}\n'
    )
    file.write_text(text + "connected_clients 1\ncreation_time 3\n")
    before = digest(str(file))
    file.write_text(text.replace("2 0", "3 7") + "connected_clients 1\ncreation_time 4\n")
    assert before is not None
    assert digest(str(file)) == before
    file.write_text(text.replace('"a"', '"b"') + "connected_clients 1\n")
    after = digest(str(file))
    assert after is not None
    assert after != before
    assert after.clients == before.clients
    file.write_text("")
    assert digest(str(file)) is None
    assert digest(str(tmp_path / "none")) is None


async def test_sessions_are_not_hurt_while_they_are_born(zellij: Zellij, follower: Follower) -> None:
    """zellij's server panics if anybody asks it for anything before its own first client."""
    names = [f"born-{number}" for number in range(6)]
    terminals: list[Terminal] = []
    for name in names:
        terminals.append(zellij._client(name, 80, 24, create=True))
        follower.provider.refresh()
        await follower.until(lambda name=name: follower.last.session(name), f"{name} in a reading")
    for terminal in terminals:
        await follower.until(lambda terminal=terminal: "$ " in terminal.text, "its prompt")


async def test_a_session_whose_server_is_stopped_makes_it_unreachable(
    zellij: Zellij, follower: Follower
) -> None:
    zellij.new("stuck")
    await follower.until(lambda: len(follower.last.servers) == 2, "both")
    stuck = psutil.Process(
        next(pid for pid in follower.last.servers if pid not in follower.readings[0].servers)
    )
    stuck.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(MuxTimeout, match="stopped"):
            await follower.provider.look()
        assert not await follower.provider.probe(0.2)
        await follower.until(lambda: isinstance(follower.events[-1], Unreachable), "it said so")
        assert follower.last.session("stuck") is not None, "what was known stays"
    finally:
        stuck.send_signal(signal.SIGCONT)
    count = len(follower.readings)
    await follower.until(lambda: len(follower.readings) > count, "readings again")
    assert await follower.provider.probe(5.0)


async def test_the_end_of_the_last_session_is_told(zellij: Zellij, follower: Follower) -> None:
    zellij.run("delete-session", "--force", "main", check=False)
    await follower.until(lambda: follower.task.done(), "the end of the events")
    assert follower.events[-1] == MuxLeft("zellij")


async def test_a_killed_server_is_gone_without_a_trace(zellij: Zellij, follower: Follower) -> None:
    zellij.new("other")
    await follower.until(lambda: len(follower.last.servers) == 2, "both")
    pid = next(pid for pid in follower.last.servers if pid not in follower.readings[0].servers)
    os.kill(pid, signal.SIGKILL)  # its socket stays, and nobody listens
    await follower.provider.sweep()
    await follower.until(lambda: [one.id for one in follower.last.sessions] == ["main"], "the other's end")


async def test_a_session_that_writes_nothing_is_asked_while_somebody_looks(
    zellij: Zellij, follower: Follower
) -> None:
    zellij.config.write_text(SETTINGS + "session_serialization false\ndisable_session_metadata true\n")
    zellij.attach("silent")
    await follower.until(lambda: follower.last.session("silent"), "the session")
    zellij.action("silent", "new-tab")
    await follower.until(lambda: follower.last.seen_windows() == {"silent/tab_1"}, "its second tab")
    assert not metadata(zellij, "silent").exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo zellij 0.43.1", "install a newer zellij"),
        ("echo nonsense", "install a newer zellij"),
        ("sleep 60", "did not answer"),
        ('case "$1" in --version) echo zellij 0.45.1;; *) echo oops; exit 3;; esac', "oops"),
        ('case "$1" in --version) echo zellij 0.45.1;; *) echo no such line;; esac', "not understood"),
    ],
)
async def test_a_zellij_that_cannot_be_used_says_why(
    short: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program = short / "zellij"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    provider = ZellijProvider(str(short / "z"), str(program), Context("x", "/r", "python", "python", "/s"))
    events = provider.events()
    event = await anext(events)
    assert isinstance(event, Unreachable)
    assert words in event.reason
    with pytest.raises(MuxError):
        await provider.look()
    await events.aclose()


async def test_a_zellij_that_is_not_there_says_so(short: Path) -> None:
    provider = ZellijProvider(str(short), str(short / "zellij"), Context("x", "/r", "python", "python", "/s"))
    events = provider.events()
    event = await anext(events)
    assert isinstance(event, Unreachable)
    assert "cannot be started" in event.reason
    await events.aclose()
