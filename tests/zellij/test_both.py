"""tmux and zellij at once: one server for both, and one terminal that goes from one to the other."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest

from opensessions.crossing import folder_of
from opensessions.server.crossing import travellers
from tests.e2e.test_agents import AGENT, WAITING, begin, say
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, is_alive
from tests.support.zellij import SETTINGS, Zellij, has_keys, press

ODD = 'it\'s; #(touch PWNED) "q" a|b ✓'


@pytest.fixture
def mux(zworld: World, zellij: Zellij) -> Tmux:
    """A tmux with the session `main`, beside a zellij with the sessions `far` and ODD; both are served."""
    near = zworld.mux()
    zellij.new("far")
    zellij.new(ODD)
    near.up()
    zellij.up("far")
    zworld.until(lambda: len(zellij.rows()) == 2, "zellij's rows")
    return near


def cross(world: World, inside: dict[str, str], client: str, *to: str, check: bool = True) -> str:
    return world.cli("cross", *to, "--client", client, env=inside, check=check).stderr


def name_of(zellij: Zellij, session: str) -> str:
    """The only client of a session. Its number may be any: whoever asks zellij something is numbered too."""
    (number,) = zellij.clients(session)
    return f"{session}/{number}"


def arrives_in_tmux(world: World, mux: Tmux, terminal: Terminal) -> None:
    world.until(
        lambda: terminal.tty in mux.lines("list-clients", "-F", "#{client_tty}"), "the client in tmux"
    )


def known(world: World, mux: str, session: str) -> None:
    """Wait until the server knows of a client in that session."""

    def there() -> bool:
        snapshot = json.loads(world.cli("list", "--json").stdout)
        rows = [row for each in snapshot["muxes"] if each["key"] == mux for row in each["sessions"]]
        return any(row["name"] == session and row["attached"] for row in rows)

    world.until(there, f"the server's knowledge of the client in {session}")


@pytest.mark.parametrize("session", ["far", ODD])
def test_there_and_back(zworld: World, zellij: Zellij, mux: Tmux, session: str) -> None:
    client = mux.attach()
    cross(zworld, mux.inside(), client.tty, "zellij", session)
    zellij.arrives(client, session)
    assert not mux.lines("list-clients")
    known(zworld, "zellij", session)
    cross(zworld, zellij.inside(session), name_of(zellij, session), "tmux.sock", "main")
    arrives_in_tmux(zworld, mux, client)
    zworld.until(lambda: zellij.clients(session) == {}, "zellij's knowledge that it has left")
    assert sorted(zellij.sessions()) == sorted(["far", ODD]), "no session has ended"
    assert [each.pid for each in travellers(zworld.runtime)] == [client.pid]
    client.type(b"\x02d")
    client.wait(lambda: client.ended, "its end")
    assert os.listdir(folder_of(zworld.runtime)) == []
    assert not list(zworld.home.rglob("PWNED"))


def test_who_went_on_inside_of_zellij_is_found(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    client = mux.attach()
    cross(zworld, mux.inside(), client.tty, "zellij", "far")
    zellij.arrives(client, "far")
    zellij.type_in(client)
    zellij.action("far", "switch-session", ODD)
    zellij.arrives(client, ODD)
    known(zworld, "zellij", ODD)
    cross(zworld, zellij.inside(ODD), name_of(zellij, ODD), "tmux.sock")
    arrives_in_tmux(zworld, mux, client)
    zworld.until(lambda: zellij.clients("far") == zellij.clients(ODD) == {}, "zellij's knowledge of it")


def test_no_session_ends_whatever_a_lost_terminal_does_to_it(
    zworld: World, zellij: Zellij, mux: Tmux
) -> None:
    zellij.config.write_text(SETTINGS + 'on_force_close "quit"\n')
    client = mux.attach()
    cross(zworld, mux.inside(), client.tty, "zellij", "far")
    zellij.arrives(client, "far")
    zellij.type_in(client)
    zellij.action("far", "switch-session", ODD)
    zellij.arrives(client, ODD)
    known(zworld, "zellij", ODD)
    cross(zworld, zellij.inside(ODD), name_of(zellij, ODD), "tmux.sock")
    arrives_in_tmux(zworld, mux, client)
    assert sorted(zellij.sessions()) == sorted(["far", ODD])


def test_a_client_that_we_did_not_bring_stays_and_is_told_what_to_type(
    zworld: World, zellij: Zellij, mux: Tmux
) -> None:
    own = zellij.attach("far")
    known(zworld, "zellij", "far")
    said = cross(zworld, zellij.inside("far"), name_of(zellij, "far"), "tmux.sock", "main", check=False)
    assert f"detach, then type tmux -S {mux.socket} attach -t =main" in said
    assert zellij.clients("far")
    assert not own.ended


def test_of_two_clients_in_a_session_neither_is_taken_for_the_other(
    zworld: World, zellij: Zellij, mux: Tmux
) -> None:
    brought = mux.attach()
    cross(zworld, mux.inside(), brought.tty, "zellij", "far")
    zellij.arrives(brought, "far")
    own = zellij.attach("far")
    zworld.until(lambda: len(zellij.clients("far")) == 2, "two clients")
    for client in zellij.clients("far"):
        said = cross(zworld, zellij.inside("far"), f"far/{client}", "tmux.sock", check=False)
        assert "detach, then type" in said
    assert len(zellij.clients("far")) == 2
    assert not mux.lines("list-clients")
    assert not own.ended


def test_a_session_that_goes_meanwhile_is_not_brought_back(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    client = mux.attach()
    os.kill(client.pid, signal.SIGSTOP)
    try:
        cross(zworld, mux.inside(), client.tty, "zellij", ODD)
        zellij.run("kill-session", ODD)
        zworld.until(lambda: ODD not in zellij.sessions(), "its end")
    finally:
        os.kill(client.pid, signal.SIGCONT)
    arrives_in_tmux(zworld, mux, client)
    client.see("so you are where you were")
    assert ODD not in zellij.sessions()


def test_a_tmux_that_goes_meanwhile_leads_back_to_zellij(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    mux.new("other")
    client = mux.attach()
    cross(zworld, mux.inside(), client.tty, "zellij", "far")
    zellij.arrives(client, "far")
    known(zworld, "zellij", "far")
    (traveller,) = travellers(zworld.runtime)
    os.kill(traveller.child, signal.SIGSTOP)
    try:
        cross(zworld, zellij.inside("far"), name_of(zellij, "far"), "tmux.sock", "other")
        mux("kill-session", "-t", "=other:")
    finally:
        os.kill(traveller.child, signal.SIGCONT)
    client.see("so you are where you were")
    client.type(b"\r")
    zworld.until(lambda: zellij.clients("far"), "the client in zellij again")
    assert not mux.lines("list-clients")


def test_a_hang_up_in_zellij_leaves_nothing(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    client = mux.attach()
    cross(zworld, mux.inside(), client.tty, "zellij", "far")
    zellij.arrives(client, "far")
    (traveller,) = travellers(zworld.runtime)
    zworld.terminals.remove(client)
    client.close()
    zworld.until(lambda: not is_alive(traveller.child), "the client's end")
    assert os.listdir(folder_of(zworld.runtime)) == []
    assert "far" in zellij.sessions()
    assert not mux.lines("list-clients")


def test_from_a_plain_terminal_and_on_to_tmux(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    argv = [sys.executable, "-P", "-m", "opensessions", "cross", "zellij", ODD]
    terminal = Terminal(argv, zworld.env, 120, 30)
    zworld.terminals.append(terminal)
    zellij.arrives(terminal, ODD)
    known(zworld, "zellij", ODD)
    cross(zworld, zellij.inside(ODD), name_of(zellij, ODD), "tmux.sock")
    arrives_in_tmux(zworld, mux, terminal)


def test_attention_leads_to_a_pane_in_the_other_and_back(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    agent = zworld.home / "bin" / "codex"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    client = mux.attach()
    zellij.action("far", "new-pane")
    zworld.until(lambda: "$" in zellij.screen("far", "terminal_1"), "the prompt")
    typed(zellij, str(agent))
    zworld.until(lambda: [pane["title"] for pane in zellij.panes("far")][1:] == ["proj"], "the agent's title")
    typed(zellij, WAITING)
    zworld.until(lambda: states(zworld, "zellij") == ["waiting"], "the waiting agent")
    zellij.action("far", "focus-pane-id", "terminal_0")
    zworld.cli("attention", "--client", client.tty, env=mux.inside())
    zellij.arrives(client, "far")
    assert list(zellij.clients("far").values()) == ["terminal_1"]
    known(zworld, "zellij", "far")
    zworld.cli("attention", "--back", "--client", name_of(zellij, "far"), env=zellij.inside("far"))
    arrives_in_tmux(zworld, mux, client)


def typed(zellij: Zellij, line: str) -> None:
    """A line for the second pane of `far`."""
    zellij.action("far", "write-chars", "--pane-id", "terminal_1", "--", line)
    zellij.action("far", "send-keys", "--pane-id", "terminal_1", "Enter")


def states(world: World, mux: str) -> list[str]:
    snapshot = json.loads(world.cli("list", "--json").stdout)
    rows = [row for each in snapshot["muxes"] if each["key"] == mux for row in each["sessions"]]
    return [agent["state"] for row in rows for agent in row["agents"]]


# --- the section in the sidebar -----------------------------------------------------------------------------


def focus_sidebar(world: World, zellij: Zellij, session: str) -> None:
    world.cli("sidebar", "show", env=zellij.inside(session))
    world.until(lambda: zellij.sidebars(session), "the sidebar")
    world.cli("sidebar", "focus", env=zellij.inside(session))
    pane = f"terminal_{next(iter(zellij.sidebars(session).values()))['id']}"
    world.until(lambda: pane in zellij.clients(session).values(), "the focus in the sidebar")


def test_a_row_leads_from_tmux_to_zellij_and_one_there_back(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    client = mux.attach()
    zworld.cli("sidebar", "show", env=mux.inside())
    zworld.cli("sidebar", "focus", "--client", client.tty, env=mux.inside())
    client.see("zellij ─")
    client.wait(lambda: client.text.index("main") < client.text.index("zellij ─") < client.text.index("far"))
    client.type(b"G")
    zworld.until(
        lambda: [line for line in client.text.split("\n") if line[0] != " " and "it's" in line], "the cursor"
    )
    client.type(b"\x1b[A")
    zworld.until(
        lambda: [line for line in client.text.split("\n") if line[0] != " " and "far" in line], "the cursor"
    )
    client.type(b"\r")
    zellij.arrives(client, "far")
    zellij.type_in(client)
    known(zworld, "zellij", "far")
    focus_sidebar(zworld, zellij, "far")
    client.see("tmux tmux.sock")
    client.type(b"G\r")
    arrives_in_tmux(zworld, mux, client)
    zworld.until(lambda: mux.ask("#{@opensessions-sidebar}", client.tty), "the focus in the sidebar again")
    zworld.until(lambda: zellij.clients("far") == {}, "zellij's knowledge that it has left")


def test_a_row_tells_what_to_type_where_nobody_was_brought(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    client = zellij.attach("far")
    known(zworld, "zellij", "far")
    focus_sidebar(zworld, zellij, "far")
    client.see("tmux tmux.sock")
    client.type(b"G\r")
    client.see("attach -t")
    assert zellij.clients("far")
    assert not mux.lines("list-clients")


def test_zellijs_attention_key_leads_to_tmux_and_tmuxs_back(zworld: World, zellij: Zellij, mux: Tmux) -> None:
    zworld.cli("zellij", "install")
    mux.load()
    agent = zworld.home / "bin" / "codex"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    pane = begin(mux, "busy", str(agent))
    zworld.until(lambda: states(zworld, mux.key), "the agent")
    say(mux, pane, WAITING)
    zworld.until(lambda: states(zworld, mux.key) == ["waiting"], "it waits")
    client = mux.attach()
    cross(zworld, mux.inside(), client.tty, "zellij", "far")
    zellij.arrives(client, "far")
    zellij.type_in(client)
    known(zworld, "zellij", "far")
    has_keys(zellij, client)
    press(zellij, client, "a")
    arrives_in_tmux(zworld, mux, client)
    assert mux.ask("#{pane_id}", client.tty) == pane
    zworld.until(lambda: [each["id"] for each in zellij.panes("far")] == [0], "nothing left of the key")
    client.type(b"\x02oA")
    zellij.arrives(client, "far")
