"""The screen on a terminal, where the disk and zoxide do not answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.support.terminal import Terminal

PROGRAM = """
import threading
from opensessions.sessionizer import screen, walk
from opensessions.sessionizer.places import Session
from opensessions.sidebar.themes import DEFAULT

for name in {hang!r}:
    setattr(walk, name, lambda *_: threading.Event().wait())
sessions = (Session("$0", "main", ("/home/u",)), Session("$1", "api"))
task = screen.Task(sessions, (walk.Root("/nowhere", 2),), "/home/u", "/", DEFAULT)
def act(place):
    if place.name == "api":
        raise SystemExit(3)
    return "no: " + place.name
print("chosen" if screen.choose(task, act) else "nothing", flush=True)
"""


Start = Callable[..., Terminal]


@pytest.fixture
def start() -> Iterator[Start]:
    terminals: list[Terminal] = []

    def begin(*hang: str) -> Terminal:
        env = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "HOME": "/home/u"}
        terminals.append(Terminal([sys.executable, "-c", PROGRAM.format(hang=hang)], env, 60, 12))
        return terminals[-1]

    yield begin
    for terminal in terminals:
        terminal.close()


def end(terminal: Terminal) -> None:
    terminal.wait(lambda: terminal.ended, "the program's end")


def test_it_can_be_used_and_left_while_everything_hangs(start: Start) -> None:
    terminal = start("known", "walk", "look")
    terminal.see("api")
    terminal.see("searching")
    terminal.type(b"~/x")
    terminal.see("Reading")
    terminal.type(b"\r\x15main\r")
    terminal.see("no: main")
    terminal.type(b"\x1b")
    terminal.see("nothing")
    end(terminal)


def test_another_size_is_painted_anew(start: Start) -> None:
    terminal = start()
    terminal.see("esc close")
    terminal.wait(lambda: "searching" not in terminal.text, "the end of the search")
    terminal.resize(40, 8)
    terminal.wait(lambda: "esc" in terminal.screen.display[7], "the foot in the last line")
    terminal.type(b"\x1b")
    terminal.see("nothing")


def test_an_act_that_ends_the_program_leaves_the_terminal_as_it_was(start: Start) -> None:
    terminal = start()
    terminal.see("api")
    terminal.type(b"api\r")
    end(terminal)
    assert not terminal.screen.cursor.hidden
    assert 1049 << 5 not in terminal.screen.mode
