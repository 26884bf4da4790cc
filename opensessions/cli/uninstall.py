"""`opensessions uninstall`"""

from __future__ import annotations

import argparse
import sys

from opensessions import setups
from opensessions.errors import OpenSessionsError
from opensessions.hooks import agents, change


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Works without a server. 1 where something could not be given back as it was; it is named."""
    left = [setup.uninstall() for setup in setups.find()]
    return max([*left, *map(_unhook, agents.names())], default=0)


def _unhook(agent: str) -> int:
    """Take our hooks out of this agent's settings, if any are there."""
    try:
        for place in agents.places(agent):
            step = change.uninstall(place)
            if step.new != step.old:
                change.carry_out(step)
                print(f"Removed our hooks from {step.file}.")
    except OpenSessionsError as error:
        print(f"opensessions: {agent}: {error}", file=sys.stderr)
        return 1
    return 0
