"""The sidebar's rows in a popup, and even panes beside a sidebar, on a real tmux with clients."""

from __future__ import annotations

from contextlib import suppress

import psutil
import pytest

from tests.e2e.test_sidebar import PREFIX, shows, sidebar_of
from tests.e2e.test_switch import cold
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World


@pytest.fixture
def client(mux: Tmux) -> Terminal:
    """A client in `main`; sessions api, web and docs; the plugin loaded; no sidebar."""
    mux("set-option", "-g", "@opensessions-popup-key", "F9")
    for name in ("api", "web", "docs"):
        mux.new(name)
    mux.load()
    return mux.attach()


def inside(client: Terminal) -> str:
    """What stands right of the popup's left border, from its top on: a sidebar beside it has the same rows."""
    lines = client.screen.display
    top = next((line for line, text in enumerate(lines) if "┌" in text), len(lines))
    return "\n".join(text[lines[top].index("┌") :] for text in lines[top:])


def opened(client: Terminal, key: bytes = PREFIX + b"g") -> None:
    """Type the key; wait for rows: before them nobody reads the keys that come next."""
    client.type(key)
    client.wait(lambda: "docs" in inside(client), "the popup with its rows")


def gone(client: Terminal) -> None:
    client.wait(lambda: "┌" not in client.text, "the popup's end")


def test_choosing_a_row_switches_the_client_and_closes_it(world: World, mux: Tmux, client: Terminal) -> None:
    watcher = mux.attach("docs")
    watcher.type(b"x")
    panes = mux("list-panes", "-a", "-F", "#{pane_id} #{pane_active}")
    opened(client)
    client.type(b"jj\r")
    world.until(lambda: mux.session_of(client) == "web", "the chosen session")
    gone(client)
    assert mux.session_of(watcher) == "docs"
    assert mux("list-panes", "-a", "-F", "#{pane_id} #{pane_active}") == panes
    client.type(b"echo a$((1+1))c\r")
    client.see("a2c")


@pytest.mark.parametrize("key", [b"q", b"\x1b", b"\x03"], ids=["q", "escape", "ctrl-c"])
def test_keys_close_it_and_leave_the_sidebars_alone(
    world: World, mux: Tmux, client: Terminal, key: bytes
) -> None:
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    opened(client)
    client.type(key)
    gone(client)
    assert mux.session_of(client) == "main"
    assert mux.sidebars()
    assert mux.ask("#{pane_id}", "main") != sidebar_of(mux)


def test_the_popup_key_and_a_click(world: World, mux: Tmux, client: Terminal) -> None:
    mux("set-option", "-g", "mouse", "on")
    opened(client, b"\x1b[20~")
    line = next(n for n, text in enumerate(client.screen.display) if "docs" in text)
    column = client.screen.display[line].index("docs")
    client.type(b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % ((column + 1, line + 1) * 2))
    world.until(lambda: mux.session_of(client) == "docs", "the clicked session")
    gone(client)


def test_a_zoomed_pane_stays_zoomed(world: World, mux: Tmux, client: Terminal) -> None:
    mux("split-window", "-t", "main")
    mux("resize-pane", "-Z", "-t", "main")
    opened(client)
    client.type(b"q")
    gone(client)
    assert mux.ask("#{window_zoomed_flag}", "main") == "1"
    opened(client)
    client.type(b"j\r")
    world.until(lambda: mux.session_of(client) == "api", "the chosen session")
    gone(client)
    assert mux.ask("#{window_zoomed_flag}", "main") == "1"


def test_two_clients_have_a_popup_each(world: World, mux: Tmux, client: Terminal) -> None:
    other = mux.attach("api")
    opened(client)
    opened(other)
    assert world.status()["sidebars"] == 2
    other.type(b"j\r")
    world.until(lambda: mux.session_of(other) == "web", "the other's choice")
    gone(other)
    assert mux.session_of(client) == "main"
    assert "┌" in client.text
    client.type(b"q")
    gone(client)
    world.until(lambda: world.status()["sidebars"] == 0, "no sidebar connected")


def test_a_popup_starts_the_server(world: World, mux: Tmux, client: Terminal) -> None:
    world.cli("down")
    cold(world, mux, client, b"g", lambda: "docs" in inside(client))
    client.type(b"jjj\r")
    world.until(lambda: mux.session_of(client) == "docs", "the chosen session")
    gone(client)


def test_a_small_client(world: World, mux: Tmux, client: Terminal) -> None:
    small = mux.attach("api", cols=40, rows=12)
    opened(small)
    small.type(b"q")
    gone(small)


