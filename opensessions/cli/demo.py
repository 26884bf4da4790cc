"""`opensessions demo`"""

from __future__ import annotations

import argparse
import sys

from opensessions import setups
from opensessions.errors import OpenSessionsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--headless`."""
    parser.add_argument("--headless", action="store_true", help="print the sidebar as text and end")


def run(arguments: argparse.Namespace) -> int:
    """Without a terminal as with `--headless`."""
    headless = arguments.headless or not (sys.stdin.isatty() and sys.stdout.isatty())
    for setup in setups.find():
        return setup.demo(headless)
    raise OpenSessionsError("No multiplexer's package is installed with opensessions: install it again.")
