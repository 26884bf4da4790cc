"""The detail of the cursor's row on a real tmux, from the key to what stands on the client's screen."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.e2e.test_popup import inside
from tests.e2e.test_sidebar import PREFIX, sidebar_of, text_of
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

AGENT = """#!/bin/bash
echo 'I am at work'
while read -r line; do echo "heard $line"; done
"""
SERVER = """
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
print("port", listening.getsockname()[1], flush=True)
sys.stdin.read()
"""
HYPERLINKS = "set -as terminal-features ',xterm-256color:hyperlinks'"
"""Tells a tmux that knows links (3.4 and later) that the client's terminal does too."""


@pytest.fixture
def client(world: World, mux: Tmux) -> Terminal:
    """A client in `main`, its sidebar focused with the cursor on `main`; `api` is a session in `~/src/api`."""
    program = world.home / "bin" / "codex"
    program.write_text(AGENT)
    program.chmod(0o755)
    folder = world.home / "src" / "api"
    folder.mkdir(parents=True)
    mux.new("api", "-c", str(folder))
    mux("set-option", "-g", "mouse", "on")
    mux("set-option", "-g", "display-time", "10000")  # its own 750 ms pass unseen while the machine is busy
    mux.load()
    client = mux.attach(cols=120, rows=40)
    client.type(PREFIX + b"s")
    shown(world, mux, "main", "api")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    return client


def shown(world: World, mux: Tmux, *words: str) -> None:
    world.until(lambda: all(word in text_of(mux) for word in words), f"{words} in the sidebar")


def height(mux: Tmux, target: str = "main") -> int:
    """Lines of the detail, its border included; 0 where it is not shown."""
    pane = sidebar_of(mux, target)
    lines = text_of(mux, target).split("\n")
    border = next((place for place, line in enumerate(lines) if line.startswith("─ ")), None)
    return int(mux.ask("#{pane_height}", pane)) - border - 1 if pane and border is not None else 0


def begin(world: World, mux: Tmux, session: str) -> str:
    """The agent in the session's pane, found; the pane."""
    pane = mux.ask("#{pane_id}", f"={session}:")
    mux("send-keys", "-t", pane, "codex", "Enter")

    def found() -> bool:
        muxes = json.loads(world.cli("list", "--json").stdout)["muxes"]
        return any(
            agent["pane"] == pane for each in muxes for row in each["sessions"] for agent in row["agents"]
        )

    world.until(found, "the agent")
    return pane


def mouse(client: Terminal, button: int, x: int, y: int, end: str = "M") -> None:
    """One event of the mouse at a cell, counted from 0."""
    client.type(b"\x1b[<%d;%d;%d%s" % (button, x + 1, y + 1, end.encode()))


def border(client: Terminal) -> int:
    """The line of the detail's border on the client's screen; -1 where there is none."""
    lines = client.screen.display
    return next((place for place, line in enumerate(lines) if line.startswith("─ ")), -1)


def test_i_tells_of_the_cursors_row_and_what_it_takes(world: World, mux: Tmux, client: Terminal) -> None:
    begin(world, mux, "api")
    client.type(b"i")
    shown(world, mux, "─ main ", "No agent runs here.")
    client.type(b"j")
    shown(world, mux, "─ api ", "~/src/api", "codex", "I am at work")
    world.until(lambda: re.search(r"mem \S+M, cpu \d+%", text_of(mux)), "what it takes")
    world.until(lambda: height(mux) == 10, "ten lines")
    client.type(b"i")
    world.until(lambda: not height(mux), "no detail")


def test_the_preview_follows_the_pane_and_never_acts(world: World, mux: Tmux, client: Terminal) -> None:
    pane = begin(world, mux, "api")
    client.type(b"ij")
    shown(world, mux, "I am at work")
    mux("send-keys", "-t", pane, "-l", "#(touch trap) \033[31m")
    mux("send-keys", "-t", pane, "Enter")
    shown(world, mux, "heard #(touch trap)")
    mux("split-window", "-t", pane, "echo beside; exec cat")
    shown(world, mux, "heard #(touch trap)")
    assert not (world.home / "trap").exists()


def test_its_height_is_changed_by_key_and_by_drag_and_remembered(
    world: World, mux: Tmux, client: Terminal
) -> None:
    client.type(b"i")
    world.until(lambda: height(mux) == 10, "ten lines")
    client.type(b"+++-")
    world.until(lambda: height(mux) == 12, "two more")
    world.until(lambda: border(client) == 38 - 12, "it on the client's screen")
    top = border(client)
    mouse(client, 0, 5, top)
    for y in (top - 1, top - 3, top - 5):
        mouse(client, 32, 5, y)
    mouse(client, 0, 5, top - 5, "m")
    world.until(lambda: height(mux) == 17, "five more")
    world.cli("down", env=mux.inside())
    assert not mux.sidebars()
    world.cli("up", env=mux.inside())
    world.until(lambda: height(mux) == 17, "the same after a restart")
    world.until(lambda: border(client) == top - 5, "it on the screen")
    assert mux.ask("#{pane_id}", "main") != sidebar_of(mux), "the mouse needs no focus"
    mouse(client, 0, 24, top - 5)
    mouse(client, 0, 24, top - 5, "m")
    world.until(lambda: not height(mux), "no detail after a click on the cross")


