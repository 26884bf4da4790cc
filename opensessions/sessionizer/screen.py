"""The screen on a terminal: reads keys, searches beside that, paints, until something is chosen.

What can block (the disk, zoxide) does so in threads that nobody waits for: a file system that hangs cannot keep the
screen from being closed.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from msgspec import Struct
from msgspec.structs import replace

from opensessions.pump import Terminal
from opensessions.sessionizer import walk
from opensessions.sessionizer.chooser import Cancel, Chooser, Stage, path_asked, press, settle
from opensessions.sessionizer.names import Asked
from opensessions.sessionizer.places import Found, Place, Seen, Session, gathered
from opensessions.sessionizer.view import view
from opensessions.sidebar.frame import Frame
from opensessions.sidebar.keys import Decoder, Input
from opensessions.sidebar.paint import paint
from opensessions.sidebar.theme import Theme, depth_of

ESCAPE_PAUSE = 0.05
"""Seconds after which an Esc that nothing followed is the key Esc."""
BATCH = 0.1
"""Seconds between two deliveries of what was found."""
LOOK = 0.3
"""Seconds that a key waits for what the disk says of a typed path."""


class Task(Struct, frozen=True):
    """What the screen is for."""

    sessions: tuple[Session, ...]
    roots: tuple[walk.Root, ...]
    home: str
    here: str
    theme: Theme
    ascii: bool = False


class Known(Struct, frozen=True):
    """What zoxide said."""

    folders: tuple[str, ...]


class Searched(Struct, frozen=True):
    """The search is over."""


News = Known | tuple[Found, ...] | Searched | Seen


def choose(task: Task, act: Callable[[Place], str]) -> bool:
    """Show the screen on standard input's terminal until something is chosen and done; False where nothing was.

    `act` carries a choice out and answers "", or why it could not be done: then the screen stays.
    """
    terminal = Terminal()
    try:
        return _Screen(task, terminal, act).run()
    except OSError:
        return False  # The terminal hung up.
    finally:
        terminal.close()


class _Screen:
    """One showing."""

    def __init__(self, task: Task, terminal: Terminal, act: Callable[[Place], str]) -> None:
        self._task = task
        self._terminal = terminal
        self._act = act
        self._depth = depth_of(os.environ.get("TERM", ""), os.environ.get("COLORTERM", ""))
        self._news: SimpleQueue[News] = SimpleQueue()
        self._wake, self._ring = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._ring, False)
        self._found: list[Found] = []
        self._known: tuple[str, ...] = ()
        cols, rows = terminal.size()
        places = gathered(task.sessions, (), (), task.home)
        self._stage = Stage(places, cols, rows, task.home, task.here, searching=True)
        self._chooser = Chooser()
        self._frame: Frame | None = None
        self._decoder = Decoder()
        self._asked: Asked | None = None
        self._over: bool | None = None

    def run(self) -> bool:
        """Until something is chosen, or nothing."""
        before = signal.signal(signal.SIGWINCH, lambda *_: None)
        old = signal.set_wakeup_fd(self._ring, warn_on_full_buffer=False)
        threading.Thread(target=self._search, daemon=True).start()
        try:
            while self._over is None:
                self._paint()
                self._turn()
            return self._over
        finally:
            signal.set_wakeup_fd(old)
            signal.signal(signal.SIGWINCH, before)

    def _turn(self) -> None:
        """Wait for one thing to happen, and do it."""
        handle = self._terminal.handle
        writing = [handle] if self._terminal.unwritten else []
        timeout = ESCAPE_PAUSE if self._decoder.waiting else None
        ready, writable, _ = select.select([handle, self._wake], writing, [], timeout)
        if writable:
            self._terminal.write()
        if self._wake in ready:
            os.read(self._wake, 4096)
            self._hear()
        if handle in ready:
            data = os.read(handle, 65536)
            if not data:
                self._over = False
            self._press(self._decoder.feed(data))
        elif timeout is not None and not ready:
            self._press(self._decoder.flush())

    def _press(self, events: Sequence[Input]) -> None:
        for event in events:
            self._chooser, chosen = press(self._chooser, event, self._stage)
            self._look()
            if isinstance(chosen, Cancel):
                self._over = False
            elif chosen is not None:
                said = self._act(chosen)
                self._chooser = replace(self._chooser, said=said)
                self._over = None if said else True
            if self._over is not None:
                return

    def _look(self) -> None:
        """Ask the disk for the path that is typed, if that is another one than before."""
        asked = path_asked(self._chooser, self._stage)
        if asked is None or asked == self._asked:
            return
        self._asked = asked
        looking = threading.Thread(target=lambda: self._tell(walk.look(asked)), daemon=True)
        looking.start()
        looking.join(LOOK)
        self._hear()

    def _paint(self) -> None:
        cols, rows = self._terminal.size()
        if (cols, rows) != (self._stage.width, self._stage.height):
            self._stage = replace(self._stage, width=cols, height=rows)
            self._frame = None
        self._chooser = settle(self._chooser, self._stage)
        frame = view(self._stage, self._chooser, self._task.ascii)
        self._terminal.unwritten += paint(self._frame, frame, self._task.theme, self._depth)
        self._frame = frame
        self._terminal.write()

    # --- what the threads find --------------------------------------------------------------------------------

    def _tell(self, news: News) -> None:
        self._news.put(news)
        try:
            os.write(self._ring, b"\0")
        except OSError:
            pass  # It is full, so it rings already.

    def _search(self) -> None:
        """In a thread of its own: zoxide, then the folders, in batches."""
        known = walk.known(self._task.home)
        self._tell(Known(known))
        batch: list[Found] = []
        due = time.monotonic() + BATCH
        for found in walk.walk(self._task.roots, known):
            batch.append(found)
            if time.monotonic() > due:
                self._tell(tuple(batch))
                batch, due = [], time.monotonic() + BATCH
        self._tell(tuple(batch))
        self._tell(Searched())

    def _hear(self) -> None:
        """Take in what the threads have found."""
        searching, seen = self._stage.searching, self._stage.seen
        before = len(self._found), self._known
        while True:
            try:
                news = self._news.get_nowait()
            except Empty:
                break
            match news:
                case Known(folders=folders):
                    self._known = folders
                case Searched():
                    searching = False
                case Seen():
                    seen = news if news.asked == self._asked else seen
                case _:
                    self._found += news
        places = self._stage.places
        if (len(self._found), self._known) != before:
            places = gathered(self._task.sessions, self._found, self._known, self._task.home)
        self._stage = replace(self._stage, places=places, searching=searching, seen=seen)
