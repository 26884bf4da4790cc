"""Commands of the core as words for `zellij action`. Pure. Names are always arguments of their own, after `--` where
they could be taken for options."""

from __future__ import annotations

import os
from collections.abc import Collection

from opensessions.errors import Refused
from opensessions.model import Client, Inventory, Pane, Session, Window
from opensessions.provider import PressKey, SwitchClient
from opensessions_zellij.places import SOCKET_LIMIT, session_socket
from opensessions_zellij.reading import split

Words = tuple[str, ...]


def check_name(name: str, folder: str, taken: Collection[str], dead: Collection[str]) -> None:
    """Refused where no session can get this name. zellij itself renames a session onto another one's socket, which is
    then out of reach for good (0.45.1), and brings a dead one back instead of making one."""
    if not name.strip() or name in (".", "..") or "/" in name or name.startswith("-"):
        raise Refused(
            f"{name!r} cannot be a zellij session's name: it must not be empty, begin with '-' or hold '/'."
        )
    if not name.isprintable():
        raise Refused(f"{name!r} cannot be a zellij session's name: it holds a control character.")
    if len(os.fsencode(session_socket(folder, name))) >= SOCKET_LIMIT:
        raise Refused(f"{name!r} is too long for a zellij session's name: its socket's path would not fit.")
    if name in taken:
        raise Refused(f"There is a zellij session {name!r} already.")
    if name in dead:
        raise Refused(
            f"A zellij session {name!r} has ended and can be brought back; run: zellij delete-session {name!r}"
        )


def client(inventory: Inventory, name: str) -> Client:
    """The client with this name. Refused where it is not there."""
    found = next((one for one in inventory.clients if one.name == name), None)
    if found is None:
        raise Refused(f"No zellij client {name} is attached.")
    return found


def session(inventory: Inventory, id: str) -> Session:
    """The session with this id. Refused where it is gone: zellij would make a new one of that name."""
    found = inventory.session(id)
    if found is None:
        raise Refused(f"There is no zellij session {id!r} any more.")
    return found


def pane(inventory: Inventory, id: str) -> Pane:
    """The pane with this id. Refused where it is gone."""
    found = inventory.pane(id)
    if found is None:
        raise Refused(f"There is no zellij pane {id} any more.")
    return found


def shown_window(inventory: Inventory, name: str) -> Window:
    """The tab that a client shows. Refused where that is not known."""
    found = inventory.windows.get(client(inventory, name).window)
    if found is None:
        raise Refused(f"No zellij client {name} is attached.")
    return found


def sidebar_of(window: Window | None, owner: str) -> Pane | None:
    """Our living sidebar in a tab."""
    panes = window.panes if window else ()
    return next((one for one in panes if one.mark == owner and not one.dead), None)


def switch(session: str, pane: str = "") -> Words:
    """Bring the client that typed last to another session, and to a pane in it."""
    there = ("--pane-id", split(pane)[1]) if pane else ()
    return ("switch-session", *there, "--", session)


def destination(command: SwitchClient, inventory: Inventory, owner: str) -> str:
    """The pane that a switch leads to; "" where the session's own stays. Refused where the pane is not in it."""
    target = session(inventory, command.session)
    if command.pane:
        found = pane(inventory, command.pane)
        if split(found.id)[0] != target.id:
            raise Refused(f"Session {command.session} has no pane {command.pane} any more.")
        return found.id
    if command.keep_sidebar:
        window = inventory.windows.get(target.current_window)
        sidebar = sidebar_of(window, owner) if window and not window.zoomed else None
        return sidebar.id if sidebar else ""
    return ""


def focus(pane: str) -> Words:
    """Give a pane the focus, in whatever tab it is."""
    return ("focus-pane-id", split(pane)[1])


def close(pane: str) -> Words:
    """Close a pane."""
    return ("close-pane", "--pane-id", split(pane)[1])


def typing(pane: str, text: str) -> tuple[Words, Words, Words]:
    """Clear the line, type this one, enter it."""
    at = ("--pane-id", split(pane)[1])
    return (
        ("send-keys", *at, "Ctrl u"),
        (
            "write-chars",
            *at,
            "--",
            "".join(character if character.isprintable() else " " for character in text),
        ),
        ("send-keys", *at, "Enter"),
    )


def press(command: PressKey) -> Words:
    """Press one key. Refused where it has no name of that kind."""
    named = {"enter": "Enter", "escape": "Esc"}.get(command.key, command.key)
    if len(command.key) != 1 and named == command.key:
        raise Refused(f"There is no key {command.key!r}.")
    return ("send-keys", "--pane-id", split(command.pane)[1], named)


def lines(dump: str) -> tuple[str, ...]:
    """The lines of what `dump-screen` printed."""
    shown = dump.split("\n")
    return tuple(shown[:-1] if shown[-1:] == [""] else shown)
