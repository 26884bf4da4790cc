"""The sidebar on a real tmux, from key press to pixels."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from opensessions import paths
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

PREFIX = b"\x02o"


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    """A client in `main`; sessions api, web and docs; the plugin loaded; no sidebar yet."""
    for name in ("api", "web", "docs"):
        mux.new(name)
    mux.load()
    return mux.attach()


def sidebar_of(mux: Tmux, target: str = "main") -> str:
    """The sidebar pane in a session's current window; "" where it has none."""
    found = mux.lines("list-panes", "-t", f"={target}:", "-f", "#{@opensessions-sidebar}", "-F", "#{pane_id}")
    return found[0] if found else ""


def text_of(mux: Tmux, target: str = "main") -> str:
    pane = sidebar_of(mux, target)
    return mux("capture-pane", "-p", "-t", pane, check=False) if pane else ""


def shows(world: World, mux: Tmux, *words: str, target: str = "main") -> None:
    world.until(lambda: all(word in text_of(mux, target) for word in words), f"{words} in the sidebar")


def test_s_reveals_it_with_every_session_and_focuses_it(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"s")
    shows(world, mux, "main", "api", "web", "docs")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    assert list(mux.sidebars().values()) == [(mux.ask("#{window_id}", "main"), 26)]


def test_toggle_never_steals_the_focus_and_leaves_no_trace(world: World, mux: Tmux, client: Terminal) -> None:
    mux("split-window", "-h", "-t", "main")
    before = mux("list-panes", "-t", "main", "-F", "#{pane_id} #{pane_active} #{pane_width}")
    layout = mux.ask("#{window_layout}", "main")
    client.type(PREFIX + b"t")
    shows(world, mux, "api")
    assert mux.ask("#{pane_id} #{@opensessions-sidebar}", "main").split() == [
        before.split("\n")[1].split()[0]
    ]
    client.type(PREFIX + b"t")
    world.until(lambda: not mux.sidebars(), "no sidebar")
    world.until(lambda: mux.ask("#{window_layout}", "main") == layout, "the layout of before")
    assert mux("list-panes", "-t", "main", "-F", "#{pane_id} #{pane_active} #{pane_width}") == before


def test_a_new_session_a_rename_and_an_end_are_seen_at_once(
    world: World, mux: Tmux, client: Terminal
) -> None:
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    mux.new("fresh")
    shows(world, mux, "fresh")
    mux("rename-session", "-t", "=fresh:", "older")
    shows(world, mux, "older")
    mux("kill-session", "-t", "=older:")
    world.until(lambda: "older" not in text_of(mux), "the row's end")


def test_enter_switches_and_keeps_the_focus_in_the_other_sidebar(
    world: World, mux: Tmux, client: Terminal
) -> None:
    client.type(PREFIX + b"s")
    shows(world, mux, "docs")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    client.type(b"jj\r")
    world.until(lambda: mux.session_of(client) == "web", "the third session")
    shows(world, mux, "docs", target="web")
    world.until(lambda: mux.ask("#{pane_id}", "web") == sidebar_of(mux, "web"), "the focus in its sidebar")


def test_a_click_goes_there(world: World, mux: Tmux, client: Terminal) -> None:
    mux("set-option", "-g", "mouse", "on")
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    line = next(n for n, text in enumerate(text_of(mux).splitlines()) if "docs" in text)
    world.until(lambda: "docs" in client.screen.display[line], "docs on the client's screen")
    client.type(b"\x1b[<0;5;%dM\x1b[<0;5;%dm" % (line + 1, line + 1))
    world.until(lambda: mux.session_of(client) == "docs", "the clicked session")


def test_typing_filters_and_changes_no_index(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"s")
    shows(world, mux, "docs")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    rows = mux.rows()
    client.type(b"/we")
    world.until(lambda: "web" in text_of(mux) and "docs" not in text_of(mux), "only web")
    assert mux.rows() == rows
    client.type(b"\r")
    world.until(lambda: mux.session_of(client) == "web", "web")


