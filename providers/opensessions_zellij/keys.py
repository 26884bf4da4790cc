"""The keys that zellij's configuration gets: which key runs which of our entrypoints. Pure, standard library only.

zellij has no modes of one's own. Its mode `prompt` is used by nothing (0.44, 0.45): no action leads there and its
default configuration binds nothing to it but what it binds everywhere. So our table is that mode, and one key leads
there.

A key that runs a program opens a pane for it. Ours floats, one cell in the corner: it changes no layout, and zellij
gives the focus back when it closes. One that takes the place of the focused pane (`in_place`) looks better and loses
that pane, with what runs in it, if floating panes are shown or hidden before it closes (0.45.1).
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import NamedTuple

from opensessions_zellij.kdl import quoted
from opensessions_zellij.table import TABLE

MODE = "prompt"
"""The mode that is our key table."""
MODES = (
    "normal", "locked", "resize", "pane", "tab", "scroll", "entersearch", "search", "renametab", "renamepane",
    "session", "move", "prompt", "tmux",
)  # fmt: skip
SCRIPT = "zellij.py"
"""The entrypoint's file in scripts/: what tells our bindings from others."""
GUARD = '"$@" || exec zellij run -f -- "$@"'
"""What goes wrong before our program can say so itself (its files are gone) is done again in a pane that shows it."""
PLACE = 'floating true; close_on_exit true; borderless true; x "99%"; y "100%"; width "1"; height "1"'
"""zellij moves what is beyond the last row into it."""


class Entry(NamedTuple):
    """The key that leads into our table, and the mode in which it does; "" is every mode but `locked`."""

    mode: str = "session"
    key: str = "o"

    def __str__(self) -> str:
        return f"{self.mode}:{self.key}" if self.mode else self.key


class Wishes(NamedTuple):
    """What the bindings are made from."""

    python: str
    """A Python in which opensessions can be imported."""
    script: str
    """The path of the entrypoint."""
    entry: Entry = Entry()
    back: str = "normal"
    """The mode after a key of ours: where the user begins."""


def lines(wishes: Wishes) -> Iterator[str]:
    """The blocks for inside of `keybinds`, without indentation of their own."""
    yield f"{wishes.entry.mode} {{" if wishes.entry.mode else 'shared_except "locked" {'
    yield f"    bind {quoted(wishes.entry.key)} {{ SwitchToMode {quoted(MODE)}; }}"
    yield "}"
    yield f"{MODE} {{"
    for key, verb, _ in TABLE:
        yield f"    bind {quoted(key)} {{ {_run(wishes, verb)} SwitchToMode {quoted(wishes.back)}; }}"
    rest = " ".join(quoted(key) for key in others())
    yield f"    bind {rest} {{ SwitchToMode {quoted(wishes.back)}; }}"
    yield "}"


def others() -> Iterator[str]:
    """What else is typed by mistake: it leaves the table and does nothing."""
    ours = {key for key, _, _ in TABLE}
    yield from (key for key in string.ascii_letters + "0" if key not in ours)
    yield from ("Space", "Tab", "Esc", "Enter", "Backspace", "Left", "Right", "Up", "Down")


def _run(wishes: Wishes, verb: str) -> str:
    words = ("/bin/sh", "-c", GUARD, "opensessions", wishes.python, "-I", "-S", wishes.script, verb, "key=1")
    return f'Run {" ".join(map(quoted, words))} {{ {PLACE}; name "opensessions"; }};'
