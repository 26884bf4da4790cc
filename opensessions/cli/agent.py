"""`opensessions agent`"""

from __future__ import annotations

import argparse
import sys

from opensessions import caller
from opensessions.cli.ending import PATIENCE, add_confirmation, end
from opensessions.cli.switch import add_client
from opensessions.cli.talk import ask, registered

TARGET = "a pane's id (%%7), an agent's id, or a session's id ($3), name or =NAME where it has one agent"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which agent."""
    parser.add_argument(
        "act",
        choices=("focus", "dismiss", "kill", "hibernate", "resume"),
        help="focus: show its pane; dismiss: take note of it: it shows as idle until it does something else, and its "
        "row goes if it has exited or hibernates; "
        "kill: end it and what it has started, never its pane's shell; hibernate: end it while nobody looks, and keep "
        "its row; resume: type what goes on with it into its pane, if a shell waits there",
    )
    parser.add_argument("target", metavar="TARGET", help=TARGET)
    add_client(parser)
    add_confirmation(parser)


def run(arguments: argparse.Namespace) -> int:
    """`kill` asks first. What the others do can be undone by looking elsewhere, or by resuming."""
    who = caller.find()
    which = {"target": arguments.target, "mux": who.mux if who else ""}
    line = registered(who)
    verb = f"agent-{arguments.act}"
    if arguments.act == "kill":
        return end(line, verb, arguments, **which)
    if arguments.act == "focus":
        which["client"] = arguments.client or (who.client if who else "")
    line.settimeout(PATIENCE)
    done = ask(line, verb, **which)
    if arguments.act == "hibernate":
        print(f"To resume it: {done['resume']}")
    if arguments.act == "resume":
        print(done["command"])
        if not done["typed"]:
            print(f"opensessions: It was not typed into {done['pane']}: {done['why']}", file=sys.stderr)
            return 1
    return 0
