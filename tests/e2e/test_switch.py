"""Switching: by slot, by the thin script, cold, stale, fast."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from opensessions import paths
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, is_alive

PREFIX = b"\x02o"
"""`prefix o`"""


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    """A client in `main` of a tmux with four more sessions and the plugin loaded."""
    for name in ("api", "it's; ##{x} $HOME a|b", "web", "docs"):
        mux.new(name)
    mux.load()
    return mux.attach()


def arrives(world: World, mux: Tmux, client: Terminal, name: str) -> None:
    world.until(
        lambda: mux.session_of(client) == mux.ask("#{session_name}", name_target(mux, name)),
        f"the client in {name}",
    )


def name_target(mux: Tmux, name: str) -> str:
    return next(target for target, each in mux.rows() if each == name)


def cold(world: World, mux: Tmux, client: Terminal, key: bytes, done: Callable[[], object]) -> None:
    """Press the key until it is done. It waits 3 s for the server that it starts; where a busy machine takes longer it
    says so, and the next press finds the server."""
    mux("set-option", "-g", "display-time", "0")  # a message stays until the next key
    late = "opensessions: The server d"

    def seen_to() -> object:
        if late in client.text:
            client.type(PREFIX + key)
            client.wait(lambda: late not in client.text, "the message's end")
        return done()

    client.type(PREFIX + key)
    world.until(seen_to, f"what {key!r} is for")


def test_a_digit_switches_the_client_that_pressed_it(world: World, mux: Tmux, client: Terminal) -> None:
    other = mux.attach("web")
    world.until(lambda: mux.option("slot-3"), "slot 3")
    client.type(PREFIX + b"3")
    world.until(lambda: mux.session_of(client) == mux.rows()[2][1], "the third session")
    assert mux.session_of(other) == "web"


def test_the_slots_need_no_server_and_no_process(world: World, mux: Tmux, client: Terminal) -> None:
    world.until(lambda: mux.option("slot-2"), "slot 2")
    os.kill(int(mux.option("pid")), signal.SIGSTOP)
    try:
        client.type(PREFIX + b"2")
        arrives(world, mux, client, "api")
    finally:
        os.kill(int(mux.option("pid")), signal.SIGCONT)


def test_next_and_prev_go_round(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"p")
    arrives(world, mux, client, "docs")
    client.type(PREFIX + b"n")
    arrives(world, mux, client, "main")
    client.type(PREFIX + b"n")
    arrives(world, mux, client, "api")


def test_ten_presses_in_a_second_all_arrive(world: World, mux: Tmux, client: Terminal) -> None:
    mux("set-hook", "-g", "client-session-changed[1]", "set-option -gF @trail '#{@trail} #{client_session}'")
    wanted = []
    for number in (2, 4, 5, 1, 4, 2, 5, 4, 1, 2):
        client.type(PREFIX + str(number).encode())
        wanted.append(mux.rows()[number - 1][1])
    world.until(lambda: mux("show-options", "-gqv", "@trail").split() == wanted, f"the trail {wanted}")


def test_out_of_range_is_silent(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"9")
    client.type(PREFIX + b"2")
    arrives(world, mux, client, "api")
    assert mux.ask("#{client_session}", client.tty) == "api"
    assert "returned" not in client.text


def test_a_killed_server_does_not_matter_and_comes_back(world: World, mux: Tmux, client: Terminal) -> None:
    pid = int(Path(paths.pid_file(world.runtime)).read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    world.until(lambda: not is_alive(pid), "the server's death")
    client.type(PREFIX + b"p")
    arrives(world, mux, client, "docs")
    world.until(lambda: world.status()["running"], "a new server")


def test_cold_starts_the_server_and_switches(world: World, mux: Tmux, client: Terminal) -> None:
    world.cli("down", env=mux.inside())
    assert not mux.rows()
    cold(world, mux, client, b"4", lambda: mux.session_of(client) == "web")


def test_a_file_of_a_dead_tmux_is_not_used(world: World, mux: Tmux, client: Terminal) -> None:
    world.cli("down", env=mux.inside())
    file = paths.ordering_file(world.runtime, mux.key)
    Path(file).write_text("$4\tdocs\n$3\tweb\n")
    os.utime(file, (1000, 1000))
    cold(world, mux, client, b"2", lambda: mux.session_of(client) == "api")


def test_a_session_killed_this_instant_changes_nothing(world: World, mux: Tmux, client: Terminal) -> None:
    mux("set-option", "-g", "display-time", "0")  # the message stays until the next key
    os.kill(int(mux.option("pid")), signal.SIGSTOP)
    try:
        mux("kill-session", "-t", "=web:")
        client.type(PREFIX + b"4")
        client.see("an't find session")
        assert mux.session_of(client) == "main"
    finally:
        os.kill(int(mux.option("pid")), signal.SIGCONT)


def test_the_command_line_switches_by_index_name_and_id(world: World, mux: Tmux, client: Terminal) -> None:
    inside = mux.inside()
    world.cli("switch", "2", "--client", client.tty, env=inside)
    assert mux.session_of(client) == "api"
    hostile = mux.rows()[2][1]
    assert "#{x}" in hostile
    world.cli("switch", hostile, "--client", client.tty, env=inside)
    assert mux.session_of(client) == hostile
    world.cli("switch", mux.rows()[3][0], "--client", client.tty, env=inside)
    assert mux.session_of(client) == "web"
    world.cli("next", "--client", client.tty, env=inside)
    world.cli("switch", "77", "--client", client.tty, env=inside)
    missing = world.cli("switch", "nowhere", "--client", client.tty, env=inside, check=False)
    assert (missing.returncode, missing.stderr) == (1, "opensessions: There is no session nowhere.\n")


def test_o_does_what_prefix_o_did(world: World, mux: Tmux, client: Terminal) -> None:
    mux("split-window", "-t", "main")
    before = mux.ask("#{pane_id}", "main")
    client.type(PREFIX + b"o")
    world.until(lambda: mux.ask("#{pane_id}", "main") != before, "the other pane")


def test_any_other_key_leaves_the_table_without_reaching_the_pane(
    world: World, mux: Tmux, client: Terminal
) -> None:
    client.type(PREFIX + b"z")
    world.until(lambda: mux.ask("#{client_key_table}", client.tty) == "root", "the root table")
    client.type(b"echo arrived\r")
    client.see("arrived")
    assert "zecho" not in client.text
