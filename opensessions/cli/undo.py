"""`opensessions undo`"""

from __future__ import annotations

import argparse

from opensessions import caller
from opensessions.cli.talk import ask, registered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: it is the multiplexer's that it is called in, else of the one used last."""


def run(arguments: argparse.Namespace) -> int:
    """Says what it has undone."""
    who = caller.find()
    print(ask(registered(who), "undo", mux=who.mux if who else "")["said"])
    return 0
