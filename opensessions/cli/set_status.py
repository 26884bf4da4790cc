"""`opensessions set-status`"""

from __future__ import annotations

import argparse

from opensessions.cli.say import add_session, add_tone, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The text or `--clear`, its tone, the session."""
    parser.epilog = "Example: opensessions set-status 'deploying' --tone info"
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("text", nargs="?", help="one line; a longer one than 100 characters is cut")
    what.add_argument("--clear", action="store_true", help="nothing any more")
    add_tone(parser)
    add_session(parser)


def run(arguments: argparse.Namespace) -> int:
    """Set it, or clear it."""
    return say(arguments, "set-status", text=arguments.text, tone=arguments.tone)
