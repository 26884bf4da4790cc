"""A private zellij: sessions in a World's home, with sockets, settings and cache of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

from opensessions import order, paths
from opensessions_zellij.births import grown, sockets
from opensessions_zellij.places import session_socket
from tests.support.terminal import Terminal
from tests.support.world import World

VERSION = "0.45.1"
SETTINGS = "show_startup_tips false\nshow_release_notes false\nsupport_kitty_keyboard_protocol false\n"

REST = 0.25
"""Seconds between two questions for the clients of a session that has none. zellij 0.45.1 takes every connection out
twice; whoever comes between, and gets its number, is thrown out: a client "lost connection", a call has no answer."""
THROWN_OUT = re.compile(r"Your zellij client lost connection.*`zellij attach ([^`]+)`", re.DOTALL)
"""What a client says then, and its advice."""
BAR = 2.0
"""Seconds for a session's bar to show on a client that has come: it may never be painted."""


def program() -> str:
    """The zellij to test with; "" where there is none."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    named = (
        os.environ.get("OPENSESSIONS_TEST_ZELLIJ") or f"{cache}/opensessions-ci/zellij-{VERSION}/bin/zellij"
    )
    return named if os.access(named, os.X_OK) else ""


FOUND = program()
"""Looked for once: tests change the home."""


def needed() -> str:
    """The zellij to test with. Where there is none the test is skipped, and fails in CI."""
    if not FOUND:
        missing = (
            f"there is no zellij {VERSION} in the cache; tests/zellij/install makes one, or name one in"
            " OPENSESSIONS_TEST_ZELLIJ"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return FOUND


class Zellij:
    """All sessions of one socket folder."""

    def __init__(self, world: World, program: str, settings: str = SETTINGS) -> None:
        self.world = world
        self.program = program
        self.folder = str(world.home / "z")
        self.config = world.home / ".config" / "zellij" / "config.kdl"
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(settings)
        # Of another second than any later writing: zellij compares seconds when it looks for one (0.45.1).
        os.utime(self.config, (1, 1))
        self._empty: dict[str, float] = {}
        """Sessions that had no client, and when they were asked."""
        (world.home / "tmp").mkdir(exist_ok=True)
        (world.home / "bin" / "zellij").symlink_to(program)
        # TMPDIR: zellij writes a log there.
        world.env |= {"ZELLIJ_SOCKET_DIR": self.folder, "TMPDIR": str(world.home / "tmp")}
        world.muxes.append(self)  # type: ignore[arg-type]

    def run(self, *words: str, check: bool = True, within: float = 30) -> subprocess.CompletedProcess[str]:
        """One call of zellij's command line."""
        done = subprocess.run(
            [self.program, *words],
            env=self.world.env, cwd=self.world.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=within, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def action(self, session: str, *words: str, check: bool = True) -> str:
        """What an action prints, without the last newline."""
        for _ in range(10):
            done = self._act(session, words)
            lost = "not found. The following" in done.stderr or "no active session" in done.stderr
            # Under load zellij does not find a session that lives, and does nothing (0.45.1).
            if not lost or not os.path.exists(session_socket(self.folder, session)):
                break
        assert not check or (done.returncode == 0 and not lost), (words, done.stdout, done.stderr)
        return done.stdout.rstrip("\n") if not lost else ""

    def _act(self, session: str, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """A question is asked again where no answer comes: a call that zellij throws out waits for ever now and then
        (0.45.1)."""
        for _ in range(3 if words[0].startswith(("list-", "dump-")) else 0):
            with suppress(subprocess.TimeoutExpired):
                return self.run("--session", session, "action", *words, check=False, within=5)
        return self.run("--session", session, "action", *words, check=False)

    def new(self, session: str) -> str:
        """A session in the background that shows a prompt."""
        self.run("attach", "--create-background", session)
        self.born(session)
        self.world.until(lambda: "$" in self.screen(session), f"the prompt in {session}")
        return session

    def attach(self, session: str, cols: int = 120, rows: int = 30, *, typed: bool = True) -> Terminal:
        """A client on a terminal of its own, which shows the session's prompt. `typed`: it has typed there, so that it
        is the one that actions move."""
        there = os.path.exists(session_socket(self.folder, session))
        if there:
            # A call is taken out twice, by a number that is used again: who comes in between is thrown out, and then
            # makes the session anew (0.45.1). The last call here may be just ending.
            time.sleep(0.3)
        terminal = self._client(session, cols, rows, create=not there)
        if not there:
            self.born(session)
        self.world.until(lambda: "$ " in terminal.text or terminal.ended, f"the prompt in {session}")
        while terminal.ended:  # once in some hundred times zellij does not find a session that lives (0.45.1)
            assert there, terminal.text
            self.world.terminals.remove(terminal)
            terminal.close()
            terminal = self._client(session, cols, rows, create=False)
            self.world.until(lambda now=terminal: "$ " in now.text or now.ended, f"the prompt in {session}")
        self.world.until(lambda: self.clients(session), f"a client of {session}")
        if typed:
            self.type_in(terminal)
        return terminal

    def _client(self, session: str, cols: int, rows: int, *, create: bool) -> Terminal:
        """`create`: there is no such session. Where there is, zellij would not find it now and then, and make another
        in its place."""
        how = ["--create"] if create else []
        terminal = Terminal([self.program, "attach", *how, session], self.world.env, cols, rows)
        self.world.terminals.append(terminal)
        return terminal

    def born(self, session: str) -> None:
        """Wait until the session lives: who asks zellij for anything before kills it (see `births`)."""
        path = session_socket(self.folder, session)
        self.world.until(
            lambda: (own := dict(sockets(self.folder)).get(path)) and own in grown({path: own}),
            f"the birth of {session}",
        )

    def type_in(self, terminal: Terminal) -> None:
        """Let the client type something that leaves no trace: zellij's actions then mean this client."""
        terminal.type(b"#")
        self.world.until(lambda: "$ #" in terminal.text, "the typed letter")
        terminal.type(b"\x7f")
        self.world.until(lambda: "$ #" not in terminal.text, "the letter gone")

    def sessions(self) -> list[str]:
        """The names of living sessions."""
        return [line.partition(" [Created ")[0] for line in self._listed() if "(EXITED" not in line]

    def dead(self) -> list[str]:
        """The names of sessions that could be brought back."""
        return [line.partition(" [Created ")[0] for line in self._listed() if "(EXITED" in line]

    def _listed(self) -> list[str]:
        """What zellij lists. Where it leaves out a session that has a socket, or calls it dead, it is asked again: it
        removes the sockets at which nobody listens, and under load it does not find a session that lives (0.45.1)."""
        for _ in range(10):
            there = {os.path.basename(path) for path, _ in sockets(self.folder)}
            listed = self.run("list-sessions", "--no-formatting", check=False).stdout.splitlines()
            living = {line.partition(" [Created ")[0] for line in listed if "(EXITED" not in line}
            if not there & {os.path.basename(path) for path, _ in sockets(self.folder)} - living:
                break
        return listed

    def panes(self, session: str, tab: int | None = None) -> list[dict[str, Any]]:
        """The session's terminal panes, of one tab where that is given; none where it is gone."""
        listed = ""
        for _ in range(10):  # a busy server answers nothing after a second (0.45.1)
            listed = self.action(session, "list-panes", "--json", "--all", check=False)
            if listed or not os.path.exists(session_socket(self.folder, session)):
                break
        found = json.loads(listed) if listed.startswith("[") else []
        return [pane for pane in found if not pane["is_plugin"] and tab in (None, pane["tab_id"])]

    def clients(self, session: str) -> dict[str, str]:
        """The session's clients: number -> pane in focus. Where there was none just now, a moment is waited first (see
        REST)."""
        due = self._empty.pop(session, 0.0) + REST
        while time.monotonic() < due:
            for terminal in self.world.terminals:
                terminal.pump()
            time.sleep(0.005)
        for _ in range(10):
            listed = self.action(session, "list-clients", check=False).splitlines()
            if listed or not os.path.exists(session_socket(self.folder, session)):
                break
        rows = [line.split() for line in listed[1:]]
        found = {row[0]: row[1] for row in rows if len(row) > 1 and row[0].isdecimal()}
        if not found:
            self._empty[session] = time.monotonic()
        return found

    def arrives(self, terminal: Terminal, session: str) -> None:
        """Wait until a client that was sent to a session shows its prompt. zellij is not asked while it comes (see
        REST)."""
        end = time.monotonic() + BAR
        self.world.until(lambda: f"Zellij ({session})" in terminal.text or time.monotonic() > end)
        self.world.until(
            lambda: self.stays(terminal) and self.clients(session) and "$ " in terminal.text,
            f"the client in {session}",
        )

    def stays(self, terminal: Terminal) -> bool:
        """Was the client not thrown out as it came (see REST)? zellij advises to attach again, and so it is done here:
        no choice of when we ask it for anything keeps it from that."""
        thrown = THROWN_OUT.search(terminal.text) if terminal.ended else None
        if thrown and os.path.exists(session_socket(self.folder, thrown[1])):
            time.sleep(REST)
            terminal.restart([self.program, "attach", thrown[1]], self.world.env)
        return not thrown

    def sidebars(self, session: str) -> dict[int, dict[str, Any]]:
        """The session's sidebars by tab."""
        panes = self.panes(session)
        found = [
            pane for pane in panes if "owner=" in (pane["terminal_command"] or "") and not pane["exited"]
        ]
        assert len({pane["tab_id"] for pane in found}) == len(found), f"two sidebars in one tab: {found}"
        return {pane["tab_id"]: pane for pane in found}

    def screen(self, session: str, pane: str = "terminal_0") -> str:
        """What a pane shows."""
        return self.action(session, "dump-screen", "--pane-id", pane, check=False)

    def inside(self, session: str, pane: int = 0) -> dict[str, str]:
        """The environment of a program in a pane."""
        return {"ZELLIJ": "0", "ZELLIJ_SESSION_NAME": session, "ZELLIJ_PANE_ID": str(pane)}

    def up(self, session: str) -> None:
        """Start the server and register this zellij with it."""
        self.world.cli("up", env=self.inside(session))

    def rows(self) -> list[tuple[str, str]]:
        """The ordering file's rows."""
        return order.read(paths.ordering_file(self.world.runtime, "zellij")) or []

    def kill(self) -> None:
        """End every session, and what is left of zellij in this world: a server that is asked to end may hang
        (0.45.1)."""
        for session in self.sessions():
            self.run("delete-session", "--force", session, check=False)
        _, alive = psutil.wait_procs(self._processes(), timeout=5)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in self.world.processes():
            with suppress(psutil.Error):
                if process.name().startswith("zellij"):
                    found.append(process)
        return found


def press(zellij: Zellij, terminal: Terminal, key: str) -> None:
    """A key of ours: the key into the mode `session`, `o`, and the key. Each is typed when the one before is seen to
    have been read."""
    terminal.type(b"\x0f")
    zellij.world.until(lambda: _in_session_mode(terminal), "the mode session")
    terminal.type(b"o")
    zellij.world.until(lambda: _in_our_table(terminal), "our table")
    terminal.type(key.encode())


def has_keys(zellij: Zellij, terminal: Terminal) -> None:
    """Wait until a zellij that runs has our keys: it looks at its configuration once a second (0.45.1)."""

    def leads_there() -> bool:
        terminal.type(b"\x0f")
        zellij.world.until(lambda: _in_session_mode(terminal), "the mode session")
        terminal.type(b"o")
        end = time.monotonic() + 1
        zellij.world.until(lambda: _in_our_table(terminal) or time.monotonic() > end)
        found = _in_our_table(terminal)
        terminal.type(b"\x1b")
        zellij.world.until(
            lambda: "Ctrl +" in terminal.text and not _in_session_mode(terminal), "the mode normal"
        )
        return found

    zellij.world.until(leads_there, "our keys")


def _in_session_mode(terminal: Terminal) -> bool:
    return "SESSION" in terminal.text and ("Detach" in terminal.text or " d " in terminal.text)


def _in_our_table(terminal: Terminal) -> bool:
    """Of the bar only its arrows stay: no line of a picture that is half drawn looks so."""
    return any(set(line.split()) == {"\ue0b0"} for line in terminal.screen.display)
