"""`opensessions log`"""

from __future__ import annotations

import argparse

from opensessions.cli.say import add_message, add_session, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The message, the session."""
    parser.epilog = "Example: opensessions log 'tests passed' --tone success --source make"
    add_message(parser)
    add_session(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write it."""
    return say(arguments, "log", message=arguments.message, tone=arguments.tone, source=arguments.source)
