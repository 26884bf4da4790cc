"""What the contract and the facts of tmux promise about sidebars, in awkward windows and under awkward users."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.test_lifecycle import vanish
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, is_alive

PREFIX = b"\x02o"


def sidebar_of(mux: Tmux, target: str = "main") -> str:
    found = mux.lines("list-panes", "-t", f"={target}:", "-f", "#{@opensessions-sidebar}", "-F", "#{pane_id}")
    return found[0] if found else ""


def text_of(mux: Tmux, target: str = "main") -> str:
    pane = sidebar_of(mux, target)
    return mux("capture-pane", "-p", "-t", pane, check=False) if pane else ""


def shows(world: World, mux: Tmux, *words: str, target: str = "main") -> None:
    world.until(lambda: all(word in text_of(mux, target) for word in words), f"{words} in the sidebar")


def revealed(world: World, mux: Tmux, client: Terminal, *words: str) -> str:
    """Press the toggle and wait for what the sidebar must show; its pane."""
    client.type(PREFIX + b"t")
    shows(world, mux, *words)
    return sidebar_of(mux)


def pressed(world: World, mux: Tmux, client: Terminal, key: bytes, session: str) -> None:
    """Press a key that leads to a session; again where the user is told that the server takes more than 3 s to start,
    which a busy machine may need."""
    mux("set-option", "-g", "display-time", "10000")
    for _ in range(5):
        client.type(PREFIX + key)
        world.until(
            lambda: mux.session_of(client) == session or "did not start within" in client.text,
            f"the session {session}",
        )
        if mux.session_of(client) == session:
            return
        client.type(b"x\x15")  # takes the message away
        world.until(lambda: "did not start within" not in client.text, "no message")
    pytest.fail("the server does not start")


def test_a_zoomed_window_stays_zoomed_and_gets_its_layout_back(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux("split-window", "-h", "-t", "main")
    mux.load()
    client = mux.attach()
    mux("resize-pane", "-Z", "-t", "main")
    active = mux.ask("#{pane_id}", "main")
    client.type(PREFIX + b"t")
    world.until(lambda: sidebar_of(mux), "the sidebar")
    assert mux.ask("#{window_zoomed_flag} #{pane_id}", "main") == f"1 {active}"
    client.type(PREFIX + b"t")
    world.until(lambda: not sidebar_of(mux), "no sidebar")
    assert mux.ask("#{window_zoomed_flag} #{pane_id}", "main") == f"1 {active}"
    client.type(PREFIX + b"t")
    world.until(lambda: sidebar_of(mux), "the sidebar")
    mux("resize-pane", "-Z", "-t", "main")
    shows(world, mux, "main", "api")
    world.until(lambda: mux.sidebars().get(sidebar_of(mux), ("", 0))[1] == 26, "its width")


@pytest.mark.parametrize(("cols", "rows"), [(40, 10), (100, 5), (20, 4), (10, 30)])
def test_narrow_and_low_windows(world: World, mux: Tmux, cols: int, rows: int) -> None:
    mux.new("api")
    mux.load()
    client = mux.attach(cols=cols, rows=rows)
    first = mux.ask("#{pane_id}", "main")
    client.type(PREFIX + b"t")
    answered = world.cli("list", "--json")
    assert "main" in answered.stdout
    client.type(b"echo st''ill\r")
    world.until(lambda: "still" in mux("capture-pane", "-p", "-t", first), "the shell's answer")
    assert mux.ask("#{pane_id}", "main") == first
    client.type(PREFIX + b"2")
    world.until(lambda: mux.session_of(client) == "api", "the second session")
    client.type(PREFIX + b"1")
    world.until(lambda: mux.session_of(client) == "main", "the first session")
    client.resize(120, 30)
    world.until(lambda: mux.sidebars().get(sidebar_of(mux), ("", 0))[1] == 26, "the full width")
    shows(world, mux, "main", "api")


def test_a_killed_sidebar_or_pump_is_followed_by_one_other(world: World, mux: Tmux) -> None:
    """Sidebars are on or off for a whole tmux: `q` and the toggle turn them off, `kill-pane` does not."""
    mux("new-window", "-d", "-t", "main:")
    mux.load()
    client = mux.attach()
    pane = revealed(world, mux, client, "main")
    world.until(lambda: len(mux.sidebars()) == 2, "two sidebars")
    window = mux.ask("#{window_id}", "main")
    active = next(each for each in mux.lines("list-panes", "-t", "main", "-F", "#{pane_id}") if each != pane)
    mux("kill-pane", "-t", pane)
    second = world.until(lambda: sidebar_of(mux), "a new sidebar")
    shows(world, mux, "main")
    os.kill(int(mux.ask("#{pane_pid}", second)), signal.SIGKILL)
    world.until(lambda: sidebar_of(mux) not in ("", second), "another new sidebar")
    shows(world, mux, "main")
    assert sorted(each for each, _ in mux.sidebars().values()) == sorted(
        mux.lines("list-windows", "-t", "main", "-F", "#{window_id}")
    )
    world.until(lambda: mux.sidebars().get(sidebar_of(mux)) == (window, 26), "its width")
    assert mux.ask("#{pane_id}", "main") == active
    client.type(PREFIX + b"t")
    world.until(lambda: not mux.sidebars(), "no sidebar")


def test_remain_on_exit_leaves_no_dead_pane(world: World) -> None:
    mux = world.mux(conf="set -gw remain-on-exit on")
    mux.new("api")
    mux.load()
    client = mux.attach()
    revealed(world, mux, client, "main", "api")
    client.type(PREFIX + b"t")
    world.until(lambda: len(mux.lines("list-panes", "-t", "main")) == 1, "one pane")
    pane = revealed(world, mux, client, "main", "api")
    pump = int(mux.ask("#{pane_pid}", pane))
    world.cli("down", env=mux.inside())
    world.until(lambda: len(mux.lines("list-panes", "-t", "main")) == 1, "one pane")
    world.until(lambda: not is_alive(pump), "the pump's end")
    assert mux("show-options", "-gwv", "remain-on-exit") == "on"


def test_copy_mode_in_the_sidebar_hurts_nothing(world: World, mux: Tmux) -> None:
    mux.load()
    client = mux.attach()
    pane = revealed(world, mux, client, "main")
    mux("copy-mode", "-t", pane)
    mux.new("later")
    world.until(lambda: len(mux.rows()) == 2, "two rows")
    mux("send-keys", "-t", pane, "-X", "cancel")
    shows(world, mux, "main", "later")


def test_detaching_and_attaching_again(world: World, mux: Tmux) -> None:
    mux.load()
    client = mux.attach()
    pane = revealed(world, mux, client, "main")
    mux("detach-client", "-t", client.tty)
    world.until(lambda: world.status()["clients"] == 0, "no client")
    mux.new("meanwhile")
    mux.attach(cols=130, rows=40)
    shows(world, mux, "main", "meanwhile")
    assert sidebar_of(mux) == pane
    world.until(lambda: mux.sidebars().get(pane, ("", 0))[1] == 26, "its width")


def test_two_clients_of_different_sizes_on_one_session(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.load()
    big, small = mux.attach(cols=160, rows=40), mux.attach(cols=60, rows=12)
    pane = revealed(world, mux, big, "main", "api")
    for client, cols, rows in ((small, 50, 10), (big, 170, 45), (small, 110, 30), (big, 90, 20)):
        client.resize(cols, rows)
        world.until(lambda: mux.sidebars().get(pane, ("", 0))[1] == 26, "the width")
    small.type(PREFIX + b"2")
    world.until(lambda: mux.session_of(small) == "api", "the small one in api")
    assert mux.session_of(big) == "main"
    assert mux("show-options", "-t", "main", "window-size") == ""


def test_a_vanished_runtime_directory_with_a_sidebar_open(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.load()
    client = mux.attach()
    revealed(world, mux, client, "main", "api")
    server = world.status()["pid"]
    vanish(world)
    mux.new("later")
    world.until(lambda: not is_alive(server), "the server's end")
    pressed(world, mux, client, b"3", "later")
    pressed(world, mux, client, b"1", "main")
    world.until(lambda: len(mux.rows()) == 3, "the new ordering file")
    shows(world, mux, "main", "api", "later")


def test_an_adversary_may_not_type_into_it(world: World, mux: Tmux) -> None:
    mux.new("api")
    mux.load()
    client = mux.attach()
    pane = revealed(world, mux, client, "main", "api")
    mux("set-window-option", "-t", "main", "synchronize-panes", "on")
    client.type(b"jq\r")
    mux("send-keys", "-t", pane, "q")
    mux("rename-session", "-t", "=api:", "web")
    shows(world, mux, "main", "web")
    assert mux.session_of(client) == "main"
    assert sidebar_of(mux) == pane


def test_the_last_pane_beside_a_sidebar_ends(world: World, mux: Tmux) -> None:
    """The sidebar is no reason for a session to live, and no client is thrown out of tmux."""
    mux.new("api")
    mux.load()
    client = mux.attach("api")
    client.type(PREFIX + b"t")
    shows(world, mux, "main", "api", target="api")
    client.type(b"exit\r")
    world.until(lambda: "api" not in mux.lines("list-sessions", "-F", "#{session_name}"), "the session's end")
    world.until(lambda: mux.session_of(client) == "main", "the client in the other session")
