"""Readings as they ring, and what is told when tmux does not answer, is gone, or comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from opensessions.events import InventoryRead, MuxLeft, Unreachable
from opensessions_tmux.hooks import CHANNEL, RING
from opensessions_tmux.options import RINGS
from tests.support.terminal import PATIENCE
from tests.support.world import Tmux, World, is_alive
from tests.tmux.conftest import OWNER, Follower
from tests.tmux.test_transport import children

GROUP = 30
"""Events in a burst."""


def names(follower: Follower) -> set[str]:
    return {session.name for session in follower.last.sessions}


def waiters(mux: Tmux) -> list[psutil.Process]:
    """Every process that waits on our channel at this socket, or is just about to."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if mux.socket in words and any(f"wait-for {CHANNEL}" in word for word in words):
            found.append(process)
    return found


# --- readings -----------------------------------------------------------------------------------------------


async def test_the_first_reading_comes_at_once(mux: Tmux, scripts: str) -> None:
    following = Follower(mux, scripts)
    try:
        await following.until(lambda: following.readings, "a reading")
        assert names(following) == {"main"}
        assert following.last.server_pid == mux.pid
        assert following.last.version == mux.ask("#{version}")
        assert following.last.server_started == int(mux.ask("#{start_time}"))
    finally:
        await following.close()


async def test_a_change_is_read_and_nothing_else(follower: Follower) -> None:
    await follower.quiet()
    count = len(follower.readings)
    follower.mux.new("one")
    await follower.until(lambda: "one" in names(follower), "the session")
    assert len(follower.readings) == count + 1, "one event, one reading"


@pytest.mark.parametrize("rings", [1, 2, 3, 4])
async def test_rings_while_nobody_waits_are_not_lost(
    follower: Follower, monkeypatch: pytest.MonkeyPatch, rings: int
) -> None:
    """tmux forgets a channel that is rung twice with no waiter; the count does not."""
    monkeypatch.setattr("opensessions_tmux.pace.GAP", 0.5)
    count = len(follower.readings)
    follower.mux.new("wakes")
    await follower.until(lambda: len(follower.readings) > count and not waiters(follower.mux), "the pause")
    for number in range(rings):
        follower.mux(
            "rename-session", "-t", "=wakes" if number == 0 else f"=name{number - 1}", f"name{number}"
        )
    assert waiters(follower.mux) == []
    await follower.until(lambda: f"name{rings - 1}" in names(follower), "the last name")


async def test_that_tmux_forgets_a_channel_rung_twice(mux: Tmux) -> None:
    """The reason for counting. Should this fail on a newer tmux, counting is still right."""
    mux("wait-for", "-S", "x")
    mux("wait-for", "-S", "x")
    waiting = await asyncio.create_subprocess_exec(mux.world.binary, "-S", mux.socket, "wait-for", "x")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await waiting.wait()
    mux("wait-for", "-S", "x")
    assert await waiting.wait() == 0


async def test_a_burst_makes_few_readings_and_the_last_is_right(follower: Follower) -> None:
    await follower.quiet()
    count = len(follower.readings)
    words = [word for number in range(GROUP) for word in ("new-session", "-d", "-s", f"burst{number}", ";")]
    follower.mux(*words[:-1])
    await follower.until(lambda: len(names(follower)) == GROUP + 1, "all sessions")
    assert len(follower.readings) - count <= 4


async def test_many_requests_make_one_reading(follower: Follower) -> None:
    await follower.quiet()
    count = len(follower.readings)
    for _ in range(50):
        follower.provider.refresh()
    await follower.until(lambda: len(follower.readings) > count, "a reading")
    await follower.quiet()
    assert len(follower.readings) <= count + 2, "one for the fifty, one for the last call here"


async def test_waiting_is_one_process_that_does_nothing(follower: Follower) -> None:
    await follower.quiet()
    (waiter,) = await follower.until(lambda: waiters(follower.mux), "the waiter")
    assert follower.mux.lines("list-clients") == [], "no attached client appears"
    assert waiter.parent() == psutil.Process()


