"""Commands of the core as tmux commands. Targets are ids, a client is always named, every text is made inert."""

from __future__ import annotations

import os
from collections.abc import Sequence

from opensessions.errors import Refused
from opensessions.model import Client, Inventory, Pane, Window
from opensessions.provider import (
    CreateSession,
    KillPane,
    KillSession,
    PressKey,
    RenameSession,
    ShowMessage,
    SwitchClient,
    TypeLine,
)
from opensessions_tmux.bindings import SESSIONIZER_WIDTH
from opensessions_tmux.quote import Words, inert, plain, timed
from opensessions_tmux.quote import command as quoted

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
"""Keys that stand in a command as they are."""


def switch(client: str, target: str) -> Words:
    """Show a session, or one of its panes, on a client. Without a client tmux would move the one used last."""
    return ("switch-client", "-c", client, "-t", target)


def destination(command: SwitchClient, inventory: Inventory) -> str:
    """The target of a switch to a pane: by session, window and pane, since a window may be linked into many.

    Refused where the pane is in none of the session's windows.
    """
    if not command.pane:
        return command.session
    pane = inventory.pane(command.pane)
    session = inventory.session(command.session)
    if pane is None or session is None or all(link.window != pane.window for link in session.links):
        raise Refused(f"Session {command.session} has no pane {command.pane} any more.")
    return f"{session.id}:{pane.window}.{pane.id}"


def message(command: ShowMessage) -> Words:
    """A line in a client's status line."""
    return ("display-message", "-c", command.client, "--", timed(command.text))


def create(command: CreateSession) -> Words:
    """A detached session; prints its id. `-E`: its environment is tmux's own, not that of this server, which may
    have been started from somewhere else."""
    name = ("-s", inert(command.name)) if command.name else ()
    directory = inert(command.directory or os.path.expanduser("~"))
    return ("new-session", "-d", "-E", "-P", "-F", "#{session_id}", *name, "-c", directory)


def rename(command: RenameSession) -> tuple[Words, Words]:
    """Give a name, and print the one that it became: tmux replaces `.` and `:`."""
    return (
        ("rename-session", "-t", command.session, "--", inert(command.name)),
        ("display-message", "-p", "-t", f"{command.session}:", "#{session_name}"),
    )


def evacuation(command: KillSession, inventory: Inventory) -> list[Words]:
    """The moves of every viewer of a session before it is killed. A control client has nothing to look at."""
    if not command.refuge:
        return []
    viewers = (client for client in inventory.viewers() if client.session == command.session)
    return [switch(client.name, command.refuge) for client in viewers]


def kill(command: KillSession) -> Words:
    """End a session and what runs in it."""
    return ("kill-session", "-t", command.session)


def kill_pane(command: KillPane) -> Words:
    """Close a pane."""
    return ("kill-pane", "-t", command.pane)


def typing(command: TypeLine) -> tuple[Words, Words]:
    """What leaves copy mode, in which keys scroll, and prints why a pane does not take keys for itself alone; nothing
    where it does."""
    reasons = (
        "#{?pane_dead,its program has ended,"
        "#{?pane_synchronized,its window types into all panes,#{?pane_input_off,it takes no input,}}}"
    )
    return (
        ("if-shell", "-F", "-t", command.pane, "#{pane_in_mode}", f"copy-mode -q -t {command.pane}"),
        ("display-message", "-p", "-t", command.pane, reasons),
    )


def type_line(command: TypeLine) -> tuple[Words, Words, Words]:
    """Clear the line, type this one, enter it. With `-l` tmux takes no word for the name of a key."""
    return (
        ("send-keys", "-t", command.pane, "C-u"),
        ("send-keys", "-t", command.pane, "-l", "--", plain(command.text)),
        ("send-keys", "-t", command.pane, "Enter"),
    )


def choose_folder(client: Client, folder: str, python: str) -> Words:
    """The sessionizer in a popup over a client; it begins in `folder`. `-b`: whoever opens a popup would wait for its
    end. A `TMUX_PANE` in tmux's own environment is that of another tmux."""
    wide = "100%" if client.width < SESSIONIZER_WIDTH + 2 else str(SESSIONIZER_WIDTH)
    shell = ("/bin/sh", "-c", 'unset TMUX_PANE; exec "$@"', "sh")
    program = (python, "-P", "-m", "opensessions", "session", "new", f"--client={client.name}")
    popup = (
        "display-popup",
        "-c",
        client.name,
        "-E",
        "-w",
        wide,
        "-h",
        "80%",
        "-d",
        inert(folder),
        *shell,
        *program,
    )
    return ("run-shell", "-b", "-C", inert(quoted(popup)))


PRESSED = {"enter": "Enter", "escape": "Escape"}


def press(command: PressKey) -> Words:
    """Press a key, or print why it is not: both in one go, so that nothing changes in between. In a mode of tmux's own,
    such as copy mode, the key would be that mode's. ValueError where it is no key that may be pressed."""
    key = PRESSED.get(command.key, "") or (command.key if command.key in LETTERS else "")
    if not key:
        raise ValueError(command.key)
    reasons = (
        "#{?pane_dead,its program has ended,"
        "#{?pane_synchronized,its window types into all panes,"
        "#{?pane_input_off,it takes no input,"
        "#{?pane_in_mode,it is in copy mode or another one of tmux,}}}}"
    )
    told = f'display-message -p -t {command.pane} "{reasons}"'
    return ("if-shell", "-F", "-t", command.pane, reasons, told, f"send-keys -t {command.pane} {key}")


def shown_window(inventory: Inventory, client: str) -> Window:
    """The window on a client's screen. Refused where the client is not there, or has no screen."""
    viewer = next((one for one in inventory.viewers() if one.name == client), None)
    session = inventory.session(viewer.session) if viewer else None
    window = inventory.windows.get(session.current_window) if session else None
    if window is None:
        raise Refused(f"No client {client} with a terminal is attached.")
    return window


def sidebar_of(window: Window | None, owner: str) -> Pane | None:
    """Our living sidebar in a window."""
    panes = window.panes if window else ()
    return next((pane for pane in panes if pane.mark == owner and not pane.dead), None)


def screens(panes: Sequence[str], nonce: str) -> list[Words]:
    """What prints the screens of these panes. `nonce`: a text that no screen holds."""
    asked: list[Words] = []
    for pane in panes:
        asked += [
            ("display-message", "-p", "-t", pane, f"{nonce}#{{pane_id}}"),
            ("capture-pane", "-p", "-t", pane),
        ]
    return asked


def shown_screens(listing: str, nonce: str) -> dict[str, tuple[str, ...]]:
    """The inverse of `screens`: pane id -> its lines. A pane that is gone printed nothing."""
    shown = {}
    for part in listing.split(nonce)[1:]:
        pane, *lines = part.split("\n")
        if pane.startswith("%"):
            shown[pane] = tuple(lines[:-1] if lines[-1:] == [""] else lines)
    return shown
