"""The command line in zellij, and sidebars that a layout opens, with clients of the real zellij."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

import pytest

from tests.e2e.test_agents import AGENT, WAITING
from tests.support.terminal import Terminal
from tests.support.world import World
from tests.support.zellij import Zellij, has_keys, press


@pytest.fixture
def served(zworld: World, zellij: Zellij) -> Zellij:
    """The sessions `alpha` and `beta`, and a server that serves them."""
    zellij.new("alpha")
    zellij.new("beta")
    zellij.up("alpha")
    zworld.until(lambda: len(zellij.rows()) == 2, "both rows")
    return zellij


@pytest.fixture
def client(served: Zellij) -> Terminal:
    return served.attach("alpha")


def cli(zellij: Zellij, session: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The command line, typed in the first pane of a session."""
    return zellij.world.cli(*words, env=zellij.inside(session), check=check)


def sessions(zellij: Zellij) -> dict[str, dict[str, Any]]:
    """The snapshot's sessions by name."""
    snapshot = json.loads(zellij.world.cli("list", "--json").stdout)
    return {row["name"]: row for mux in snapshot["muxes"] for row in mux["sessions"]}


def arrives(zellij: Zellij, terminal: Terminal, session: str) -> None:
    """Wait until the client shows a session's prompt, and has typed there: then it is the one that actions move."""
    zellij.world.until(
        lambda: f"({session})" in terminal.text and "$ " in terminal.text, f"{session} on the screen"
    )
    zellij.type_in(terminal)


def test_switch_next_and_prev(served: Zellij, client: Terminal) -> None:
    for words, here, there in (
        (("switch", "2"), "alpha", "beta"),
        (("switch", "alpha"), "beta", "alpha"),
        (("next",), "alpha", "beta"),
        (("prev",), "beta", "alpha"),
    ):
        cli(served, here, *words)
        arrives(served, client, there)
    assert cli(served, "alpha", "switch", "9").returncode == 0
    assert "There is no session nowhere" in cli(served, "alpha", "switch", "nowhere", check=False).stderr
    assert list(served.clients("alpha")) != []


def test_sessions_are_made_renamed_and_ended(served: Zellij, client: Terminal) -> None:
    folder = served.world.home / "project"
    folder.mkdir()
    made = json.loads(cli(served, "alpha", "session", "new", "--dir", str(folder), "--json").stdout)
    assert (made["session"], made["directory"]) == ("project", str(folder))
    served.world.until(lambda: "project" in sessions(served), "its row")
    assert cli(served, "alpha", "session", "rename", "project", "other").stdout == "other\n"
    served.world.until(lambda: {"alpha", "beta", "other"} == set(sessions(served)), "the new name")
    cli(served, "alpha", "session", "kill", "alpha", "--yes")
    served.world.until(
        lambda: served.clients("beta") or served.clients("other"), "the client in another session"
    )
    served.world.until(lambda: sorted(served.sessions()) == ["beta", "other"], "the session gone")
    assert served.dead() == [], "no ghost is left"
    served.world.until(lambda: set(sessions(served)) == {"beta", "other"}, "its row gone")


def test_the_popup(served: Zellij, client: Terminal) -> None:
    cli(served, "alpha", "popup")
    client.see("tab mode")
    client.type(b"2")
    arrives(served, client, "beta")
    served.world.until(
        lambda: [pane["id"] for pane in served.panes("alpha")] == [0], "the floating pane gone"
    )


def test_the_status_tells_of_zellij(served: Zellij, client: Terminal) -> None:
    (mux,) = served.world.status()["muxes"]
    assert (mux["provider"], mux["key"], mux["socket"]) == ("zellij", "zellij", served.folder)
    assert (mux["sessions"], mux["reachable"]) == (2, True)


