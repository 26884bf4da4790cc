"""The screen of `opensessions session new` without a name: a session in a folder that is chosen, or one there is."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from opensessions import config, paths
from opensessions.caller import Caller
from opensessions.cli.talk import ask, registered
from opensessions.errors import OpenSessionsError, Refused
from opensessions.sessionizer.names import session_name, unique
from opensessions.sessionizer.places import Place, Session
from opensessions.sessionizer.screen import Task, choose
from opensessions.sessionizer.walk import Root
from opensessions.sidebar.themes import DEFAULT, collection
from opensessions.start import Line


def interactive() -> bool:
    """Is there somebody to choose?"""
    return sys.stdin.isatty() and sys.stdout.isatty()


def sessions(line: Line, mux: str) -> tuple[Session, ...]:
    """The sessions of a multiplexer, in the order of their rows."""
    told: Any = ask(line, "session-places", mux=mux)["sessions"]
    return tuple(Session(each["id"], each["name"], tuple(each["folders"])) for each in told)


def create(line: Line, mux: str, folder: str, name: str = "", client: str = "") -> dict[str, Any]:
    """Create a session in a folder, called after it unless it has a name; on `client`, if one is named, it is shown."""
    taken = {session.name for session in sessions(line, mux)}
    wanted = name or unique(session_name(folder), taken)
    return ask(line, "session-new", name=wanted, directory=folder, mux=mux, client=client)


def run(who: Caller | None, line: Line, client: str) -> int:
    """Show the screen; 0 where something was chosen, and done on `client`. Refused where nothing was."""
    mux = who.mux if who else ""
    if not client:
        raise Refused(
            "No client is attached here; name one with --client, or say what to create (a name, or --dir)."
        )
    task = _task(line, mux)

    def act(place: Place) -> str:
        try:
            now = registered(who)  # another server may run meanwhile
            if place.session:
                ask(now, "switch", where=place.session, mux=mux, client=client)
            else:
                if place.kind == "new":
                    os.makedirs(place.path, exist_ok=True)
                create(now, mux, place.path, client=client)
        except OpenSessionsError as error:
            return str(error)
        except OSError as error:
            return f"{place.path} cannot be made: {error.strerror}."
        return ""

    if not choose(task, act):
        raise Refused("Nothing was chosen.")
    return 0


def _task(line: Line, mux: str) -> Task:
    settings = config.load(paths.config_file()).config
    home = os.path.expanduser("~")
    worn = str(ask(line, "theme")["theme"])
    return Task(
        sessions(line, mux),
        roots(settings.sessionizer.roots, settings.sessionizer.depth),
        home,
        os.getcwd(),
        collection(settings.themes).get(worn, DEFAULT),
        settings.ascii,
    )


def roots(folders: Sequence[str], depth: int) -> tuple[Root, ...]:
    """The configured folders; a relative one has no meaning and is left out."""
    expanded = (os.path.normpath(os.path.expanduser(folder)) for folder in folders)
    return tuple(Root(folder, depth) for folder in dict.fromkeys(expanded) if folder.startswith("/"))
