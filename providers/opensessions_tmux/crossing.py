"""How a terminal comes into this tmux from elsewhere, and how one leaves it. Pure."""

from __future__ import annotations

import os
import re
import shlex

from opensessions.errors import Refused
from opensessions.model import Inventory, Session
from opensessions.provider import HandOver, WayIn
from opensessions_tmux.quote import Words, argument, timed

SHOWN = "5000"
"""Milliseconds for which a sentence stays in the status line."""
_DOUBTFUL = re.compile(r"[^\w./:-]", re.ASCII)


def way_in(tmux: str, socket: str, key: str, session: Session, target: str, said: str) -> WayIn:
    """The way to `target`, which is in that session. `-N`: a tmux that has ended must not begin anew."""
    ask = (tmux, "-N", "-S", socket)
    message = (";", "display-message", "-d", SHOWN, "--", _last(timed(said))) if said else ()
    return WayIn(
        mux=key,
        name=typed(socket, session.name),
        argv=(*ask, "attach-session", "-t", target, *message),
        check=(*ask, "has-session", "-t", session.id),
        environment={"TMUX": "", "TMUX_PANE": ""},
    )


def typed(socket: str, name: str) -> str:
    """What one types in a shell to get there."""
    default = os.path.basename(os.path.dirname(socket)).startswith("tmux-")
    if default and os.path.basename(socket) == "default":
        where = ""
    else:
        where = f"-L {shlex.quote(os.path.basename(socket))} " if default else f"-S {shlex.quote(socket)} "
    return f"tmux {where}attach -t {shlex.quote(f'={name}')}"


def hand_over(command: HandOver, inventory: Inventory) -> Words:
    """What lets a client go. Refused where it is not there, or has no terminal."""
    found = next((one for one in inventory.clients if one.name == command.client), None)
    if found is None:
        raise Refused(f"No client {command.client} is attached any more.")
    if found.control:
        raise Refused(
            f"{command.client} is a control-mode client: it has no terminal that could go elsewhere."
        )
    return (
        "detach-client",
        "-t",
        command.client,
        "-E",
        " ".join(["exec", *map(shell_word, command.program)]),
    )


def shell_word(text: str) -> str:
    """`text` as one word for whatever shell the user has: the client hands it to `default-shell`. A backslash before
    each doubtful character means the same to sh, zsh, csh and fish."""
    if not text or not text.isprintable():
        raise Refused(
            f"{text!r} cannot be named in a shell: opensessions has to be installed somewhere else."
        )
    return _DOUBTFUL.sub(lambda found: found[0] if ord(found[0]) > 127 else "\\" + found[0], text)


def _last(text: str) -> str:
    return argument(text).decode("utf-8", "surrogateescape")
