"""`opensessions clear-log`"""

from __future__ import annotations

import argparse

from opensessions.cli.say import add_session, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The session."""
    add_session(parser)


def run(arguments: argparse.Namespace) -> int:
    """Empty it."""
    return say(arguments, "clear-log")
