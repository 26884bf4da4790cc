"""`opensessions watch`"""

from __future__ import annotations

import argparse
import sys

from opensessions import caller, start, wire
from opensessions.cli.talk import running
from opensessions.errors import Refused, ServerNotRunning


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """JSON lines until the server ends (1) or the reader goes."""
    line = running(caller.find())
    line.settimeout(None)
    line.sendall(wire.frame(b"A", wire.pack_fields(verb="watch")))
    for kind, payload in start.answers(line):
        if kind == b"E":
            raise Refused(payload.decode("utf-8", "replace"))
        sys.stdout.buffer.write(payload + b"\n")
        sys.stdout.buffer.flush()
    raise ServerNotRunning("The server has ended.")
