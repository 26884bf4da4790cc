"""Our server on a real zellij: what it lists, paints and does."""

from __future__ import annotations

import json
import os
from typing import Any

import psutil
import pytest

from tests.support.terminal import Terminal
from tests.support.world import World, is_alive
from tests.support.zellij import Zellij

AGENT = """#!/bin/bash
printf '\\033]2;%s\\033\\\\' proj
while read -r title; do
  [ "$title" != quit ] || exit 0
  printf '\\033]2;%s\\033\\\\' "$title"
done
"""
"""Calls itself codex, and puts every line that it reads into its title, as the real one puts its state there."""
WORKING, WAITING = "\u280b proj", "[ ! ] Action Required | proj"


@pytest.fixture
def program(zworld: World) -> str:
    file = zworld.home / "bin" / "codex"
    file.write_text(AGENT)
    file.chmod(0o755)
    return str(file)


def listed(world: World) -> list[dict[str, Any]]:
    """The rows of zellij in the snapshot."""
    snapshot = json.loads(world.cli("list", "--json").stdout)
    return [row for each in snapshot["muxes"] if each["key"] == "zellij" for row in each["sessions"]]


def agents(world: World) -> dict[str, dict[str, Any]]:
    return {agent["pane"]: agent for row in listed(world) for agent in row["agents"]}


def say(zellij: Zellij, session: str, pane: int, line: str) -> None:
    zellij.action(session, "write-chars", "--pane-id", f"terminal_{pane}", "--", line)
    zellij.action(session, "send-keys", "--pane-id", f"terminal_{pane}", "Enter")


def begin(zellij: Zellij, session: str, program: str) -> None:
    """Run the agent in the session's first pane, and wait until it listens."""
    say(zellij, session, 0, program)
    zellij.world.until(
        lambda: any(pane["title"] == "proj" for pane in zellij.panes(session)), f"the agent in {session}"
    )


def test_list_status_and_the_ordering_file(zworld: World, zellij: Zellij) -> None:
    zellij.new("first")
    zellij.new("second one")
    zellij.up("first")
    assert [(row["id"], row["name"], row["panes"]) for row in listed(zworld)] == [
        ("first", "first", 1),
        ("second one", "second one", 1),
    ]
    zworld.until(
        lambda: zellij.rows() == [("first", "first"), ("second one", "second one")], "the ordering file"
    )
    (mux,) = zworld.status()["muxes"]
    assert (mux["provider"], mux["key"], mux["socket"], mux["reachable"]) == (
        "zellij",
        "zellij",
        zellij.folder,
        True,
    )


def test_an_agent_is_found_with_its_pane_and_its_state(zworld: World, zellij: Zellij, program: str) -> None:
    zellij.attach("work")
    begin(zellij, "work", program)
    zellij.up("work")
    agent = zworld.until(lambda: agents(zworld).get("work/terminal_0"), "the agent")
    assert agent["agent"] == "codex"
    assert psutil.Process(agent["pid"]).environ()["ZELLIJ_PANE_ID"] == "0"
    (mux,) = json.loads(zworld.cli("ps", "--json").stdout)["muxes"]
    trees = mux["panes"]
    assert {(tree["pane"], tree["confidence"]) for tree in trees} == {("work/terminal_0", "best-effort")}
    for line, state in ((WORKING, "running"), (WAITING, "waiting")):
        say(zellij, "work", 0, line)
        zworld.until(lambda state=state: agents(zworld)["work/terminal_0"]["state"] == state, state)
    say(zellij, "work", 0, "quit")
    zworld.until(
        lambda: all(one["liveness"] == "exited" for one in agents(zworld).values()), "the agent's end"
    )


def test_a_rename_keeps_the_row_and_its_agent(zworld: World, zellij: Zellij, program: str) -> None:
    for name in ("first", "middle", "last"):
        zellij.new(name)
    begin(zellij, "middle", program)
    zellij.up("first")
    zworld.until(lambda: "middle/terminal_0" in agents(zworld), "the agent")
    zworld.cli("set-status", "--session", "middle", "busy")
    zworld.cli("session", "rename", "middle", "renamed")
    zworld.until(lambda: [row["name"] for row in listed(zworld)][1] == "renamed", "the new name in its place")
    rows = listed(zworld)
    assert rows[1]["metadata"]["status"]["text"] == "busy"
    found = zworld.until(lambda: agents(zworld).get("renamed/terminal_0"), "the agent in its new place")
    assert found["liveness"] == "alive"
    assert len(agents(zworld)) == 1


@pytest.fixture
def client(zworld: World, zellij: Zellij) -> Terminal:
    """A client that looks at `here`, with sidebars; there is a session `there` below."""
    terminal = zellij.attach("here", 120, 30)
    zellij.new("there")
    zellij.up("here")
    zworld.cli("sidebar", "show", env=zellij.inside("here"))
    zworld.until(lambda: 0 in zellij.sidebars("here"), "the sidebar")
    zworld.until(lambda: "there" in terminal.text, "its picture")
    return terminal


def in_sidebar(zworld: World, zellij: Zellij, session: str) -> str:
    """Give the focus to the sidebar; its pane."""
    zworld.cli("sidebar", "focus", env=zellij.inside(session))
    pane = f"terminal_{zellij.sidebars(session)[0]['id']}"
    zworld.until(lambda: pane in zellij.clients(session).values(), "the focus in the sidebar")
    return pane


def test_a_row_is_switched_to_from_the_sidebar(zworld: World, zellij: Zellij, client: Terminal) -> None:
    in_sidebar(zworld, zellij, "here")
    client.type(b"j\r")
    zellij.arrives(client, "there")
    zworld.until(lambda: 0 in zellij.sidebars("there"), "a sidebar there")
    zworld.until(lambda: "here" in client.text, "its picture")


