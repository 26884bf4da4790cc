"""`opensessions next`"""

from __future__ import annotations

import argparse

from opensessions.cli.switch import add_client, thin


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which client."""
    add_client(parser)


def run(arguments: argparse.Namespace) -> int:
    """Go round at the ends."""
    return thin("next", arguments.client)
