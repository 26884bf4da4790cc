"""Telling the user something through tmux: in the status line, and by way of our sidebar to the terminal. Pure.

Measured on 3.3a and 3.5a: while a message is shown, tmux updates nothing else on that client's screen, until the first
key, which still does what it does; a prompt that was open comes back with what was typed into it. A pane's bell and
what it passes on reach the terminals that show the pane, and no others.
"""

from __future__ import annotations

from opensessions.provider import Announce, DesktopNotice
from opensessions_tmux.quote import Words, plain, timed

SHOWN = 2000
"""Milliseconds: long enough to read a line, short enough for a screen that stands still. Not the user's
`display-time`, where 0 means until a key is pressed."""

_MAY = "#{==:#{allow-passthrough},%s}"
TERMINAL = f"#{{?#{{||:{_MAY % 1},#{{||:{_MAY % 'on'},{_MAY % 'all'}}}}},#{{client_termname}} #{{client_termtype}},}}"
"""The client's `TERM` and what it answers to XTVERSION; nothing where its panes may not speak to it. The option is
`1` (3.3), `on` or `all` where they may, `0` or `off` where not."""

OSC_99 = ("kitty",)
OSC_777 = ("rxvt", "foot", "konsole", "contour")
OSC_9 = ("iterm", "wezterm", "ghostty", "rio", "mintty", "warp")
"""Terminals that show notifications, by a part of their names, and the sequence that their manuals give. Any other is
left in peace."""


def announce(command: Announce) -> list[Words]:
    """A message for each client."""
    text = timed(command.text)
    return [("display-message", "-d", str(SHOWN), "-c", client, "--", text) for client in command.clients]


def terminal(command: DesktopNotice) -> Words:
    """Prints TERMINAL."""
    return ("display-message", "-p", "-c", command.client, "-t", command.pane, TERMINAL)


def escape_sequence(command: DesktopNotice, terminal: str) -> str:
    """What shows the notification on such a terminal, packed so that tmux passes it on; "" on one that cannot."""
    name = terminal.lower()
    title, detail = plain(command.title), plain(command.detail)
    text = f"{title}: {detail}" if detail else title
    if any(part in name for part in OSC_99):
        sequence = f"\x1b]99;;{text}\x1b\\"
    elif any(part in name for part in OSC_777):
        # Fields end at a semicolon.
        sequence = f"\x1b]777;notify;{title.replace(';', ',')};{detail.replace(';', ',')}\x1b\\"
    elif any(part in name for part in OSC_9):
        # `9;4;…` and other numbers are commands to some terminals; a text that begins with a blank is none.
        sequence = f"\x1b]9;{' ' if text[:1].isdigit() else ''}{text}\x07"
    else:
        return ""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
