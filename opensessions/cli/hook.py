"""`opensessions hook`"""

from __future__ import annotations

import argparse

from opensessions import hook


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`AGENT [EVENT [JSON]]`. No usage error ends in status 2, which some agents take for a veto."""
    parser.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="AGENT [EVENT [JSON]]",
        help="the kind of agent (claude-code, codex, …), the event where the JSON does not name it, and the JSON"
        " where it does not come on standard input",
    )


def run(arguments: argparse.Namespace) -> int:
    """Always 0: an agent must never suffer from its hook."""
    return hook.main(arguments.words)