async def test_an_orphaned_waiter_of_a_killed_server_is_freed(mux: Tmux, scripts: str) -> None:
    wait = f"set-option -g @waits 1 ; wait-for {CHANNEL}"
    orphan = await asyncio.create_subprocess_exec(
        mux.world.binary, "-S", mux.socket, "if-shell", "-F", "1", wait, stdout=asyncio.subprocess.DEVNULL
    )
    # Its process is there before tmux has heard of it, and a ring before that would free somebody else.
    while not mux("show-options", "-gqv", "@waits"):
        await asyncio.sleep(0.005)
    following = Follower(mux, scripts)
    try:
        async with asyncio.timeout(PATIENCE):
            assert await orphan.wait() == 0
    finally:
        await following.close()


async def test_direct_readings_hide_no_event(follower: Follower) -> None:
    """What a command reads for itself must not count as told."""
    await follower.quiet()
    follower.mux.new("seen-by-a-command")
    await follower.provider._bell.read()
    await follower.until(lambda: "seen-by-a-command" in names(follower), "the event")


async def test_closing_leaves_no_process(mux: Tmux, scripts: str) -> None:
    before = children()
    following = Follower(mux, scripts)
    await following.until(lambda: len(waiters(mux)) == 1, "the waiter")
    await following.close()
    assert children() <= before
    assert waiters(mux) == []


async def test_a_closed_iterator_leaves_no_process(mux: Tmux, scripts: str) -> None:
    before = children()
    events = Follower.open(mux, scripts, OWNER).events()
    async for _ in events:
        break
    await events.aclose()
    assert children() <= before


async def test_opening_starts_nothing(mux: Tmux, scripts: str) -> None:
    before = children()
    provider = Follower.open(mux, scripts, OWNER)
    assert provider.kind == "tmux"
    assert provider.key == mux.key
    assert provider.socket == mux.socket
    assert children() <= before


async def test_two_tmux_servers_at_once(world: World, follower: Follower, scripts: str) -> None:
    other = world.mux("a second = one.sock")
    second = Follower(other, scripts)
    try:
        await second.until(lambda: second.readings, "a reading")
        os.kill(other.pid, signal.SIGSTOP)
        try:
            asked = asyncio.create_task(second.provider.probe(5 * PATIENCE))
            for number in range(3):
                follower.mux.new(f"fast{number}")
                await follower.until(lambda number=number: f"fast{number}" in names(follower), "not delayed")
            assert not asked.done(), "the other one is still being waited for"
        finally:
            os.kill(other.pid, signal.SIGCONT)
        assert await asked
        other.new("slow")
        await second.until(lambda: "slow" in names(second), "the other one")
        assert "slow" not in names(follower)
    finally:
        await second.close()


async def test_a_server_without_sessions_is_no_trouble(follower: Follower) -> None:
    mux = follower.mux
    mux("set-option", "-g", "exit-empty", "off")
    mux("kill-session", "-t", "main")
    await follower.until(lambda: follower.last.sessions == (), "no sessions")
    mux.new("again")
    await follower.until(lambda: names(follower) == {"again"}, "a new one")
    assert not [event for event in follower.events if not isinstance(event, InventoryRead)]


# --- silence ------------------------------------------------------------------------------------------------


