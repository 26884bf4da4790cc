"""What the verbs share that say something about a session: which one is meant, and the way to the server."""

from __future__ import annotations

import argparse

from opensessions import caller
from opensessions.cli.talk import ask, registered
from opensessions.errors import Refused
from opensessions.metadata import TONES


def add_session(parser: argparse.ArgumentParser) -> None:
    """`--session` and `--mux`."""
    parser.add_argument(
        "--session",
        metavar="TARGET",
        help="a session's name, =NAME or id, or the id of a pane in it (default: the session that this is called in)",
    )
    parser.add_argument(
        "--mux",
        metavar="KEY",
        help="the key of its multiplexer, as `opensessions status` says it (default: the one that this is called in)",
    )


def add_tone(parser: argparse.ArgumentParser) -> None:
    """`--tone`."""
    parser.add_argument("--tone", choices=TONES, default="neutral", help="how it is meant (default: neutral)")


def add_message(parser: argparse.ArgumentParser) -> None:
    """A message with its tone and source."""
    parser.add_argument("message", help="one line; a longer one than 500 characters is cut")
    add_tone(parser)
    parser.add_argument("--source", metavar="NAME", help="who says it, for people")


def say(arguments: argparse.Namespace, verb: str, **fields: str | None) -> int:
    """Tell the server; fields that are None are left out."""
    who = caller.find()
    session = arguments.session or (who.session if who and arguments.mux in (None, who.mux) else "")
    if not session:
        raise Refused("This works inside a tmux session; from elsewhere name one with --session.")
    place = {"paneId" if session.startswith("%") else "session": session}
    mux = arguments.mux or (who.mux if who else "")
    if mux:
        place["mux"] = mux
    ask(registered(who), verb, **place, **{name: text for name, text in fields.items() if text is not None})
    return 0
