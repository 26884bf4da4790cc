"""`opensessions cross`"""

from __future__ import annotations

import argparse
import os
import sys

from opensessions import caller, installation
from opensessions.cli.switch import add_client
from opensessions.cli.talk import ask, registered, running
from opensessions.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and which client."""
    parser.add_argument("mux", metavar="MUX", help="zellij, or the name or path of a tmux server's socket")
    parser.add_argument(
        "where", metavar="N|NAME|ID", nargs="?", default="", help="a session there (default: the first)"
    )
    add_client(parser)


def run(arguments: argparse.Namespace) -> int:
    """Bring the client to a session of another multiplexer. Outside of any, this process attaches the terminal."""
    who = caller.find()
    told = {"to": arguments.mux, "where": arguments.where}
    if who or arguments.client:
        client = arguments.client or (who.client if who else "")
        ask(registered(who), "cross", mux=who.mux if who else "", client=client, **told)
        return 0
    if not os.isatty(0):
        raise Refused("This needs a terminal, or a client that is named with --client.")
    ask(running(None), "cross", process=str(os.getpid()), **told)
    script = f"{installation.plugin_folder()}/scripts/cross.py"
    python = installation.interpreter()
    sys.stdout.flush()
    return os.execv(python, [python, "-I", "-S", script, caller.runtime(None), str(os.getpid())])
