"""What runs on a terminal between two multiplexers: programs of the test's own stand in for their clients."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opensessions.crossing import FRESH, folder_of
from opensessions.server.crossing import Traveller, travellers
from tests.support.terminal import Terminal
from tests.support.world import ROOT, is_alive

SCRIPT = str(ROOT / "scripts" / "cross.py")
NAME = "7"


class Crossed:
    """A runtime directory, and terminals with the script on them."""

    def __init__(self, folder: Path) -> None:
        self.runtime = folder / "run"
        self.folder = Path(folder_of(str(self.runtime)))
        self.folder.mkdir(parents=True)
        for each in (self.runtime, self.folder):
            each.chmod(0o700)
        self.env = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8", "OLD": "here"}
        self.terminals: list[Terminal] = []

    def order(
        self, to: dict[str, Any], back: dict[str, Any] | None = None, name: str = NAME, age: float = 0.0
    ) -> None:
        """Say where to go."""
        file = self.folder / f"{name}.{os.urandom(3).hex()}"
        file.write_text(json.dumps({"to": to, "back": back, "at": time.time() - age}))
        file.rename(self.folder / f"{name}.next")

    def start(self) -> Terminal:
        """The script, on a terminal."""
        argv = [sys.executable, "-I", "-S", SCRIPT, str(self.runtime), NAME]
        terminal = Terminal(argv, self.env, 80, 12)
        self.terminals.append(terminal)
        return terminal

    def end(self, terminal: Terminal) -> int:
        """Its exit status, once it has ended by itself."""
        terminal.wait(lambda: terminal.ended, "its end")
        self.terminals.remove(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])
        os.close(terminal.handle)
        return status

    def child(self, terminal: Terminal) -> int:
        """The process that it waits for."""
        found: list[Traveller] = []

        def there() -> bool:
            found[:] = [
                each for each in travellers(str(self.runtime)) if each.pid == terminal.pid and each.child
            ]
            return bool(found)

        terminal.wait(there, "the record")
        return found[0].child


@pytest.fixture
def crossed(short: Path) -> Iterator[Crossed]:
    made = Crossed(short)
    try:
        yield made
    finally:
        for terminal in made.terminals:
            terminal.close()


def way(program: str, *, check: str = "true", **more: Any) -> dict[str, Any]:
    """A way in whose client is a line of shell."""
    return {
        "mux": "m", "name": "n", "argv": ["/bin/sh", "-c", program], "check": ["/bin/sh", "-c", check],
        "environment": {}, "said": "", "leave": False, **more,
    }  # fmt: skip


def test_its_end_is_that_of_the_client_and_nothing_is_left(crossed: Crossed) -> None:
    crossed.order(way("echo there; exit 3"))
    terminal = crossed.start()
    assert crossed.end(terminal) == 3
    assert "there" in terminal.text
    assert os.listdir(crossed.folder) == []


def test_it_goes_where_it_is_told_while_the_client_runs(crossed: Crossed) -> None:
    crossed.order(way("echo first; read -r line; echo bye $line"))
    terminal = crossed.start()
    terminal.see("first")
    crossed.order(way("echo second $NEW${OLD-gone}; read -r line; exit 5",
                      environment={"NEW": "a  b", "OLD": ""}), name=str(terminal.pid))  # fmt: skip
    terminal.type(b"x\r")
    terminal.see("second a b")
    assert "gone" in terminal.text
    terminal.type(b"\r")
    assert crossed.end(terminal) == 5


def test_words_reach_the_client_as_they_are(crossed: Crossed, short: Path) -> None:
    hostile = f'it\'s; #(touch {short}/a) $(touch {short}/b) "q" `touch {short}/c` \\ ✓'
    crossed.order(way('printf "<%s>" "$1"') | {"argv": ["/bin/sh", "-c", 'printf "<%s>" "$1" >"$2"', "sh", hostile,
                                                        f"{short}/said"]})  # fmt: skip
    assert crossed.end(crossed.start()) == 0
    assert (short / "said").read_text() == f"<{hostile}>"
    assert sorted(os.listdir(short)) == ["run", "said"]


def test_a_client_that_fails_at_once_is_tried_once_more(crossed: Crossed, short: Path) -> None:
    """zellij under load denies a session that lives."""
    denies = f"echo tried >>{short}/tries; [ $(wc -l <{short}/tries) = 2 ] || exit 1; echo come"
    crossed.order(way(denies), way("echo went back"))
    terminal = crossed.start()
    assert crossed.end(terminal) == 0
    assert "come" in terminal.text
    assert "went back" not in terminal.text


@pytest.mark.parametrize(
    "to",
    [
        way("echo never", check="exit 1"),
        way("exit 1"),
        way("exit 4"),
        way("echo never") | {"argv": ["/none/such"]},
    ],
)
def test_what_cannot_be_attached_leads_back_once(crossed: Crossed, to: dict[str, Any]) -> None:
    crossed.order(to, way("echo back; exit 6", said="that session is gone."))
    terminal = crossed.start()
    terminal.see("opensessions: that session is gone.")
    terminal.type(b"\r")
    assert crossed.end(terminal) == 6
    assert "back" in terminal.text
    assert "never" not in terminal.text


def test_who_leaves_by_himself_is_not_brought_back(crossed: Crossed) -> None:
    crossed.order(way("echo done"), way("echo back"))
    terminal = crossed.start()
    assert crossed.end(terminal) == 0
    assert "back" not in terminal.text


def test_a_multiplexer_that_is_silent_does_not_hold_it_for_ever(crossed: Crossed) -> None:
    crossed.order(way("echo never", check="exec sleep 1000"), way("echo back"))
    terminal = crossed.start()
    assert crossed.end(terminal) == 0
    assert "back" in terminal.text
    assert "never" not in terminal.text


@pytest.mark.parametrize("age", [FRESH + 5, -60.0])
def test_an_order_of_another_time_counts_no_more(crossed: Crossed, age: float) -> None:
    crossed.order(way("echo never"), age=age)
    terminal = crossed.start()
    assert crossed.end(terminal) == 1
    assert "attach it again" in terminal.text.replace("\n", " ")
    assert "never" not in terminal.text


def test_a_hang_up_ends_all(crossed: Crossed) -> None:
    crossed.order(way("echo there; exec sleep 1000"), way("exec sleep 1000"))
    terminal = crossed.start()
    terminal.see("there")
    child = crossed.child(terminal)
    crossed.terminals.remove(terminal)
    assert terminal.close()
    wait(lambda: not is_alive(child), "the client's end")
    assert os.listdir(crossed.folder) == []


def test_a_hang_up_before_the_client_began_ends_all(crossed: Crossed, short: Path) -> None:
    crossed.order(way("echo never", check=f"echo $$ >{short}/pid; exec sleep 1000"), way("exec sleep 1000"))
    terminal = crossed.start()
    wait(lambda: (short / "pid").exists() and (short / "pid").read_text().strip(), "the question")
    child = int((short / "pid").read_text())
    crossed.terminals.remove(terminal)
    assert terminal.close()
    assert not is_alive(child)
    assert os.listdir(crossed.folder) == []


def test_a_signal_is_passed_on_and_ends_the_journey(crossed: Crossed) -> None:
    crossed.order(
        way("trap 'echo heard; exit 0' TERM; echo there; while :; do sleep 1000 & wait; done"), way("echo no")
    )
    terminal = crossed.start()
    terminal.see("there")
    os.kill(terminal.pid, signal.SIGTERM)
    assert crossed.end(terminal) == 128 + signal.SIGTERM
    assert "heard" in terminal.text
    assert "no" not in terminal.text.split()


def test_a_client_that_goes_when_it_is_told_goes_on_elsewhere(crossed: Crossed) -> None:
    crossed.order(way("trap 'exit 0' TERM; echo there; while :; do sleep 1000 & wait; done", leave=True))
    terminal = crossed.start()
    terminal.see("there")
    child = crossed.child(terminal)
    os.kill(terminal.pid, signal.SIGUSR1)  # without an order it stays
    crossed.order(way("echo next"), name=str(terminal.pid))
    os.kill(terminal.pid, signal.SIGUSR1)
    assert crossed.end(terminal) == 0
    assert "next" in terminal.text
    assert not is_alive(child)


def test_a_client_that_is_let_go_by_others_is_told_nothing(crossed: Crossed) -> None:
    crossed.order(way("echo there; read -r line; echo read $line"))
    terminal = crossed.start()
    terminal.see("there")
    crossed.order(way("echo next"), name=str(terminal.pid))
    os.kill(terminal.pid, signal.SIGUSR1)
    terminal.type(b"on\r")
    assert crossed.end(terminal) == 0
    assert "read on" in terminal.text
    assert "next" in terminal.text


def test_the_modes_of_the_terminal_are_as_before(crossed: Crossed) -> None:
    crossed.order(way("echo there; read -r line; stty raw -echo; echo raw; kill -9 $$"))
    terminal = crossed.start()
    side = os.open(terminal.tty, os.O_RDWR | os.O_NOCTTY)
    try:
        terminal.see("there")
        before = termios.tcgetattr(side)
        terminal.type(b"\r")
        terminal.see("raw")
        ended = os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
        terminal.wait(lambda: os.waitid(*ended), "its end")
        assert termios.tcgetattr(side) == before
    finally:
        os.close(side)
    assert crossed.end(terminal) == 128 + signal.SIGKILL


def test_a_client_that_is_suspended_gives_the_terminal_to_the_shell(crossed: Crossed) -> None:
    crossed.order(way("echo there; kill -STOP $$; echo on; exit 9"))
    script = f"{sys.executable} -I -S {SCRIPT} {crossed.runtime} {NAME}"
    (crossed.runtime / "rc").write_text(
        f"PS1='$ '; set -m\n{script}\necho suspended; fg >/dev/null; echo status $?\n"
    )
    terminal = Terminal(["/bin/bash", "--norc", "-i", str(crossed.runtime / "rc")], crossed.env, 80, 12)
    crossed.terminals.append(terminal)
    terminal.see("suspended")
    terminal.see("status 9")
    assert terminal.text.index("there") < terminal.text.index("suspended") < terminal.text.index("\non ")


def test_without_a_terminal_it_says_so(crossed: Crossed) -> None:
    import subprocess

    crossed.order(way("true"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, str(crossed.runtime), NAME],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("opensessions: ")
    assert "Traceback" not in done.stderr


def test_what_the_killed_have_left_is_removed_and_nothing_else(crossed: Crossed) -> None:
    held = os.open(crossed.folder / "12", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.write(held, b'{"mux": "m", "child": 13}')
    for name in ("14", "14.next", "15.next", "12.next"):
        (crossed.folder / name).write_text("")
    assert list(travellers(str(crossed.runtime))) == [Traveller(12, "m", 13)]
    assert sorted(os.listdir(crossed.folder)) == ["12", "12.next", "15.next"]
    os.close(held)
    assert list(travellers(str(crossed.runtime / "none"))) == []


def wait(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, f"waited in vain for {why}"
        time.sleep(0.005)