def test_the_command_line_opens_one_over_a_client(world: World, mux: Tmux, client: Terminal) -> None:
    mux("send-keys", "-t", "=api:", "-l", f"opensessions popup --client {client.tty}")
    mux("send-keys", "-t", "=api:", "Enter")
    client.wait(lambda: "┌" in client.text and "docs" in client.text, "the popup with its rows")
    client.type(b"jj\r")
    world.until(lambda: mux.session_of(client) == "web", "the chosen session")
    gone(client)
    refused = world.cli("popup", "--client", "/dev/nowhere", check=False, env=mux.inside())
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1


# --- even-horizontal ------------------------------------------------------------------------------------------


def widths(mux: Tmux, target: str = "main") -> dict[str, int]:
    listed = mux.lines("list-panes", "-t", f"={target}:", "-F", "#{pane_id} #{pane_width}")
    return {pane: int(width) for pane, width in (line.split(" ") for line in listed)}


def others(mux: Tmux) -> list[int]:
    return [width for pane, width in widths(mux).items() if pane != sidebar_of(mux)]


@pytest.mark.parametrize("position", ["left", "right"])
def test_even_panes_leave_the_sidebar_as_it_is(world: World, mux: Tmux, position: str) -> None:
    world.config.write_text(f"sidebar: {{position: {position}}}\n")
    mux.load()
    client = mux.attach()
    first = mux.ask("#{pane_id}", "main")
    for flag in ("-h", "-v", "-h"):
        mux("split-window", flag, "-t", "main")
    active = mux.ask("#{pane_id}", "main")
    client.type(PREFIX + b"t")
    shows(world, mux, "main")
    bar = sidebar_of(mux)
    world.until(lambda: widths(mux)[bar] == 26, "the sidebar in its place")
    client.type(PREFIX + b"e")

    def even() -> bool:
        found = widths(mux)
        width = found.pop(bar)
        # Four panes, four borders.
        return max(found.values()) - min(found.values()) <= 1 and (width, sum(found.values())) == (26, 70)

    world.until(even, "even panes")
    left = mux.ask("#{pane_left}", sidebar_of(mux))
    assert left == ("0" if position == "left" else "74")
    assert mux.ask("#{pane_id}", "main") == active
    # The user's layout is even when the sidebar has gone, too.
    client.type(PREFIX + b"t")
    world.until(lambda: not mux.sidebars(), "no sidebar")
    world.until(lambda: max(others(mux)) - min(others(mux)) <= 1, "even panes")
    assert first in widths(mux)
    assert sum(others(mux)) + 3 == 100


def test_even_panes_without_a_sidebar(world: World, mux: Tmux, client: Terminal) -> None:
    mux("split-window", "-v", "-t", "main")
    mux("split-window", "-h", "-l", "10", "-t", "main")
    client.type(PREFIX + b"e")
    world.until(lambda: max(others(mux)) - min(others(mux)) <= 2, "even panes")


def test_even_panes_from_a_zoomed_one(world: World, mux: Tmux, client: Terminal) -> None:
    client.type(PREFIX + b"t")
    shows(world, mux, "docs")
    mux("split-window", "-v", "-t", "main")
    mux("resize-pane", "-Z", "-t", "main")
    client.type(PREFIX + b"e")
    world.until(lambda: sorted(others(mux)) == [36, 36], "even panes")
    assert widths(mux)[sidebar_of(mux)] == 26


# --- what happens to it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [b"g", b"c"])
def test_tmux_outlives_a_client_that_goes_with_its_popup(
    world: World, mux: Tmux, client: Terminal, key: bytes
) -> None:
    for end in ("hang up", "detach", "kill the session"):
        guest = mux.attach(mux.new("guest"))
        guest.type(PREFIX + key)
        guest.wait(lambda guest=guest: "┌" in guest.text and "docs" in guest.text, "the popup")  # type: ignore[misc]
        assert popups(world)
        guest.resize(70, 20)
        if end == "hang up":
            guest.close()
            world.terminals.remove(guest)
        elif end == "detach":
            mux("detach-client", "-t", guest.tty)
        mux("kill-session", "-t", "=guest:")
        world.until(
            lambda guest=guest: (
                guest.tty not in mux.lines("list-clients", "-F", "#{client_tty}")  # type: ignore[misc]
                or mux.session_of(guest) != "guest"
            ),
            "the guest's end",
        )
        world.until(lambda: "guest" not in [name for _, name in mux.rows()], "a reading without it")
    assert int(mux.ask("#{pid}")) == mux.pid
    world.until(lambda: world.status()["sidebars"] == 0, "no sidebar connected")
    world.until(lambda: not popups(world), "the end of what ran in the popups")


def popups(world: World) -> list[list[str]]:
    """The command lines of what runs in popups."""
    found = []
    for process in world.processes():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            words = process.cmdline()
            if words[-3:-1] == ["session", "new"] or any(word.endswith("/popup.py") for word in words):
                found.append(words)
    return found
