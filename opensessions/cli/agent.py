"""`opensessions agent`"""

from __future__ import annotations

import argparse

from opensessions import caller
from opensessions.cli.switch import add_client
from opensessions.cli.talk import ask, registered

TARGET = "a pane's id (%%7), an agent's id, or a session's id ($3), name or =NAME where it has one agent"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which agent."""
    parser.add_argument(
        "act",
        choices=("focus", "dismiss"),
        help="focus: show its pane; dismiss: mark it as seen, and remove its row if it has exited",
    )
    parser.add_argument("target", metavar="TARGET", help=TARGET)
    add_client(parser)


def run(arguments: argparse.Namespace) -> int:
    """Both can be undone by nothing but looking elsewhere, so nothing is asked."""
    who = caller.find()
    client = arguments.client or (who.client if who else "")
    more = {"client": client} if arguments.act == "focus" else {}
    mux = who.mux if who else ""
    ask(registered(who), f"agent-{arguments.act}", target=arguments.target, mux=mux, **more)
    return 0
