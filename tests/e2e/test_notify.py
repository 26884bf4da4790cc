"""Notifications on a real tmux: who is told, what, and that no text of a stranger ever runs."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

import pytest

from opensessions_tmux.quote import inert
from tests.e2e.test_contract_api import call
from tests.e2e.test_metadata import post, row
from tests.e2e.test_sidebar import shows
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

AGENT = "#!/bin/bash\nsleep 600; :\n"
RECORDER = f"""#!{sys.executable}
import json, os, sys
name = os.environ["HOME"] + "/told/" + str(os.getpid())
os.makedirs(os.path.dirname(name), exist_ok=True)
with open(name, "w") as file:
    json.dump([sys.argv, {{k[13:]: v for k, v in os.environ.items() if k.startswith("OPENSESSIONS_")}}], file)
os.rename(name, name + ".json")
"""


def program(world: World, name: str, text: str) -> str:
    """A program that everything in the world finds first."""
    path = world.home / "bin" / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def told(world: World) -> list[tuple[list[str], dict[str, str]]]:
    """What the user's command and the desktop's program were started with, by their arguments."""
    files = sorted((world.home / "told").glob("*.json"))
    return [(argv, facts) for argv, facts in map(json.loads, (file.read_text() for file in files))]


def facts(world: World) -> list[dict[str, str]]:
    """What the user's command was told."""
    return [facts for argv, facts in told(world) if argv[0].endswith("recorder")]


@pytest.fixture
def quiet_desktop(world: World) -> None:
    """No desktop: what the machine that runs the tests has is left in peace."""
    world.config.write_text("notify: {desktop: false}\n")


@pytest.fixture
def recorded(world: World) -> None:
    """The user has a command of their own."""
    recorder = program(world, "recorder", RECORDER)
    world.config.write_text(
        f"notify:\n  desktop: false\n  command: ['{recorder}', '{{text}}', 'x{{text}}']\n"
    )


def agent(mux: Tmux, session: str, folder: str = "") -> str:
    """A pane of the session, in a window that is not looked at, in which something like an agent runs. Some client
    must be attached: nobody looks for agents otherwise."""
    program(mux.world, "goose", AGENT)
    where = ("-c", inert(folder)) if folder else ()
    pane = mux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", f"={session}:", *where, "goose")
    mux.world.until(lambda: found(mux, pane), "the agent")
    return pane


def found(mux: Tmux, pane: str) -> dict[str, Any] | None:
    _, state = call(mux, "GET /v1/state")
    agents = [
        each
        for view in json.loads(state)["muxes"]
        for row in view["sessions"]
        for each in row["agents"]
        if view["key"] == mux.key and each["pane"] == pane
    ]
    return agents[0] if agents else None