def test_keys_in_another_pane_are_no_keys_of_ours(zworld: World, zellij: Zellij, client: Terminal) -> None:
    client.type(b"q")
    zworld.until(lambda: "$ q" in client.text, "the letter in the shell")
    assert zellij.sidebars("here")


def test_the_sidebar_is_closed_in_every_tab_by_its_key(
    zworld: World, zellij: Zellij, client: Terminal
) -> None:
    zellij.action("here", "new-tab")
    zworld.until(lambda: zellij.sidebars("here").keys() == {0, 1}, "a sidebar in each tab")
    zworld.cli("sidebar", "focus", env=zellij.inside("here", 2))
    pane = f"terminal_{zellij.sidebars('here')[1]['id']}"
    zworld.until(lambda: pane in zellij.clients("here").values(), "the focus in the sidebar")
    client.type(b"q")
    zworld.until(lambda: not zellij.sidebars("here"), "no sidebar")
    zworld.until(lambda: len(zellij.panes("here")) == 2, "both shells alone")


def test_a_restarted_server_finds_its_sidebars(zworld: World, zellij: Zellij, client: Terminal) -> None:
    before = zellij.sidebars("here")[0]["id"]
    os.kill(zworld.status()["pid"], 9)
    zworld.until(lambda: zworld.status()["running"], "the server that the sidebar starts")
    zworld.until(lambda: zworld.status().get("sidebars") == 1, "the sidebar at it")
    assert zellij.sidebars("here")[0]["id"] == before
    zellij.new("newcomer")
    zworld.until(lambda: "newcomer" in client.text, "a picture by the new server")
    assert len(zellij.panes("here")) == 2


def test_a_renamed_session_keeps_its_sidebar(zworld: World, zellij: Zellij, client: Terminal) -> None:
    zworld.cli("session", "rename", "here", "elsewhere")
    zworld.until(
        lambda: "elsewhere" in "\n".join(client.text.splitlines()[1:]), "the new name in the sidebar"
    )
    in_sidebar(zworld, zellij, "elsewhere")
    client.type(b"j\r")
    zellij.arrives(client, "there")


def test_the_end_of_zellij_ends_our_server(zworld: World, zellij: Zellij, client: Terminal) -> None:
    for session in zellij.sessions():
        zellij.run("delete-session", "--force", session, check=False)
    zworld.until(lambda: not zworld.status()["running"], "the server's end")
    assert not zellij.rows()


def test_down_closes_the_sidebars(zworld: World, zellij: Zellij, client: Terminal) -> None:
    zworld.cli("down")
    zworld.until(lambda: [pane["id"] for pane in zellij.panes("here")] == [0], "the shell alone")


def test_two_clients_of_one_session_each_see_the_sidebar_of_their_tab(
    zworld: World, zellij: Zellij, client: Terminal
) -> None:
    zellij.action("here", "new-tab")
    zworld.until(lambda: zellij.sidebars("here").keys() == {0, 1}, "a sidebar in each tab")
    second = zellij.attach("here", 120, 30)
    zworld.until(lambda: len(zellij.clients("here")) == 2, "the second client")
    zellij.action("here", "go-to-tab", "1")
    zworld.until(
        lambda: len(set(zellij.clients("here").values())) == 2,
        "each client in a tab of its own",
    )
    zworld.until(lambda: "there" in client.text and "there" in second.text, "both pictures")
    zellij.new("newcomer")
    zworld.until(lambda: "newcomer" in client.text and "newcomer" in second.text, "both kept up to date")


def test_an_agent_is_ended_and_its_shell_and_zellij_live(zworld: World, zellij: Zellij, program: str) -> None:
    zellij.new("first")
    zellij.new("work")
    begin(zellij, "work", program)
    zellij.up("first")
    agent = zworld.until(lambda: agents(zworld).get("work/terminal_0"), "the agent")
    shell = psutil.Process(agent["pid"]).parent()
    assert shell is not None
    zworld.cli("agent", "kill", "--yes", "work/terminal_0")
    zworld.until(lambda: not is_alive(agent["pid"]), "its end")
    assert shell.is_running()
    assert sorted(zellij.sessions()) == ["first", "work"]


def test_a_session_is_killed_with_what_runs_in_it(zworld: World, zellij: Zellij, program: str) -> None:
    zellij.new("first")
    zellij.new("work")
    begin(zellij, "work", program)
    zellij.up("first")
    agent = zworld.until(lambda: agents(zworld).get("work/terminal_0"), "the agent")
    zworld.cli("session", "kill", "--yes", "work")
    zworld.until(lambda: not is_alive(agent["pid"]), "its end")
    assert zellij.sessions() == ["first"]
    assert zellij.dead() == []
    zworld.until(lambda: [row["name"] for row in listed(zworld)] == ["first"], "its row's end")


def test_nothing_in_zellij_is_taken_for_an_orphan(zworld: World, zellij: Zellij, program: str) -> None:
    zellij.new("first")
    zellij.new("work")
    begin(zellij, "work", program)
    zellij.up("first")
    zworld.until(lambda: agents(zworld).get("work/terminal_0"), "the agent")
    zellij.action("work", "rename-session", "elsewhere")
    zworld.until(lambda: agents(zworld).get("elsewhere/terminal_0"), "it under its session's new name")
    said = json.loads(zworld.cli("reap", "--json").stdout)
    assert not [one for one in said["candidates"] if one["outcomes"]], said
    assert agents(zworld)["elsewhere/terminal_0"]["liveness"] == "alive"
