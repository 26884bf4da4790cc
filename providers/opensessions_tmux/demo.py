"""A private tmux with example sessions and the sidebar, in a temporary folder; nothing of it stays.

It is the real thing: its own tmux server, its own opensessions server, the keys and hooks as the plugin makes them.
Only the agents are not: they are shell scripts with an agent's name that wait, so that nothing is asked of a real
one. Each says so in its pane.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

import psutil

from opensessions.errors import OpenSessionsError, Refused
from opensessions_tmux.admin import Admin
from opensessions_tmux.binary import of_server
from opensessions_tmux.options import MARK

SESSIONS = (("api", "claude"), ("web", "codex"), ("docs", ""), ("infra", ""), ("scratch", "gemini"))
"""Example sessions, and the stand-in that runs in each."""
AGENTS = sum(bool(name) for _, name in SESSIONS)

STAND_IN = """#!/bin/sh
printf '%s\\n' 'This is no agent: it is a script called {name},' \\
  'so that the sidebar has something to show.' 'It does nothing. Ctrl-C ends it.'
while :; do sleep 3600; done
"""

WELCOME = """printf '%s\\n' \\
  'A private tmux with example sessions. Nothing of it stays when you leave.' '' \\
  '  prefix is Ctrl-b' \\
  '  prefix o 3   go to session 3' \\
  '  prefix o s   go to the sidebar: j, k, Enter; / filters, ? tells more' \\
  '  prefix o t   hide the sidebar, show it again' \\
  '  prefix o ?   all keys' \\
  '  prefix d     leave the demo' ''
exec /bin/sh -i
"""

CONF = """set -g default-shell /bin/sh
set -g mouse on
set -g status-style default
set -g set-titles off
set -g exit-empty off
"""

SIZE = (24, 100)
"""Rows and columns of the screen that nobody sees."""
PATIENCE = 20.0
"""Seconds for everything to appear."""


class Stops:
    """The signals that end the demo. They are noticed between two steps, so that no step leaves half a thing."""

    def __init__(self) -> None:
        self._number = 0
        numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        self._previous = {number: signal.signal(number, self._note) for number in numbers}

    def _note(self, number: int, frame: object) -> None:
        self._number = number

    def check(self) -> None:
        """End here if one has come."""
        if self._number:
            raise SystemExit(128 + self._number)

    def restore(self) -> None:
        """As it was."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def demo(headless: bool) -> int:
    """Open it and return when its user leaves; headless: print the sidebar as soon as it shows everything."""
    binary = of_server(0)
    if not binary:
        raise Refused(
            "tmux is missing; install it with your package manager, or run scripts/bootstrap in a checkout."
        )
    stops = Stops()
    home = Path(tempfile.mkdtemp(prefix="opensessions-demo-", dir="/tmp"))
    env = environment(home, binary)
    tmux = Admin(binary, str(home / "tmux"))
    try:
        furnish(home)
        populate(tmux, home, env, stops)
        return show_screen(tmux, env, stops) if headless else attach(tmux, env, stops)
    finally:
        clear(tmux, home, env)
        stops.restore()


def environment(home: Path, binary: str) -> dict[str, str]:
    """The demo's own: every place of ours is below `home`, and no multiplexer is around it."""
    outside = ("TMUX", "TMUX_PANE", "ZELLIJ", "ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID", "OPENSESSIONS_CONFIG")
    own = {
        "OPENSESSIONS_RUNTIME_DIR": str(home / "run"),
        "OPENSESSIONS_STATE_DIR": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PATH": os.pathsep.join(
            (str(home / "bin"), os.path.dirname(binary), os.environ.get("PATH", os.defpath))
        ),
        "PS1": "$ ",
        "TERM": os.environ.get("TERM") or "xterm-256color",
    }
    return {name: value for name, value in os.environ.items() if name not in outside} | own


def furnish(home: Path) -> None:
    """The files: tmux's configuration, the stand-ins, a directory for each session."""
    (home / "tmux.conf").write_text(CONF)
    (home / "welcome").write_text(WELCOME)
    (home / "bin").mkdir()
    for session, name in SESSIONS:
        (home / "work" / session).mkdir(parents=True)
        if name:
            (home / "bin" / name).write_text(STAND_IN.format(name=name))
            (home / "bin" / name).chmod(0o755)


