"""`opensessions set-progress`"""

from __future__ import annotations

import argparse

from opensessions.cli.say import add_session, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How far, of how much, or `--clear`."""
    parser.epilog = (
        "Examples: opensessions set-progress 3 10 --label tests; opensessions set-progress --clear"
    )
    parser.add_argument("current", nargs="?", help="how many are done")
    parser.add_argument("total", nargs="?", help="of how many")
    parser.add_argument("--percent", metavar="P", help="how far, from 0 to 1, or such as 35%%")
    parser.add_argument("--label", help="of what; longer ones than 100 characters are cut")
    parser.add_argument("--clear", action="store_true", help="nothing any more")
    add_session(parser)


def run(arguments: argparse.Namespace) -> int:
    """Set it, or clear it."""
    return say(
        arguments,
        "set-progress",
        current=arguments.current,
        total=arguments.total,
        percent=arguments.percent,
        label=arguments.label,
        clear="1" if arguments.clear else None,
    )
