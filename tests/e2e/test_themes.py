"""Themes on a real tmux: the list in the sidebar, the command line, dark and light."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from opensessions.sidebar.contrast import rgb
from opensessions.sidebar.themes import SHIPPED
from tests.e2e.test_sidebar import PREFIX, sidebar_of
from tests.server.test_schemes import Desktop, bus, desktop
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World

__all__ = ["bus", "desktop"]  # fixtures

NAMES = list(SHIPPED)


def ground(theme: str) -> str:
    """What `capture-pane -e` says of a cell on the theme's page."""
    red, green, blue = rgb(SHIPPED[theme].colours["page"])
    return f"48;2;{red};{green};{blue}"


def coloured(mux: Tmux, target: str = "main") -> str:
    pane = sidebar_of(mux, target)
    return mux("capture-pane", "-e", "-p", "-t", pane, check=False) if pane else ""


def wears(world: World, mux: Tmux, theme: str, target: str = "main") -> None:
    world.until(lambda: ground(theme) in coloured(mux, target), f"{theme} in {target}")


def open_sidebar(world: World, config: str = "") -> tuple[Tmux, Terminal]:
    """A client in `main` whose sidebar has the focus; `api` beside it."""
    world.env["COLORTERM"] = "truecolor"
    world.config.write_text(config)
    mux = world.mux()
    mux.new("api")
    mux.load()
    client = mux.attach()
    client.type(PREFIX + b"s")
    world.until(lambda: "api" in coloured(mux), "the sidebar")
    world.until(lambda: mux.ask("#{pane_id}", "main") == sidebar_of(mux), "the focus in the sidebar")
    return mux, client


def chosen(world: World) -> str:
    shown = json.loads(world.cli("theme", "--json").stdout)
    return str(shown["theme"])


def test_the_list_shows_each_theme_at_once_and_escape_goes_back(world: World) -> None:
    mux, client = open_sidebar(world)
    wears(world, mux, "catppuccin-mocha")
    client.type(b"T")
    world.until(lambda: "themes" in coloured(mux), "the list")
    for name in NAMES[NAMES.index("catppuccin-mocha") + 1 :][:3]:
        client.type(b"j")
        wears(world, mux, name)
        assert chosen(world) == "catppuccin-mocha"
    client.type(b"\x1b")
    wears(world, mux, "catppuccin-mocha")
    world.until(lambda: "themes" not in (shown := coloured(mux)) and "api" in shown, "the rows")


def test_who_leaves_the_sidebar_keeps_nothing(world: World) -> None:
    mux, client = open_sidebar(world)
    client.type(b"T")
    world.until(lambda: "themes" in coloured(mux), "the list")
    client.type(b"j")
    wears(world, mux, "tokyo-night")
    mux("select-pane", "-R", "-t", sidebar_of(mux))
    wears(world, mux, "catppuccin-mocha")
    world.until(lambda: "themes" not in coloured(mux), "the rows")


def test_enter_keeps_it_everywhere_and_for_the_next_server(world: World) -> None:
    mux, client = open_sidebar(world)
    client.type(b"T")
    world.until(lambda: "themes" in coloured(mux), "the list")
    client.type(b"jj")
    there = NAMES[NAMES.index("catppuccin-mocha") + 2]
    wears(world, mux, there)
    client.type(b"\r")
    world.until(lambda: chosen(world) == there, "the choice")
    world.until(lambda: "themes" not in coloured(mux), "the rows")
    wears(world, mux, there)
    mux("switch-client", "-c", client.tty, "-t", "=api:")
    wears(world, mux, there, "api")
    assert world.config.read_text() == ""
    mux("switch-client", "-c", client.tty, "-t", "=main:")
    world.cli("down")
    world.cli("up", env=mux.inside())
    wears(world, mux, there)


def test_a_click_shows_a_theme_and_a_second_one_keeps_it(world: World) -> None:
    mux, client = open_sidebar(world)
    mux("set-option", "-g", "mouse", "on")
    client.type(b"T")

    def listed() -> int:
        """The line that it stands in; 0 while it is not painted."""
        lines = mux("capture-pane", "-p", "-t", sidebar_of(mux)).split("\n")
        return next((number for number, text in enumerate(lines, 1) if "catppuccin-latte" in text), 0)

    line = world.until(listed, "the theme in the list")
    for theme in ("catppuccin-mocha", "catppuccin-latte"):
        assert chosen(world) == "catppuccin-mocha", theme
        client.type(f"\x1b[<0;5;{line}M".encode())
        client.type(f"\x1b[<0;5;{line}m".encode())
        wears(world, mux, "catppuccin-latte")
    world.until(lambda: chosen(world) == "catppuccin-latte", "the choice")


