"""`opensessions sidebar`"""

from __future__ import annotations

import argparse
import sys

from opensessions import caller
from opensessions.cli.talk import ask, registered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and on which client."""
    parser.add_argument(
        "act",
        choices=("toggle", "show", "hide", "focus", "run"),
        help="toggle, show or hide the sidebars of this multiplexer; focus: reveal it and go there; "
        "run: be a sidebar in this pane (what the server starts)",
    )
    parser.add_argument(
        "--client", metavar="TTY", default="", help="the client that looks (default: the one that calls)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Sidebars belong to a multiplexer: the one that this is called in, else the one used last."""
    who = caller.find()
    if arguments.act == "run":
        from opensessions import pump

        line = registered(who)
        line.close()
        return pump.main(
            [
                f"runtime={caller.runtime(who)}",
                f"socket={who.target if who else ''}",
                f"python={sys.executable}",
            ]
        )
    client = arguments.client or (who.client if who else "")
    answer = ask(registered(who), f"sidebar-{arguments.act}", mux=who.mux if who else "", client=client)
    print("The sidebar is shown." if answer.get("visible") else "The sidebar is hidden.")
    return 0
