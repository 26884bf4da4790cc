"""`opensessions session`"""

from __future__ import annotations

import argparse
import json
import os

from opensessions import caller
from opensessions.caller import Caller
from opensessions.cli.ending import add_confirmation, end
from opensessions.cli.talk import ask, registered
from opensessions.errors import Refused
from opensessions.start import Line

TARGET = "a session's name, =NAME or id ($3)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A verb of its own for each act."""
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    new = acts.add_parser(
        "new",
        help="create a session and print its id; without a name and a folder, on a terminal, choose where",
    )
    name = new.add_mutually_exclusive_group()
    name.add_argument(
        "name", nargs="?", default="", help="its name (default: the folder's, else the multiplexer's)"
    )
    name.add_argument("--name", dest="called", metavar="NAME", default="", help="the same")
    new.add_argument("--dir", default="", help="where its first pane starts (default: here)")
    new.add_argument("--client", metavar="TTY", default="", help="show it on this client")
    new.add_argument("--json", action="store_true", help="one JSON object")
    rename = acts.add_parser("rename", help="give a session another name; prints the one that it got")
    rename.add_argument("target", metavar="TARGET", help=TARGET)
    rename.add_argument("name", help="the new name; some characters are replaced")
    kill = acts.add_parser(
        "kill", help="end a session and what only it shows; its clients go to the row above"
    )
    kill.add_argument("target", metavar="TARGET", help=TARGET)
    add_confirmation(kill)
    for act, help in (("hide", "take its row out of the list"), ("unhide", "bring its row back")):
        acts.add_parser(act, help=help).add_argument("target", metavar="TARGET", help=TARGET)
    move = acts.add_parser("move", help="move its row")
    move.add_argument("target", metavar="TARGET", help=TARGET)
    move.add_argument("by", metavar="PLACES|up|down", type=places, help="how far; negative numbers are up")


def places(text: str) -> int:
    """`up`, `down`, `3` or `-3`, in places down."""
    return {"up": -1, "down": 1}.get(text) or int(text)


def run(arguments: argparse.Namespace) -> int:
    """Sessions are those of the multiplexer that this is called in, else of the one used last."""
    who = caller.find(arguments.client if arguments.act == "new" else "")
    mux = who.mux if who else ""
    line = registered(who)
    match arguments.act:
        case "new":
            return _new(who, line, arguments)
        case "rename":
            print(ask(line, "session-rename", target=arguments.target, name=arguments.name, mux=mux)["name"])
        case "kill":
            return end(line, "session-kill", arguments, target=arguments.target, mux=mux)
        case "move":
            ask(line, "session-move", target=arguments.target, by=str(arguments.by), mux=mux)
        case _:
            ask(line, f"session-{arguments.act}", target=arguments.target, mux=mux)
    return 0


def _new(who: Caller | None, line: Line, arguments: argparse.Namespace) -> int:
    """Without a name and a folder somebody at a terminal chooses, and it is shown on the client there."""
    from opensessions.cli import sessionizer

    name, mux = arguments.called or arguments.name, who.mux if who else ""
    if not (name or arguments.dir or arguments.json) and sessionizer.interactive():
        return sessionizer.run(who, line, arguments.client or (who.client if who else ""))
    folder = os.path.abspath(os.path.expanduser(arguments.dir or os.getcwd()))
    if not os.path.isdir(folder):
        raise Refused(f"There is no folder {folder}.")
    if name or not arguments.dir:
        made = ask(line, "session-new", name=name, directory=folder, mux=mux, client=arguments.client)
    else:
        made = sessionizer.create(line, mux, folder, client=arguments.client)
    print(json.dumps({**made, "directory": folder}) if arguments.json else made["session"])
    return 0