def populate(tmux: Admin, home: Path, env: dict[str, str], stops: Stops) -> None:
    """Start tmux, make the sessions, load the plugin, turn the sidebar on."""
    size = ("-x", str(SIZE[1]), "-y", str(SIZE[0]))
    for position, (session, name) in enumerate(SESSIONS):
        program = (
            ["/bin/sh", str(home / "welcome")]
            if position == 0
            else [str(home / "bin" / name)]
            if name
            else []
        )
        place = ("-s", session, "-c", str(home / "work" / session))
        conf = ("-f", str(home / "tmux.conf"))
        run([tmux.binary, "-u", "-S", tmux.socket, *conf, "new-session", "-d", *size, *place, *program], env)
        stops.check()
    first = SESSIONS[0][0]
    agent = shlex.quote(str(home / "bin" / SESSIONS[0][1]))
    run(
        [tmux.binary, "-S", tmux.socket, "split-window", "-d", "-v", "-l", "5", "-t", f"={first}:", agent],
        env,
    )
    inside = env | {"TMUX": f"{tmux.socket},{tmux.ask('display-message', '-p', '#{pid}')},0"}
    run([sys.executable, "-P", "-m", "opensessions_tmux.install"], inside)
    stops.check()
    run([sys.executable, "-P", "-m", "opensessions", "sidebar", "show"], inside)


def attach(tmux: Admin, env: dict[str, str], stops: Stops) -> int:
    """A client on our own terminal, until it is detached."""
    client = subprocess.Popen(attaching(tmux), env=env)
    while True:
        try:
            return client.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            stops.check()


def attaching(tmux: Admin) -> list[str]:
    """The command of a client that looks at the first session."""
    return [tmux.binary, "-u", "-S", tmux.socket, "attach-session", "-t", f"={SESSIONS[0][0]}"]


def show_screen(tmux: Admin, env: dict[str, str], stops: Stops) -> int:
    """Attach a client to a terminal that nobody sees, wait for the sidebar, print it."""
    client, terminal = pty.fork()
    if client == 0:
        os.execve(tmux.binary, attaching(tmux), env | {"TERM": "xterm-256color"})
    ioctl(terminal, TIOCSWINSZ, pack("HHHH", *SIZE, 0, 0))
    try:
        print(wait_for(lambda: complete(screen(tmux)) if agents(tmux) == AGENTS else "", terminal, stops))
    finally:
        os.close(terminal)
        os.waitpid(client, 0)
    return 0


def screen(tmux: Admin) -> str:
    """The text of the first session's sidebar; "" where there is none."""
    listed = tmux.ask("list-panes", "-s", "-t", f"={SESSIONS[0][0]}", "-F", f"#{{pane_id}} #{{{MARK}}}")
    sidebar = next(
        (pane for pane, _, mark in (line.partition(" ") for line in listed.splitlines()) if mark), ""
    )
    return tmux.ask("capture-pane", "-p", "-t", sidebar) if sidebar else ""


def agents(tmux: Admin) -> int:
    """How many panes the server has told to hold an agent."""
    return sum(map(bool, tmux.ask("list-panes", "-a", "-F", "#{@opensessions-pane-agent}").splitlines()))


def complete(text: str) -> str:
    """The text, if every session is in it; else ""."""
    return text.rstrip() if all(session in text for session, _ in SESSIONS) else ""


def wait_for(what: Callable[[], str], terminal: int, stops: Stops) -> str:
    """The first answer that is not empty and comes twice. The terminal is read meanwhile, or tmux would wait."""
    deadline = time.monotonic() + PATIENCE
    last = ""
    while time.monotonic() < deadline:
        stops.check()
        while select.select([terminal], [], [], 0.1)[0]:
            try:
                os.read(terminal, 1 << 16)
            except OSError:
                raise Refused(
                    "tmux ended before the sidebar appeared; run it in a terminal to see why."
                ) from None
        now = what()
        if now and now == last:
            return now
        last = now
    raise Refused(f"The sidebar did not appear within {PATIENCE:g} s; run `opensessions doctor`.")


def run(command: list[str], env: dict[str, str]) -> None:
    """Run a command to its end. OpenSessionsError with its own words where it fails."""
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        start_new_session=True,
    )  # fmt: skip
    if done.returncode:
        raise OpenSessionsError(done.stderr.strip().rpartition("\n")[2] or f"{command[0]} failed.")


def clear(tmux: Admin, home: Path, env: dict[str, str]) -> None:
    """End both servers and whatever else was started in here, and remove the folder. tmux first; then again until
    nothing is left: what a hook has just started may be starting our server."""
    try:
        subprocess.run(
            [tmux.binary, "-N", "-S", tmux.socket, "kill-server"], env=env, capture_output=True, check=False
        )
        while left := inside(env):
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
            for process in psutil.wait_procs(left, timeout=6)[1]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def inside(env: dict[str, str]) -> list[psutil.Process]:
    """The processes that were started with the demo's runtime directory in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("OPENSESSIONS_RUNTIME_DIR") == env["OPENSESSIONS_RUNTIME_DIR"]:
                found.append(process)
        except psutil.Error:
            continue
    return found
