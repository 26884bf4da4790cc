"""Random session, window, pane, client and resize events against a real tmux, keys and the mouse in its sidebars;
afterwards everything must agree, and uninstalling must leave nothing.

`OPENSESSIONS_SOAK_SECONDS` (default 20) says how long, `OPENSESSIONS_SOAK_SEED` repeats a run.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.install.looks import look
from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, tmux_versions

SECONDS = float(os.environ.get("OPENSESSIONS_SOAK_SECONDS", "20"))
SEED = int(os.environ.get("OPENSESSIONS_SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
WIDTH = 26
ROOM = 20
"""Columns that must be left beside a sidebar."""
SLIVER = 4
"""Columns of a pane below which tmux may refuse a sidebar in its window."""
ROW = re.compile(r"^.([ \d]\d) . (.*)$")
"""A session's line: mark, number, state, name."""
KEYS = (
    *(key.encode() for key in "jjkkgGJKlhi+- r?X[]u<>Txx2"), b"\r", b"\r", b"\x1b", b"\x1b", b"\x1b[A", b"\x1b[B",
    b"/a", b"/s1\r",
)  # fmt: skip
"""What is typed into sidebars (and, where one loses the focus meanwhile, into a shell): nothing that ends anything."""


class Api(http.client.HTTPConnection):
    """The server's HTTP, on its socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("tmux", tmux_versions().values(), ids=tmux_versions().keys())
def test_soak(tmux: str) -> None:
    print(f"\nseed {SEED}, {SECONDS:g} s, {tmux}")
    with closing(World(tmux)) as world:
        Soak(world, random.Random(SEED)).run(SECONDS)
        world.end()
        # Not their leaving of the process table: that is up to whoever is pid 1 here.
        world.until(lambda: not world.processes(), "the end of all processes")


class Soak:
    """The acts, and what must hold after them."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self.mux: Tmux = world.mux(conf="set -g mouse on")
        self.clients: list[Terminal] = []
        self.names = 0
        self.acts = 0

    def run(self, seconds: float) -> None:
        """Bursts of acts, each followed by a look at whether everything agrees."""
        self.mux.new("keep")
        before = look(self.mux)
        self.mux.load()
        self.attach()
        self.world.cli("sidebar", "show", env=self.inside())
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            done: list[str] = []
            for _ in range(self.dice.randrange(1, 12)):
                act = self.dice.choice(self.choices())
                done.append(act.__name__)
                try:
                    act()
                except AssertionError as error:
                    raise AssertionError(f"seed {SEED}, in {done}: {error}") from error
                for client in self.clients:
                    client.pump()
            self.acts += len(done)
            try:
                self.world.until(self.agrees, "agreement", 30)
            except AssertionError as error:
                # First what is wrong: a report that is cut short shall hold it.
                wrong = f"seed {SEED}, after {done}: {self.disagreement()}"
                raise AssertionError(f"{wrong}\n{error}") from None
            if not self.wish()[0]:
                self.world.cli("sidebar", "show", env=self.inside())
        print(f"{self.acts} acts")
        assert not [
            line for line in self.world.log().splitlines() if " ERROR " in line or "Traceback" in line
        ]
        self.world.cli("uninstall", env=self.inside())
        self.mux("set-option", "-gu", "@opensessions-python")  # `load` has set it, as a user would
        after = look(self.mux)
        kept = [listing for listing in before if not listing.startswith("list-panes")]
        assert {listing: after[listing] for listing in kept} == {listing: before[listing] for listing in kept}

    def choices(self) -> list[Callable[[], None]]:
        """Every act, the common ones more often."""
        return [
            self.new_session, self.new_session, self.kill_session, self.rename_session, self.new_window,
            self.new_window, self.kill_window, self.split, self.split, self.split, self.kill_pane, self.kill_pane,
            self.attach, self.detach, self.resize_client, self.resize_client, self.switch, self.switch,
            self.select_window, self.select_pane, self.zoom, self.resize_pane, self.link_window,
            self.group_session, self.layout, self.toggle_twice, self.kill_sidebar, self.move_pane,
            self.command_exits, self.keys, self.keys, self.keys, self.mouse, self.mouse, self.popup, self.mode,
            self.swap_panes, self.break_pane, self.rotate, self.fix_size,
        ]  # fmt: skip

    # --- acts: a refusal by tmux is part of the game ---------------------------------------------------------

    def tmux(self, *words: str) -> str:
        return self.mux(*words, check=False)

    def inside(self) -> dict[str, str]:
        """The environment of a program in `keep`: the panes of others may end at any moment."""
        panes = self.mux.lines(
            "list-panes", "-s", "-t", "=keep", "-f", "#{?#{@opensessions-sidebar},0,1}", "-F", "#{pane_id}"
        )
        return {**self.mux.inside(), "TMUX_PANE": panes[0]}

    def one(self, listing: str, format: str, only: str = "1") -> str:
        """One of the lines that a listing answers. What is in `keep` is never chosen, or tmux might end."""
        filter = f"#{{&&:#{{!=:#{{session_name}},keep}},{only}}}"
        every = () if listing == "list-sessions" else ("-a",)
        found = self.mux.lines(listing, *every, "-f", filter, "-F", format)
        return self.dice.choice(found) if found else "=nowhere:"

    def session(self) -> str:
        return self.one("list-sessions", "#{session_id}")

    def window(self) -> str:
        return self.one("list-windows", "#{window_id}")

    def pane(self, sidebar: bool = False) -> str:
        marked = "#{?#{@opensessions-sidebar},1,0}" if sidebar else "#{?#{@opensessions-sidebar},0,1}"
        return self.one("list-panes", "#{pane_id}", marked)

    def new_session(self) -> None:
        if len(self.mux.lines("list-sessions")) < 15:
            self.names += 1
            self.mux.new(f"s{self.names}")

    def group_session(self) -> None:
        if len(self.mux.lines("list-sessions")) < 15:
            self.names += 1
            self.tmux("new-session", "-d", "-s", f"g{self.names}", "-t", self.session())

    def kill_session(self) -> None:
        if len(self.mux.lines("list-sessions")) > 2:
            self.tmux("kill-session", "-t", self.session())
            self.forget_ended()

    def rename_session(self) -> None:
        self.names += 1
        self.tmux(
            "rename-session",
            "-t",
            self.session(),
            self.dice.choice(["r%d", "it's %d", "x#{x}%d", "$%d|;", "é✳%d"]) % self.names,
        )

    def new_window(self) -> None:
        self.tmux("new-window", "-d", "-t", f"{self.session()}:")

    def kill_window(self) -> None:
        if len(self.mux.lines("list-windows", "-a")) > len(self.mux.lines("list-sessions")):
            self.tmux("kill-window", "-t", self.window())
            self.forget_ended()

    def link_window(self) -> None:
        self.tmux("link-window", "-d", "-s", self.window(), "-t", f"{self.session()}:")

    def split(self) -> None:
        self.tmux(
            "split-window", self.dice.choice(["-h", "-v"]), self.dice.choice(["-d", "-Z"]), "-t", self.pane()
        )

    def kill_pane(self) -> None:
        if len(self.mux.lines("list-panes", "-a")) > 4:
            self.tmux("kill-pane", "-t", self.pane())
            self.forget_ended()

    def command_exits(self) -> None:
        if len(self.mux.lines("list-panes", "-a")) > 4:
            self.tmux("respawn-pane", "-k", "-t", self.pane(), "true")
            self.forget_ended()

    def move_pane(self) -> None:
        self.tmux("join-pane", "-d", "-s", self.pane(), "-t", self.pane())
        self.forget_ended()

    def kill_sidebar(self) -> None:
        self.tmux("kill-pane", "-t", self.pane(sidebar=True))

    def attach(self) -> None:
        """To `keep` first, which never dies; any other session may die in this moment."""
        if len(self.clients) < 3:
            client = self.mux.attach("=keep:", self.dice.randrange(60, 140), self.dice.randrange(15, 45))
            self.clients.append(client)
            self.tmux("switch-client", "-c", client.tty, "-t", self.session())

    def detach(self) -> None:
        if len(self.clients) > 1:
            self.tmux("detach-client", "-t", self.clients[0].tty)
            self.forget_ended()

    def forget_ended(self) -> None:
        """Clients whose session died are gone; there is always one."""
        here = self.mux.lines("list-clients", "-F", "#{client_tty}")
        for client in [client for client in self.clients if client.tty not in here]:
            self.clients.remove(client)
            self.world.terminals.remove(client)
            client.close()
        if not self.clients:
            self.attach()

    def resize_client(self) -> None:
        self.dice.choice(self.clients).resize(self.dice.randrange(50, 160), self.dice.randrange(12, 50))

    def switch(self) -> None:
        self.dice.choice(self.clients).type(b"\x02o" + self.dice.choice(b"123456789np").to_bytes(1, "big"))

    def select_window(self) -> None:
        self.tmux("select-window", "-t", self.one("list-windows", "#{session_id}:#{window_index}"))

    def select_pane(self) -> None:
        self.tmux("select-pane", "-t", self.one("list-panes", "#{pane_id}"))

    def zoom(self) -> None:
        self.tmux("resize-pane", "-Z", "-t", self.pane())

    def resize_pane(self) -> None:
        self.tmux(
            "resize-pane",
            "-x",
            str(self.dice.randrange(5, 80)),
            "-t",
            self.one("list-panes", "#{pane_id}"),
        )

    def layout(self) -> None:
        self.tmux(
            "select-layout",
            "-t",
            self.window(),
            self.dice.choice(["even-horizontal", "main-vertical", "tiled"]),
        )

    def toggle_twice(self) -> None:
        """By the command line, which waits: a key typed by a client whose session dies in that moment is lost."""
        for _ in range(2):
            self.world.cli("sidebar", "toggle", env=self.inside())

    def keys(self) -> None:
        """Into a sidebar that was asked for the focus: perhaps it has it."""
        client = self.dice.choice(self.clients)
        client.type(b"\x02os")
        client.pump(0.05)
        for _ in range(self.dice.randrange(1, 8)):
            client.type(self.dice.choice(KEYS))
            client.pump(0.005)

    def mouse(self) -> None:
        """A click, a turn of the wheel or a drag that begins in a sidebar or on its border. (Elsewhere the wheel leads
        into copy mode, in which tmux 3.3a was seen to crash: it asked for the length of line -23.)"""
        client = self.dice.choice(self.clients)
        sessions = dict(
            line.split(" ") for line in self.mux.lines("list-clients", "-F", "#{client_tty} #{session_id}")
        )
        # The session may have ended since: what `command_exits` has started ends a moment later.
        shown = self.tmux(
            "list-panes", "-t", f"{sessions.get(client.tty, '=keep')}:",
            "-f", "#{?window_zoomed_flag,0,#{?@opensessions-sidebar,1,0}}",
            "-F", "#{pane_width} #{pane_height}",
        ).splitlines()  # fmt: skip
        if not shown:
            return
        width, height = map(int, shown[0].split(" "))
        x, y = self.dice.randrange(1, width + 2), self.dice.randrange(1, height + 1)
        button = self.dice.choice((0, 0, 0, 64, 65)) if x <= width else 0
        client.type(b"\x1b[<%d;%d;%dM" % (button, x, y))
        if button:
            return
        for _ in range(self.dice.choice((0, 0, 1, 4))):
            x, y = self.dice.randrange(1, 45), self.dice.randrange(1, height + 1)
            client.type(b"\x1b[<32;%d;%dM" % (x, y))
            client.pump(0.005)
        client.type(b"\x1b[<0;%d;%dm" % (x, y))

    def popup(self) -> None:
        client = self.dice.choice(self.clients)
        client.type(b"\x02og")
        client.pump(0.1)
        client.type(self.dice.choice((b"j\r", b"q", b"\x1b")))
        client.pump(0.1)
        client.type(b"q")
        self.forget_ended()

    def mode(self) -> None:
        """To rows with agents only, and back: there is none."""
        client = self.dice.choice(self.clients)
        client.type(b"\x02os")
        client.pump(0.1)
        client.type(b"\t\t\t")

    def swap_panes(self) -> None:
        self.tmux("swap-pane", "-s", self.one("list-panes", "#{pane_id}"), "-t", self.pane())
        self.forget_ended()

    def break_pane(self) -> None:
        self.tmux("break-pane", "-d", "-s", self.one("list-panes", "#{pane_id}"))

    def rotate(self) -> None:
        self.tmux("rotate-window", "-t", self.window())

    def fix_size(self) -> None:
        """And let it go again: a window of a fixed size is not to be kept by us."""
        window = self.window()
        self.tmux("resize-window", "-t", window, "-x", str(self.dice.randrange(50, 150)))
        self.tmux("set-option", "-wu", "-t", window, "window-size")

    # --- what must hold ---------------------------------------------------------------------------------------

    def agrees(self) -> bool:
        return not self.disagreement()

    def disagreement(self) -> str:
        """The first thing that is not as it should be; "" where all is well."""
        for client in self.clients:
            client.pump()
        live = dict(
            line.split(" ", 1)
            for line in self.mux.lines("list-sessions", "-F", "#{session_id} #{session_name}")
        )
        rows = self.mux.rows()
        listed = self.listed()
        if {each["id"]: each["name"] for each in listed} != live:
            return f"snapshot {listed} and tmux {live}"
        visible = sorted((each["index"], each["id"]) for each in listed if each["index"] is not None)
        if [id for id, _ in rows] != [id for _, id in visible] or any(live[id] != name for id, name in rows):
            return f"ordering file {rows} and snapshot {visible}"
        if [index for index, _ in visible] != list(range(1, len(visible) + 1)):
            return f"indexes {visible}"
        slots = [self.mux("show-options", "-gqv", f"@opensessions-slot-{n}") for n in range(1, 10)]
        wanted = [target for target, _ in rows[:9]]
        if [slot for slot in slots if slot] != wanted:
            return f"slots {slots} and rows {wanted}"
        return self.sidebar_disagreement(rows)

    def listed(self) -> list[dict[str, Any]]:
        """The snapshot's sessions."""
        with closing(Api(f"{self.world.runtime}/api.sock")) as api:
            api.request("GET", "/v1/state")
            return [row for mux in json.loads(api.getresponse().read())["muxes"] for row in mux["sessions"]]

    def wish(self) -> tuple[bool, int]:
        """Are sidebars shown, and how wide: what keys and drags have made of it. The server saves it."""
        saved = [
            json.loads(path.read_text())["value"] for path in Path(self.world.state).glob("**/sidebars.json")
        ]
        return (saved[0]["visible"], saved[0]["width"]) if saved else (True, WIDTH)

    def sidebar_disagreement(self, rows: list[tuple[str, str]]) -> str:
        form = (
            "#{pane_id} #{window_id} #{pane_width} #{window_width} #{window_zoomed_flag} #{window_panes}"
            " #{pane_left} #{pane_height} #{window_height} #{pane_dead} #{@opensessions-sidebar}"
        )
        panes = [line.split(" ") for line in dict.fromkeys(self.mux.lines("list-panes", "-a", "-F", form))]
        marked = [pane for pane in panes if pane[-1]]
        windows = [pane[1] for pane in marked]
        if len(set(windows)) != len(windows):
            return f"two sidebars in a window: {marked}"
        # Before a new column tmux makes every cell narrower by the same part, and finds "no space" in slivers.
        cramped = {pane[1] for pane in panes if not pane[-1] and int(pane[2]) < SLIVER}
        seen = set(self.mux.lines("list-clients", "-F", "#{window_id}")) - cramped
        visible, wished = self.wish()
        if not visible:
            return f"nobody wishes sidebars, and there are {marked}" if marked else ""
        for pane, window, width, whole, zoomed, count, left, tall, height, dead, _ in marked:
            if dead == "1":
                return f"sidebar {pane} is dead"
            kept = zoomed == "0" and count != "1" and int(whole) >= wished + ROOM and window not in cramped
            if kept and (int(width), left, tall) != (wished, "0", height):
                return (
                    f"sidebar {pane} in {window} is {width} wide, not {wished} (window {whole}), or no column"
                )
            if window in seen and zoomed == "0":
                text = self.mux("capture-pane", "-p", "-t", pane, check=False)
                if wrong := self.not_shown(rows, text):
                    return f"sidebar {pane} shows other rows: {wrong}\n{text}"
        for pane in panes:
            window, whole, zoomed = pane[1], int(pane[3]), pane[4]
            if window in seen and zoomed == "0" and whole >= wished + ROOM and window not in windows:
                return f"window {window} is looked at and has no sidebar"
        sized = self.mux.lines("list-windows", "-a", "-F", "#{window_id} #{window-size}")
        if any(not line.endswith(" latest") for line in sized):
            return f"a window has a size of its own: {sized}"
        return ""

    def not_shown(self, rows: list[tuple[str, str]], text: str) -> str:
        """Each session's line must be that row of the file; filters, the help and the themes hide some or all."""
        found = [match for line in text.splitlines() if (match := ROW.match(line))]
        numbers = [int(match[1]) for match in found]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > len(rows)):
            return f"rows {numbers} of {len(rows)}"
        wrong = [match[0] for match in found if not match[2].startswith(rows[int(match[1]) - 1][1][:3])]
        if wrong:
            return f"{wrong} of {rows}"
        if not found and rows and "sessions" in text.split("\n")[0] and "/" not in text:
            return "no row at all"
        return ""
