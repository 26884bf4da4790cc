"""What scripts make of a zellij that denies a session that lives, or answers nothing: with a stand-in for it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from opensessions_zellij import caller, looking
from opensessions_zellij.places import CONTRACT
from opensessions_zellij.transport import Zellij

DENIES = """#!/bin/sh
echo "$*" >>{calls}
[ $(wc -l <{calls}) -gt {times} ] || {{ {denial}; }}
echo 'CLIENT_ID ZELLIJ_PANE_ID RUNNING_COMMAND'
echo '4         terminal_2     sh'
"""
DENIALS = (
    "echo 'There is no active session!' >&2; exit 1",
    "echo \"Session 's' not found. The following sessions are active:\" >&2; exit 1",
)
NOTHING = "exit 0"


@pytest.fixture
def calls(short: Path) -> Path:
    """A line for each call."""
    return short / "calls"


def program(calls: Path, denial: str, times: int) -> str:
    """A zellij that says this so many times before it does what it is told."""
    file = calls.with_name("zellij")
    file.write_text(DENIES.format(calls=calls, denial=denial, times=times))
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize("denial", DENIALS)
def test_what_was_denied_is_done(calls: Path, short: Path, denial: str) -> None:
    assert looking.act(program(calls, denial, 1), str(short), "s", "switch-session", "--", "it's") == 0
    assert calls.read_text() == "--session s action switch-session -- it's\n" * 2


def test_what_zellij_refuses_is_tried_once(
    calls: Path, short: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert looking.act(program(calls, "echo no >&2; exit 3", 9), str(short), "s", "x") == 3
    assert calls.read_text().count("\n") == 1
    assert capfd.readouterr().err == "no\n"


def test_what_is_denied_for_ever_fails(calls: Path, short: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert looking.act(program(calls, DENIALS[0], 99), str(short), "s", "x") == 1
    assert calls.read_text().count("\n") == looking.TRIES
    assert "no active session" in capfd.readouterr().err


@pytest.mark.parametrize("denial", [*DENIALS, NOTHING])
def test_who_looks_is_asked_for_again(
    calls: Path, short: Path, monkeypatch: pytest.MonkeyPatch, denial: str
) -> None:
    zellij = program(calls, denial, 1)
    assert looking.panes(zellij, str(short), "s") == {"s/4": "terminal_2"}
    calls.unlink()
    assert caller._client(zellij, "s", "terminal_2") == "s/4"


async def test_the_server_asks_again_where_nothing_was_printed(calls: Path, short: Path) -> None:
    folder = short / "z" / f"{CONTRACT}1"
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / "s"))
        os.utime(folder / "s", (1, 1))  # old enough to live
        zellij = Zellij(program(calls, NOTHING, 2), str(short / "z"), str(short))
        assert (await zellij.told("s", "list-clients")).startswith(looking.HEADING)
        assert calls.read_text().count("\n") == 3
        calls.unlink()
        zellij = Zellij(program(calls, NOTHING, 99), str(short / "z"), str(short))
        assert await zellij.told("s", "list-clients") == ""
