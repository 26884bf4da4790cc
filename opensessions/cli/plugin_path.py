"""`opensessions plugin-path`"""

from __future__ import annotations

import argparse

from opensessions import setups


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Prints one line per multiplexer that takes one. It names the Python that runs this command."""
    for setup in setups.find():
        if line := setup.plugin_line():
            print(line)
    return 0
