"""Random session, window, pane, client and resize events against a real tmux; afterwards everything must agree.

`OPENSESSIONS_SOAK_SECONDS` (default 20) says how long, `OPENSESSIONS_SOAK_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import closing

import psutil
import pytest

from tests.support.terminal import Terminal
from tests.support.world import Tmux, World, tmux_versions

SECONDS = float(os.environ.get("OPENSESSIONS_SOAK_SECONDS", "20"))
SEED = int(os.environ.get("OPENSESSIONS_SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
WIDTH = 26


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("tmux", tmux_versions().values(), ids=tmux_versions().keys())
def test_soak(tmux: str) -> None:
    print(f"\nseed {SEED}, {SECONDS:g} s, {tmux}")
    with closing(World(tmux)) as world:
        Soak(world, random.Random(SEED)).run(SECONDS)
        world.end()
        _, alive = psutil.wait_procs(world.processes(), timeout=10)
        assert not alive, f"left over: {[process.cmdline() for process in alive]}"


class Soak:
    """The acts, and what must hold after them."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self.mux: Tmux = world.mux()
        self.clients: list[Terminal] = []
        self.names = 0
        self.acts = 0

    def run(self, seconds: float) -> None:
        """Bursts of acts, each followed by a look at whether everything agrees."""
        self.mux.new("keep")
        self.mux.load()
        self.attach()
        self.world.cli("sidebar", "show", env=self.mux.inside())
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            done = []
            for _ in range(self.dice.randrange(1, 12)):
                act = self.dice.choice(self.choices())
                done.append(act.__name__)
                act()
                for client in self.clients:
                    client.pump()
            self.acts += len(done)
            try:
                self.world.until(self.agrees, "agreement", 30)
            except AssertionError as error:
                raise AssertionError(f"seed {SEED}, after {done}: {self.disagreement()}") from error
        print(f"{self.acts} acts")

    def choices(self) -> list[Callable[[], None]]:
        """Every act, the common ones more often."""
        return [
            self.new_session, self.new_session, self.kill_session, self.rename_session, self.new_window,
            self.new_window, self.kill_window, self.split, self.split, self.split, self.kill_pane, self.kill_pane,
            self.attach, self.detach, self.resize_client, self.resize_client, self.switch, self.switch,
            self.select_window, self.select_pane, self.zoom, self.resize_pane, self.link_window,
            self.group_session, self.layout, self.toggle_twice, self.kill_sidebar, self.move_pane,
            self.command_exits,
        ]  # fmt: skip

    # --- acts: a refusal by tmux is part of the game ---------------------------------------------------------

    def tmux(self, *words: str) -> str:
        return self.mux(*words, check=False)

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
            self.world.cli("sidebar", "toggle", env=self.mux.inside())

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
        if dict(rows) != live:
            return f"ordering file {rows} and tmux {live}"
        slots = [self.mux("show-options", "-gqv", f"@opensessions-slot-{n}") for n in range(1, 10)]
        wanted = [target for target, _ in rows[:9]]
        if [slot for slot in slots if slot] != wanted:
            return f"slots {slots} and rows {wanted}"
        return self.sidebar_disagreement(rows)

    def sidebar_disagreement(self, rows: list[tuple[str, str]]) -> str:
        format = (
            "#{pane_id} #{window_id} #{pane_width} #{window_width} #{window_zoomed_flag} #{window_panes}"
            " #{@opensessions-sidebar}"
        )
        panes = [line.split(" ") for line in dict.fromkeys(self.mux.lines("list-panes", "-a", "-F", format))]
        marked = [pane for pane in panes if pane[6]]
        windows = [pane[1] for pane in marked]
        if len(set(windows)) != len(windows):
            return f"two sidebars in a window: {marked}"
        seen = set(self.mux.lines("list-clients", "-F", "#{window_id}"))
        for pane, window, width, whole, zoomed, count, _ in marked:
            if zoomed == "0" and count != "1" and int(whole) >= 100 and int(width) != WIDTH:
                return f"sidebar {pane} in {window} is {width} wide, not {WIDTH} (window {whole})"
            if window in seen and zoomed == "0":
                text = self.mux("capture-pane", "-p", "-t", pane, check=False)
                missing = self.not_shown(rows, text)
                if missing:
                    return f"sidebar {pane} shows other rows: {missing}\n{text}"
        for _, window, _, whole, zoomed, _, mark in panes:
            if window in seen and zoomed == "0" and int(whole) >= 100 and not mark and window not in windows:
                return f"window {window} is looked at and has no sidebar"
        return ""

    def not_shown(self, rows: list[tuple[str, str]], text: str) -> str:
        """The rows on the screen must be a run of consecutive rows of the file, in its order."""
        lines = text.translate(dict.fromkeys(map(ord, "▌›█"), " ")).splitlines()
        places = []
        for index, (_, name) in enumerate(rows, 1):
            for number, line in enumerate(lines):
                words = line.split()
                if str(index) in words[:3] and name[:8] in line:
                    places.append((index, number))
        indexes = [index for index, _ in places]
        numbers = [number for _, number in places]
        if not places:
            return "no row at all"
        if indexes != list(range(indexes[0], indexes[-1] + 1)) or numbers != sorted(numbers):
            return f"rows {indexes} in lines {numbers}"
        return ""