class Recorder:
    """A terminal, and the bytes that it is sent from now on: a message is gone after two seconds, in which a busy
    machine may not look at the screen once."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.bytes = b""
        feed = terminal._stream.feed

        def keep(data: bytes) -> None:
            self.bytes += data
            feed(data)

        terminal._stream.feed = keep  # type: ignore[method-assign]

    def said(self, text: str) -> bool:
        """Is that on its screen, or was it?"""
        return text in self.terminal.text or text in CONTROL.sub(b"", self.bytes).decode("utf-8", "replace")

    def see(self, text: str) -> None:
        self.terminal.wait(lambda: self.said(text), f"{text!r} on the screen")


CONTROL = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-Z])")
"""What lies between two parts of a line."""


def attach(mux: Tmux, session: str = "main", cols: int = 100) -> Recorder:
    """A client that the server knows of."""
    heard = Recorder(mux.attach(session, cols))
    mux.world.until(lambda: row(mux, session)["attached"] == 1, "the client in the snapshot")
    return heard


def event(mux: Tmux, pane: str, status: str, **more: object) -> None:
    assert post(mux, "/api/agent-event", agent="goose", status=status, paneId=pane, **more) == (204, "")
    mux.world.until(lambda: (found(mux, pane) or {}).get("state") == status, f"{pane} is {status}")


# --- agents -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("recorded")
def test_an_agent_that_waits_unseen_is_told_once_everywhere(world: World, mux: Tmux) -> None:
    mux.new("web")
    mux.up()
    here, there = attach(mux), attach(mux, "web")
    pane = agent(mux, "main")
    event(mux, pane, "running")
    event(mux, pane, "waiting", threadName="Fix the login", lastUserPrompt="please fix it")
    text = "goose in main waits for you: Fix the login"
    for terminal in (here, there):
        terminal.see(text)
    world.until(lambda: facts(world), "the user's command")
    [(argv, said)] = told(world)
    assert argv[1:] == [text, "x{text}"]
    assert said["TEXT"] == text
    assert (said["AGENT"], said["STATE"], said["SESSION"]) == ("goose", "waiting", "main")
    assert (said["PANE"], said["MUX"]) == (pane, mux.key)
    assert (said["TITLE"], said["PROMPT"]) == ("Fix the login", "please fix it")
    assert found(mux, pane)["unseen"]  # type: ignore[index]


@pytest.mark.usefixtures("recorded")
def test_what_is_in_view_is_told_to_others_only(world: World, mux: Tmux) -> None:
    mux.new("web")
    mux.up()
    there = attach(mux, "web")
    pane, other = agent(mux, "main"), agent(mux, "web")
    mux("select-window", "-t", pane)
    here = attach(mux)
    event(mux, pane, "running")
    event(mux, pane, "waiting")
    event(mux, other, "running")
    event(mux, other, "done")
    for terminal in (here, there):
        terminal.see("goose in web has finished")
    world.until(lambda: facts(world), "the user's command")
    assert [said["SESSION"] for said in facts(world)] == ["web"]
    assert not here.said("goose in main")
    # Beside the pane that has the focus it is in view as well.
    mux("split-window", "-t", pane)
    world.until(lambda: row(mux, "main")["panes"] == 3, "the new pane")
    event(mux, pane, "running")
    event(mux, pane, "error")
    event(mux, other, "running")
    event(mux, other, "waiting")
    world.until(lambda: len(facts(world)) == 2, "the user's command")
    assert [said["SESSION"] for said in facts(world)] == ["web", "web"]


def test_what_the_configuration_leaves_out_is_not_told(world: World, mux: Tmux) -> None:
    recorder = program(world, "recorder", RECORDER)
    world.config.write_text(
        f"notify: {{desktop: false, message: false, waiting: false, command: ['{recorder}']}}\n"
    )
    mux.up()
    here = attach(mux)
    pane = agent(mux, "main")
    for status in ("running", "waiting", "running", "done"):
        event(mux, pane, status)
    world.until(lambda: facts(world), "the user's command")
    assert [said["STATE"] for said in facts(world)] == ["done"]
    assert not here.said("goose in main")


@pytest.mark.usefixtures("recorded")
def test_what_was_so_before_the_server_started_is_not_told(world: World, mux: Tmux) -> None:
    mux.up()
    attach(mux)
    pane = agent(mux, "main")
    event(mux, pane, "running")
    event(mux, pane, "waiting")
    world.until(lambda: len(facts(world)) == 1, "the user's command")
    world.cli("down")
    mux.up()
    world.until(lambda: found(mux, pane), "the agent")
    assert post(mux, "/notify", session="main", message="after it") == (204, "")
    world.until(lambda: len(facts(world)) == 2, "the message")
    assert sorted(said["STATE"] for said in facts(world)) == ["message", "waiting"]


# --- texts of strangers -----------------------------------------------------------------------------------

EVIL = "#(touch {}) $(touch {}) `touch {}` #{{E:#(touch {})}} #[fg=red] %H '\"; touch {} ; x"


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    "field", ["threadName", "lastUserPrompt", "directory", "session", "message", "source"]
)
def test_no_text_is_ever_run(world: World, mux: Tmux, field: str) -> None:
    mark = world.home / "evil"
    evil = (
        EVIL.replace("{}", "evil" if field == "directory" else str(mark))
        .replace("{{", "{")
        .replace("}}", "}")
    )
    evil = evil.replace("/", "") if field == "directory" else evil[:90] if field == "source" else evil
    mux("set-option", "-g", "status-interval", "1")
    mux.up()
    heard = attach(mux, cols=300)
    if field in ("message", "source"):
        more = {"message": evil} if field == "message" else {"message": "hello", "source": evil}
        assert post(mux, "/notify", session="main", **more) == (204, "")
        expected = evil[:60] if field == "message" else evil[:40]
    else:
        session = "main"
        folder = ""
        if field == "session":
            mux("rename-session", "-t", "=main:", inert(evil))
            session = mux.ask("#{session_name}")
            world.until(lambda: mux.rows()[0][1] == session, "the new name")
        if field == "directory":
            (world.home / evil).mkdir()
            folder = str(world.home / evil)
        pane = agent(mux, session, folder=folder)
        if folder:  # a pane's process goes into its folder a moment after it was made
            told = {"agent": "goose", "status": "running", "projectDir": folder}
            world.until(lambda: post(mux, "/api/agent-event", **told)[0] == 204, "the folder in a reading")
        event(mux, pane, "running")
        event(mux, pane, "waiting", **({field: evil} if field in ("threadName", "lastUserPrompt") else {}))
        expected = {"session": f"goose in {session[:30]}", "directory": "waits for you"}.get(field, evil[:60])
    heard.see(expected)
    world.until(lambda: facts(world), "the user's command")
    [said] = facts(world)
    assert evil[:40] in {
        "threadName": said.get("TITLE", ""), "lastUserPrompt": said.get("PROMPT", ""),
        "directory": said["DIRECTORY"], "session": evil[:40] if field == "session" else "",
        "message": said["TEXT"], "source": said.get("SOURCE", ""),
    }[field]  # fmt: skip
    # Two more drawings of the status line: a format in it would have been run by then.
    second = mux.ask("%S")
    heard.terminal.wait(lambda: mux.ask("%S") != second)
    mux("refresh-client", "-S", "-t", heard.terminal.tty)
    assert not mark.exists()
    everything = (name for _, *names in os.walk(world.home) for each in names for name in each)
    assert "evil" not in everything
    assert not os.path.exists("/evil")


def test_control_characters_reach_no_terminal(world: World, mux: Tmux, quiet_desktop: None) -> None:
    mux.up()
    heard = attach(mux)
    assert post(mux, "/notify", session="main", message="be\x1b]0;hacked\x07fore\x9b2J after\r\n") == (
        204,
        "",
    )
    heard.see("main: be]0;hackedfore2J after")


# --- the ways ---------------------------------------------------------------------------------------------


def sidebar_beside(mux: Tmux) -> Recorder:
    """A client that looks at a sidebar, and everything that its terminal gets from now on."""
    mux.load()
    terminal = mux.attach()
    mux.world.cli("sidebar", "show", env=mux.inside())
    shows(mux.world, mux, "main", "web")  # only one that is known to be seen is painted
    return Recorder(terminal)


@pytest.mark.usefixtures("quiet_desktop")
def test_the_bell_rings_where_a_sidebar_is_seen(world: World, mux: Tmux) -> None:
    mux.new("web")
    heard = sidebar_beside(mux)
    flags = mux.lines("list-windows", "-a", "-F", "#{window_id} #{window_flags}")
    assert post(mux, "/notify", session="web", message="ding") == (204, "")
    heard.see("web: ding")
    heard.terminal.wait(lambda: b"\x07" in heard.bytes, "the bell")
    assert mux.lines("list-windows", "-a", "-F", "#{window_id} #{window_flags}") == flags


def test_the_terminal_is_asked_where_panes_may_speak_to_it(world: World) -> None:
    world.env |= {"TERM": "rxvt-unicode", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
    # tmux passes nothing on to a terminal on which it shows a message.
    world.config.write_text("notify: {message: false}\n")
    program(world, "notify-send", RECORDER)
    mux = world.mux()
    mux.new("web")
    heard = sidebar_beside(mux)
    assert post(mux, "/notify", session="web", message="one & <two>") == (204, "")
    world.until(lambda: told(world), "notify-send")
    assert told(world)[0][0][1:] == ["--app-name=opensessions", "--", "web", "one &amp; &lt;two&gt;"]
    assert b"]777;" not in heard.bytes
    mux("set-option", "-g", "allow-passthrough", "on")
    assert post(mux, "/notify", session="web", message="three; four") == (204, "")
    world.until(lambda: b"\x1b]777;notify;web;three, four\x1b\\" in heard.bytes, "the sequence")
    assert len(told(world)) == 1
