"""`opensessions session` on a real tmux, and the question that `kill` asks on a terminal."""

from __future__ import annotations

import sys

import pytest

from tests.support.terminal import Terminal
from tests.support.world import Tmux, World


@pytest.fixture
def mine(world: World, mux: Tmux) -> Tmux:
    mux.up()
    return mux


def names(mux: Tmux) -> list[str]:
    return [name for _, name in mux.rows()]


def test_sessions_are_created_renamed_hidden_and_moved(world: World, mine: Tmux) -> None:
    inside = mine.inside()
    folder = world.home / "my src"
    folder.mkdir()
    id = world.cli("session", "new", "v1.2 #{pid}", "--dir", str(folder), env=inside).stdout.strip()
    assert mine.ask("#{session_name}", f"{id}:") == "v1_2 #{pid}"
    world.until(lambda: mine.ask("#{pane_current_path}", f"{id}:") == str(folder), "its shell in the folder")
    assert world.cli("session", "rename", id, "web", env=inside).stdout == "web\n"
    other = world.cli("session", "new", env=inside).stdout.strip()
    world.cli("session", "rename", other, "1", env=inside)
    world.until(lambda: names(mine) == ["main", "web", "1"], "three rows")
    world.cli("session", "move", "=1", "up", env=inside)
    world.until(lambda: names(mine) == ["main", "1", "web"], "one place up")
    world.cli("session", "move", "main", "9", env=inside)
    world.until(lambda: names(mine) == ["1", "web", "main"], "to the end")
    world.cli("session", "move", id, "-1", env=inside)
    world.until(lambda: names(mine) == ["web", "1", "main"], "to the beginning")
    world.cli("session", "hide", "web", env=inside)
    world.until(lambda: names(mine) == ["1", "main"], "a hidden row")
    refused = world.cli("session", "move", "web", "down", check=False, env=inside)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    world.cli("session", "unhide", "=web", env=inside)
    world.until(lambda: names(mine) == ["web", "1", "main"], "where it was")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rename", "nowhere", "x"), 1),
        (("rename", "main", " "), 1),
        (("new", "main"), 1),
        (("hide", "nowhere"), 1),
        (("move", "main", "x"), 2),
        (("kill", "main"), 2),
        (("kill", "nowhere", "--yes"), 1),
        ((), 2),
    ],
)
def test_what_cannot_be_done(world: World, mine: Tmux, words: tuple[str, ...], code: int) -> None:
    done = world.cli("session", *words, check=False, env=mine.inside())
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.count("\n") == 1
    assert names(mine) == ["main"]


@pytest.mark.parametrize("answer", ["n", "", "y"])
def test_a_terminal_is_asked_first(world: World, mine: Tmux, answer: str) -> None:
    mine.new("api")
    words = [sys.executable, "-P", "-m", "opensessions", "session", "kill", "api"]
    terminal = Terminal(words, world.env | mine.inside())
    world.terminals.append(terminal)
    terminal.see("[y/N]")
    assert "api" in mine.lines("list-sessions", "-F", "#{session_name}")
    terminal.type(answer.encode() + b"\r")
    terminal.see("Ended the session api" if answer == "y" else "Nothing was done.")
    assert ("api" in mine.lines("list-sessions", "-F", "#{session_name}")) is (answer != "y")
