"""A reading on demand: complete, or not at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

import pytest

from opensessions.errors import MuxError
from opensessions.provider import Context
from opensessions_tmux.provider import TmuxProvider
from opensessions_tmux.quote import Words
from opensessions_tmux.reading import COMMANDS
from opensessions_tmux.transport import Reply
from tests.support.world import Tmux


def opened(mux: Tmux) -> TmuxProvider:
    return TmuxProvider(mux.socket, mux.world.binary, Context("", "", "", "", ""))


async def test_everything_is_in_it(mux: Tmux) -> None:
    mux.new("api")
    mux("split-window", "-d", "-t", "=api:")
    inventory = await opened(mux).look()
    assert inventory.server_pid == mux.pid
    assert [session.name for session in inventory.sessions] == ["main", "api"]
    panes = {pane.id for window in inventory.windows.values() for pane in window.panes}
    assert panes == set(mux.lines("list-panes", "-a", "-F", "#{pane_id}"))


async def test_a_tmux_without_sessions_has_no_panes(mux: Tmux) -> None:
    mux("set-option", "-s", "exit-empty", "off")
    mux("kill-session", "-t", "=main")
    inventory = await opened(mux).look()
    assert (inventory.server_pid, inventory.sessions, inventory.windows) == (mux.pid, (), {})


async def test_a_stopped_tmux_is_waited_for_two_seconds(mux: Tmux, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is asked once."""
    provider = opened(mux)
    run, asked = provider._bell._tmux.run, []

    async def counted(words: Iterable[Words], within: float | None = 2.0, *, each: bool = False) -> Reply:
        asked.append(within)
        return await run(words, within, each=each)

    monkeypatch.setattr(provider._bell._tmux, "run", counted)
    os.kill(mux.pid, signal.SIGSTOP)
    try:
        with pytest.raises(MuxError, match="did not answer within 2 s"):
            await provider.look()
        assert asked == [2.0]
    finally:
        os.kill(mux.pid, signal.SIGCONT)


async def test_without_a_socket_nothing_is_known_and_no_tmux_is_started(mux: Tmux) -> None:
    provider = opened(mux)
    os.rename(mux.socket, f"{mux.socket}.away")
    try:
        with pytest.raises(MuxError):
            await provider.look()
        assert not os.path.exists(mux.socket)
    finally:
        os.rename(f"{mux.socket}.away", mux.socket)
    assert (await provider.look()).server_pid == mux.pid


async def test_a_session_made_between_two_commands_is_no_session_without_panes(
    mux: Tmux, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands for a tmux without sessions list no panes. One that is just getting its first session fails the
    others."""
    provider = opened(mux)
    run = provider._bell._tmux.run

    async def racing(words: Iterable[Words], within: float | None = 2.0, *, each: bool = False) -> Reply:
        commands = tuple(words)
        return Reply(False, b"", "no current target") if commands == COMMANDS else await run(commands, within)

    monkeypatch.setattr(provider._bell._tmux, "run", racing)
    with pytest.raises(MuxError, match="incomplete"):
        await provider.look()