def test_the_command_line(world: World) -> None:
    mux, _ = open_sidebar(
        world, "# mine\nthemes: {mine: {extends: nord, background: '#010203'}}\ntheme: nrod # why\n"
    )
    listed = world.cli("theme", "list").stdout.splitlines()
    assert [line.split()[-2 if "own" not in line else 0] for line in listed if line.startswith("*")] == [
        "catppuccin-mocha"
    ]
    assert [line[2:].split()[0] for line in listed] == [*NAMES, "mine"]
    assert world.cli("theme", "set", "nord", env=mux.inside()).stdout == "nord\n"
    wears(world, mux, "nord")
    assert "theme: nrod # why" in world.config.read_text()
    assert world.cli("theme", "show").stdout.startswith("nord  (")
    world.cli("theme", "set", "mine", "--save", env=mux.inside())
    world.until(lambda: "48;2;1;2;3" in coloured(mux), "the theme of the user's own")
    assert world.config.read_text() == (
        "# mine\nthemes: {mine: {extends: nord, background: '#010203'}}\ntheme: mine # why\n"
    )
    wrong = world.cli("theme", "set", "nrod", env=mux.inside(), check=False)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "opensessions: There is no theme 'nrod'; the nearest is nord.\n"
    for words in (("set",), ("list", "nord"), ("--save",), ("paint", "nord")):
        assert world.cli("theme", *words, check=False).returncode == 2
    world.cli("down")
    assert world.cli("theme").stdout.startswith("mine  (")
    assert json.loads(world.cli("status", "--json", check=False).stdout) == {"running": False}


FOLLOW = "follow_system: true\ntheme: nord\ntheme_dark: dracula\ntheme_light: github-light\n"


def push(mux: Tmux, report: bytes) -> None:
    """Bytes to the sidebar's terminal, as tmux 3.6 sends them by itself."""
    mux("send-keys", "-t", sidebar_of(mux), "-H", *(f"{byte:02x}" for byte in report))


def test_the_terminals_own_report_is_followed(world: World) -> None:
    mux, _ = open_sidebar(world, FOLLOW)
    for number, theme in ((1, "dracula"), (2, "github-light"), (1, "dracula")):
        push(mux, b"\x1b[?997;%dn" % number)
        wears(world, mux, theme)
    assert json.loads(world.cli("theme", "--json").stdout)["scheme"] == "dark"
    text = mux("capture-pane", "-p", "-t", sidebar_of(mux))
    assert "997" not in text
    assert "rgb" not in text


def test_it_is_followed_while_the_sidebar_has_no_focus(world: World) -> None:
    mux, client = open_sidebar(world, FOLLOW)
    client.type(b"\x1b")
    world.until(lambda: mux.ask("#{pane_id}", "main") != sidebar_of(mux), "the focus elsewhere")
    push(mux, b"\x1b[?997;2n")
    wears(world, mux, "github-light")


def test_the_background_of_the_terminal_is_asked_for(world: World) -> None:
    """tmux 3.5 knows its terminal's and answers for it; 3.3 does not, and nothing happens."""
    world.env["COLORTERM"] = "truecolor"
    world.config.write_text(FOLLOW)
    mux = world.mux()
    mux.load()
    client = mux.attach()
    client.type(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\")  # as a terminal answers tmux
    client.type(PREFIX + b"t")
    answers = mux.ask("#{version}", "main") >= "3.4"
    wears(world, mux, "github-light" if answers else "nord")
    push(mux, b"\x1b[?997;1n")
    wears(world, mux, "dracula")
    said = [line.split()[-2] for line in world.log().splitlines() if " it is " in line]
    assert said == (["light", "dark"] if answers else ["dark"])


def test_nothing_is_asked_unless_the_system_is_followed(world: World) -> None:
    mux, _ = open_sidebar(world, "theme: nord\ntheme_light: github-light\n")
    push(mux, b"\x1b[?997;2n")
    push(mux, b"T")
    world.until(lambda: "themes" in coloured(mux), "the key after the report")
    wears(world, mux, "nord")


@pytest.mark.skipif(shutil.which("gdbus") is None, reason="there is no gdbus here")
def test_the_desktop_is_followed(world: World, bus: str) -> None:
    world.env["DBUS_SESSION_BUS_ADDRESS"] = bus
    portal = Desktop(1)
    try:
        mux, _ = open_sidebar(world, FOLLOW)
        wears(world, mux, "dracula")
        portal.say(2)
        wears(world, mux, "github-light")
        portal.say(1)
        wears(world, mux, "dracula")
        heard = []
        for process in world.processes():
            with suppress(psutil.Error):  # one that has ended since
                if "monitor" in process.cmdline():
                    heard.append(process)
        assert [Path(process.cmdline()[0]).name for process in heard] == ["gdbus"]
        world.cli("down")
        world.until(lambda: not heard[0].is_running(), "the end of the program that listened")
    finally:
        portal.close()
