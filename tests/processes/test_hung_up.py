"""What a real tmux leaves of an agent that ignores the hang-up: the facts that the judgement stands on."""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from opensessions.processes.source import Stat, this_system
from tests.processes.conftest import until
from tests.support.world import Tmux

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux", reason="only Linux tells that a terminal was hung up"
)

AGENT = "trap '' HUP; echo $$ >{file}; while :; do sleep 0.2; done"


class Stubborn:
    """A process that ignores the hang-up, held by a handle so that no other can be hit in its stead."""

    def __init__(self, mux: Tmux, place: str, file: Path, held: ExitStack) -> None:
        """`place`: "leader" is the pane's own process, "job" leads a group below the pane's shell."""
        inner = f"sh -c {_quoted(AGENT.format(file=file))}"
        words = AGENT.format(file=file) if place == "leader" else f"set -m; {inner} & read line"
        self.pane = mux("new-window", "-d", "-P", "-F", "#{pane_id}", f"exec bash -c {_quoted(words)}")
        self.pid = int(until(lambda: file.exists() and file.read_text().strip(), "the agent's start"))
        handle = os.pidfd_open(self.pid)
        held.callback(os.close, handle)
        held.callback(_kill, handle)

    def stat(self) -> Stat:
        found = this_system().stat(self.pid)
        assert found
        return found


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["leader", "job"])
def agent(request: pytest.FixtureRequest, mux: Tmux, tmp_path: Path, held: ExitStack) -> Stubborn:
    return Stubborn(mux, request.param, tmp_path / "pid", held)


def test_in_its_pane_it_has_the_panes_terminal(agent: Stubborn) -> None:
    assert agent.stat().terminal != 0


def test_when_its_pane_is_closed_it_has_none(mux: Tmux, agent: Stubborn) -> None:
    mux("kill-pane", "-t", agent.pane)
    until(lambda: agent.stat().terminal == 0, "the hang-up")
    assert agent.pane not in mux.lines("list-panes", "-a", "-F", "#{pane_id}")


def test_when_tmux_is_killed_it_has_none(mux: Tmux, agent: Stubborn) -> None:
    handle = os.pidfd_open(mux.pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)
    until(lambda: agent.stat().terminal == 0, "the hang-up")


def test_when_its_pane_is_kept_without_its_program_it_has_none(
    mux: Tmux, tmp_path: Path, held: ExitStack
) -> None:
    mux("set-option", "-g", "remain-on-exit", "on")
    agent = Stubborn(mux, "job", tmp_path / "pid", held)
    mux("send-keys", "-t", agent.pane, "Enter")
    until(lambda: mux.ask("#{pane_dead}", agent.pane) == "1", "the end of the pane's program")
    until(lambda: agent.stat().terminal == 0, "the hang-up")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _kill(handle: int) -> None:
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass
