"""The pump on a real pseudo-terminal, with a server of a few lines that speaks the real frames."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opensessions import paths, wire
from tests.support.terminal import PATIENCE, Terminal

ROOT = Path(__file__).resolve().parents[1]
PUMP = str(ROOT / "scripts" / "sidebar.py")
HERE = b"\x1b[H\x1b[2Jhere"
MODES = (1049, 1000, 1002, 1006, 2004)
"""What the pump switches on, as pyte keeps it: shifted by 5 bits."""


class Server:
    """Listens where the pump looks, and holds the server's lock as the real one does."""

    def __init__(self, runtime: Path, lock: bool = True) -> None:
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.runtime = runtime
        self.lock = os.open(paths.pid_file(str(runtime)), os.O_RDWR | os.O_CREAT, 0o600)
        if lock:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = paths.server_socket(str(runtime))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.listener.settimeout(PATIENCE)
        self.frames = wire.Frames()
        self.line: socket.socket | None = None
        self.got: list[tuple[bytes, bytes]] = []

    def accept(self) -> dict[str, str]:
        """The next pump's hello."""
        if self.line:
            self.line.close()
        self.line, _ = self.listener.accept()
        self.line.settimeout(PATIENCE)
        self.frames = wire.Frames()
        self.got = []
        self.read(lambda: self.got)
        kind, payload = self.got.pop(0)
        assert kind == b"H"
        return wire.fields(payload)

    def read(self, until: Callable[[], object]) -> None:
        """Receive frames until the condition holds."""
        assert self.line is not None
        while not until():
            data = self.line.recv(65536)
            assert data, "the pump closed the connection"
            self.got += self.frames.feed(data)

    def keys(self) -> bytes:
        """Everything typed so far."""
        return b"".join(payload for kind, payload in self.got if kind == b"K")

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        assert self.line is not None
        self.line.sendall(wire.frame(kind, payload))

    def drop(self) -> None:
        """End the pump's connection, as a crash would."""
        assert self.line is not None
        self.line.close()
        self.line = None

    def vanish(self) -> None:
        """As a server that is just being replaced: the connection and the socket go. The lock is held on, so that no
        pump starts a server of its own."""
        if self.line:
            self.line.close()
        self.listener.close()
        Path(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Die: the connection ends, the socket and the lock are free. Once is enough."""
        if self.line:
            self.line.close()
        self.listener.close()
        Path(self.path).unlink(missing_ok=True)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


@pytest.fixture
def server(short: Path) -> Iterator[Server]:
    server = Server(short / "run")
    yield server
    server.close()


class Started:
    """A pump's terminal, ended with the test."""

    def __init__(self) -> None:
        self.terminals: list[Terminal] = []

    def __call__(
        self, runtime: Path, *prefix: str, cols: int = 26, rows: int = 10, pump: str = PUMP, client: str = ""
    ) -> Terminal:
        argv = [
            sys.executable,
            "-I",
            "-S",
            pump,
            f"runtime={runtime}",
            "socket=/tmp/a b=c",
            f"python={sys.executable}",
            *([f"client={client}"] if client else []),
        ]
        env = {"TERM": "tmux-256color", "COLORTERM": "truecolor", "TMUX_PANE": "%7", "PATH": "/usr/bin:/bin"}
        terminal = Terminal([*prefix, *argv], env, cols, rows)
        self.terminals.append(terminal)
        return terminal

    def end(self, terminal: Terminal) -> int:
        """The exit status, once the program has ended by itself and everything that it wrote is on the screen."""
        ended = 0

        def gone() -> bool:
            nonlocal ended
            pid, ended = os.waitpid(terminal.pid, os.WNOHANG)
            return pid != 0

        terminal.wait(gone, "the program's end")
        while terminal.pump():
            pass
        os.close(terminal.handle)
        self.terminals.remove(terminal)
        return os.waitstatus_to_exitcode(ended)


@pytest.fixture
def start() -> Iterator[Started]:
    started = Started()
    yield started
    for terminal in started.terminals:
        terminal.close()


def modes_on(terminal: Terminal) -> list[int]:
    return [mode for mode in MODES if mode << 5 in terminal.screen.mode]


def test_it_says_hello_with_everything_that_the_server_wants_to_know(server: Server, start: Started) -> None:
    terminal = start(server.runtime, cols=31, rows=17)
    hello = server.accept()
    assert hello == {
        "pane": "%7", "socket": "/tmp/a b=c", "cols": "31", "rows": "17", "term": "tmux-256color",
        "colorterm": "truecolor", "pid": str(terminal.pid),
    }  # fmt: skip


def test_a_popup_says_over_which_client_it_lies(server: Server, start: Started) -> None:
    start(server.runtime, client="/dev/pts/7")
    hello = server.accept()
    assert (hello["client"], hello["pane"]) == ("/dev/pts/7", "")


@pytest.mark.parametrize("key", [b"q", b"\x1b", b"\x03"])
def test_a_popup_can_be_closed_while_no_server_answers(server: Server, start: Started, key: bytes) -> None:
    server.listener.close()
    terminal = start(server.runtime, client="/dev/pts/7")
    terminal.see("starting the server...")
    terminal.type(b"j" + key)
    assert start.end(terminal) == 130


def test_paints_reach_the_terminal_and_keys_reach_the_server(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    server.send(b"P", b"\x1b[2;3Hhello")
    terminal.see("  hello")
    assert modes_on(terminal) == list(MODES)
    assert terminal.screen.cursor.hidden
    terminal.type(b"j\x1b[A\x03\x04\x1a\r\xc3\xa9")
    server.read(lambda: server.keys() == b"j\x1b[A\x03\x04\x1a\r\xc3\xa9")


def test_frames_cut_anywhere_are_put_together(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    assert server.line is not None
    for byte in wire.frame(b"P", b"\x1b[Hcut") + wire.frame(b"P", b" up"):
        server.line.sendall(bytes([byte]))
    terminal.see("cut up")


def test_a_resize_is_told(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    terminal.resize(44, 12)
    server.read(lambda: server.got)
    assert server.got == [(b"R", b"cols=44\0rows=12")]


def test_bye_restores_the_terminal(server: Server, start: Started) -> None:
    terminal = start(
        server.runtime, "/bin/sh", "-c", 'stty -g; "$@"; echo "status $?"; stty -g', "sh", cols=150
    )
    server.accept()
    server.send(b"P", b"\x1b[5;1Hpicture\r\n")
    terminal.see("picture")
    server.send(b"B", b"it is over\x1b[31m")
    assert start.end(terminal) == 0
    assert "opensessions: it is over?[31m" in terminal.text
    assert "status 0" in terminal.text
    before, after = (line for line in terminal.screen.display if line.count(":") > 8)
    assert before == after
    assert modes_on(terminal) == []
    assert not terminal.screen.cursor.hidden


def test_a_crashed_server_is_waited_for_on_one_line(server: Server, start: Started, short: Path) -> None:
    terminal = start(server.runtime)
    server.accept()
    server.send(b"P", b"\x1b[1;1Hfirst\x1b[2;1Hsecond")
    terminal.see("second")
    server.drop()
    terminal.see("server restarting...")
    assert terminal.screen.display[0].rstrip() == "first"
    assert terminal.screen.display[1].rstrip() == "second"
    assert [line for line in terminal.screen.display[2:9] if line.strip()] == []
    assert server.accept()["pane"] == "%7"
    server.send(b"P", b"\x1b[2J\x1b[1;1Hagain")
    terminal.see("again")
    assert "restarting" not in terminal.text


def test_a_server_that_stays_away_and_comes_back_is_found(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    runtime = server.runtime
    server.send(b"P", HERE)
    terminal.see("here")
    server.vanish()
    terminal.see("server restarting...")
    other = Server(runtime, lock=False)
    try:
        assert other.accept()["pid"] == str(terminal.pid)
    finally:
        other.close()


def test_garbage_from_the_server_is_a_lost_connection(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    assert server.line is not None
    server.line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    terminal.see("server restarting...")
    assert server.accept()["pane"] == "%7"


def test_an_error_of_the_server_is_shown_harmlessly(server: Server, start: Started) -> None:
    terminal = start(server.runtime, cols=60)
    server.accept()
    server.send(b"E", "No such \x1b[2Jmux: é".encode())
    terminal.see("No such ?[2Jmux: ?")


def test_a_resize_without_a_server_keeps_the_line_at_the_bottom(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")
    server.vanish()
    terminal.see("server restarting...")
    terminal.resize(40, 20)
    terminal.wait(
        lambda: terminal.screen.display[19].strip() == "server restarting...", "the line at the bottom"
    )
    assert terminal.text.count("restarting") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_the_terminal_is_restored(
    server: Server, start: Started, number: signal.Signals
) -> None:
    terminal = start(server.runtime)
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")
    os.kill(terminal.pid, number)
    assert start.end(terminal) == 128 + number
    assert modes_on(terminal) == []
    assert not terminal.screen.cursor.hidden


def test_a_hang_up_ends_it(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    assert server.line is not None
    start.terminals.clear()
    assert terminal.close()
    assert server.line.recv(10) == b""


def test_ctrl_c_ends_it_only_without_a_server(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")
    terminal.type(b"\x03")
    server.read(lambda: server.keys() == b"\x03")
    server.vanish()
    terminal.see("server restarting...")
    terminal.type(b"\x03")
    assert start.end(terminal) == 130


def test_a_slow_terminal_slows_the_server_and_loses_nothing(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    assert server.line is not None
    server.line.setblocking(False)
    lump = wire.frame(b"P", b"\x1b[H" + b"x" * 100_000)
    sent = 0
    data = b""
    while True:  # nobody reads the terminal: the pump must stop reading the socket
        try:
            data = data or lump
            sent += (taken := server.line.send(data))
            data = data[taken:]
        except BlockingIOError:
            if not stalled(server.line):
                continue
            break
        assert sent < 20_000_000
    server.line.settimeout(PATIENCE)
    terminal.type(b"k")
    server.read(lambda: server.keys() == b"k")  # it still carries keys
    os.set_blocking(terminal.handle, False)
    server.line.setblocking(False)
    rest = data + wire.frame(b"P", b"\x1b[2J\x1b[Hend of it")

    def drained() -> bool:
        nonlocal rest
        try:
            rest = rest[server.line.send(rest) :] if rest and server.line else rest
        except BlockingIOError:
            pass
        return "end of it" in terminal.text

    terminal.wait(drained, "the last paint")


def stalled(line: socket.socket) -> bool:
    """Does the other side read nothing for a while?"""
    return not select.select([], [line], [], 0.3)[1]


def test_it_sleeps_while_nothing_happens(server: Server, start: Started) -> None:
    terminal = start(server.runtime)
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")

    def switches() -> int:
        lines = Path(f"/proc/{terminal.pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)

    def sleeps() -> bool:
        """On a busy machine it may take its time until it has nothing more to do; one that polls never sleeps."""
        before = switches()
        time.sleep(0.7)
        return switches() == before

    terminal.wait(sleeps, "a pump that sleeps")


def test_it_imports_almost_nothing(server: Server, start: Started, short: Path) -> None:
    script = short / "listed.py"
    listed = short / "modules"
    script.write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\nfrom opensessions import pump\n"
        "try:\n    pump.main(sys.argv[1:])\n"
        f"finally:\n    open({str(listed)!r}, 'w').write(' '.join(sys.modules))\n"
    )
    terminal = start(server.runtime, pump=str(script))
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")
    terminal.resize(30, 8)
    server.read(lambda: server.got)
    server.send(b"B")
    assert start.end(terminal) == 0
    loaded = set(listed.read_text().split())
    forbidden = {
        "json", "re", "subprocess", "asyncio", "pathlib", "logging", "dataclasses", "typing", "enum", "selectors",
        "collections", "functools", "msgspec", "contextlib", "inspect", "threading", "site",
    }  # fmt: skip
    assert loaded & forbidden == set()
    assert {name for name in loaded if name.startswith("opensessions")} == {
        "opensessions", "opensessions.errors", "opensessions.lock", "opensessions.paths", "opensessions.pump",
        "opensessions.wire",
    }  # fmt: skip


def checkout(folder: Path, start_py: str) -> str:
    """A plugin folder like the real one, with another `start.py`; answers its sidebar.py."""
    (folder / "scripts").mkdir(parents=True)
    (folder / "opensessions").mkdir()
    script = folder / "scripts" / "sidebar.py"
    script.write_text(Path(PUMP).read_text())
    for name in ("__init__", "errors", "lock", "paths", "pump", "wire"):
        (folder / "opensessions" / f"{name}.py").symlink_to(ROOT / "opensessions" / f"{name}.py")
    (folder / "opensessions" / "start.py").write_text(start_py)
    return str(script)


def test_a_server_that_is_not_there_is_started_once(short: Path, start: Started) -> None:
    runtime = short / "run"
    runtime.mkdir(mode=0o700)
    pump = checkout(
        short / "a 'plugin'",
        f"import os\ndef start_server(runtime, python):\n"
        f"    with open({str(short / 'started')!r}, 'a') as file:\n        file.write(runtime + ' ' + python + '\\n')\n"
        "    os.posix_spawn('/bin/true', ['true'], {})\n",
    )
    terminal = start(runtime, pump=pump)
    terminal.see("starting the server...")
    terminal.wait((short / "started").exists, "the start")
    server = Server(runtime)
    try:
        server.accept()
        server.send(b"P", HERE)
        terminal.see("here")
        assert (short / "started").read_text() == f"{runtime} {sys.executable}\n"
        children = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children")
        terminal.wait(lambda: not children.read_text().split(), "no zombie")
    finally:
        server.close()


def test_no_server_is_started_while_somebody_holds_the_lock(short: Path, start: Started) -> None:
    server = Server(short / "run")
    pump = checkout(short / "plugin", f"def start_server(*_):\n    open({str(short / 'started')!r}, 'w')\n")
    terminal = start(server.runtime, pump=pump)
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")
    server.drop()
    server.listener.close()
    Path(server.path).unlink()
    terminal.see("server restarting...")
    deadline = time.monotonic() + 3.2  # START_AFTER, the longest spread, the pause between two tries
    while time.monotonic() < deadline:
        terminal.pump(0.1)
    assert not (short / "started").exists()
    os.close(server.lock)
    terminal.wait((short / "started").exists, "the start after the lock was let go")


def test_a_server_that_cannot_be_started_is_said(short: Path, start: Started) -> None:
    pump = checkout(
        short / "plugin",
        "from opensessions.errors import OpenSessionsError\n"
        "def start_server(*_):\n    raise OpenSessionsError('It cannot be started.')\n",
    )
    start(short / "run", pump=pump).see("It cannot be started.")


def test_an_unsafe_runtime_directory_is_said_and_not_used(server: Server, start: Started) -> None:
    server.runtime.chmod(0o755)
    terminal = start(server.runtime, cols=100)
    terminal.see("is open to other users")
    server.runtime.chmod(0o700)
    server.accept()


def test_it_gives_up_in_the_end(short: Path, start: Started) -> None:
    script = short / "impatient.py"
    script.write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\nfrom opensessions import pump\n"
        "pump.PATIENCE, pump.START_AFTER = 0.3, 100\n"
        "sys.exit(pump.main(sys.argv[1:]))\n"
    )
    terminal = start(short / "run", pump=str(script), cols=80)
    assert start.end(terminal) == 1
    assert "no server for 0.3 seconds" in terminal.text
    assert modes_on(terminal) == []


def test_it_outlives_its_server_by_its_patience_at_most(server: Server, start: Started) -> None:
    """However well they got on: it counts from when the server went."""
    script = server.runtime / "impatient.py"
    script.write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\nfrom opensessions import pump\n"
        "assert pump.PATIENCE == 60\npump.PATIENCE, pump.START_AFTER = 0.6, 100\n"
        "sys.exit(pump.main(sys.argv[1:]))\n"
    )
    terminal = start(server.runtime, pump=str(script), cols=80)
    server.accept()
    server.send(b"P", HERE)
    terminal.see("here")
    began = time.monotonic()
    server.close()
    assert start.end(terminal) == 1  # which waits for less than the real patience
    assert time.monotonic() - began >= 0.6
    assert "no server for 0.6 seconds" in terminal.text


def test_a_server_that_hangs_up_at_once_does_not_make_it_spin(server: Server, start: Started) -> None:
    start(server.runtime)
    began = time.monotonic()
    for _ in range(6):
        server.accept()
        server.drop()
    assert time.monotonic() - began > 0.05 + 0.1 + 0.2 + 0.4 + 0.8 - 0.05


def test_without_a_terminal_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", PUMP], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"needs a terminal" in done.stderr
    assert b"Traceback" not in done.stderr


def test_pid_file_lock_is_seen_and_left_alone(short: Path) -> None:
    from opensessions.lock import lock_free

    path = str(short / "server.pid")
    assert lock_free(path)
    assert not os.path.exists(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    assert lock_free(path)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not lock_free(path)
    os.close(handle)
    assert lock_free(path)
