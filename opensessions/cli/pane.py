"""`opensessions pane`"""

from __future__ import annotations

import argparse

from opensessions import caller
from opensessions.cli.ending import add_confirmation, end
from opensessions.cli.talk import registered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which pane."""
    parser.add_argument(
        "act", choices=("kill",), help="kill: close the pane and end everything that was started in it"
    )
    parser.add_argument("target", metavar="PANE", help="the pane's id (%%7)")
    add_confirmation(parser)


def run(arguments: argparse.Namespace) -> int:
    """A client whose session goes with the pane is moved to another one first."""
    who = caller.find()
    return end(registered(who), "pane-kill", arguments, target=arguments.target, mux=who.mux if who else "")
