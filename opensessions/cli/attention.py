"""`opensessions attention`"""

from __future__ import annotations

import argparse

from opensessions import caller
from opensessions.cli.switch import add_client
from opensessions.cli.talk import ask, registered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which client, and whether to go back."""
    parser.add_argument("--back", action="store_true", help="go back to where the last jump began")
    add_client(parser)


def run(arguments: argparse.Namespace) -> int:
    """To the agent that has waited longest, then to those that failed, then to those that are done unseen."""
    who = caller.find()
    client = arguments.client or (who.client if who else "")
    verb = "attention-back" if arguments.back else "attention"
    ask(registered(who), verb, mux=who.mux if who else "", client=client)
    return 0
