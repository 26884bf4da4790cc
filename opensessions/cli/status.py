"""`opensessions status`"""

from __future__ import annotations

import argparse
import json
from typing import Any

from opensessions import caller
from opensessions.cli.talk import ask, running
from opensessions.errors import ServerNotRunning


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """1 where no server runs."""
    try:
        status: dict[str, Any] = ask(running(caller.find()), "status")
    except ServerNotRunning:
        if not arguments.json:
            raise
        print(json.dumps({"running": False}))
        return 1
    if arguments.json:
        print(json.dumps(status))
        return 0
    print(f"server    {status['version']}, pid {status['pid']}, up {duration(status['uptime_s'])}")
    for mux in status["muxes"]:
        state = "" if mux["reachable"] else "  (does not answer)"
        counts = f"{mux['sessions']} sessions, {mux['panes']} panes, {mux['clients']} clients"
        print(f"{mux['provider']:<8}  {mux['socket']}: {counts}{state}")
    if not status["muxes"]:
        print("no multiplexer is registered; run `opensessions up` inside one")
    print(f"sidebars  {status['sidebars']}")
    print(f"stays     {'; '.join(status['stays']) or 'only until its idle timeout: nothing needs it'}")
    return 0


def duration(seconds: float) -> str:
    """`3 s`, `4 min`, `5 h`, `6 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
