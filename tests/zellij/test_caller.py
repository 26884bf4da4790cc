"""Where a command was typed, in a zellij pane and in one multiplexer inside of another."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import psutil
import pytest

from opensessions.caller import Caller, inner
from tests.conftest import VERSIONS
from tests.support.world import ROOT, World
from tests.support.zellij import Zellij

TELL = """
import sys
sys.path[:0] = [{root!r}, {root!r} + "/providers"]
from msgspec.json import encode
from opensessions import caller
open({file!r}, "wb").write(encode(caller.find()))
"""


@pytest.fixture
def script(zworld: World) -> str:
    """What writes who the caller is to `told`."""
    file = zworld.home / "tell.py"
    file.write_text(TELL.format(root=str(ROOT), file=str(zworld.home / "told.new")))
    return f"{sys.executable} {file} && mv {zworld.home}/told.new {zworld.home}/told"


def told(world: World) -> dict[str, Any]:
    file = world.home / "told"
    world.until(file.exists, "the answer")
    found: dict[str, Any] = json.loads(file.read_text())
    file.unlink()
    return found


def type_line(zellij: Zellij, line: str, session: str = "main") -> None:
    zellij.action(session, "write-chars", "--pane-id", "terminal_0", "--", line)
    zellij.action(session, "send-keys", "--pane-id", "terminal_0", "Enter")


def test_in_a_pane(zworld: World, zellij: Zellij, script: str) -> None:
    zellij.attach("main")
    (number,) = zellij.clients("main")
    type_line(zellij, script)
    who = told(zworld)
    assert (who["provider"], who["mux"], who["target"]) == ("zellij", "zellij", zellij.folder)
    assert (who["session"], who["pane"], who["client"]) == ("main", "main/terminal_0", f"main/{number}")
    assert who["pane_pid"] > 0
    assert who["server_pid"] > 0


def test_in_a_session_that_was_renamed_since(zworld: World, zellij: Zellij, script: str) -> None:
    zellij.new("main")
    zellij.action("main", "rename-session", "renamed")
    type_line(zellij, script, "renamed")
    who = told(zworld)
    assert (who["session"], who["pane"], who["client"]) == ("renamed", "renamed/terminal_0", "")


@pytest.mark.skipif(not VERSIONS, reason="there is no tmux")
def test_tmux_in_zellij(zworld: World, zellij: Zellij, script: str) -> None:
    zellij.attach("main")
    type_line(zellij, f"tmux -S {zworld.home}/inner.sock -f /dev/null new-session -A -s inner")
    zworld.until(lambda: "[inner]" in zellij.screen("main"), "tmux in the pane")
    try:
        type_line(zellij, script)
        assert told(zworld)["provider"] == "tmux"
    finally:
        type_line(zellij, "exit")
    zworld.until(lambda: "[exited]" in zellij.screen("main"), "the end of tmux")


@pytest.mark.skipif(not VERSIONS, reason="there is no tmux")
def test_zellij_in_tmux(zworld: World, zellij: Zellij, script: str) -> None:
    outer = zworld.mux()
    outer("send-keys", "-t", "=main:", "zellij attach --create nested", "Enter")
    zellij.born("nested")
    zworld.until(lambda: "$" in zellij.screen("nested"), "its prompt")
    type_line(zellij, script, "nested")
    who = told(zworld)
    assert (who["provider"], who["session"]) == ("zellij", "nested")


def test_the_nearest_pane_above_is_the_inner_one() -> None:
    above = [os.getpid(), *(process.pid for process in psutil.Process().parents())]
    near, far = Caller("near", "", "", "", pane_pid=above[0]), Caller("far", "", "", "", pane_pid=above[1])
    unknown = Caller("unknown", "", "", "")
    assert inner([far, near]) is near
    assert inner([unknown, far]) is far
    assert inner([unknown, Caller("other", "", "", "")]) is unknown
