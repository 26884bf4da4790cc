"""From one tmux server to another on the same terminal, and back."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from typing import Any

import pytest

from opensessions.crossing import folder_of
from opensessions.server.crossing import travellers
from tests.e2e.test_agents import AGENT, WAITING, begin, say
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, is_alive

PREFIX = b"\x02o"
HOSTILE = 'it\'s; #(touch PWNED) "q" a|b ✓'
"""A session's name; a socket's too."""


@pytest.fixture
def other(world: World) -> Tmux:
    """A second tmux server, whose socket has a hostile name, with a session that has one."""
    far = world.mux(f"{HOSTILE}.sock")
    far.new(HOSTILE.replace("#", "##"))
    return far


@pytest.fixture
def client(world: World, mux: Tmux, other: Tmux) -> Terminal:
    """A client of the first one; both are served."""
    mux.up()
    other.up()
    terminal = mux.attach()
    terminal.type(b"echo near$((1+1))\r")
    terminal.see("near2")
    return terminal


def cross(world: World, mux: Tmux, client: Terminal, *to: str) -> None:
    world.cli("cross", *to, "--client", client.tty, env=mux.inside())


def arrives(world: World, mux: Tmux, client: Terminal, session: str = "") -> None:
    """Wait until the terminal is a client of this tmux, and of that session if one is named."""

    def there() -> bool:
        listed = mux.lines("list-clients", "-F", "#{client_tty} #{client_session}")
        return any(
            line.split(" ")[0] == client.tty and session in ("", line.partition(" ")[2]) for line in listed
        )

    world.until(there, f"the client in {mux.socket} {session}")


def known(world: World, mux: Tmux) -> None:
    """Wait until the server knows that the one client is in this tmux."""

    def there() -> bool:
        clients = {each["key"]: each["clients"] for each in world.status()["muxes"]}
        return clients.pop(mux.key) == 1 and not any(clients.values())

    world.until(there, f"that the server knows of the client in {mux.socket}")


def crossing(world: World) -> list[int]:
    return [each.pid for each in travellers(world.runtime)]


def leaves(world: World, client: Terminal) -> int:
    """The user detaches; the exit status of what runs on his terminal."""
    client.type(b"\x02d")
    world.until(lambda: client.ended, "the program's end")
    world.terminals.remove(client)
    os.close(client.handle)
    return os.waitstatus_to_exitcode(os.waitpid(client.pid, 0)[1])


def untouched(world: World) -> bool:
    """Has no name become a command?"""
    return not list(world.home.rglob("PWNED"))


def test_there_and_back_and_away(world: World, mux: Tmux, other: Tmux, client: Terminal) -> None:
    cross(world, mux, client, other.socket, HOSTILE)
    arrives(world, other, client, HOSTILE)
    assert not mux.lines("list-clients")
    assert crossing(world) == [client.pid], "it has taken the client's place"
    cross(world, other, client, "tmux.sock")
    arrives(world, mux, client, "main")
    client.see("near2")
    assert crossing(world) == [client.pid], "one for the whole journey"
    cross(world, mux, client, os.path.basename(other.socket), f"={HOSTILE}")
    arrives(world, other, client, HOSTILE)
    assert leaves(world, client) == 0
    assert "[detached (from session" in client.text
    assert os.listdir(folder_of(world.runtime)) == []
    assert untouched(world)


def test_what_was_on_the_screen_before_is_there_after(world: World, mux: Tmux, other: Tmux) -> None:
    mux.up()
    other.up()
    shell = Terminal(["/bin/sh"], world.env)
    world.terminals.append(shell)
    shell.see("$ ")
    shell.type(f"{shlex.quote(world.binary)} -S {shlex.quote(mux.socket)} attach; echo status $?\r".encode())
    world.until(lambda: mux.lines("list-clients"), "the client")
    cross(world, mux, shell, other.socket)
    arrives(world, other, shell)
    shell.type(b"\x02d")
    shell.see("status 0")
    assert shell.text.count("[detached") == 1, "one that crosses leaves without a word"


def test_a_target_that_goes_meanwhile_leads_back_with_a_sentence(
    world: World, mux: Tmux, other: Tmux, client: Terminal
) -> None:
    os.kill(client.pid, signal.SIGSTOP)
    try:
        cross(world, mux, client, other.socket, HOSTILE)
        other("kill-session", "-t", other.rows()[1][0])
    finally:
        os.kill(client.pid, signal.SIGCONT)
    arrives(world, mux, client, "main")
    client.see("That session cannot be attached, so you are where you were")
    client.see("near2")
    assert untouched(world)


def test_a_tmux_that_is_gone_does_not_begin_anew(
    world: World, mux: Tmux, other: Tmux, client: Terminal
) -> None:
    os.kill(client.pid, signal.SIGSTOP)
    try:
        cross(world, mux, client, other.socket, HOSTILE)
        other.kill()
        world.until(lambda: not is_alive(other.pid), "the other tmux's end")
    finally:
        os.kill(client.pid, signal.SIGCONT)
    arrives(world, mux, client, "main")
    client.see("so you are where you were")
    assert other("list-sessions", check=False) == ""


def test_what_is_not_there_moves_nobody(world: World, mux: Tmux, other: Tmux, client: Terminal) -> None:
    for to, said in (
        ((other.socket, "nowhere"), "There is no session nowhere there."),
        (("elsewhere",), "'elsewhere' is not one of the multiplexers that are served"),
    ):
        done = world.cli("cross", *to, "--client", client.tty, env=mux.inside(), check=False)
        assert done.returncode == 1
        assert said in done.stderr
    done = world.cli("cross", other.socket, "--client", "/dev/none", env=mux.inside(), check=False)
    assert "No client /dev/none" in done.stderr
    assert mux.session_of(client) == "main"


def test_a_hang_up_leaves_nothing(world: World, mux: Tmux, other: Tmux, client: Terminal) -> None:
    cross(world, mux, client, other.socket)
    arrives(world, other, client)
    world.terminals.remove(client)
    client.close()
    world.until(lambda: not other.lines("list-clients"), "the client's end")
    assert not mux.lines("list-clients")
    assert os.listdir(folder_of(world.runtime)) == []


def test_a_terminal_that_is_a_pane_there_is_not_shown_to_itself(world: World, mux: Tmux, other: Tmux) -> None:
    mux.up()
    other.up()
    outer = mux.attach()
    outer.see("$ ")
    outer.type(f"TMUX= {shlex.quote(world.binary)} -S {shlex.quote(other.socket)} attach\r".encode())
    world.until(lambda: other.lines("list-clients"), "the inner client")
    (inner,) = other.lines("list-clients", "-F", "#{client_tty}")
    done = world.cli("cross", "tmux.sock", "--client", inner, env=other.inside(), check=False)
    assert "Your terminal is a pane there already" in done.stderr
    assert other.lines("list-clients", "-F", "#{client_tty}") == [inner]


def test_from_a_plain_terminal(world: World, mux: Tmux, other: Tmux) -> None:
    mux.up()
    other.up()
    argv = [sys.executable, "-P", "-m", "opensessions", "cross", other.socket, HOSTILE]
    terminal = Terminal(argv, world.env)
    world.terminals.append(terminal)
    arrives(world, other, terminal, HOSTILE)
    assert leaves(world, terminal) == 0


def agent_in(mux: Tmux, world: World, session: str) -> str:
    file = world.home / "bin" / "codex"
    file.write_text(AGENT)
    file.chmod(0o755)
    return begin(mux, session, str(file))


def listed(world: World, mux: Tmux) -> list[dict[str, Any]]:
    snapshot = json.loads(world.cli("list", "--json").stdout)
    rows = next(each["sessions"] for each in snapshot["muxes"] if each["key"] == mux.key)
    return [agent for row in rows for agent in row["agents"]]


def test_attention_goes_by_how_long_each_waits_wherever_and_back(world: World, mux: Tmux) -> None:
    other = world.mux("other.sock")
    mux.load()
    other.load()
    client = mux.attach()
    client.see("$ ")
    far = agent_in(other, world, "far")
    world.until(lambda: listed(world, other), "the far agent")
    say(other, far, WAITING)
    world.until(lambda: [each["state"] for each in listed(world, other)] == ["waiting"], "it waits")
    near = agent_in(mux, world, "near")
    world.until(lambda: listed(world, mux), "the near agent")
    say(mux, near, WAITING)
    world.until(lambda: [each["state"] for each in listed(world, mux)] == ["waiting"], "it waits too")
    client.type(PREFIX + b"a")
    arrives(world, other, client, "far")
    assert other.ask("#{pane_id}", client.tty) == far
    known(world, other)
    client.type(PREFIX + b"a")
    arrives(world, mux, client, "near")
    known(world, mux)
    client.type(PREFIX + b"A")
    arrives(world, other, client, "far")
    client.type(PREFIX + b"A")
    arrives(world, mux, client, "main")
    world.until(lambda: mux.option("attention") == near, "what is published: each one's own")
    world.until(lambda: other.option("attention") == far, "the other one's")


# --- the section in the sidebar -----------------------------------------------------------------------------


def sidebar_text(mux: Tmux, terminal: Terminal) -> str:
    """What the sidebar of the window that the terminal shows says."""
    listed = mux(
        "list-panes", "-t", terminal.tty, "-f", "#{@opensessions-sidebar}", "-F", "#{pane_id}", check=False
    )
    return mux("capture-pane", "-p", "-t", listed, check=False) if listed else ""


def line_with(text: str, *words: str) -> int:
    """The line that holds these words, the first one by itself; -1 for none."""
    return next((at for at, line in enumerate(text.split("\n")) if all(word in line for word in words)), -1)


@pytest.fixture
def aside(world: World, mux: Tmux) -> tuple[Tmux, Terminal]:
    """A second tmux called `work` with the sessions main and far, and a client of the first one with the focus in its
    sidebar."""
    other = world.mux("work")
    other.new("far")
    mux.load()
    other.load()
    terminal = mux.attach()
    terminal.see("$ ")
    terminal.type(PREFIX + b"s")
    world.until(lambda: "far" in sidebar_text(mux, terminal), "the other's rows")
    world.until(lambda: mux.ask("#{@opensessions-sidebar}", terminal.tty), "the focus in the sidebar")
    return other, terminal


def test_the_others_rows_stand_below_without_a_number_and_lead_there(
    world: World, mux: Tmux, aside: tuple[Tmux, Terminal]
) -> None:
    other, terminal = aside
    world.cli("sidebar", "show", env=other.inside())

    def in_order() -> tuple[str, int] | None:
        text = sidebar_text(mux, terminal)
        own, heading, far = (line_with(text, *words) for words in (("1", "main"), ("tmux work",), ("far",)))
        return (text, far) if 0 <= own < heading < far else None

    text, far = world.until(in_order, "its own rows, the other's name and rows")
    assert not any(letter.isdigit() for letter in text.split("\n")[far])
    assert mux.rows() == [(mux.rows()[0][0], "main")], "indexes are its own"
    terminal.type(b"G")
    world.until(lambda: sidebar_text(mux, terminal).split("\n")[far][:1].strip(), "the cursor on the far row")
    terminal.type(b"\r")
    arrives(world, other, terminal, "far")
    world.until(lambda: "main" in sidebar_text(other, terminal), "the sidebar there")
    world.until(lambda: other.ask("#{@opensessions-sidebar}", terminal.tty), "the focus in it")
    world.until(
        lambda: (
            line_with(text := sidebar_text(other, terminal), "tmux tmux.sock") > line_with(text, "far") >= 0
        ),
        "where it came from, below",
    )


def test_a_click_leads_there_and_what_changes_there_is_shown_here(
    world: World, mux: Tmux, aside: tuple[Tmux, Terminal]
) -> None:
    other, terminal = aside
    other.new("fresh")
    world.until(lambda: "fresh" in sidebar_text(mux, terminal), "the new session")
    other("kill-session", "-t", "=far:")
    world.until(lambda: "far" not in sidebar_text(mux, terminal), "the end of the other one")
    pane = agent_in(other, world, "busy")
    world.until(lambda: listed(world, other), "the agent")
    say(other, pane, WAITING)
    world.until(lambda: line_with(sidebar_text(mux, terminal), "!", "busy") > 0, "it waits")
    mux("set-option", "-g", "mouse", "on")
    world.until(lambda: line_with(terminal.text, "!", "busy") > 0, "that on the terminal")
    line = line_with(terminal.text, "fresh") + 1
    terminal.type(f"\x1b[<0;8;{line}M\x1b[<0;8;{line}m".encode())
    arrives(world, other, terminal, "fresh")


def test_the_filter_and_the_mode_count_there_too(
    world: World, mux: Tmux, aside: tuple[Tmux, Terminal]
) -> None:
    _, terminal = aside
    terminal.type(b"/fa")
    world.until(lambda: line_with(sidebar_text(mux, terminal), "main") < 0, "the filtered list")
    world.until(
        lambda: line_with(text := sidebar_text(mux, terminal), "far") > line_with(text, "tmux work") > 0,
        "what is left of it",
    )
    terminal.type(b"\x1b")
    world.until(lambda: line_with(sidebar_text(mux, terminal), "main") > 0, "the whole list")
    terminal.type(b"\t")
    world.until(lambda: "tmux work" not in sidebar_text(mux, terminal), "the mode: sessions with agents")


def test_without_the_wish_there_is_no_section_and_no_way(world: World, mux: Tmux) -> None:
    world.config.write_text("sidebar: {others: false}\n")
    other = world.mux("work")
    other.new("far")
    mux.load()
    other.load()
    terminal = mux.attach()
    terminal.see("$ ")
    far = agent_in(other, world, "busy")
    world.until(lambda: listed(world, other), "the agent")
    say(other, far, WAITING)
    world.until(lambda: [each["state"] for each in listed(world, other)] == ["waiting"], "it waits")
    terminal.type(PREFIX + b"s")
    world.until(lambda: "main" in sidebar_text(mux, terminal), "the sidebar")
    assert "far" not in sidebar_text(mux, terminal)
    done = world.cli("attention", "--client", terminal.tty, env=mux.inside(), check=False)
    assert "No agent needs you." in done.stderr


def test_a_tmux_that_is_silent_keeps_nobody(world: World, mux: Tmux, other: Tmux, client: Terminal) -> None:
    os.kill(other.pid, signal.SIGSTOP)
    try:
        done = world.cli("cross", other.socket, "--client", client.tty, env=mux.inside(), check=False)
    finally:
        os.kill(other.pid, signal.SIGCONT)
    assert done.returncode == 1
    assert "did not answer" in done.stderr
    assert mux.session_of(client) == "main"
    assert crossing(world) == []


def test_a_row_in_a_popup_leads_there_and_the_popup_is_gone(
    world: World, mux: Tmux, aside: tuple[Tmux, Terminal]
) -> None:
    other, terminal = aside
    terminal.type(b"q")
    world.until(lambda: not mux.sidebars() and "tmux work" not in terminal.text, "no sidebar")
    terminal.type(PREFIX + b"g")
    world.until(lambda: line_with(terminal.text, "tmux work") > 0, "the popup")
    terminal.type(b"G\r")
    arrives(world, other, terminal, "far")
    world.until(lambda: line_with(terminal.text, "tmux work") < 0, "no popup there")
