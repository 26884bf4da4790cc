"""Calls of a tmux server."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest

from opensessions.errors import MuxError, MuxTimeout
from opensessions_tmux.transport import Tmux as Transport
from tests.support.world import Tmux, World, is_alive


def children() -> set[int]:
    """The pids of our living children."""
    return {child.pid for child in psutil.Process().children() if is_alive(child.pid)}


async def test_output_and_refusal(mux: Tmux) -> None:
    transport = Transport(mux.world.binary, mux.socket)
    reply = await transport.run([("display-message", "-p", "one;"), ("display-message", "-p", "two")])
    assert (reply.ok, reply.out, reply.err) == (True, b"one;\ntwo\n", "")
    reply = await transport.run([("kill-pane", "-t", "%99"), ("display-message", "-p", "never")])
    assert (reply.ok, reply.out, reply.err) == (False, b"", "can't find pane: %99")


async def test_a_failed_call_ends_the_others_unless_each_is_wanted(mux: Tmux) -> None:
    transport = Transport(mux.world.binary, mux.socket)
    filler = [("set-option", "-g", "@x", "y" * 3000)] * 4
    commands = [("kill-pane", "-t", "%99"), *filler, ("display-message", "-p", "last")]
    assert (await transport.run(commands)).out == b""
    reply = await transport.run(commands, each=True)
    assert (reply.ok, reply.out) == (False, b"last\n")


async def test_a_socket_with_spaces_equals_and_other_letters(world: World) -> None:
    mux = world.mux("a = b #{x} é.sock")
    reply = await Transport(world.binary, mux.socket).run([("display-message", "-p", "#{socket_path}")])
    assert reply.out.decode() == mux.socket + "\n"


async def test_no_server_is_started(world: World) -> None:
    socket = str(world.home / "none")
    reply = await Transport(world.binary, socket).run([("new-session", "-d")])
    assert not reply.ok
    assert "No such file" in reply.err
    assert socket not in map(str, world.home.iterdir())


async def test_a_program_that_is_missing() -> None:
    with pytest.raises(MuxError, match="/nowhere/tmux cannot be started"):
        await Transport("/nowhere/tmux", "/nowhere/socket").run([("list-sessions",)])


async def test_a_stopped_server_is_given_up(mux: Tmux) -> None:
    transport = Transport(mux.world.binary, mux.socket)
    before = children()
    os.kill(mux.pid, signal.SIGSTOP)
    try:
        with pytest.raises(MuxTimeout, match=r"did not answer within 0\.2 s"):
            await transport.run([("list-sessions",)], 0.2)
        assert children() <= before
    finally:
        os.kill(mux.pid, signal.SIGCONT)
    assert (await transport.run([("list-sessions",)])).ok


async def test_a_cancelled_call_leaves_no_process(mux: Tmux) -> None:
    before = children()
    call = asyncio.create_task(Transport(mux.world.binary, mux.socket).run([("wait-for", "never")], None))
    while children() <= before:
        await asyncio.sleep(0.005)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert children() <= before


async def test_the_callers_own_tmux_is_not_asked(mux: Tmux, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/nowhere/else,1,0")
    monkeypatch.setenv("TMUX_PANE", "%77")
    reply = await Transport(mux.world.binary, mux.socket).run([("display-message", "-p", "#{pane_id}")])
    assert reply.out == b"%0\n"