def test_keys_that_a_program_sends_do_nothing(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    mux("send-keys", "-t", sidebar_of(mux), "j", "Enter")
    mux("send-keys", "-t", sidebar_of(mux), "q")
    mux("rename-session", "-t", "=docs:", "after")
    shows(world, mux, "after")
    assert mux.session_of(client) == "main"
    assert mux.sidebars()


def test_moving_and_hiding_rows_changes_every_index(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"s")
    shows(world, mux, "docs")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    client.type(b"G")
    client.type(b"K")
    world.until(lambda: [name for _, name in mux.rows()] == ["main", "api", "docs", "web"], "docs moved up")
    client.type(b"x")
    world.until(lambda: [name for _, name in mux.rows()] == ["main", "api", "web"], "docs hidden")
    world.until(
        lambda: mux("show-options", "-gqv", "@opensessions-slot-3") == mux.rows()[2][0], "the slot of web"
    )
    kept = Path(world.state, "mux", mux.key, "arrangement.json")
    world.until(lambda: kept.exists() and '"hidden":["docs"]' in kept.read_text(), "that it is on the disk")
    server = int(Path(paths.pid_file(world.runtime)).read_text().splitlines()[0])
    os.kill(server, signal.SIGKILL)
    world.cli("up", env=mux.inside())
    world.until(
        lambda: [name for _, name in mux.rows()] == ["main", "api", "web"], "the same after a restart"
    )


def test_every_window_of_a_viewed_session_has_one_and_other_sessions_none(
    world: World, mux: Tmux, client: Terminal
) -> None:
    mux("new-window", "-d", "-t", "main:")
    client.type(PREFIX + b"t")
    windows = set(mux.lines("list-windows", "-t", "main", "-F", "#{window_id}"))
    world.until(lambda: {window for window, _ in mux.sidebars().values()} == windows, "one in each window")
    mux("new-window", "-d", "-t", "main:")
    world.until(lambda: len(mux.sidebars()) == 3, "one in the new window")
    assert not sidebar_of(mux, "api")
    mux("switch-client", "-c", client.tty, "-t", "=api:")
    world.until(lambda: sidebar_of(mux, "api"), "one in api")


def test_the_width_is_kept(world: World, mux: Tmux, client: Terminal) -> None:
    mux("split-window", "-h", "-t", "main")
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    pane = sidebar_of(mux)
    for act in (
        lambda: client.resize(140, 30),
        lambda: mux("resize-pane", "-t", pane, "-x", "50"),
        lambda: client.resize(90, 25),
        lambda: mux("kill-pane", "-t", mux.lines("list-panes", "-t", "main", "-F", "#{pane_id}")[-1]),
        lambda: mux("split-window", "-h", "-t", "main"),
        lambda: mux("select-layout", "-t", "main", "even-horizontal"),
    ):
        act()
        world.until(lambda: mux.sidebars().get(pane, ("", 0))[1] == 26, "the width")
    assert mux("show-options", "-t", "main", "window-size") == ""


def test_it_comes_back_after_the_server_was_killed(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    pane = sidebar_of(mux)
    os.kill(int(mux("show-options", "-gqv", "@opensessions-pid")), signal.SIGKILL)
    mux.new("later")
    shows(world, mux, "later")
    assert sidebar_of(mux) == pane


def test_down_closes_every_sidebar_and_up_brings_them_back(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    world.cli("down", env=mux.inside())
    world.until(lambda: not mux.sidebars(), "no sidebar")
    world.cli("up", env=mux.inside())
    shows(world, mux, "docs")


def test_hostile_names_are_only_text(world: World, mux: Tmux, client: Terminal) -> None:
    trap = world.home / "trap"
    names = ["'|;$x", f"#(touch {trap})", "#{pane_pid}", "$(touch trap)", "`id`", "é✳漢字", "a b"]
    for name in names:
        mux.new(name.replace("#", "##"))  # tmux expands what it is given here; the name then has one
    folder = world.home / "#(touch trap)'|; $x"
    folder.mkdir()
    mux.new("dir", "-c", str(folder).replace("#", "##"))  # what tmux is given here is a format too
    world.until(lambda: mux.ask("#{pane_current_path}", "dir") == str(folder), "its shell in the folder")
    mux("select-pane", "-t", "=dir:", "-T", "## title ' ; $x")
    client.type(PREFIX + b"t")
    shows(world, mux, "dir", "é✳漢字", "`id`")
    live = mux.lines("list-sessions", "-F", "#{session_id} #{session_name}")
    world.until(
        lambda: sorted(f"{id} {name}" for id, name in mux.rows()) == sorted(live), "the ordering file"
    )
    assert not trap.exists()
    assert not (world.home / "trap").exists()


def test_two_clients_in_two_windows_have_their_own_current_row(
    world: World, mux: Tmux, client: Terminal
) -> None:
    other = mux.attach("web")
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    shows(world, mux, "docs", target="web")

    def current(target: str) -> str:
        return next(
            (line for line in text_of(mux, target).splitlines() if line.lstrip().startswith(("▌", "█"))), ""
        )

    world.until(lambda: "main" in current("main") and "web" in current("web"), "each its own current row")
    assert mux.session_of(other) == "web"


def test_ascii_means_seven_bits(world: World, mux: Tmux) -> None:
    world.config.write_text("ascii: true\n")
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"t")
    shows(world, mux, "main")
    assert text_of(mux).isascii()
