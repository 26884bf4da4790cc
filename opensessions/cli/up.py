"""`opensessions up`"""

from __future__ import annotations

import argparse
import time

from opensessions import __version__, caller, installation, start
from opensessions.caller import Caller
from opensessions.cli.talk import ask, registered
from opensessions.errors import ServerNotRunning

PATIENCE = 10.0
"""Seconds that an old server has for leaving."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(arguments: argparse.Namespace) -> int:
    """Prints the pid. A server of another version or installation is replaced; its sidebars reconnect."""
    who = caller.find()
    print(up(who))
    return 0


def up(who: Caller | None) -> int:
    """The pid of a server of this version that serves the caller's multiplexer."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            line = registered(who)
            status = ask(line, "status")
            if (status["version"], status["root"]) == (__version__, installation.root()):
                return int(str(status["pid"]))
            start.ask(line, "stop", restart="1")
            while line.recv(1 << 16):  # the end of the stream: it has left
                pass
            failure = ServerNotRunning(
                "The server of another version does not leave; stop it: opensessions down"
            )
        except (ServerNotRunning, ConnectionError) as error:
            # A server that was just leaving closed the line before it answered; the next turn starts a new one.
            failure = ServerNotRunning(str(error))
        if time.monotonic() >= deadline:
            raise failure
