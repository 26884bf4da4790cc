"""`opensessions popup`"""

from __future__ import annotations

import argparse
from importlib import import_module

from opensessions import installation
from opensessions.cli.switch import add_client, given
from opensessions.cli.talk import inside
from opensessions.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Over which client."""
    add_client(parser)


def run(arguments: argparse.Namespace) -> int:
    """Becomes what shows the popup, until that is closed."""
    who = inside(arguments.client or "")
    if not who.client:
        raise Refused("No client is attached to this session; name one with --client.")
    if not who.popup:
        raise Refused(f"{who.provider} has no popups.")
    words = given(who)
    script = f"{installation.plugin_folder()}/scripts/popup.py"
    program = [installation.interpreter(), "-I", "-S", script, *words]
    return int(import_module(who.popup).show(words, program))
