"""`opensessions uninstall`"""

from __future__ import annotations

import argparse

from opensessions import setups


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Works without a server. 1 where something could not be given back as it was; it is named."""
    return max((setup.uninstall() for setup in setups.find()), default=0)
