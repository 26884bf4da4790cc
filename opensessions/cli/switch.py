"""`opensessions switch`, and what `next` and `prev` share with it."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from opensessions import caller
from opensessions.caller import Caller
from opensessions.cli.talk import ask, inside, registered
from opensessions.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and which client."""
    parser.add_argument(
        "where", metavar="N|NAME|ID", help="an index, a session's name (=NAME if it is a number) or id"
    )
    add_client(parser)


def add_client(parser: argparse.ArgumentParser) -> None:
    """`--client`."""
    parser.add_argument("--client", metavar="TTY", help="the client to switch (default: the one that calls)")


def run(arguments: argparse.Namespace) -> int:
    """A number is an index (out of range: nothing happens, 0); else a name or an id."""
    if arguments.where.isascii() and arguments.where.isdigit():
        # Ten digits are out of range, and Python refuses to read some thousands of them.
        return thin(arguments.where.lstrip("0")[:10] or "0", arguments.client)
    who = caller.find()
    client = arguments.client or (who.client if who else "")
    line = registered(who)
    ask(line, "switch", where=arguments.where, mux=who.mux if who else "", client=client)
    return 0


def thin(where: str, client: str | None) -> int:
    """Do what a key press does: read the ordering file and become the multiplexer's own switch."""
    who = inside(client or "")
    if not who.client:
        raise Refused("No client is attached to this session; name one with --client.")
    main = import_module(who.switch).main
    return int(main([where, *given(who)]))


def given(who: Caller) -> list[str]:
    """What a binding tells a thin script, as `key=value`."""
    values = {
        "client": who.client,
        "socket": who.target,
        "session": who.session,
        "started": who.started,
        "runtime": caller.runtime(who),
        "mux": who.mux,
        "python": sys.executable,
        "tmux": who.binary,
    }
    return [f"{name}={value}" for name, value in values.items()]