@pytest.mark.parametrize("position", ["left", "right"])
def test_a_layout_brings_a_sidebar_that_is_ours(zworld: World, zellij: Zellij, position: str) -> None:
    """It is exactly as wide as wished, one in every tab, stays where panes come and go, and is closed and opened with
    the others."""
    zworld.config.write_text(f"sidebar: {{width: 31, position: {position}, visible: true}}\n")
    zworld.cli("zellij", "install")
    zworld.cli("zellij", "layout", "--install")
    arguments = [zellij.program, "--new-session-with-layout", "opensessions", "--session", "main"]
    terminal = Terminal(arguments, zworld.env, 120, 30)
    zworld.terminals.append(terminal)
    terminal.see("sessions 1")  # the sidebar has started the server

    edge = (0 if position == "left" else 89, 31)

    def in_tab(tab: int, panes: int) -> bool:
        found = zellij.sidebars("main").get(tab, {})
        at = (found.get("pane_x"), found.get("pane_columns"), found.get("pane_rows"))
        return at == (*edge, 28) and len(zellij.panes("main", tab)) == panes + 1

    zworld.until(lambda: in_tab(0, 1), "one sidebar, of the wished width")
    assert list(zellij.clients("main").values()) != [f"terminal_{zellij.sidebars('main')[0]['id']}"], (
        "the focus"
    )
    zellij.action("main", "new-tab")
    zworld.until(lambda: in_tab(1, 1), "one in the new tab")
    press(zellij, terminal, "t")
    zworld.until(lambda: not zellij.sidebars("main"), "both closed")
    press(zellij, terminal, "t")
    zworld.until(lambda: len(zellij.sidebars("main")) == 2, "one in each again")
    zellij.action("main", "new-tab")
    zworld.until(lambda: len(zellij.sidebars("main")) == 3, "one in the next tab")
    for panes in range(2, 8):
        zellij.action("main", "new-pane")
        zworld.until(lambda panes=panes: in_tab(2, panes), f"the same with {panes} panes")


def test_a_layouts_sidebar_outlives_our_server(zworld: World, zellij: Zellij) -> None:
    zworld.config.write_text("sidebar: {visible: true}\n")
    zworld.cli("zellij", "layout", "--install")
    arguments = [zellij.program, "--new-session-with-layout", "opensessions", "--session", "main"]
    terminal = Terminal(arguments, zworld.env, 120, 30)
    zworld.terminals.append(terminal)
    terminal.see("sessions 1")
    (before,) = zellij.sidebars("main").values()
    pid = int(zworld.status()["pid"])
    os.kill(pid, signal.SIGKILL)
    zworld.until(lambda: zworld.status().get("pid", pid) != pid, "the sidebar starts another server")
    zworld.until(lambda: zworld.status().get("sidebars") == 1, "and is connected")
    (after,) = zellij.sidebars("main").values()
    assert (after["id"], after["pane_columns"]) == (before["id"], 26)


def test_uninstall_leaves_zellij_as_it_was(served: Zellij, client: Terminal) -> None:
    before = served.config.read_text()
    served.world.cli("zellij", "install")
    cli(served, "alpha", "sidebar", "show")
    served.world.until(lambda: served.sidebars("alpha"), "the sidebar")
    served.world.cli("uninstall")
    assert not served.world.status()["running"]
    served.world.until(lambda: [pane["id"] for pane in served.panes("alpha")] == [0], "the sidebar closed")
    assert served.config.read_text() == before
    assert sorted(served.sessions()) == ["alpha", "beta"]
    served.world.cli("up")
    assert served.world.status()["muxes"] == [], "a later server does not serve it unasked"


def test_the_attention_key_and_back(served: Zellij, client: Terminal) -> None:
    program = served.world.home / "bin" / "codex"
    program.write_text(AGENT)
    program.chmod(0o755)
    served.world.cli("zellij", "install")
    served.action("beta", "write-chars", "--pane-id", "terminal_0", "--", "codex")
    served.action("beta", "send-keys", "--pane-id", "terminal_0", "Enter")
    served.world.until(lambda: sessions(served)["beta"]["agents"], "the agent")
    served.action("beta", "write-chars", "--pane-id", "terminal_0", "--", WAITING)
    served.action("beta", "send-keys", "--pane-id", "terminal_0", "Enter")
    served.world.until(lambda: sessions(served)["beta"]["state"] == "waiting", "it waits")
    has_keys(served, client)
    press(served, client, "a")
    served.world.until(lambda: served.stays(client) and "(beta)" in client.text, "the agent's session")
    press(served, client, "A")
    served.world.until(lambda: served.stays(client) and "(alpha)" in client.text, "where the jump began")
