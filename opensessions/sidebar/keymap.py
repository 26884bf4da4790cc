"""The key map: one table, of which keys, the help screen and the footer's hints are made."""

from __future__ import annotations

from msgspec import Struct


class Binding(Struct, frozen=True):
    """Keys, the name of what they do, and words for people: `help` on the help screen, `hint` in the footer.

    `shown` replaces the keys' names on the help screen.
    """

    keys: tuple[str, ...]
    action: str
    help: str
    hint: str = ""
    shown: str = ""


BINDINGS = (
    Binding(("enter",), "go", "go there", hint="go"),
    Binding(tuple("123456789"), "index", "go to row", shown="1-9"),
    Binding(("j", "down", "ctrl-n", "ctrl-j"), "down", "down"),
    Binding(("k", "up", "ctrl-p", "ctrl-k"), "up", "up"),
    Binding(("g", "home"), "first", "first row"),
    Binding(("G", "end"), "last", "last row"),
    Binding(("page-down", "ctrl-f"), "page-down", "page down", shown="pgdn"),
    Binding(("page-up", "ctrl-b"), "page-up", "page up", shown="pgup"),
    Binding(("/",), "filter", "filter", hint="filter"),
    Binding(("tab",), "mode", "which rows", hint="mode"),
    Binding(("shift-tab",), "mode-back", "and back", shown="S-tab"),
    Binding(("J", "shift-down"), "move-down", "row down"),
    Binding(("K", "shift-up"), "move-up", "row up"),
    Binding(("x",), "hide", "hide, unhide", hint="hide"),
    Binding(("X",), "reveal", "list hidden"),
    Binding(("d",), "kill-agent", "kill agent"),
    Binding(("D",), "kill-session", "kill session"),
    Binding(("z",), "hibernate", "hibernate"),
    Binding(("R",), "reap", "reap orphans"),
    Binding((">",), "wider", "wider"),
    Binding(("<",), "narrower", "narrower"),
    Binding(("r", "ctrl-l"), "refresh", "read again"),
    Binding(("T",), "theme", "themes"),
    Binding(("escape", "ctrl-c"), "leave", "clear, leave", shown="esc"),
    Binding(("q",), "close", "close", hint="close"),
    Binding(("?",), "help", "this help", hint="help"),
)
HINTS = ("help", "filter", "go", "mode", "hide", "close")
"""Actions whose hint the footer shows, as many as fit, the most useful first."""

ACTIONS = {key: binding.action for binding in BINDINGS for key in binding.keys}
