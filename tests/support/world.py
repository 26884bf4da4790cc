"""A private world: home, runtime directory, tmux servers, clients. Everything in it ends with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from opensessions import order, paths
from tests.support.terminal import PATIENCE, Terminal

ROOT = Path(__file__).resolve().parents[2]


def tmux_versions() -> dict[str, str]:
    """The tmux programs to test with, by version: the one on PATH, and a second one where it was set up."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    second = os.environ.get("OPENSESSIONS_TEST_TMUX_35") or f"{cache}/opensessions-ci/tmux-3.5a/usr/bin/tmux"
    found = {}
    for path in (shutil.which("tmux"), second):
        if path and os.access(path, os.X_OK):
            version = subprocess.run([path, "-V"], capture_output=True, text=True, check=True).stdout.split()[
                -1
            ]
            found.setdefault(version, path)
    return found


class World:
    """A home in a short folder. `tmux` is the program that everything in it finds first."""

    def __init__(self, tmux: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="os-", dir="/tmp"))
        self.binary = tmux
        bin = self.home / "bin"
        bin.mkdir()
        (bin / "tmux").symlink_to(tmux)
        self.runtime = str(self.home / "run")
        self.state = str(self.home / "state")
        self.config = self.home / "config.yaml"
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{bin}:{os.path.dirname(sys.executable)}:/usr/local/bin:/usr/bin:/bin",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/sh",
            "PS1": "$ ",
            "OPENSESSIONS_RUNTIME_DIR": self.runtime,
            "OPENSESSIONS_STATE_DIR": self.state,
            "OPENSESSIONS_CONFIG": str(self.config),
        }
        self.muxes: list[Tmux] = []
        self.terminals: list[Terminal] = []

    def mux(self, name: str = "tmux.sock", *, conf: str = "") -> Tmux:
        """A tmux server of its own socket, with one session called `main`."""
        mux = Tmux(self, str(self.home / name), conf)
        self.muxes.append(mux)
        return mux

    def cli(
        self, *words: str, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "opensessions", *words],
            env=self.env | (env or {}), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, (
            words,
            done.returncode,
            done.stdout,
            done.stderr,
            self.log(),
        )
        return done

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        answer: dict[str, Any] = json.loads(self.cli("status", "--json", check=False).stdout)
        return answer

    def log(self) -> str:
        """The server's log and zellij's, for messages of failed tests."""
        found = [Path(self.state) / "server.log", *self.home.glob("tmp/zellij-*/zellij-log/zellij.log")]
        said = (path.read_text(errors="replace")[-4000:] for path in found if path.exists())
        return "\n".join(said) or "(no log)"

    def until(self, what: Callable[[], object], why: str = "", patience: float = PATIENCE) -> Any:
        """Wait until `what()` is true, reading every terminal meanwhile; answers its value."""
        deadline = time.monotonic() + patience
        while True:
            value = what()
            if value:
                return value
            if time.monotonic() > deadline:
                screens = "\n---\n".join(terminal.text for terminal in self.terminals)
                raise AssertionError(
                    f"waited {patience:g} s in vain for: {why or what}\n{screens}\n{self.log()}"
                )
            heard = [terminal.pump() for terminal in self.terminals]  # each of them, whatever the first says
            if not any(heard):
                time.sleep(0.005)

    def end(self) -> None:
        """End the server, the clients and the tmux servers, as a user would."""
        try:
            if os.path.exists(self.runtime):
                self.cli("down", check=False)
        finally:
            for terminal in self.terminals:
                terminal.close()
            self.terminals.clear()
            for mux in self.muxes:
                mux.kill()

    def close(self) -> None:
        """End everything and remove the home."""
        try:
            self.end()
        finally:
            self._wait_for_the_last()
            shutil.rmtree(self.home, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        """Every process that was started in this world."""
        found = []
        for process in psutil.process_iter():
            try:
                if environment(process).get("HOME") == str(self.home):
                    found.append(process)
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def loading(self) -> bool:
        """Is plugin.tmux, or what it started in the background, still at work?"""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                words = process.cmdline()
                if words[-1:] == ["up"] or any(
                    "plugin.tmux" in word or "_tmux.install" in word for word in words
                ):
                    return True
        return False

    def _wait_for_the_last(self) -> None:
        """A thin script that was under way may start a server after the last one went: nothing must stay."""
        _, alive = psutil.wait_procs(self.processes(), timeout=3)
        while alive:
            for process in alive:
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
            _, alive = psutil.wait_procs(self.processes(), timeout=3)


class Tmux:
    """One private tmux server."""

    def __init__(self, world: World, socket: str, conf: str) -> None:
        self.world = world
        self.socket = socket
        self.key = paths.tmux_key(socket)
        file = Path(f"{socket}.conf")
        file.write_text(
            "set -g assume-paste-time 0\nset -g escape-time 0\n"
            f"set -g default-shell /bin/sh\nset -g default-command /bin/sh\n{conf}\n"
        )
        # The first session's shell must not inherit who runs the tests.
        self._run(
            [
                "-f",
                str(file),
                "new-session",
                "-d",
                "-s",
                "main",
                "-x",
                "100",
                "-y",
                "30",
                "-c",
                str(world.home),
            ]
        )
        self.pid = int(self.ask("#{pid}"))

    def _run(self, words: list[str], check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.world.binary, "-u", "-S", self.socket, *words],
            env=self.world.env, cwd=self.world.home, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, (words, done.stderr)
        return done

    def __call__(self, *words: str, check: bool = True) -> str:
        """One tmux command; its output without the last newline."""
        return self._run(list(words), check).stdout.rstrip("\n")

    def ask(self, format: str, target: str = "") -> str:
        """A format's value."""
        return self("display-message", "-p", *(("-t", target) if target else ()), format)

    def lines(self, *words: str) -> list[str]:
        """One tmux command's output as lines."""
        return self(*words).splitlines()

    def new(self, name: str, *words: str) -> str:
        """A detached session; answers its id."""
        return self(
            "new-session", "-d", "-P", "-F", "#{session_id}", "-s", name, "-x", "100", "-y", "30", *words
        )

    def attach(self, target: str = "main", cols: int = 100, rows: int = 30) -> Terminal:
        """A client on a terminal of its own, attached when this returns."""
        terminal = Terminal(
            [self.world.binary, "-u", "-S", self.socket, "attach-session", "-t", target],
            self.world.env,
            cols,
            rows,
        )
        self.world.terminals.append(terminal)
        terminal.wait(
            lambda: terminal.tty in self.lines("list-clients", "-F", "#{client_tty}"),
            "the client's attachment",
        )
        return terminal

    def session_of(self, terminal: Terminal) -> str:
        """The name of the session that a client shows."""
        return self("display-message", "-p", "-c", terminal.tty, "-t", terminal.tty, "#{client_session}")

    def up(self) -> None:
        """Start the server and register this tmux with it; no key is bound."""
        self.world.cli("up", env=self.inside())

    def load(self) -> None:
        """Load the plugin as a user's tmux.conf does, and wait until it serves."""
        self("set-option", "-g", "@opensessions-python", sys.executable)
        self("run-shell", f"'{ROOT}/plugin.tmux'")
        self.world.until(lambda: self("list-keys", "-T", "opensessions", "1", check=False), "the key table")
        self.world.until(lambda: self.option("slot-1"), "the first slot")
        self.world.until(lambda: not self.world.loading(), "the loader's end")

    def inside(self) -> dict[str, str]:
        """The environment of a program in the first pane."""
        return {
            "TMUX": f"{self.socket},{self.pid},0",
            "TMUX_PANE": self("list-panes", "-a", "-F", "#{pane_id}").split("\n")[0],
        }

    def option(self, name: str) -> str:
        """The value of a global option of ours; "" where it is not set."""
        return self("show-options", "-gqv", f"@opensessions-{name}")

    def rows(self) -> list[tuple[str, str]]:
        """The ordering file's rows."""
        return order.read(paths.ordering_file(self.world.runtime, self.key)) or []

    def sidebars(self) -> dict[str, tuple[str, int]]:
        """Sidebar panes: id -> (window, width)."""
        listed = self.lines(
            "list-panes", "-a", "-F", "#{pane_id} #{window_id} #{pane_width} #{@opensessions-sidebar}"
        )
        found = [line.split(" ") for line in listed]
        return {pane: (window, int(width)) for pane, window, width, mark in found if mark}

    def kill(self) -> None:
        """End this tmux server."""
        self._run(["kill-server"], check=False)


def environment(process: psutil.Process) -> dict[str, str]:
    """A process's environment. One that is at its `exec` has none for a moment, and no words either: it is looked at
    again. A kernel's thread, which never has any, has no program. NoSuchProcess and its kin as psutil raises them."""
    deadline = time.monotonic() + 1
    while True:
        found: dict[str, str] = process.environ()
        if found or process.cmdline() or not process.exe() or time.monotonic() > deadline:
            return found
        time.sleep(0.001)


def is_alive(pid: int) -> bool:
    """Does the process run? A zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends between opening and reading
        return False
