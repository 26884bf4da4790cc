"""`opensessions notify`"""

from __future__ import annotations

import argparse

from opensessions.cli.say import add_message, add_session, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The message, the session."""
    parser.epilog = "Example: make test || opensessions notify 'tests failed' --tone error --source make"
    add_message(parser)
    add_session(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write it into the log, and tell it."""
    return say(arguments, "notify", message=arguments.message, tone=arguments.tone, source=arguments.source)