async def test_a_stopped_server_is_unreachable_until_it_goes_on(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    mux = follower.mux
    await follower.quiet()
    os.kill(mux.pid, signal.SIGSTOP)
    try:
        assert not await follower.provider.probe(0.1)
        await follower.until(lambda: isinstance(follower.events[-1], Unreachable), "unreachable")
        assert "did not answer" in follower.events[-1].reason  # type: ignore[union-attr]
    finally:
        os.kill(mux.pid, signal.SIGCONT)
    mux.new("after")
    await follower.until(lambda: "after" in names(follower), "readings go on")
    assert await follower.provider.probe(PATIENCE)
    assert sum(isinstance(event, Unreachable) for event in follower.events) == 1
    assert MuxLeft not in {type(event) for event in follower.events}


async def test_a_deleted_socket_is_unreachable_and_not_gone(follower: Follower) -> None:
    """The server lives; SIGUSR1 makes it create its socket again."""
    mux = follower.mux
    await follower.quiet()
    (waiter,) = await follower.until(lambda: waiters(mux), "the waiter")
    Path(mux.socket).unlink()
    waiter.kill()
    await follower.until(lambda: isinstance(follower.events[-1], Unreachable), "unreachable")
    os.kill(mux.pid, signal.SIGUSR1)
    await follower.until(lambda: isinstance(follower.events[-1], InventoryRead), "back")
    assert MuxLeft not in {type(event) for event in follower.events}


async def test_a_killed_waiter_is_replaced(follower: Follower) -> None:
    mux = follower.mux
    await follower.quiet()
    (waiter,) = await follower.until(lambda: waiters(mux), "the waiter")
    waiter.kill()
    mux.new("heard")
    await follower.until(lambda: "heard" in names(follower), "the next reading")
    assert {type(event) for event in follower.events} == {InventoryRead}


@pytest.fixture
async def tireless(mux: Tmux, scripts: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Follower]:
    """A provider that tries again only after an hour: what it tells before that, it was told."""
    monkeypatch.setattr("opensessions_tmux.doorbell.FIRST_REST", 3600.0)
    following = Follower(mux, scripts)
    try:
        await following.until(following.begun, "the first readings")
        yield following
    finally:
        await following.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_dead_server_is_told_once_and_at_once(tireless: Follower, how: signal.Signals) -> None:
    await tireless.quiet()
    os.kill(tireless.mux.pid, how)
    await tireless.until(tireless.task.done, "the end of the events")
    assert tireless.events[-1] == MuxLeft(tireless.mux.key)
    assert sum(isinstance(event, MuxLeft) for event in tireless.events) == 1
    assert waiters(tireless.mux) == []


async def test_a_server_that_dies_while_it_is_stopped(tireless: Follower) -> None:
    await tireless.quiet()
    os.kill(tireless.mux.pid, signal.SIGSTOP)
    assert not await tireless.provider.probe(0.1)
    await tireless.until(lambda: isinstance(tireless.events[-1], Unreachable), "unreachable")
    os.kill(tireless.mux.pid, signal.SIGKILL)
    await tireless.until(tireless.task.done, "the end")
    assert isinstance(tireless.events[-1], MuxLeft)


async def test_a_new_server_on_the_same_socket_is_followed(world: World, follower: Follower) -> None:
    """A user who kills tmux and starts it again at once sees the new sessions, with hooks."""
    await follower.until(lambda: waiters(follower.mux), "the waiter")
    old = psutil.Process(follower.mux.pid)
    follower.mux("kill-server")
    psutil.wait_procs([old], timeout=10)
    new = world.mux(Path(follower.mux.socket).name)
    await follower.until(lambda: follower.last.server_pid == new.pid, "the new server")
    new.new("fresh")
    await follower.until(lambda: "fresh" in names(follower), "its hooks ring")
    assert {type(event) for event in follower.events} == {InventoryRead}


async def test_a_socket_that_was_never_there(world: World, scripts: str) -> None:
    """Nothing is proven: it stays unreachable."""
    absent = world.mux("absent.sock")
    absent.kill()
    # One that is just ending gives another reason than one that is not there, and both are told.
    world.until(lambda: not is_alive(absent.pid), "its end")
    following = Follower(absent, scripts)
    try:
        await following.until(lambda: following.events, "an event")
        assert isinstance(following.events[0], Unreachable)
        with pytest.raises(AssertionError, match="in vain"):
            await following.until(lambda: len(following.events) > 1, "another event", patience=1.5)
        assert not await following.provider.probe(1)
    finally:
        await following.close()


async def test_a_program_that_cannot_be_started(mux: Tmux, scripts: str) -> None:
    mux.world.binary = "/nowhere/tmux"
    following = Follower(mux, scripts)
    try:
        await following.until(lambda: following.events, "an event")
        assert "/nowhere/tmux cannot be started" in following.events[0].reason  # type: ignore[union-attr]
    finally:
        await following.close()
        mux.world.binary = str(mux.world.home / "bin" / "tmux")


async def test_rings_are_counted_out_of_sight(follower: Follower) -> None:
    """The count is no option (each change would draw every client anew) and no variable of any program."""
    mux = follower.mux
    for words in RING:
        mux(*words)
    assert int(mux.ask(f"#{{{RINGS}}}")) >= 1
    assert RINGS not in mux("show-environment", "-g")
    assert RINGS not in mux("run-shell", "env")