def test_the_mouse_opens_it_and_goes_to_what_it_shows(world: World, mux: Tmux, client: Terminal) -> None:
    pane = begin(world, mux, "api")
    mux("split-window", "-t", pane)
    client.wait(lambda: "i info" in client.screen.display[38], "the hint in the footer")
    mouse(client, 0, client.screen.display[38].index("i info"), 38)
    world.until(lambda: height(mux) == 10, "the detail")
    client.type(b"j")
    client.wait(lambda: "I am at work" in client.text, "the agent's screen")
    line = next(place for place, text in enumerate(client.screen.display) if "I am at work" in text)
    mouse(client, 0, 5, line)
    mouse(client, 0, 5, line, "m")
    world.until(lambda: mux.session_of(client) == "api", "the agent's session")
    world.until(lambda: mux.ask("#{pane_id}", "api") == pane, "its pane, which had not been the active one")


def test_a_pane_below_its_session_has_its_own(world: World, mux: Tmux, client: Terminal) -> None:
    pane = begin(world, mux, "api")
    other = mux("split-window", "-t", pane, "-P", "-F", "#{pane_id}", "echo beside; exec cat")
    client.type(b"ijl")
    shown(world, mux, "─ api ", "I am at work")
    client.type(b"G")
    shown(world, mux, other, "beside", "No agent runs here.")
    client.type(b"k")
    shown(world, mux, f"codex {pane}", "I am at work")


def test_it_shows_in_every_sidebar_and_in_a_popup(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(b"i")
    world.until(lambda: height(mux), "the detail")
    client.type(b"j\r")
    world.until(lambda: mux.session_of(client) == "api", "the other session")
    world.until(lambda: height(mux, "api"), "its detail")
    client.type(PREFIX + b"g")
    client.wait(lambda: "─ api " in inside(client).split("\n", 1)[-1], "the detail in the popup")


def test_where_there_is_no_room_one_is_told(world: World, mux: Tmux, client: Terminal) -> None:
    def painted(rows: int) -> bool:
        lines = text_of(mux).split("\n")
        return "sessions" in lines[0] and len(lines) == rows and "? help" in lines[-1]

    def resized(rows: int) -> None:
        client.resize(120, rows)
        world.until(lambda: mux.ask("#{pane_height}", "main") == str(rows - 1), "the other size")
        world.until(lambda: painted(rows - 1), "another picture")

    resized(11)
    client.type(b"i")
    world.until(lambda: "no room for the detail" in client.text, "why nothing happens")
    resized(30)
    assert not height(mux)
    client.type(b"i")
    world.until(lambda: height(mux) == 10, "the detail")
    resized(14)
    world.until(lambda: height(mux) == 7, "what three rows leave")


def test_a_port_is_a_link_where_tmux_knows_links(world: World) -> None:
    mux = world.mux(conf=HYPERLINKS)
    script = world.home / "listen.py"
    script.write_text(SERVER)
    mux.new("web")
    mux.load()
    client = mux.attach(cols=120, rows=40)
    heard = recorded(client)
    mux("send-keys", "-t", "=web:", f"python3 {script}", "Enter")
    client.type(PREFIX + b"s")
    shown(world, mux, "web")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    client.type(b"ij")
    port = world.until(lambda: re.search(r"^ .*:(\d+) *$", text_of(mux), re.MULTILINE), "the port").group(1)
    world.until(lambda: f":{port}" in client.text, "the port on the client's screen")
    knows = tuple(map(int, re.findall(r"\d+", mux.ask("#{version}"))[:2])) >= (3, 4)
    wanted = {f"http://localhost:{port}".encode(), b""} if knows else set()
    world.until(
        lambda: set(re.findall(rb"\x1b\]8;[^;]*;([^\x1b\x07]*)", bytes(heard))) == wanted, "the link, closed"
    )
    assert "localhost" not in client.text
    assert "]8;" not in client.text


def recorded(terminal: Terminal) -> bytearray:
    """Every byte that the terminal gets from now on."""
    heard = bytearray()
    feed = terminal._stream.feed

    def both(data: bytes) -> None:
        heard.extend(data)
        feed(data)

    stream: Any = terminal._stream
    stream.feed = both
    return heard


def test_no_screen_is_read_for_a_sidebar_that_nobody_sees(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.load()
    mux("set-hook", "-g", "after-capture-pane[9]", "set-option -ga @reads x")
    client = mux.attach(rows=40)

    def reads() -> int:
        return len(mux("show-options", "-gqv", "@reads"))

    def happens(name: str) -> None:
        """Something happens, and the server has heard of it."""
        mux("rename-session", "-t", "=api:", name)
        world.until(lambda: name in [row for _, row in mux.rows()], "the other name")
        mux("rename-session", "-t", f"={name}:", "api")
        world.until(lambda: "api" in [row for _, row in mux.rows()], "the name")

    client.type(PREFIX + b"s")
    client.wait(lambda: "2   api" in client.text, "the sidebar")
    world.until(lambda: mux.ask("#{pane_id}", "main") in mux.sidebars(), "the focus in the sidebar")
    happens("closed")
    assert reads() == 0
    mux("send-keys", "-t", "=api:", "echo 'by the' shell", "Enter")
    client.type(b"ij")
    client.wait(lambda: "by the shell" in client.text, "the preview")
    assert reads() > 0
    mux("detach-client", "-t", client.tty)
    world.until(lambda: not mux.lines("list-clients"), "nobody looks")

    def rests() -> bool:
        """Has nothing been read that was asked for while somebody looked?"""
        before = reads()
        happens("nobody")
        return reads() == before

    world.until(rests, "the end of what was under way")
    count = reads()
    for number in range(5):
        happens(f"unseen-{number}")
    assert reads() == count


def test_what_stands_in_config_yaml_counts_until_one_changes_it(world: World, mux: Tmux) -> None:
    world.config.write_text("sidebar: {visible: true, detail: true, detail_height: 14}\n")
    mux.load()
    mux.attach(rows=40)
    world.until(lambda: height(mux) == 14, "the configured height")
